"""Is a model folder of ours whole? Its manifest says what each file must be. Needs neither the library nor numpy."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from engine.errors import SpeechError

AGAIN = "install ringdown again"
RATE_HZ = 8_000  # of a telephone's sound, and of every model of ours
_RATE = re.compile(r"^--sample-frequency=([0-9.]+)\s*$", re.M)


class _Listed(msgspec.Struct):
    """What a manifest says of files."""

    words: str
    sha256: dict[str, str] = {}


def check(folder: Path) -> None:
    """Raises SpeechError: which file is missing, is not what the manifest says, or is made for other sound."""
    try:
        listed = msgspec.yaml.decode((folder / "manifest.yaml").read_bytes(), type=_Listed)
        plain = dict.fromkeys(("am/final.mdl", listed.words, "phones.txt", "conf/model.conf", "conf/mfcc.conf"))
        found = {name: (folder / name).read_bytes() for name in (*plain, *(listed.sha256.keys() - plain.keys()))}
    except OSError as error:
        raise SpeechError(f"the model {folder} is incomplete: {error.strerror} ({error.filename}); {AGAIN}") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise SpeechError(f"the model {folder} has a broken manifest: {error}; {AGAIN}") from error
    for name, digest in listed.sha256.items():
        if hashlib.sha256(found[name]).hexdigest() != digest:
            raise SpeechError(f"the model {folder} is broken: {name} is not what its manifest says; {AGAIN}")
    rate = _RATE.search(found["conf/mfcc.conf"].decode("utf-8", "replace"))
    if rate is None or float(rate[1]) != RATE_HZ:
        told = f"for sound of {rate[1]} Hz" if rate is not None else "for no known rate of sound"
        raise SpeechError(f"the model {folder} is made {told}, and a telephone's has {RATE_HZ}; {AGAIN}")

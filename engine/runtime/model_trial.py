"""A model folder of the admin's, tried in a process of its own: the library ends the process at some broken files.

`python -m engine.runtime.model_trial FOLDER` loads it, hears a moment of a quiet line, and says on stderr why it can't.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

trial_s_max = 120.0  # the largest models have gigabytes
SLOW = f"it isn't loaded within {trial_s_max:.0f} s"
_Stamp = tuple[tuple[str, int, int], ...]


def trial(folder: Path) -> str:
    """Why the library can't recognise with a folder that looks whole, '' when it can. Once for the same files."""
    return _trial(folder, _stamp(folder))


def _stamp(folder: Path) -> _Stamp:
    found = []
    for path in sorted(folder.glob("*/**/*")):
        about = path.stat()
        found.append((str(path), about.st_size, about.st_mtime_ns))
    return tuple(found)


@lru_cache(maxsize=64)
def _trial(folder: Path, stamp: _Stamp) -> str:
    command = [sys.executable, "-m", "engine.runtime.model_trial", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=trial_s_max,
                              stdin=subprocess.DEVNULL, check=False,
                              env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"the model {folder} can't be used: {SLOW}"
    except OSError as error:
        return f"the model {folder} can't be tried: {error.strerror}"
    if not done.returncode:
        return ""
    last = (done.stderr.strip().splitlines() or [""])[-1].strip()
    if done.returncode == 1 and last:
        return last
    return f"the model {folder} can't be used: a file of it is broken, and ends the library ({last[:200]})"


def main() -> int:
    import numpy

    from engine.errors import SpeechError
    from engine.runtime import vosk_library
    from engine.speech.ports import RATE_HZ

    try:
        hearing = vosk_library.Decoder(vosk_library.Model(Path(sys.argv[1])))
        hearing.feed(numpy.zeros(RATE_HZ // 5, numpy.int16))
        hearing.final()
    except SpeechError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A Switch for a journal: fresh from the header's keys, or decoded from the state that the file begins with.

A boot's files follow each other: each begins with the state in which the one before it ended, so a replay can begin
at any of them, and one that runs through several proves each checkpoint by the inputs before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.call.effects import Input, Output
from engine.errors import UsageError
from engine.media.image import Image
from engine.runtime.journal import Header, Replayed, replay

_NAME = re.compile(r"(?P<boot>.+)-(?P<serial>[0-9]{6})\.journal")
Each = Callable[[int, int, Input, list[Output]], None]


class State(msgspec.Struct, array_like=True):
    """What a checkpoint holds: the Switch, and what the media plane has been told."""

    switch: bytes
    image: bytes


_encoder = msgspec.msgpack.Encoder()
_states = msgspec.msgpack.Decoder(State)
_images = msgspec.msgpack.Decoder(Image)


def pack(switch: Any, image: Image) -> bytes:
    """A checkpoint's bytes."""
    return _encoder.encode(State(switch.encode(), _encoder.encode(image)))


def unpack(header: Header, state: bytes | None) -> tuple[Any, Image]:
    """The Switch and the image to go on with. Raises msgspec.MsgspecError or LocalError for torn or foreign bytes."""
    from engine.switch import Switch

    if state is None:
        return Switch(header.tokens_key, boot=header.boot, seed=header.seed, rows_max=header.rows_max), Image()
    held = _states.decode(state)
    return Switch.decode(held.switch), _images.decode(held.image)


def build(header: Header, state: bytes | None) -> Any:
    """What `journal.replay` drives."""
    return unpack(header, state)[0]


def files_of(journal: Path, first: int = 0) -> list[Path]:
    """The files to replay, in order: a folder's newest boot from file number `first` on, or a file and those of its
    boot that follow it. Raises UsageError when there are none."""
    if journal.is_dir():
        every = list(journal.glob("*.journal"))
        named = [path for path in every if _NAME.fullmatch(path.name)]
        newest = max(named or every, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)
        if newest is None:
            raise UsageError(f"no journal at {journal}")
        if not named:
            return [newest]
        boot = newest.name.rpartition("-")[0]
    elif journal.is_file():
        found = _NAME.fullmatch(journal.name)
        if found is None:
            return [journal]  # somebody's copy under a name of its own
        boot, first = found["boot"], max(first, int(found["serial"]))
    else:
        raise UsageError(f"no journal at {journal}")
    folder = journal if journal.is_dir() else journal.parent
    named = sorted(path for path in folder.glob(f"{boot}-*.journal") if _NAME.fullmatch(path.name))
    files = [path for path in named if int(path.stem.rpartition("-")[2]) >= first]
    if not files:
        last = named[-1].stem.rpartition("-")[2]
        raise UsageError(f"no file from number {first} on at {journal}: the last is {int(last)}")
    return files


class Chained(msgspec.Struct):
    """One file's replay; `follows`: did it begin in the state in which the replay of the file before it ended?

    None: there was none before it, or that one did not come to its end.
    """

    path: Path
    report: Replayed
    follows: bool | None = None


def chain(files: list[Path], each: Each | None = None) -> Iterator[Chained]:
    """Replay files in sequence, each from its own beginning. Raises JournalError for what is no journal."""
    ended: bytes | None = None  # the state after the file before
    for path in files:
        built: list[Any] = []
        began: list[bytes] = []

        def begin(header: Header, state: bytes | None, built: list[Any] = built, began: list[bytes] = began) -> Any:
            built.append(build(header, state))
            if state is not None:
                began.append(_switch_of(state))
            return built[-1]

        report = replay(path, begin, each)
        follows = began[0] == ended if began and ended is not None else None
        whole = built and report.clean_end and not report.differs and not report.sealed
        ended = built[-1].encode() if whole else None
        yield Chained(path, report, follows)


def _switch_of(state: bytes) -> bytes:
    """The Switch's part of a checkpoint."""
    return _states.decode(state).switch

"""What `ringdown restart` lets the installed program show before the running one makes way: run as a child.

It compiles its kernels and decodes the running engine's state (stdin), so that an upgrade that can't start, or can't
go on with these calls, is refused while nothing has changed.
"""

from __future__ import annotations

import sys

import msgspec

from engine.runtime.journal import Header


class Part(msgspec.Struct, array_like=True):
    """What the running engine gives: a journal header, and a checkpoint's state."""

    header: Header
    state: bytes


def give(header: Header, state: bytes) -> bytes:
    """For the child's stdin."""
    return msgspec.msgpack.encode(Part(header, state))


def main(given: bytes) -> int:
    """0 and the version on stdout when all is well, else 1 and one sentence on stderr."""
    from engine import __version__
    from engine.errors import RingdownError
    from engine.runtime import replaying, warming

    warming.warm()
    try:
        part = msgspec.msgpack.decode(given, type=Part)
        replaying.unpack(part.header, part.state)
    except (msgspec.MsgspecError, RingdownError, KeyError, ValueError, TypeError) as error:
        print(f"it can't go on with the calls of the running engine ({error}): drain that one instead", file=sys.stderr)
        return 1
    print(__version__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read()))

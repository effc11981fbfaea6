"""Writes what an engine of this checkout would leave at a restart: `python tests/vectors/state/make.py NAME`.

For each phase that a call can be in, the state as a checkpoint holds it: msgpack {phase: state}, xz.
"""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from engine.runtime.replaying import pack
from tests.scenarios.test_outage import PHASES, lasting


def main(name: str) -> None:
    states = {}
    for phase, begin in PHASES.items():
        world = lasting()
        begin(world)
        states[phase] = pack(world.switch, world.image)
    (Path(__file__).parent / f"{name}.states.xz").write_bytes(lzma.compress(msgspec.msgpack.encode(states)))


if __name__ == "__main__":
    main(sys.argv[1])

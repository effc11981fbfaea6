"""Tests as data: places print as an editor jumps to them, and all of it encodes."""

from __future__ import annotations

import msgspec

from engine.sim.transcript import Cases, Place
from tests.sim.shows import written


def test_a_place_prints_as_editors_read_it() -> None:
    assert str(Place("dialplans/main.test.yaml", 3, 7)) == "dialplans/main.test.yaml:3:7"


def test_a_file_of_tests_is_data() -> None:
    _, tests = written("- hears: [hello, choose]\n- press: 1\n- queue: {name: support, skills: {en: 1}}\n- hang_up")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(tests), type=Cases) == tests
    assert [line.kind for line in tests.tests[0].lines] == ["hears", "press", "queue", "hang_up"]

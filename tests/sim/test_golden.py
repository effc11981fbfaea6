"""Golden transcripts: written, read back, and the first line that differs."""

from __future__ import annotations

from engine.sim.golden import compare, parse, path_of, render
from engine.sim.transcript import Place

PLACE = Place("dialplans/main.test.yaml", 4, 3)
STORY = ["    0.0 s  dials 100", "   12.5 s  hears hello “Hello. [one]”"]


def test_what_is_written_is_read_back() -> None:
    text = render("dialplans/main.test.yaml", {"a b": STORY, "[odd": ["x"]})
    assert text.startswith("# How the calls of main.test.yaml went") and text.endswith("\n")
    assert parse(text) == {"a b": [line.strip() for line in STORY], "[odd": ["x"]}
    assert parse(text.replace("\n", "\r\n")) == parse(text)
    assert parse("") == {}
    assert path_of("dialplans/main.test.yaml") == "dialplans/main.test.golden.txt"


def test_the_first_difference_is_told() -> None:
    kept = [line.strip() for line in STORY]
    assert compare(PLACE, kept, STORY) is None
    longer = compare(PLACE, kept, [*STORY, "   13.0 s  hangs up"])
    assert longer is not None and "the end of the call" in longer.expected and longer.found == "“13.0 s  hangs up”"
    other = compare(PLACE, kept, ["    0.0 s  dials 101", STORY[1]])
    assert other is not None and other.expected == "line 1 of the golden transcript, “0.0 s  dials 100”"
    assert compare(PLACE, kept, STORY[:1]) is not None

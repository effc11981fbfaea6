"""What importers share: names, YAML, tests for keys, and what is cut away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import marks
from engine.dialplan import imported
from engine.dialplan.imported import Imported, MenuKey


@pytest.mark.parametrize(
    ("text", "name"),
    [("main-menu", "main-menu"), ("Sales (EU)", "sales_eu"), ("s_*", "s_star"), ("9", "x_9"), ("again", "x_again"),
     ("", "x"), ("__", "x"), ("ümlaut", "mlaut"), ("a" * 90, "a" * 60)],
)  # fmt: skip
def test_names_are_ours(text: str, name: str) -> None:
    assert imported.name_of(text) == name


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert imported.name_of("a", {"a": None, "a_2": None}) == "a_3"


NAME = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
PLAIN = st.recursive(
    st.text(min_size=1, max_size=12, alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAME, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def plain(node: marks.Node | None) -> object:
    if isinstance(node, marks.Mapping):
        return {key.text: plain(value) for key, value in node}
    return [plain(each) for each in node.items] if isinstance(node, marks.Sequence) else node.text if node else None


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAME, PLAIN, min_size=1, max_size=3))
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    node, faults = marks.load(imported.written(value).encode(), "x")
    assert not faults and plain(node) == value


def site() -> Imported:
    made = Imported("test", numbers={"100": "main"})
    made.flows = {
        "main": [{"play": "a"}, {"menu": {
            "prompt": "m", "choices": {"1": "sub", "*": [{"play": "x"}, {"goto": "main"}]}, "failed": "bye",
        }}],
        "sub": [{"menu": {"prompt": "n", "choices": {"12": "end", "2": "again"}, "failed": "bye"}}],
        "end": [], "lonely": [{"goto": "end"}],
    }  # fmt: skip
    return made


def test_flows_end_answer_and_are_led_to() -> None:
    made = site()
    imported.finish(made)
    assert list(made.flows) == ["main", "sub", "end", "bye"]
    assert made.flows["main"][0] == "answer" and made.flows["end"] == [{"hangup": "served"}]
    assert made.flows["bye"][-1] == {"hangup": "abandoned"}


def test_every_key_is_reached_once() -> None:
    made = site()
    imported.finish(made)
    assert imported.menu_keys(made) == [
        MenuKey("100", (), "main", "1", "sub"), MenuKey("100", (), "main", "*", "main"),
        MenuKey("100", ("1",), "sub", "12", "end"),
    ]  # fmt: skip
    text = imported.files(made, "x")["dialplans/main.test.yaml"]
    root, faults = marks.load(text.encode(), "t")
    assert not faults
    found = plain(root)
    assert isinstance(found, dict)
    assert found["tests"]["sub key 12 leads to end"] == [
        {"given": {"dialled": "100"}}, {"press": "1"}, {"press": "12"}, {"flow": "end"},
    ]  # fmt: skip
    assert {"press": "star"} in found["tests"]["main key star leads to main"]


def test_a_note_is_told_once() -> None:
    made = Imported("test")
    for _ in range(2):
        made.note("f", 3, "some\n  thing", "why")
    assert [(note.line, note.text) for note in made.notes] == [(3, "some thing")]
    assert "- `f:3: some thing`: why" in imported.files(made, "x")["IMPORTED.md"]

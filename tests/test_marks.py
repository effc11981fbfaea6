"""YAML values with their own text and place, and everything that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import marks
from engine.marks import Mapping, Scalar, Sequence, load


def faults(text: str | bytes) -> list[tuple[str, int, int]]:
    data = text.encode() if isinstance(text, str) else text
    return [(fault.kind, fault.line, fault.column) for fault in load(data, "f.yaml")[1]]


def test_scalars_keep_their_own_text() -> None:
    node, found = load(b"a: on\nb: 0123\nc: 12:30\nd: +4420\ne: '*51'\nf: yes\ng: null\nh: 1e3\n", "f.yaml")
    assert found == []
    assert isinstance(node, Mapping)
    texts = [value.text for _, value in node if isinstance(value, Scalar)]
    assert texts == ["on", "0123", "12:30", "+4420", "*51", "yes", "null", "1e3"]


def test_every_node_knows_its_place_in_characters() -> None:
    node, _ = load("标题: 欢迎\nlist:\n  - a\n  - {b: c}\n".encode(), "dialplans/x.yaml")
    assert isinstance(node, Mapping)
    title = node.entries["标题"]
    assert isinstance(title, Scalar)
    assert (title.file, title.line, title.column, title.width) == ("dialplans/x.yaml", 1, 5, 2)
    listed = node.entries["list"]
    assert isinstance(listed, Sequence)
    inner = listed.items[1]
    assert isinstance(inner, Mapping)
    assert (inner.line, inner.column, inner.width) == (4, 5, 6)
    assert (inner.keys["b"].column, inner.entries["b"].column) == (6, 9)


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        ("a: &x 1\n", "anchor", 1, 4),
        ("a: *x\n", "anchor", 1, 4),
        ("a: *51\n", "anchor", 1, 4),
        ("a:\n  <<: b\n", "merge", 2, 3),
        ("a: !x\n", "tag", 1, 4),
        ("a: !!str 1\n", "tag", 1, 4),
        ("- !x [a]\n", "tag", 1, 3),
        ("a: 1\nb: 2\na: 3\n", "duplicate", 3, 1),
        ("? [a]\n: b\n", "key", 1, 3),
        ("'': b\n", "key", 1, 1),
        ("a: 1\n---\nb: 1\n", "documents", 2, 1),
        ("%YAML 1.1\n---\na: 1\n", "directive", 1, 1),
        ("a:\n\tb: 1\n", "tab", 2, 1),
        ("a: b\t\n", "tab", 1, 5),
        ("a:\n", "empty", 1, 1),
        # places that libyaml puts behind the end, or far from the cause
        ("a: 1\nb\nc: 2\n", "syntax", 2, 1),
        ("a: 1\nagain", "syntax", 2, 1),
        ("a: 1\nb: [\n\n", "syntax", 2, 4),
        ("[", "syntax", 1, 1),
        ("- a\n-\n", "empty", 2, 2),
        ("a: {b}\n", "empty", 1, 5),
        ("a: [[[1]]]\n", "flow", 1, 6),
        ("a: b\n  c\n", "multiline", 1, 4),
        ("m:\n  *: x\n", "star", 2, 3),
        ("m:\n  #: x\n  1: y\n", "vanished", 2, 3),
        ("if: 'a' = b\n", "expression", 1, 5),
        ("if: > 3\n", "expression", 1, 5),
        ("a: [b\n", "syntax", 1, 4),
        ("a: 'b\n", "syntax", 1, 4),
        ("a: b: c\n", "syntax", 1, 5),
        ("a: @b\n", "syntax", 1, 4),
        (b"a: \xff\n", "encoding", 1, 4),
        ("a: \x01\n", "encoding", 1, 4),
        ("a: b\u2028c\n", "encoding", 1, 5),
    ],
)
def test_a_refusal_stands_at_its_place(text: str | bytes, kind: str, line: int, column: int) -> None:
    assert (kind, line, column) in faults(text)


def test_lost_words_are_kept_for_the_reader() -> None:
    node, found = load(b"text: press # to end\nflow: main   # a comment\nquoted: 'a' # fine\n", "f.yaml")
    assert found == []
    assert isinstance(node, Mapping)
    lost = {key.text: value.lost for key, value in node if isinstance(value, Scalar)}
    assert lost == {"text": "# to end", "flow": "# a comment", "quoted": ""}


def test_an_empty_value_before_a_comment_says_what_is_lost() -> None:
    fault = load(b"a: #1 in town\n", "f.yaml")[1][0]
    assert "1 in town" in fault.message


def test_several_refusals_come_together_in_order() -> None:
    assert [line for _, line, _ in faults("a: &x 1\nb:\nc: !t\nd: 1\nd: 2\n")] == [1, 2, 3, 5]


def test_bounds() -> None:
    assert faults(b"a" * (marks.file_bytes_max + 1)) == [("size", 1, 1)]
    deep = "".join("  " * level + "a:\n" for level in range(40)) + "  " * 40 + "b: 1\n"
    assert [kind for kind, _, _ in faults(deep)] == ["depth"]
    assert len(faults("a: &x 1\n" + "".join(f"k{number}: &x 1\n" for number in range(200)))) == marks.faults_max


def test_line_ends_and_byte_order_mark_don_t_matter() -> None:
    node, found = load(b"\xef\xbb\xbfa: 1\r\nb: 2\r", "f.yaml")
    assert found == []
    assert isinstance(node, Mapping)
    assert [(key.text, value.line) for key, value in node] == [("a", 1), ("b", 2)]


def test_nothing_is_fine_and_none() -> None:
    assert load(b"", "f.yaml") == (None, [])
    assert load(b"# only words\n", "f.yaml") == (None, [])


PIECES = st.sampled_from(
    ["a", "b: ", "- ", "\n", "  ", "\n  ", "{", "}", "[", "]", ", ", "'", '"', "&x ", "*x", "!t ", "#", " # c", "|\n",
     ">", "%Y", "---\n", "\t", "?", ": ", "<<: ", "\u2028", "中", "@", "`", "\r\n", "...\n", "\x00"]
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.one_of(st.lists(PIECES, max_size=30).map("".join).map(str.encode), st.binary(max_size=60)))
def test_any_bytes_give_nodes_or_faults(data: bytes) -> None:
    node, found = load(data, "f.yaml")
    for fault in found:
        assert fault.line >= 1
        assert fault.column >= 1
    if node is not None:
        assert node.line >= 1

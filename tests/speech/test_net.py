"""Word nets: counting, drawing, bounds."""

from __future__ import annotations

import pytest

from engine.errors import SpeechError
from engine.speech import net as nets
from engine.speech import notation
from engine.speech.net import Net


def sentences(net: Net, words_max: int = 6) -> list[str]:
    """Every sentence of a net up to a length, sorted."""
    found: dict[str, None] = {}
    stack: list[tuple[int, tuple[str, ...]]] = [(net.start, ())]
    while stack:
        node, said = stack.pop()
        if node == net.end:
            found[" ".join(said)] = None
        for word, _, target in net.arcs[node]:
            if not word or len(said) < words_max:
                stack.append((target, (*said, word) if word else said))
    return sorted(found)


def no_slot(net: Net, name: str, source: int, target: int) -> None:
    net.say(source, f"<{name}>", target)


def test_a_tree_is_drawn() -> None:
    net = Net()
    net.draw(notation.read("[the] (bill|invoice number) $day", "en"), net.start, net.end, no_slot)
    assert sentences(net) == [
        "bill <day>", "invoice number <day>", "the bill <day>", "the invoice number <day>",
    ]  # fmt: skip
    assert nets.vocabulary(net) == ["<day>", "bill", "invoice", "number", "the"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (2, 2, ["double x", "x x"]),
        (1, 3, ["double x", "double x x", "x", "x double x", "x x", "x x x"]),
    ],
)
def test_units_are_counted(low: int, high: int, expected: list[str]) -> None:
    net = Net()
    net.counted(net.start, net.end, low, high, lambda n, a, b: n.say(a, "x", b), {"double": 2})
    assert sentences(net) == expected


def test_units_without_an_end_go_round() -> None:
    net = Net()
    net.counted(net.start, net.end, 0, 0, lambda n, a, b: n.say(a, "x", b), {})
    assert sentences(net, 3) == ["x", "x x", "x x x"]


def test_a_net_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets, "nodes_max", 10)
    net = Net()
    with pytest.raises(SpeechError, match="too large"):
        net.words(net.start, "a " * 20, net.end)

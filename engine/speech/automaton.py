"""A word net made deterministic and small: no silent arcs, one arc per word and state, equal states once.

A thousand phrases that begin alike share their beginnings and endings, so a decoder has less to search.
"""

from __future__ import annotations

import msgspec

from engine.errors import SpeechError
from engine.speech.net import CALENDAR, FILLER, Net, nodes_max

PLAIN, DATED, POLITE = 0, 1, 2  # kinds of words: DATED are months and their days, POLITE ones mean nothing
Arcs = tuple[tuple[str, int, int], ...]  # word, target state, its kind: the least of those that it may be there


class Automaton(msgspec.Struct, frozen=True):
    """State 0 begins. `arcs[state]` are sorted by word."""

    arcs: tuple[Arcs, ...]
    final: tuple[bool, ...]


def of(net: Net) -> Automaton:
    """The automaton that accepts the same sentences. Raises SpeechError when it would be out of all bounds."""
    return _minimal(_deterministic(net))


def _closure(net: Net, nodes: frozenset[int]) -> tuple[int, ...]:
    """The nodes and those behind silent arcs, sorted."""
    seen = set(nodes)
    stack = sorted(nodes)
    while stack:
        for word, _, target in net.arcs[stack.pop()]:
            if not word and target not in seen:
                seen.add(target)
                stack.append(target)
    return tuple(sorted(seen))


def _deterministic(net: Net) -> Automaton:
    known: dict[tuple[int, ...], int] = {}
    closures: dict[frozenset[int], tuple[int, ...]] = {}
    todo: list[tuple[int, ...]] = []

    def state_of(nodes: frozenset[int]) -> int:
        if nodes not in closures:
            closures[nodes] = _closure(net, nodes)
        closed = closures[nodes]
        if closed not in known:
            if len(known) == nodes_max:
                raise SpeechError("this grammar is too large to listen for; shorten its lists or its ranges")
            known[closed] = len(known)
            todo.append(closed)
        return known[closed]

    state_of(frozenset((net.start,)))
    arcs: list[Arcs] = []
    final: list[bool] = []
    while len(arcs) < len(todo):
        merged = todo[len(arcs)]
        targets: dict[str, set[int]] = {}
        kinds: dict[str, int] = {}
        for node in merged:
            for word, tag, target in net.arcs[node]:
                if word:
                    targets.setdefault(word, set()).add(target)
                    kinds[word] = min(kinds.get(word, POLITE), _kind(tag))
        arcs.append(tuple((word, state_of(frozenset(targets[word])), kinds[word]) for word in sorted(targets)))
        final.append(net.end in merged)
    return Automaton(tuple(arcs), tuple(final))


def _kind(tag: str) -> int:
    if tag == FILLER:
        return POLITE
    return DATED if tag.startswith(CALENDAR) else PLAIN


def _minimal(large: Automaton) -> Automaton:
    """States that nothing tells apart become one: by their arcs, backwards where there is no circle, else by rounds."""
    order = backwards(large)
    classes = [0] * len(large.arcs)
    if order is not None:
        known: dict[tuple[bool, Arcs], int] = {}
        for state in order:
            classes[state] = known.setdefault(_signature(large, state, classes), len(known))
    else:
        classes, count = [int(one) for one in large.final], len(set(large.final))
        while True:
            round_: dict[tuple[int, tuple[bool, Arcs]], int] = {}
            refined = [
                round_.setdefault((classes[state], _signature(large, state, classes)), len(round_))
                for state in range(len(classes))
            ]
            classes = refined
            if len(round_) == count:
                break
            count = len(round_)
    return _numbered(large, classes)


def _signature(large: Automaton, state: int, classes: list[int]) -> tuple[bool, Arcs]:
    return large.final[state], tuple((word, classes[target], kind) for word, target, kind in large.arcs[state])


def backwards(large: Automaton) -> list[int] | None:
    """The states, targets before sources; None when there is a circle."""
    order: list[int] = []
    seen = [0] * len(large.arcs)  # 1 = being visited, 2 = done
    stack = [(0, 0)]
    seen[0] = 1
    while stack:
        state, at = stack.pop()
        if at == len(large.arcs[state]):
            seen[state] = 2
            order.append(state)
            continue
        stack.append((state, at + 1))
        target = large.arcs[state][at][1]
        if seen[target] == 1:
            return None
        if not seen[target]:
            seen[target] = 1
            stack.append((target, 0))
    return order


def _numbered(large: Automaton, classes: list[int]) -> Automaton:
    """One state per class, numbered as they are reached from the beginning."""
    numbers = {classes[0]: 0}
    chosen = [0]
    arcs: list[Arcs] = []
    while len(arcs) < len(chosen):
        own: list[tuple[str, int, int]] = []
        for word, target, kind in large.arcs[chosen[len(arcs)]]:
            if classes[target] not in numbers:
                numbers[classes[target]] = len(chosen)
                chosen.append(target)
            own.append((word, numbers[classes[target]], kind))
        arcs.append(tuple(own))
    return Automaton(tuple(arcs), tuple(large.final[one] for one in chosen))

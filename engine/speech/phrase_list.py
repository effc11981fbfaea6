"""A grammar as the nearest list of phrases, for recognisers that take only such a list (vosk's own, and its server's).

They make pairs of words of it. So a small grammar is written out whole, and of a large one there are phrases enough
that every two words which may follow each other do so in one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine.speech import automaton, grammar_net, slots
from engine.speech.automaton import Automaton
from engine.speech.grammar import Grammar
from engine.speech.net import Net
from engine.speech.notation import read

whole_max = 1_000  # phrases that are written out
phrases_max = 10_000


def phrases(grammar: Grammar) -> tuple[str, ...]:
    """The list, without repeats; polite words stand by themselves in it. Raises SpeechError as `grammar_net.build`."""
    bare = msgspec.structs.replace(grammar, fillers=False)
    machine = automaton.of(grammar_net.build(bare))
    found: dict[str, None] = {}
    for phrase in _whole(machine) if _count(machine) <= whole_max else _covering(machine):
        found[_plain(phrase)] = None
        if len(found) == phrases_max:
            break
    leading, between, trailing = grammar_net.polite(grammar)
    for each in dict.fromkeys((*leading, *trailing, *(between if grammar.any_order else ()))):
        net = Net()
        net.draw(read(each, grammar.language), net.start, net.end, slots.no_slot)
        found.update(dict.fromkeys(map(_plain, _whole(automaton.of(net)))))
    return tuple(found)


def _plain(words: tuple[str, ...]) -> str:
    """`a.m.` is heard as the names of its letters."""
    return " ".join(" ".join(words).replace(".", " ").split())


def _count(machine: Automaton) -> float:
    """How many sentences there are."""
    order = automaton.backwards(machine)
    if order is None:
        return float("inf")
    counts = [0] * len(machine.arcs)
    for state in order:
        counts[state] = machine.final[state] + sum(counts[target] for _, target, _ in machine.arcs[state])
    return counts[0]


def _whole(machine: Automaton) -> Iterator[tuple[str, ...]]:
    """All the sentences."""
    stack: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    while stack:
        state, said = stack.pop()
        if machine.final[state]:
            yield said
        stack += [(target, (*said, word)) for word, target, _ in reversed(machine.arcs[state])]


def _covering(machine: Automaton) -> Iterator[tuple[str, ...]]:
    """Sentences in which every pair of words occurs."""
    before, after = _shortest(machine)
    covered: dict[tuple[str, str], None] = {}
    for state, arcs in enumerate(machine.arcs):
        for first, middle, _ in arcs:
            onward = [("", -1), *((word, target) for word, target, _ in machine.arcs[middle])]
            for second, target in onward:
                if (first, second) in covered or (target < 0 and not machine.final[middle]):
                    continue
                sentence = (*before[state], first, *((second, *after[target]) if target >= 0 else ()))
                covered.update(dict.fromkeys(zip(sentence, (*sentence[1:], ""), strict=True)))
                yield sentence


def _shortest(machine: Automaton) -> tuple[dict[int, tuple[str, ...]], dict[int, tuple[str, ...]]]:
    """For each state the shortest words from the beginning to it, and from it to an end."""
    before: dict[int, tuple[str, ...]] = {0: ()}
    todo = [0]
    backwards: list[list[tuple[str, int]]] = [[] for _ in machine.arcs]
    for state in todo:
        for word, target, _ in machine.arcs[state]:
            backwards[target].append((word, state))
            if target not in before:
                before[target] = (*before[state], word)
                todo.append(target)
    after: dict[int, tuple[str, ...]] = {state: () for state, final in enumerate(machine.final) if final}
    todo = list(after)
    for state in todo:
        for word, source in backwards[state]:
            if source not in after:
                after[source] = (word, *after[state])
                todo.append(source)
    return before, after

"""Decoding graphs say what their grammar says, with garbage beside it; the same grammar gives the same bytes."""

from __future__ import annotations

import lzma
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import SpeechError
from engine.speech import graph, phones, slots_en
from engine.speech.grammar import SLOT_KINDS, Slot
from engine.speech.lexicon import Dictionary, Lexicon
from tests.bench.yardstick import units
from tests.speech.models import PHONES, grammar, the_lexicon, the_phones


class Parsed:
    """A transducer read back from its bytes."""

    def __init__(self, made: graph.Graph) -> None:
        data = made.hclg
        *_, start, states, arcs = struct.unpack_from("<iiQqqq", data, 26)
        assert start == 0 and (states, arcs) == (made.states, made.arcs)
        at, self.arcs, self.final = 66, [], {}
        for state in range(states):
            weight, count = struct.unpack_from("<fq", data, at)
            self.arcs.append([struct.unpack_from("<iifi", data, at + 12 + 16 * one) for one in range(count)])
            at += 12 + 16 * count
            if weight != float("inf"):
                self.final[state] = weight
        assert at == len(data)
        self.words = {int(number): word for word, number in (line.split() for line in made.words.splitlines())}

    def sentences(self, transitions: dict[int, str]) -> dict[tuple[str, str], float]:
        """(words, phones) of every way without garbage, silence between words or lingering -> its cost."""
        found: dict[tuple[str, str], float] = {}
        stack: list[tuple[int, str, str, float]] = [(0, "", "", 0.0)]
        while stack:
            state, words, phones, cost = stack.pop()
            if state in self.final:
                found[words.strip(), phones.strip()] = cost
            for label, output, weight, target in self.arcs[state]:
                phone = transitions.get(label, "")
                if output == 1 or label % 2 or phone in ("SIL", "NSN") or len(phones) > 80:
                    continue
                said = f"{words} {self.words[output]}" if output else words
                stack.append((target, said, f"{phones} {phone}".rstrip(), cost + weight))
        return found


def transitions() -> dict[int, str]:
    known = the_phones()
    return {known.enter(name): name for name in known.numbers}


def compiled(*phrases: str, **slots: Slot) -> graph.Graph:
    return graph.compile(grammar(*phrases, fillers=False, any_order=False, **slots), the_lexicon(), the_phones())


def test_words_are_said_in_their_phones() -> None:
    found = Parsed(compiled("sales", "main menu")).sentences(transitions())
    assert sorted(found) == [("main menu", "M_B EY_I N_E M_B EH_I N_I Y_I UW_E"), ("sales", "S_B EY_I L_I Z_E")]


def test_words_that_sound_alike_stay_two_words() -> None:
    found = Parsed(compiled("sales", "sails", "sale")).sentences(transitions())
    assert [words for words, _ in sorted(found)] == ["sails", "sale", "sales"]


def test_every_pronunciation_is_a_way() -> None:
    found = Parsed(compiled("tomato")).sentences(transitions())
    assert len(found) == 2


def test_digits_are_exact() -> None:
    found = Parsed(compiled("$n", n=Slot("digits", 2, 2))).sentences(transitions())
    assert len({words for words, _ in found}) == 11 * 11 + 11
    assert ("double oh", "D_B AH_I B_I AH_I L_E OW_S") in found


def test_beginnings_are_shared() -> None:
    parsed = Parsed(compiled("billing", "bills"))
    begun = [arc for arcs in parsed.arcs for arc in arcs if arc[0] == the_phones().enter("B_B") and arc[1] != 1]
    assert len(begun) == 1


def test_garbage_is_any_phones_at_a_price() -> None:
    parsed = Parsed(compiled("sales"))
    assert parsed.words[1] == "[garbage]"
    begun = [arc for arcs in parsed.arcs for arc in arcs if arc[1] == 1]
    assert len(begun) == len(PHONES) and {weight for _, _, weight, _ in begun} == {graph.Tuning().garbage_phone_cost}


def test_noise_stands_beside_silence_where_the_model_knows_it() -> None:
    entered = the_phones().enter("NSN")
    without = Parsed(compiled("sales"))
    with_noise = Parsed(graph.compile(grammar("sales"), the_lexicon(), the_phones(noise=True)))
    assert not any(arc[0] == entered for arcs in without.arcs for arc in arcs)
    assert any(arc[0] == entered for arcs in with_noise.arcs for arc in arcs)
    assert with_noise.sentences(transitions()).keys() == without.sentences(transitions()).keys()


def test_own_words_of_the_grammar_count() -> None:
    own = grammar("blorp")
    with pytest.raises(SpeechError, match="how to say 'blorp'"):
        graph.compile(own, the_lexicon(), the_phones())
    own.words["blorp"] = ("B L AO R P",)
    assert Parsed(graph.compile(own, the_lexicon(), the_phones())).sentences(transitions())
    own.words["blorp"] = ("B L OO",)
    with pytest.raises(SpeechError, match="'OO', which is no phone"):
        graph.compile(own, the_lexicon(), the_phones())


def test_the_same_grammar_gives_the_same_bytes_under_any_hash_seed() -> None:
    program = (
        "import hashlib; from tests.speech.test_graph import compiled; from engine.speech.grammar import Slot;"
        "made = compiled('main $n', 'sales', n=Slot('digits', 2, 4));"
        "print(hashlib.sha256(made.hclg + made.words.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1


MODEL = Path(__file__).parents[2] / "engine/speech/models/en"


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon(Dictionary(lzma.decompress((MODEL / "words.txt.xz").read_bytes()).decode()))


@pytest.mark.parametrize("kind", SLOT_KINDS)
def test_the_shipped_model_can_say_every_built_in_word(kind: str, shipped: Lexicon) -> None:
    known = phones.read((MODEL / "phones.txt").read_text())
    for currency in ("", *slots_en.MONEY) if kind == "amount" else ("",):
        slot = Slot(kind, 0, 99 if kind == "amount" else 0, currency, choices={"sales": ()})
        assert graph.compile(grammar("$x", x=slot, fillers=True), shipped, known).arcs


def test_a_day_of_the_calendar_costs_more_than_a_weekday_and_a_lone_vowel_more_than_a_digit(shipped: Lexicon) -> None:
    known, tuning = phones.read((MODEL / "phones.txt").read_text()), graph.Tuning(dated_cost=5.0, brief_cost=3.0)

    def prices(word: str, slot: Slot) -> set[float]:
        parsed = Parsed(graph.compile(grammar("$x", x=slot), shipped, known, tuning))
        labels = {name: number for number, name in parsed.words.items()}
        return {weight for arcs in parsed.arcs for _, output, weight, _ in arcs if output == labels[word]}

    assert prices("tuesday", Slot("date")) == prices("tomorrow", Slot("date")) == {0.0}
    assert prices("june", Slot("date")) == prices("fifth", Slot("date")) == {5.0}
    assert prices("two", Slot("digits", 4, 4)) == {0.0} and prices("oh", Slot("digits", 4, 4)) == {3.0}


def test_a_thousand_phrases_cost_a_bounded_number_of_units(shipped: Lexicon) -> None:
    known = phones.read((MODEL / "phones.txt").read_text())
    listed = (line.partition("\t")[0] for line in shipped.dictionary.lines[5_000::43])
    words = [word for word in listed if word.isalpha()]
    many = grammar(*(" ".join(words[at : at + 3]) for at in range(1_000)), fillers=True)
    assert graph.compile(many, shipped, known).states > 10_000
    assert units(lambda: graph.compile(many, shipped, known), rounds=1) < 100  # 41 to 51

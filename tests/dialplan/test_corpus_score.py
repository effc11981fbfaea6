"""Verdicts, figures, what is confused with what, and what counts as worse than what was accepted."""

from __future__ import annotations

import msgspec
import pytest

from engine.dialplan import corpus_score as scores
from engine.dialplan.corpus import Condition, Corpus, Needs, Said
from engine.speech.ports import Heard, Utterance

CLEAN, PINK = Condition(), Condition("pink", 20)
FILE = "dialplans/main.speech.yaml"


def said(text: str = "billing", **fields: object) -> Said:
    base = Said(FILE, 3, 5, "choose/menu(m)", "key", "en", (text,), intent="billing", conditions=(CLEAN, PINK))
    return msgspec.structs.replace(base, **fields)


def heard(
    intent: str = "billing", text: str = "billing", decided_ms: int = 1_400, **slots: str | int | bool
) -> Utterance:
    return Utterance("match", (Heard(text, intent, slots, 0.9),), 500, 1_000, decided_ms)


NOTHING = Utterance("no_match", (), 500, 1_000, 1_500)
DIGITS = said("one two", intent="", slots={"code": "12", "sure": True})
FOREIGN = said("nice weather", intent="", result="no_match")
NOBODY = said(texts=(), intent="", result="no_input")


@pytest.mark.parametrize(
    ("what", "told", "right", "accepted"),
    [
        (said(), heard(), True, False),
        (said(), heard("sales"), False, False),
        (said(), NOTHING, False, False),
        (DIGITS, heard("x", code="12", sure=True), True, False),
        (DIGITS, heard("x", code="12", sure=False), False, False),
        (DIGITS, heard("x", code="12", sure=1), False, False),
        (DIGITS, heard("x", code="12"), False, False),
        (DIGITS, heard("x", code="12", sure=True, more=3), False, False),
        (said(), heard(more=3), True, False),
        (FOREIGN, NOTHING, True, False),
        (FOREIGN, Utterance("too_long"), True, False),
        (FOREIGN, heard("sales"), False, True),
        (FOREIGN, Utterance("failed"), False, False),
        (NOBODY, Utterance("no_input"), True, False),
        (NOBODY, NOTHING, False, False),
        (NOBODY, heard(), False, True),
    ],
)
def test_a_verdict(what: Said, told: Utterance, right: bool, accepted: bool) -> None:
    verdict = scores.judge(what, told)
    assert (verdict.right, verdict.false_accept) == (right, accepted)


def test_trials_are_every_voice_in_every_noise_at_every_level() -> None:
    corpus = Corpus(FILE, (
        said(texts=("a", "b"), levels=(-20, -30)), said(voices=("flite slt",)), said(texts=(), recording="a.wav"),
        NOBODY,
    ))  # fmt: skip
    made = scores.trials(corpus, {"en": ("flite slt", "flite rms")})
    assert [sum(1 for each in made if each.said == number) for number in range(4)] == [16, 2, 2, 2]
    assert len({each.seed for each in made}) == len(made)
    assert made == scores.trials(corpus, {"en": ("flite slt", "flite rms")})
    assert scores.trials(corpus, {})[0].said == 1, "no voice speaks what names none"
    moved = scores.trials(Corpus(FILE, corpus.said[1:]), {"en": ("flite slt", "flite rms")})
    assert [each.seed for each in moved] == [each.seed for each in made if each.said], "not of its place in the file"


def run(*told: tuple[Said, Utterance, Condition]) -> scores.Score:
    """Each a trial of its own by one voice."""
    results = []
    for number, (what, utterance, noise) in enumerate(told):
        trial = scores.Trial(number, (what.texts or ("",))[0], "flite slt", noise, -22, number)
        results.append(scores.Result(trial, utterance, 2_000, 20))
    return scores.score(Corpus(FILE, tuple(what for what, _, _ in told)), results, "embedded en")


def test_the_figures_of_a_run() -> None:
    made = run(
        (said(), heard(), CLEAN), (said(), heard("sales", decided_ms=1_600), CLEAN), (said(), NOTHING, PINK),
        (DIGITS, heard("x", "one to", code="11", sure=True), CLEAN), (FOREIGN, heard("sales"), CLEAN),
        (FOREIGN, NOTHING, PINK),
    )  # fmt: skip
    clean, pink = made.sums().values()
    assert list(made.sums()) == ["clean", "pink 20"]
    assert (clean.wanted, clean.intents, clean.slots, clean.slots_right) == (3, 2, 2, 1)
    assert (clean.foreign, clean.false_accepts, clean.right, clean.trials) == (1, 1, 1, 4)
    assert (pink.wanted, pink.intents, pink.foreign, pink.false_accepts) == (1, 0, 1, 0)
    assert made.whole().trials == 6 and made.audio_ms == 12_000 and made.cpu_ms == 120
    assert [scores.percentile(made.lags_ms, each) for each in (50, 95)] == [400, 600]
    assert [each[1:] for each in scores.ranked(made)] == [
        ("choose/menu(m)", "billing", "no match"), ("choose/menu(m)", "billing", "sales"),
        ("choose/menu(m)", "two", "to"), ("choose/menu(m)", "“nice weather”", "sales"),
    ]  # fmt: skip


def test_a_trial_that_could_not_be_made_is_told_and_not_counted() -> None:
    trial = scores.Trial(0, "billing", "flite slt", CLEAN, -22, 1)
    made = scores.score(Corpus(FILE, (said(),)), [scores.Result(trial, NOTHING, fault="flite failed")])
    assert made.faults == ["choose/menu(m): billing (flite slt): flite failed"]
    assert made.whole().trials == 0


def test_what_was_accepted_is_read_back() -> None:
    made = run((said(), heard(), CLEAN), (DIGITS, heard("x", code="12", sure=False), PINK), (FOREIGN, NOTHING, CLEAN))
    text = scores.render(made)
    assert text.startswith("# What was understood of main.speech.yaml; ") and "engine: embedded en" in text
    kept = scores.parse(text)
    assert (kept.engine, kept.lag_ms) == ("embedded en", 400)
    assert kept.rows == {
        said().name: {"clean": (1, 1, 0, 0)}, DIGITS.name: {"pink 20": (1, 1, 1, 2)},
        FOREIGN.name: {"clean": (1, 1, 0, 0)},
    }  # fmt: skip
    assert scores.drops(kept, made) == []
    assert scores.parse("[x]\nclean: many of some\nanswer after: ?\n").rows == {"x": {}}
    assert scores.path_of(FILE) == "dialplans/main.speech.accepted.txt"


def test_a_drop_is_told_with_what_dropped() -> None:
    kept = scores.parse(scores.render(run(
        (said(), heard(), CLEAN), (said("the bill"), heard(), CLEAN), (DIGITS, heard("x", code="12", sure=True), CLEAN),
        (FOREIGN, NOTHING, CLEAN),
    )))  # fmt: skip
    worse = scores.drops(kept, run(
        (said(), heard("sales"), CLEAN), (said("the bill"), heard(), CLEAN),
        (DIGITS, heard("x", code="12", sure=False), CLEAN), (FOREIGN, heard(), CLEAN),
    ))  # fmt: skip
    assert worse[:3] == [
        "intents, clean: 66.6 %, 100.0 % when it was accepted", "slots, clean: 50.0 %, 100.0 % when it was accepted",
        "false accepts, clean: 1 of 1, 0 when it was accepted",
    ]  # fmt: skip
    assert worse[3] == "  choose/menu(m): billing (clean): 0 of 1, 1 before"
    assert len(worse) == 6


def test_one_up_one_down_is_no_drop_and_what_is_new_is_not_compared() -> None:
    kept = scores.parse(scores.render(run((said(), heard(), CLEAN), (said("the bill"), NOTHING, CLEAN))))
    assert scores.drops(kept, run((said(), NOTHING, CLEAN), (said("the bill"), heard(), CLEAN))) == []
    assert scores.drops(kept, run((said("new"), NOTHING, CLEAN), (said(), heard(), CLEAN))) == []
    twice = run((said(), NOTHING, CLEAN), (said(), NOTHING, CLEAN))
    assert scores.drops(kept, twice) == [], "another number of voices is another figure"


def test_a_later_answer_is_a_drop() -> None:
    kept = scores.parse(scores.render(run((said(), heard(), CLEAN))))
    assert scores.drops(kept, run((said(), heard(decided_ms=1_460), CLEAN))) == []
    assert scores.drops(kept, run((said(), heard(decided_ms=1_480), CLEAN))) == [
        "answer after 480 ms, 400 ms when it was accepted"
    ]


def test_what_a_corpus_needs() -> None:
    made = run((said(), heard(), CLEAN), (said(), NOTHING, CLEAN), (FOREIGN, heard(), CLEAN)).whole()
    assert scores.missed(Needs(), made) == []
    assert scores.missed(Needs(50, 90, 100), made) == [], "no slots are no missed slots"
    assert scores.missed(Needs(51, -1, 99), made) == [
        "intents 50.0 %, needs 51 %", "false accepts 100.0 %, at most 99 % are allowed"
    ]


def test_nothing_is_rounded_up() -> None:
    assert (scores.per_cent(1_999, 2_000), scores.per_cent(0, 0), scores.per_cent(2, 2)) == ("99.9 %", "–", "100.0 %")
    assert scores.percentile([], 50) == -1

"""What speaks against an utterance: its own result, and what the caller did next."""

from __future__ import annotations

from typing import Any

import pytest

from engine.records.utterances import MASK, Row, Utterance, at, fold, worst


def rows(*told: tuple[str, dict[str, Any]]) -> list[Row]:
    return [Row("a", number, 1_000 * number, "default", "bako-0", kind, data)
            for number, (kind, data) in enumerate(told, 1)]  # fmt: skip


def heard(result: str = "match", text: str = "sales", intent: str = "sales", sure: int = 90, **more: Any) -> Any:
    step = {"step": "choose/menu(m)", "dialplan": "default/front", "grammar": "g1", "language": "en"}
    data = {"result": result, "text": text, "intent": intent, "confidence": sure, "slots": "", **step, **more}
    return "speech.heard", data


@pytest.mark.parametrize(("told", "wrong"), [
    ([heard()], [[]]),
    ([heard(sure=69)], [["unsure"]]),
    ([heard("no_match", "")], [["no match"]]),
    ([heard("too_long"), ("call.digit", {})], [["too long", "then keys"]]),
    ([heard("failed", ""), ("dial.started", {}), ("queue.joined", {})], [["recogniser failed", "then a person"]]),
    ([heard(), ("call.digit", {}), ("queue.joined", {})], [[]]),  # what was understood leads there
    ([heard(), heard(text="no", intent="no")], [["refused by a no"], []]),
    ([heard(), heard(text="no billing", intent="no, billing")], [["corrected"], []]),
    ([heard(), heard(text="no tuesday", intent="no", slots="day=2026-03-03")], [["corrected"], []]),
    ([heard(text="no", intent="no"), heard(text="no", intent="no")], [[], []]),
    ([heard("no_match", ""), heard(text="no", intent="no")], [["no match"], []]),
])  # fmt: skip
def test_what_speaks_against_it(told: list[tuple[str, dict[str, Any]]], wrong: list[list[str]]) -> None:
    assert [each.wrong for each in fold(rows(*told))] == wrong


def test_calls_are_told_apart_and_the_question_is_known() -> None:
    told = rows(("call.prompt", {"clips": "en/menu"}), heard(), heard(text="no", intent="no"))
    other = Row("a", 9, 9, "default", "dilo-1", "speech.heard", heard("no_match", "")[1])
    first, foreign, _ = fold([told[0], told[1], other, told[2]])
    assert (first.id, first.asked, first.wrong) == ("bako-0/2", "en/menu", ["refused by a no"])
    assert (foreign.asked, foreign.confidence, foreign.wrong) == ("", -1, ["no match"])


def named(found: list[Utterance]) -> list[str]:
    return [each.text for each in found]


def test_the_worst_first_and_good_ones_only_when_asked_for() -> None:
    found = fold(rows(heard(text="good"), heard(text="bad"), heard(text="no", intent="no"), heard("no_match", "none")))
    assert named(worst(found, 20)) == ["bad", "none"] and named(worst(found, 1)) == ["bad"]
    assert len(worst(found, 0)) == 4


@pytest.mark.parametrize(("place", "count"), [
    ("front", 1), ("default/front", 1), ("front/choose", 1), ("front/choose/menu(m)", 1), ("g1", 1), ("fron", 0),
    ("choose", 0), ("g", 0),
])  # fmt: skip
def test_only_there(place: str, count: int) -> None:
    assert len(list(at(fold(rows(heard())), place))) == count


def test_a_secret_is_known_by_its_mask() -> None:
    assert fold(rows(heard(text=MASK)))[0].secret and fold(rows(heard(slots=f"code={MASK}")))[0].secret
    assert not fold(rows(heard()))[0].secret

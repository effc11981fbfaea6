"""What callers say in Mandarin for the built-in slots, and what it means. Today is Friday, 27 November 2026."""

from __future__ import annotations

import pytest

from engine.speech import matcher, slots_zh
from engine.speech.grammar import Grammar, Line, Slot
from engine.speech.slot_values import Value

TODAY = "2026-11-27"


def meant(said: str, slot: Slot) -> list[Value]:
    grammar = Grammar("zh-CN", (Line("$x", "x"),), {"x": slot})
    return [reading.slots["x"] for reading in matcher.read(grammar, said, TODAY)]


@pytest.mark.parametrize(
    ("said", "slot", "expected"),
    [
        ("是的", Slot("yes_no"), [True]),
        ("不对", Slot("yes_no"), [False]),
        ("请不是，谢谢", Slot("yes_no"), [False]),
        ("幺二三零", Slot("digits", 4, 4), ["1230"]),
        ("1 2 3", Slot("digits", 4, 4), []),
        ("两百零五", Slot("number"), [205]),
        ("十二块五", Slot("amount", currency="CNY"), [1_250]),
        ("十二元零五分", Slot("amount", currency="CNY"), [1_205]),
        ("五毛", Slot("amount", currency="CNY"), [50]),
        ("三块两", Slot("amount", currency="CNY"), []),
        ("一百点二五元", Slot("amount", currency="CNY"), [10_025]),
        ("五百日元", Slot("amount", currency="JPY"), [500]),
        ("后天", Slot("date"), ["2026-11-29"]),
        ("两个星期以后", Slot("date"), ["2026-12-11"]),
        ("三天后", Slot("date"), ["2026-11-30"]),
        ("下周三", Slot("date"), ["2026-12-02"]),
        ("下个星期天", Slot("date"), ["2026-12-06", "2026-11-29"]),
        ("这周五", Slot("date"), ["2026-11-27"]),
        ("三月四号", Slot("date"), ["2027-03-04"]),
        ("二零二八年二月二十九日", Slot("date"), ["2028-02-29"]),
        ("二零二七年二月二十九日", Slot("date"), []),
        ("二月三十号", Slot("date"), []),
        ("五号", Slot("date"), ["2026-12-05"]),
        ("下午三点半", Slot("time"), ["15:30"]),
        ("晚上十二点", Slot("time"), ["00:00"]),
        ("两点零五分", Slot("time"), ["14:05", "02:05"]),
        ("二十点一刻", Slot("time"), ["20:15"]),
        ("中午", Slot("time"), ["12:00"]),
        ("a b c", Slot("spelled", 3, 3), ["abc"]),
    ],
)
def test_what_is_said_and_meant(said: str, slot: Slot, expected: list[Value]) -> None:
    assert meant(said, slot) == expected


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("零", 0), ("两", 2), ("十", 10), ("十五", 15), ("二十", 20), ("一百一十", 110), ("一百零一", 101),
        ("一千零十", None), ("一千零一十", 1_010), ("一万零五", 10_005), ("两万三千", 23_000), ("十二万", 120_000),
        ("三百万零二十", 3_000_020), ("一亿零五", 100_000_005), ("两亿三千万", 230_000_000),
        ("一亿零三十万", 100_300_000), ("一百五", None),
    ],
)  # fmt: skip
def test_numbers(said: str, number: int | None) -> None:
    assert meant(said, Slot("number", 0, 999_999_999)) == ([] if number is None else [number])


@pytest.mark.parametrize(("low", "high"), [(5, 12), (99, 101), (995, 1_011), (9_990, 10_010)])
def test_ranges_are_exact(low: int, high: int) -> None:
    whole, part = Slot("number", 0, 20_000), Slot("number", low, high)
    said = ["五", "四", "十二", "十三", "九十九", "九十八", "一百", "一百零一", "一百零二", "九百九十五", "九百九十四",
            "一千零一十一", "一千零一十二", "九千九百九十",
            "九千九百八十九", "一万", "一万零一十", "一万零一十一"]  # fmt: skip
    for text in said:
        (number,) = meant(text, whole)
        assert isinstance(number, int)
        assert meant(text, part) == ([number] if low <= number <= high else []), text


def test_numbers_below_a_hundred_are_written() -> None:
    assert [slots_zh.written(one) for one in (0, 7, 10, 15, 20, 31)] == ["零", "七", "十", "十五", "二十", "三十一"]

"""How dates, times, durations, amounts, ordinals and texts are said in English, Mandarin and elsewhere."""

from __future__ import annotations

import pytest

from engine.dialplan import saying
from engine.dialplan.calendars import written
from engine.dialplan.reader import read_site
from engine.dialplan.types import KINDS
from tests.dialplan.site import STOCK, Caller, files_with, lines, site_of

# clip -> the word, for what is no number
WORDS = {
    "date/year": "年", "date/month": "月", "date/day": "日", "time/hour": "点", "time/minute": "分",
    "time/sharp": "整", "money/yuan": "元", "money/jiao": "角", "money/fen": "分", "money/euro": "欧元",
    "money/euro_cent": "欧分", "numbers/10": "十", "numbers/liang": "两", "numbers/hundred": "百",
    "numbers/thousand": "千", "ordinals/di": "第", "unit_days": "天", "unit_hour": "小时", "unit_hours": "小时",
    "unit_minute": "分钟", "unit_minutes": "分钟", "unit_second": "秒", "numbers/minus": "负",
    "weekdays/2": "星期二", **{f"numbers/{digit}": word for digit, word in enumerate("零一二三四五六七八九")},
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "clips"),
    [
        ("date", "2026-03-04", "months/3 ordinals/4 20 20 6"),
        ("date", "2005-12-31", "months/12 30 ordinals/1 2 thousand and 5"),
        ("weekday", "2026-03-10", "weekdays/2 months/3 ordinals/10"), ("weekday", "2026-02-30", ""),
        ("time", "08:00", "8 time/am"), ("time", "08:05", "8 time/oh 5 time/am"), ("time", "00:30", "12 30 time/am"),
        ("time", "12:00", "12 time/pm"), ("time", "23:59", "11 50 9 time/pm"),
        ("duration", 5_400_000, "1 unit_hour 30 unit_minutes"), ("duration", 61_000, "1 unit_minute 1 unit_second"),
        ("duration", 90_061_000, "1 unit_day 1 unit_hour"), ("duration", 0, "0 unit_seconds"),
        ("duration", 999, "0 unit_seconds"), ("duration", "45000", "40 5 unit_seconds"),
        ("money EUR", 1_250, "12 money/euros 50"), ("money EUR", 1_205, "12 money/euros and 5 money/cents"),
        ("money EUR", 100, "1 money/euro"), ("money EUR", 50, "50 money/cents"), ("money EUR", 0, "0 money/euros"),
        ("money GBP", 101, "1 money/pound and 1 money/penny"), ("money JPY", 1_200, "1 thousand 2 hundred money/yen"),
        ("money USD", -350, "minus 3 money/dollars 50"),
        ("money CZK", 1_205, "12 point 0 5 letters/c letters/z letters/k"),
        ("money CZK", 1_200, "12 letters/c letters/z letters/k"), ("ordinal", 21, "20 ordinals/1"),
        ("ordinal", "3", "ordinals/3"), ("ordinal", 0, "0"),
        ("spelled", "Ab-7 *", "letters/a letters/b digits/7 digits/star"), ("spelled", "é", ""),
        ("date", "", ""), ("time", "noon", ""), ("money EUR", "", ""),
    ],
)  # fmt: skip
def test_english(kind: str, value: str | int, clips: str) -> None:
    assert " ".join(saying.phrase(kind, value, "en")).replace("numbers/", "") == clips


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("date", "2026-03-04", "二零二六年三月四日"), ("date", "2026-12-22", "二零二六年十二月二十二日"),
        ("weekday", "2026-12-22", "星期二十二月二十二日"),
        ("time", "08:00", "八点整"), ("time", "02:05", "两点零五分"), ("time", "20:30", "二十点三十分"),
        ("duration", 7_200_000, "两小时"), ("duration", 61_000, "一分钟一秒"),
        ("money CNY", 1_250, "十二元五角"), ("money CNY", 1_205, "十二元零五分"), ("money CNY", 225, "两元两角五分"),
        ("money CNY", 5, "五分"), ("money EUR", 1_250, "十二欧元五十欧分"), ("ordinal", 21, "第二十一"),
        ("money CNY", -200, "负两元"),
    ],
)  # fmt: skip
def test_mandarin(kind: str, value: str | int, said: str) -> None:
    assert "".join(WORDS[name] for name in saying.phrase(kind, value, "zh")) == said


def test_another_language_goes_by_its_numbers() -> None:
    year = "numbers/zweitausendsechsundzwanzig"
    assert saying.phrase("date", "2026-03-04", "de") == ["numbers/vier", "months/3", year]
    assert saying.phrase("money EUR", 200, "de") == ["numbers/zwei", "letters/e", "letters/u", "letters/r"]
    assert saying.phrase("time", "08:30", "fr") == ["numbers/huit", "time/hour", "numbers/trente"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_that_can_be_said_has_only_stock_clips(language: str) -> None:
    said = [saying.phrase("date", written(day), language) for day in range(20_000, 20_800, 7)]
    said += [saying.phrase("weekday", written(day), language) for day in range(20_000, 20_400)]
    said += [saying.phrase("time", f"{minute // 60:02}:{minute % 60:02}", language) for minute in range(1_440)]
    said += [saying.phrase("duration", ms * 1_000, language) for ms in range(0, 400_000, 977)]
    coins = saying._GRAMMARS[language].coins
    said += [saying.phrase(f"money {code}", amount, language) for code in coins for amount in range(-300, 20_000, 7)]
    said += [saying.phrase("money SEK", amount, language) for amount in range(0, 500, 7)]
    said += [saying.phrase("spelled", "abcdefghijklmnopqrstuvwxyz0123456789*#", language)]
    missing = {name for names in said for name in names if f"{language}/{name}" not in STOCK}
    assert all(said) and not missing


def test_every_type_says_how_it_may_be_spoken() -> None:
    for kind in KINDS:
        assert saying.ways(kind) or kind == "flag"
        assert saying.natural(kind) in ("", *saying.ways(kind))


SPEAKS = lines(
    "ringdown: 1",
    "variables:",
    "  balance: money EUR = 12.50 EUR",
    "  due: date = 2026-03-04",
    "  code: text = ab1",
    "  place: number = 3",
    "flows:",
    "  main:",
    "    - answer",
    "    - say: $balance $due ${code as spelled} ${place as ordinal}",
    "    - tag: $balance until $due",
    "    - hangup: served",
)


def test_a_caller_hears_values_by_their_type_and_the_records_keep_them_readable() -> None:
    caller = Caller(site_of(SPEAKS))
    caller.answered()
    assert list(caller.last[-2].clips) == [  # type: ignore[union-attr]
        "en/numbers/12", "en/money/euros", "en/numbers/50", "en/months/3", "en/ordinals/4", "en/numbers/20",
        "en/numbers/20", "en/numbers/6", "en/letters/a", "en/letters/b", "en/digits/1", "en/ordinals/3",
    ]  # fmt: skip
    caller.played()
    assert caller.notes("tag") == ["12.50 EUR until 2026-03-04"]


@pytest.mark.parametrize(
    ("slot", "said"),
    [
        ("$code", "a text cannot be spoken"), ("${balance as ordinal}", "a money cannot be spoken as ordinal"),
        ("${due as money}", "a date cannot be spoken as money"),
        ("${place as words}", "a number cannot be spoken as words"),
        ("${place as verse}", "nothing is spoken as 'verse'"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_so(slot: str, said: str) -> None:
    text = SPEAKS.replace("$balance $due ${code as spelled} ${place as ordinal}", slot)
    _, findings = read_site(files_with({"dialplans/main.yaml": text}), STOCK)
    assert ("RD078", said) in [(each.code, each.message) for each in findings]

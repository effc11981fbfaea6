"""Dates, times, durations, amounts, ordinals and spelled texts as clip names: one grammar for each language.

English and Mandarin have their own; other languages go by `_Grammar`, whose order most of them share, with the words
of num2words. Names have no language before them; speaking finds the clips.
"""

from __future__ import annotations

from engine.dialplan import calendars, currencies
from engine.dialplan.numerals import number_clips, ordinal_clips, year_clips
from engine.dialplan.types import Value

KINDS = ("ordinal", "date", "weekday", "time", "duration", "money", "spelled")
# type of a value -> how it may be spoken, its own way first
WAYS: dict[str, tuple[str, ...]] = {
    "digits": ("digits", "number", "ordinal", "spelled"),
    "phone": ("digits", "spelled"),
    "number": ("number", "ordinal", "digits"),
    "duration": ("duration", "digits"),
    "money": ("money",),
    "date": ("date", "weekday"),
    "time": ("time",),
}
# of these only what is named after `as`
ASKED: dict[str, tuple[str, ...]] = {"text": ("words", "spelled", "digits"), "choice": ("words", "spelled", "digits")}
_KEYS = {"*": "digits/star", "#": "digits/hash"}
_DAY, _HOUR, _MINUTE, _SECOND = 86_400_000, 3_600_000, 60_000, 1_000


def natural(kind: str) -> str:
    """How a value of this type is spoken when a text doesn't say; '' when it cannot be."""
    return WAYS.get(kind, ("",))[0]


def ways(kind: str) -> tuple[str, ...]:
    """What may stand behind `as` for a value of this type."""
    return WAYS.get(kind) or ASKED.get(kind, ())


def phrase(kind: str, value: Value, language: str) -> list[str]:
    """The clip names that say `value` as `kind` (of KINDS; money as `money EUR`). [] for what is no such value."""
    word, _, code = kind.partition(" ")
    grammar = _GRAMMARS.get(language) or _Grammar(language)
    if word == "spelled":
        return [_letter(each) for each in str(value).lower() if each.isascii() and (each.isalnum() or each in _KEYS)]
    if word == "date":
        return grammar.date(str(value))
    if word == "weekday":
        return grammar.near(str(value))
    if word == "time":
        return grammar.time(str(value))
    number = _integer(value)
    if number is None:
        return []
    if word == "ordinal":
        return list(ordinal_clips(number, language)) or grammar.number(number)
    if word == "duration":
        return grammar.duration(max(0, number))
    return grammar.money(number, code)


def _letter(letter: str) -> str:
    return _KEYS.get(letter) or (f"digits/{letter}" if letter.isdigit() else f"letters/{letter}")


def _integer(value: Value) -> int | None:
    text = str(int(value)) if isinstance(value, bool) else str(value)
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else None


def _clock(text: str) -> tuple[int, int] | None:
    hours, colon, minutes = text.partition(":")
    if not colon or not (hours + minutes).isascii() or not hours.isdigit() or not minutes.isdigit():
        return None
    return int(hours), int(minutes)


class _Grammar:
    """What most languages share: the number, then its unit; day, month, year."""

    # code -> (one, many, one hundredth, many hundredths)
    coins: dict[str, tuple[str, str, str, str]] = {}

    def __init__(self, language: str) -> None:
        self.language = language

    def number(self, number: int) -> list[str]:
        return [f"numbers/{clip}" for clip in number_clips(number, self.language)]

    def count(self, number: int, one: str, many: str) -> list[str]:
        """So many of them."""
        return [*self.number(number), one if number == 1 else many]

    def date(self, text: str) -> list[str]:
        day = calendars.day_of(text)
        if day is None:
            return []
        year, month, of_month = (int(part) for part in text.split("-"))
        return self.day(year, month, of_month)

    def day(self, year: int, month: int, day: int) -> list[str]:
        return [*self.of_year(month, day), *self.year(year)]

    def of_year(self, month: int, day: int) -> list[str]:
        return [*self.number(day), f"months/{month}"]

    def near(self, text: str) -> list[str]:
        """A day of the coming months: whoever said "Tuesday" hears Tuesday, and which; no year."""
        day = calendars.day_of(text)
        if day is None:
            return []
        _, month, of_month = (int(part) for part in text.split("-"))
        return [f"weekdays/{calendars.weekday(day) + 1}", *self.of_year(month, of_month)]

    def year(self, year: int) -> list[str]:
        return [f"numbers/{clip}" for clip in year_clips(year, self.language)]

    def time(self, text: str) -> list[str]:
        clock = _clock(text)
        return [] if clock is None else self.moment(*clock)

    def moment(self, hour: int, minute: int) -> list[str]:
        return [*self.number(hour), "time/hour", *(self.number(minute) if minute else [])]

    def duration(self, ms: int) -> list[str]:
        """The two largest units that it has; below a second it is no time at all."""
        left, said = ms, []
        for scale, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (_SECOND, "second")):
            count, left = divmod(left, scale)
            if count:
                said.append(self.count(count, f"unit_{unit}", f"unit_{unit}s"))
        return [name for part in said[:2] for name in part] or self.count(0, "unit_second", "unit_seconds")

    def money(self, amount: int, code: str) -> list[str]:
        places = currencies.digits(code)
        whole, part = divmod(abs(amount), 10**places)
        said = ["numbers/minus"] if amount < 0 else []
        coins = self.coins.get(code)
        if coins is None:
            return [*said, *self.amount(whole, part, places), *(f"letters/{letter}" for letter in code.lower())]
        one, many, small, smalls = coins
        if whole or not part:
            said += self.count(whole, one, many)
        if part:
            said += self.change(part, small, smalls, alone=not whole)
        return said

    def amount(self, whole: int, part: int, places: int) -> list[str]:
        """An amount of a currency without a name of its own: 12.50."""
        digits = [f"numbers/{digit}" for digit in str(part).rjust(places, "0")] if part else []
        return [*self.number(whole), *(["numbers/point", *digits] if digits else [])]

    def change(self, part: int, small: str, smalls: str, *, alone: bool) -> list[str]:
        return self.count(part, small, smalls)


class _English(_Grammar):
    coins = {
        "EUR": ("money/euro", "money/euros", "money/cent", "money/cents"),
        "GBP": ("money/pound", "money/pounds", "money/penny", "money/pence"),
        **dict.fromkeys(("USD", "CAD", "AUD", "NZD", "SGD", "HKD"),
                        ("money/dollar", "money/dollars", "money/cent", "money/cents")),
        "CNY": ("money/yuan", "money/yuan", "money/fen", "money/fen"),
        "JPY": ("money/yen", "money/yen", "", ""),
        "INR": ("money/rupee", "money/rupees", "money/paisa", "money/paise"),
        "CHF": ("money/franc", "money/francs", "money/rappen", "money/rappen"),
    }  # fmt: skip

    def of_year(self, month: int, day: int) -> list[str]:
        return [f"months/{month}", *ordinal_clips(day, "en")]

    def moment(self, hour: int, minute: int) -> list[str]:
        """Eight thirty a m; eight oh five a m; twelve p m."""
        small = ["time/oh"] if 0 < minute < 10 else []
        minutes = [*small, *self.number(minute)] if minute else []
        return [*self.number(hour % 12 or 12), *minutes, "time/am" if hour < 12 else "time/pm"]

    def change(self, part: int, small: str, smalls: str, *, alone: bool) -> list[str]:
        """Twelve euros fifty; twelve euros and five cents; fifty cents."""
        if alone:
            return self.count(part, small, smalls)
        return self.number(part) if part >= 10 else ["numbers/and", *self.count(part, small, smalls)]


class _Mandarin(_Grammar):
    coins = {
        "EUR": ("money/euro", "money/euro", "money/euro_cent", "money/euro_cent"),
        "USD": ("money/dollar", "money/dollar", "money/cent", "money/cent"),
        "GBP": ("money/pound", "money/pound", "money/penny", "money/penny"),
        "HKD": ("money/hk_dollar", "money/hk_dollar", "money/fen", "money/fen"),
        "CNY": ("money/yuan", "money/yuan", "money/fen", "money/fen"),
        "JPY": ("money/yen", "money/yen", "", ""),
    }  # fmt: skip

    def count(self, number: int, one: str, many: str) -> list[str]:
        """Before a measure word two is 两."""
        return [*(["numbers/liang"] if number == 2 else self.number(number)), one]

    def day(self, year: int, month: int, day: int) -> list[str]:
        return [*self.year(year), "date/year", *self.of_year(month, day)]

    def of_year(self, month: int, day: int) -> list[str]:
        return [*self.number(month), "date/month", *self.number(day), "date/day"]

    def moment(self, hour: int, minute: int) -> list[str]:
        """八点整; 八点零五分; 二十点三十分."""
        if not minute:
            return [*self.count(hour, "time/hour", ""), "time/sharp"]
        zero = ["numbers/0"] if minute < 10 else []
        return [*self.count(hour, "time/hour", ""), *zero, *self.number(minute), "time/minute"]

    def change(self, part: int, small: str, smalls: str, *, alone: bool) -> list[str]:
        """Tenths of a yuan are 角."""
        if small != "money/fen":
            return self.count(part, small, small)
        tenths, hundredths = divmod(part, 10)
        said = self.count(tenths, "money/jiao", "") if tenths else [] if alone else ["numbers/0"]
        return said + (self.count(hundredths, "money/fen", "") if hundredths else [])


_GRAMMARS: dict[str, _Grammar] = {"en": _English("en"), "zh": _Mandarin("zh")}

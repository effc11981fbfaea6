"""How Mandarin says the values of the built-in slots. Every character is a word; tags as in `speech.slot_values`."""

from __future__ import annotations

from collections.abc import Iterable

from engine.speech.grammar import Slot
from engine.speech.net import Net
from engine.speech.ranges import parts
from engine.speech.slot_values import bounds

DIGITS = "零一二三四五六七八九"
WEEKDAYS = "一二三四五六"
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
YES = ("是", "是的", "对", "对的", "没错", "正确", "好", "好的", "可以", "行", "嗯")
NO = ("不", "不是", "不对", "错", "错了", "不是的", "不要", "不行", "没有", "不可以")
_MONEY = {
    "CNY": ("元", "块", "块钱", "元钱"),
    "USD": ("美元", "美金", "块", "元"),
    "EUR": ("欧元",),
    "GBP": ("英镑",),
    "JPY": ("日元",),
    "HKD": ("港元", "港币", "块", "元"),
    "TWD": ("元", "块", "块钱"),
    "SGD": ("新元", "块", "元"),
}
LEADING = ("(请|请问|嗯|呃|那个|你好|麻烦)", "(我|帮我|给我) [(要|想|想要|需要|查|找)]", "(要|想|是)")
TRAILING = ("(谢谢|吧|好吗|可以吗|谢谢你)",)
BETWEEN = ("(和|还有|然后|再|嗯)",)
_HALVES = (
    ("早上", "am"), ("上午", "am"), ("凌晨", "am"), ("中午", "pm"), ("下午", "pm"), ("傍晚", "pm"), ("晚上", "night"),
    ("夜里", "night"),
)  # fmt: skip


def _say(net: Net, source: int, text: str, target: int, tag: str = "") -> None:
    """Every character of a text."""
    net.words(source, " ".join(text), target, tag)


def _any(net: Net, source: int, target: int, texts: Iterable[str], tag: str = "") -> None:
    for text in texts:
        _say(net, source, text, target, tag)


class Numbers:
    """Whole numbers drawn towards one target, parts that are equal drawn once."""

    def __init__(self, net: Net, target: int) -> None:
        self.net, self.target = net, target
        self._known: dict[tuple[int, int, int, int, bool, bool], int] = {}

    def draw(self, source: int, low: int, high: int) -> None:
        """`low`…`high`, both from 0 to 999,999,999."""
        if low == 0:
            self.net.say(source, DIGITS[0], self.target, "+0")
        if high > 0:
            self.net.pass_by(source, self.entry(max(1, low), high, self.target, 100_000_000, False, False))

    def entry(self, low: int, high: int, target: int, scale: int, gap: bool, begun: bool) -> int:
        """A node from which every number of the range leads to `target`; 0 leads there in silence.

        `begun`: something of the number stands before; `gap`: and the places between were nought, which is said once.
        """
        key = (low, high, target, scale, gap, begun)
        if key not in self._known:
            self._known[key] = node = self.net.node()
            for first, last, rest_low, rest_high in parts(low, high, scale):
                smaller = 10_000 if scale > 10_000 else scale // 10
                if last == 0:
                    skipped = begun and (gap or scale <= 1_000)
                    rest = target if scale == 1 else self.entry(rest_low, rest_high, target, smaller, skipped, begun)
                    self.net.pass_by(node, rest)
                    continue
                rest = target if scale == 1 else self.entry(rest_low, rest_high, target, smaller, False, True)
                if scale > 1_000:
                    scaled = self.net.node()
                    self.net.say(scaled, "亿" if scale > 10_000 else "万", rest, f"*{scale}")
                    self.net.pass_by(node, self.entry(first, last, scaled, 1_000, gap, begun))
                else:
                    self._digits(node, first, last, rest, scale, gap, begun)
        return self._known[key]

    def _digits(self, node: int, first: int, last: int, rest: int, scale: int, gap: bool, begun: bool) -> None:
        """The digits of one place of a number, with the name of the place."""
        if gap:
            self.net.say(node, DIGITS[0], ahead := self.net.node())
            node = ahead
        placed = rest
        if scale > 1:
            placed = self.net.node()
            self.net.say(placed, {1_000: "千", 100: "百", 10: "十"}[scale], rest, f"^{scale}")
        for digit in range(first, last + 1):
            self.net.say(node, DIGITS[digit], placed, f"+{digit}")
            if digit == 2 and (scale >= 100 or (scale == 1 and not begun)):
                self.net.say(node, "两", placed, "+2")
            if digit == 1 and scale == 10 and not begun:
                self.net.pass_by(node, placed)  # ten to nineteen


def yes_no(net: Net, source: int, target: int, slot: Slot) -> None:
    """Consent or refusal."""
    _any(net, source, target, YES, "yes")
    _any(net, source, target, NO, "no")


def _digit(net: Net, source: int, target: int) -> None:
    for value, sign in enumerate(DIGITS):
        net.say(source, sign, target, str(value))
    net.say(source, "幺", target, "1")


def digits(net: Net, source: int, target: int, slot: Slot) -> None:
    """A string of digits, one by one; one may be said as yāo."""
    net.counted(source, target, slot.low, slot.high, _digit, {})


def number(net: Net, source: int, target: int, slot: Slot) -> None:
    """A whole number of the slot's range."""
    low, high = bounds(slot)
    if low < 0:
        below = net.node()
        net.say(source, "负", below, "-")
        Numbers(net, target).draw(below, max(1, -high), -low)
    if high >= 0:
        Numbers(net, target).draw(source, max(0, low), high)


def amount(net: Net, source: int, target: int, slot: Slot, places: int) -> None:
    """An amount; the slot's range counts whole units of the currency."""
    low, high = bounds(slot)
    names = _MONEY.get(slot.currency, ("元", "块"))
    whole, united = net.node(), net.node()
    Numbers(net, whole).draw(source, low, high)
    net.pass_by(whole, target)
    _any(net, whole, united, names)
    net.pass_by(united, target)
    if places != 2:
        return
    entries = [united]
    if low == 0:
        entries.append(source)
    for entry in entries:
        tenths, hundredths, after = net.node(), net.node(), net.node()
        net.pass_by(entry, tenths, ".")
        net.pass_by(entry, hundredths, ".")
        if entry == united:
            net.say(hundredths, DIGITS[0], hundredths := net.node())
        for digit in range(1, 10):
            net.say(tenths, DIGITS[digit], named := net.node(), f"+{digit}")
            _any(net, named, after, "角毛", "^10")
            net.say(hundredths, DIGITS[digit], only := net.node(), f"+{digit}")
            _any(net, only, target, "分")
            if entry == united:
                net.pass_by(named, target, "^10")  # twelve kuai five
            net.say(after, DIGITS[digit], last := net.node(), f"+{digit}")
            net.pass_by(last, target)
            net.say(last, "分", target)
        net.pass_by(after, target)
    net.say(whole, "点", point := net.node(), "p")
    _digit(net, point, pointed := net.node())
    _digit(net, pointed, ending := net.node())
    for end in (pointed, ending):
        net.pass_by(end, target)
        _any(net, end, target, names)


def written(number_: int) -> str:
    """A number below a hundred in characters."""
    tens, units = divmod(number_, 10)
    head = ("" if tens == 1 else DIGITS[tens]) + "十" if tens else ""
    return head + (DIGITS[units] if units or not tens else "")


def date(net: Net, source: int, target: int, slot: Slot) -> None:
    """A day: by name, counted from today, a weekday, or of the calendar, with or without its year."""
    for text, tag in (("昨天", "+-1"), ("今天", "+0"), ("明天", "+1"), ("后天", "+2"), ("大后天", "+3")):
        _say(net, source, text, target, tag)
    days, weeks = net.node(), net.node()
    for count in range(1, 31):
        _say(net, source, written(count), days, f"+{count}")
        if count <= 12:
            _say(net, source, written(count), weeks, f"+{7 * count}")
    for entry, double in ((days, 2), (weeks, 14)):
        net.say(source, "两", entry, f"+{double}")
    _any(net, days, later := net.node(), ("天",))
    _any(net, weeks, later, ("周", "个星期", "个礼拜"))
    _any(net, later, target, ("后", "以后", "之后"))
    week, named = net.node(), net.node()
    net.pass_by(source, week)
    _any(net, source, week, ("这", "这个", "本"), "this")
    _any(net, source, week, ("下", "下个"), "next")
    _any(net, week, named, ("周", "星期", "礼拜"))
    for index, sign in enumerate(WEEKDAYS):
        net.say(named, sign, target, f"W{index}")
    _any(net, named, target, "日天", "W6")
    dated = net.node()
    net.pass_by(source, dated)
    _year(net, source, dated)
    numbered = net.node()
    _any(net, numbered, target, "号日")
    for last in (29, 30, 31):
        month = net.node()
        for index in range(12):
            if MONTH_DAYS[index] == last:
                _say(net, dated, written(index + 1), month, f"M{index + 1}")
        net.say(month, "月", day := net.node())
        for count in range(1, last + 1):
            _say(net, day, written(count), numbered, f"D{count}")
    for count in range(1, 32):
        _say(net, source, written(count), numbered, f"D{count}")


def _year(net: Net, source: int, target: int) -> None:
    """1900 to 2099, digit by digit."""
    tens = net.node()
    _say(net, source, "一九", tens, "Y1900")
    for zero in "零〇":
        _say(net, source, f"二{zero}", tens, "Y2000")
    units, ending = net.node(), net.node()
    for value, sign in enumerate(DIGITS):
        net.say(tens, sign, units, f"Y{value * 10}")
        net.say(units, sign, ending, f"Y{value}")
    net.say(ending, "年", target)


def time(net: Net, source: int, target: int, slot: Slot) -> None:
    """A time of the day: by twelve hours with the part of the day, or by twenty-four."""
    begun, clock = net.node(), net.node()
    net.pass_by(source, begun)
    for text, tag in _HALVES:
        _say(net, source, text, begun, tag)
    _any(net, source, target, ("中午", "正午"), "noon")
    _any(net, source, target, ("午夜", "半夜"), "midnight")
    for hour in range(25):
        tag = f"h{hour % 24}" if hour != 24 else "h100"
        _say(net, begun, written(hour), clock, tag)
    net.say(begun, "两", clock, "h2")
    _any(net, clock, pointed := net.node(), ("点", "点钟", "点整"))
    net.pass_by(pointed, target)
    for text, tag in (("半", "m30"), ("一刻", "m15"), ("三刻", "m45")):
        _say(net, pointed, text, target, tag)
    for minute in range(1, 60):
        zero = "零" if minute < 10 else ""
        _say(net, pointed, zero + written(minute), counted := net.node(), f"m{minute}")
        net.pass_by(counted, target)
        net.say(counted, "分", target)
        if minute < 10:
            _say(net, pointed, f"{written(minute)}分", target, f"m{minute}")


def _letter(net: Net, source: int, target: int) -> None:
    for letter in "abcdefghijklmnopqrstuvwxyz":
        net.say(source, f"{letter}.", target, letter)


def spelled(net: Net, source: int, target: int, slot: Slot) -> None:
    """Letters one by one, by their English names."""
    net.counted(source, target, slot.low, slot.high, _letter, {})

"""How English says the values of the built-in slots: word nets whose tags `speech.slot_values` understands.

Ranges are exact: of `number 1..12` thirteen can't be said. A word with dots, as `a.m.`, is said by its letters' names
and written without them.
"""

from __future__ import annotations

from engine.speech.grammar import Slot
from engine.speech.net import Net
from engine.speech.ranges import parts
from engine.speech.slot_values import bounds

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
MONTHS = "january february march april may june july august september october november december".split()
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
REPEATS = {"double": 2, "triple": 3}
YES = (
    "yes", "yeah", "yep", "yup", "correct", "right", "sure", "okay", "of course", "absolutely", "yes it is", "it is",
    "that's right", "that's correct", "that is right", "that is correct", "yes that's right", "yes that's correct",
)  # fmt: skip
NO = (
    "no", "nope", "nah", "wrong", "incorrect", "not right", "not correct", "no it isn't", "no it's not", "it isn't",
    "that's wrong", "that's not right", "that's not correct", "no that's wrong", "no that's not right",
)  # fmt: skip
ALPHABET = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey xray yankee zulu"
).split()
AS_IN = (
    "apple adam able", "boy bob baker", "cat charles", "dog david", "easy edward", "frank fox father", "george",
    "henry harry", "ida igloo item", "john jack", "king kite", "love larry lion", "mary mother", "nancy nora", "ocean",
    "peter paul", "queen", "robert roger", "sam sugar", "tom thomas", "umbrella uncle", "william water", "x-ray",
    "young yellow", "zebra",
)  # fmt: skip
MONEY = {  # how a unit and its hundredth are said, by currency
    **dict.fromkeys("USD CAD AUD NZD SGD HKD TWD".split(), ("dollar dollars buck bucks", "cent cents")),
    "EUR": ("euro euros", "cent cents"),
    **dict.fromkeys("GBP EGP".split(), ("pound pounds quid", "penny pence p.")),
    "CHF": ("franc francs", "centime centimes"),
    **dict.fromkeys("SEK NOK DKK CZK".split(), ("crown crowns krona kronor kroner", "")),
    **dict.fromkeys("INR PKR".split(), ("rupee rupees", "paisa paise")),
    "JPY": ("yen", ""),
    "CNY": ("yuan", ""),
    "KRW": ("won", ""),
    "PLN": ("zloty zlotys", ""),
    "ZAR": ("rand", "cent cents"),
    **dict.fromkeys("MXN PHP ARS CLP COP".split(), ("peso pesos", "")),
    "BRL": ("real reais", "centavo centavos"),
}
LEADING = (  # in the notation of phrases; each begins with a word that must be said
    "(um|uh|er|well|okay|hello|hi|please|to)",
    "(i'd|i would) like [to [(speak|talk) (to|with)|have|make]]",
    "i (want|need) [to [(speak|talk) (to|with)|have|make]]",
    "(can|could|may) i [(have|get|speak to|talk to)]",
    "(speak|talk) (to|with)",
    "(give me|let me|get me|put me through to|connect me (to|with))",
    "(it's|it is|that's|that is|that would be)",
)
TRAILING = ("please", "thanks", "thank you", "if you (can|could)")
BETWEEN = ("(and|also|please|um|uh)",)


class Numbers:
    """Whole numbers drawn towards one target, parts that are equal drawn once."""

    def __init__(self, net: Net, target: int) -> None:
        self.net, self.target = net, target
        self._known: dict[tuple[int, int, int, int], int] = {}

    def draw(self, source: int, low: int, high: int) -> None:
        """`low`…`high`, both from 0 to 999,999,999."""
        if low == 0:
            self.net.say(source, SMALL[0], self.target, "+0")
        if high > 0:
            self.net.pass_by(source, self.entry(max(1, low), high, self.target, 1_000_000))

    def entry(self, low: int, high: int, target: int, scale: int) -> int:
        """A node from which every number of the range leads to `target`; 0 leads there in silence."""
        key = (low, high, target, scale)
        if key not in self._known:
            self._known[key] = node = self.net.node()
            if low == 0:
                self.net.pass_by(node, target)
                low = 1
            if low <= high:
                self._groups(node, low, high, target, scale) if scale > 1 else self._hundreds(node, low, high, target)
        return self._known[key]

    def _groups(self, node: int, low: int, high: int, target: int, scale: int) -> None:
        """Numbers up to 999 of a scale (a million, a thousand), each followed by a rest below it."""
        for first, last, rest_low, rest_high in parts(low, high, scale):
            rest = self.entry(rest_low, rest_high, target, scale // 1_000)
            if last == 0:
                self.net.pass_by(node, rest)
                continue
            scaled = self.net.node()
            name = {1_000: "thousand", 1_000_000: "million"}[scale]
            self.net.say(scaled, name, rest, f"*{scale}")
            if rest_low == 0 and rest_high:
                ahead = self.net.node()  # "two thousand and five": only before less than a hundred
                self.net.say(scaled, name, ahead, f"*{scale}")
                self.net.say(ahead, "and", self.entry(1, min(99, rest_high), target, 1))
            self.net.pass_by(node, self.entry(first, last, scaled, 1))
            if first == 1:
                self.net.say(node, "a", scaled, "+1")

    def _hundreds(self, node: int, low: int, high: int, target: int) -> None:
        for first, last, rest_low, rest_high in parts(low, high, 100):
            if last == 0:
                two_digits(self.net, node, target, rest_low, rest_high)
                continue
            said, rest = self.net.node(), self.net.node()
            for hundred in range(first, last + 1):
                self.net.say(node, SMALL[hundred], said, f"+{hundred}")
            if first == 1:
                self.net.say(node, "a", said, "+1")
            self.net.say(said, "hundred", rest, "^100")
            if rest_low == 0:
                self.net.pass_by(rest, target)
            if rest_high:
                joined = self.entry(max(1, rest_low), rest_high, target, 1)
                self.net.pass_by(rest, joined)
                self.net.say(rest, "and", joined)


def two_digits(net: Net, source: int, target: int, low: int, high: int, sign: str = "+") -> None:
    """Numbers from 1 to 99 of a range; tags are `sign` and the number that a word adds."""
    for number in range(max(1, low), min(high, 19) + 1):
        net.say(source, SMALL[number], target, f"{sign}{number}")
    for ten, word in TENS.items():
        if low <= ten <= high:
            net.say(source, word, target, f"{sign}{ten}")
        units = [unit for unit in range(1, 10) if low <= ten + unit <= high]
        if units:
            said = net.node()
            net.say(source, word, said, f"{sign}{ten}")
            for unit in units:
                net.say(said, SMALL[unit], target, f"{sign}{unit}")


def yes_no(net: Net, source: int, target: int, slot: Slot) -> None:
    """Consent or refusal."""
    net.any_of(source, target, [*((text, "yes") for text in YES), *((text, "no") for text in NO)])


def _digit(net: Net, source: int, target: int) -> None:
    for value in range(10):
        net.say(source, SMALL[value], target, str(value))
    net.say(source, "oh", target, "0")


def digits(net: Net, source: int, target: int, slot: Slot) -> None:
    """A string of digits, one by one, with "oh" for zero, "double" and "triple"."""
    net.counted(source, target, slot.low, slot.high, _digit, REPEATS)


def number(net: Net, source: int, target: int, slot: Slot) -> None:
    """A whole number of the slot's range."""
    low, high = bounds(slot)
    if low < 0:
        below = net.node()
        for word in ("minus", "negative"):
            net.say(source, word, below, "-")
        Numbers(net, target).draw(below, max(1, -high), -low)
    if high >= 0:
        Numbers(net, target).draw(source, max(0, low), high)


def amount(net: Net, source: int, target: int, slot: Slot, places: int) -> None:
    """An amount; the slot's range counts whole units of the currency."""
    low, high = bounds(slot)
    major, minor = (names.split() for names in MONEY.get(slot.currency, ("", "")))
    whole, united = net.node(), net.node()
    Numbers(net, whole).draw(source, low, high)
    net.pass_by(whole, target)
    for name in major:
        net.say(whole, name, united)
        if low <= 1 <= high and name in ("dollar", "euro", "pound"):
            net.words(source, f"a {name}", united, "+1")
    net.pass_by(united, target)
    if places != 2:
        return
    cents, more, loose, point = net.node(), net.node(), net.node(), net.node()
    net.pass_by(united, more, ".")
    net.say(united, "and", more, ".")
    two_digits(net, more, cents, 1, 99)
    net.pass_by(cents, target)
    for name in minor:
        net.say(cents, name, target)
        if low == 0:
            alone = net.node()
            two_digits(net, alone, only := net.node(), 1, 99)
            net.pass_by(source, alone, ".")
            net.say(only, name, target)
    net.pass_by(whole, loose, ".")  # "twelve fifty"
    two_digits(net, loose, target, 10, 99)
    net.say(loose, "oh", ahead := net.node())
    two_digits(net, ahead, target, 1, 9)
    net.say(whole, "point", point, "p")
    pointed = net.node()
    _digit(net, point, pointed)
    _digit(net, pointed, ending := net.node())
    for end in (pointed, ending):
        net.pass_by(end, target)
        for name in major:
            net.say(end, name, target)


def _day(net: Net, source: int, target: int, last: int, ordinal: bool) -> None:
    """A day of the month up to `last`, as an ordinal or a plain number."""
    for day in range(1, last + 1):
        if not ordinal:
            words = SMALL[day] if day < 20 else TENS[day // 10 * 10] + (f" {SMALL[day % 10]}" if day % 10 else "")
        elif day <= 20 or day == 30:
            words = ORDINALS[day - 1] if day <= 20 else "thirtieth"
        else:
            words = f"{TENS[day // 10 * 10]} {ORDINALS[day % 10 - 1]}"
        net.words(source, words, target, f"D{day}")


def _year(net: Net, source: int, target: int) -> None:
    """1900 to 2099: nineteen eighty four, twenty twenty six, two thousand [and] six, twenty oh six."""
    rest = net.node()
    net.say(source, "nineteen", rest, "Y1900")
    net.say(source, "twenty", rest, "Y2000")
    two_digits(net, rest, target, 10, 99, "Y")
    net.say(rest, "oh", single := net.node())
    two_digits(net, single, target, 1, 9, "Y")
    net.words(source, "nineteen hundred", target, "Y1900")
    net.words(source, "two thousand", target, "Y2000")
    net.words(source, "two thousand", thousands := net.node(), "Y2000")
    net.say(thousands, "and", counted := net.node())
    net.pass_by(thousands, counted)
    two_digits(net, counted, target, 1, 99, "Y")


def date(net: Net, source: int, target: int, slot: Slot) -> None:
    """A day: by name, counted from today, or of the calendar, with or without its year."""
    begun, ending = net.node(), net.node()
    net.pass_by(source, begun)
    net.say(source, "on", begun)
    net.pass_by(ending, target)
    for text, tag in (("today", "+0"), ("tomorrow", "+1"), ("yesterday", "+-1"), ("day after tomorrow", "+2")):
        net.words(source, text, target, tag)
    net.words(source, "the day after tomorrow", target, "+2")
    _ahead(net, source, target)
    weekday, named = net.node(), net.node()
    for word, tag in (("", ""), ("this", "this"), ("coming", "this"), ("next", "next")):
        net.say(begun, word, weekday, tag) if word else net.pass_by(begun, weekday)
    for index, name in enumerate(WEEKDAYS):
        net.say(weekday, name, target, f"W{index}")
        net.say(begun, name, named, f"W{index}")
    dated, yearly = net.node(), net.node()  # yearly: "two june" is "Tuesday" in noise, so its year must be said
    net.pass_by(begun, dated)
    net.pass_by(named, dated)
    for last in (29, 30, 31):
        months = [index for index in range(12) if MONTH_DAYS[index] == last]
        said, before, month_of, plain, bare = net.node(), net.node(), net.node(), net.node(), net.node()
        for index in months:
            net.say(dated, MONTHS[index], said, f"M{index + 1}")
            net.say(month_of, MONTHS[index], ending, f"M{index + 1}")
            net.say(bare, MONTHS[index], yearly, f"M{index + 1}")
        net.pass_by(said, plain)
        net.say(said, "the", plain)
        _day(net, plain, ending, last, ordinal=True)
        _day(net, said, ending, last, ordinal=False)
        _day(net, dated, bare, last, ordinal=False)
        net.pass_by(dated, before)
        net.say(dated, "the", before)
        _day(net, before, gone := net.node(), last, ordinal=True)
        net.pass_by(gone, month_of)
        net.say(gone, "of", month_of)
    net.say(dated, "the", only := net.node())
    _day(net, only, target, 31, ordinal=True)
    _year(net, ending, target)
    _year(net, yearly, target)


def _ahead(net: Net, source: int, target: int) -> None:
    """In three days, two weeks from today."""
    net.say(source, "in", inner := net.node())
    for unit, times, most in (("day", 1, 30), ("week", 7, 12)):
        counted = net.node()
        for entry, after in ((inner, target), (source, counted)):
            several, one = net.node(), net.node()
            for number_ in range(1, most + 1):
                tens, units = divmod(number_, 10)
                words = SMALL[number_] if number_ < 20 else TENS[tens * 10] + (f" {SMALL[units]}" if units else "")
                net.words(entry, words, one if number_ == 1 else several, f"+{number_ * times}")
            net.say(entry, "a", one, f"+{times}")
            net.say(one, unit, after)
            net.say(several, f"{unit}s", after)
        net.any_of(counted, target, [("from today", ""), ("from now", "")])


def time(net: Net, source: int, target: int, slot: Slot) -> None:
    """A time of the day: by twelve or twenty-four hours, "half past", "quarter to", noon and midnight."""
    begun, clock = net.node(), net.node()
    net.pass_by(source, begun)
    net.say(source, "at", begun)
    net.any_of(begun, target, [("noon", "noon"), ("midday", "noon"), ("midnight", "midnight")])
    for hour in range(1, 13):
        net.say(begun, SMALL[hour], clock, f"h{hour}")
    plain, minuted = net.node(), net.node()
    net.pass_by(clock, plain)
    net.say(clock, "o'clock", plain)
    two_digits(net, clock, minuted, 10, 59, "m")
    net.say(clock, "oh", single := net.node())
    two_digits(net, single, minuted, 1, 9, "m")
    half = net.node()
    for entry in (plain, minuted, half):
        net.pass_by(entry, target)
        net.any_of(entry, target, _HALVES)
    later = net.node()
    for hour in range(13, 24):
        words = SMALL[hour] if hour < 20 else TENS[20] + (f" {SMALL[hour - 20]}" if hour > 20 else "")
        net.words(begun, words, later, f"h{hour}")
    net.say(begun, "oh", zero := net.node())
    net.say(begun, "zero", zero)
    for hour in range(1, 10):
        net.say(zero, SMALL[hour], later, f"h{hour + 100}")  # with a nought before it, it counts to 24
    net.any_of(later, target, [("o'clock", ""), ("hundred", ""), ("hundred hours", ""), ("thirty hours", "m30")])
    net.say(later, "oh", few := net.node())
    two_digits(net, few, target, 1, 9, "m")
    two_digits(net, later, target, 10, 59, "m")
    past, to = net.node(), net.node()
    net.words(begun, "half past", past, "m30")
    quarter = net.node()
    for words in ("quarter", "a quarter", "five", "five minutes", "ten", "ten minutes", "twenty", "twenty minutes",
                  "twenty five", "twenty five minutes"):  # fmt: skip
        minute = {"quarter": 15, "a": 15, "five": 5, "ten": 10, "twenty": 20}[words.split()[0]]
        minute += 5 if words.startswith("twenty five") else 0
        net.words(begun, words, quarter_ := net.node(), f"m{minute}")
        net.pass_by(quarter_, quarter)
    net.any_of(quarter, past, [("past", ""), ("after", "")])
    net.any_of(quarter, to, [("to", "to"), ("before", "to")])
    for hour in range(1, 13):
        net.say(past, SMALL[hour], half, f"h{hour}")
        net.say(to, SMALL[hour], half, f"h{hour}")


_HALVES = (
    ("a.m.", "am"), ("p.m.", "pm"), ("a. m.", "am"), ("p. m.", "pm"), ("in the morning", "am"),
    ("in the afternoon", "pm"), ("in the evening", "pm"), ("at night", "night"), ("tonight", "night"),
)  # fmt: skip


def _letter(net: Net, source: int, target: int) -> None:
    for index, call_sign in enumerate(ALPHABET):
        letter = chr(ord("a") + index)
        net.say(source, f"{letter}.", target, letter)
        net.say(source, call_sign, target, letter)
        net.say(source, f"{letter}.", said := net.node(), letter)
        example = net.node()
        net.any_of(said, example, [("as in", ""), ("for", ""), ("like", "")])
        names = (call_sign, *(word for words in AS_IN for word in words.split() if word[0] == letter))
        net.any_of(example, target, [(name.replace("-", ""), "") for name in dict.fromkeys(names)])
    net.say(source, "zed", target, "z")


def spelled(net: Net, source: int, target: int, slot: Slot) -> None:
    """Letters one by one, by name, by the radio alphabet, or "a as in apple"."""
    net.counted(source, target, slot.low, slot.high, _letter, REPEATS)



"""What the synthetic voices say: menu words, phrases, digit strings, orders, dates, and any words at all.

A model that only ever heard menus rejects nothing, so a third of the texts are words drawn by how common they are.
Everything is drawn from one seeded source: the same seed gives the same corpus.
"""

from __future__ import annotations

import lzma
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

Pronunciations = Mapping[str, Sequence[tuple[str, ...]]]

DIGITS = "zero one two three four five six seven eight nine".split()
SPOKEN_DIGITS = [*DIGITS, "oh"]

# The menu of the measurements in reference speech.md §2; the evaluation asks for these.
PHRASES = (
    "yes|no|sales|support|billing|operator|help|repeat|cancel|agent|main menu|go back|check balance|make a payment|"
    "account information|technical support|customer service|speak to an agent|opening hours|new order|order status|"
    "transfer me|goodbye|representative|continue"
).split("|")

FOREIGN = (
    "the weather is really nice today|i would like a large pizza with mushrooms|"
    "my dog ran across the street this morning|can you hear me now|"
    "please hold the line for a moment my wife is calling|what time does the train to london leave|"
    "the quick brown fox jumps over the lazy dog|i left my umbrella in the taxi|um i am not really sure|potato|"
    "elephant|wonderful|mississippi|let me think about that|they painted the old house green last summer|"
    "thank you very much indeed|who is this|somebody told me about it yesterday"
).split("|")

DEVELOPMENT_FOREIGN = (
    "we are thinking about moving the garden shed|did you see the match on sunday night|hippopotamus|"
    "she has never been to scotland before|there is a strange noise in the cellar|turn the radio down please|"
    "my neighbour grows tomatoes on the balcony|what a surprise|carpenter|nobody knows how long it will take|"
    "the children are asleep upstairs|umbrella"
).split("|")

MENU_WORDS = """
yes yeah yep no nope sales support billing operator help repeat cancel agent main menu go back check balance make
payment account information technical customer service speak to an opening hours new order status transfer me goodbye
representative continue stop start next previous exit hold callback voicemail password pound star hash english spanish
chinese french okay correct wrong right left front center rear side reception accounts shipping delivery returns refund
complaint manager appointment reservation booking confirm change delete save listen replay skip quit hello thanks please
more options card credit debit lost stolen report number phone address email directory department office human resources
engineering marketing finance emergency doctor nurse pharmacy prescription ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand monday
tuesday wednesday thursday friday saturday sunday january february march april may june july august september october
november december today tomorrow yesterday morning afternoon evening double triple dot dash at point first second third
fourth fifth noon midnight half quarter past o'clock week month year day dollars cents pounds percent minus plus alpha
bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike oscar papa quebec romeo sierra tango uniform
victor whiskey yankee zulu person someone human somebody nothing everything repairs orders parcel invoice tariff
contract internet telephone line mobile router fault outage engineer visit open close busy free early late evening
kitchen bedroom light lights on off up down red green blue black white yellow small medium large big little hot cold
coffee tea water milk sugar cream latte espresso mocha roast shot regular extra
""".split()

LETTERS = "a b c d e f g h i j k l m n o p q r s t u v w x y z".split()
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = "january february march april may june july august september october november december".split()
ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
OPENERS = ["", "", "", "i want", "i'd like", "can i have", "could i get", "i would like to have", "give me", "please",
           "may i get", "can you get me", "make me", "i need"]  # fmt: skip
CLOSERS = ["", "", "", "", "please", "thanks", "thank you", "now"]
SIZES = "small medium large big double triple single regular extra".split()
DRINKS = "coffee tea latte espresso mocha cappuccino americano chocolate water juice pizza sandwich salad soup".split()
ADDITIONS = ["milk", "sugar", "cream", "a little bit of sugar", "some milk", "a lot of cream", "two sugars", "no sugar",
             "brown sugar", "soy milk", "almond milk", "skim milk", "cinnamon", "ice"]  # fmt: skip
ROASTS = ["dark roast", "light roast", "medium roast", "hot", "iced", "decaf", "with double shot"]


def read_words(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """The dictionary `words.txt.xz`: word → its pronunciations, phones without stress, in the file's order."""
    words: dict[str, list[tuple[str, ...]]] = {}
    for number, line in enumerate(lzma.decompress(path.read_bytes()).decode().splitlines(), 1):
        word, tab, phones = line.partition("\t")
        if not tab or not phones:
            raise ValueError(f"{path}:{number}: expected WORD<TAB>PHONES, found {line!r}")
        words.setdefault(word, []).append(tuple(phones.split()))
    return words


def number_below_hundred(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(DIGITS[1:])
    if kind < 0.6:
        return chance.choice(TEENS)
    return " ".join([chance.choice(TENS), chance.choice(["", *DIGITS[1:]])]).strip()


def digit_string(chance: random.Random, low: int = 2, high: int = 10) -> str:
    """`low` to `high` words (one more at most) as callers say digits: "oh" for zero, "double five" now and then, and
    runs of one digit."""
    length, said, last = chance.randint(low, high), list[str](), ""
    while len(said) < length:
        digit = last if last and chance.random() < 0.08 else chance.choice(SPOKEN_DIGITS)
        if chance.random() < 0.03:
            said.append(chance.choice(["double", "triple"]))
        said.append(digit)
        last = digit
    return " ".join(said)


def order_slots(chance: random.Random) -> tuple[str, dict[str, str]]:
    """An order with up to five slots, in the order that people give them, and its slots."""
    parts, slots = [chance.choice(OPENERS), chance.choice(["a", "a", "one", "two", ""])], dict[str, str]()
    if chance.random() < 0.7:
        slots["size"] = chance.choice(SIZES)
    if chance.random() < 0.3:
        slots["roast"] = chance.choice(ROASTS)
    slots["drink"] = chance.choice(DRINKS)
    parts += slots.values()
    for joint, name in (("with", "first"), ("and", "second")):
        if chance.random() < 0.5:
            slots[name] = chance.choice(ADDITIONS)
            parts += [joint, slots[name]]
    parts.append(chance.choice(CLOSERS))
    return " ".join(part for part in parts if part), slots


def moment(chance: random.Random) -> str:
    """A date, a time, an amount or a number."""
    kind = chance.randrange(6)
    if kind == 0:
        return f"{chance.choice(MONTHS)} {chance.choice(ORDINALS)}"
    if kind == 1:
        return f"{chance.choice(['', 'next ', 'on ', 'this '])}{chance.choice(WEEKDAYS)}"
    if kind == 2:
        return f"{number_below_hundred(chance)} dollars and {number_below_hundred(chance)} cents"
    if kind == 3:
        ending = chance.choice(["a m", "p m", "o'clock", "thirty", "fifteen", "in the morning"])
        return f"{chance.choice(DIGITS[1:])} {ending}"
    if kind == 4:
        return f"{chance.choice(DIGITS[1:])} hundred and {number_below_hundred(chance)}"
    return f"{chance.choice(WEEKDAYS)} the {chance.choice(ORDINALS)} of {chance.choice(MONTHS)}"


class Texts:
    """Draws texts whose every word is in `words`. `common` lists any words, the most usual first; `longest` is how many
    of them stand in a row (and, with two more, digits)."""

    def __init__(self, words: Pronunciations, common: Sequence[str], seed: int, longest: int = 6) -> None:
        self.words = words
        self.menu = [word for word in dict.fromkeys(MENU_WORDS) if word in words]
        self.common = [word for word in common if word in words]
        self.weights = [(rank + 20) ** -0.6 for rank in range(len(self.common))]
        self.chance = random.Random(seed)
        self.longest = longest

    def draw(self) -> str:
        while True:
            text = self._draw()
            if all(word in self.words for word in text.split()):
                return text

    def _draw(self) -> str:
        chance, kind = self.chance, self.chance.random()
        if kind < 0.10:
            return chance.choice(self.menu)
        if kind < 0.20:
            return chance.choice([*PHRASES, f"press {chance.choice(DIGITS)}", "yes please", "no thanks", "thank you"])
        if kind < 0.28:
            return chance.choice(SPOKEN_DIGITS)
        if kind < 0.48:
            return digit_string(chance) if self.longest >= 6 else digit_string(chance, 2, self.longest + 2)
        if kind < 0.56:
            return " ".join(chance.choice(self.menu) for _ in range(chance.randint(2, min(4, self.longest))))
        if kind < 0.62:
            return order_slots(chance)[0]
        if kind < 0.67:
            return moment(chance)
        if kind < 0.69:
            return " ".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 6)))
        return " ".join(chance.choices(self.common, self.weights, k=chance.randint(1, self.longest)))

"""Numbers of countries, from every spelling to E.164 and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.dialplan.number_plans import COUNTRIES, FORMATS, NumberPlan, read, spellings, write

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "numbers" / "numbers.json"
MISREAD = {
    ("cn", "16812345", "national"): "8 digits: in China any subscriber's without his area has as many",
    ("cn", "8616812345", "international"): "the same, behind a code that is one of numbers here, too",
}  # texts of `test_examples_…` that are read as something else, with the reason
BERLIN = NumberPlan("de", "national", "30")


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("de", "030 1234-567", "+49301234567"), ("de", "0049301234567", "+49301234567"),
        ("de", "+49(0)301234567", "+49301234567"), ("de", "004420 7123 4567", "+442071234567"),
        ("gb", "020 7123 4567", "+442071234567"), ("us", "(212) 555-0123", "+12125550123"),
        ("us", "1-212-555-0123", "+12125550123"), ("us", "011442071234567", "+442071234567"),
        ("it", "0612345678", "+390612345678"), ("it", "3123456789", "+393123456789"),
        ("fr", "0123456789", "+33123456789"), ("es", "912345678", "+34912345678"),
        ("hu", "0611234567", "+3611234567"), ("ru", "84951234567", "+74951234567"),
        ("ru", "810442071234567", "+442071234567"), ("cn", "02112345678", "+862112345678"),
        ("cn", "13812345678", "+8613812345678"), ("au", "0011442071234567", "+442071234567"),
        ("nl", "08001234", "+318001234"), ("jp", "010442071234567", "+442071234567"),
    ],
)  # fmt: skip
def test_national_spellings_become_e164(country: str, text: str, number: str) -> None:
    assert read(text, NumberPlan(country, "national")) == ("e164", number)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("country", COUNTRIES)
def test_what_is_written_for_a_trunk_is_read_from_it(country: str, form: str) -> None:
    info = COUNTRIES[country]
    if form == "subscriber" and not info.trunk:
        return  # numbers without area codes: the reader refuses it
    area = "30" if form == "subscriber" else ""
    plan = NumberPlan(country, form, area, strip="9", prefix="9")
    for rest in ("3012345678", "2123456789", "4471234567"):
        number = f"+{info.code}{rest}"
        assert read(write(number, plan), plan) == ("e164", number), write(number, plan)
        assert read(f"9{info.out}{info.code}{rest}", plan) == ("e164", number)
    foreign = "+4989123456" if info.code != "49" else "+442071234567"
    assert read(write(foreign, plan), plan) == ("e164", foreign)


@pytest.mark.parametrize("country", COUNTRIES)
def test_prefixes_are_digits_and_codes_are_no_prefixes_of_each_other(country: str) -> None:
    info = COUNTRIES[country]
    assert re.fullmatch("[1-9][0-9]{0,2}", info.code) and re.fullmatch("[0-9]*", info.trunk + info.out) and info.out
    others = {each.code for each in COUNTRIES.values()} - {info.code}
    assert not any(other.startswith(info.code) for other in others)


def test_formats_as_a_carrier_wants_them() -> None:
    def told(number: str, form: str, country: str = "de") -> str:
        return write(number, NumberPlan(country, form, "30" if country == "de" else ""))

    assert told("+49301234567", "e164") == "+49301234567"
    assert told("+49301234567", "digits") == "49301234567"
    assert told("+49301234567", "international") == "0049301234567"
    assert told("+49301234567", "national") == "0301234567"
    assert told("+442071234567", "national") == "00442071234567"
    assert told("+49301234567", "subscriber") == "1234567"
    assert told("+4989123456", "subscriber") == "089123456"
    assert told("+12125550123", "national", "us") == "2125550123"
    assert told("+390612345678", "national", "it") == "0612345678"
    assert told("700", "e164") == "700"


def test_codes_names_and_nonsense_are_told_apart() -> None:
    assert read("700", BERLIN) == ("short", "700") and read("98668", BERLIN) == ("short", "98668")
    assert read("*97", BERLIN) == ("short", "*97")
    for text in ("anonymous", "Anonymous", "", "RESTRICTED", "unavailable"):
        assert read(text, BERLIN) == ("withheld", "")
    for text in ("ana", "+49x301", "+0301234567", "+4930123456789012345", "٤٩٣٠١٢٣٤٥٦٧", "0x301"):
        assert read(text, BERLIN) == ("malformed", "")


def test_a_subscribers_number_gets_its_area_and_a_phone_context_counts() -> None:
    plan = NumberPlan("de", "subscriber", "30")
    assert read("1234567", plan) == ("e164", "+49301234567")
    assert read("0891234567", plan) == ("e164", "+49891234567")
    assert read("301234567;phone-context=+49", BERLIN) == ("e164", "+49301234567")
    assert read("+49301234567;npdi;rn=+4930", BERLIN) == ("e164", "+49301234567")


def test_every_way_the_number_may_stand_in_a_table() -> None:
    assert spellings("+49301234567", BERLIN) == (
        "+49301234567", "49301234567", "0049301234567", "0301234567", "301234567", "1234567",
    )  # fmt: skip
    assert spellings("+442071234567", BERLIN) == ("+442071234567", "442071234567", "00442071234567")
    assert spellings("700", BERLIN) == ("700",)


def test_examples_of_every_country_in_every_spelling() -> None:
    """libphonenumber's: fixed, mobile, free, premium and internet numbers; all but those in MISREAD."""
    table = json.loads(VECTORS.read_text())
    wrong = set()
    for country in COUNTRIES:
        for _, national, number in table[country]["examples"]:
            bare = number[1:]
            for form, text in (("national", national), ("e164", number), ("international", bare), ("digits", bare)):
                if read(text, NumberPlan(country, form)) != ("e164", number):
                    wrong.add((country, text, form))
    assert wrong == MISREAD.keys(), wrong ^ MISREAD.keys()

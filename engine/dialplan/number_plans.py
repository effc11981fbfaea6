"""Telephone numbers between a trunk's spelling and E.164: countries, their prefixes, and the two ways through them.

The engine knows numbers as E.164 ("+49301234567") and leaves short codes (700, 98668, an agent's 201) as they are. How
a carrier or gateway writes them is its `NumberPlan`. Country codes: ITU-T E.164 list of assigned codes; national and
international prefixes: ITU-T E.164 supplement "dialling procedures" (E.164C). The table is data of our own instead
of a library's: it's read in the deterministic rooms, where nothing may load a file in the middle of a call.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

DIGITS_MAX = 15  # E.164 §6: without the plus
DIGITS_MIN = 7  # shorter ones are nobody's number in full
SHORT_MAX = 6  # digits of a short code: what is dialled as it is, and belongs to no country
FORMATS = ("e164", "digits", "international", "national", "subscriber")
WITHHELD = (
    "", "anonymous", "unknown", "restricted", "private", "unavailable", "withheld", "blocked", "asserted",
    "coinline/payphone", "out of area", "interaction with other service",
)  # fmt: skip
_FILLING = str.maketrans("", "", " -.()")  # RFC 3966 §5.1.1 visual separators
_DIGITS = re.compile(r"\+?[0-9]+", re.ASCII)
_SHORT = re.compile(r"[0-9*#]+", re.ASCII)


class Country(NamedTuple):
    """`code` without plus; `trunk` is dialled in front of a national number ('' none), `out` in front of a country
    code; `least` digits at least of a national significant number."""

    code: str
    trunk: str
    out: str
    least: int = 7


COUNTRIES: dict[str, Country] = {
    "ae": Country("971", "0", "00"), "at": Country("43", "0", "00", 4),
    "au": Country("61", "0", "0011"), "be": Country("32", "0", "00", 8), "bg": Country("359", "0", "00"),
    "br": Country("55", "0", "00", 8), "ca": Country("1", "1", "011", 10),
    "ch": Country("41", "0", "00", 9), "cl": Country("56", "", "00", 9), "cn": Country("86", "0", "00", 9),
    "co": Country("57", "0", "00", 8), "cy": Country("357", "", "00", 8), "cz": Country("420", "", "00", 9),
    "de": Country("49", "0", "00", 5), "dk": Country("45", "", "00", 8), "ee": Country("372", "", "00", 7),
    "eg": Country("20", "0", "00", 8), "es": Country("34", "", "00", 9), "fi": Country("358", "0", "00", 5),
    "fr": Country("33", "0", "00", 9), "gb": Country("44", "0", "00", 9), "gr": Country("30", "", "00", 10),
    "hk": Country("852", "", "001", 8), "hr": Country("385", "0", "00", 7), "hu": Country("36", "06", "00", 8),
    "ie": Country("353", "0", "00", 7), "il": Country("972", "0", "00", 8), "in": Country("91", "0", "00", 10),
    "is": Country("354", "", "00", 7), "it": Country("39", "", "00", 6), "jp": Country("81", "0", "010", 9),
    "ke": Country("254", "0", "000", 7), "kr": Country("82", "0", "00", 8), "kz": Country("7", "8", "810", 10),
    "lt": Country("370", "0", "00", 8), "lu": Country("352", "", "00", 5), "lv": Country("371", "", "00", 8),
    "mt": Country("356", "", "00", 8), "mx": Country("52", "", "00", 10), "my": Country("60", "0", "00", 8),
    "ng": Country("234", "0", "009", 7), "nl": Country("31", "0", "00", 7), "no": Country("47", "", "00", 8),
    "nz": Country("64", "0", "00", 8), "ph": Country("63", "0", "00", 8), "pk": Country("92", "0", "00", 8),
    "pl": Country("48", "", "00", 9), "pt": Country("351", "", "00", 9), "ro": Country("40", "0", "00", 9),
    "rs": Country("381", "0", "00", 7), "ru": Country("7", "8", "810", 10), "sa": Country("966", "0", "00", 8),
    "se": Country("46", "0", "00", 7), "sg": Country("65", "", "000", 8), "si": Country("386", "0", "00", 7),
    "sk": Country("421", "0", "00", 8), "th": Country("66", "0", "001", 8), "tr": Country("90", "0", "00", 10),
    "tw": Country("886", "0", "002", 8), "ua": Country("380", "0", "00", 9), "us": Country("1", "1", "011", 10),
    "vn": Country("84", "0", "00", 8), "za": Country("27", "0", "00", 9),
}  # fmt: skip


class NumberPlan(msgspec.Struct, frozen=True):
    """How a trunk writes numbers, and what it is told of identities (`numbers:` of a trunk).

    `strip` stands in front of what it sends, `prefix` goes in front of what it gets; `area` without trunk prefix.
    """

    country: str
    format: str = "e164"  # of FORMATS, both ways; every other spelling is understood too
    area: str = ""
    strip: str = ""
    prefix: str = ""
    main: str = ""  # E.164: whom its calls come from when no other number is permitted
    identity: str = "pai"  # pai | ppi | rpid | none: the header that carries who calls
    diversion: str = "none"  # diversion | history-info | both | none: who has sent a call on
    location: str = "pidf"  # pidf | none | the name of a header: how an emergency call says where
    verify: bool = False  # signatures of callers' numbers are checked (RFC 8224)


class Heard(NamedTuple):
    """A number as it was understood. `kind`: e164 | short | withheld | malformed; `number` is '' for the last two."""

    kind: str
    number: str


def read(text: str, plan: NumberPlan) -> Heard:
    """A number in a carrier's spelling. Parameters behind a `;` are those of RFC 3966; a phone-context counts."""
    user, _, parameters = text.strip().partition(";")
    if user.lower() in WITHHELD:
        return Heard("withheld", "")
    digits = user.translate(_FILLING)
    context = re.search(r"(?:^|;)phone-context=(\+[0-9]{1,14})(?:;|$)", parameters)
    if context is not None and not digits.startswith("+"):
        digits = context.group(1) + digits
    if plan.strip and digits.startswith(plan.strip):
        digits = digits[len(plan.strip) :]
    if not _DIGITS.fullmatch(digits):
        return Heard("short", digits) if _SHORT.fullmatch(digits) else Heard("malformed", "")
    found = _international(digits, plan)
    if found is None:
        return Heard("short", digits) if len(digits.lstrip("+")) <= SHORT_MAX else Heard("malformed", "")
    if not DIGITS_MIN <= len(found) <= DIGITS_MAX or found[0] == "0":
        return Heard("malformed", "")
    return Heard("e164", f"+{found}")


def _international(digits: str, plan: NumberPlan) -> str | None:
    """E.164 without the plus; None for what is too short to be more than a code."""
    country = COUNTRIES[plan.country]
    if digits.startswith("+"):
        return _without_trunk(digits[1:], country)
    if digits.startswith(country.out) and len(digits) > len(country.out) + SHORT_MAX:
        return _without_trunk(digits[len(country.out) :], country)
    whole = len(digits) > DIGITS_MIN if plan.format == "digits" else len(digits) - len(country.code) >= country.least
    if plan.format in ("e164", "digits", "international") and whole and _coded(digits, country, plan.format):
        return _without_trunk(digits, country)
    if country.trunk and digits.startswith(country.trunk) and len(digits) - len(country.trunk) >= country.least:
        return country.code + digits[len(country.trunk) :]
    if plan.format == "subscriber" and plan.area and len(digits) > 2 and len(digits) + len(plan.area) >= country.least:
        return None if len(digits) <= 4 else country.code + plan.area + digits
    return country.code + digits if len(digits) >= max(country.least, SHORT_MAX + 1) else None


def _coded(digits: str, country: Country, form: str) -> bool:
    """Bare digits that begin with a country code: anybody's in E.164 without plus, else that of the trunk itself."""
    if country.trunk and digits.startswith(country.trunk) and country.trunk != country.code:
        return False
    return form == "digits" or digits.startswith(country.code)


def _without_trunk(digits: str, country: Country) -> str:
    """ "+49(0)30…": a zero between the country's code and the rest, which gateways put together."""
    rest = digits.removeprefix(country.code)
    if digits.startswith(country.code) and country.trunk == "0" and rest.startswith("0"):
        return country.code + rest[1:]
    return digits


def write(number: str, plan: NumberPlan) -> str:
    """A number as the trunk wants it, with its prefix. What isn't E.164 stays as it is."""
    return plan.prefix + _spelt(number, plan)


def _spelt(number: str, plan: NumberPlan) -> str:
    if not number.startswith("+") or plan.format == "e164":
        return number
    country, digits = COUNTRIES[plan.country], number[1:]
    if plan.format == "digits":
        return digits
    own = digits.startswith(country.code) and plan.format in ("national", "subscriber")
    if not own:
        return country.out + digits
    rest = digits[len(country.code) :]
    if plan.format == "subscriber" and plan.area and rest.startswith(plan.area):
        return rest[len(plan.area) :]
    # in North America a call within the plan is dialled as 1 and ten digits; carriers take the ten (national form)
    bare = country.trunk == country.code and plan.format == "national"
    return rest if bare else country.trunk + rest


def spellings(number: str, plan: NumberPlan) -> tuple[str, ...]:
    """How the number may stand in a site's tables: E.164, without plus, as it is dialled at home and from abroad."""
    if not number.startswith("+"):
        return (number,)
    country, digits = COUNTRIES[plan.country], number[1:]
    found = [number, digits, country.out + digits]
    if digits.startswith(country.code):
        rest = digits[len(country.code) :]
        found += [country.trunk + rest, rest]
        if plan.area and rest.startswith(plan.area):
            found.append(rest[len(plan.area) :])
    return tuple(dict.fromkeys(found))

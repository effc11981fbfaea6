"""Telephone numbers as people are known by them: one number in its several spellings, and a token that stands for it.

Only digits decide. `+44 1514 960001`, `0044 1514960001` and `441514960001` are one number; `01514960001` is another
unless the country's code is given (nothing in a record says in which country a number was national).
"""

from __future__ import annotations

import re
from hashlib import blake2b

_USER = re.compile(r"^\s*(?:sips?:|tel:)?([^@;>]+)", re.IGNORECASE)
_FILLING = str.maketrans("", "", " -.()/")
_DIGITS = re.compile(r"\+?[0-9*#]+")
_RUNS = re.compile(r"\+?[0-9]+")


def canonical(number: str, country: str = "") -> str:
    """The number's digits in their international form without prefix: "+44…" and "0044…" become "44…".

    With `country` (digits of a country code), a national "0…" becomes international too. Takes a SIP or tel URI as
    well. What holds no number ("anonymous", a name) comes back in small letters, so that it equals only itself.
    """
    found = _USER.match(number)
    text = (found.group(1) if found else number).strip()
    digits = text.translate(_FILLING)
    if not _DIGITS.fullmatch(digits):
        return text.lower()
    if digits.startswith("+"):
        return digits[1:]
    if digits.startswith("00") and len(digits) > 4:
        return digits[2:]
    if country and digits.startswith("0") and len(digits) > 4:
        return country + digits[1:]
    return digits


def spellings(number: str, country: str = "") -> tuple[str, ...]:
    """Every spelling under which the engine may have stored the number, the one given first."""
    digits = canonical(number, country)
    found = [number.strip(), digits]
    if digits.isdigit():
        found += [f"+{digits}", f"00{digits}"]
        if country and digits.startswith(country):
            found.append(f"0{digits[len(country):]}")
    return tuple(dict.fromkeys(each for each in found if each))


def core(number: str, country: str = "") -> str:
    """The longest text that every spelling contains: what a search looks for first."""
    digits = canonical(number, country)
    return digits[len(country):] if country and digits.startswith(country) else digits


def names(text: str, number: str, country: str = "") -> bool:
    """True when `text` holds the number as a whole: no digit more to its left or right."""
    wanted = canonical(number, country)
    if not wanted.isdigit():
        return text.strip().lower() == wanted
    squeezed = text.translate(_FILLING) if not text.isalnum() else text
    return any(
        canonical(run, country) == wanted for each in (text, squeezed) for run in _RUNS.findall(each)
    )


def whole(number: str, country: str = "") -> re.Pattern[bytes]:
    """Finds the number in bytes of messages and states, in any spelling; not as part of a longer one."""
    digits = [each for each in spellings(number, country) if each.isdigit()] or [number.strip()]
    inner = "|".join(map(re.escape, digits)).encode()
    return re.compile(rb"(?<![0-9])(?:" + inner + rb")(?![0-9])", re.IGNORECASE)


def caller_token(tenant: str, caller: str) -> int:
    """48 bits that stand for a caller of a tenant, 0 for one without a number. Equal for equal numbers only.

    It saves a report from handling numbers; it is no secret (numbers can be tried out), so `forget` erases it too.
    """
    digits = canonical(caller)
    if not digits.isdigit():
        return 0
    return int.from_bytes(blake2b(f"{tenant}\0{digits}".encode(), digest_size=6).digest(), "big")

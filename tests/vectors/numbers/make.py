"""Write `numbers.json` anew from libphonenumber's metadata: `python tests/vectors/numbers/make.py` where the package
`phonenumbers` is installed (the project doesn't need it)."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from engine.dialplan.number_plans import COUNTRIES

numbers = import_module("phonenumbers")
shortnumberinfo = import_module("phonenumbers.shortnumberinfo")
KINDS = ("FIXED_LINE", "MOBILE", "TOLL_FREE", "PREMIUM_RATE", "VOIP")


def emergency(region: str) -> list[str]:
    """Every number of two to five digits that is one."""
    every = (str(number).zfill(digits) for digits in range(2, 6) for number in range(10**digits))
    return [number for number in every if shortnumberinfo.is_emergency_number(number, region)]


def examples(region: str) -> list[tuple[str, str, str]]:
    """(kind, as it is dialled within the country, E.164)"""
    found = []
    for kind in KINDS:
        example = numbers.example_number_for_type(region, getattr(numbers.PhoneNumberType, kind))
        if example is not None:
            national = numbers.format_number(example, numbers.PhoneNumberFormat.NATIONAL)
            whole = numbers.format_number(example, numbers.PhoneNumberFormat.E164)
            found.append((kind.lower(), numbers.normalize_digits_only(national), whole))
    return found


def main() -> None:
    table = {code: {"emergency": emergency(code.upper()), "examples": examples(code.upper())} for code in COUNTRIES}
    lines = ",\n".join(f'"{code}": {json.dumps(row)}' for code, row in table.items())
    head = f'"source": "libphonenumber by phonenumbers {numbers.__version__}"'
    Path(__file__).with_name("numbers.json").write_text(f"{{{head},\n{lines}}}\n")


if __name__ == "__main__":
    main()

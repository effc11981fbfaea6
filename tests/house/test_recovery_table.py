"""hardware/recovery.md promises what survives: each row names a test, and the test exists."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.source import ROOT

TABLE = ROOT / "hardware" / "recovery.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> list[str]:
    """The table's rows without its head."""
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def missing(row: str, root: Path = ROOT) -> list[str]:
    """Tests that a row names and that aren't there; a row that names none is missing one."""
    named = NAMED.findall(row)
    if not named:
        return [f"no test: {row}"]
    return [
        f"{path}::{name}" for path, name in named
        if not (root / path).exists() or f"def {name}(" not in (root / path).read_text("utf-8")
    ]


def test_every_row_has_its_test() -> None:
    found = rows(TABLE.read_text("utf-8"))
    assert len(found) > 15 and not [each for row in found for each in missing(row)]


def test_a_row_without_a_test_would_be_found() -> None:
    assert missing("| calls | stay | stay | |")
    assert missing("| x | `tests/house/test_recovery_table.py::test_nothing` |")
    assert not missing("| x | `tests/house/test_recovery_table.py::test_every_row_has_its_test` |")

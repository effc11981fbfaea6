"""One line of the doctor's."""

from __future__ import annotations

Result = dict[str, str]  # check, state ok | warn | fail, detail, remedy


def result(check: str, state: str, detail: str, remedy: str = "") -> Result:
    """What was checked, how it is, what was found, and what to do about it (never missing on a failure)."""
    return {"check": check, "state": state, "detail": detail, "remedy": remedy}

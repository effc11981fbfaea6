"""`ringdown check --explain CODE`: what a finding's code means, with an example."""

from __future__ import annotations


def explained(code: str, *, json: bool) -> str:
    """The text, or with `json` its parts. Raises UsageError for a code that doesn't exist."""
    from engine.cli import show
    from engine.dialplan import explaining
    from engine.dialplan.findings import CODES
    from engine.dialplan.mending import MENDABLE
    from engine.errors import UsageError

    code = code.upper()
    if code not in CODES:
        raise UsageError(f"no finding has the code {code!r}; codes are what ringdown check prints, as in RD051")
    if not json:
        return explaining.render(code)
    severity, title, suffers = CODES[code]
    found = explaining.catalogue()[code]
    return show.as_json(
        {"code": code, "severity": severity, "title": title, "suffers": suffers, "text": found.text,
         "wrong": found.wrong, "right": found.right, "fixed": code in MENDABLE}
    )  # fmt: skip

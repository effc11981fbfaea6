"""What each code means, with an example: `ringdown check --explain RD051`.

The texts stand in `explained_*`, one string each: the code, a paragraph, `wrong:` and the lines that give it, `right:`
and the lines that don't. An example that begins with `# FILE` belongs to that file of a site; one that begins with a
dash stands in a flow behind `answer`; everything else is a dialplan. The catalogue's test reads them all as a site.
"""

from __future__ import annotations

import msgspec

from engine.dialplan import (
    explained_codecs,
    explained_corpus,
    explained_devices,
    explained_media,
    explained_numbers,
    explained_parts,
    explained_recognisers,
    explained_site,
    explained_speech,
    explained_streams,
    explained_text,
    explained_tls,
    explained_trunks,
    explained_voices,
    explained_ways,
)
from engine.dialplan.findings import CODES
from engine.dialplan.mending import MENDABLE


class Explanation(msgspec.Struct, frozen=True):
    """`wrong` gives the code, `right` doesn't; both are lines of a site's file."""

    code: str
    text: str
    wrong: str
    right: str


def parse(text: str) -> dict[str, Explanation]:
    """code -> its explanation, of one module's string."""
    found: dict[str, Explanation] = {}
    for block in text.strip("\n").split("\n\nRD"):
        head, _, example = block.partition("\nwrong:\n")
        wrong, _, right = example.partition("\nright:\n")
        code, _, words = head.partition("\n")
        code = f"RD{code.removeprefix('RD')}"
        found[code] = Explanation(code, words.strip(), wrong.strip("\n"), right.strip("\n"))
    return found


def catalogue() -> dict[str, Explanation]:
    """Every explanation, by code."""
    parts = (
        explained_codecs.TEXT,
        explained_corpus.TEXT,
        explained_devices.TEXT,
        explained_media.TEXT,
        explained_numbers.TEXT,
        explained_parts.TEXT,
        explained_recognisers.TEXT,
        explained_site.TEXT,
        explained_speech.TEXT,
        explained_streams.TEXT,
        explained_text.TEXT,
        explained_tls.TEXT,
        explained_trunks.TEXT,
        explained_voices.TEXT,
        explained_ways.TEXT,
    )
    return {code: each for part in parts for code, each in parse(part).items()}


def render(code: str) -> str:
    """A code for a terminal: what it is, what the caller would suffer, an example, whether --fix corrects it."""
    severity, title, suffers = CODES[code]
    found = catalogue()[code]
    lines = [f"{code} {title} ({severity})", ""]
    lines += _wrapped(found.text)
    if suffers:
        lines += ["", f"Otherwise {suffers}."]
    for name, example in (("Gives it:", found.wrong), ("Is right:", found.right)):
        lines += ["", name, *(f"    {line}".rstrip() for line in example.split("\n"))]
    if code in MENDABLE:
        lines += ["", "ringdown check --fix corrects it where there is only one correction."]
    if severity == "warning" and code != "RD212":
        lines += ["", f"Where it is right as it is: allow: {{{code}: the reason}} in the dialplan."]
    return "\n".join(lines)


def _wrapped(text: str, width: int = 100) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines

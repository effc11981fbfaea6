"""`recorded_prompts:` of a site or tenant: which prompts may be recorded by phone, each by a key."""

from __future__ import annotations

import re

from engine import marks
from engine.dialplan import values
from engine.dialplan.catalogue import Catalogue
from engine.dialplan.findings import Report, did_you_mean

_KEY = re.compile(r"[0-9]{1,2}")


def read(
    report: Report, catalogue: Catalogue, tenant: str, languages: tuple[str, ...], root: marks.Node | None,
    *, complete: bool,
) -> dict[str, str]:
    """Key -> full name of the prompt. `{1: outage}` is in the first language, `{2: {prompt: outage, language: zh}}`
    in another. A prompt that speaks values, or a stock one, can't be recorded."""
    node = root.entries.get("recorded_prompts") if isinstance(root, marks.Mapping) else None
    found: dict[str, str] = {}
    for key, value in values.mapping(report, node, "recorded_prompts") or ():
        if _KEY.fullmatch(key.text) is None:
            report.add("RD024", key, f"{key.text!r} is not a key of one or two digits", "as in 1: outage")
            continue
        language, name = languages[0], value if isinstance(value, marks.Scalar) else None
        if name is None:
            form = values.mapping(report, value, f"the prompt {key.text}")
            if form is None:
                continue
            values.known_keys(report, form, "a recorded prompt", ("prompt", "language"))
            language = values.choice(report, form.entries.get("language"), "language", languages) or language
            name = values.scalar(report, form.entries.get("prompt"), "prompt")
            if name is None:
                report.add("RD022", form, "no prompt is named", "add prompt: NAME")
                continue
        full = _full(catalogue, tenant, language, name.text)
        if full:
            found[key.text] = full
        elif complete:
            own = catalogue.spoken.get((tenant, language), {})
            message = f"no prompt {name.text!r} of this tenant in {language} that can be recorded as one piece"
            hint = did_you_mean(name.text, own, otherwise=f"add it to prompts/{language}.yaml")
            report.add("RD185", name, message, hint)
    return found


def _full(catalogue: Catalogue, tenant: str, language: str, name: str) -> str:
    spoken = catalogue.spoken.get((tenant, language), {}).get(name)
    if spoken is None or len(spoken.parts) != 1 or not isinstance(spoken.parts[0], str):
        return ""
    return spoken.parts[0]

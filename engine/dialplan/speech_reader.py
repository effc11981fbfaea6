"""`speech:` of site.yaml and tenant.yaml -> SpeechModel by language. The runtime says whether a model is there."""

from __future__ import annotations

import re
from typing import Any

from engine import marks
from engine.dialplan import by_language, values
from engine.dialplan.findings import Report
from engine.dialplan.speech_model import EMBEDDED, FOLDER, NONE, REMOTE, SECRETS, SHIPPED, SpeechModel, ships

TIMEOUT_MS_MIN, TIMEOUT_MS_MAX = 200, 10_000
ADDRESSES_MAX = 16
_KEYS = ("folder", "remote", "timeout")
_ADDRESS = re.compile(r"wss?://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::([0-9]{1,5}))?(?:/[A-Za-z0-9._~/-]*)?")


def read(
    report: Report, node: marks.Node | None, languages: tuple[str, ...], inherited: dict[str, SpeechModel]
) -> dict[str, SpeechModel]:
    """language -> recogniser; what isn't named is as in site.yaml. `languages`: those of the tenant."""
    return by_language.read(report, node, "speech", languages, inherited, "RD322", _recognizer, (SECRETS,))


def _recognizer(report: Report, key: marks.Scalar, node: marks.Node) -> SpeechModel | None:
    """`embedded`, `none` (all that `secrets` may be), `{folder: DIR}` or `{remote: [ws://…], folder: DIR}`; None after
    a finding."""
    before = report.errors
    what = f"the recogniser of {key.text}"
    if key.text == SECRETS:
        chosen = values.choice(report, node, f"speech {SECRETS}", (NONE,), "RD320")
        return SpeechModel(NONE) if chosen == NONE else None
    if isinstance(node, marks.Scalar):
        kind = values.choice(report, node, what, (EMBEDDED, NONE), "RD320")
        if kind == EMBEDDED and not ships(key.text):
            hint = f"models come for {', '.join(SHIPPED)}; write {key.text}: {{folder: …}} with a vosk model, or none"
            report.add("RD321", node, f"no model for {key.text} comes with the engine", hint)
            return None
        return SpeechModel(kind) if kind is not None else None
    form = values.mapping(report, node, what)
    if form is None:
        return None
    values.known_keys(report, form, what, _KEYS)
    entries = form.entries
    if "folder" not in entries and "remote" not in entries:
        report.add("RD022", form, f"{what} names neither a folder nor remote addresses", "as in folder: /srv/vosk/de")
    changes: dict[str, Any] = {}
    folder = values.scalar(report, entries.get("folder"), "folder")
    if folder is not None:
        changes["folder"] = folder.text
        if not folder.text.startswith("/"):
            report.add("RD024", folder, f"{folder.text!r} begins nowhere", "the whole path, from / on")
    changes["addresses"] = _addresses(report, entries.get("remote"))
    timeout = values.duration(report, entries.get("timeout"), "timeout", TIMEOUT_MS_MIN, TIMEOUT_MS_MAX)
    if timeout is not None:
        changes["timeout_ms"] = timeout
    if report.errors != before:
        return None
    if "remote" in entries and folder is None and not ships(key.text):
        hint = "add folder: with a vosk model that stands in"
        report.add("RD325", form, f"nobody stands in when no recogniser for {key.text} answers", hint)
    return SpeechModel(REMOTE if "remote" in entries else FOLDER, **changes)


def _addresses(report: Report, node: marks.Node | None) -> tuple[str, ...]:
    found: list[str] = []
    before = report.errors
    for each in values.scalars(report, node, "remote"):
        match = _ADDRESS.fullmatch(each.text)
        if match is None or not 0 < int(match[1] or 1) < 65_536:
            report.add("RD323", each, f"{each.text!r} is not the address of a recogniser", "as in ws://10.0.0.5:2700")
        else:
            found.append(each.text)
    if len(found) > ADDRESSES_MAX and node is not None:
        report.add("RD024", node, f"{len(found)} addresses", f"at most {ADDRESSES_MAX}")
    if node is not None and not found and report.errors == before:
        report.add("RD022", node, "a remote recogniser without an address", "as in remote: [ws://10.0.0.5:2700]")
    return tuple(dict.fromkeys(found))

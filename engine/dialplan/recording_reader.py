"""`recording:` of site.yaml and tenant.yaml, and `record:` of a queue.

Two passes, since clips are known only when every prompt is: `read_tenant` and `read_queue` take the shape in, `link`
resolves the announcements.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from engine import marks
from engine.dialplan import utterance_model, utterance_rules, values
from engine.dialplan.flow_reader import read_key
from engine.dialplan.recording_model import OLDEST, REFUSE, RecordingModel, RecordingRule
from engine.dialplan.verbs.shape import PROMPT

if TYPE_CHECKING:
    from engine.dialplan.findings import Report
    from engine.dialplan.options import Context

RULE_KEYS = ("announce", "opt_out", "beep")
_BYTES = {"MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
_SIZE = re.compile(r"([0-9]{1,6})\s*(MB|GB|TB)")
Announced = dict[str, marks.Node]  # incoming | outgoing -> where its announcement is named


def read_tenant(report: Report, node: marks.Node | None) -> tuple[RecordingModel | None, Announced]:
    """`{incoming: {…}, outgoing: {…, calls: yes}, utterances: {…}, quota: 5GB}`."""
    form = values.mapping(report, node, "recording")
    if form is None:
        return None, {}
    values.known_keys(report, form, "recording", ("incoming", "outgoing", utterance_model.KIND, "quota"))
    model, named = RecordingModel(), Announced()
    for way in ("incoming", "outgoing"):
        each = values.mapping(report, form.entries.get(way), way)
        if each is None:
            continue
        known = (*RULE_KEYS, "calls") if way == "outgoing" else RULE_KEYS
        values.known_keys(report, each, way, known)
        changes: dict[str, Any] = {way: _rule(report, each, way, named)}
        calls = values.flag(report, each.entries.get("calls"), "calls")
        if calls is not None:
            changes["calls"] = calls
        model = msgspec.structs.replace(model, **changes)
    model = msgspec.structs.replace(model, utterances=utterance_rules.read(report, form.entries.get("utterances")))
    return _quota(report, form.entries.get("quota"), model), named


def _rule(report: Report, form: marks.Mapping, way: str, named: Announced) -> RecordingRule:
    entries = form.entries
    key = values.scalar(report, entries.get("opt_out"), "opt_out")
    pressed = opt_out(report, key) if key is not None else ""
    if "announce" in entries:
        named[way] = entries["announce"]
    elif key is not None:
        report.add("RD161", key, "nobody is told of the key that refuses the recording", "add announce: PROMPT")
    return RecordingRule({}, pressed, bool(values.flag(report, entries.get("beep"), "beep")))


def opt_out(report: Report, node: marks.Scalar) -> str:
    """A single key; '' after a finding."""
    pressed = read_key(report, node) or ""
    if len(pressed) > 1:
        report.add("RD063", node, "the key that refuses a recording is a single one")
        return ""
    return pressed


def _quota(report: Report, node: marks.Node | None, model: RecordingModel) -> RecordingModel:
    """`5GB`, or `{size: 5GB, full: oldest | refuse}`."""
    form = node if isinstance(node, marks.Mapping) else None
    full: str | None = None
    if form is not None:
        values.known_keys(report, form, "quota", ("size", "full"))
        full = values.choice(report, form.entries.get("full"), "full", (OLDEST, REFUSE))
        if "size" not in form.entries:
            report.add("RD022", form, "a quota names no size", "add size: 5GB")
    found = values.scalar(report, form.entries.get("size") if form is not None else node, "quota")
    if found is None:
        return model
    match = _SIZE.fullmatch(found.text)
    if match is None or not int(match.group(1)):
        hint = "as in 500MB, 20GB or 2TB; an hour of recording takes 115 MB"
        report.add("RD024", found, f"{found.text!r} is not a size", hint)
        return model
    size = int(match.group(1)) * _BYTES[match.group(2)]
    return msgspec.structs.replace(model, quota_bytes=size, quota_full=full or OLDEST)


def read_queue(report: Report, node: marks.Node | None, changes: dict[str, Any]) -> None:
    """`record: yes`, or `record: {announce, opt_out, beep, outgoing: {…}}`, which means yes."""
    if not isinstance(node, marks.Mapping):
        given = values.flag(report, node, "record")
        if given is not None:
            changes["record"] = given
        return
    values.known_keys(report, node, "record", (*RULE_KEYS, "outgoing"))
    incoming = _rule(report, node, "incoming", {}) if any(key in node.entries for key in RULE_KEYS) else None
    other = values.mapping(report, node.entries.get("outgoing"), "outgoing")
    outgoing = None
    if other is not None:
        values.known_keys(report, other, "outgoing", RULE_KEYS)
        outgoing = _rule(report, other, "outgoing", {})
    changes["record"] = True
    changes["recording"] = RecordingModel(incoming, outgoing)


def queue_places(node: marks.Node | None) -> Announced:
    """Where a queue's `record:` names its announcements."""
    if not isinstance(node, marks.Mapping):
        return {}
    found: Announced = {}
    other = node.entries.get("outgoing")
    for way, form in (("incoming", node), ("outgoing", other)):
        if isinstance(form, marks.Mapping) and "announce" in form.entries:
            found[way] = form.entries["announce"]
    return found


def link(context: Context, model: RecordingModel | None, named: Announced) -> RecordingModel | None:
    """The model with the clips of its announcements."""
    from engine.dialplan import options

    if model is None:
        return None
    for way, node in named.items():
        heard = options.prompt(context, node, PROMPT, f"announce of {way}")
        rule: RecordingRule | None = getattr(model, way)
        if heard is None or rule is None:
            continue
        notice = {language: tuple(parts) for language, parts in heard.items() if language}
        if any(not isinstance(part, str) for parts in notice.values() for part in parts):
            message = "an announcement that a call is recorded speaks no values: it is heard where none are known"
            context.report.add("RD160", node, message, "name a prompt of fixed words")
            continue
        model = msgspec.structs.replace(model, **{way: msgspec.structs.replace(rule, notice=notice)})
    return model

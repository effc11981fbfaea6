"""What belongs to an agent's day: wrap-up, reasons for not being ready, what his phone shows and how it rings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from engine import limits, marks
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import WAYS_OF_KEYS, Reach, Reason, WrapUp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.dialplan.options import Scope
    from engine.dialplan.site_reader import AgentDraft

MODES = ("none", "optional", "optional-timed", "mandatory-timed", "mandatory-discretionary")  # as the distributor's
PLACEHOLDERS = ("tenant", "queue", "caller", "name", "number", "dialled", "verified")
AUTO_ANSWER = ("alert-info", "call-info", "answer-mode")
DISPLAY_CHARACTERS_MAX = 30
HUNG_UP = ("unreachable", "logout")
CONFIRM_MS = 10_000  # for the key 1, from his picking up
REASONS_MAX = 99
_KEYS = ("mode", "time", "early", "codes", "required", "extend", "extensions")
_OWN_KEYS = ("mode", "time", "early")  # an agent's own; codes and extensions are the queue's
PHONE_KEYS = (
    "auto_answer", "dtmf", "messages", "number", "confirm", "confirm_in", "with", "nailed_up", "when_hung_up",
    "forward", "srtp",
)  # fmt: skip
_OUTSIDE = re.compile(r"\+?[0-9]{1,32}")
_CODE = re.compile(r"[1-9][0-9]?")
_BUDGET = re.compile(r"(\S+?)(?:\s+per\s+shift)?")
_ALERT = re.compile(r"(?:<[A-Za-z][A-Za-z0-9+.-]*:[!-;=?-~]+>)?(?:\s*;\s*[A-Za-z0-9-]+(?:=[A-Za-z0-9.%+_-]+)?)*")


def read_wrap_up(report: Report, node: marks.Node | None, *, own: bool = False) -> WrapUp | None:
    """`wrap_up: 30s` (mandatory-timed; 0s none) or a mapping. `own`: an agent's, which has no codes. None: not said."""
    if node is None:
        return None
    if isinstance(node, marks.Scalar):
        ms = values.duration(report, node, "wrap_up", 0, limits.wrap_up_ms_max)
        return None if ms is None else WrapUp("mandatory-timed" if ms else "none", ms)
    form = values.mapping(report, node, "wrap_up")
    if form is None:
        return None
    values.known_keys(report, form, "an agent's wrap_up" if own else "wrap_up", _OWN_KEYS if own else _KEYS)
    entries = form.entries
    ms = values.duration(report, entries.get("time"), "time", 1_000, limits.wrap_up_ms_max) or 0
    mode = values.choice(report, entries.get("mode"), "mode", MODES)
    if mode is None:
        mode = "mandatory-timed" if ms else "none"
    elif mode.endswith("-timed") and "time" not in entries:
        report.add("RD022", entries["mode"], f"{mode} says no time", "add time: 30s")
    elif ms and mode in ("none", "optional"):
        hint = "write mode: optional-timed" if mode == "optional" else "leave it out"
        report.add("RD024", entries["time"], f"a time means nothing with mode: {mode}", hint)
    early = values.flag(report, entries.get("early"), "early")
    if early is not None and mode != "mandatory-timed":
        report.add("RD024", entries["early"], "only a mandatory-timed wrap-up can be held to its time", "leave it out")
    codes = _codes(report, entries.get("codes"))
    required = bool(values.flag(report, entries.get("required"), "required"))
    if required and "codes" not in entries:
        report.add("RD022", entries["required"], "no codes are named that could be required", "add codes: {1: sold}")
    elif required and not mode.startswith("mandatory"):
        hint = "write mode: mandatory-discretionary, or mandatory-timed with a time"
        report.add("RD024", entries["required"], f"with mode: {mode} there may be no wrap-up to give a code in", hint)
    extend = values.duration(report, entries.get("extend"), "extend", 1_000, limits.wrap_up_ms_max)
    most = values.number(report, entries.get("extensions"), "extensions", 0, 100)
    return WrapUp(
        mode, ms, early is not False, codes, required, 30_000 if extend is None else extend, 2 if most is None else most
    )


def _codes(report: Report, node: marks.Node | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.mapping(report, node, "codes") or ():
        name = values.name(report, value, "a wrap-up code")
        if _CODE.fullmatch(key.text) is None:
            report.add("RD024", key, f"{key.text!r} is not a key for a code", "a number from 1 to 99, as typed")
        elif name is not None and name in found.values():
            report.add("RD024", value, f"the code {name!r} stands here twice")
        elif name is not None:
            found[key.text] = name
    return found


def read_reasons(report: Report, node: marks.Node | None, inherited: dict[str, Reason]) -> dict[str, Reason]:
    """`reasons: {1: lunch, 2: {name: break, budget: 15min}}`; a tenant's own list replaces the site's."""
    form = values.mapping(report, node, "reasons")
    if form is None:
        return inherited
    found: dict[str, Reason] = {}
    for key, value in form:
        reason = _reason(report, value)
        if _CODE.fullmatch(key.text) is None:
            report.add("RD024", key, f"{key.text!r} is not a key for a reason", "a number from 1 to 99, as typed")
        elif reason is not None and any(each.name == reason.name for each in found.values()):
            report.add("RD024", value, f"the reason {reason.name!r} stands here twice")
        elif reason is not None:
            found[key.text] = reason
    return found


def _reason(report: Report, node: marks.Node) -> Reason | None:
    if isinstance(node, marks.Scalar):
        plain = values.name(report, node, "a reason")
        return Reason(plain) if plain else None
    form = values.mapping(report, node, "a reason")
    if form is None:
        return None
    values.known_keys(report, form, "a reason", ("name", "budget"))
    if "name" not in form.entries:
        report.add("RD022", form, "a reason without a name", "add name: lunch")
        return None
    name = values.name(report, form.entries["name"], "a reason")
    budget = values.scalar(report, form.entries.get("budget"), "budget")
    budget_ms = 0
    if budget is not None:
        match = _BUDGET.fullmatch(budget.text)
        text = match.group(1) if match else budget.text
        shown = marks.Scalar(text, budget.file, budget.line, budget.column) if match else budget
        budget_ms = values.duration(report, shown, "budget", 1_000, 24 * 3_600_000) or 0
    return Reason(name, budget_ms) if name else None


def read_phone(
    report: Report, node: marks.Node | None, contact: marks.Scalar | None
) -> tuple[dict[str, Any], marks.Scalar | None]:
    """`phone:` of an agent: (fields of AgentModel, the outside number at its place). Whether an outbound rule leads to
    the number is the reader's to check."""
    phone = values.mapping(report, node, "phone")
    if phone is None:
        return {}, None
    values.known_keys(report, phone, "phone", PHONE_KEYS)
    entries = phone.entries
    dtmf = values.choice(report, entries.get("dtmf"), "dtmf", WAYS_OF_KEYS)
    changes: dict[str, Any] = {
        "messages": values.flag(report, entries.get("messages"), "messages") is not False,
        "auto_answer": values.choice(report, entries.get("auto_answer"), "auto_answer", AUTO_ANSWER) or "",
        "dtmf": dtmf or "auto", "srtp": values.srtp(report, entries.get("srtp"), ""),
        "forward": values.choice(report, entries.get("forward"), "forward", ("refuse", "follow")) == "follow",
    }
    number = values.scalar(report, entries.get("number"), "number")
    if number is not None and _OUTSIDE.fullmatch(number.text) is None:
        report.add("RD082", number, f"{number.text!r} is not a number", "as it is dialled: digits, a + before them")
        number = None
    confirm = values.flag(report, entries.get("confirm"), "confirm")
    ms = values.duration(report, entries.get("confirm_in"), "confirm_in", 3_000, limits.confirm_ms_max)
    beside = values.choice(report, entries.get("with"), "with", ("registered",))
    nailed = values.flag(report, entries.get("nailed_up"), "nailed_up")
    hung_up = values.choice(report, entries.get("when_hung_up"), "when_hung_up", HUNG_UP)
    if not _sensible(report, phone, bool(nailed)):
        return changes, None
    if nailed:
        changes["reach"] = Reach(
            confirm=bool(confirm), confirm_ms=ms or CONFIRM_MS, nailed_up=True, hung_up=hung_up or HUNG_UP[0]
        )
        return changes, None
    if contact is not None and beside is None:
        hint = "add with: registered, so that both ring, or leave one out"
        report.add("RD024", phone.keys["number"], "a number and a contact: which of them rings?", hint)
    if number is not None:
        changes["reach"] = Reach(number.text, beside is not None, confirm is not False, ms or CONFIRM_MS)
    return changes, number


def _sensible(report: Report, phone: marks.Mapping, nailed: bool) -> bool:
    """Is he reached by a number or a nailed-up leg, and does every key of it mean something? Else it has been told."""
    entries, before = phone.entries, report.errors
    numbered = "number" in entries
    if numbered and nailed:
        hint = "leave one out: a nailed-up leg is the agent's own call"
        report.add("RD024", phone.keys["number"], "a number and a nailed-up leg: which of them is used?", hint)
    for key in ("confirm", "confirm_in"):
        if key in entries and not numbered and not nailed:
            report.add("RD024", phone.keys[key], f"{key} means nothing without a number", "add number: '+44…'")
    if "with" in entries and not numbered:
        report.add("RD024", phone.keys["with"], "with means nothing without a number", "add number: '+44…'")
    if "when_hung_up" in entries and not nailed:
        report.add("RD024", phone.keys["when_hung_up"], "when_hung_up needs nailed_up: yes", "add it")
    asked = entries.get("confirm")
    if numbered and "confirm_in" in entries and isinstance(asked, marks.Scalar) and asked.text == "no":
        report.add("RD024", phone.keys["confirm_in"], "confirm_in means nothing with confirm: no", "leave it out")
    return report.errors == before and (numbered or nailed)


def read_display(report: Report, node: marks.Node | None) -> str | None:
    """`display: "[{queue}] {caller}"`: what stands in braces must be known."""
    found = values.prose(report, node, "display")
    if found is None:
        return None
    text = found.text
    for match in re.finditer(r"\{([^{}]*)\}|[{}]", text):
        word = match.group(1)
        if word is None:
            report.add("RD024", found, f"display: a single {match.group()} at character {match.start() + 1}")
            return None
        if word not in PLACEHOLDERS:
            hint = did_you_mean(word, PLACEHOLDERS, otherwise="known: " + ", ".join(PLACEHOLDERS))
            place = marks.Scalar(f"{{{word}}}", found.file, found.line, _column(found, match.start()))
            report.add("RD024", place, f"display has no {{{word}}}", hint)
            return None
    fixed = len(re.sub(r"\{[^{}]*\}", "", text))
    if not text.strip() or fixed >= DISPLAY_CHARACTERS_MAX:
        message = f"display has {fixed} fixed characters; a phone is shown {DISPLAY_CHARACTERS_MAX} in all"
        report.add("RD024", found, message if text.strip() else "an empty display", "shorter words")
        return None
    return text


def _column(found: marks.Scalar, at: int) -> int:
    """The column of a character of the text: quotes stand before it."""
    return found.column + at + (1 if found.style in ("'", '"') else 0)


def read_alert_info(report: Report, node: marks.Node | None) -> str | None:
    """`<urn:alert:…>`, `<http://…>;info=…` or `;info=…` alone (RFC 3261 §20.4, RFC 7462)."""
    found = values.scalar(report, node, "alert_info")
    if found is None:
        return None
    text = found.text.strip()
    if not text or len(text) > 120 or _ALERT.fullmatch(text) is None:
        hint = "as in <urn:alert:source:external>, <http://ringdown>;info=ring2 or ;info=ring2"
        report.add("RD024", found, f"{found.text!r} is not a value of Alert-Info", hint)
        return None
    return text if text.startswith("<") else f"<http://ringdown.invalid>{text}"


def supervisors(report: Report, tenant: str, drafts: Mapping[str, AgentDraft], scope: Scope) -> None:
    """Resolve the queues and teams that agents supervise; a name that is both stands for both."""
    teams = list(dict.fromkeys(each.team for each in scope.agents.values() if each.team))
    for number, agent in drafts.items():
        found: list[str] = []
        for word in agent.supervises:
            found += [f"queue/{tenant}/{word.text}"] if word.text in scope.queues else []
            found += [f"team/{word.text}"] if word.text in teams else []
            if word.text not in scope.queues and word.text not in teams and scope.complete:
                hint = did_you_mean(word.text, [*scope.queues, *teams], otherwise="a queue, or the team of an agent")
                report.add("RD032", word, f"no queue or team {word.text!r}", hint)
        scope.agents[number] = msgspec.structs.replace(scope.agents[number], supervises=tuple(found))

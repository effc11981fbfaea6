"""What the verbs that bring people together and that record need beyond their options.

Each function gets (linker, step as drafted, its file's draft, name prefix, data, outs, info), see `linker.Linker.step`,
and completes `data`, `outs` and `info` in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import limits
from engine.dialplan import queue_linker, survey_reader
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.finish_listen import TIMEOUT_MS

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker

RING_MS, MESSAGE_MS = 30_000, 180_000


def _dial(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("ring", RING_MS)
    data.setdefault("mode", "parallel")
    if ("to" in step.options) == ("steps" in step.options):
        message = "dial rings to: or steps:" + (", not both" if "to" in step.options else "")
        hint = "write to: NUMBER, or steps: with lines - {to: NUMBER, ring: 15s}"
        linker.report.add("RD165", step.key, message, hint)
    if "steps" in data:
        data["steps"] = [[targets, ring or data["ring"], sure] for targets, ring, sure in data["steps"]]
    for name in ("busy", "no_answer", "rejected"):
        if name not in outs and "failed" in outs:
            outs[name] = outs["failed"]


def _callback(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("timeout", TIMEOUT_MS)
    data.setdefault("tries", 2)
    data.setdefault("replace", False)
    data.setdefault("confirm_by_key", True)
    data.setdefault("needs", [])
    model = linker.scope.queues.get(str(data.get("queue", "")).rpartition("/")[2])
    if model is None:
        return
    node = step.options.get("queue", step.key)
    if model.callback is None:
        message = f"the queue {model.name} calls nobody back"
        linker.report.add("RD048", node, message, "add callback: {allow: [...]} to it in queues.yaml")
    elif "number" in data and not model.callback.typed:
        message = f"the queue {model.name} calls back only the number that a caller rings from"
        linker.report.add("RD048", step.options["number"], message, "callback: {typed_numbers: yes} allows others")


def _record(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    if "announce" in data:
        data["announce_recording"] = data.pop("announce")
    elif "opt_out" in data:
        message = "nobody is told of the key that refuses the recording"
        linker.report.add("RD161", step.options["opt_out"], message, "add announce: PROMPT")
    if "announce_recording" in data and data.get("call") != "start":
        message = "only - record: {call: start, …} announces a recording"
        linker.report.add("RD162", step.options["announce"], message, "play: a prompt before a message is taken")
    data.setdefault("max", MESSAGE_MS)
    data.setdefault("finish", ["#"])
    name = data.get("into")
    if name and linker.context.types[name].kind != "text":
        message = f"a recording's name cannot go into {name!r}, a {linker.context.types[name]}"
        linker.report.add("RD074", step.options["into"], message, "declare it as text")


def _transfer(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("ring", RING_MS)
    if ("to" in step.options) == ("queue" in step.options):
        message = "a transfer leads to somebody, or into a queue" + (", not both" if "to" in step.options else "")
        linker.report.add("RD164", step.key, message, "write to: NUMBER, or queue: NAME")
    for name in ("busy", "no_answer", "rejected"):
        if name not in outs and "failed" in outs:
            outs[name] = outs["failed"]


def _park(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    if not linker.scope.slots and linker.scope.complete:
        message = "nobody can be parked: the tenant has no slots"
        linker.report.add("RD166", step.key, message, "add parking: {slots: 71-79} to site.yaml or tenant.yaml")


def _conference(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data.setdefault("max", limits.mix_legs_max)


def _survey(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    form = linker.scope.surveys.get(data.get("name", ""))
    if form is not None:
        data.update(survey_reader.survey(linker.context, form))


def _voicemail(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    data["barge_in"] = False  # any other key than # leaves the greeting to be heard out


FINISH = {
    "queue": queue_linker.finish, "dial": _dial, "callback": _callback, "record": _record,
    "transfer": _transfer, "survey": _survey, "park": _park, "conference": _conference,
    "voicemail": _voicemail,
}  # fmt: skip

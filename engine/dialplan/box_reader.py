"""boxes.yaml: where callers leave messages, and who hears them; `mail:` and `voicemail:` of a site."""

from __future__ import annotations

import re
from typing import Any

from engine import limits, marks
from engine.dialplan import options, values
from engine.dialplan.box_model import BoxModel, MailModel
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.options import Context
from engine.dialplan.verbs.shape import Option

KEYS = (
    "about", "queue", "agent", "number", "greeting", "max", "min", "messages", "hears", "mail", "callback", "unheard",
    "keep", "pin",
)  # fmt: skip
MAIL_KEYS = ("host", "port", "from", "user", "password", "security")
SECURITY = {"starttls": 587, "tls": 465, "none": 25}  # with the port that is usual
_DAY = 86_400_000
_NUMBER = re.compile(r"[0-9]{1,12}")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_SIZE = re.compile(r"([0-9]{1,6})(MB|GB)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")


def read_boxes(context: Context, root: marks.Node | None, *, mails: bool) -> dict[str, BoxModel]:
    """boxes.yaml of one tenant: name -> box. `mails`: the site names a server that takes mail."""
    found: dict[str, BoxModel] = {}
    report = context.report
    for key, value in values.mapping(report, root, "boxes.yaml") or ():
        name = key.text if _NUMBER.fullmatch(key.text) else values.name(report, key, "a box")
        form = values.mapping(report, value, f"the box {key.text}")
        if name is None or form is None:
            continue
        box = _box(context, key, form, name, mails=mails)
        twin = next((each for each in found.values() if box.number and each.number == box.number), None)
        if twin is not None:
            place = form.entries.get("number", key)
            report.add("RD182", place, f"{box.number} opens the box {twin.name} already", "give each its own number")
        found[name] = box
    return found


def _box(context: Context, key: marks.Scalar, form: marks.Mapping, name: str, *, mails: bool) -> BoxModel:
    report, entries, scope = context.report, form.entries, context.scope
    values.known_keys(report, form, "a box", KEYS)
    changes: dict[str, Any] = {}
    for word, field, low, high in (
        ("max", "longest_ms", 5_000, limits.message_ms_max), ("min", "shortest_ms", 0, 60_000),
        ("unheard", "unheard_ms", 60_000, 30 * _DAY),
    ):  # fmt: skip
        ms = values.duration(report, entries.get(word), word, low, high)
        if ms is not None:
            changes[field] = ms
    keep = values.duration(report, entries.get("keep"), "keep", _DAY, 36_500 * _DAY)
    changes["keep_days"] = 0 if keep is None else keep // _DAY
    most = values.number(report, entries.get("messages"), "messages", 1, limits.box_messages_max)
    if most is not None:
        changes["messages_max"] = most
    _whose(context, key, form, name, changes)
    hearers = [changes["agent"]] if changes.get("agent") else []
    for hearer in values.scalars(report, entries.get("hears"), "hears"):
        if hearer.text in scope.agents:
            hearers.append(f"{scope.tenant}/{hearer.text}")
        else:
            context.unknown("RD035", hearer, f"no agent {hearer.text!r}", list(scope.agents))
    changes["hearers"] = tuple(dict.fromkeys(hearers))
    changes["mail"] = _addresses(report, entries.get("mail"), mails=mails)
    changes["pin"] = _pin(report, entries.get("pin"))
    _greeting(context, entries.get("greeting"), name, changes)
    box = BoxModel(scope.tenant, name, **changes)
    if box.shortest_ms >= box.longest_ms:
        place = entries.get("min") or entries.get("max") or key
        report.add("RD024", place, "no message could be long enough: min is not below max")
    if not (box.hearers or box.mail or box.callback) and "hears" not in entries and "mail" not in entries:
        hint = "add hears: [201], mail: [name@example.org] or callback: yes"
        report.add("RD181", key, f"nobody is told of a message in the box {name}", hint)
    return box


def _whose(context: Context, key: marks.Scalar, form: marks.Mapping, name: str, changes: dict[str, Any]) -> None:
    """The queue or the person it belongs to, the digits that open it, and whether messages are called back."""
    report, entries, scope = context.report, form.entries, context.scope
    if "queue" in entries and "agent" in entries:
        report.add("RD024", form.keys["agent"], "a box belongs to a queue or to an agent", "leave one out")
    if "queue" in entries:
        changes["queue"] = options.queue(context, entries["queue"], Option("queue"), f"queue of {name}") or ""
    agent = values.scalar(report, entries.get("agent"), "agent")
    if agent is None and "agent" not in entries and name in scope.agents and "queue" not in entries:
        changes["agent"] = f"{scope.tenant}/{name}"
    elif agent is not None and agent.text in scope.agents:
        changes["agent"] = f"{scope.tenant}/{agent.text}"
    elif agent is not None:
        context.unknown("RD035", agent, f"no agent {agent.text!r}", list(scope.agents))
    number = values.scalar(report, entries.get("number"), "number")
    if number is not None and _NUMBER.fullmatch(number.text) is None:
        report.add("RD082", number, f"{number.text!r} is not digits that can be dialled behind the code")
    elif number is not None:
        changes["number"] = number.text
    else:
        changes["number"] = str(changes.get("agent", "")).rpartition("/")[2] or (name if name.isdigit() else "")
    back = values.flag(report, entries.get("callback"), "callback")
    if not back:
        return
    model = scope.queues.get(str(changes.get("queue", "")).rpartition("/")[2])
    if model is None:
        if scope.complete:
            hint = "add queue: NAME, a queue that calls back"
            report.add("RD022", form.keys["callback"], "callback: yes without a queue that would call", hint)
    elif model.callback is None:
        hint = "add callback: {allow: [...]} to it in queues.yaml"
        report.add("RD048", form.keys["callback"], f"the queue {model.name} calls nobody back", hint)
    else:
        changes["callback"] = True


def _addresses(report: Report, node: marks.Node | None, *, mails: bool) -> tuple[str, ...]:
    found = []
    for word in values.scalars(report, node, "mail"):
        if _ADDRESS.fullmatch(word.text) is None:
            report.add("RD024", word, f"{word.text!r} is not a mail address", "as in front@example.org")
        else:
            found.append(word.text)
    if found and not mails and node is not None:
        hint = "add mail: {host: smtp.example.org, from: ringdown@example.org} to site.yaml"
        report.add("RD183", node, "the site names no server that takes mail", hint)
    return tuple(dict.fromkeys(found))


def _pin(report: Report, node: marks.Node | None) -> bool:
    found = values.scalar(report, node, "pin")
    if found is None or found.text in ("yes", "no"):
        return found is None or found.text == "yes"
    hint = "write pin: yes or no; the PIN itself is made in the data folder: ringdown voicemail BOX pin"
    report.add("RD080", found, "a literal pin in a site's file", hint)
    return True


def _greeting(context: Context, node: marks.Node | None, name: str, changes: dict[str, Any]) -> None:
    heard = options.prompt(context, node, Option("prompt"), f"greeting of {name}") if node is not None else None
    if heard:
        changes["greeting"] = {
            language: tuple(part for part in parts if isinstance(part, str))
            for language, parts in heard.items() if language
        }  # fmt: skip


# --- site.yaml ---------------------------------------------------------------------------------------------------
def read_mail(report: Report, node: marks.Node | None) -> MailModel | None:
    """`mail:` of site.yaml."""
    form = values.mapping(report, node, "mail")
    if form is None:
        return None
    values.known_keys(report, form, "mail", MAIL_KEYS)
    entries, changes = form.entries, dict[str, Any]()
    values.no_passwords(report, form, "write: password: secret mail; `ringdown secret move --site DIR` does it")
    for word in ("host", "from"):
        if word not in entries:
            report.add("RD022", form, f"mail without {word}", f"add {word}: {_EXAMPLES[word]}")
    host = values.scalar(report, entries.get("host"), "host")
    if host is not None and _HOST.fullmatch(host.text) is None:
        report.add("RD086", host, f"{host.text!r} is not a host", "as in smtp.example.org")
    sender = values.scalar(report, entries.get("from"), "from")
    if sender is not None and _ADDRESS.fullmatch(sender.text) is None:
        report.add("RD024", sender, f"{sender.text!r} is not a mail address", "as in ringdown@example.org")
    security = values.choice(report, entries.get("security"), "security", SECURITY) or "starttls"
    port = values.number(report, entries.get("port"), "port", 1, 65_535)
    user = values.scalar(report, entries.get("user"), "user")
    password = values.scalar(report, entries.get("password"), "password")
    if password is not None and password.text.startswith("secret "):
        changes["secret"] = password.text.removeprefix("secret ").strip()
    if host is None or sender is None:
        return None
    if user is not None:
        changes["user"] = user.text
        if security == "none":
            message = "user and password would cross the network in clear"
            report.add("RD184", user, message, "security: starttls or tls; without a user none is sent")
    return MailModel(host.text.strip("[]"), port or SECURITY[security], sender.text, security=security, **changes)


_EXAMPLES = {"host": "smtp.example.org", "from": "ringdown@example.org"}


def quota_bytes(report: Report, node: marks.Node | None, what: str) -> int:
    """`500MB` or `20GB` in bytes; 0 after a finding, or where nothing is said."""
    found = values.scalar(report, node, what)
    if found is None:
        return 0
    match = _SIZE.fullmatch(found.text)
    if match is None or not int(match[1]):
        report.add("RD024", found, f"{what}: {found.text!r} is not a size", "as in 500MB or 20GB")
        return 0
    return int(match[1]) * (1_000_000 if match[2] == "MB" else 1_000_000_000)


def box_option(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The full name of a box of this tenant."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a box"):
        return None
    if found.text in context.scope.boxes:
        return f"{context.scope.tenant}/{found.text}"
    if context.scope.complete:
        hint = did_you_mean(found.text, context.scope.boxes, otherwise="boxes are written in boxes.yaml")
        context.report.add("RD180", found, f"no box {found.text!r}", hint)
    return None


RULES: dict[str, options.Rule] = {"box": box_option}


def read_voicemail(report: Report, node: marks.Node | None) -> int | None:
    """`voicemail: {quota: 500MB}` of site.yaml or tenant.yaml in bytes, 0 without a bound; None: not there."""
    form = values.mapping(report, node, "voicemail")
    if form is None:
        return None
    values.known_keys(report, form, "voicemail", ("quota",))
    return quota_bytes(report, form.entries.get("quota"), "quota of voicemail")

"""`bus:` of site.yaml -> BusModel. Whether somebody answers there is known only when the engine runs."""

from __future__ import annotations

import re
from typing import Any

from engine import marks
from engine.dialplan import addresses, values
from engine.dialplan.bus import BusModel
from engine.dialplan.findings import Report

PORT, TLS_PORT = 1883, 8883
_KEYS = ("broker", "topic", "user", "password", "tls", "agents", "grace")
GRACE_MS_MIN, GRACE_MS_MAX = 1_000, 600_000
_TOPIC = re.compile(r"[A-Za-z0-9_.-]{1,64}(?:/[A-Za-z0-9_.-]{1,64}){0,7}")
_PORT = re.compile(r"(.*?):([0-9]{1,5})")


def read(report: Report, node: marks.Node | None) -> BusModel | None:
    """None without `bus:`, or after a finding."""
    form = values.mapping(report, node, "bus")
    if form is None:
        return None
    before = report.errors
    values.no_passwords(report, form, "write: password: secret NAME; `ringdown secret move --site DIR` does it")
    values.known_keys(report, form, "bus", _KEYS)
    entries = form.entries
    broker = values.scalar(report, entries.get("broker"), "broker")
    if "broker" not in entries:
        report.add("RD022", form, "a bus without a broker", "add broker: mqtt.example.net")
    if broker is None:
        return None
    tls = bool(values.flag(report, entries.get("tls"), "tls"))
    match = _PORT.fullmatch(broker.text)
    host, port = (match[1], int(match[2])) if match is not None else (broker.text, TLS_PORT if tls else PORT)
    shown = marks.Scalar(host, broker.file, broker.line, broker.column)
    if not 1 <= port <= 65_535:
        report.add("RD086", broker, f"there is no port {port}", "from 1 to 65535")
    elif addresses.host(report, shown, "broker"):
        changes: dict[str, Any] = {"host": host, "port": port, "tls": tls}
        topic = values.scalar(report, entries.get("topic"), "topic")
        if topic is not None and addresses.matches(report, topic, _TOPIC, "a topic such as acme/ringdown"):
            changes["topic"] = topic.text
        user = values.scalar(report, entries.get("user"), "user")
        if user is not None:
            changes["user"] = user.text
        secret = values.scalar(report, entries.get("password"), "password")
        if secret is not None and secret.text.startswith("secret "):
            changes["secret"] = secret.text.removeprefix("secret ").strip()
        changes["agents"] = bool(values.flag(report, entries.get("agents"), "agents"))
        grace_ms = values.duration(report, entries.get("grace"), "grace", GRACE_MS_MIN, GRACE_MS_MAX)
        if grace_ms is not None:
            changes["grace_ms"] = grace_ms
        if report.errors == before:
            _advise(report, form, BusModel(**changes))
            return BusModel(**changes)
    return None


def _advise(report: Report, form: marks.Mapping, model: BusModel) -> None:
    """Whoever reads an agent's password on the way is that agent from then on."""
    if model.agents and not model.tls and model.host not in ("127.0.0.1", "localhost", "::1"):
        hint = "add tls: yes (port 8883), or let the broker run on this machine and speak TLS to the agents itself"
        report.add("RD372", form.keys["agents"], "agents command over this bus, and it is not encrypted", hint)

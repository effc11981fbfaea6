"""`bus:` of site.yaml -> BusModel. Whether somebody answers there is known only when the engine runs."""

from __future__ import annotations

import re
from typing import Any

from engine import marks
from engine.dialplan import addresses, values
from engine.dialplan.bus import BusModel
from engine.dialplan.findings import Report

PORT, TLS_PORT = 1883, 8883
_KEYS = ("broker", "topic", "user", "password", "tls")
_TOPIC = re.compile(r"[A-Za-z0-9_.-]{1,64}(?:/[A-Za-z0-9_.-]{1,64}){0,7}")
_PORT = re.compile(r"(.*?):([0-9]{1,5})")


def read(report: Report, node: marks.Node | None) -> BusModel | None:
    """None without `bus:`, or after a finding."""
    form = values.mapping(report, node, "bus")
    if form is None:
        return None
    before = report.errors
    values.no_passwords(report, form, "write: password: secret NAME, and put the value into the data folder")
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
        if report.errors == before:
            return BusModel(**changes)
    return None

"""application/dialog-info+xml (RFC 4235 §4): what a watcher is told of somebody's dialogs, always all of them.

A document belongs to one subscription: it counts up there (§4.3) and names us as that watcher does. What is told to
many is therefore written once with a blank version and host (`body`), and filled in for each (`addressed`).
"""

from __future__ import annotations

import re
from urllib.parse import quote
from xml.sax.saxutils import escape

import msgspec

PACKAGE = "dialog"
BODY = "application/dialog-info+xml"
NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
DIALOGS_MAX = 20  # in one document: the datagram that carries it has an end
TRYING, PROCEEDING, EARLY, CONFIRMED, TERMINATED = "trying", "proceeding", "early", "confirmed", "terminated"
_HOST = "host.invalid"  # RFC 2606: nobody's name, so it can't stand in a document for anything else
_VERSION = ' version="0" '
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_USER = "+*#!$&'()-._~=,;?/"  # beside letters and digits; `#` is escaped below, since a URI ends there


class Shown(msgspec.Struct, frozen=True):
    """One dialog as the watched phone sees it: `local` is its own side. `state`: trying | proceeding | early |
    confirmed. Without a Call-ID and both tags nobody can take its place."""

    id: str
    state: str
    direction: str = ""  # initiator | recipient | '' unknown
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""
    remote: str = ""  # the user of the other side's address, '' not told
    remote_name: str = ""
    held: bool = False  # the watched phone doesn't render: it has put the other side on hold


def body(watched: str, dialogs: tuple[Shown, ...]) -> bytes:
    """The document for `watched` (a user), for `addressed`.

    Nothing going on is one dialog that has ended: lamps of several makes stay lit on an empty document.
    """
    entity = _uri(watched)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<dialog-info xmlns="{NAMESPACE}"{_VERSION}state="full" entity="{_quoted(entity)}">',
    ]
    for each in dialogs[:DIALOGS_MAX]:
        lines += _dialog(each, entity)
    if not dialogs:
        lines += [f'<dialog id="{_quoted(watched)}">', f"<state>{TERMINATED}</state>", "</dialog>"]
    lines.append("</dialog-info>")
    return ("\n".join(lines) + "\n").encode()


def addressed(document: bytes, version: int, host: str) -> bytes:
    """The document for one subscription: its number there, and the host by which its watcher knows us."""
    numbered = document.replace(_VERSION.encode(), f' version="{version}" '.encode(), 1)
    return numbered.replace(_HOST.encode(), _quoted(host).encode())


def _dialog(shown: Shown, entity: str) -> list[str]:
    """§4.1: state, then the two sides, in this order."""
    attributes = [f'id="{_quoted(shown.id)}"']
    if shown.call_id and shown.local_tag and shown.remote_tag:
        attributes += [
            f'call-id="{_quoted(shown.call_id)}"', f'local-tag="{_quoted(shown.local_tag)}"',
            f'remote-tag="{_quoted(shown.remote_tag)}"',
        ]  # fmt: skip
    if shown.direction:
        attributes.append(f'direction="{shown.direction}"')
    lines = [f"<dialog {' '.join(attributes)}>", f"<state>{shown.state}</state>"]
    rendering = '<param pname="+sip.rendering" pval="no"/>' if shown.held else ""  # §5.2
    lines += ["<local>", f"<identity>{_text(entity)}</identity>", _target(entity, rendering), "</local>"]
    if shown.remote:
        uri = _uri(shown.remote)
        name = f' display="{_quoted(shown.remote_name)}"' if shown.remote_name else ""
        lines += ["<remote>", f"<identity{name}>{_text(uri)}</identity>", _target(uri, ""), "</remote>"]
    return [*lines, "</dialog>"]


def _target(uri: str, params: str) -> str:
    return f'<target uri="{_quoted(uri)}">{params}</target>' if params else f'<target uri="{_quoted(uri)}"/>'


def _uri(user: str) -> str:
    return f"sip:{quote(user, safe=_USER).replace('#', '%23')}@{_HOST}"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _quoted(text: str) -> str:
    return escape(_NOT_XML.sub("", text), {'"': "&quot;", "\n": " ", "\r": " ", "\t": " "})

"""How our own requests are written, sent, and said again with credentials (RFC 3261 §8.1, §12.2.1.1, §22)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from engine.errors import ProtocolError
from engine.sip import digest, writer
from engine.sip.core import Core
from engine.sip.dialog import Dialog, next_hop, request_line
from engine.sip.events import Path
from engine.sip.flows import sent_by
from engine.sip.headers import MAGIC
from engine.sip.message import Message
from engine.sip.session import Session
from engine.sip.transaction import Asked, Kind, Transaction
from engine.sip.transaction_layer import start_client
from engine.sip.uri import escape_user

DATAGRAM_BYTES_MAX = 1_300  # §18.1.1: longer requests prefer a stream
CHALLENGES_MAX = 3
_TARGET_REFRESH = frozenset(("INVITE", "UPDATE", "REFER", "NOTIFY"))  # requests that carry a Contact


def via_value(core: Core, path: Path) -> tuple[str, str]:
    """(Via value, branch) for a new request by this path; rport always asked for (RFC 3581 §3)."""
    branch = MAGIC + core.tokens.hex(16)
    host, port = core.flows.own_address(path)
    return f"SIP/2.0/{path.transport.upper()} {sent_by(host, port)};branch={branch};rport", branch


def contact_value(core: Core, path: Path, user: str, *, sips: bool = False) -> str:
    """Our Contact towards `path`: the address that it can reach. `sips`: as a SIPS URI, which the far end's own demands
    (§12.1.1); there the scheme says that TLS is meant, and RFC 5630 §3.1.3 has no transport beside it."""
    host, port = core.flows.own_address(path)
    name = escape_user(user) + "@" if user else ""
    if sips:
        return f"<sips:{name}{sent_by(host, port)}>"
    transport = "" if path.transport == "udp" else f";transport={path.transport}"
    kept = path.transport != "udp" and any(each.outbound and each.flow == path.flow for each in core.accounts.values())
    flow = ";ob" if kept else ""  # RFC 5626 §4.3: what is asked of us comes by the flow that the registrar keeps
    return f"<sip:{name}{sent_by(host, port)}{transport}{flow}>"


def write(
    core: Core,
    method: str,
    uri: str,
    path: Path,
    headers: Iterable[tuple[str, str]],
    body: bytes = b"",
    content_type: str = "",
) -> tuple[bytes, str, Path]:
    """(bytes, branch, path) of a request; a long one moves to a stream that is already open to the same address."""
    value, branch = via_value(core, path)
    rest = list(headers)
    data = writer.request(method, uri, [("via", value), *rest], body, content_type)
    if len(data) > DATAGRAM_BYTES_MAX and path.transport == "udp":
        stream = core.flows.known_stream(path.host, path.port)
        if stream is not None:
            value, branch = via_value(core, stream)
            return writer.request(method, uri, [("via", value), *rest], body, content_type), branch, stream
    return data, branch, path


class InDialog(Protocol):
    """What a request in a dialog needs: a session, or a subscription."""

    dialog: Dialog
    contact: str


def dialog_headers(core: Core, session: InDialog, method: str, number: int) -> tuple[str, list[tuple[str, str]]]:
    """(Request-URI, headers) of a request in the session's dialog, Via apart."""
    dialog = session.dialog
    uri, routes = request_line(dialog)
    headers = [("max-forwards", "70")]
    headers += [("route", route) for route in routes]
    headers += [
        ("from", dialog.local), ("to", dialog.remote), ("call-id", dialog.call_id), ("cseq", f"{number} {method}"),
    ]
    if method in _TARGET_REFRESH:
        headers.append(("contact", session.contact))
    if method != "ACK":
        headers.append(("user-agent", core.user_agent))
    return uri, headers


class Asker(InDialog, Protocol):
    """Who can say a request again with credentials: a session, or an early dialog of one."""

    secret: tuple[str, str] | None


def ask(
    core: Core, session: InDialog, method: str, usage: str, owner: int, now_ms: int,
    headers: tuple[tuple[str, str], ...] = (), body: bytes = b"", content_type: str = "",
    credentials: tuple[str, str] | None = None, challenged: int = 0,
) -> Transaction | None:
    """Send a request in the session's dialog; its result comes to `usage`. None: no way leads to the far end.

    A transaction that is TERMINATED at once broke on its transport; it tells nobody.
    """
    dialog = session.dialog
    path = next_hop(dialog, core.flows)
    if path is None:
        return None
    dialog.local_cseq += 1
    uri, fields = dialog_headers(core, session, method, dialog.local_cseq)
    fields += headers
    if credentials is not None:
        fields.append(credentials)
    data, branch, path = write(core, method, uri, path, fields, body, content_type)
    kind = Kind.INVITE_CLIENT if method == "INVITE" else Kind.NON_INVITE_CLIENT
    tx = start_client(core, kind, method, branch, data, path, usage, owner, now_ms)
    tx.asked = Asked(headers, body, content_type, dialog.local_cseq, challenged)
    return tx


def ask_again(
    core: Core, session: Asker, tx: Transaction, response: Message, now_ms: int
) -> Transaction | None:
    """After 401/407: the same request with credentials and the next CSeq (§22.2). None: nothing to try."""
    asked = tx.asked
    if asked is None:
        return None
    uri = request_line(session.dialog)[0]
    credentials = answer_challenge(core, response, session.secret, tx.method, uri, asked.challenged)
    if credentials is None:
        return None
    return ask(
        core, session, tx.method, tx.usage, tx.owner, now_ms, asked.headers, asked.body, asked.content_type,
        credentials, asked.challenged + 1,
    )


def answer_challenge(
    core: Core, response: Message, secret: tuple[str, str] | None, method: str, uri: str, challenged: int
) -> tuple[str, str] | None:
    """The credentials header for a 401/407, once; again only when the far end says that our nonce was stale."""
    if secret is None or challenged >= CHALLENGES_MAX:
        return None
    proxy = response.status == 407
    values = response.all("proxy-authenticate" if proxy else "www-authenticate")
    try:
        if challenged and not any(
            fields.get("stale", "").lower() == "true" for value in values for fields in digest.parse_challenges(value)
        ):
            return None
        value = digest.respond(values, secret[0], secret[1], method, uri, core.tokens)
    except ProtocolError:
        return None
    return ("proxy-authorization" if proxy else "authorization"), value


def say_ack(
    core: Core, session: Session, number: int, sdp: bytes = b"",
    credentials: tuple[str, str] | None = None,
) -> bytes:
    """ACK for a 2xx: a request of its own, outside any transaction, repeated by its user (§13.2.2.4)."""
    path = next_hop(session.dialog, core.flows)
    if path is None:
        path = session.dialog.path
    uri, headers = dialog_headers(core, session, "ACK", number)
    if credentials is not None and credentials[0]:
        headers.append(credentials)
    data, _, path = write(core, "ACK", uri, path, headers, sdp, "application/sdp" if sdp else "")
    core.flows.send(path, data)
    return data


def repeat_ack(core: Core, session: Session, data: bytes) -> None:
    """The same ACK again, for a repeated 2xx."""
    path = next_hop(session.dialog, core.flows)
    core.flows.send(path or session.dialog.path, data)

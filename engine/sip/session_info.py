"""Digits by INFO both ways, and OPTIONS in a dialog (RFC 6086 legacy usage; RFC 3261 §11, §12.2)."""

from __future__ import annotations

from engine.sip import writer
from engine.sip.answers import reply_now
from engine.sip.core import ACCEPT, ALLOW, SUPPORTED, Core
from engine.sip.events import InfoDigit, Path, Probed
from engine.sip.message import Message
from engine.sip.requests import ask, ask_again
from engine.sip.session import Phase, Session
from engine.sip.session_end import drop
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import reply, start_server

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
DURATION_MS_DEFAULT = 160
DURATION_MS_MIN, DURATION_MS_MAX = 40, 5_000
_SIGNALS = {str(number): digit for number, digit in enumerate("0123456789*#ABCD")}
_SIGNALS |= {digit: digit for digit in "*#ABCD"} | {"a": "A", "b": "B", "c": "C", "d": "D"}


def on_info(core: Core, session: Session, message: Message, key: tuple[str, ...], path: Path, now_ms: int) -> None:
    """INFO: a digit is answered 200 and raised; an empty body is a keep-alive; anything else 415."""
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "", session.id, now_ms)
    kind = message.content_type
    status, headers = 200, (("user-agent", core.user_agent),)
    if kind in (RELAY, PLAIN):
        digit, duration_ms = read_digit(message.body)
        if digit and session.phase == Phase.CONFIRMED:
            core.events.append(InfoDigit(session.id, digit, duration_ms))
        elif not digit:
            status = 400
    elif message.body:
        status, headers = 415, (("accept", f"{RELAY}, {PLAIN}"),)
    reply(core, tx, status, writer.response(message, status, headers=headers), now_ms)


def read_digit(body: bytes) -> tuple[str, int]:
    """(digit or '', duration in ms) of `Signal=5 / Duration=160` lines, or of a bare `5`."""
    signal, duration_ms = "", DURATION_MS_DEFAULT
    for line in body[:200].decode("latin-1").splitlines():
        name, equals, value = line.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals and name and not signal:
            signal = line.strip()
        elif name == "signal":
            signal = value
        elif name == "duration" and value.isascii() and value.isdecimal() and len(value) <= 6:
            duration_ms = min(max(int(value), DURATION_MS_MIN), DURATION_MS_MAX)
    return _SIGNALS.get(signal, ""), duration_ms


def send_digit(core: Core, session: Session, digit: str, duration_ms: int, now_ms: int) -> None:
    """One digit as application/dtmf-relay."""
    if session.phase != Phase.CONFIRMED or digit not in _SIGNALS:
        return
    body = f"Signal={digit}\r\nDuration={min(max(duration_ms, DURATION_MS_MIN), DURATION_MS_MAX)}\r\n".encode()
    tx = ask(core, session, "INFO", "info", session.id, now_ms, (), body, RELAY)
    if tx is None or tx.state == State.TERMINATED:
        drop(core, session, "probe", "no way to the far end", now_ms)


def on_info_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """The answer to our INFO: only 401/407 and a vanished dialog matter (a phone may refuse digits)."""
    if response is None:
        return drop(core, session, "probe", "no answer to INFO", now_ms)
    if response.status in (401, 407):
        ask_again(core, session, tx, response, now_ms)
    elif response.status in (408, 481):
        drop(core, session, "probe", response.phrase, now_ms, gone=response.status == 481)
    return None


# --- OPTIONS ------------------------------------------------------------------------------------------------
def on_options(core: Core, message: Message, path: Path) -> None:
    """200 with what we can do (§11.2), in or out of a dialog; needs no memory."""
    reply_now(core, message, path, 200, headers=(("allow", ALLOW), ("accept", ACCEPT), ("supported", SUPPORTED)))


def probe(core: Core, session: Session, now_ms: int) -> None:
    """OPTIONS in the dialog: does the far end still know it?"""
    if session.phase != Phase.CONFIRMED:
        return
    tx = ask(core, session, "OPTIONS", "probe", session.id, now_ms)
    if tx is None or tx.state == State.TERMINATED:
        _verdict(core, session, False, "no way to the far end", now_ms)


def on_probe_result(core: Core, session: Session, tx: Transaction, response: Message | None, now_ms: int) -> None:
    """Any final response but 408 and 481 shows that the far end is there; no response is 408 (§12.2.1.2)."""
    if session.phase != Phase.CONFIRMED:
        return
    if response is None:
        _verdict(core, session, False, "no answer to OPTIONS", now_ms)
    elif response.status in (408, 481):
        _verdict(core, session, False, response.phrase, now_ms, gone=response.status == 481)
    elif response.status >= 200:
        core.events.append(Probed(session.id, True))


def _verdict(core: Core, session: Session, alive: bool, text: str, now_ms: int, *, gone: bool = False) -> None:
    core.events.append(Probed(session.id, alive))
    drop(core, session, "probe", text, now_ms, gone=gone)

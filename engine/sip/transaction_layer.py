"""Runs the four tables: matching, actions, timers (RFC 3261 §17, §18.1.3, §18.2.2; RFC 3581; RFC 6026).

`step` carries out a row and returns what its user has to be told, as a sum of DELIVER, TIMED_OUT and BROKEN.
"""

from __future__ import annotations

from engine.sip import invite_client, invite_server, non_invite_client, non_invite_server
from engine.sip.core import Core
from engine.sip.events import Path
from engine.sip.message import Message
from engine.sip.timers import (
    BY_KEY,
    FORGET_TOGETHER_MS,
    FORGETTING,
    KEYS,
    RELIABLE,
    T2_MS,
    UNRELIABLE,
    Timer,
    doubled_ms,
)
from engine.sip.transaction import ARM_FIRST, TIMER_INPUT_FIRST, Action, Input, Kind, Row, State, Transaction

DELIVER, TIMED_OUT, BROKEN = 1, 2, 4

MACHINES = (invite_client.MACHINE, non_invite_client.MACHINE, invite_server.MACHINE, non_invite_server.MACHINE)
_ROWS: list[list[Row | None]] = [machine.rows for machine in MACHINES]
_INPUTS = len(Input)
# By kind: which timers STOP_REPEATS and STOP_WAIT mean.
_REPEAT_KEYS = (KEYS[Timer.A], KEYS[Timer.E], KEYS[Timer.G], "")
_WAIT_KEYS = (KEYS[Timer.B], KEYS[Timer.F], KEYS[Timer.H], "")
_LAST_KEYS = (
    (KEYS[Timer.D], KEYS[Timer.M]), (KEYS[Timer.K],), (KEYS[Timer.I], KEYS[Timer.L]), (KEYS[Timer.J],),
)
_PORT_DEFAULT = 5060


# --- keys (§17.1.3, §17.2.3) ---------------------------------------------------------------------------
def server_key(message: Message, method: str) -> tuple[str, ...]:
    """What repeats of a request, its ACK and its CANCEL share.

    The CSeq number is part of it: rude phones answer a challenge with the same branch and a higher CSeq, and mean a
    new request. Without the magic cookie the RFC 2543 fields take the branch's place (tags may differ in the ACK).
    """
    via = message.via
    number = str(message.cseq[0])
    if via.has_magic:
        return via.params["branch"], via.host, str(via.port), number, method
    return message.call_id, message.from_.tag, via.host, str(via.port), number, method


def merge_key(message: Message) -> tuple[str, ...]:
    """§8.2.2.2: the same request by another way has these in common."""
    return message.call_id, message.from_.tag, str(message.cseq[0]), message.method


def reply_path(core: Core, path: Path, message: Message) -> Path:
    """Where responses go (§18.2.2, RFC 3581): streams back into the flow; UDP to the source.

    Only a UDP phone that neither asks for rport nor sits behind a NAT gets the port that its Via names. A Via with our
    own address (a rude phone's BYE) is not believed.
    """
    if path.transport != "udp":
        return path
    via = message.via
    port = via.port or _PORT_DEFAULT
    if "rport" in via.params or port == path.port or via.host != path.host or core.flows.is_own(via.host, port):
        return path
    return Path(path.flow, path.host, port, path.transport)


# --- making them ---------------------------------------------------------------------------------------
def start_server(
    core: Core, kind: Kind, message: Message, key: tuple[str, ...], path: Path, usage: str, owner: int, now_ms: int,
    first: bytes = b"",
) -> Transaction:
    """A server transaction for a request just received; `first` is the 100 of an INVITE. The request is kept in it
    until the final response."""
    tx = Transaction(
        core.fresh_id(), kind, State.NEW, key, message.method, reply_path(core, path, message), path.transport != "udp",
        first, usage, owner, request=message, other_port=message.via.port or _PORT_DEFAULT, started_ms=now_ms,
    )
    core.transactions[tx.id] = tx
    core.by_key[key] = tx.id
    if not message.to.tag:
        tx.merge_key = merge_key(message)
        core.merged[tx.merge_key] = tx.id
    step(core, tx, Input.START, now_ms)
    return tx


def start_client(
    core: Core, kind: Kind, method: str, branch: str, data: bytes, path: Path, usage: str, owner: int, now_ms: int
) -> Transaction:
    """A client transaction; sends `data` at once. Its responses are dispatched by `usage`."""
    key = (branch, method)
    tx = Transaction(
        core.fresh_id(), kind, State.NEW, key, method, path, path.transport != "udp", data, usage, owner,
        started_ms=now_ms,
    )
    core.transactions[tx.id] = tx
    core.by_key[key] = tx.id
    step(core, tx, Input.START, now_ms)
    return tx


def find_client(core: Core, response: Message) -> Transaction | None:
    """§17.1.3: by branch of the topmost Via and method of CSeq."""
    number = core.by_key.get((response.via.branch, response.method))
    return None if number is None else core.transactions[number]


def discard(core: Core, tx: Transaction) -> None:
    """Forget a transaction before its time, timers and all."""
    armed = core.deadlines.armed
    for key in (_REPEAT_KEYS[tx.kind], _WAIT_KEYS[tx.kind], *_LAST_KEYS[tx.kind]):
        armed.pop((key, tx.id), None)
    tx.state = State.TERMINATED
    _forget(core, tx)


# --- running them --------------------------------------------------------------------------------------
def response_input(tx: Transaction, status: int) -> Input:
    """Which input a response is for this client transaction."""
    if status < 200:
        return Input.R1XX
    if tx.kind == Kind.NON_INVITE_CLIENT:
        return Input.FINAL
    return Input.R2XX if status < 300 else Input.R3XX_6XX


def reply(core: Core, tx: Transaction, status: int, data: bytes, now_ms: int) -> int:
    """The user of a server transaction responds with `data`. Ignored when a final response has been given."""
    if status < 200:
        happening = Input.SEND_1XX
    elif tx.kind == Kind.NON_INVITE_SERVER:
        happening = Input.SEND_FINAL
    else:
        happening = Input.SEND_2XX if status < 300 else Input.SEND_3XX_6XX
    if _ROWS[tx.kind][tx.state * _INPUTS + happening] is None:
        return 0
    tx.data = data
    if status >= 200:
        tx.request = None
    return step(core, tx, happening, now_ms)


def step(core: Core, tx: Transaction, happening: int, now_ms: int, response: Message | None = None) -> int:
    """One step of the table. Unlisted pairs do nothing: the machine's `IGNORED` says why."""
    row = _ROWS[tx.kind][tx.state * _INPUTS + happening]
    if row is None:
        return 0
    tx.state, actions = row
    told = 0
    for action in actions:
        if action >= ARM_FIRST:
            told |= _arm(core, tx, action - ARM_FIRST, now_ms)
        elif action == Action.SEND:
            told |= _send(core, tx, tx.data, now_ms)
        elif action == Action.DELIVER:
            told |= DELIVER
        else:
            told |= _other(core, tx, action, now_ms, response)
    if tx.state == State.TERMINATED:
        _forget(core, tx)
    return told


def fire(core: Core, key: str, number: int, now_ms: int) -> tuple[Transaction, int] | None:
    """A lettered timer has run out. Returns the transaction and what its user must be told."""
    tx = core.transactions.get(number)
    if tx is None:
        return None
    return tx, step(core, tx, TIMER_INPUT_FIRST + BY_KEY[key], now_ms)


def _arm(core: Core, tx: Transaction, timer: int, now_ms: int) -> int:
    length = (RELIABLE if tx.reliable else UNRELIABLE)[timer]
    if length is None:
        return 0
    if length == 0:  # nothing to wait for on a reliable transport
        return step(core, tx, TIMER_INPUT_FIRST + timer, now_ms)
    if timer in (Timer.A, Timer.E, Timer.G):
        tx.interval_ms = length
    at_ms = now_ms + length
    if timer in FORGETTING:
        at_ms += -at_ms % FORGET_TOGETHER_MS
    core.deadlines.arm((KEYS[timer], tx.id), at_ms)
    return 0


def _other(core: Core, tx: Transaction, action: Action, now_ms: int, response: Message | None) -> int:
    armed = core.deadlines.armed
    if action == Action.STOP_REPEATS:
        armed.pop((_REPEAT_KEYS[tx.kind], tx.id), None)
    elif action == Action.STOP_WAIT:
        armed.pop((_WAIT_KEYS[tx.kind], tx.id), None)
    elif action in (Action.DOUBLE_A, Action.DOUBLE_E, Action.DOUBLE_G, Action.SLOW_E):
        cap = None if action == Action.DOUBLE_A else T2_MS
        tx.interval_ms = T2_MS if action == Action.SLOW_E else doubled_ms(tx.interval_ms, cap)
        core.deadlines.arm((_REPEAT_KEYS[tx.kind], tx.id), now_ms + tx.interval_ms)
    elif action == Action.ACK and response is not None:
        _send(core, tx, refusal_ack(tx.data, response), now_ms)
    elif action == Action.TIMED_OUT:
        return TIMED_OUT
    elif action == Action.BROKEN:
        return BROKEN
    return 0


def _send(core: Core, tx: Transaction, data: bytes, now_ms: int) -> int:
    used = core.flows.send(tx.path, data)
    if used is None and tx.kind >= Kind.INVITE_SERVER:
        # §18.2.2: the connection is gone; try the address that the Via names
        way = core.flows.stream_to(tx.path.transport, tx.path.host, tx.other_port)
        used = core.flows.send(way, data) if way is not None else None
    if used is None:
        return step(core, tx, Input.TRANSPORT_ERROR, now_ms)
    if tx.reliable:
        if used.flow != tx.path.flow:
            _leave_stream(core, tx)
        core.flows.streams[used.flow].transactions[tx.id] = True
        tx.path = used
    return 0


def _leave_stream(core: Core, tx: Transaction) -> None:
    stream = core.flows.streams.get(tx.path.flow)
    if stream is not None:
        stream.transactions.pop(tx.id, None)


def _forget(core: Core, tx: Transaction) -> None:
    core.transactions.pop(tx.id, None)
    if tx.reliable:
        _leave_stream(core, tx)
    if core.by_key.get(tx.key) == tx.id:
        del core.by_key[tx.key]
    if tx.merge_key and core.merged.get(tx.merge_key) == tx.id:
        del core.merged[tx.merge_key]


# --- requests derived from our INVITE ------------------------------------------------------------------
def refusal_ack(invite: bytes, response: Message) -> bytes:
    """§17.1.1.3: the INVITE's Request-URI, top Via, Route, From, Call-ID and CSeq number; the response's To."""
    return _derived(invite, "ACK", response.index["to"])


def cancel_of(invite: bytes, reason: str = "") -> bytes:
    """§9.1: the same fields as the INVITE, To included; `reason` is a Reason header's value."""
    return _derived(invite, "CANCEL", "", reason)


def _derived(invite: bytes, method: str, to: str, reason: str = "") -> bytes:
    """`invite` is our own writing: unfolded, pretty names, one value per line."""
    lines = invite.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    kept = [f"{method} {lines[0].split(' ')[1]} SIP/2.0"]
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        if name in ("Via", "From", "Call-ID", "Max-Forwards", "Route"):
            kept.append(line)
        elif name == "To":
            kept.append(f"To: {to or value}")
        elif name == "CSeq":
            kept.append(f"CSeq: {value.split(' ')[0]} {method}")
        elif name in ("Authorization", "Proxy-Authorization") and method == "ACK":
            kept.append(line)  # §22.1
    if reason:
        kept.append(f"Reason: {reason}")
    return ("\r\n".join(kept) + "\r\nContent-Length: 0\r\n\r\n").encode()

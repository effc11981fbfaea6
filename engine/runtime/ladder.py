"""The last SIP messages for `tail --sip`: bounded rings in memory, and which dialogs and people a call has.

The hot path appends one tuple. Finding a call's messages, and removing secrets from them, is work for the reader who
asks; nothing leaves this module with a secret in it (`hop` is the only way out). A secret is overwritten letter by
letter, so that lengths, and with them captures for the carrier, stay true.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterator

import msgspec

from engine.records.events import Event
from engine.sip.events import Path

calls_kept_max = 1_000
messages_max = 16_000  # of the ring that takes everything
bytes_max = 12_000_000
calls_messages_max = 32_000  # of the ring behind it, for calls only: a flood of refused INVITEs can't reach it
calls_bytes_max = 24_000_000
message_bytes_kept_max = 8_192
dialogs_per_call_max = 64
flows_kept_max = 8_192
scan_messages_max = 250  # looked at before others get their turn on the loop


class Hop(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message: `way` in | out, Unix ms, transport, far end and our own end, whole text without secrets.

    `n` counts kept messages; `data` are the bytes for a capture, only where a reader asked for them.
    """

    at_ms: int
    way: str
    transport: str
    far_end: str
    call: str
    call_id: str
    text: str
    n: int = 0
    here: str = ""
    flow: int = 0
    data: bytes = b""


class Kept(msgspec.Struct):
    """What a call is remembered by: its dialogs (Call-IDs), its caller, the agents that were rung for it."""

    started_ms: int = 0
    ended_ms: int = 0
    caller: str = ""
    dialled: str = ""
    dialogs: list[str] = []
    agents: list[str] = []


Entry = tuple[int, int, str, Path, bytes]
_USUAL = b"\r\nCall-ID: "
_NOISE = (b"REGISTER", b"OPTIONS ", b"\r\n\r\n", b"\r\n")
_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)")
_CREDENTIALS = re.compile(
    rb"(?im)^((?:proxy-)?authorization[ \t]*:[ \t]*)([^\s,]*)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)"
)
_PARAMETER = re.compile(rb'([A-Za-z0-9_-]+)[ \t]*=[ \t]*("[^"]*"|[^,\s"]*)')
_NAMES = (b"username", b"realm", b"uri", b"algorithm", b"qop", b"nc", b"userhash")  # no secrets, and worth knowing
_NONCES = re.compile(rb'(?i)\b((?:next|c)?nonce|opaque|rspauth)([ \t]*=[ \t]*)("[^"]*"|[^,\s"]+)')
_KEYS = re.compile(rb"(?im)^(a=crypto:\S+ \S+ inline:|a=ice-pwd:|a=key-mgmt:\S+ |k=)([^\r\n]*)")
_DIGITS = re.compile(rb"(?im)^(signal[ \t]*=[ \t]*)([^\r\n]*)")
_SPARED = b'"=,; \t\r\n'
_MASK = bytes(code if code in _SPARED else ord("x") for code in range(256))
_DIGIT_MASK = bytes(code if code in b" \t\r\n" else ord("*") for code in range(256))


def call_id_of(data: bytes) -> str:
    """The Call-ID of a raw message, '' when it has none."""
    end = data.find(b"\r\n\r\n")
    found = _CALL_ID.search(data, 0, end if end >= 0 else len(data))
    return found.group(1).strip().decode("utf-8", "replace") if found else ""


def without_secrets(data: bytes) -> bytes:
    """Digest responses, nonces, SRTP keys and digits of INFO bodies overwritten; as long as before."""
    if b"uthorization" in data or b"UTHORIZATION" in data:
        data = _CREDENTIALS.sub(_masked_credentials, data)
    if b"uthentic" in data or b"UTHENTIC" in data:
        data = _NONCES.sub(lambda found: found[1] + found[2] + found[3].translate(_MASK), data)
    if b"a=" in data or b"k=" in data:
        data = _KEYS.sub(lambda found: found[1] + b"x" * len(found[2]), data)
    if data[:5] == b"INFO " or b"dtmf" in data:
        data = _DIGITS.sub(lambda found: found[1] + found[2].translate(_DIGIT_MASK), data)
        head, gap, body = data.partition(b"\r\n\r\n")
        if body and re.search(rb"(?im)^(content-type|c)[ \t]*:[ \t]*application/dtmf[ \t;\r]", head + b"\r"):
            data = head + gap + body.translate(_DIGIT_MASK)
    return data


def _masked_credentials(found: re.Match[bytes]) -> bytes:
    """Everything behind the scheme, except the parameters that are known to be harmless."""
    head, scheme, rest = found[1], found[2], found[3]
    masked = bytearray(rest.translate(_MASK))
    if scheme.lower() == b"digest":
        for parameter in _PARAMETER.finditer(rest):
            start, end = parameter.span(1)
            masked[start:end] = parameter[1]
            if parameter[1].lower() in _NAMES:
                start, end = parameter.span(2)
                masked[start:end] = parameter[2]
    return head + scheme + bytes(masked)


class Ladder:
    """Ring of messages; `note` is called for each one, `know` for the events that say whose a dialog is."""

    def __init__(self) -> None:
        self._ring: deque[Entry] = deque()
        self._bytes = 0
        self._older: deque[Entry] = deque()  # what has left the ring and belongs to a call
        self._older_bytes = 0
        self._serial = 0
        self._calls: OrderedDict[str, Kept] = OrderedDict()
        self._names: dict[str, str] = {}  # Call-ID -> call
        self._here: OrderedDict[int, str] = OrderedDict()  # flow -> our own host:port

    # --- keeping -----------------------------------------------------------------------------------------
    def note(self, at_ms: int, way: str, path: Path, data: bytes) -> int:
        """Keep one message and return its number; 0 for registrations and probes, which would push the calls out.

        Searching it for secrets here would cost 5 µs a message: that is done for the few that anybody reads.
        """
        if data[:8] in _NOISE:
            return 0
        if len(data) > message_bytes_kept_max:
            data = data[:message_bytes_kept_max]
        self._serial += 1
        self._ring.append((self._serial, at_ms, way, path, data))
        self._bytes += len(data)
        while self._bytes > bytes_max or len(self._ring) > messages_max:
            self._retire(self._ring.popleft())
        return self._serial

    def _retire(self, entry: Entry) -> None:
        """Out of the ring: a call's message is kept a while longer, by then it is known to be one."""
        data = entry[4]
        self._bytes -= len(data)
        start = data.find(_USUAL) + len(_USUAL)
        if start < len(_USUAL):  # a compact or oddly written header: the long way
            owned = call_id_of(data) in self._names
        else:
            owned = data[start : data.find(b"\r", start)].decode("utf-8", "replace").strip() in self._names
        if not owned:
            return
        self._older.append(entry)
        self._older_bytes += len(data)
        while self._older_bytes > calls_bytes_max or len(self._older) > calls_messages_max:
            self._older_bytes -= len(self._older.popleft()[4])

    def local(self, flow: int, host: str, port: int) -> None:
        """Our own end of a flow; the oldest connections are forgotten."""
        self._here[flow] = f"{host}:{port}"
        while len(self._here) > flows_kept_max:
            self._here.popitem(last=False)

    def know(self, event: Event) -> None:
        """`call.started`, `call.leg`, `queue.connected` or `call.ended`: dialogs, people and times of a call."""
        data = event.data
        if event.kind == "call.started":
            kept = self._keep(event.call)
            kept.started_ms, kept.caller = event.at_ms, str(data.get("caller") or "")
            kept.dialled = str(data.get("dialled") or "")
        elif event.kind == "call.ended" and event.call in self._calls:
            self._calls[event.call].ended_ms = event.at_ms
        if "sip" in data:
            self.name(event.call, str(data["sip"]))
        agent = str(data.get("agent") or data.get("leg") or "").removeprefix("agent ")
        kept_call = self._calls.get(event.call)
        if agent and kept_call is not None and agent not in kept_call.agents:
            kept_call.agents.append(agent)

    def recall(self, call: str, started_ms: int, caller: str, dialled: str, agents: list[str]) -> None:
        """A call that goes on from an engine before this one: who it is, beside the dialogs that `name` tells."""
        kept = self._keep(call)
        kept.started_ms, kept.caller, kept.dialled = started_ms, caller, dialled
        kept.agents += [agent for agent in agents if agent and agent not in kept.agents]

    def _keep(self, call: str) -> Kept:
        kept = self._calls.get(call)
        if kept is None:
            kept = self._calls[call] = Kept()
            if len(self._calls) > calls_kept_max:
                for old in self._calls.popitem(last=False)[1].dialogs:
                    self._names.pop(old, None)
        return kept

    def name(self, call: str, call_id: str) -> None:
        """`call_id` is a dialog of `call`. The oldest calls are forgotten beyond `calls_kept_max`."""
        if not call or not call_id or self._names.get(call_id) == call:
            return
        kept = self._keep(call)
        if len(kept.dialogs) < dialogs_per_call_max:
            kept.dialogs.append(call_id)
            self._names[call_id] = call

    # --- finding -----------------------------------------------------------------------------------------
    def call_of(self, call_id: str) -> str:
        """The call that owns a Call-ID, or ''."""
        return self._names.get(call_id, "")

    def last_call(self) -> str:
        """The call that was named last, or ''."""
        return next(reversed(self._calls)) if self._calls else ""

    def find(self, wanted: str) -> list[tuple[str, Kept]]:
        """The kept calls that an id, `last`, a caller's number or an agent ("201", "tenant/201") names, newest first.

        A Call-ID that belongs to no call (an INVITE that was refused) is found as itself by `scan`, not here.
        """
        if wanted == "last":
            wanted = self.last_call()
        kept = self._calls.get(wanted)
        if kept is not None:
            return [(wanted, kept)]
        owner = self._names.get(wanted)
        if owner is not None:
            return [(owner, self._calls[owner])]
        if not wanted:
            return []
        return [each for each in reversed(self._calls.items()) if _is_his(each[1], wanted)]

    def scan(self, call: str = "", *, since_ms: int = 0, after: int = 0, raw: bool = False) -> Iterator[Hop | None]:
        """Kept messages in order: of a call (or a Call-ID), or all; from Unix ms `since_ms` on, behind number `after`.

        Yields None now and then: a reader on the loop lets others run there.
        """
        kept = self._calls.get(call)
        dialogs = tuple(kept.dialogs) if kept is not None else (call,)
        needles = tuple(dialog.encode("utf-8", "replace") for dialog in dialogs)
        for count, entry in enumerate((*self._older, *self._ring), 1):
            if count % scan_messages_max == 0:
                yield None
            number, at_ms, way, path, data = entry
            if number <= after or at_ms < since_ms:
                continue
            if call and not (any(needle in data for needle in needles) and call_id_of(data) in dialogs):
                continue
            yield self.hop(at_ms, way, path, data, number, raw=raw)

    def of_call(self, call: str) -> list[Hop]:
        """All kept messages of a call (or of a Call-ID), in order."""
        return [hop for hop in self.scan(call) if hop is not None]

    def forget(self, whole: re.Pattern[bytes]) -> Iterator[int]:
        """Drop every dialog that names a number anywhere; yields the messages dropped so far, after each short step."""
        messages = [*self._older, *self._ring]
        ids: dict[str, None] = {}
        for at, entry in enumerate(messages, 1):
            if whole.search(entry[4]):
                ids[call_id_of(entry[4])] = None
            if at % scan_messages_max == 0:
                yield 0
        dropped: dict[int, None] = {}
        for at, entry in enumerate(messages, 1):
            if ids and call_id_of(entry[4]) in ids:
                dropped[entry[0]] = None
            if at % scan_messages_max == 0:
                yield len(dropped)
        self._drop(dropped)
        for call_id in ids:
            kept = self._calls.pop(self._names.get(call_id, ""), None)
            for each in kept.dialogs if kept is not None else ():
                self._names.pop(each, None)
        yield len(dropped)

    def _drop(self, numbers: dict[int, None]) -> None:
        """Take messages out of both rings by their numbers."""
        self._ring = deque(entry for entry in self._ring if entry[0] not in numbers)
        self._older = deque(entry for entry in self._older if entry[0] not in numbers)
        self._bytes = sum(len(entry[4]) for entry in self._ring)
        self._older_bytes = sum(len(entry[4]) for entry in self._older)

    def hop(self, at_ms: int, way: str, path: Path, data: bytes, number: int = 0, *, raw: bool = False) -> Hop:
        """One message as readers get it."""
        call_id = call_id_of(data)
        clean = without_secrets(data[:message_bytes_kept_max])
        return Hop(
            at_ms, way, path.transport, f"{path.host}:{path.port}", self._names.get(call_id, ""), call_id,
            clean.decode("utf-8", "replace"), number, self._here.get(path.flow, ""), path.flow, clean if raw else b"",
        )


def _is_his(kept: Kept, wanted: str) -> bool:
    return kept.caller == wanted or any(agent == wanted or agent.endswith(f"/{wanted}") for agent in kept.agents)

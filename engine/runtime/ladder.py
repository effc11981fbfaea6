"""The last SIP messages for `tail --sip`: a bounded ring in memory, and which Call-IDs a call has.

The hot path appends one tuple. Finding a call's messages, and removing secrets from them, is work for the reader who
asks; nothing leaves this module with a secret in it (`hop` is the only way out).
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Iterator

import msgspec

from engine.sip.events import Path

calls_kept_max = 1_000
messages_max = 32_000
bytes_max = 24_000_000
message_bytes_kept_max = 8_192
dialogs_per_call_max = 64
step_messages = 500


class Hop(msgspec.Struct, frozen=True):
    """One message: `way` in | out, Unix ms, our transport, far end, whole text without secrets."""

    at_ms: int
    way: str
    transport: str
    far_end: str
    call: str
    call_id: str
    text: str


_NOISE = (b"REGISTER", b"OPTIONS ", b"\r\n\r\n", b"\r\n")
_CALL_ID = re.compile(rb"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)")
_SECRETS = re.compile(rb"(?im)^((?:proxy-)?authorization[ \t]*:[ \t]*\w+)[^\r\n]*((?:\r?\n[ \t][^\r\n]*)*)")
_NONCES = re.compile(rb'(?i)((?:nonce|opaque)=)"[^"]*"')
_CRYPTO = re.compile(rb"(?im)^(a=crypto:\S+ \S+ inline:)[^\r\n]*")
_DIGITS = re.compile(rb"(?im)^(signal[ \t]*=)[ \t]*[^\r\n]*")


def call_id_of(data: bytes) -> str:
    """The Call-ID of a raw message, '' when it has none."""
    end = data.find(b"\r\n\r\n")
    found = _CALL_ID.search(data, 0, end if end >= 0 else len(data))
    return found.group(1).strip().decode("utf-8", "replace") if found else ""


def without_secrets(data: bytes) -> bytes:
    """Digest responses, nonces, SRTP keys and digits of INFO bodies replaced by `…`."""
    if b"uthorization" in data or b"UTHORIZATION" in data:
        data = _SECRETS.sub(rb"\1 ...", data)
    if b"uthenticate" in data:
        data = _NONCES.sub(rb'\1"..."', data)
    if b"a=crypto" in data:
        data = _CRYPTO.sub(rb"\1...", data)
    if data[:5] == b"INFO " or b"dtmf" in data:
        data = _DIGITS.sub(rb"\1 *", data)
    return data


class Ladder:
    """Ring of messages; `note` is called for each one, `name` when a call is known to own a Call-ID."""

    def __init__(self) -> None:
        self._ring: deque[tuple[int, str, Path, bytes]] = deque()
        self._bytes = 0
        self._calls: OrderedDict[str, list[str]] = OrderedDict()  # call -> its Call-IDs
        self._names: dict[str, str] = {}  # Call-ID -> call

    def note(self, at_ms: int, way: str, path: Path, data: bytes) -> None:
        """Keep one message; registrations and probes are left out, they would push the calls out of the ring.

        Searching it for secrets here would cost 5 µs a message: that is done for the few that anybody reads.
        """
        if data[:8] in _NOISE:
            return
        if len(data) > message_bytes_kept_max:
            data = data[:message_bytes_kept_max]
        self._ring.append((at_ms, way, path, data))
        self._bytes += len(data)
        while self._bytes > bytes_max or len(self._ring) > messages_max:
            self._bytes -= len(self._ring.popleft()[3])

    def name(self, call: str, call_id: str) -> None:
        """`call_id` is a dialog of `call`. The oldest calls are forgotten beyond `calls_kept_max`."""
        if not call or not call_id or self._names.get(call_id) == call:
            return
        ids = self._calls.get(call)
        if ids is None:
            ids = self._calls[call] = []
            if len(self._calls) > calls_kept_max:
                for old in self._calls.popitem(last=False)[1]:
                    self._names.pop(old, None)
        if len(ids) < dialogs_per_call_max:
            ids.append(call_id)
            self._names[call_id] = call

    def call_of(self, call_id: str) -> str:
        """The call that owns a Call-ID, or ''."""
        return self._names.get(call_id, "")

    def last_call(self) -> str:
        """The call that was named last, or ''."""
        return next(reversed(self._calls)) if self._calls else ""

    def of_call(self, call: str) -> list[Hop]:
        """All kept messages of a call (or of a Call-ID), in order."""
        wanted = self._calls.get(call) or [call]
        return [self.hop(*entry) for entry in self._ring if call_id_of(entry[3]) in wanted]

    def forget(self, whole: re.Pattern[bytes]) -> Iterator[int]:
        """Drop every dialog that names a number anywhere; yields the messages dropped so far, after each short step."""
        messages = list(self._ring)
        ids: dict[str, None] = {}
        for at, entry in enumerate(messages, 1):
            if whole.search(entry[3]):
                ids[call_id_of(entry[3])] = None
            if at % step_messages == 0:
                yield 0
        dropped: dict[int, None] = {}
        for at, entry in enumerate(messages, 1):
            if ids and call_id_of(entry[3]) in ids:
                dropped[id(entry)] = None
            if at % step_messages == 0:
                yield len(dropped)
        self._ring = deque(entry for entry in self._ring if id(entry) not in dropped)
        self._bytes = sum(len(entry[3]) for entry in self._ring)
        for call_id in ids:
            for each in self._calls.pop(self._names.get(call_id, ""), ()):
                self._names.pop(each, None)
        yield len(dropped)

    def hop(self, at_ms: int, way: str, path: Path, data: bytes) -> Hop:
        """One message as readers get it."""
        call_id = call_id_of(data)
        text = without_secrets(data[:message_bytes_kept_max]).decode("utf-8", "replace")
        far_end = f"{path.host}:{path.port}"
        return Hop(at_ms, way, path.transport, far_end, self._names.get(call_id, ""), call_id, text)

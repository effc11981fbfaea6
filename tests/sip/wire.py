"""A rig for one endpoint at 10.0.0.2:5060 and hand-written messages from a phone at 10.0.0.9:5060."""

from __future__ import annotations

from typing import TypeVar

from engine.ids import Tokens
from engine.sip.endpoint import Endpoint
from engine.sip.events import CloseFlow, Connect, Path, Send, SipEvent
from engine.sip.message import Message
from engine.sip.parser import parse

T = TypeVar("T")
PHONE = Path(1, "10.0.0.9", 5060)
STREAM = Path(1_000_001, "10.0.0.9", 5060, "tcp")
SDP = b"v=0\r\no=- 9 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
OURS = b"v=0\r\no=- 2 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"


def request(
    method: str, *, uri: str = "sip:100@10.0.0.2", branch: str = "z9hG4bKb1", call_id: str = "call1",
    from_tag: str = "f1", to_tag: str = "", cseq: int = 1, via: str = "", body: bytes = b"",
    extra: tuple[str, ...] = (), contact: str = "<sip:ann@10.0.0.9:5060>", content_type: str = "application/sdp",
    cseq_method: str = "",
    transport: str = "UDP", hops: int = 70,
) -> bytes:
    """A request as a phone would write it. `via` replaces the whole Via value; contact '' leaves Contact out."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via or f'SIP/2.0/{transport} 10.0.0.9:5060;branch={branch};rport'}",
        f"Max-Forwards: {hops}",
        f'From: "Ann" <sip:ann@example.net>;tag={from_tag}',
        "To: <sip:100@10.0.0.2>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {cseq_method or method}",
    ]
    lines += [f"Contact: {contact}"] if contact else []
    lines += list(extra)
    lines += [f"Content-Type: {content_type}"] if body and content_type else []
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def response(
    to: Message, status: int, *, tag: str = "t1", body: bytes = b"", extra: tuple[str, ...] = (),
    contact: str = "<sip:bob@10.0.0.9:5060>", phrase: str = "Phrase",
) -> bytes:
    """A phone's response to a request of ours."""
    lines = [f"SIP/2.0 {status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in to.headers if name in ("via", "from", "call-id", "cseq")]
    given = to.index["to"]
    lines.append(f"To: {given}" + (f";tag={tag}" if tag and "tag=" not in given else ""))
    lines += [f"Contact: {contact}"] if contact and status < 400 else []
    lines += list(extra)
    lines += ["Content-Type: application/sdp"] if body else []
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Rig:
    """One endpoint, a virtual clock, and what has come out of it."""

    def __init__(self, *, key: bytes = b"k" * 32) -> None:
        self.endpoint = Endpoint(Tokens(key))
        self.endpoint.listen(1, "udp", "10.0.0.2", 5060, "203.0.113.2", 5070, ("10.0.0.0/8",))
        self.endpoint.listen(2, "tcp", "10.0.0.2", 5060, "203.0.113.2", 5070, ("10.0.0.0/8",))
        self.now = 10_000
        self.raw: list[Send | Connect | CloseFlow] = []

    # --- in -----------------------------------------------------------------------------------------------
    def feed(self, data: bytes, path: Path = PHONE) -> list[Message]:
        """Receive bytes; returns what is sent in return."""
        self.endpoint.receive(path, data, self.now)
        return self.sent()

    def open(self, path: Path = STREAM) -> None:
        """Accept a stream from the phone."""
        self.endpoint.flow_opened(path, self.now)

    def advance(self, ms: int) -> list[tuple[int, Message]]:
        """Let time pass, deadline by deadline; returns (ms since now, message) of what was sent."""
        start, end = self.now, self.now + ms
        out: list[tuple[int, Message]] = []
        while (at := self.endpoint.next_deadline()) is not None and at <= end:
            self.now = max(at, self.now)
            self.endpoint.expire(self.now)
            out += [(self.now - start, message) for message in self.sent()]
        self.now = end
        return out

    def next_sent(self, limit_ms: int) -> tuple[int, Message]:
        """Let time pass until something is sent: (ms since now, message). Time then stands there."""
        start = self.now
        while (at := self.endpoint.next_deadline()) is not None and at <= start + limit_ms:
            self.now = max(at, self.now)
            self.endpoint.expire(self.now)
            messages = self.sent()
            if messages:
                return self.now - start, messages[0]
        raise AssertionError("nothing was sent")

    # --- out ----------------------------------------------------------------------------------------------
    def sent(self) -> list[Message]:
        """Messages sent since the last look (parsed, so they are well formed); `raw` keeps the Sends."""
        self.raw, self.endpoint.sends = self.endpoint.sends, []
        return [parse(send.data) for send in self.raw if isinstance(send, Send)]

    def events(self) -> list[SipEvent]:
        """Events since the last look."""
        events, self.endpoint.events = self.endpoint.events, []
        return events

    def one(self, kind: type[T]) -> T:
        """The only event of this type since the last look."""
        found = [event for event in self.events() if isinstance(event, kind)]
        assert len(found) == 1, found
        return found[0]

    def statuses(self, messages: list[Message]) -> list[int | str]:
        """Statuses of responses, methods of requests."""
        return [message.method if message.is_request else message.status for message in messages]

    # --- short ways -----------------------------------------------------------------------------------------
    def incoming(self, path: Path = PHONE, **fields: object) -> tuple[int, Message]:
        """A phone calls; returns (session, the 100 response)."""
        from engine.sip.events import Incoming

        fields.setdefault("body", SDP)
        (trying,) = self.feed(request("INVITE", **fields), path)  # type: ignore[arg-type]
        return self.one(Incoming).session, trying

    def established(self, **fields: object) -> tuple[int, str]:
        """A call that we have answered and that has been acknowledged: (session, our tag)."""
        session, _ = self.incoming(PHONE, **fields)
        self.endpoint.answer(session, OURS, self.now)
        (ok,) = self.sent()
        tag = ok.to.tag
        cseq = fields.get("cseq", 1)
        assert isinstance(cseq, int)
        self.feed(request("ACK", branch="z9hG4bKack", to_tag=tag, cseq=cseq))
        self.events()
        return session, tag

    def placed(self, status: int = 200, path: Path = PHONE, **fields: object) -> tuple[int, Message]:
        """A call that we place, answered with `status` (0: not at all): (session, the INVITE)."""
        fields.setdefault("caller", ("Ann", "200", ""))
        fields.setdefault("sdp", OURS)
        session = self.endpoint.invite("sip:bob@10.0.0.9", path, self.now, **fields)  # type: ignore[arg-type]
        invite = next(message for message in self.sent() if message.method == "INVITE")
        if status:
            self.feed(response(invite, status, body=SDP if status == 200 else b""), path)
        return session, invite

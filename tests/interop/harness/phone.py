"""A scripted phone: says exactly what a test tells it, when it tells it; only OPTIONS and MESSAGE it answers itself.

For exchanges that depend on the moment (races, glare, lost ACK) and for messages no real phone would send.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable

from harness.ports import free_port
from tools.load import wire

Headers = list[tuple[str, str]]
FINAL = tuple(range(200, 700))
SDP: Headers = [("Content-Type", "application/sdp")]


class Phone:
    """One address of record on one socket. `expect` reads until the wanted message comes; others stay in `backlog`."""

    def __init__(
        self, server: tuple[str, int], user: str, password: str = "", *, transport: str = "udp",
        host: str = "127.0.0.1", port: int = 0,
    ) -> None:  # fmt: skip
        self.server, self.user, self.password, self.transport, self.host = server, user, password, transport, host
        self.backlog: list[wire.Message] = []
        self.sent: list[bytes] = []
        self.answers_options = True
        self.reads = False  # takes MESSAGE texts into `texts`; otherwise it refuses them, so none comes again
        self.texts: list[str] = []
        self._framer = wire.Framer()
        self._frames: list[bytes] = []
        if transport == "udp":
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((host, port or free_port()))
        else:
            self.sock = socket.create_connection(server, timeout=5)
        self.port = self.sock.getsockname()[1]

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    # --- wire ---
    def send(self, data: bytes) -> None:
        self.sent.append(data)
        if self.transport == "udp":
            self.sock.sendto(data, self.server)
        else:
            self.sock.sendall(data)

    def receive(self, within: float) -> wire.Message | None:
        """The next message, or None after `within` seconds."""
        limit = time.monotonic() + within
        while True:
            data = self._datagram(limit - time.monotonic())
            if data is None:
                return None
            if len(data) < 12:
                continue
            message = wire.parse(data)
            if message.is_request and message.method == "OPTIONS" and self.answers_options:
                self.send(wire.respond(message, 200, "OK", tag=wire.fresh(4)))
                continue
            if message.is_request and message.method == "MESSAGE":
                status, phrase = (200, "OK") if self.reads else (405, "Method Not Allowed")
                self.send(wire.respond(message, status, phrase, tag=wire.fresh(4)))
                if self.reads:
                    self.texts.append(message.body.decode() if isinstance(message.body, bytes) else message.body)
                continue
            return message

    def _datagram(self, within: float) -> bytes | None:
        if self._frames:
            return self._frames.pop(0)
        self.sock.settimeout(max(0.001, within))
        try:
            if self.transport == "udp":
                return self.sock.recv(65_536)
            data = self.sock.recv(65_536)
            if not data:
                return None
            self._frames += self._framer.feed(data)
            return self._frames.pop(0) if self._frames else b""
        except TimeoutError:
            return None

    def expect(self, *wanted: int | str, within: float = 4.0, call_id: str = "", method: str = "") -> wire.Message:
        """The first message that is one of `wanted` (statuses or request methods); AssertionError when none comes."""

        def fits(message: wire.Message) -> bool:
            if call_id and message.get("call-id") != call_id:
                return False
            if message.is_request:
                return message.method in wanted
            return message.status in wanted and (not method or message.method == method)

        for message in self.backlog:
            if fits(message):
                self.backlog.remove(message)
                return message
        limit = time.monotonic() + within
        while (left := limit - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None and fits(message):
                return message
            if message is not None:
                self.backlog.append(message)
        seen = "\n".join(repr(message) for message in self.backlog)
        names = "no final response" if wanted == FINAL else f"none of {wanted}"
        raise AssertionError(f"{self.user}: {names} within {within} s; seen:\n{seen}")

    def drain(self, seconds: float) -> list[wire.Message]:
        """Everything that arrives in `seconds`, and what was waiting."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            message = self.receive(left)
            if message is not None:
                self.backlog.append(message)
        found, self.backlog = self.backlog, []
        return found

    # --- messages ---
    def via(self, branch: str = "") -> tuple[str, str]:
        branch = branch or "z9hG4bK" + wire.fresh()
        return "Via", f"SIP/2.0/{self.transport.upper()} {self.host}:{self.port};branch={branch};rport"

    def contact(self, user: str = "") -> tuple[str, str]:
        tail = ";transport=tcp" if self.transport == "tcp" else ""
        return "Contact", f"<sip:{user or self.user}@{self.host}:{self.port}{tail}>"

    def uri(self, user: str = "") -> str:
        host, port = self.server
        return f"sip:{user}@{host}:{port}" if user else f"sip:{host}:{port}"

    def request(
        self, method: str, uri: str, *, to: str = "", headers: Iterable[tuple[str, str]] = (), body: str | bytes = b"",
        call_id: str = "", cseq: int = 1, tag: str = "", branch: str = "",
    ) -> wire.Message:  # fmt: skip
        """Send a request outside any dialog; what was sent, parsed."""
        head = [
            self.via(branch), ("Max-Forwards", "70"), ("From", f"<{self.uri(self.user)}>;tag={tag or wire.fresh(4)}"),
            ("To", f"<{to or uri}>"), ("Call-ID", call_id or wire.fresh(8)), ("CSeq", f"{cseq} {method}"), *headers,
        ]  # fmt: skip
        data = wire.build(f"{method} {uri} SIP/2.0", head, body)
        self.send(data)
        return wire.parse(data)

    def register(
        self, *, expires: int = 300, contact: str = "", prefer: str = "MD5", password: str = "", call_id: str = "",
        cseq: int = 1, within: float = 4.0,
    ) -> wire.Message:  # fmt: skip
        """REGISTER, answering one challenge; the final response."""
        call_id, extra = call_id or wire.fresh(8), []
        where = ("Contact", contact) if contact else self.contact()
        for number in (cseq, cseq + 1):
            headers = [where, ("Expires", str(expires)), *extra]
            self.request(
                "REGISTER", self.uri(), to=self.uri(self.user), headers=headers, call_id=call_id, cseq=number
            )
            reply = self.expect(*FINAL, call_id=call_id, method="REGISTER", within=within)
            if reply.status != 401 or extra:
                return reply
            extra = [self.credentials(reply, "REGISTER", self.uri(), prefer=prefer, password=password)]
        return reply

    def credentials(
        self, reply: wire.Message, method: str, uri: str, *, prefer: str = "MD5", password: str = "",
    ) -> tuple[str, str]:  # fmt: skip
        """The header that answers a 401 or 407."""
        name = "www-authenticate" if reply.status == 401 else "proxy-authenticate"
        word = password or self.password
        value = wire.authorization(reply.all(name), self.user, word, method, uri, prefer=prefer)
        return ("Authorization" if reply.status == 401 else "Proxy-Authorization"), value

    def invite(
        self, number: str, *, sdp: str | None = None, media: int = 9, headers: Headers | None = None, cseq: int = 1,
        call_id: str = "", tag: str = "",
    ) -> Dialog:  # fmt: skip
        """Send an INVITE (with an offer for port `media` unless `sdp` is given; '' sends none)."""
        body = wire.offer(self.host, media) if sdp is None else sdp
        head = [self.contact(), *(headers or []), *(SDP if body else [])]
        sent = self.request("INVITE", self.uri(number), headers=head, body=body, cseq=cseq, call_id=call_id, tag=tag)
        return Dialog(self, sent)

    def call(
        self, number: str, *, sdp: str | None = None, media: int = 9, within: float = 6.0,
        headers: Headers | None = None,
    ) -> Dialog:  # fmt: skip
        """Place a call, answering a challenge with the own password, until it is answered and acknowledged."""
        dialog = self.invite(number, sdp=sdp, media=media, headers=headers)
        reply = dialog.expect(*FINAL, within=within)
        if reply.status in (401, 407) and self.password:
            dialog.ack()
            extra = self.credentials(reply, "INVITE", self.uri(number))
            tag = wire.tag_of(dialog.local)
            dialog = self.invite(
                number, sdp=sdp, media=media, headers=[extra, *(headers or [])], cseq=2, call_id=dialog.call_id, tag=tag
            )
            reply = dialog.expect(*FINAL, within=within)
        assert reply.status == 200, f"{number}: {reply.start}"
        dialog.ack()
        return dialog

    def place(self, number: str, *, media: int = 9, headers: Headers | None = None) -> Dialog:
        """An INVITE with credentials (its challenge answered); what becomes of it is for the test to expect."""
        dialog = self.invite(number, media=media, headers=headers)
        reply = dialog.expect(401, 407)
        dialog.ack()
        extra = [self.credentials(reply, "INVITE", self.uri(number)), *(headers or [])]
        tag = wire.tag_of(dialog.local)
        return self.invite(number, media=media, headers=extra, cseq=2, call_id=dialog.call_id, tag=tag)

    def wait_call(self, within: float = 6.0) -> Dialog:
        """The next INVITE outside known dialogs."""
        return Dialog(self, self.expect("INVITE", within=within), incoming=True)


class Dialog:
    """One INVITE session of a scripted phone, placed or taken."""

    def __init__(self, phone: Phone, invite: wire.Message, *, incoming: bool = False) -> None:
        self.phone, self.invite, self.incoming = phone, invite, incoming
        self.call_id = invite.get("call-id")
        self.final: wire.Message | None = None
        self.cseq = int(invite.get("cseq").split()[0]) if not incoming else 100
        self.routes: list[str] = []
        if incoming:
            self.local, self.remote = f"{invite.get('to')};tag={wire.fresh(4)}", invite.get("from")
            self.target = wire.uri_of(invite.get("contact"))
            self.routes = invite.all("record-route")
        else:
            self.local, self.remote, self.target = invite.get("from"), invite.get("to"), invite.uri

    @property
    def media(self) -> wire.Media:
        """The other side's SDP: of the INVITE taken, or of the last response with one."""
        source = self.invite if self.incoming else self.final
        assert source is not None and source.body, "no SDP yet"
        return wire.Media(source.body)

    # --- both ---
    def expect(self, *wanted: int | str, within: float = 4.0, method: str = "INVITE") -> wire.Message:
        """The next wanted message of this call; statuses are taken for `method`."""
        message = self.phone.expect(*wanted, within=within, call_id=self.call_id, method=method)
        if not message.is_request and message.method == "INVITE" and message.status > 100:
            if "tag=" in message.get("to") and not self.incoming:
                self.remote = message.get("to")
            if message.get("contact"):
                self.target = wire.uri_of(message.get("contact"))
            if message.status >= 200 or message.body:
                self.final = message
            if not self.incoming and not self.routes:  # they stay for the dialog's life (RFC 3261 §12.2)
                self.routes = list(reversed(message.all("record-route")))
        return message

    def request(
        self, method: str, *, headers: Iterable[tuple[str, str]] = (), body: str | bytes = b"", cseq: int = 0,
        branch: str = "", target: str = "",
    ) -> wire.Message:  # fmt: skip
        """Send a request inside the dialog."""
        if not cseq:
            self.cseq += 1
        head = [
            self.phone.via(branch), ("Max-Forwards", "70"), *(("Route", route) for route in self.routes),
            ("From", self.local), ("To", self.remote), ("Call-ID", self.call_id),
            ("CSeq", f"{cseq or self.cseq} {method}"), *headers,
        ]  # fmt: skip
        data = wire.build(f"{method} {target or self.target} SIP/2.0", head, body)
        self.phone.send(data)
        return wire.parse(data)

    def reply(self, request: wire.Message, status: int, phrase: str = "", **more: object) -> None:
        tag = wire.tag_of(self.local)
        self.phone.send(wire.respond(request, status, phrase or "Said", tag=tag, **more))  # type: ignore[arg-type]

    def bye(self, *, within: float = 4.0) -> wire.Message:
        self.request("BYE")
        return self.expect(*FINAL, within=within, method="BYE")

    def expect_bye(self, within: float = 6.0) -> wire.Message:
        """The other side hangs up; answered 200."""
        message = self.expect("BYE", within=within)
        self.reply(message, 200, "OK")
        return message

    def offer(self, sdp: str, *, within: float = 4.0) -> wire.Message:
        """A re-INVITE with `sdp` ('' for none); the final response, acknowledged when it needs no answer."""
        self.request("INVITE", headers=[self.phone.contact(), *(SDP if sdp else [])], body=sdp)
        reply = self.expect(*FINAL, within=within)
        if sdp or reply.status >= 300:
            self.ack()
        return reply

    def ack(self, *, sdp: str = "") -> None:
        """Acknowledge the last final response."""
        assert self.final is not None
        number = int(self.final.get("cseq").split()[0])
        if self.final.status < 300:
            self.request("ACK", cseq=number, headers=SDP if sdp else [], body=sdp)
            return
        branch = next(part for part in self.final.get("via").split(";") if part.startswith("branch="))[7:]
        self.request("ACK", cseq=number, branch=branch, target=self.phone.uri(wire.user_of(self.invite.uri)))

    # --- placed ---
    def cancel(self) -> None:
        """CANCEL for the INVITE; its own 200 and the 487 are for the test to expect."""
        head = [(key.title(), value) for key, value in self.invite.headers if key in ("via", "from", "to", "call-id")]
        number = self.invite.get("cseq").split()[0]
        head += [("CSeq", f"{number} CANCEL"), ("Max-Forwards", "70")]
        self.phone.send(wire.build(f"CANCEL {self.invite.uri} SIP/2.0", head))

    # --- taken ---
    def ring(self, status: int = 180, *, sdp: str = "") -> None:
        headers = [self.phone.contact(), *(SDP if sdp else [])]
        self.reply(self.invite, status, "Ringing" if status == 180 else "Progress", headers=headers, body=sdp)

    def answer(self, *, media: int = 9, sdp: str = "", ack: bool = True) -> None:
        """200 with SDP for port `media`; waits for the ACK unless told not to."""
        offered = wire.Media(self.invite.body) if self.invite.body else None
        event = offered.event if offered else 101
        codec = next((c for c in offered.codecs if c in (0, 8)), 0) if offered else 0
        body = sdp or wire.offer(self.phone.host, media, codecs=(codec,), event=event)
        self.reply(self.invite, 200, "OK", headers=[self.phone.contact(), *SDP], body=body)
        if ack:
            self.expect("ACK")

    def refuse(self, status: int, *, headers: Headers | None = None) -> None:
        """A final refusal; waits for the ACK."""
        self.reply(self.invite, status, "No", headers=headers or [])
        self.expect("ACK")

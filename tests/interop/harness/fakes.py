"""A small switch of our own, so that tools and harness are proved before, and apart from, the engine.

9196 echoes, 9664 sends a tone, 9100 answers, 404 for what it doesn't know; a registered user is called and RTP is
relayed between the two. One thread, asyncio, no retransmissions: loopback only.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time

from tools.load import wire

TONE = bytes.fromhex("1E0B0B1E9E8B8B9E") * 20  # µ-law digital milliwatt, one frame


class FakeSwitch(asyncio.DatagramProtocol):
    def __init__(self, users: dict[str, str] | None = None, *, forward: dict[str, str] | None = None) -> None:
        self.users = users or {}
        self.forward = forward or {}  # number -> user to ring
        self.contacts: dict[str, tuple[str, tuple[str, int]]] = {}
        self.busy: set[str] = set()
        self.calls: dict[str, _Call] = {}
        self.heard: list[wire.Message] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="fake-switch", daemon=True)

    def __enter__(self) -> FakeSwitch:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        self.port = sock.getsockname()[1]
        self.transport, _ = self._loop.run_until_complete(self._loop.create_datagram_endpoint(lambda: self, sock=sock))
        self._ready.set()
        self._loop.run_forever()
        self.transport.close()
        for call in list(self.calls.values()):
            call.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 12:
            return
        message = wire.parse(data)
        self.heard.append(message)
        if not message.is_request:
            self._response(message)
            return
        handler = {"REGISTER": self._register, "INVITE": self._invite, "BYE": self._bye}.get(message.method)
        if handler is not None:
            handler(message, addr)
        elif message.method != "ACK":
            self._reply(message, addr, 200, "OK")

    def _reply(self, request: wire.Message, addr: tuple[str, int], status: int, phrase: str, **more: object) -> None:
        self.transport.sendto(wire.respond(request, status, phrase, tag=wire.fresh(4), **more), addr)  # type: ignore

    def _register(self, request: wire.Message, addr: tuple[str, int]) -> None:
        user = wire.user_of(request.get("to"))
        given = wire.parameters(request.get("authorization"))
        if not given:
            challenge = [("WWW-Authenticate", 'Digest realm="fake", nonce="abc", algorithm=MD5, qop="auth"')]
            self._reply(request, addr, 401, "Unauthorized", headers=challenge)
            return
        first = _md5(f"{user}:fake:{self.users.get(user, '')}")
        second = _md5(f"REGISTER:{given['uri']}")
        middle = f"{given['nc']}:{given.get('cnonce')}:auth:" if "nc" in given else ""
        want = _md5(f"{first}:abc:{middle}{second}")
        if given.get("response") != want:
            self._reply(request, addr, 403, "Forbidden")
            return
        self.contacts[user] = (wire.uri_of(request.get("contact")), addr)
        contact = [("Contact", f"<{self.contacts[user][0]}>;expires=3600")]
        self._reply(request, addr, 200, "OK", headers=contact)

    def _invite(self, request: wire.Message, addr: tuple[str, int]) -> None:
        call_id = request.get("call-id")
        if call_id in self.calls:
            return
        number = wire.user_of(request.uri)
        call = _Call(self, request, addr, number)
        target = self.forward.get(number, number)
        if number in self.forward or target in self.users:
            users = [target] if target != "*" else sorted(self.contacts)
            user = next((u for u in users if u in self.contacts and u not in self.busy), "")
            if not user:
                self._reply(request, addr, 480, "Temporarily Unavailable")
                return
            if target == "*":
                self.busy.add(user)
        elif number not in ("9196", "9664", "9100"):
            self._reply(request, addr, 404, "Not Found")
            return
        self.calls[call_id] = call
        self._loop.create_task(call.begin(user if number in self.forward or target in self.users else ""))

    def _response(self, message: wire.Message) -> None:
        call = self.calls.get(message.get("call-id"))
        if call is not None and message.method == "INVITE" and message.status == 200:
            call.far_answered(message)

    def _bye(self, request: wire.Message, addr: tuple[str, int]) -> None:
        self._reply(request, addr, 200, "OK")
        call = self.calls.get(request.get("call-id"))
        if call is not None:
            call.end(request.get("call-id"))


class _Call:
    """One caller, and one far leg when he is forwarded."""

    def __init__(self, switch: FakeSwitch, request: wire.Message, addr: tuple[str, int], number: str) -> None:
        self.switch, self.request, self.addr, self.number = switch, request, addr, number
        self.near_id, self.far_id = request.get("call-id"), ""
        self.tag = wire.fresh(4)
        self.user = ""
        self.relays: list[_Relay] = []
        self.far: tuple[str, str, str, tuple[str, int]] | None = None
        self.toner: asyncio.Task[None] | None = None

    async def begin(self, user: str) -> None:
        loop = asyncio.get_running_loop()
        media = wire.Media(self.request.body)
        for _ in range(2 if user else 1):
            _, relay = await loop.create_datagram_endpoint(_Relay, local_addr=("127.0.0.1", 0))
            self.relays.append(relay)
        near = self.relays[0]
        near.far = (media.host, media.port)
        if user:
            self.user = user
            near.partner, self.relays[1].partner = self.relays[1], near
            self._ring(user)
            return
        near.partner = near if self.number == "9196" else None
        self._answer()
        if self.number == "9664":
            self.toner = loop.create_task(near.tone())

    def _answer(self) -> None:
        headers = [("Contact", f"<sip:fake@127.0.0.1:{self.switch.port}>"), ("Content-Type", "application/sdp")]
        body = wire.offer("127.0.0.1", self.relays[0].port, codecs=(0,))
        reply = wire.respond(self.request, 200, "OK", tag=self.tag, headers=headers, body=body)
        self.switch.transport.sendto(reply, self.addr)

    def _ring(self, user: str) -> None:
        contact, addr = self.switch.contacts[user]
        self.far_id = wire.fresh(8)
        self.switch.calls[self.far_id] = self
        local = f"{self.request.get('from').split(';')[0]};tag={wire.fresh(4)}"
        self.far = (contact, local, f"<{contact}>", addr)
        headers = [*self._head("INVITE", 1), ("Content-Type", "application/sdp")]
        body = wire.offer("127.0.0.1", self.relays[1].port, codecs=(0,))
        self.switch.transport.sendto(wire.build(f"INVITE {contact} SIP/2.0", headers, body), addr)

    def _head(self, method: str, cseq: int) -> list[tuple[str, str]]:
        assert self.far is not None
        return [
            ("Via", f"SIP/2.0/UDP 127.0.0.1:{self.switch.port};branch=z9hG4bK{wire.fresh()}"), ("Max-Forwards", "70"),
            ("From", self.far[1]), ("To", self.far[2]), ("Call-ID", self.far_id), ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<sip:fake@127.0.0.1:{self.switch.port}>"),
        ]  # fmt: skip

    def far_answered(self, message: wire.Message) -> None:
        assert self.far is not None
        contact, local, _, addr = self.far
        first = self.relays[1].far is None
        self.far = (wire.uri_of(message.get("contact")) or contact, local, message.get("to"), addr)
        media = wire.Media(message.body)
        self.relays[1].far = (media.host, media.port)
        self.switch.transport.sendto(wire.build(f"ACK {self.far[0]} SIP/2.0", self._head("ACK", 1)), addr)
        if first:
            self._answer()

    def end(self, by: str) -> None:
        if self.far is not None and by == self.near_id:
            data = wire.build(f"BYE {self.far[0]} SIP/2.0", self._head("BYE", 2))
            self.switch.transport.sendto(data, self.far[3])
        self.switch.busy.discard(self.user)
        for call_id in (self.near_id, self.far_id):
            self.switch.calls.pop(call_id, None)
        self.close()

    def close(self) -> None:
        if self.toner is not None:
            self.toner.cancel()
        for relay in self.relays:
            relay.transport.close()


class _Relay(asyncio.DatagramProtocol):
    """One RTP port: what it hears leaves through its partner's."""

    def __init__(self) -> None:
        self.partner: _Relay | None = None
        self.far: tuple[str, int] | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.partner is not None and self.partner.far is not None:
            self.partner.transport.sendto(data, self.partner.far)

    async def tone(self) -> None:
        began, number = time.monotonic(), 0
        while self.far is not None:
            head = b"\x80\x00" + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"\0\0\0\7"
            self.transport.sendto(head + TONE, self.far)
            number += 1
            await asyncio.sleep(max(0.0, began + number * 0.02 - time.monotonic()))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()

"""A phone of the simulated world: our own endpoint as user agent, with the habits of its owner.

It registers, calls, answers after a while, refuses, forwards, holds, transfers, vanishes. (Real phones that we
did not write are in tests/interop; these are for time, chance and numbers.)
"""

from __future__ import annotations

import msgspec

from engine.clock import Deadlines
from engine.ids import Tokens
from engine.sdp.negotiation import Local, answer_offer, make_offer
from engine.sip import events as sip
from engine.sip.digest import respond
from engine.sip.endpoint import Endpoint
from engine.sip.events import Path
from engine.sip.parser import parse
from engine.sip.writer import request, response


class Habit(msgspec.Struct, frozen=True):
    """What it does when it rings: answer after `answer_ms`, or say `status` after that time; -1 never reacts."""

    answer_ms: int = 500
    status: int = 200
    talk_ms: int = 0  # hangs up itself after so long; 0: never
    ring: bool = True
    early: bool = False  # 183 with SDP instead of 180
    phrase: str = ""  # of `status`
    refer_bye: bool = False  # BYE as soon as a transfer is reported done, as desk phones do
    reads: bool = False  # shows MESSAGE texts; others answer 405
    contacts: tuple[str, ...] = ("<sip:elsewhere@192.0.2.9>",)  # of a 3xx


class Phone:
    """One user agent at `host`:`port`. `user`/`password` for digest; `server` where it registers and calls through."""

    def __init__(
        self, host: str, user: str, password: str, server: tuple[str, int], seed: int = 1, *, port: int = 5060
    ) -> None:
        self.host, self.port, self.user, self.password, self.server = host, port, user, password, server
        self.domain = server[0]
        self.tokens = Tokens(f"{host}{user}{seed}".encode().ljust(16, b"."))
        self.endpoint = Endpoint(Tokens(self.tokens.hex(32).encode()), user_agent="sim phone")
        self.endpoint.listen(1, "udp", host, port, host, port, ())
        self.habit = Habit()
        self.deadlines = Deadlines()
        self.raw: list[bytes] = []
        self.log: list[tuple[int, str]] = []
        self.sessions: dict[int, str] = {}  # session -> calling | ringing | up
        self.incoming: dict[int, sip.Incoming] = {}
        self.ended: list[tuple[int, str]] = []
        self.registered_ms = -1
        self.cseq = self.asked_s = 0
        self.authorized = False
        self.offerless: list[int] = []
        self.session_timer_s = 1_800
        self.events_payload = True  # offers and answers telephone-event
        self.codecs: tuple[int, ...] = (0, 8)
        self.media_host = host  # what its SDP says
        self.got: list[bytes] = []  # every request that came, as text
        self.headers: tuple[tuple[str, str], ...] = ()  # of its INVITEs

    # --- acts -----------------------------------------------------------------------------------------
    def register(self, now_ms: int, *, expires_s: int = 3_600, authorization: str = "") -> None:
        """REGISTER by hand (the engine's endpoint registers nowhere yet); answers 401 once."""
        self.cseq += 1
        aor = f"<sip:{self.user}@{self.domain}>"
        here = f"{self.host}:{self.port}"
        self.asked_s = expires_s
        headers = [
            ("Via", f"SIP/2.0/UDP {here};branch=z9hG4bK{self.tokens.hex(12)};rport"), ("Max-Forwards", "70"),
            ("From", f"{aor};tag=r{self.user}"), ("To", aor), ("Call-ID", f"reg-{self.user}-{here}"),
            ("CSeq", f"{self.cseq} REGISTER"), ("Contact", f"<sip:{self.user}@{here}>"),
            ("Expires", str(expires_s)),
        ]  # fmt: skip
        self.authorized = bool(authorization)
        if authorization:
            headers.append(("Authorization", authorization))
        self.raw.append(request("REGISTER", f"sip:{self.domain}", headers))

    def call(self, number: str, now_ms: int, *, secret: bool = True, offer: bool = True) -> int:
        sdp = make_offer(self.local()) if offer else None
        caller = (f"Phone {self.user}", self.user, self.host)
        session = self.endpoint.invite(
            f"sip:{number}@{self.domain}", Path(1, *self.server), now_ms, caller=caller, sdp=sdp,
            secret=(self.user, self.password) if secret and self.password else None,
            session_timer_s=self.session_timer_s, headers=self.headers,
        )  # fmt: skip
        self.sessions[session] = "calling"
        if not offer:
            self.offerless.append(session)
        return session

    def behave(self, status: int) -> None:
        """What its owner will do when he is told to react: 200 answers, anything else refuses so."""
        self.habit = msgspec.structs.replace(self.habit, status=status)

    def pick_up(self, now_ms: int) -> None:
        """What its habit is, now: answer what rings, or refuse it."""
        for session in list(self.incoming):
            self.deadlines.cancel(("answer", session))
            self._react(session, now_ms)

    def hang_up(self, now_ms: int) -> None:
        for session in list(self.sessions):
            self.endpoint.hang_up(session, now_ms)
            self._over(session, now_ms, "hung up")

    def hold(self, session: int, now_ms: int, *, direction: str = "sendonly") -> None:
        self.endpoint.offer(session, make_offer(self.local(direction)), now_ms)

    def digit(self, session: int, digit: str, now_ms: int) -> None:
        """One press by SIP INFO."""
        self.endpoint.info_digit(session, digit, 160, now_ms)

    def refer(self, session: int, number: str, now_ms: int, *, replaces: int = 0) -> None:
        """Blind, or attended: `replaces` is its session with whom it has consulted."""
        self.endpoint.refer(session, f"sip:{number}@{self.domain}", now_ms, replaces_session=replaces)

    def replaces(self, session: int, *, early_only: bool = False) -> tuple[str, str]:
        """The header by which another phone takes the place of this session (RFC 3891)."""
        dialog = self.endpoint.core.sessions[session].dialog
        tags = f"to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
        return "Replaces", f"{dialog.call_id};{tags}{';early-only' if early_only else ''}"

    def local(self, direction: str = "sendrecv") -> Local:
        return Local(
            host=self.media_host, port=40_000, session_id=1, version=1, direction=direction,
            events=self.events_payload, codecs=self.codecs,
        )  # fmt: skip

    def up(self) -> list[int]:
        return [session for session, state in self.sessions.items() if state == "up"]

    # --- the world's side -------------------------------------------------------------------------------
    def receive(self, source: tuple[str, int], data: bytes, now_ms: int) -> None:
        if data.startswith(b"SIP/2.0") and b" REGISTER\r\n" in data:
            self._registered(data, now_ms)
        else:
            if not data.startswith(b"SIP/2.0"):
                self.got.append(data)
            if data.startswith(b"MESSAGE ") and self.habit.reads:
                self.raw.append(response(parse(data), 200, "", self.tokens.hex(8)))
                return
            self.endpoint.receive(Path(1, *source), data, now_ms)
            self._events(now_ms)

    def next(self) -> int | None:
        by_sip, own = self.endpoint.next_deadline(), self.deadlines.next()
        if by_sip is None or own is None:
            return own if by_sip is None else by_sip
        return min(by_sip, own)

    def expire(self, now_ms: int) -> None:
        self.endpoint.expire(now_ms)
        while (key := self.deadlines.pop_due(now_ms)) is not None:
            kind, session = key
            if kind == "answer" and session in self.incoming:
                self._react(session, now_ms)
            elif kind == "talk" and session in self.sessions:
                self.endpoint.hang_up(session, now_ms)
                self._over(session, now_ms, "hung up")
        self._events(now_ms)

    def take(self) -> list[tuple[tuple[str, int], bytes]]:
        """Datagrams to send: (target, data)."""
        if not self.raw and not self.endpoint.sends:
            return []
        out = [(self.server, data) for data in self.raw]
        self.raw = []
        for send in self.endpoint.sends:
            if isinstance(send, sip.Send):
                out.append(((send.path.host, send.path.port), send.data))
        self.endpoint.sends.clear()
        return out

    def _registered(self, data: bytes, now_ms: int) -> None:
        message = parse(data)
        if message.status == 401 and not self.authorized:
            challenges = message.all("www-authenticate") or [message.get("www-authenticate") or ""]
            raw = [value for name, value in message.headers if name == "www-authenticate"] or challenges
            answer = respond(raw, self.user, self.password, "REGISTER", f"sip:{self.domain}", self.tokens)
            self.register(now_ms, expires_s=self.asked_s, authorization=answer)
        elif message.status == 200:
            self.registered_ms = now_ms
        self.log.append((now_ms, f"REGISTER {message.status}"))

    def _events(self, now_ms: int) -> None:
        while self.endpoint.events:
            events, self.endpoint.events = self.endpoint.events, []
            for event in events:
                self._event(event, now_ms)

    def _event(self, event: sip.SipEvent, now_ms: int) -> None:
        match event:
            case sip.Incoming():
                self._rings(event, now_ms)
            case sip.Answered():
                self.sessions[event.session] = "up"
                self.log.append((now_ms, "answered"))
                if event.sdp and event.session in self.offerless:
                    self.endpoint.accept_offer(event.session, answer_offer(event.sdp, self.local())[0], now_ms)
            case sip.Progress():
                self.log.append((now_ms, f"progress {event.status}"))
            case sip.Rejected():
                self._over(event.session, now_ms, f"rejected {event.status}")
            case sip.Ended() | sip.Canceled():
                self._over(event.session, now_ms, "ended")
            case sip.Offered():
                local = self.local()
                answer = answer_offer(event.sdp, local)[0] if event.sdp else make_offer(local)
                self.endpoint.accept_offer(event.session, answer, now_ms)
            case sip.OfferAnswered():
                self.log.append((now_ms, "offer answered"))
            case sip.InfoDigit():
                self.log.append((now_ms, f"digit {event.digit}"))
            case sip.OfferRefused():
                self.log.append((now_ms, f"offer refused {event.status}"))
            case sip.ReferProgress():
                self.log.append((now_ms, f"transfer {event.status}"))
                if event.final and event.status == 200 and self.habit.refer_bye and event.session in self.sessions:
                    self.endpoint.hang_up(event.session, now_ms)
                    self._over(event.session, now_ms, "hung up")

    def _rings(self, event: sip.Incoming, now_ms: int) -> None:
        habit = self.habit
        self.log.append((now_ms, f"rings {event.caller.display}"))
        self.incoming[event.session] = event
        if habit.ring:
            sdp = answer_offer(event.sdp, self.local())[0] if habit.early and event.sdp else None
            self.endpoint.ring(event.session, 183 if sdp else 180, now_ms, sdp=sdp)
        self.sessions[event.session] = "ringing"
        if habit.answer_ms >= 0:
            self.deadlines.arm(("answer", event.session), now_ms + habit.answer_ms)

    def _react(self, session: int, now_ms: int) -> None:
        event, habit = self.incoming.pop(session), self.habit
        if habit.status != 200:
            headers = tuple(("Contact", contact) for contact in habit.contacts if 300 <= habit.status < 400)
            self.endpoint.reject(session, habit.status, now_ms, phrase=habit.phrase, headers=headers)
            self._over(session, now_ms, f"said {habit.status}")
            return
        sdp = answer_offer(event.sdp, self.local())[0] if event.sdp else make_offer(self.local())
        self.endpoint.answer(session, sdp, now_ms)
        self.sessions[session] = "up"
        self.log.append((now_ms, "picked up"))
        if habit.talk_ms:
            self.deadlines.arm(("talk", session), now_ms + habit.talk_ms)

    def _over(self, session: int, now_ms: int, how: str) -> None:
        self.sessions.pop(session, None)
        self.incoming.pop(session, None)
        self.deadlines.cancel(("answer", session))
        self.deadlines.cancel(("talk", session))
        self.ended.append((now_ms, how))
        self.log.append((now_ms, how))

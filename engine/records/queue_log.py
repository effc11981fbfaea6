"""Events as lines of Asterisk's `queue_log` (field.md B4): `epoch|callid|queue|agent|EVENT|p1|p2|…`.

Existing reporting tools read that file. Seconds are whole seconds as there; ring times of RINGNOANSWER and
RINGCANCELED are milliseconds, also as there. What has no word in that vocabulary writes no line.

Asterisk knows no callbacks: asking for one, its attempts and its failures write nothing. The stay in the queue goes on
under the id of the call in which the caller asked, so that one ENTERQUEUE has one end: CONNECT when both are there,
EXITWITHTIMEOUT when the callback expires, WITHDRAW when it is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.records.events import Event

remembered_max = 8_192
_UNSAFE = str.maketrans({"|": "/", "\n": " ", "\r": " "})


class _Served(msgspec.Struct):
    """What later lines of a call repeat: place at joining, who serves, how long the caller waited.

    A transfer that has begun is told by its end: `owed` (word, talked s) is the line of the conversation that it broke
    off, written unless the transfer comes about.
    """

    first_position: int = 0
    queue: str = "NONE"
    agent: str = "NONE"
    waited_ms: int = 0
    connected_ms: int = 0
    transferred: bool = False
    done: bool = False
    way: str = ""
    owed: tuple[str, int] | None = None


class _Kept(msgspec.Struct):
    """A callback's stay: the id under which it is written, and whether its customer has been served."""

    call: str
    served: bool = False


class QueueLog:
    """Turns events into lines, in order. Remembers per waiting call only what later lines repeat (bounded)."""

    def __init__(self) -> None:
        self._calls: dict[str, _Served] = {}
        self._kept: dict[str, _Kept] = {}  # by callback
        self._asked: dict[str, str] = {}  # call in which it was asked -> callback

    def lines(self, event: Event) -> list[str]:
        """The lines (without newline) of one event: usually none or one."""
        rule = _RULES.get(event.kind)
        if rule is None:
            return []
        kept = self._kept.get(event.call)
        if event.kind == "call.ended" and (event.call in self._asked or (kept is not None and not kept.served)):
            return []  # the stay isn't over: it is a callback's now, or only an attempt of it has ended
        lines = rule(self, event if kept is None else msgspec.structs.replace(event, call=kept.call))
        if kept is not None and event.kind == "queue.connected":
            kept.served = True
        elif kept is not None and event.kind in ("queue.left", "queue.abandoned", "call.ended"):
            self._let_go(event.call)
        return lines

    # --- callbacks ---
    def _let_go(self, callback: str) -> None:
        kept = self._kept.pop(callback, None)
        if kept is not None:
            self._asked.pop(kept.call, None)

    def _requested(self, event: Event) -> list[str]:
        origin = _text(event, "origin")
        if len(self._kept) >= remembered_max:
            self._let_go(next(iter(self._kept)))
        known = origin in self._calls
        self._kept[event.call] = _Kept(origin if known else event.call)
        if known:
            self._asked[origin] = event.call
            return []
        self._served(event.call).first_position = _number(event, "position")
        return [_line(event, "ENTERQUEUE", "", _text(event, "number"), _number(event, "position"))]

    # --- memory ---
    def _served(self, call: str) -> _Served:
        found = self._calls.get(call)
        if found is None:
            if len(self._calls) >= remembered_max:
                self._calls.pop(next(iter(self._calls)))
            found = self._calls[call] = _Served()
        return found

    def _position(self, event: Event) -> tuple[int, int, int]:
        """(position, original position, waited s) for the three EXIT events and ABANDON."""
        served = self._calls.get(event.call)
        first = _number(event, "first_position") or (served.first_position if served else 0)
        return _number(event, "position"), first, _seconds(event, "waited_ms")

    # --- one rule per kind ---
    def _joined(self, event: Event) -> list[str]:
        served = self._served(event.call)
        served.first_position = _number(event, "position")
        served.transferred = served.done = False
        served.owed = None
        return [_line(event, "ENTERQUEUE", "", _text(event, "caller"), served.first_position)]

    def _connected(self, event: Event) -> list[str]:
        served = self._served(event.call)
        served.queue, served.agent = _text(event, "queue"), _text(event, "agent")
        served.waited_ms, served.connected_ms = _number(event, "waited_ms"), event.at_ms
        ring = _seconds(event, "rang_ms")
        return [_line(event, "CONNECT", _seconds(event, "waited_ms"), event.call, ring)]

    def _completed(self, event: Event) -> list[str]:
        served = self._calls.get(event.call, _Served())
        by = _text(event, "by")
        word = "COMPLETECALLER" if by == "caller" else "COMPLETEAGENT"
        if served.transferred or by.startswith("transfer"):
            if not served.done:  # BLINDTRANSFER ends the conversation, before or after this event; if it comes
                served.owed = word, _seconds(event, "talked_ms")
            return []
        self._calls.pop(event.call, None)
        waited, talked = _seconds(event, "waited_ms"), _seconds(event, "talked_ms")
        return [_line(event, word, waited, talked, served.first_position)]

    def _abandoned(self, event: Event) -> list[str]:
        position = self._position(event)
        self._calls.pop(event.call, None)
        return [_line(event, "ABANDON", *position)]

    def _left(self, event: Event) -> list[str]:
        word = _LEFT.get(_text(event, "reason"))
        position = self._position(event)
        self._calls.pop(event.call, None)
        if word is None:
            return []
        if word == "EXITWITHKEY":
            return [_line(event, word, _text(event, "key"), *position)]
        return [_line(event, word, *position)]

    def _offer_ended(self, event: Event) -> list[str]:
        reason = _text(event, "reason")
        if reason in _MISSED:
            return [_line(event, "RINGNOANSWER", _number(event, "rang_ms"))]
        return [_line(event, "RINGCANCELED", _number(event, "rang_ms"))] if reason == "caller_gone" else []

    def _transferred(self, event: Event) -> list[str]:
        served = self._calls.get(event.call)
        if served is None or served.agent == "NONE":
            return []
        result = _text(event, "result")
        served.way = _text(event, "way") or served.way
        if result == "started":
            served.transferred, served.done = True, False  # its end tells: the conversation is over, or goes on
            return []
        served.transferred = served.done = result == "done"
        if not served.done:
            return self._settle(event, served)
        served.owed = None
        word = "ATTENDEDTRANSFER" if served.way == "attended" else "BLINDTRANSFER"
        talked = max(0, event.at_ms - served.connected_ms) // 1000
        parts = (_text(event, "to"), event.tenant, served.waited_ms // 1000, talked, served.first_position)
        return [_line(event, word, *parts, queue=served.queue, agent=served.agent)]

    def _settle(self, event: Event, served: _Served) -> list[str]:
        """The transfer failed: the conversation that it broke off was over all the same."""
        if served.owed is None:
            return []
        (word, talked), served.owed = served.owed, None
        parts = (served.waited_ms // 1000, talked, served.first_position)
        return [_line(event, word, *parts, queue=served.queue, agent=served.agent)]

    def _ended(self, event: Event) -> list[str]:
        served = self._calls.pop(event.call, None)
        return self._settle(event, served) if served is not None else []

    def _login(self, event: Event) -> list[str]:
        return [_line(event, "AGENTLOGIN", f"agent/{_text(event, 'agent')}", queue="NONE")]

    def _logout(self, event: Event) -> list[str]:
        logged_in = _seconds(event, "logged_in_ms")
        return [_line(event, "AGENTLOGOFF", f"agent/{_text(event, 'agent')}", logged_in, queue="NONE")]

    def _paused(self, event: Event) -> list[str]:
        word = "PAUSEALL" if event.data.get("paused") else "UNPAUSEALL"
        return [_line(event, word, _text(event, "reason"), queue="NONE")]

    def _started(self, event: Event) -> list[str]:
        return [_line(event, "QUEUESTART", "", queue="NONE", agent="NONE")]

    def _loaded(self, event: Event) -> list[str]:
        return [_line(event, "CONFIGRELOAD", "", queue="NONE", agent="NONE")]


_MISSED = ("no_answer", "busy", "rejected", "do_not_disturb", "forwarded", "unreachable", "error")
_LEFT = {
    "timeout": "EXITWITHTIMEOUT", "no_agents": "EXITEMPTY", "exit": "EXITWITHKEY", "key": "EXITWITHKEY",
    "moved": "WITHDRAW", "closed": "WITHDRAW", "left": "WITHDRAW", "overflow": "WITHDRAW", "empty": "EXITEMPTY",
    "expired": "EXITWITHTIMEOUT", "cancelled": "WITHDRAW",
}
_RULES: dict[str, Callable[[QueueLog, Event], list[str]]] = {
    "queue.joined": QueueLog._joined, "queue.connected": QueueLog._connected,
    "queue.completed": QueueLog._completed, "queue.abandoned": QueueLog._abandoned, "queue.left": QueueLog._left,
    "queue.offer_ended": QueueLog._offer_ended, "call.transferred": QueueLog._transferred,
    "call.ended": QueueLog._ended, "agent.login": QueueLog._login, "agent.logout": QueueLog._logout,
    "callback.requested": QueueLog._requested,
    "agent.paused": QueueLog._paused, "engine.started": QueueLog._started, "engine.loaded": QueueLog._loaded,
}


def _text(event: Event, field: str) -> str:
    value = event.data.get(field)
    return "" if value is None else str(value).translate(_UNSAFE)


def _number(event: Event, field: str) -> int:
    value = event.data.get(field)
    return int(value) if isinstance(value, int | float) else 0


def _seconds(event: Event, field: str) -> int:
    return _number(event, field) // 1000


def _line(event: Event, word: str, *parts: str | int, queue: str = "", agent: str = "") -> str:
    queue = queue or _text(event, "queue") or "NONE"
    agent = agent or _text(event, "agent") or "NONE"
    call = event.call or "NONE"
    return "|".join((str(event.at_ms // 1000), call, queue, agent, word, *map(str, parts)))

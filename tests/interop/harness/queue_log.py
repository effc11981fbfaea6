"""A reader of Asterisk's `queue_log`, written from Asterisk's documentation ("Queue Logs", and the pages of its queue
applications), not from what our engine writes: as strict as a report tool can be, and with sums of its own.

A line is `UNIX time|call id|queue|agent|EVENT|argument|…`. Times in arguments are whole seconds, as the call id's owner
counted them (cut, not rounded); the ring times of RINGNOANSWER and RINGCANCELED are milliseconds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

NONE = "NONE"
# Arguments by event. A name in COUNTS is a whole number of at least 0, every other one is text and may be empty.
COUNTS = {"position", "origposition", "waittime", "holdtime", "calltime", "ringtime", "logintime"}
EVENTS: dict[str, tuple[str, ...]] = {
    "ENTERQUEUE": ("url", "callerid", "origposition"),
    "CONNECT": ("holdtime", "bridgedchanneluniqueid", "ringtime"),
    "COMPLETEAGENT": ("holdtime", "calltime", "origposition"),
    "COMPLETECALLER": ("holdtime", "calltime", "origposition"),
    "TRANSFER": ("extension", "context", "holdtime", "calltime", "origposition"),
    "BLINDTRANSFER": ("extension", "context", "holdtime", "calltime", "origposition"),
    "ATTENDEDTRANSFER": ("method", "method-data", "holdtime", "calltime", "origposition"),
    "ABANDON": ("position", "origposition", "waittime"),
    "EXITEMPTY": ("position", "origposition", "waittime"),
    "EXITWITHKEY": ("key", "position", "origposition", "waittime"),
    "EXITWITHTIMEOUT": ("position", "origposition", "waittime"),
    "RINGNOANSWER": ("ringtime",),
    "RINGCANCELED": ("ringtime",),
    "AGENTDUMP": (), "SYSCOMPAT": (),
    "AGENTLOGIN": ("channel",),
    "AGENTCALLBACKLOGIN": ("exten@context",),
    "AGENTLOGOFF": ("channel", "logintime"),
    "AGENTCALLBACKLOGOFF": ("exten@context", "logintime", "reason"),
    "ADDMEMBER": (), "REMOVEMEMBER": (),
    "PAUSE": ("reason",), "UNPAUSE": ("reason",), "PAUSEALL": ("reason",), "UNPAUSEALL": ("reason",),
    "QUEUESTART": (), "CONFIGRELOAD": (),
}  # fmt: skip
OPTIONAL = {"ENTERQUEUE": 1}  # calleridname, with log_cidname
ENDS = {"COMPLETEAGENT", "COMPLETECALLER", "TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER"}
LEAVES = {"ABANDON": "abandoned", "EXITEMPTY": "emptied", "EXITWITHKEY": "keyed", "EXITWITHTIMEOUT": "timed_out"}


class BadLog(Exception):
    """A line that the documentation doesn't know, or that can't follow those before it."""


@dataclass
class Line:
    """One line: `words` are its arguments by name, `counts` those of them that are numbers."""

    at: int
    call: str
    queue: str
    agent: str
    event: str
    words: dict[str, str]
    counts: dict[str, int]


@dataclass
class Sums:
    """One queue's, or all queues'. Waits and talks are whole seconds, one a call."""

    offered: int = 0
    waits: list[int] = field(default_factory=list)  # of the answered
    talks: list[int] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)  # abandoned, timed_out, keyed, emptied, and the words of ENDS
    missed: Counter[str] = field(default_factory=Counter)  # by agent
    answered_by: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        return len(self.waits)

    def mean_wait_s(self) -> float:
        return sum(self.waits) / len(self.waits)

    def service_level(self, target_s: int) -> float:
        """Percent of the offered that were answered before `target_s` seconds were over."""
        return 100 * sum(wait < target_s for wait in self.waits) / self.offered


def parse(text: str) -> Line:
    """One line. BadLog on an unknown event, a wrong number of arguments, or an argument that isn't what it must be."""
    fields = text.split("|")
    if len(fields) < 5:
        raise BadLog(f"{len(fields)} fields, not at least five: {text!r}")
    at, call, queue, agent, event, *given = fields
    if not at.isascii() or not at.isdigit() or not call or not queue or not agent:
        raise BadLog(f"time, call, queue or agent missing: {text!r}")
    names = EVENTS.get(event)
    if names is None:
        raise BadLog(f"no event {event!r}: {text!r}")
    if not names and given == [""]:  # written with a bar and nothing behind it
        given = []
    if not len(names) <= len(given) <= len(names) + OPTIONAL.get(event, 0):
        raise BadLog(f"{event} has {len(names)} arguments ({', '.join(names)}), not {len(given)}: {text!r}")
    words, counts = dict(zip(names, given, strict=False)), {}
    for name in COUNTS & words.keys():
        if not words[name].isascii() or not words[name].isdigit():
            raise BadLog(f"{event}: {name} is a whole number, not {words[name]!r}: {text!r}")
        counts[name] = int(words[name])
    return Line(int(at), call, queue, agent, event, words, counts)


class Reader:
    """Lines in order into sums by queue; `open` are the calls that wait or talk, with their ENTERQUEUE and CONNECT."""

    def __init__(self) -> None:
        self.queues: dict[str, Sums] = {}
        self.waiting: dict[str, Line] = {}
        self.talking: dict[str, tuple[Line, Line]] = {}
        self.agents: dict[str, str] = {}  # who talks -> with which call
        self.last_at = 0

    def feed(self, text: str) -> Line:
        """One line; BadLog as `parse`, or when it contradicts what came before."""
        line = parse(text)
        if line.at < self.last_at:
            raise BadLog(f"before the line above it: {text!r}")
        self.last_at = line.at
        if line.event == "ENTERQUEUE":
            self._only(line.call not in self.waiting and line.call not in self.talking, "is in a queue already", line)
            self._only(line.counts["origposition"] >= 1, "has no place", line)
            self.waiting[line.call] = line
            self._of(line).offered += 1
        elif line.event == "CONNECT":
            self._connect(line)
        elif line.event in ENDS:
            self._end(line)
        elif line.event in LEAVES:
            came = self._came(line)
            self._only(line.counts["origposition"] == came.counts["origposition"], "came at another place", line)
            self._only(abs(line.at - came.at - line.counts["waittime"]) <= 1, "waited another time", line)
            self._of(line).ended[LEAVES[line.event]] += 1
        elif line.event in ("RINGNOANSWER", "RINGCANCELED"):
            self._only(line.agent != NONE, "rang nobody", line)
            if line.event == "RINGNOANSWER":
                self._of(line).missed[line.agent] += 1
        return line

    def _connect(self, line: Line) -> None:
        came = self._came(line)
        self._only(line.agent != NONE and line.agent not in self.agents, "is answered by one who talks", line)
        self._only(abs(line.at - came.at - line.counts["holdtime"]) <= 1, "waited another time", line)
        self._only(line.counts["ringtime"] <= line.counts["holdtime"] + 1, "rang for longer than it waited", line)
        self.talking[line.call] = came, line
        self.agents[line.agent] = line.call
        self._of(line).waits.append(line.counts["holdtime"])
        self._of(line).answered_by[line.agent] += 1

    def _end(self, line: Line) -> None:
        came, answer = self.talking.pop(line.call, (None, None))
        self._only(came is not None and answer is not None, "was not connected", line)
        assert came is not None and answer is not None
        self._only((line.queue, line.agent) == (answer.queue, answer.agent), "was connected elsewhere", line)
        self._only(line.counts["holdtime"] == answer.counts["holdtime"], "waited another time", line)
        self._only(line.counts["origposition"] == came.counts["origposition"], "came at another place", line)
        self._only(abs(line.at - answer.at - line.counts["calltime"]) <= 1, "talked for another time", line)
        del self.agents[line.agent]
        self._of(line).talks.append(line.counts["calltime"])
        self._of(line).ended[line.event] += 1

    def _came(self, line: Line) -> Line:
        came = self.waiting.pop(line.call, None)
        self._only(came is not None and came.queue == line.queue, "is not in this queue", line)
        assert came is not None
        return came

    def _of(self, line: Line) -> Sums:
        return self.queues.setdefault(line.queue, Sums())

    def _only(self, fine: bool, else_: str, line: Line) -> None:
        if not fine:
            raise BadLog(f"call {line.call} {else_}: {line}")


def read(path: Path) -> Reader:
    """A whole file. BadLog names the line at fault."""
    reader = Reader()
    text = path.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):
        raise BadLog("the last line is cut off")
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.feed(line)
        except BadLog as error:
            raise BadLog(f"{path.name}:{number}: {error}") from error
    return reader

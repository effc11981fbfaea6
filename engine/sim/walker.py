"""One caller in the interpreter alone: a dialplan's actions answered at once, without a call, a phone or a clock.

For millions of calls: the Switch is some hundred times slower, and what a dialplan does with what it is told is the
interpreter's alone.
"""

from __future__ import annotations

from engine import limits
from engine.dialplan import actions, interpreter, people_actions
from engine.dialplan.facts import WAIT_FACTS
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Running

FACTS = {
    "access.caller": "5550100", "access.dialled": "100", "access.trunk": "", "access.kind": "public",
    "access.presentation": "shown", "access.diverted_from": "", "access.attestation": "none",
    "access.verification": "none", "system.now": "1772618400000", "system.tenant": "default",
}  # fmt: skip
# waits that the dialplan's own timer must end
TIMED = ("play", "digits", "timer", "record", "lookup", "fetch", "stream")


class Walker:
    """`run` is the call's state, `last` what it asked for in the latest step, `ms` how long its waits have lasted."""

    def __init__(self, site: Site, name: str, *, entry: str = "", wait: str = "") -> None:
        """`name`: the dialplan's full name; `wait`: one of its wait lists instead of the dialplan itself."""
        self.site, self.main = site, site.programs[name]
        self.program: Program = self.main
        language = self.main.languages[0]
        facts = {**FACTS, "system.tenant": name.partition("/")[0]}
        self.timer = (0, 0)  # (ticket, ms) of the timer that runs
        self.books = False  # what a callback's desk was asked last: to book it, or only whether it may be
        self.ms = 0
        self.outer, self.last = interpreter.start(self.main, facts, language, site, 0, entry=entry)
        self.run: Running = self.outer
        self.wait_facts = dict.fromkeys(WAIT_FACTS, "0")
        if wait:
            self.program = self.main.waits[wait]
            self.run, self.last = interpreter.start_wait(self.program, self.outer, self.wait_facts, site)
        self._clock()

    def tell(self, happening: actions.Happening) -> list[actions.Action]:
        if self.program is self.main:
            self.last = interpreter.step(self.run, happening, self.main, self.site)
        else:
            self.last = interpreter.step_wait(
                self.run, self.outer, happening, self.program, self.wait_facts, self.site
            )  # fmt: skip
        self._clock()
        return self.last

    def _clock(self) -> None:
        for action in self.last:
            if type(action) is actions.SetTimer:
                self.timer = (action.ticket, action.ms)
            elif type(action) is actions.AskCallback:
                self.books = action.book

    def over(self) -> bool:
        return self.run.waiting == "ended"

    def unguarded(self) -> str:
        """Why this wait could last for ever, '' when it can't: a wait of its own needs its own timer."""
        if self.over():
            return ""
        if not self.run.waiting:
            return "it waits for nothing and doesn't go on"
        if self.run.waiting in TIMED and (self.timer[0] != self.run.ticket or self.timer[1] <= 0):
            return f"it waits ({self.run.waiting}) without a timer"
        return ""

    def patience(self) -> None:
        """What happens next when nobody does anything: prompts end, timers fire, queues and dials give up."""
        ticket, waiting = self.run.ticket, self.run.waiting
        if waiting == "play":
            self.ms += 1_000
            self.tell(actions.PlayDone(ticket))
            if self.run.ticket == ticket and self.run.waiting == "play":
                self.tell(actions.TimerFired(ticket))  # what plays has no end of its own
                self.ms += self.timer[1]
        elif waiting in ("answer", "rescue"):
            self.tell(actions.AnsweredNow(ticket))
        elif waiting == "queue":
            self.ms += 60_000
            self.tell(actions.QueueEnded(ticket, "timeout"))
        elif waiting == "dial":
            self.ms += 30_000
            self.tell(actions.DialEnded(ticket, "no_answer"))
        elif waiting == "record":
            self.ms += 10_000
            self.tell(actions.RecordDone(ticket, "r", 10_000))
        elif waiting == "box":
            self.tell(actions.BoxAnswer(ticket, "open"))
        elif waiting == "callback":
            result = "accepted" if self.books else "allowed"
            self.tell(actions.CallbackAnswer(ticket, result, FACTS["access.caller"], 1))
        elif waiting == "park":
            self.ms += 60_000
            self.tell(people_actions.ParkEnded(ticket, "timeout"))
        elif waiting in ("room", "echo"):  # as long as he likes
            self.ms = limits.call_ms_max + 1
        else:
            self.ms += self.timer[1]
            self.tell(actions.TimerFired(ticket))
        if self.ms > limits.call_ms_max and not self.over():
            self.tell(actions.CallerGone())  # the call's own deadline

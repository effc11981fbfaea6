"""The lines of a test, played: acts are done, expectations are compared, the first that differs ends the test."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.dialplan.model import Site
from engine.records.events import Event
from engine.sim.ear import GROUPS, Heard
from engine.sim.rehearsal import SETTLE_MS, TOGETHER_MS_MAX, RefusedError, Rehearsal
from engine.sim.saying import SURE_PERCENT, Said
from engine.sim.transcript import Case, Given, Line, Place
from engine.sim.transcript_reader import is_text

ENDING_MS_MAX = 900_000  # `outcome` waits so long for the call's end
_SOUND = {
    "music": "music/", "ringback": "tone/ringback", "busy": "tone/busy", "congestion": "tone/congestion",
    "beep": "tone/beep",
}  # fmt: skip
AT_THE_END = ("cause", "by", "path", "status")  # what is known of a call only then
CALL_FIELDS = ("language", "queue", "agent", "cause", "by", "path", "status", "tags")


class Failure(msgspec.Struct, frozen=True):
    """Why a test failed: the line that differs, what was expected, what was the case, and the story up to there."""

    place: Place
    expected: str
    found: str
    transcript: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """What became of one test. `virtual_ms`: how long the call lasted for its people; `story` is its transcript."""

    test: str
    place: Place
    failure: Failure | None
    virtual_ms: int
    story: tuple[str, ...]
    events: tuple[Event, ...] = ()
    given: Given | None = None


class Differs(Exception):
    """A line of a test is not as the call is."""

    def __init__(self, place: Place, expected: str, found: str) -> None:
        super().__init__(expected)
        self.place, self.expected, self.found = place, expected, found


def play(site: Site, test: Case) -> Result:
    """Play one test from its beginning; faults of the engine itself are failures of the test too."""
    show: Rehearsal | None = None
    line: Line | None = None
    try:
        show = Rehearsal(site, test.given)
        play = Play(show, test)
        for line in test.lines:
            play.line(line)
    except Differs as differs:
        return _result(test, show, Failure(differs.place, differs.expected, differs.found))
    except RefusedError as refused:
        place = line.place if line is not None else test.place
        return _result(test, show, Failure(place, "the engine to take what is given", str(refused)))
    except AssertionError as broken:  # the world's own checks: an invariant, a call without a deadline
        place = line.place if line is not None else test.place
        return _result(test, show, Failure(place, "the engine to keep its own rules", str(broken)))
    return _result(test, show, None)


def _result(test: Case, show: Rehearsal | None, failure: Failure | None) -> Result:
    if show is None:
        return Result(test.name, test.place, failure, 0, ())
    story = tuple(show.transcript())
    if failure is not None:
        failure = msgspec.structs.replace(failure, transcript=story)
    lasted_ms = show.world.now_ms - show.began_ms
    return Result(test.name, test.place, failure, lasted_ms, story, tuple(show.events()), test.given)


class Play:
    """The lines of one test against one call. `line` raises Differs at the first that isn't as written."""

    def __init__(self, show: Rehearsal, test: Case) -> None:
        self.show, self.test = show, test
        self.cursor = 0  # of what the caller has heard, the first that no line has named
        self.agents: dict[str, int] = dict.fromkeys(show.agents, 0)
        self.acted = 0  # … and the first since somebody last acted
        self.within = ("", "")  # (the prompt named last, the name of its clip)
        self.started = False  # has a line named anything yet? before that, prompts may be left out

    def line(self, line: Line) -> None:
        _LINES[line.kind](self, line)

    # --- acts -------------------------------------------------------------------------------------------
    def press(self, line: Line) -> None:
        keys = str(line.value)
        if not self.show.press(keys):
            raise Differs(line.place, f"somebody to take the keys {keys}", self.show.where())
        self.started = True
        self.acts(self.show.before_key)

    def say(self, line: Line) -> None:
        """Words, read by the grammar that is listened with; nobody listens: that is the difference."""
        told = line.value if isinstance(line.value, dict) else {"text": str(line.value)}
        others = tuple(each for each in str(told.get("or", "")).split(", ") if each)
        said = Said(str(told["text"]), int(str(told.get("confidence", SURE_PERCENT))), others)
        if not self.show.say(said):
            raise Differs(line.place, f"somebody to listen to “{said.text}”", self.show.where())
        self.started = True
        self.acts(self.show.before_key)

    def silence(self, line: Line) -> None:
        if self.show.over():
            raise Differs(line.place, "a call to be silent in", self.show.where())
        self.started = True
        self.show.silence()
        self.acts(self.show.before_key)

    def press_ahead(self, line: Line) -> None:
        """At once, whether anybody listens or not (type-ahead)."""
        if self.show.over():
            raise Differs(line.place, f"a call to press {line.value} in", self.show.where())
        self.started = True
        self.show.strike(str(line.value))

    def acts(self, heard: int) -> None:
        """Somebody acted when the caller had heard so many clips: nobody asks for those before any more."""
        self.cursor = self.acted = heard
        self.within = ("", "")

    def wait(self, line: Line) -> None:
        self.show.wait(int(str(line.value)))

    def say_for(self, line: Line) -> None:
        """The caller speaks so long: from the moment on at which he is being recorded."""
        show = self.show
        if not show.until(lambda: show.recorded() or show.over()) or not show.recorded():
            raise Differs(line.place, "somebody to listen to him", self.show.where())
        self.show.wait(int(str(line.value)))

    def hang_up(self, line: Line) -> None:
        if self.show.over():
            raise Differs(line.place, "a call to hang up", self.show.where())
        self.show.hang_up()

    def agent(self, line: Line) -> None:
        who, act, rest = line.value if isinstance(line.value, tuple) else ("", "", "")
        _ACTS[act](self, line, who, rest)

    def answers(self, line: Line, who: str, rest: str) -> None:
        key = self.rung(line, who)
        self.show.tell(f"agent {key} answers")
        phone = self.show.agents[key]
        phone.behave(200)
        phone.pick_up(self.show.world.now_ms)
        show = self.show
        if not show.until(lambda: show.over() or show.together(key), TOGETHER_MS_MAX) or show.over():
            raise Differs(line.place, f"the caller to talk to {key}", self.show.where())
        self.acts(len(self.show.ear.heard))

    def refuses(self, line: Line, who: str, rest: str) -> None:
        key = self.rung(line, who)
        self.show.tell(f"agent {key} refuses")
        phone = self.show.agents[key]
        phone.behave(486)
        phone.pick_up(self.show.world.now_ms)
        self.show.wait(SETTLE_MS)

    def lets_ring(self, line: Line, who: str, rest: str) -> None:
        key = self.rung(line, who)
        phone = self.show.agents[key]
        if not self.show.until(lambda: not phone.incoming):
            raise Differs(line.place, f"{key} to be rung no more", self.show.where())

    def rung(self, line: Line, who: str) -> str:
        self.show.until(lambda: bool(self.show.ringing(who)) or self.show.over())
        key = self.show.ringing(who)
        if not key:
            whose = f"agent {who}'s phone" if who else "an agent's phone"
            raise Differs(line.place, f"{whose} to ring", self.where())
        return key

    def where(self) -> str:
        agents = [f"{key} {self.show.world.state(key)}" for key in self.show.agents]
        return f"{self.show.where()}; agents: {', '.join(agents) or 'none are logged in (given: agents)'}"

    def with_agent(self, line: Line, who: str) -> str:
        key = self.show.talking(who)
        if not key:
            raise Differs(line.place, f"a conversation with agent {who}".rstrip(), self.where())
        return key

    def ends(self, line: Line, who: str, rest: str) -> None:
        key = self.with_agent(line, who)
        self.show.tell(f"agent {key} hangs up")
        self.acts(len(self.show.ear.heard))
        self.show.agents[key].hang_up(self.show.world.now_ms)
        self.show.wait(SETTLE_MS)

    def holds(self, line: Line, who: str, rest: str, direction: str = "sendonly") -> None:
        key = self.with_agent(line, who)
        self.show.tell(f"agent {key} {'holds' if direction == 'sendonly' else 'resumes'}")
        phone = self.show.agents[key]
        phone.hold(phone.up()[0], self.show.world.now_ms, direction=direction)
        self.show.wait(SETTLE_MS)

    def resumes(self, line: Line, who: str, rest: str) -> None:
        self.holds(line, who, rest, "sendrecv")

    def presses(self, line: Line, who: str, rest: str) -> None:
        key = self.with_agent(line, who)
        self.show.tell(f"agent {key} presses {rest}")
        for digit in rest:
            self.show.world.press(self.show.agents[key], digit, gap_ms=0)
            self.show.wait(2 * SETTLE_MS)

    def transfers(self, line: Line, who: str, rest: str) -> None:
        key = self.with_agent(line, who)
        self.show.tell(f"agent {key} transfers to {rest}")
        phone = self.show.agents[key]
        phone.refer(phone.up()[0], rest, self.show.world.now_ms)
        self.show.wait(SETTLE_MS)

    def operated(self, line: Line, who: str, verb: str) -> None:
        keys = [key for key in self.show.agents if who in ("", key.partition("/")[2])]
        if not keys:
            raise Differs(line.place, f"agent {who} at a desk (given: agents)", self.where())
        self.show.operate(verb, agent=keys[0])
        self.show.tell(f"{verb.replace('.', ' ')} {keys[0]}")
        self.show.wait(SETTLE_MS)

    # --- what is heard ----------------------------------------------------------------------------------
    def hears(self, line: Line) -> None:
        names = line.value if isinstance(line.value, tuple) else ()
        for number, wanted in enumerate(names):
            place = line.places.get(str(number), line.place)
            may_skip = not self.started
            self.started = True
            self.find(place, wanted, may_skip)

    def find(self, place: Place, wanted: str, may_skip: bool) -> None:
        """The caller hears `wanted` next, after what still belongs to the prompt before it."""
        ear = self.show.ear
        while True:
            if self.cursor >= len(ear.heard):
                self.show.until(lambda: self.cursor < len(ear.heard) or self.show.over())
                if self.cursor >= len(ear.heard):
                    raise Differs(place, f"to hear {wanted}", f"nothing more was heard: {self.show.where()}")
            heard = ear.heard[self.cursor]
            if fits(self.show, heard, wanted) and not self.belongs(heard):
                self.within = (wanted, heard.name)
                self.cursor += 1
                return
            if not (heard.sound or heard.value or may_skip or self.belongs(heard)):
                second = (heard.at_ms - self.show.began_ms) / 1_000
                found = f"heard {self.show.words(heard)} at {second:.1f} s, from {self.show.place}"
                raise Differs(place, f"to hear {wanted}", found)
            self.cursor += 1

    def belongs(self, heard: Heard) -> bool:
        """Is it a later part of the prompt that was named last?"""
        wanted, name = self.within
        if wanted in GROUPS and heard.name in GROUPS[wanted]:
            return heard.name != GROUPS[wanted][0] and heard.name != name
        return heard.name == name and "#" in heard.clip and not heard.clip.endswith("#1")

    def agent_hears(self, line: Line) -> None:
        names = line.value if isinstance(line.value, tuple) else ()
        show = self.show
        for number, wanted in enumerate(names):

            def found(wanted: str = wanted) -> str:
                for key, ear in show.ears.items():
                    for at in range(self.agents[key], len(ear.heard)):
                        if fits(show, ear.heard[at], wanted):
                            self.agents[key] = at + 1
                            return key
                return ""

            if not show.until(lambda found=found: bool(found())):  # type: ignore[misc]
                raise Differs(line.places.get(str(number), line.place), f"an agent to hear {wanted}", self.where())

    def hears_text(self, line: Line) -> None:
        """The words since the last key (or agent's act), values as they are spoken."""
        wanted, begin = bare(str(line.value)), self.acted
        ear = self.show.ear

        def said() -> str:
            return " ".join(self.text(each) for each in ear.heard[begin:] if not each.sound)

        self.show.until(lambda: wanted in bare(said()) or self.show.over())
        if wanted not in bare(said()):
            raise Differs(line.place, f"to hear “{line.value}”", f"heard “{said()}”; {self.show.where()}")

    def text(self, heard: Heard) -> str:
        prompt = self.show.site.prompts.get(heard.clip)
        return prompt.text if prompt is not None else heard.name

    # --- what has happened ------------------------------------------------------------------------------
    def queue(self, line: Line) -> None:
        want = line.value if isinstance(line.value, dict) else {}
        name = str(want.get("name", ""))
        full = name if not name or "/" in name else f"{self.test.given.tenant}/{name}"
        show = self.show

        def joined() -> Event | None:
            found = [each for each in show.events("queue.joined") if not full or each.data["queue"] == full]
            return found[-1] if found else None

        show.until(lambda: joined() is not None or show.over())
        event = joined()
        if event is None:
            others = [str(each.data["queue"]) for each in show.events("queue.joined")]
            also = f"; he joined {', '.join(others)}" if others else ""
            raise Differs(line.place, f"the caller to join queue {name}", f"{show.where()}{also}")
        call = show.call() or show.last
        needs = call.wish.needs if call is not None and call.wish is not None else ()
        if call is not None and call.wish is not None and call.wish.steps:
            needs = call.wish.steps[0][1]
        facts = {
            "name": full, "position": str(event.data["position"]), "priority": f"{event.data['priority_ms']}",
            "skills": dict(sorted((skill, str(level)) for skill, level in needs)),
        }  # fmt: skip
        for key, wanted in want.items():
            if key == "name":
                continue
            found = facts.get(key)
            if key == "priority" and isinstance(wanted, str):
                wanted = str(_ms(wanted))
            if isinstance(wanted, dict):
                language = call.language if call is not None else ""
                named = ((language if name == "language" else name, level) for name, level in wanted.items())
                wanted = dict(sorted(named))
            if found != wanted:
                raise Differs(line.places.get(key, line.place), f"{key} {shown(wanted)}", f"{key} is {shown(found)}")

    def callback(self, line: Line) -> None:
        self.event(line, "callback.requested", {"place": "position"})

    def record(self, line: Line) -> None:
        want = line.value if isinstance(line.value, dict) else {}
        self.event(line, str(want.get("kind", "")), {})

    def message(self, line: Line) -> None:
        want = dict(line.value) if isinstance(line.value, dict) else {}
        seconds = want.pop("seconds", None)
        found = self.event(msgspec.structs.replace(line, value=want), "voicemail.left", {})
        if isinstance(seconds, str):
            length = round(int(found.data.get("duration_ms") or 0) / 1_000)
            if str(length) != seconds.removesuffix("s"):
                raise Differs(line.place, f"a message of {seconds} s", f"it is {length} s long")

    def event(self, line: Line, kind: str, renamed: dict[str, str]) -> Event:
        """A record of this kind whose fields are as wanted; waits for it."""
        want = line.value if isinstance(line.value, dict) else {}
        fields = {renamed.get(key, key): str(value) for key, value in want.items() if key != "kind"}
        show, tenant = self.show, self.test.given.tenant

        def fitting() -> Event | None:
            for event in reversed(show.events(kind)):
                if all(_same(event.data.get(key), value, tenant) for key, value in fields.items()):
                    return event
            return None

        show.until(lambda: fitting() is not None or (show.over() and show.world.quiet()))
        event = fitting()
        if event is None:
            near = show.events(kind)
            found = f"the last {kind} says {shown(_plain(near[-1], fields))}" if near else f"no {kind}: {show.where()}"
            raise Differs(line.place, f"a record {kind} {shown(fields)}".rstrip(), found)
        return event

    def flow(self, line: Line) -> None:
        show, wanted = self.show, str(line.value)

        def been() -> list[str]:
            steps = [str(each.data["step"]) for each in show.events("call.step")]
            return list(dict.fromkeys(step.split("/", 1)[0].split("#", 1)[0] for step in steps))

        show.until(lambda: wanted in been() or show.over())
        if wanted not in been():
            raise Differs(line.place, f"the call to come to {wanted}", f"it went {' > '.join(been())}; {show.where()}")

    def outcome(self, line: Line) -> None:
        show = self.show
        show.until(lambda: bool(show.outcome()) or show.over(), ENDING_MS_MAX)
        show.wait(SETTLE_MS)
        if show.outcome() != line.value:
            raise Differs(line.place, f"the outcome {line.value}", show.where())

    def call(self, line: Line) -> None:
        """Facts of the call, and the dialplan's variables by their names."""
        want = line.value if isinstance(line.value, dict) else {}
        tenant = self.test.given.tenant
        if any(key in AT_THE_END for key in want):
            self.show.until(self.show.over, ENDING_MS_MAX)

        def fit() -> bool:
            return all(_same(self.fact(key), str(wanted), tenant) for key, wanted in want.items())

        self.show.until(lambda: fit() or self.show.over())
        for key, wanted in want.items():
            place, found = line.places.get(key, line.place), self.fact(key)
            if found is None:
                running = self.show.last.running if self.show.last is not None else None
                known = [*CALL_FIELDS, *(running.variables if running is not None else ())]
                raise Differs(place, f"{key} {shown(wanted)}", f"{key} is not set; known: {', '.join(known)}")
            if not _same(found, str(wanted), tenant):
                raise Differs(place, f"{key} {shown(wanted)}", f"{key} is {found}")

    def fact(self, key: str) -> str | None:
        call, show = self.show.call() or self.show.last, self.show
        ended = show.events("call.ended")
        if key == "status":
            return show.caller.ended[-1][1].rpartition(" ")[2] if show.caller.ended else None
        if key == "tags":
            texts = [str(each.data["text"]) for each in show.events("call.step")]
            return ", ".join(text[5:] for text in texts if text.startswith("tag: "))
        if key in ("cause", "by", "path"):
            return str(ended[-1].data[key]) if ended else None
        if call is None:
            return None
        if key == "language":
            return call.running.language if call.running is not None else call.language
        if key in ("queue", "agent"):
            return call.queue if key == "queue" else call.served_by
        value = call.running.variables.get(key) if call.running is not None else None
        if isinstance(value, bool):
            return "yes" if value else "no"
        return None if value is None else str(value)


def fits(show: Rehearsal, heard: Heard, wanted: str) -> bool:
    """Is this what a transcript calls `wanted`: a prompt, a sound, or its words?"""
    if heard.name == wanted or heard.clip == wanted or heard.name in GROUPS.get(wanted, ()):
        return True
    if wanted in _SOUND:
        return heard.clip.rpartition(":")[2].startswith(_SOUND[wanted])
    prompt = show.site.prompts.get(heard.clip)
    return prompt is not None and is_text(wanted) and bare(prompt.text) == bare(wanted)


def bare(text: str) -> str:
    """Letters and digits alone, so that commas, capitals and spaces don't matter."""
    return " ".join("".join(letter if letter.isalnum() else " " for letter in text.casefold()).split())


def shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {each}" for key, each in value.items()) + "}"
    return str(value)


def _plain(event: Event, fields: dict[str, str]) -> dict[str, object]:
    return {key: event.data.get(key) for key in (fields or event.data)}


def _same(found: object, wanted: str, tenant: str) -> bool:
    """Names may be written without their tenant; yes and no are flags."""
    if isinstance(found, bool):
        return wanted in (("yes", "true", "on") if found else ("no", "false", "off"))
    return str(found) in (wanted, f"{tenant}/{wanted}")


def _ms(text: str) -> int:
    from engine.dialplan.types import TypeProblem, duration_ms

    try:
        return duration_ms(text)
    except TypeProblem:
        return -1


_LINES: dict[str, Callable[[Play, Line], None]] = {
    "hears": Play.hears, "hears_text": Play.hears_text, "press": Play.press, "say": Play.say,
    "silence": Play.silence, "press_ahead": Play.press_ahead,
    "wait": Play.wait, "say_for": Play.say_for, "hang_up": Play.hang_up, "agent": Play.agent,
    "agent_hears": Play.agent_hears, "queue": Play.queue, "callback": Play.callback, "message": Play.message,
    "record": Play.record, "flow": Play.flow, "call": Play.call, "outcome": Play.outcome,
}  # fmt: skip
_ACTS: dict[str, Callable[[Play, Line, str, str], None]] = {
    "answers": Play.answers, "refuses": Play.refuses, "does not answer": Play.lets_ring, "hangs up": Play.ends,
    "holds": Play.holds, "resumes": Play.resumes, "presses": Play.presses, "transfers to": Play.transfers,
    "is ready": lambda play, line, who, _: play.operated(line, who, "agent.ready"),
    "is not ready": lambda play, line, who, _: play.operated(line, who, "agent.not_ready"),
    "logs in": lambda play, line, who, _: play.operated(line, who, "agent.login"),
    "logs out": lambda play, line, who, _: play.operated(line, who, "agent.logout"),
}  # fmt: skip

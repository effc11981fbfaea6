"""One call in a world of its own: a caller, the agents that are given, a real Switch, virtual time, and the story.

`Rehearsal` is what tests, `ringdown try` and the fuzz of the examples share. It does what people do (press, wait, pick
up) and sees what they see; whether that was expected is `expecting`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from engine.call.call import Call
from engine.call.effects import LookupDone
from engine.call.stream_wall import StreamDone
from engine.dialplan.model import NumberModel, Site
from engine.dialplan.program import Program, Step
from engine.records.events import Event
from engine.sim import fake_bots
from engine.sim.clock_reader import shown
from engine.sim.ear import Ear, Heard
from engine.sim.fake_lookups import answer
from engine.sim.given_reader import box_host
from engine.sim.phone import Habit, Phone
from engine.sim.saying import Said, lasts_ms, utterance
from engine.sim.transcript import Given
from engine.sim.world import World

PATIENCE_MS = 120_000  # nobody waits longer for the next prompt than that, unless `wait` says so
KEY_MS = 200  # between two keys
SETTLE_MS = 100  # after an act: signalling is through
TOGETHER_MS_MAX = 30_000  # from an agent's answer to the conversation: whisper and confirmation lie between
REGISTER_MS_MAX = 5_000
UNRECORDED = "no recording for "  # what `check` tells (RD091); a test knows the words all the same
_PHONE_NETS = 200


class RefusedError(Exception):
    """What is given, or what an agent would do, is refused by the engine; the text is its own."""


class Rehearsal:
    """See the module's docstring."""

    def __init__(
        self, site: Site, given: Given, *, seed: int = 1, law9: bool = False, steps: bool = False
    ) -> None:
        """`steps`: the story names every step and every variable that is set, too."""
        site = _with_boxes(with_doors(site, given.waiting))
        self.site, self.given, self.steps = site, given, steps
        self.world = World(site, seed=seed, law9=law9, wall_ms=given.wall_ms)
        self.world.watched = True
        self.world.lost_files.extend(given.unreachable)
        self.story: list[tuple[int, str, Heard | None]] = []  # (ms of the world, what happened; or what was heard)
        self.answers: list[tuple[int, LookupDone | StreamDone]] = []  # of lookups and bots, under way
        self.agents: dict[str, Phone] = {}
        self.ears: dict[str, Ear] = {}
        for key, state in given.agents.items():
            self._sit_down(key, state)
        for queue in given.closed:
            self.operate("queue.close", queue=queue)
        for kind, name, state in given.switches:
            self._switch(kind, name, state)
        for queue, count in given.waiting.items():
            self._line_up(queue, count)
        self.seen = len(self.world.events)
        self.caller = self._caller()
        self.ear = Ear(self.world, self.caller)
        self.began_ms = self.world.now_ms
        self.name = ""  # of the call, once it has one
        self.place = ""  # of the step that it is at
        self.told = 0  # clips of the caller's that are in the story
        self.before_key = 0  # clips that the caller had heard when he last pressed a key
        self.last: Call | None = None
        self.tell(f"{given.caller} dials {given.dialled}, {shown(given.wall_ms, given.zone)}")
        self.caller.call(given.dialled, self.world.now_ms, secret=False)
        self.until(lambda: bool(self.name or self.caller.ended), 5_000)

    # --- the people -------------------------------------------------------------------------------------
    def _caller(self) -> Phone:
        given = self.given
        caller = self.world.phone(given.caller, host=given.host, password="")
        if given.tenant != "default" and not given.trunk:
            caller.domain = self.site.tenants[given.tenant].domain or caller.domain
        return caller

    def _sit_down(self, key: str, state: str) -> None:
        """An agent's phone, registered and logged in, that rings until it is told what to do."""
        phone = self._phone(key)
        phone.register(self.world.now_ms)
        if not self.world.run_until(lambda: phone.registered_ms >= 0, REGISTER_MS_MAX):
            raise AssertionError(f"the phone of {key} could not register: {phone.log}")
        self.operate("agent.login", agent=key)
        if state == "not_ready":
            self.operate("agent.not_ready", agent=key)
        elif state == "talking":
            phone.call(self.given.dialled, self.world.now_ms)
        self.world.run(SETTLE_MS)

    def _switch(self, kind: str, name: str, state: str) -> None:
        """As an operator does by `ringdown hours` and `ringdown notice`; other words than on and off are spoken."""
        if kind == "calendar":
            self.operate("hours.set", calendar=name, state=state)
        elif state in ("on", "off"):
            self.operate("notice.set", notice=name, state=state)
        else:
            self.operate("notice.set", notice=name, state="on", text=state)

    def _line_up(self, queue: str, count: int) -> None:
        """Others who wait in a queue before the caller comes."""
        for number in range(count):
            other = self.world.phone(f"5551{number:03}", host=f"198.19.0.{number + 1}", password="")
            other.domain = self.site.tenants[queue.partition("/")[0]].domain or other.domain
            other.call(door_of(queue), self.world.now_ms, secret=False)
        self.world.run(SETTLE_MS)

    def _phone(self, key: str) -> Phone:
        tenant, _, number = key.partition("/")
        number_of = len(self.agents)
        host = f"198.18.{number_of // _PHONE_NETS}.{number_of % _PHONE_NETS + 1}"
        phone = self.world.phone(number, host=host, tenant=tenant)
        phone.habit = Habit(answer_ms=-1)
        self.agents[key] = phone
        self.ears[key] = Ear(self.world, phone)
        return phone

    def operate(self, verb: str, **arguments: str) -> None:
        reply = self.world.operate(verb, **arguments)
        if not reply.ok:
            raise RefusedError(f"{verb} {' '.join(arguments.values())}: {reply.error}")

    # --- time -------------------------------------------------------------------------------------------
    def until(self, condition: Callable[[], bool], ms_max: int = PATIENCE_MS) -> bool:
        """Let time pass until `condition` holds or, after `ms_max`, doesn't. Stops at the start of every clip too."""
        world, end = self.world, self.world.now_ms + ms_max
        while True:
            self.look()
            if condition():
                return True
            if world.now_ms >= end:
                return False
            self.answer_lookups()
            soon = [end, *(at for at, _ in self.answers)]
            coming = self.ear.next()
            if coming is not None:
                soon.append(coming)
            world.advance(max(world.now_ms, min(soon)))

    def answer_lookups(self) -> None:
        """Servers and bots answer as it is given: new questions are noted, and answers that are due are told."""
        world = self.world
        bots, world.bots = world.bots, []
        for bot in bots:
            ending = fake_bots.answer(self.given.bots, bot)
            if ending is not None:
                self.answers.append((world.now_ms + ending[0], ending[1]))
        asked, world.asked = world.asked, []
        for wanted in asked:
            coming = answer(self.given.lookups, wanted)
            if coming is not None:
                self.answers.append((world.now_ms + coming[0], coming[1]))
        due = [done for at, done in self.answers if at <= world.now_ms]
        self.answers = [each for each in self.answers if each[0] > world.now_ms]
        for done in due:
            world.give(done)

    def wait(self, ms: int) -> None:
        self.until(lambda: False, ms)

    def look(self) -> None:
        """Take in what has happened since the last look."""
        self._look_at_records()
        for ear in self.ears.values():
            ear.listen()
        self.ear.listen()
        for heard in self.ear.heard[self.told :]:
            self.story.append((heard.at_ms, "", heard))
        self.told = len(self.ear.heard)
        call = self.call()
        if call is not None:
            self.last = call

    def _look_at_records(self) -> None:
        events = self.world.events
        while self.seen < len(events):
            event = events[self.seen]
            self.seen += 1
            if not self.name and event.kind == "call.started" and event.data["caller"] == self.caller.user:
                self.name = event.call
            if event.call == self.name and event.kind == "call.step":
                self.place = str(event.data["text"])
            text = _told(event) if event.call and event.call == self.name else ""
            if self.steps and not text and event.call and event.call == self.name:
                text = _walked(event)
            if text:
                self.story.append((event.now_ms, text, None))

    # --- what is the case -------------------------------------------------------------------------------
    def call(self) -> Call | None:
        """The caller's call while it lives."""
        last = self.last
        if last is not None and last.name == self.name and last.id in self.world.switch.room.calls:
            return self.world.switch.room.calls[last.id]
        return next((each for each in self.world.switch.room.calls.values() if each.name == self.name), None)

    def over(self) -> bool:
        """The caller's call has ended, or was refused."""
        return bool(self.caller.ended)

    def events(self, kind: str = "") -> list[Event]:
        """The records of this call (and of callbacks that it asked for), in order."""
        mine = {self.name: True}
        found = []
        for event in self.world.events:
            if event.kind == "callback.requested" and event.data["origin"] == self.name:
                mine[event.call] = True
            if event.call and event.call in mine and (not kind or event.kind == kind):
                found.append(event)
        return found

    def listening(self) -> bool:
        """Would a key that is pressed now reach a menu, a gather, a bot, or a queue that lets him leave by key?"""
        call = self.call()
        if call is None or self.caller.ended:
            return False
        waiting = call.waiting
        if waiting is not None:
            return waiting.listens or bool(waiting.exit_keys) or waiting.run is None
        bot = call.running is not None and call.running.waiting == "stream"
        taken = call.collecting or bot or bool(call.record_keys and call.record_ticket)
        return taken or call.phase not in ("arriving", "script", "closing")

    def recorded(self) -> bool:
        """Is what the caller says being written down?"""
        call = self.call()
        leg = self.world.switch.room.legs.get(call.leg) if call is not None else None
        return leg is not None and bool(leg.tap)

    def outcome(self) -> str:
        """How the call ended, '' while it lives."""
        ended = self.events("call.ended")
        return str(ended[-1].data["outcome"]) if ended else ""

    def where(self) -> str:
        """Where the caller is, in words."""
        call = self.call()
        if self.over() or call is None:
            how = self.outcome()
            if not how and self.caller.ended:
                return f"the call was {self.caller.ended[-1][1]}"
            return f"the call is over: {how or 'it never began'}"
        sounds = [each.clip for each in self.ear.heard[-1:]]
        what = f", hears {sounds[0]}" if sounds else ""
        where = f"queue {call.queue}" if call.phase == "queue" else call.phase
        return f"the caller is in {where} at {self.place}{what}"

    # --- acts -------------------------------------------------------------------------------------------
    def press(self, keys: str) -> bool:
        """Press keys as soon as somebody listens; False when the call is over before that."""
        self.until(lambda: self.listening() or self.over())
        return not self.over() and self.strike(keys)

    def strike(self, keys: str) -> bool:
        """Press keys now; False when the call is over before the last."""
        for key in keys:
            self.look()
            if self.over():
                return False
            self.before_key = len(self.ear.heard)
            self.tell(f"presses {key}")
            self.world.press(self.caller, key, gap_ms=0)
            self.wait(KEY_MS if len(keys) > 1 else 0)
        return True

    def hears_words(self) -> bool:
        """Is what the caller says listened to now?"""
        call = self.call()
        return call is not None and call.id in self.world.listening

    def say(self, said: Said) -> bool:
        """Say words as soon as somebody listens to words; False when nobody does before the call is over."""
        self.until(lambda: self.hears_words() or self.over())
        call = self.call()
        wanted = self.world.listening.get(call.id) if call is not None else None
        if wanted is None:
            return False
        self.before_key = len(self.ear.heard)
        self.tell(f"says “{said.text}”")
        self.world.speak(wanted, utterance(self.site, wanted.listening, said), ms=lasts_ms(said))
        self.look()
        return True

    def silence(self) -> None:
        """Say nothing and press nothing until something else is heard, or the call is over."""
        known = len(self.ear.heard)
        self.before_key = known
        self.tell("says nothing")
        self.until(lambda: self.over() or any(not each.sound for each in self.ear.heard[known:]))

    def hang_up(self) -> None:
        self.tell("hangs up")
        self.caller.hang_up(self.world.now_ms)
        self.wait(SETTLE_MS)

    def ringing(self, who: str = "") -> str:
        """The agent (full key) whose phone rings, '' nobody's. `who`: his number, or anybody."""
        for key, phone in self.agents.items():
            if phone.incoming and who in ("", key.partition("/")[2]):
                return key
        return ""

    def talking(self, who: str = "") -> str:
        """The agent (full key) whose phone is in a conversation with this call."""
        call = self.call()
        legs = self.world.switch.room.legs
        keys = [legs[number].agent for number in call.legs if number in legs] if call is not None else []
        for key in keys:
            if key in self.agents and self.agents[key].up() and who in ("", key.partition("/")[2]):
                return key
        return ""

    def together(self, key: str) -> bool:
        """Do the caller and this agent hear each other?"""
        return self.talking() == key and self.world.hears(self.caller).startswith(("row", "mix"))

    # --- the story --------------------------------------------------------------------------------------
    def tell(self, text: str) -> None:
        """One act into the story, behind all that came before it."""
        self.look()
        self.story.append((self.world.now_ms, text, None))

    def words(self, heard: Heard, *, alone: bool = True) -> str:
        """What was heard, for people: welcome “Welcome to Ringdown.”"""
        prompt = self.site.prompts.get(heard.clip)
        text = prompt.text if prompt is not None else ""
        if not text:
            return heard.name
        unnamed = heard.value or heard.name.startswith("say-") or not alone
        return f"“{text}”" if unnamed else f"{heard.name} “{text}”"

    def transcript(self) -> list[str]:
        """Everything so far, one line each: `  12.3 s  hears welcome “Welcome.”`."""
        self.look()
        lines: list[tuple[int, str]] = []
        inside = False  # the line above is a prompt that this value belongs to
        for at, text, heard in sorted(self.story, key=lambda row: row[0]):
            if heard is None:
                lines.append((at, text))
            elif heard.clip == "silence" or heard.clip.startswith(("row ", "mix ")) or at < self.began_ms:
                continue
            elif inside and (heard.value or ("#" in heard.clip and not heard.clip.endswith("#1"))):
                lines[-1] = (lines[-1][0], f"{lines[-1][1]} {self.words(heard, alone=False)}")
                continue
            else:
                lines.append((at, f"hears {self.words(heard)}"))
            inside = heard is not None and not heard.sound
        return [f"{(at - self.began_ms) / 1_000:7.1f} s  {text}" for at, text in lines]

    def second(self) -> float:
        return (self.world.now_ms - self.began_ms) / 1_000


def door_of(queue: str) -> str:
    """The number that leads straight into a queue, in the world of a test."""
    return "door-" + queue.replace("/", "-")


def _with_boxes(site: Site) -> Site:
    """Boxes that register have done so, and are known by where they stand."""
    trunks = {
        name: msgspec.structs.replace(trunk, host=box_host(site, name), accounts=()) if trunk.accounts else trunk
        for name, trunk in site.trunks.items()
    }
    return msgspec.structs.replace(site, trunks=trunks)


def with_doors(site: Site, queues: Iterable[str]) -> Site:
    """The site, with a number for each of these queues (full names) by which others come to wait there."""
    numbers, programs = dict(site.numbers), dict(site.programs)
    for queue in queues:
        tenant, _, name = queue.partition("/")
        door = f"{tenant}/{door_of(queue)}"
        data = {"name": queue, "music": list(site.queues[queue].music)}
        steps = (
            Step("answer", "door/answer", "door:1:1", {}), Step("queue", f"door/queue({name})", "door:2:1", data),
            Step("hangup", "door/hangup", "door:3:1", {"outcome": "served"}),
        )  # fmt: skip
        programs[door] = Program(door, site.version, "main", {"main": steps}, {}, site.tenants[tenant].languages)
        numbers[door_of(queue)] = NumberModel(door_of(queue), tenant, door, public=True)
    return msgspec.structs.replace(site, numbers=numbers, programs=programs)


def _walked(event: Event) -> str:
    """A step or a variable, '' for anything else. Sensitive values are masked already."""
    data = event.data
    if event.kind == "call.step":
        return f"step {data['step']}  {data['text']}"
    if event.kind == "call.gathered":
        return f"{data['variable']} = {data['value']}"
    return ""


def _told(event: Event) -> str:
    """An event as a line of the story, '' when it says nothing that a caller or agent would notice."""
    data = event.data
    match event.kind:
        case "queue.joined":
            return f"joins queue {data['queue']}, place {data['position']}"
        case "queue.offered":
            return f"agent {data['agent']} is rung"
        case "queue.offer_ended" if data["reason"] != "answered":
            return f"agent {data['agent']} is rung no more: {data['reason']}"
        case "queue.connected":
            return f"talks to agent {data['agent']}"
        case "queue.overflowed":
            return f"is sent on from {data['queue']} to {data['way']} {data['to']}"
        case "queue.left":
            return f"leaves queue {data['queue']}: {data['reason']}"
        case "callback.requested":
            return f"is promised a callback from {data['queue']}, place {data['position']}"
        case "call.fault" if not str(data["detail"]).startswith(UNRECORDED):
            return f"fault at {data['where']}: {data['detail']}"
        case "call.transferred":
            return f"is transferred to {data['to']}: {data['result']}"
        case "call.step" if str(data["text"]).startswith("tag: "):
            return f"is tagged {str(data['text'])[5:]}"
        case "call.ended":
            return f"the call ends: {data['outcome']} (by {data['by']})"
    return ""



"""A working day in half a minute: fifty agents and two hundred callers, all SIPp, through a real engine.

Seven queues, six strategies. Agents register with digest, some log in, pause and come back by phone codes, others by an
operator; some answer at once, some later, two never, some are busy or refuse; six have a queue that rings all of them,
and pick up in the same millisecond. Callers hang up when they like. Afterwards every account must agree: the peers' own
message logs, the engine's events and records, its `queue_log` as a reader written from Asterisk's documentation adds it
up, and the KPIs of `ringdown report`.
"""

from __future__ import annotations

import json
import re
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from harness import queue_log
from harness.children import until
from harness.ports import free_port
from harness.server import Engine
from harness.sipp import Sipp

TARGET_S = 3  # the service level that is compared
KINDS = ("fair", "all", "turn", "few", "line", "late", "small")
COMMON = "ring: 2s, misses: 2, rest: {no_answer: 1s, busy: 2s, rejected: 2s}"
QUEUES = f"""\
fair: {{strategy: longest-idle-agent, wrap_up: 1s, max_wait: 20s, length: 60, {COMMON}}}
all: {{strategy: ring-all, wrap_up: 500ms, max_wait: 20s, length: 60, {COMMON}}}
turn: {{strategy: rrmemory, wrap_up: 1s, max_wait: 20s, length: 60, {COMMON}}}
few: {{strategy: fewestcalls, wrap_up: 500ms, max_wait: 20s, length: 60, {COMMON}}}
line: {{strategy: linear, wrap_up: 500ms, max_wait: 20s, length: 60, {COMMON}}}
late: {{strategy: top-down, wrap_up: 500ms, max_wait: 3s, length: 60, {COMMON}}}
small: {{strategy: longest-idle-agent, wrap_up: 500ms, max_wait: 20s, length: 2, {COMMON}}}
"""


@dataclass
class Group:
    """Phones of one SIPp process that behave alike: they serve `queues`, ring `answer_ms`, talk `talk_ms`."""

    queues: str
    count: int
    scenario: str = "uas_crowd.xml"
    answer_ms: int = 0
    talk_ms: int = 0
    status: str = ""
    agents: list[str] = field(default_factory=list)

    def keys(self) -> dict[str, str]:
        return {"answer_ms": str(self.answer_ms), "talk_ms": str(self.talk_ms), "status": self.status}


NEVER_MS = 60_000
GROUPS = {
    "fair quick": Group("fair", 6, answer_ms=200, talk_ms=1500),
    "fair slow": Group("fair", 4, answer_ms=900, talk_ms=1200),
    "fair silent": Group("fair", 2, answer_ms=NEVER_MS, talk_ms=NEVER_MS),
    "fair busy": Group("fair", 2, "uas_crowd_refuses.xml", status="486 Busy Here"),
    "race": Group("all", 6, answer_ms=300, talk_ms=900),
    "turn": Group("turn", 10, answer_ms=300, talk_ms=1000),
    "turn refuses": Group("turn", 1, "uas_crowd_refuses.xml", status="603 Decline"),
    "few": Group("few, fair", 9, answer_ms=500, talk_ms=1000),
    "line silent": Group("line", 1, answer_ms=NEVER_MS, talk_ms=NEVER_MS),
    "line": Group("line", 5, answer_ms=300, talk_ms=1500),
    "late": Group("late", 2, answer_ms=NEVER_MS, talk_ms=NEVER_MS),
    "small": Group("small", 2, answer_ms=300, talk_ms=3000),
}
CALLERS = [  # queue, callers, a second, patience
    ("fair", 40, 2.5, 30_000), ("fair", 20, 2.0, 1_300), ("all", 30, 2.0, 30_000), ("all", 10, 0.7, 900),
    ("turn", 40, 3.0, 4_000), ("few", 30, 3.0, 30_000), ("line", 12, 1.0, 30_000), ("late", 6, 1.0, 30_000),
    ("late", 2, 0.3, 1_200), ("small", 10, 4.0, 4_500),
]  # fmt: skip


def numbered() -> dict[str, Group]:
    """The groups with the agents' numbers, 300 and on."""
    first = 300
    for group in GROUPS.values():
        group.agents = [str(first + place) for place in range(group.count)]
        first += group.count
    return GROUPS


def site() -> tuple[dict[str, tuple[str, str]], str]:
    """Edits of the demo site, and the dialplan."""
    numbers = "".join(
        f"  {8710 + place}: {{dialplan: interop, entry: {kind}, public: yes}}\n" for place, kind in enumerate(KINDS)
    )
    people = "".join(
        f"{number}: {{name: Agent {number}, queues: [{group.queues}]}}\n"
        for group in numbered().values()
        for number in group.agents
    )
    flows = "".join(
        f"  {kind}:\n    - answer\n    - queue: {{name: {kind}, full: over, no_agents: over, timeout: over}}\n"
        "    - hangup: served\n"
        for kind in KINDS
    )
    over = "  over:\n    - hangup: {outcome: failed, cause: 17}\n"
    plan = f"ringdown: 1\nabout: A number for each queue.\nentry: fair\n\nflows:\n{flows}{over}"
    edits = {
        "site.yaml": ("numbers:\n", "numbers:\n" + numbers), "queues.yaml": ("support:\n", QUEUES + "support:\n"),
        "agents.yaml": ("209:", people + "209:"),
    }  # fmt: skip
    return edits, plan


# --- what the peers wrote down ------------------------------------------------------------------------------------
@dataclass
class Message:
    """One message of a SIPp log: `at` in seconds of the day's clock, `out` when SIPp sent it."""

    at: float
    out: bool
    text: str

    @property
    def start(self) -> str:
        return self.text.split("\r\n", 1)[0].split("\n", 1)[0]

    def header(self, name: str) -> str:
        found = re.search(rf"^{name}:[ \t]*(.*?)\r?$", self.text, re.M | re.I)
        return found[1] if found else ""


STAMP = re.compile(r"^-{20,} (\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+).*$", re.M)


def messages(sipp: Sipp) -> list[Message]:
    """What a SIPp process sent and received, from its own log (`-trace_msg`)."""
    found = []
    for path in sipp.folder.glob("*_messages.log"):
        parts = STAMP.split(path.read_text(errors="replace"))
        for stamp, body in zip(parts[1::2], parts[2::2], strict=True):
            head, _, text = body.strip("\n").partition("\n\n")
            at = datetime.fromisoformat(stamp.replace("T", " ")).timestamp()
            found.append(Message(at, "sent" in head, text))
    return found


@dataclass
class Dialog:
    """One offer as the agent's phone saw it."""

    agent: str
    caller: str
    invited: float
    answered: float = 0.0
    acked: bool = False
    ended: str = ""  # the request of the engine that ended it: CANCEL or BYE
    reason: str = ""  # of that request


def dialogs(sipp: Sipp) -> list[Dialog]:
    """Every INVITE that reached the phones of one SIPp process, by Call-ID."""
    found: dict[str, Dialog] = {}
    for message in messages(sipp):
        key, start = message.header("Call-ID"), message.start
        dialog = found.get(key)
        if start.startswith("INVITE ") and not message.out and dialog is None:
            agent = re.match(r"INVITE sip:([^@;>]+)@", start)
            caller = re.search(r"crowd\d+x\d+", message.header("From"))
            assert agent and caller, message.text
            found[key] = Dialog(agent[1], caller[0], message.at)
        elif dialog is None:
            continue
        elif message.out and start.startswith("SIP/2.0 200") and message.header("CSeq").endswith("INVITE"):
            dialog.answered = dialog.answered or message.at
        elif not message.out and start.startswith("ACK "):
            dialog.acked = True
        elif not message.out and start.split(" ")[0] in ("BYE", "CANCEL"):
            dialog.ended, dialog.reason = start.split(" ")[0], dialog.reason or message.header("Reason")
    return list(found.values())


# --- the day --------------------------------------------------------------------------------------------------------
@dataclass
class Day:
    """What is left of it when everybody has hung up."""

    engine: Engine
    groups: dict[str, Group]
    offers: dict[str, list[Dialog]]  # by group
    codes: int  # calls that agents made to feature codes
    paused: list[str]
    states: dict[str, dict[str, Any]]
    log: queue_log.Reader


def credentials(folder: Path, engine: Engine, agents: list[str]) -> tuple[str, ...]:
    """SIPp's arguments that give each of its calls an agent's number and password."""
    words = engine.passwords()
    path = folder / f"agents-{agents[0]}-{len(agents)}-{free_port()}.csv"
    rows = [f"{number};[authentication username={number} password={words[number]}]\n" for number in agents]
    path.write_text("SEQUENTIAL\n" + "".join(rows))
    return "-inf", str(path)


def dial_code(folder: Path, engine: Engine, code: str, agents: list[str]) -> None:
    more = credentials(folder, engine, agents)
    with Sipp(folder, "uac_codes.xml", server=engine.address, number=code, calls=len(agents), more=more) as sipp:
        sipp.wait(30).check(len(agents))


def phones(folder: Path, engine: Engine, group: Group) -> Sipp:
    """Register a group's phones at one port, with digest, then play them there."""
    port = free_port()
    more = credentials(folder, engine, group.agents)
    with Sipp(folder, "uac_register_many.xml", server=engine.address, calls=group.count, port=port, rate=50,
              more=(*more, "-aa")) as sipp:  # fmt: skip
        sipp.wait(20).check(group.count)
    return Sipp(
        folder, group.scenario, port=port, calls=100_000, seconds=200, keys=group.keys(),
        more=("-aa", "-trace_msg"),
    )  # fmt: skip


def callers(folder: Path, engine: Engine, place: int) -> Sipp:
    kind, count, rate, patience_ms = CALLERS[place]
    keys = {"caller": f"crowd{place}x", "patience_ms": str(patience_ms)}
    return Sipp(
        folder, "uac_crowd.xml", server=engine.address, number=str(8710 + KINDS.index(kind)), calls=count, rate=rate,
        keys=keys, seconds=90, more=("-aa",),
    )  # fmt: skip


def home(sipp: Sipp) -> None:
    """Let SIPp finish its calls and write its logs."""
    if sipp.child.running():
        sipp.child.process.send_signal(signal.SIGUSR1)
        try:
            sipp.child.wait(4)
        except AssertionError:
            sipp.stop()


def settled(engine: Engine, agents: list[str]) -> bool:
    """Nobody rings, talks, wraps up or rests any more."""
    rows = {row["agent"]: row["state"] for row in engine.ask("agents") if row["tenant"] == "default"}
    return all(rows[number] in ("ready", "not_ready") for number in agents)


def work(engine: Engine, folder: Path) -> Day:
    """The whole day; ends when the last caller is gone and the last deadline of an agent over."""
    groups = numbered()
    everybody = [number for group in groups.values() for number in group.agents]
    by_phone, by_operator = groups["turn"].agents[:4], groups["few"].agents[:3]
    with ExitStack() as stack:
        desks = {name: phones(folder, engine, group) for name, group in groups.items()}
        for sipp in desks.values():
            stack.callback(sipp.stop)
        codes_login = [*groups["turn"].agents, *groups["race"].agents]
        dial_code(folder, engine, "*50", codes_login)
        for number in everybody:
            if number not in codes_login:
                engine.login(number)
        until(lambda: settled(engine, everybody), 10, what="everybody is logged in")
        crowds = [stack.enter_context(callers(folder, engine, place)) for place in range(len(CALLERS))]
        time.sleep(4)
        dial_code(folder, engine, "*52", by_phone)
        for number in by_operator:
            engine.ask("agent.not_ready", agent=f"default/{number}")
        time.sleep(4)
        dial_code(folder, engine, "*53", by_phone)
        for number in by_operator:
            engine.ask("agent.ready", agent=f"default/{number}")
        for sipp, (_, count, _, _) in zip(crowds, CALLERS, strict=True):
            sipp.wait().check(count)
        engine.wait_idle(10)
        until(lambda: settled(engine, everybody), 5, what="no agent is stuck after the longest deadline")
        states = {row["agent"]: row for row in engine.ask("agents") if row["agent"] in everybody}
        time.sleep(1)  # the last batch of records
        for sipp in desks.values():
            home(sipp)
        offers = {name: dialogs(sipp) for name, sipp in desks.items()}
    codes = len(codes_login) + 2 * len(by_phone)
    log = queue_log.read(engine.data / "queue_log")
    return Day(engine, groups, offers, codes, [*by_phone, *by_operator], states, log)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    edits, plan = site()
    with Engine(edits=edits, extra=plan) as engine:
        try:
            yield work(engine, tmp_path_factory.mktemp("crowd"))
        except BaseException:
            print(engine.story())
            raise


PLACED = sum(count for _, count, _, _ in CALLERS)


def test_it_is_a_crowd() -> None:
    assert sum(group.count for group in GROUPS.values()) == 50
    assert PLACED == 200


def test_every_caller_is_accounted_for(day: Day) -> None:
    """Calls in = answered + abandoned + timed out + refused, in the records, in the queue log and by the callers."""
    engine = day.engine
    rows = engine.rows("SELECT call, dialled, caller, outcome FROM calls")
    crowd = [row for row in rows if str(row["dialled"]).startswith("871")]
    assert len(crowd) == PLACED and len(rows) == PLACED + day.codes
    assert len({row["caller"] for row in crowd}) == PLACED
    results = Counter(row["result"] for row in engine.rows("SELECT result FROM contacts"))
    assert set(results) <= {"connected", "abandoned", "timeout", "full"}, results
    assert results.total() == PLACED, results
    for wanted in ("connected", "abandoned", "timeout", "full"):
        assert results[wanted] > 0, f"this day had no {wanted}: {results}"
    assert not day.log.waiting and not day.log.talking
    started = engine.rows("SELECT call FROM events WHERE kind = 'call.started'")
    ended = engine.rows("SELECT call FROM events WHERE kind = 'call.ended'")
    assert len(started) == len(ended) == len(rows)


def test_nothing_broke(day: Day) -> None:
    """No breach of an invariant, no error, no gap in the event stream, no agent who is where he shouldn't be."""
    engine = day.engine
    assert not engine.rows("SELECT * FROM events WHERE kind = 'engine.breach'")
    text = engine.output()  # `12:00:00 [error    ] …`; on a good day it has no line after `ready`
    faults = [line for line in text.splitlines() if re.search(r"Traceback|\[(error|critical)\s*\]", line)]
    assert not faults, faults
    numbers = [row["n"] for row in engine.rows("SELECT n FROM events ORDER BY n")]
    assert numbers == list(range(1, len(numbers) + 1))
    missing = {"fair silent", "line silent", "late"}
    for name, group in day.groups.items():
        for number in group.agents:
            row = day.states[number]
            if name not in missing:
                assert row["state"] == "ready", row
            elif row["state"] != "ready":
                assert (row["state"], row["reason"]) == ("not_ready", "missed"), row
    gone = [number for name in missing for number in day.groups[name].agents if day.states[number]["state"] != "ready"]
    assert gone, "nobody was set not ready for his misses"


def test_whoever_pauses_is_not_offered_a_call(day: Day) -> None:
    """From the pause to the return: by phone code and by an operator."""
    away: dict[str, bool] = {}
    pauses: Counter[str] = Counter()
    for event in day.engine.events():
        agent = str(event["data"].get("agent", "")).rpartition("/")[2]
        if event["kind"] == "agent.paused":
            away[agent] = bool(event["data"]["paused"])
            pauses[agent] += away[agent]
        elif event["kind"] == "queue.offered":
            assert not away.get(agent), event
    assert all(pauses[number] == 1 and not away[number] for number in day.paused), (pauses, away)


def test_nobody_is_offered_a_call_in_his_wrap_up(day: Day) -> None:
    """A second after a conversation from `fair` or `turn`, half a second after the others'."""
    over: dict[str, tuple[int, str]] = {}
    kept = 0
    for event in day.engine.events():
        if event["kind"] == "queue.completed":
            over[event["data"]["agent"]] = event["at_ms"], event["data"]["queue"]
        elif event["kind"] == "queue.offered" and event["data"]["agent"] in over:
            ended_ms, queue = over.pop(event["data"]["agent"])
            wrap_up_ms = 1000 if queue in ("default/fair", "default/turn") else 500
            assert event["at_ms"] - ended_ms >= wrap_up_ms - 1, event  # two clocks' last millisecond
            kept += 1
    assert kept > 50, kept


def test_no_caller_ever_has_two_agents(day: Day) -> None:
    """By the phones' own logs: of all who answered for one caller, one was left to talk to him."""
    talked: dict[str, list[Dialog]] = defaultdict(list)
    for offers in day.offers.values():
        for dialog in offers:
            if dialog.acked and dialog.answered and "SIP;cause=200" not in dialog.reason.replace(" ", ""):
                talked[dialog.caller].append(dialog)
    double = {caller: found for caller, found in talked.items() if len(found) > 1}
    assert not double, double
    answered = sum(sums.answered for sums in day.log.queues.values())
    assert len(talked) == answered


def test_phones_that_answer_in_the_same_millisecond_one_call_and_losers_who_are_told(day: Day) -> None:
    """On the wire of a queue that rings all: one winner, and each loser's CANCEL or BYE says who got the call."""
    rings: dict[str, list[Dialog]] = defaultdict(list)
    for dialog in day.offers["race"]:
        rings[dialog.caller].append(dialog)
    races = losers = 0
    for caller, rung in rings.items():
        answers = sorted(dialog.answered for dialog in rung if dialog.answered)
        if len(answers) < 2:
            continue
        races += answers[1] - answers[0] < 0.001
        won = [dialog for dialog in rung if dialog.answered and "SIP;cause=200" not in dialog.reason]
        assert len(won) <= 1, (caller, rung)
        for dialog in rung:
            if won and dialog is not won[0]:
                assert dialog.ended in ("CANCEL", "BYE"), dialog
                assert re.search(r"SIP\s*;\s*cause=200", dialog.reason), dialog
                losers += 1
    print(f"{races} callers for whom two phones answered within a millisecond, {losers} losers told")
    assert races >= 5, f"only {races} races in {len(rings)} offers to all"
    assert losers >= races


def test_the_queue_log_and_the_report_have_the_same_sums(day: Day) -> None:
    """A log of whole seconds, cut: counts are equal, and sums of times less by under a second a call."""
    told = day.engine.command("report", "--json", "--all", "--within", f"{TARGET_S - 0.001:g}")
    assert told.returncode == 0, told
    rows = {row["queue"]: row for row in json.loads(told.stdout)["rows"]}
    offered = 0
    for kind in KINDS:
        row, sums = rows[f"default/{kind}"], day.log.queues[f"default/{kind}"]
        offered += sums.offered + row["refused"]
        assert row["offered"] == sums.offered, (kind, row, sums)
        assert row["connected"] == sums.answered == len(sums.talks), (kind, row, sums)
        assert row["abandoned"] == sums.ended["abandoned"], (kind, row, sums)
        assert row["timed_out"] == sums.ended["timed_out"], (kind, row, sums)
        assert row["service_level_percent"] == pytest.approx(sums.service_level(TARGET_S)), (kind, row, sums)
        if sums.answered:
            waited = row["speed_of_answer_ms"] / 1000 - sums.mean_wait_s()
            talked = row["talk_ms"] / 1000 - sum(sums.talks) / len(sums.talks)
            assert 0 <= waited < 1 and 0 <= talked < 1, (kind, row, sums)
    assert offered == PLACED
    by_agent = json.loads(day.engine.command("report", "--json", "--all", "--by", "agent").stdout)["rows"]
    answered: Counter[str] = Counter()
    for sums in day.log.queues.values():
        answered.update(sums.answered_by)
    assert {row["agent"]: row["connected"] for row in by_agent if row["connected"]} == dict(answered)


def test_promised_waits_are_counted_as_they_came_true(day: Day) -> None:
    """`report --calibration` against the events: each estimate at joining, and what became of that caller. Half a
    minute of a day that is never steady is no measure of honesty: the share is printed, not judged."""
    promised: dict[tuple[str, str], tuple[int, int, int]] = {}
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for event in sorted(day.engine.events(), key=lambda each: each["n"]):
        kind, data = event["kind"], event["data"]
        if kind == "queue.joined" and data["estimate_high_ms"]:
            range_ms = data["estimate_low_ms"], data["estimate_high_ms"]
            promised[event["call"], data["queue"]] = (*range_ms, event["now_ms"])
        elif kind in ("queue.connected", "queue.abandoned", "queue.left"):
            low_ms, high_ms, at_ms = promised.pop((event["call"], data["queue"]), (0, 0, 0))
            waited_ms = event["now_ms"] - at_ms
            if high_ms:
                open_or = "open" if kind != "queue.connected" else "sooner" if waited_ms < low_ms else "kept"
                counted[data["queue"]]["later" if waited_ms > high_ms else open_or] += 1
    told = day.engine.command("report", "--calibration", "--json", "--all")
    assert told.returncode == 0, told
    rows = {row["queue"]: row for row in json.loads(told.stdout) if row["way"] == "joining"}
    words = ("kept", "sooner", "later", "open")
    assert {queue: {word: row[word] for word in words} for queue, row in rows.items()} == {
        queue: {word: counts[word] for word in words} for queue, counts in counted.items()
    }
    kept, broken = (sum(row[word] for row in rows.values() for word in each) for each in (words[:1], words[1:3]))
    assert kept + broken >= 10, rows
    print(f"{kept} of {kept + broken} promises at joining kept: {100 * kept / (kept + broken):.0f} %")


def test_missed_calls_in_the_log_are_the_phones_own(day: Day) -> None:
    """RINGNOANSWER per agent: every ring that a silent or refusing phone saw, but those whose caller left first."""
    missed: Counter[str] = Counter()
    for sums in day.log.queues.values():
        missed.update(sums.missed)
    for name in ("fair silent", "line silent", "late", "fair busy", "turn refuses"):
        group, seen = day.groups[name], Counter(dialog.agent for dialog in day.offers[name])
        left_first = Counter(
            str(event["data"]["agent"]).rpartition("/")[2]
            for event in day.engine.events()
            if event["kind"] == "queue.offer_ended" and event["data"]["reason"] not in ("no_answer", "busy", "rejected")
        )
        for number in group.agents:
            assert missed[f"default/{number}"] == seen[number] - left_first[number], (name, number)
    assert missed.total() > 10


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("1|c|q|a|CONNECT|1|c", "3 arguments"), ("1|c|q|a|RINGS|1", "no event"), ("x|c|q|a|AGENTDUMP", "time"),
        ("1|c|q|NONE|ABANDON|1|1|1", "not in this queue"), ("1|c|q|a|RINGNOANSWER|1.5", "whole number"),
        ("1|c|q|a|COMPLETEAGENT|1|1|1", "not connected"), ("1|c|q", "fields"),
    ],
)  # fmt: skip
def test_the_reader_is_strict(line: str, word: str) -> None:
    with pytest.raises(queue_log.BadLog, match=word):
        queue_log.Reader().feed(line)

"""The demo site: loads without a finding, and each of its numbers does what the README says."""

from __future__ import annotations

from pathlib import Path

from engine.dialplan.actions import (
    AnsweredNow,
    DialEnded,
    Digit,
    EchoBack,
    Hangup,
    JoinQueue,
    Note,
    PlayDone,
    PlayPrompts,
    QueueEnded,
    TimerFired,
)
from engine.dialplan.interpreter import start, step
from engine.dialplan.model import find_number
from engine.dialplan.prompts import WavInfo, read_stock, wav_info
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, Caller

ROOT = Path(__file__).parents[2]


def content(folder: Path) -> dict[str, bytes | WavInfo]:
    found: dict[str, bytes | WavInfo] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".wav" and "wideband" not in name:
            found[name] = wav_info(path.read_bytes(), name)
        elif path.suffix == ".yaml":
            found[name] = path.read_bytes()
    return found


DEMO = content(ROOT / "dialplans" / "demo")
REAL_STOCK = read_stock(content(ROOT / "prompts")) or STOCK
SITE, FINDINGS = read_site(DEMO, REAL_STOCK)


def call(number: str) -> Caller:
    assert SITE is not None
    found = find_number(SITE, number)
    assert found is not None
    assert found.public
    caller = Caller(SITE, found.dialplan, entry=found.entry)
    caller.answered()
    return caller


def clips(caller: Caller) -> tuple[str, ...]:
    found = caller.one(PlayPrompts)
    assert isinstance(found, PlayPrompts)
    return found.clips


def test_the_demo_has_no_finding_but_missing_recordings() -> None:
    # recordings are built by tools.prompts; without them the site loads all the same
    assert {each.code for each in FINDINGS} <= {"RD091"}
    assert SITE is not None
    assert {f"default/{number}" for number in range(200, 210)} <= set(SITE.agents)


def test_the_menu_leads_to_the_queue_with_music_and_position() -> None:
    caller = call("100")
    assert clips(caller) == ("en/welcome", "en/main_menu")
    caller.tell(Digit("1"))
    join = caller.one(JoinQueue)
    assert isinstance(join, JoinQueue)
    assert join.queue == "default/support"
    assert join.exit_keys == ("*",)
    assert join.wait == "on_hold"
    wait = SITE.programs["default/main"].waits["on_hold"] if SITE is not None else None
    assert wait is not None
    assert [step.verb for step in wait.flows["on_hold"]] == ["play", "position", "estimate", "play", "music"]
    caller.tell(QueueEnded(join.ticket, "exit", "*"))
    assert clips(caller) == ("en/back_to_menu",)


def test_the_agent_hangs_up_first() -> None:
    caller = call("700")
    caller.tell(QueueEnded(caller.run.ticket, "served"))
    assert clips(caller) == ("en/thank_you", "en/goodbye")
    caller.played()
    assert caller.one(Hangup) == Hangup("served", 16)


def test_digits_are_read_back() -> None:
    caller = call("100")
    caller.played()
    caller.tell(Digit("2"))
    for key in "4711#":
        caller.tell(Digit(key))
    assert [clip for clip in clips(caller) if "digits" in clip] == [
        "en/digits/4", "en/digits/7", "en/digits/1", "en/digits/1",
    ]  # fmt: skip
    caller.played()
    assert caller.notes("tag") == ["code 4711"]


def test_nine_is_mandarin_and_zero_a_person() -> None:
    caller = call("100")
    caller.played()
    caller.tell(Digit("9"))
    assert clips(caller) == ("zh/main_menu",)
    caller.tell(Digit("0"))
    caller.played()
    assert caller.run.waiting == "dial"
    caller.tell(DialEnded(caller.run.ticket, "no_answer"))
    assert caller.one(JoinQueue)


def test_a_caller_who_does_nothing_gets_a_person() -> None:
    caller = call("100")
    for words in ("en/welcome", "en/main_menu_short", "en/main_menu_keys"):
        assert clips(caller)[0] == words
        caller.played()
        caller.tell(TimerFired(caller.run.ticket))
    assert clips(caller) == ("en/one_moment",)
    caller.played()
    assert caller.run.waiting == "dial"


def test_diagnostic_numbers() -> None:
    assert call("9196").one(EchoBack)
    milliwatt = call("9197")
    assert clips(milliwatt) == ("tone/milliwatt",)
    milliwatt.tell(TimerFired(milliwatt.run.ticket))
    assert milliwatt.one(Hangup)
    assert clips(call("9664")) == ("music/default",)
    assert call("9100").kinds() == ["SetTimer"]
    ten = call("9102")
    assert clips(ten) == ("en/ten_seconds",)
    ten.played()
    assert ten.one(Hangup) == Hangup("served", 16)
    back = call("9101")
    back.played()
    for key in "12#":
        back.tell(Digit(key))
    assert back.notes("tag") == ["keys 12"]
    assert clips(back) == ("en/you_pressed",)
    back.played()
    assert clips(back) == ("en/digits/1", "en/digits/2")


def test_three_enterprises() -> None:
    assert SITE is not None
    for number, queue, language in (
        ("99999", "platform/service", "zh"), ("98668", "press/orders", "zh"), ("98667", "chess/lessons", "zh"),
    ):  # fmt: skip
        found = find_number(SITE, number)
        assert found is not None
        program = SITE.programs[found.dialplan]
        run, actions = start(program, {"access.kind": "trunk"}, language, SITE, 0)
        # whoever only listens reaches the queue
        for _ in range(30):
            if run.waiting == "queue":
                break
            told = {"answer": AnsweredNow, "play": PlayDone, "digits": TimerFired}[run.waiting]
            actions = step(run, told(run.ticket), program, SITE)
        joins = [each for each in actions if isinstance(each, JoinQueue)]
        assert [each.queue for each in joins] == [queue]
        heard = [each for each in actions if isinstance(each, Note) and each.kind == "fault"]
        assert not heard or "RD091" in {each.code for each in FINDINGS}

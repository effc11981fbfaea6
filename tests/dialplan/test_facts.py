"""The namespaces: which names there are, which of them must be told anew, and the time by a tenant's clock."""

from __future__ import annotations

from engine.dialplan import facts
from engine.dialplan.actions import Digit, TimerFired
from engine.dialplan.facts import FACTS, QUEUE_FACTS, WAIT_FACTS
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK, Caller, codes_of, lines, site_of
from tests.dialplan.test_calendars import at

HEAD = "ringdown: 1\n"
OFFICE = "office:\n  open: [daily 08:00-20:00]\n  periods: {storm: 10-01 to 03-31}\n"


def test_what_is_live_and_what_is_perhaps_unknown() -> None:
    assert not any(facts.live(name) for name in (*WAIT_FACTS, "access.caller", "call.language", "system.tenant"))
    for name in ("system.today", "queue.support.length", "agent.201.ready", "agent.last", "call.waited",
                 "calendar.office.state"):  # fmt: skip
        assert facts.live(name), name
    assert facts.perhaps("queue.support.estimated_wait") and facts.perhaps("agent.last")
    assert not facts.perhaps("queue.support.length")


def test_a_tenants_own_names() -> None:
    found = facts.of_site(["support", "platform/overflow"], ["200"], {})
    assert set(FACTS) < set(found)
    assert {f"queue.support.{name}" for name in QUEUE_FACTS} < set(found)
    assert "queue.platform/overflow.closed" in found and "agent.200.state" in found


def condition(text: str, **more: str) -> list[tuple[str, int]]:
    when = ("    - when:", f"        - if: {text}", "          then: continue")
    return codes_of(HEAD + lines("flows:", "  main:", *when, "    - reject: 480"), **more)


def test_names_that_exist_and_names_that_do_not() -> None:
    for fine in (
        "queue.support.agents_ready = 0 and not queue.support.closed", "queue.support.estimated_wait > 10min",
        "agent.200.state in (ready, resting)", "known(agent.last) and agent.last = 200", "system.weekday = sat",
        "system.time >= 08:00 and system.time < 12:30", "calendar.office.state = open and calendar.office.storm",
        "call.waited > 5min or call.transfers > 1", "system.today < 2026-12-24", "length(agent.last) = 3",
    ):  # fmt: skip
        assert condition(fine, calendars=OFFICE) == [], fine
    for wrong in (
        "queue.suport.length > 1", "queue.support.lenght > 1", "agent.299.ready", "calendar.office.calm",
        "system.tomorrow = 2026-12-24", "calendar.shop.state = open",
    ):  # fmt: skip
        assert condition(wrong, calendars=OFFICE) == [("RD042", 5)], wrong
    assert condition("system.weekday = saturday") == [("RD070", 5)]
    assert condition("agent.200.ready = maybe") == [("RD034", 5)]


def test_queues_with_hyphens_and_the_subtraction_of_facts() -> None:
    queues = "support: {}\nnight-desk: {}\n"
    assert condition("queue.night-desk.length > queue.support.length", queues=queues) == []
    dialplan = HEAD + lines(
        "flows:", "  main:", "    - answer",
        "    - queue: {name: support, waiting: hold, full: bye, no_agents: bye, timeout: bye}", "    - goto: bye",
        "  bye:", "    - hangup: served", "waits:", "  hold:", "    - when:",
        "        - if: queue.length-queue.position > 2", "          then: bye", "    - music: 10s",
    )  # fmt: skip
    assert codes_of(dialplan) == []


def test_the_time_by_the_tenants_own_clock() -> None:
    files = {**BASE, "tenants/press/tenant.yaml": b"time_zone: Asia/Shanghai\n"}
    files["site.yaml"] = files["site.yaml"] + b"time_zone: Europe/London\n"  # type: ignore[operator]
    site, findings = read_site(files, STOCK)
    assert site is not None, findings
    moment = at("2026-12-24 18:05")
    assert facts.of_time(site, "default", moment) == {
        "system.now": str(moment), "system.today": "2026-12-24", "system.time": "18:05", "system.weekday": "thu",
    }  # fmt: skip
    there = facts.of_time(site, "press", moment)
    assert (there["system.today"], there["system.time"], there["system.weekday"]) == ("2026-12-25", "02:05", "fri")
    assert facts.of_time(site, "nobody", 0)["system.today"] == "1970-01-01"


def test_a_calendar_as_a_condition() -> None:
    site = site_of(HEAD + lines("flows:", "  main:", "    - reject: 480"), calendars=OFFICE)
    moment = at("2026-12-24 10:00", "UTC")
    assert facts.of_calendar(site, "default", "office", "state", moment) == "open"
    assert facts.of_calendar(site, "default", "office", "state", moment, "closed") == "closed"
    assert facts.of_calendar(site, "default", "office", "storm", moment) == "yes"
    assert facts.of_calendar(site, "default", "office", "storm", at("2026-07-01 10:00", "UTC")) == "no"
    assert facts.of_calendar(site, "default", "gone", "state", moment) == "closed"
    assert facts.of_calendar(site, "default", "gone", "storm", moment) == "no"


def test_a_program_wants_what_it_reads_wherever_it_reads_it() -> None:
    dialplan = HEAD + lines(
        "variables:", "  due: date = 2026-12-24", "  there: number = 0", "flows:", "  main:", "    - when:",
        "        - if: days_until(due) < 3", "          then: continue",
        "    - set: {there: queue.support.agents_logged_in}", "    - tag: $there at $system.time from $access.caller",
        "    - reject: 480",
    )  # fmt: skip
    site = site_of(dialplan)
    wants = site.programs["default/main"].wants
    assert wants == ("system.today", "queue.support.agents_logged_in", "system.time")
    caller = Caller(site)
    assert caller.notes("tag") == ["0 at  from +441"]


def test_what_a_caller_chose_is_his_intent() -> None:
    dialplan = HEAD + lines(
        "always: {0: person}", "flows:", "  main:", "    - answer", "    - tag: first $call.intent",
        "    - menu:", "        prompt: choose", "        choices:", "          1: account", "          2:",
        "            - tag: a list", "          3: again", "        failed: person",
        "    - menu: {prompt: choose, choices: {1: account}, failed: person}", "    - goto: person",
        "  account:", "    - when:", "        - if: call.intent = account", "          then: person",
        "    - hangup: wrong",
        "  person:", "    - tag: wants $call.intent", "    - hangup: served",
    )  # fmt: skip
    for keys, wanted in (("1", "account"), ("0", "person"), ("31", "account"), ("21", "account"), ("20", "person")):
        caller = Caller(site_of(dialplan))
        caller.answered()
        for key in keys:
            caller.tell(Digit(key))
        assert caller.notes("tag")[0].strip() == "first"
        assert caller.notes("tag")[-1] == f"wants {wanted}", keys
    caller = Caller(site_of(dialplan))
    caller.answered()
    while caller.run.waiting != "ended":  # silence chooses nothing
        caller.tell(TimerFired(caller.run.ticket))
    assert caller.notes("tag")[-1].strip() == "wants"


def test_switch_over_facts_dates_and_amounts() -> None:
    def switch(value: str, *cases: str, otherwise: bool = True) -> list[tuple[str, int]]:
        rows = [f"          {case}: continue" for case in cases]
        more = ["        else: continue"] if otherwise else []
        return codes_of(HEAD + lines(
            "variables: {due: date = 2026-03-04, sum: money EUR = 5}", "flows:", "  main:", "    - tag: $due $sum",
            "    - switch:", f"        value: {value}", "        cases:", *rows, *more, "    - reject: 480",
        ), calendars=OFFICE)  # fmt: skip

    assert switch("calendar.office.state", "open", "closed", "holiday", otherwise=False) == []
    assert switch("calendar.office.state", "open", "closed", otherwise=False) == [("RD076", 6)]
    assert switch("system.weekday", "sat", "sun") == []
    assert switch("system.weekday", "saturday") == [("RD070", 9)]
    assert switch("due", "2026-12-24") == [] and switch("due", "2026-12-32") == [("RD070", 9)]
    assert switch("sum", "5 EUR", "7.50") == [] and switch("sum", "5 USD") == [("RD070", 9)]
    assert switch("agent.200.ready", "yes", "no", otherwise=False) == []

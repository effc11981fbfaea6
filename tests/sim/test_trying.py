"""A call that a person walks through by words."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.sim.trying import Session, given_of
from tests.sim.shows import SITE, site


def session(plan: str = "main", **wishes: str) -> Session:
    made = site()
    given, findings = given_of(made, plan, wishes)
    assert given is not None, findings
    return Session(made, given)


def words(lines: list[str]) -> list[str]:
    return [line[11:] for line in lines]


def test_steps_prompts_variables_and_time_are_seen() -> None:
    it = session()
    assert words(it.lines())[1:] == [
        "step main/answer  dialplans/main.yaml:10:7", "step main/play(hello)  dialplans/main.yaml:11:7",
        "hears hello “Hello.”", "step main/menu(choose)  dialplans/main.yaml:12:7", "hears choose “Press 1 or 2.”",
    ]  # fmt: skip
    assert it.prompt() == "    0.4 s  main/menu(choose) > "
    it.do("2")
    assert "code = 1234" in words(it.do("1234"))
    assert "pin = ····" in words(it.do("9999"))
    assert it.over() and "pin = ····" in words(it.do("?")) and "code = 1234" in words(it.do("?"))
    assert it.files() == []  # nothing is recorded here


def test_no_key_goes_on_to_what_is_heard_next() -> None:
    it = session()
    it.lines()
    assert words(it.do("_"))[-1] == "hears choose_short “1 or 2.”"
    assert "hears goodbye “goodbye”" in words(it.do(""))
    assert it.over()


def test_a_prompt_that_grows_shows_its_rest() -> None:
    it = session()
    it.do("2")
    it.do("1234")
    it.lines()
    it.show.press("9999")
    it.show.wait(10)
    assert words(it.lines())[-1] == "hears your_code “Your code is”"
    it.show.wait(2_000)
    grown = it.lines()
    assert grown[0].strip().startswith("“digits/1” “digits/2”") or "“digits/1”" in grown[0]


def test_agents_answer_refuse_and_hang_up() -> None:
    it = session("101", agents="support: 2")
    it.do("1s")
    assert "agent default/201 refuses" in words(it.do("refuse"))
    it.do("1s")
    assert any(line.startswith("talks to agent default/202") for line in words(it.do("answer")))
    assert it.prompt().endswith("[talking] > ")
    assert words(it.do("bye"))[-1] == "the call ends: served (by dialplan)"
    with pytest.raises(UsageError, match="the call is over: served"):
        it.do("1")


@pytest.mark.parametrize(
    ("word", "why"), [("answer", "no agent's phone rings"), ("bye", "no agent talks"), ("zz", "nothing that can be")]
)
def test_what_can_not_be_done_says_why(word: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        session().do(word)


def test_the_call_that_is_meant() -> None:
    made = site()

    def dialled(plan: str) -> str:
        given, findings = given_of(made, plan, {})
        assert given is not None, findings
        return given.dialled

    assert dialled("main") == dialled("dialplans/main.yaml") == dialled("default/main") == dialled("") == "100"
    assert dialled("101") == "101"
    with pytest.raises(UsageError, match="did you mean 'main'"):
        given_of(made, "man", {})
    assert given_of(made, "999", {})[0] is None
    given, findings = given_of(made, "main", {"agents": "suport:1", "at": "soon"})
    assert given is None and {finding.code for finding in findings} == {"RD024", "RD233"}
    given, _ = given_of(made, "main", {"agents": "support:1,202:talking", "caller": "42", "at": "2026-01-05 09:00"})
    assert given is not None and given.agents == {"default/201": "ready", "default/202": "talking"}
    assert given.caller == "42"


def test_a_dialplan_of_a_tenant_by_its_name_alone() -> None:
    made = site(**{
        "site.yaml": SITE + "  77: chess/school\n", "tenants/chess/tenant.yaml": "name: Chess\n",
        "tenants/chess/dialplans/school.yaml": "ringdown: 1\nflows:\n  main:\n    - reject: 603\n",
    })  # fmt: skip
    given, findings = given_of(made, "school", {})
    assert given is not None, findings
    assert (given.dialled, given.tenant) == ("77", "chess")

"""Wrap-up, reasons, display and Alert-Info as an admin writes them; every mistake with its place."""

from __future__ import annotations

import pytest

from engine.acd.model import WRAP_UP_MODES
from engine.dialplan.agent_reader import MODES, PLACEHOLDERS
from engine.dialplan.model import QueueModel, Reach, Reason, Site, WrapUp
from engine.dialplan.reader import read_site
from tests.scenarios.sites import files, site, stock


def queue(text: str, **more: str) -> QueueModel:
    return built(f"support:\n  ring: 10s\n  {text}\nringall: {{ring: 10s}}\n", **more).queues["default/support"]


def built(queues: str, **more: str) -> Site:
    return site(queues=queues, **more)


def findings(queues: str = "", **more: str) -> list[tuple[str, str, int, int]]:
    """(code, file, line, column) of every error."""
    changes = dict(more)
    if queues:
        changes["queues"] = f"support:\n  ring: 10s\n  {queues}\nringall: {{ring: 10s}}\n"
    found = read_site(files(**changes), stock())[1]
    return [(f.code, f.file, f.line, f.column) for f in found if f.severity == "error"]


def test_modes_are_the_distributors() -> None:
    assert MODES == WRAP_UP_MODES


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("wrap_up: 30s", WrapUp("mandatory-timed", 30_000)), ("wrap_up: 0s", WrapUp("none", 0)),
        ("wrap_up: {time: 20s}", WrapUp("mandatory-timed", 20_000)),
        ("wrap_up: {mode: none}", WrapUp("none")), ("wrap_up: {mode: optional}", WrapUp("optional")),
        ("wrap_up: {mode: optional-timed, time: 40s}", WrapUp("optional-timed", 40_000)),
        ("wrap_up: {mode: mandatory-timed, time: 40s, early: no}", WrapUp("mandatory-timed", 40_000, False)),
        ("wrap_up: {mode: mandatory-discretionary, codes: {1: sold, 22: lost}, required: yes, extend: 10s, "
         "extensions: 5}",
         WrapUp("mandatory-discretionary", 0, True, {"1": "sold", "22": "lost"}, True, 10_000, 5)),
    ],
)  # fmt: skip
def test_wrap_up_as_a_time_or_in_full(text: str, wanted: WrapUp) -> None:
    found = queue(text)
    assert found.wrap_up == wanted and found.wrap_up_ms == wanted.ms


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("wrap_up: {mode: sometimes}", "RD024", 19), ("wrap_up: {mode: optional-timed}", "RD022", 19),
        ("wrap_up: {mode: optional, time: 5s}", "RD024", 35), ("wrap_up: {mode: none, time: 5s}", "RD024", 31),
        ("wrap_up: {mode: optional, early: no}", "RD024", 36), ("wrap_up: {time: 5s, required: yes}", "RD022", 33),
        ("wrap_up: {mode: optional, codes: {1: a}, required: yes}", "RD024", 54),
        ("wrap_up: {codes: {0: sold}}", "RD024", 21), ("wrap_up: {codes: {100: sold}}", "RD024", 21),
        ("wrap_up: {codes: {1: sold, 2: sold}}", "RD024", 33), ("wrap_up: {codes: {1: So Ld}}", "RD027", 24),
        ("wrap_up: {codez: 1}", "RD021", 13), ("wrap_up: 2h", "RD024", 12), ("wrap_up: [5s]", "RD023", 12),
        ("wrap_up: {time: 5s, extensions: 999}", "RD024", 35),
        ("display: '[{tenant}] {queu} {caller}'", "RD024", 24), ("display: 'a { b'", "RD024", 12),
        ("display: 'thirty characters that never change: {caller}'", "RD024", 12),
        ("alert_info: 'ring ring'", "RD024", 15), ("alert_info: '<urn:x>\\r\\nEvil: 1'", "RD024", 15),
        ("auto_answer: maybe", "RD024", 16),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(text: str, code: str, column: int) -> None:
    assert findings(text) == [(code, "queues.yaml", 3, column)]


def test_an_unknown_placeholder_is_told_what_was_meant() -> None:
    text = "support:\n  ring: 10s\n  display: '[{queu}]'\nringall: {ring: 10s}\n"
    (finding,) = [f for f in read_site(files(queues=text), stock())[1] if f.severity == "error"]
    assert "{queu}" in finding.message and "queue" in finding.suggestion
    shown = finding.snippet.splitlines()
    assert shown[0][shown[1].index("^")] == "{"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<urn:alert:source:external>", "<urn:alert:source:external>"), (";info=ring2", "<http://ringdown.invalid>;info=ring2"),
        ("<http://127.0.0.1/x>;info=alert-internal;x-line-id=0", "<http://127.0.0.1/x>;info=alert-internal;x-line-id=0"),
    ],
)  # fmt: skip
def test_alert_info_in_the_forms_that_phones_know(text: str, value: str) -> None:
    assert queue(f"alert_info: '{text}'").alert_info == value


def test_every_placeholder_is_known_and_filled() -> None:
    for word in PLACEHOLDERS:
        assert queue(f"display: '{{{word}}}'").display == f"{{{word}}}"


def test_an_agents_own_mode_and_on_demand() -> None:
    text = "201: {name: Ana, queues: [support], on_demand: yes, wrap_up: {mode: optional}, phone: {messages: no}}\n"
    ana = site(agents=text).agents["default/201"]
    assert (ana.wrap_up, ana.wrap_up_ms, ana.on_demand, ana.messages) == (WrapUp("optional"), 0, True, False)
    assert findings(agents="201: {name: A, wrap_up: {codes: {1: x}}}\n")[0][:3] == ("RD021", "agents.yaml", 1)


TRUNKS = "carrier: {host: 192.0.2.1}\nincoming: {addresses: [192.0.2.9]}\n"
OUTBOUND = "'+x.': {trunk: carrier, teams: [front]}\n00x.: incoming\n"


@pytest.mark.parametrize(("text", "follows"), [("", False), ("forward: refuse", False), ("forward: follow", True)])
def test_a_phones_3xx(text: str, follows: bool) -> None:
    agents = f"201: {{name: Ana, queues: [support], phone: {{{text}}}}}\n"
    site, _ = read_site(files(agents=agents), stock())
    assert site is not None and site.agents["default/201"].forward == follows


def reached(phone: str, more: str = "team: front") -> list[tuple[str, str, int, int]]:
    agents = f"201: {{phone: {{{phone}}}, {more}}}\n202: {{team: front}}\n"
    return findings(agents=agents, trunks=TRUNKS, outbound=OUTBOUND)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("number: '+44701'", Reach("+44701")), ("number: '+44701', confirm: no", Reach("+44701", confirm=False)),
        ("number: '+44701', with: registered, confirm_in: 15s", Reach("+44701", True, True, 15_000)),
    ],
)
def test_an_agent_who_is_reached_by_a_number(text: str, reach: Reach) -> None:
    agents = f"201: {{name: A, queues: [support], team: front, phone: {{{text}, dtmf: info}}}}\n"
    ana = site(agents=agents, trunks=TRUNKS, outbound=OUTBOUND).agents["default/201"]
    assert ana.reach == reach and ana.dtmf == "info"


def test_an_agent_whose_line_stays_up() -> None:
    text = "201: {{name: A, queues: [support], phone: {{nailed_up: yes{}}}}}\n"
    asked = ", confirm: yes, confirm_in: 5s"
    found = [site(agents=text.format(more)).agents["default/201"].reach for more in ("", asked)]
    assert found == [Reach(confirm=False, nailed_up=True), Reach(confirm=True, confirm_ms=5_000, nailed_up=True)]
    away = site(agents=text.format(", when_hung_up: logout")).agents["default/201"].reach
    assert away is not None and away.hung_up == "logout"


@pytest.mark.parametrize(
    ("text", "more", "code", "column"),
    [
        ("number: '44-701'", "team: front", "RD082", 23), ("number: '+44701'", "team: back", "RD036", 23),
        ("number: '4401'", "team: front", "RD036", 23), ("number: '00123'", "team: front", "RD036", 23),
        ("confirm: yes", "team: front", "RD024", 15), ("with: registered", "team: front", "RD024", 15),
        ("number: '+44701', confirm: no, confirm_in: 9s", "team: front", "RD024", 46),
        ("number: '+44701', confirm_in: 1s", "team: front", "RD024", 45),
        ("number: '+44701', with: desk", "team: front", "RD024", 39),
        ("number: '+44701'", "team: front, contact: 'sip:a@192.0.2.7'", "RD024", 15),
        ("nomber: '+44701'", "team: front", "RD021", 15),
        ("number: '+44701', nailed_up: yes", "team: front", "RD024", 15),
        ("when_hung_up: logout", "team: front", "RD024", 15),
        ("nailed_up: yes, when_hung_up: sleep", "team: front", "RD024", 45),
        ("nailed_up: yes, with: registered", "team: front", "RD024", 31),
    ],
)  # fmt: skip
def test_a_number_that_leads_nowhere_or_contradicts_is_told_with_its_place(
    text: str, more: str, code: str, column: int
) -> None:
    assert reached(text, more) == [(code, "agents.yaml", 1, column)]


SITE = "ringdown: 1\nlanguages: [en]\n{}\nnumbers: {{100: main}}\n"


def test_reasons_with_budgets_are_inherited_by_tenants_or_replaced() -> None:
    found = site(
        site=SITE.format("reasons: {1: {name: break, budget: 15min per shift}, 2: lunch}"),
        tenants__a__tenant="ringdown: 1\n", tenants__b__tenant="ringdown: 1\nreasons: {3: nap}\n",
    ).tenants  # fmt: skip
    wanted = {"1": Reason("break", 900_000), "2": Reason("lunch")}
    assert found["default"].reasons == found["a"].reasons == wanted
    assert found["b"].reasons == {"3": Reason("nap")}


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("reasons: {x: lunch}", "RD024", 11), ("reasons: {1: lunch, 2: lunch}", "RD024", 24),
        ("reasons: {1: {budget: 5min}}", "RD022", 14), ("reasons: {1: {name: a, budget: lots}}", "RD024", 32),
        ("reasons: {1: {name: a, budget: 5min per day}}", "RD024", 32), ("reasons: [lunch]", "RD023", 10),
    ],
)
def test_wrong_reasons_are_told_with_their_place(text: str, code: str, column: int) -> None:
    assert findings(site=SITE.format(text)) == [(code, "site.yaml", 3, column)]


def test_codes_added_later_give_way_to_those_a_site_already_has() -> None:
    found = site(site=SITE.format("codes: {login: '*54', transfer: '*4'}")).tenants["default"].codes
    assert found["*54"] == "login" and found["*4"] == "transfer" and "status" not in found.values()
    assert found["*55"] == "wrap_code" and "wrap_up" not in found.values()
    assert findings(site=SITE.format("codes: {status: '*50'}"))[0][0] == "RD087"

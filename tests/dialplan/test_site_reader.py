"""site.yaml, agents, queues, trunks, outbound rules."""

from __future__ import annotations

import pytest

from engine.dialplan.findings import Finding, render
from engine.dialplan.model import Site, retention_days
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from engine.dialplan.strategies import NAMES as STRATEGIES
from tests.dialplan.site import STOCK, files_with, lines


def read(changes: dict[str, str], **wavs: WavInfo | bytes) -> tuple[Site | None, list[Finding]]:
    files = files_with(changes)
    files.update({path.replace("__", "/") + ".wav": info for path, info in wavs.items()})
    return read_site(files, STOCK)


def good(changes: dict[str, str], **wavs: WavInfo | bytes) -> Site:
    site, findings = read(changes, **wavs)
    assert site is not None, [render(each) for each in findings]
    assert findings == [], [render(each) for each in findings]
    return site


def test_who_supervises_whom() -> None:
    site = good({"agents.yaml": lines(
        "200: {name: Ana, queues: [support], team: front}",
        "201: {name: Ben, supervisor: yes}",
        "202: {name: Cho, supervises: [support, front]}",
    )})
    agents = site.agents
    assert agents["default/201"].supervisor and not agents["default/200"].supervisor
    assert agents["default/202"].supervises == ("queue/default/support", "team/front")


def test_encrypted_media_of_phones_and_of_one() -> None:
    site = good({
        "site.yaml": lines("ringdown: 1", "srtp: optional"),
        "agents.yaml": lines(
            "200: {name: Ana, queues: [support], team: front, phone: {srtp: required}}", "201: {name: Ben}"
        ),
    })
    assert site.srtp == "optional"
    assert [site.agents[f"default/{number}"].srtp for number in ("200", "201")] == ["required", ""]
    found = read({"site.yaml": lines("ringdown: 1", "srtp: required")})[1]
    assert [(each.code, each.line, each.column) for each in found if each.code == "RD345"] == [("RD345", 2, 7)]


def test_a_right_over_nobody_is_refused_with_its_place() -> None:
    site, findings = read({"agents.yaml": lines(
        "200: {name: Ana, queues: [support], team: front}",
        "201:",
        "  name: Ben",
        "  supervises: [support, frunt]",
        "202: {name: Cho, supervisor: perhaps}",
    )})
    assert site is None
    assert [(each.file, each.line, each.column) for each in findings] == [
        ("agents.yaml", 4, 25), ("agents.yaml", 5, 30),
    ]
    shown = "\n".join(render(each) for each in findings)
    assert "no queue or team 'frunt'" in shown and "front" in shown


def test_agents_in_every_form() -> None:
    site = good(
        {
            "agents.yaml": lines(
                "200: {name: Ana, queues: [support], team: front, skills: {power: 3}}",
                "201:",
                "  name: 李雷",
                "  queues: {support: 2}",
                "  contact: sip:li@192.0.2.5:5060",
                "  wrap_up: 10s",
                "  second_line: yes",
                "  logged_in: yes",
                "  phone: {auto_answer: alert-info, dtmf: inband}",
            )
        }
    )
    agent = site.agents["default/201"]
    assert agent.queues == (("default/support", 2, 1),)
    assert (agent.wrap_up_ms, agent.second_line, agent.logged_in) == (10_000, True, True)
    assert (agent.contact, agent.auto_answer, agent.dtmf) == ("sip:li@192.0.2.5:5060", "alert-info", "inband")
    assert site.agents["default/200"].wrap_up_ms == -1


def test_site_settings() -> None:
    site = good(
        {
            "site.yaml": lines(
                "ringdown: 1",
                "languages: [en]",
                "listen: ['udp:192.0.2.1:5060', 'tcp:[2001:db8::1]:5060']",
                "advertise: sip.example.org",
                "local_networks: [10.0.0.0/8]",
                "retention: {calls: 400d, recordings: 30d}",
                "codes: {login: '*60', transfer: '#1'}",
                "music: tone/silence",
                "lamps: group",
            )
        }
    )
    assert site.listen == ("udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060")
    assert (site.advertise, site.local_networks) == ("sip.example.org", ("10.0.0.0/8",))
    assert site.retention_days == {"calls": 400, "recordings": 30}
    tenant = site.tenants["default"]
    assert tenant.codes["*60"] == "login"
    assert "*50" not in tenant.codes and tenant.codes["*78"] == "pickup" and tenant.lamps == "group"
    assert (tenant.codes["*51"], tenant.codes["#1"]) == ("logout", "transfer")
    assert site.queues["default/support"].music == ("tone/silence",)


@pytest.mark.parametrize(("text", "drain_ms"), [
    ("", 900_000), ("limits: {}", 900_000), ("limits: {drain: 90s}", 90_000), ("limits: {drain: 0s}", 0),
])
def test_how_long_a_drain_waits(text: str, drain_ms: int) -> None:
    assert good({"site.yaml": lines("ringdown: 1", "languages: [en]", text)}).drain_ms_max == drain_ms


@pytest.mark.parametrize(("text", "code", "says"), [
    ("limits: {drain: 5h}", "RD024", "between 0ms and 4h"), ("limits: {drain: soon}", "RD024", "drain"),
    ("limits: {drian: 5s}", "RD021", "drian"),
])
def test_wrong_limits_are_refused(text: str, code: str, says: str) -> None:
    site, findings = read({"site.yaml": lines("ringdown: 1", "languages: [en]", text)})
    assert site is None and [each.code for each in findings] == [code] and says in findings[0].message


def test_a_tenant_keeps_its_records_for_its_own_time() -> None:
    site = good(
        {
            "site.yaml": "ringdown: 1\nretention: {calls: 400d, journal: 14d, queue_events: 30d}\n",
            "tenants/acme/tenant.yaml": "retention: {calls: 30d, recordings: 7d}\n",
        }
    )
    kept = {kind: (retention_days(site, kind), retention_days(site, kind, "acme"), retention_days(site, kind, "gone"))
            for kind in ("calls", "recordings", "queue_events", "events")}  # fmt: skip
    assert kept == {
        "calls": (400, 30, 400), "recordings": (0, 7, 0), "queue_events": (30, 30, 30), "events": (0, 0, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("site.yaml", "ringdown: 1\nlanguages: [english]\n", "RD024"),
        ("site.yaml", "ringdown: 1\ntime_zone: 5\n", "RD024"),
        ("site.yaml", "ringdown: 1\ncountry: zz\n", "RD024"),
        ("site.yaml", "ringdown: 1\ncodes: {login: 50}\n", "RD024"),
        ("site.yaml", "ringdown: 1\nretention: {calls: 3h}\n", "RD024"),
        ("site.yaml", "ringdown: 1\nretention: {call: 3d}\n", "RD021"),
        ("site.yaml", "ringdown: 1\nretention: {laughter: 3d}\n", "RD021"),
        ("site.yaml", "ringdown: 1\nretention: 3d\n", "RD023"),
        ("tenants/acme/tenant.yaml", "retention: {journal: 3d}\n", "RD021"),
        ("tenants/acme/tenant.yaml", "retention: {calls: 0d}\n", "RD024"),
        ("tenants/acme/tenant.yaml", "lamps: nobody\n", "RD024"),
        ("queues.yaml", "support: {service_level: 80 in 20s}\n", "RD024"),
        ("queues.yaml", "support: {ring: 1s}\n", "RD024"),
        ("queues.yaml", "support: {rest: {nothing: 1s}}\n", "RD024"),
        ("agents.yaml", "Ana: {name: Ana}\n", "RD082"),
        ("agents.yaml", "200: {contact: ana}\n", "RD086"),
        ("agents.yaml", "200: {contact: 'sip:ana:secret@192.0.2.1'}\n", "RD080"),
        ("agents.yaml", "200: {skills: {power: 99}}\n", "RD024"),
        ("agents.yaml", "200: {phone: {auto_answer: always}}\n", "RD024"),
        ("agents.yaml", "200: {phone: {forward: anywhere}}\n", "RD024"),
    ],
)
def test_wrong_settings(file: str, text: str, code: str) -> None:
    site, findings = read({file: text})
    assert site is None
    assert code in [each.code for each in findings if each.file == file]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_accepted_by_its_name(name: str) -> None:
    policy = "policy: {order: [agent.level]}" if name == "custom" else "weight: 1"
    text = f"support:\n  strategy: {name}\n  {policy}\n"
    assert good({"queues.yaml": text}).queues["default/support"].strategy == name


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("rrmemry", "did you mean 'rrmemory'?"),
        ("fewest-calls", "did you mean 'fewestcalls'?"),
        ("Ring-All", "did you mean 'ring-all'?"),
        ("sequentially-by-next-agent-order", "did you mean 'sequentially-by-agent-order'?"),
        ("xyz", "known here: longest-idle-agent, ring-all, "),
    ],
)
def test_a_wrong_strategy_is_an_error_with_what_was_meant(wrong: str, hint: str) -> None:
    site, findings = read({"queues.yaml": f"support: {{strategy: {wrong}}}\n"})
    assert site is None
    (finding,) = [found for found in findings if found.code == "RD081"]
    assert (finding.line, finding.column) == (1, 21) and finding.suggestion.startswith(hint)

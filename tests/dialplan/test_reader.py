"""Sites: tenants, numbers, agents, queues, trunks, prompts, versions; and what must not be loaded."""

from __future__ import annotations

import msgspec
import pytest

from engine.dialplan.findings import Finding, render
from engine.dialplan.model import Site, find_number
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.bench.yardstick import units
from tests.dialplan.site import BASE, STOCK, files_with, lines

PRESS = {
    "tenants/press/tenant.yaml": "name: Press\nlanguages: [en]\nnumbers: {100: orders}\nentries:\n"
    "  front: {dialplan: orders, flow: night}\n",
    "tenants/press/dialplans/orders.yaml": "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: hello\n"
    "    - queue: {name: support, full: night, no_agents: night, timeout: night}\n    - hangup\n"
    "  night:\n    - hangup: closed\n",
    "tenants/press/queues.yaml": (
        "support: {strategy: ring-all, ring: 15s, service_level: 90% in 10s, max_wait: 9min}\n"
    ),
    "tenants/press/agents.yaml": "200: {name: Zhao, queues: [support]}\n",
    "tenants/press/prompts/en.yaml": "hello: Press.\n",
}


def read(changes: dict[str, str], **wavs: WavInfo | bytes) -> tuple[Site | None, list[Finding]]:
    files = files_with(changes)
    files.update({path.replace("__", "/") + ".wav": info for path, info in wavs.items()})
    return read_site(files, STOCK)


def good(changes: dict[str, str], **wavs: WavInfo | bytes) -> Site:
    site, findings = read(changes, **wavs)
    assert site is not None, [render(each) for each in findings]
    assert findings == [], [render(each) for each in findings]
    return site


def test_a_site_with_two_tenants() -> None:
    numbers = "  100: main\n  98668: press/orders\n  98669: {dialplan: press/front, public: yes}\n"
    site = good(
        {"site.yaml": f"ringdown: 1\nlanguages: [en]\nrealm: example.org\nnumbers:\n{numbers}", **PRESS},
        tenants__press__prompts__en__hello=WavInfo(800),
    )
    assert list(site.tenants) == ["default", "press"]
    assert site.tenants["press"].realm == "press.example.org"
    # both have an agent 200 and a queue support
    assert set(site.agents) == {"default/200", "press/200"}
    assert site.agents["press/200"].queues == (("press/support", 1, 1),)
    queue = site.queues["press/support"]
    assert (queue.strategy, queue.ring_ms, queue.service_level_percent, queue.service_level_ms) == (
        "ring-all", 15_000, 90, 10_000,
    )  # fmt: skip
    assert site.programs["press/orders"].flows["main"][1].data["prompt"] == {"en": ["press:en/hello"]}
    front = find_number(site, "98669")
    assert front is not None
    assert (front.dialplan, front.entry, front.public) == ("press/orders", "night", True)
    own = find_number(site, "100", "press")
    assert own is not None
    assert own.dialplan == "press/orders"
    platform = find_number(site, "100", "default")
    assert platform is not None
    assert platform.dialplan == "default/main"
    assert find_number(site, "101") is None


def test_a_site_is_data() -> None:
    site = good({})
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(site), type=Site)
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(site)


def test_versions_follow_the_content() -> None:
    first, second = good({}), good({"dialplans/main.yaml": "ringdown: 1\nflows:\n  main:\n    - reject: 480\n"})
    assert first.version == good({}).version != second.version
    assert first.programs["default/main"].version != second.programs["default/main"].version


def test_an_unreadable_file_does_not_accuse_others() -> None:
    site, findings = read({"queues.yaml": "support: {ring: [\n"})
    assert site is None
    assert {each.file for each in findings} == {"queues.yaml"}


def test_files_that_nothing_reads() -> None:
    site, findings = read({"queue.yaml": "a: 1\n", "flows/main.yaml": "a: 1\n",
                           "dialplans/main.test.yaml": "a: [", ".ringdown/x.yaml": "a: ["})  # fmt: skip
    assert site is not None
    assert [(each.code, each.file) for each in findings] == [
        ("RD025", "flows/main.yaml"), ("RD025", "queue.yaml"),
    ]  # fmt: skip
    assert "queues.yaml" in findings[1].suggestion


@pytest.mark.parametrize(
    ("files", "code", "file"),
    [
        ({}, "RD028", "site.yaml"),
        ({"site.yaml": b""}, "RD028", "site.yaml"),
        ({"site.yaml": b"[a]"}, "RD023", "site.yaml"),
        ({"site.yaml": b"name: x\n"}, "RD020", "site.yaml"),
        ({"site.yaml": b"ringdown: 1\n", "tenants/x/queues.yaml": b"a: {}\n"}, "RD028", "tenants/x/tenant.yaml"),
        ({"site.yaml": b"ringdown: 1\n", "tenants/X y/tenant.yaml": b"name: a\n"}, "RD027", "tenants/X y/tenant.yaml"),
        ({"site.yaml": b"ringdown: 1\n", "dialplans/a.yaml": b""}, "RD020", "dialplans/a.yaml"),
        ({"site.yaml": b"ringdown: 1\n", "dialplans/a.b.yaml": b"ringdown: 1\n"}, "RD027", "dialplans/a.b.yaml"),
        ({"site.yaml": b"ringdown: 1\nnumbers: {1: a/b/c}\n"}, "RD041", "site.yaml"),
        ({"site.yaml": b"ringdown: 1\n", "dialplans/a.yaml": b"ringdown: 1\nflows: {a: [hangup], b: [hangup]}\n"},
         "RD022", "dialplans/a.yaml"),
    ],
)  # fmt: skip
def test_what_is_missing(files: dict[str, bytes], code: str, file: str) -> None:
    site, findings = read_site(files, {})
    assert site is None
    assert (code, file) in [(each.code, each.file) for each in findings]


def test_tenants_share_neither_realm_nor_secrets() -> None:
    _, findings = read({**PRESS, "tenants/press/tenant.yaml": "name: Press\ndomain: a.example\n",
                        "tenants/chess/tenant.yaml": "name: Chess\ndomain: a.example\n",
                        "tenants/press/agents.yaml": "200: {name: Zhao, pin: 1234}\n"})  # fmt: skip
    assert [(each.code, each.file) for each in findings if each.severity == "error"] == [
        ("RD080", "tenants/press/agents.yaml"),
        ("RD083", "tenants/press/tenant.yaml"),
    ]


def big_site(steps: int) -> dict[str, bytes | WavInfo]:
    """Flows of ten steps, each a menu, plays and decisions."""
    text = ["ringdown: 1", "variables: {count: number = 0}", "flows:"]
    flows = steps // 10
    for number in range(flows):
        name = "main" if number == 0 else f"flow{number}"
        following = f"flow{number + 1}" if number + 1 < flows else "bye"
        text += [
            f"  {name}:", "    - answer", "    - play: hello", "    - set: {count: count + 1}", "    - play: choose",
            "    - when:", "        - if: count > 3 and access.kind = public", "          then: bye",
            "    - menu:", "        prompt: choose", "        choices:", f"          1: {following}", "          2:",
            "            - play: hello", "        failed: bye",
            "    - play: hello", "    - tag: count $count", f"    - goto: {following}",
        ]  # fmt: skip
    text += ["  bye:", "    - hangup: served"]
    return files_with({"dialplans/main.yaml": lines(*text)})


def test_reading_a_thousand_steps_is_quick() -> None:
    """By fixed pieces of work (`bench_check` tells milliseconds; the figure is printed with -s)."""
    files = big_site(1_000)
    assert {each.code for each in read_site(files, STOCK)[1]} == {"RD200"}  # nobody can be reached in it
    cost = units(lambda: read_site(files, STOCK))
    print(f"{cost:.1f} units for 1,000 steps")
    assert cost < 25  # 12 to 14


def test_base_is_not_changed_by_reading() -> None:
    before = dict(BASE)
    read_site(BASE, STOCK)
    assert before == BASE

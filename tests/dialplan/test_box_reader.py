"""boxes.yaml, `mail:` and `voicemail:` of a site: what they may hold, and what is said of the rest."""

from __future__ import annotations

import pytest

from engine.dialplan.box_model import BoxModel, MailModel
from engine.dialplan.model import Site
from engine.dialplan.prompts import WavInfo
from tests.dialplan.site import BASE, STOCK, lines, read_site

MAIL = "mail: {host: mx.example.org, from: ringdown@example.org}\n"


def given(boxes: str, site: str = MAIL, queues: str = "") -> dict[str, bytes | WavInfo]:
    head = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n"
    more = {"queues.yaml": queues.encode()} if queues else {}
    return {**BASE, "site.yaml": (head + site).encode(), "boxes.yaml": boxes.encode(), **more}


def read(boxes: str, site: str = MAIL, queues: str = "") -> Site:
    made, findings = read_site(given(boxes, site, queues), STOCK)
    assert made is not None and not findings, findings
    return made


def test_a_box_of_a_queue_in_full() -> None:
    made = read(
        lines(
            "front:", "  about: the desk", "  queue: support", "  number: 900", "  greeting: hello", "  max: 1min",
            "  min: 3s", "  messages: 7", "  hears: [200]", "  mail: [ana@example.org, desk@example.org]",
            "  callback: yes", "  unheard: 4h", "  keep: 30d", "  pin: no",
        ),
        queues=lines("support:", "  skills: [power]", "  callback: {allow: '0'}"),
    )  # fmt: skip
    assert made.boxes["default/front"] == BoxModel(
        "default", "front", "default/support", "", "900", {"en": ("en/hello",)}, 60_000, 3_000, 7, ("default/200",),
        ("ana@example.org", "desk@example.org"), True, 14_400_000, 30, False,
    )  # fmt: skip


def test_a_box_named_after_an_agent_is_his() -> None:
    box = read("200: {max: 2min}\n").boxes["default/200"]
    assert (box.agent, box.number, box.hearers, box.pin) == ("default/200", "200", ("default/200",), True)
    other = read("desk: {agent: 200, hears: 200}\n").boxes["default/desk"]
    assert (other.agent, other.number, other.hearers) == ("default/200", "200", ("default/200",))


@pytest.mark.parametrize(
    ("boxes", "code"),
    [
        ("front: {hears: 299}\n", "RD035"), ("front: {agent: 299, hears: 200}\n", "RD035"),
        ("front: {queue: nosuch, hears: 200}\n", "RD032"), ("front: {hears: 200, max: 1s}\n", "RD024"),
        ("front: {hears: 200, colour: red}\n", "RD021"), ("front: {hears: 200, pin: 4711}\n", "RD080"),
        ("front: {mail: nobody}\n", "RD024"), ("front: {hears: 200, min: 30s, max: 20s}\n", "RD024"),
        ("front: {hears: 200, number: a1}\n", "RD082"), ("front: {queue: support, agent: 200}\n", "RD024"),
        ("front: {hears: 200, callback: yes}\n", "RD022"), ("front: {queue: support, callback: yes}\n", "RD048"),
        ("front: {hears: 200, greeting: nosuch}\n", "RD033"), ("Front: {hears: 200}\n", "RD027"),
        ("front: 200\n", "RD023"),
    ],
)  # fmt: skip
def test_mistakes_have_their_place(boxes: str, code: str) -> None:
    _, findings = read_site(given(boxes), STOCK)
    assert code in [each.code for each in findings], findings
    assert all(each.file == "boxes.yaml" and each.line == 1 for each in findings)


def test_the_server_that_takes_mail() -> None:
    plain = read("200: {mail: ana@example.org}\n")
    assert plain.mail == MailModel("mx.example.org", 587, "ringdown@example.org")
    whole = "mail: {host: '[::1]', port: 2525, from: a@b.org, user: u, password: secret smtp, security: tls}\n"
    assert read("200: {max: 1min}\n", whole).mail == MailModel("::1", 2525, "a@b.org", "u", "smtp", "tls")
    assert read("200: {max: 1min}\n", "").mail is None


@pytest.mark.parametrize(
    ("site", "code"),
    [
        ("mail: {host: mx.example.org}\n", "RD022"), ("mail: {from: a@b.org}\n", "RD022"),
        ("mail: {host: 'no host', from: a@b.org}\n", "RD086"), ("mail: {host: mx, from: nobody}\n", "RD024"),
        ("mail: {host: mx, from: a@b.org, password: hunter2}\n", "RD080"),
        ("mail: {host: mx, from: a@b.org, security: ssl}\n", "RD024"), ("voicemail: {quota: much}\n", "RD024"),
        ("voicemail: {quota: 0MB}\n", "RD024"), ("voicemail: {size: 1MB}\n", "RD021"),
        ("voicemail: 5MB\n", "RD023"),
    ],
)  # fmt: skip
def test_mistakes_of_the_site(site: str, code: str) -> None:
    _, findings = read_site(given("200: {max: 1min}\n", site), STOCK)
    assert [each.code for each in findings] == [code], findings


@pytest.mark.parametrize(("text", "octets"), [("500MB", 500_000_000), ("20GB", 20_000_000_000)])
def test_the_quota_of_a_tenant(text: str, octets: int) -> None:
    made = read("200: {max: 1min}\n", f"voicemail: {{quota: {text}}}\n")
    assert made.tenants["default"].voicemail_bytes_max == octets

"""Before `ready`: which addresses, what is told to far ends, which passwords are shown."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from engine.dialplan.findings import Finding
from engine.dialplan.model import AgentModel
from engine.errors import UsageError
from engine.runtime import opening as room
from engine.runtime.handover import Inherited, keep
from engine.runtime.opening import Options
from engine.runtime.secrets import Secrets
from engine.runtime.site_files import Reading
from tests.runtime.fakes import run, site


def options(tmp_path: Path, **settings: Any) -> Options:
    return Options(site=tmp_path, data=tmp_path, **settings)


def test_which_addresses(tmp_path: Path) -> None:
    plain = site(listen=())
    assert room.addresses(options(tmp_path), plain) == room.DEFAULT_LISTEN
    assert room.addresses(options(tmp_path), site(listen=("udp:0.0.0.0:5060",))) == ("udp:0.0.0.0:5060",)
    assert room.addresses(options(tmp_path, listen=("udp:127.0.0.1:1",)), plain) == ("udp:127.0.0.1:1",)
    assert room.addresses(options(tmp_path, lan="192.168.1.9"), plain) == (
        "udp:192.168.1.9:5060", "tcp:192.168.1.9:5060")


def test_binding_all_or_nothing() -> None:
    sockets, _ = room.bind(("udp:127.0.0.1:0", "tcp:127.0.0.1:0"), site(local_networks=("10.0.0.0/8",)))
    flows = [listening.flow for _, listening in sockets]
    assert flows == [1, 2] and all(listening.port for _, listening in sockets)
    assert sockets[0][1].local_networks == ("10.0.0.0/8",)
    taken = sockets[0][1].port
    with pytest.raises(UsageError, match="in use"):
        room.bind(("tcp:127.0.0.1:0", f"udp:127.0.0.1:{taken}"), site())
    for sock, _ in sockets:
        sock.close()


@pytest.mark.parametrize(("advertise", "expected"), [
    ("", ("127.0.0.1", 5060)), ("203.0.113.9", ("203.0.113.9", 5060)), ("203.0.113.9:15060", ("203.0.113.9", 15_060)),
    ("pbx.example.com", ("pbx.example.com", 5060)), ("2001:db8::1", ("2001:db8::1", 5060)),
])
def test_what_far_ends_are_told(advertise: str, expected: tuple[str, int]) -> None:
    assert room.advertise(site(advertise=advertise), "127.0.0.1", 5060) == expected


def test_a_refusal_shows_the_findings() -> None:
    finding = Finding("RD030", "error", "dialplans/main.yaml", 3, 5, "unknown verb 'plai'", "did you mean 'play'?")
    text = room.refused(Reading(None, [finding], 1, "/site"))
    assert "dialplans/main.yaml:3:5" in text and "play" in text and text.endswith("/site is refused: 1 error(s)")


def server(tmp_path: Path, lan: str = "") -> Any:
    changed: list[bool] = []
    return types.SimpleNamespace(
        options=options(tmp_path, lan=lan), site=site(), secrets=Secrets(tmp_path), udp={}, changed=changed,
        secrets_changed=lambda: changed.append(True))


def test_passwords_that_were_made_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = server(tmp_path)
    made = fake.secrets.ensure(fake.site)
    assert run(room.show_passwords(fake, made)) is None
    shown = capsys.readouterr().err
    assert all(password.password in shown for password in made)
    assert run(room.show_passwords(fake, [])) is None
    assert capsys.readouterr().err == ""


def test_whose_account_the_lan_gets() -> None:
    agents = {"a/200": AgentModel("a", "200", "A"), "default/200": AgentModel("default", "200", "D")}
    assert room.lan_agent(site(agents=agents)) == "default/200"
    assert room.lan_agent(site(agents={"a/7": AgentModel("a", "7", "A")})) == "a/7"
    assert room.lan_agent(site(agents={})) == ""


def test_lan_shows_agent_200_with_a_code_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake = server(tmp_path, "127.0.0.1")
    made = fake.secrets.ensure(fake.site)

    async def work() -> None:
        provisioner = await room.show_passwords(fake, made)
        assert provisioner is not None
        assert provisioner.account.user == "200" and provisioner.account.password != made[0].password
        provisioner.close()

    run(work())
    shown = capsys.readouterr().err
    assert "server    127.0.0.1:5060" in shown and "http://127.0.0.1:" in shown and made[1].password in shown
    assert made[0].password not in shown and fake.changed == [True]


def test_an_engine_that_goes_on_is_found_at_the_same_ports() -> None:
    texts = ("udp:127.0.0.1:0", "tcp:127.0.0.1:0")
    sockets, _ = room.bind(texts, site())
    before = [listening for _, listening in sockets]
    for sock, _ in sockets:
        sock.close()
    again, _ = room.bind(texts, site(), before)
    assert [listening for _, listening in again] == before
    for sock, _ in again:
        sock.close()
    other, _ = room.bind(("tcp:127.0.0.1:0", "udp:127.0.0.1:0"), site(), before)  # the site has changed meanwhile
    assert [listening.transport for _, listening in other] == ["tcp", "udp"]
    for sock, _ in other:
        sock.close()


def test_sockets_that_were_handed_over_are_used_as_they_are() -> None:
    texts = ("udp:127.0.0.1:0", "tcp:127.0.0.1:0")
    sockets, _ = room.bind(texts, site())
    before = [listening for _, listening in sockets]
    inherited = Inherited({listening.flow: keep(sock) for sock, listening in sockets})
    inherited.listening[9] = 1_023  # an address that the site has no more
    for sock, _ in sockets:
        sock.close()
    again, _ = room.bind(texts, site(), before, inherited)  # a new socket would find the addresses in use
    assert [listening for _, listening in again] == before and inherited.listening == {9: 1_023}
    for sock, _ in again:
        assert not sock.getblocking()
        sock.close()


def test_a_handed_over_socket_of_another_address_is_closed_not_used() -> None:
    sockets, _ = room.bind(("udp:127.0.0.1:0",), site())
    descriptor = keep(sockets[0][0])
    port = sockets[0][1].port
    sockets[0][0].close()
    again, _ = room.bind(("tcp:127.0.0.1:0",), site(), None, Inherited({1: descriptor}))
    assert again[0][1].transport == "tcp"
    again[0][0].close()
    freed, _ = room.bind((f"udp:127.0.0.1:{port}",), site())
    freed[0][0].close()

"""The edge under fire: floods of bad REGISTERs and real scanners, while good phones register, talk and hear well.

The sources are addresses of 127.0.0.0/8, each with a socket of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.children import until
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import Engine

SOURCES, PER_SECOND, SECONDS = 50, 1_000, 6.0
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def own() -> Iterator[Engine]:
    with Engine() as running:
        yield running


def cpu_s(pid: int) -> float:
    """CPU seconds of the process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Botnet(threading.Thread):
    """Bad REGISTERs at a steady rate, each with wrong credentials for another account, from many addresses."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self.target, self.sent, self.answers = engine.address, 0, 0
        self.over = threading.Event()
        self.socks = []
        for number in range(SOURCES):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((f"127.0.7.{number + 1}", 0))
            sock.setblocking(False)
            self.socks.append(sock)
        self.nonce = ""

    def run(self) -> None:
        began = time.monotonic()
        while not self.over.is_set():
            due = int((time.monotonic() - began) * PER_SECOND)
            while self.sent < due:
                self._one(self.socks[self.sent % SOURCES], self.sent)
                self.sent += 1
            time.sleep(0.005)
        for sock in self.socks:
            self._read(sock)
            sock.close()

    def _one(self, sock: socket.socket, number: int) -> None:
        host, port = sock.getsockname()
        user, server = 100 + number % 200, f"{self.target[0]}:{self.target[1]}"
        proof = (
            f'Authorization: Digest username="{user}", realm="ringdown", nonce="{self.nonce}", uri="sip:{server}",'
            f' response="{number:032x}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{number:08x}"\r\n'
        )
        sock.sendto(
            f"REGISTER sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{number}\r\n"
            f"From: <sip:{user}@{server}>;tag={number}\r\nTo: <sip:{user}@{server}>\r\nCall-ID: {number}@{host}\r\n"
            f"CSeq: 1 REGISTER\r\nContact: <sip:{user}@{host}:{port}>\r\nMax-Forwards: 70\r\n"
            f"{proof if self.nonce else ''}Content-Length: 0\r\n\r\n".encode(),
            self.target,
        )
        self._read(sock)

    def _read(self, sock: socket.socket) -> None:
        try:
            while data := sock.recv(65_535):
                self.answers += 1
                found = data.partition(b'nonce="')[2].partition(b'"')[0]
                self.nonce = found.decode() or self.nonce
        except BlockingIOError:
            return


def test_a_thousand_bad_registers_a_second_from_fifty_sources_hurt_nobody(own: Engine) -> None:
    """Good phones register, call and are heard meanwhile; the engine's CPU stays near what it is without the flood."""
    with own.phone("listener", secret=False) as listener, Ear() as ear:
        dialog = listener.call("9664", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ear.count() > 20, 4, what="music")
        quiet = _load(own, lambda: time.sleep(2.0))
        net, slowest = Botnet(own), [0.0]
        net.start()
        began, heard = time.monotonic(), ear.count()
        time.sleep(1.5)  # until the sources are known for what they are
        busy = _load(own, lambda: _good_phones(own, slowest, began + SECONDS))
        passed, packets = time.monotonic() - began, ear.count() - heard
        net.over.set()
        net.join(5)
        assert dialog.bye().status == 200
    rate = net.sent / passed
    blocks = own.ask("blocks")
    print(
        f"{rate:.0f} bad REGISTERs a second, {net.answers} answered; CPU {quiet:.3f} s/s without, {busy:.3f} with; "
        f"slowest good registration {1_000 * slowest[0]:.0f} ms; {packets / passed:.1f} packets a second heard"
    )
    assert rate > 0.8 * PER_SECOND
    assert packets > 50 * passed * 0.95 - 5 and ear.timeline_faults() == []
    assert slowest[0] < 4.0  # these phones repeat nothing: not one of their messages was dropped
    assert len(blocks["blocks"]) == SOURCES and blocks["dropped"]["blocked"] > 0.6 * net.sent
    assert net.answers < 0.4 * net.sent
    share = (busy - quiet) / rate  # CPU seconds for each message of the flood, the good phones' calls included
    assert share < 0.000_35, f"{1e6 * share:.0f} µs a message: more than to answer it"


def _load(engine: Engine, work: object) -> float:
    began, cpu = time.monotonic(), cpu_s(engine.pid)
    work()  # type: ignore[operator]
    return (cpu_s(engine.pid) - cpu) / (time.monotonic() - began)


def _good_phones(engine: Engine, slowest: list[float], until_s: float) -> None:
    """Phones come, register and call each other as long as it lasts."""
    while time.monotonic() < until_s:
        for user in ("203", "204"):
            with engine.phone(user) as phone:
                began = time.monotonic()
                assert phone.register().status == 200
                slowest[0] = max(slowest[0], time.monotonic() - began)
                placed = phone.place("9100")
                placed.expect(200)
                placed.ack()
                placed.bye()
                phone.register(expires=0, contact="*")
        time.sleep(0.1)


def test_a_good_phone_behind_a_guessers_address_registers_and_stays(own: Engine) -> None:
    """Guesser and phones share 127.0.0.1: the one that was registered isn't held up, a new one gets in."""
    own.ask("block.lift", source="all")
    with own.phone("205") as before, own.phone("206") as after, own.phone("207") as thief:
        assert before.register().status == 200
        guess(thief, 60)
        until(lambda: own.ask("blocks")["blocks"], 4, what="a block")
        (row,) = own.ask("blocks")["blocks"]
        assert (row["source"], row["ports"], row["kind"]) == ("127.0.0.1", [thief.port], "guessing")
        assert "207" in row["why"]
        began = time.monotonic()
        assert before.register().status == 200 and after.register(within=8.0).status == 200
        assert time.monotonic() - began < 6.0
        shown = own.command("block", "127.0.0.1").stdout
        assert "wrong passwords; tried 207" in shown and "lift" in shown
        assert own.command("block", "127.0.0.1", "lift").returncode == 0 and not own.ask("blocks")["blocks"]
        with own.phone("207") as owner:  # nobody can lock an account by guessing
            assert owner.register().status == 200
            owner.register(expires=0, contact="*")
        for phone in (before, after):
            phone.register(expires=0, contact="*")


def guess(phone: Phone, count: int) -> None:
    """So many wrong passwords for one account, sent without waiting for what becomes of them."""
    call_id = phone.request("REGISTER", phone.uri(), to=phone.uri(phone.user), headers=[phone.contact()]).get("call-id")
    challenge = phone.expect(401, call_id=call_id)
    for number in range(count):
        headers = [phone.contact(), phone.credentials(challenge, "REGISTER", phone.uri(), password=f"guess {number}")]
        phone.request("REGISTER", phone.uri(), to=phone.uri(phone.user), headers=headers)


def scan(*words: str, seconds: float) -> str:
    """A scanner's own words, whatever its exit status: it is stopped when it doesn't end by itself."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as late:
        return "".join(part.decode() if isinstance(part, bytes) else part or "" for part in (late.stdout, late.stderr))
    return done.stdout + done.stderr


def test_scanners_learn_nothing(own: Engine) -> None:
    """svmap finds no server, svwar no extension, sipsak gets no answer; a good phone on the same machine does."""
    own.ask("block.lift", source="all")
    host, port = own.address
    before = own.ask("blocks")["dropped"]["scanner"]
    found = scan("svmap", f"-p{port}", host, seconds=6)
    assert "found nothing" in found.lower() or "no results" in found.lower() or str(port) not in found, found
    extensions = scan("svwar", f"-p{port}", "-e200-209", host, seconds=6)
    assert not any(f"| {number}" in extensions for number in range(200, 210)), extensions
    assert "200 OK" not in scan("sipsak", "-vv", "-s", f"sip:201@{host}:{port}", seconds=4)
    assert own.ask("blocks")["dropped"]["scanner"] > before
    assert any(row["kind"] == "scanner" for row in own.ask("blocks")["blocks"])
    with own.phone("205") as phone:
        assert phone.register(within=8.0).status == 200
        phone.register(expires=0, contact="*")
    own.ask("block.lift", source="all")


def test_who_is_blocked_stays_so_over_a_restart_and_a_crash(own: Engine) -> None:
    """The guesser gets no answer before, after `ringdown restart` and after a kill; the phone beside him does."""
    own.ask("block.lift", source="all")
    with own.phone("205") as good, own.phone("207") as thief:
        assert good.register().status == 200
        guess(thief, 60)
        until(lambda: own.ask("blocks")["blocks"], 4, what="a block")
        (row,) = own.ask("blocks")["blocks"]
        time.sleep(1.5)  # it is written within a second
        for go in (_restarted, _killed):
            go(own)
            assert good.register().status == 200
            (again,) = own.ask("blocks")["blocks"]
            assert (again["source"], again["kind"], again["ports"]) == (row["source"], row["kind"], row["ports"])
            assert abs(again["since_ms"] - row["since_ms"]) < 1_000
            before = own.ask("blocks")["dropped"]["blocked"]
            guess(thief, 60)
            until(lambda was=before: own.ask("blocks")["dropped"]["blocked"] > was + 30, 4, what="he is dropped")
    own.ask("block.lift", source="all")


def _restarted(engine: Engine) -> None:
    assert engine.command("restart", seconds=120.0).returncode == 0


def _killed(engine: Engine) -> None:
    time.sleep(1.5)
    engine.kill()
    engine.start()

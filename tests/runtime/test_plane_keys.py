"""Which SET_KEY records an agreement makes: new keys once, the same keys never again, lost keys as a silent leg."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import msgspec
import pytest

from engine import jit
from engine.media import columns as c
from engine.media import commands as m
from engine.media import control, secure
from engine.media.image import Image, Indices
from engine.rtp import srtp
from engine.runtime.key_vault import KeyVault
from engine.runtime.plane_keys import PlaneKeys
from engine.runtime.plane_memory import LegMemory
from engine.runtime.rtp_plane import RtpPlane
from tests.rtp.test_srtp import Side, rtp

HOST = "127.0.0.1"
THEIRS, OURS = "~k30.0123456789abcdef", "~o30.0123456789abcde1"
PLAIN = m.SetLeg(0, 1, "192.0.2.1", 4_000, 0, 0, ((0, 0),), -1, -1, 20, True, True)
SECURED = msgspec.structs.replace(PLAIN, suite=srtp.CM_80, key_in=THEIRS, key_out=OURS)


class Bench:
    def __init__(self) -> None:
        self.vault, self.records = KeyVault(), list[tuple[int, ...]]()
        assert self.vault._keep(THEIRS, bytes(range(30)), "00")
        self.keys = PlaneKeys(self.vault, self.records.append)

    def take(self) -> list[tuple[int, ...]]:
        found, self.records[:] = list(self.records), []
        return found


def test_plain_legs_cost_nothing() -> None:
    bench = Bench()
    assert bench.keys.agree(PLAIN) and bench.take() == []


def test_both_keys_once() -> None:
    bench = Bench()
    assert bench.keys.agree(SECURED)
    inbound, outbound = bench.take()
    assert inbound[:5] == (control.SET_KEY, 0, 1, srtp.CM_80, c.INBOUND)
    assert outbound[:5] == (control.SET_KEY, 0, 1, srtp.CM_80, c.OUTBOUND)
    octets = b"".join(word.to_bytes(8, "little", signed=True) for word in inbound[5:9])
    assert octets == bytes(range(30)) + b"\0\0" and inbound[secure.KEY_STREAMS] == 0
    assert bench.keys.agree(SECURED) and bench.take() == []  # a re-INVITE with the same keys keeps the numbers
    assert len(bench.vault) == 2
    bench.keys.ended(0)
    assert len(bench.vault) == 0


def test_a_new_key_of_theirs_leaves_ours() -> None:
    bench = Bench()
    bench.keys.agree(SECURED)
    ours = bench.vault.key(OURS)
    bench.take()
    assert bench.vault._keep("~k30.another89abcdef0", bytes(30), "01")
    assert bench.keys.agree(msgspec.structs.replace(SECURED, key_in="~k30.another89abcdef0"))
    assert [record[4] for record in bench.take()] == [c.INBOUND]
    assert bench.vault.key(THEIRS) is None and bench.vault.key(OURS) == ours  # the old one is wiped


def test_back_to_plain_and_another_leg_in_the_row() -> None:
    bench = Bench()
    bench.keys.agree(SECURED)
    bench.take()
    assert bench.keys.agree(PLAIN) and bench.take() == [(control.SET_KEY, 0, 1, srtp.PLAIN)]
    assert len(bench.vault) == 0
    assert bench.vault._keep(THEIRS, bytes(30), "00")
    bench.keys.agree(SECURED)
    bench.take()
    bench.keys.agree(msgspec.structs.replace(PLAIN, generation=2))
    assert len(bench.vault) == 0


def test_an_unknown_key_and_one_of_another_suite_silence_the_leg() -> None:
    bench = Bench()
    assert not bench.keys.agree(msgspec.structs.replace(SECURED, key_in="~k30.0000000000000000"))
    assert bench.take()[0] == (control.SET_KEY, 0, 1, -1, c.INBOUND)
    assert not bench.keys.agree(msgspec.structs.replace(SECURED, row=1, suite=srtp.GCM))
    assert [record[3] for record in bench.take()] == [-1, -1]


def test_after_a_crash_the_numbers_go_on_or_the_keys_go() -> None:
    bench = Bench()
    bench.vault.key(OURS)
    dead = Indices(((1, 99, 70_000, 3),), ((1, 0, 80_000, 5),))
    assert bench.keys.agree(SECURED, dead, restoring=True)
    inbound, outbound = bench.take()
    assert inbound[9:] == (1, 1, 99, 70_000, 3) and outbound[9:] == (1, 1, 0, 80_000, 5)
    assert max(len(inbound), len(outbound)) <= c.COMMAND_WORDS
    bench = Bench()
    old = bench.vault.key(OURS)
    assert not bench.keys.agree(SECURED, None, restoring=True)  # nobody knows which numbers were used
    assert [record[3] for record in bench.take()] == [-1, -1] and len(bench.vault) == 0
    assert bench.vault.key(OURS) != old  # what the re-INVITE will offer
    assert bench.vault._keep(THEIRS, bytes(30), "00")
    assert bench.keys.agree(SECURED) and len(bench.take()) == 2


def test_the_longest_record_fits() -> None:
    bench = Bench()
    bench.keys.agree(SECURED, Indices(((1, 2, 3, 4),) * srtp.STREAMS, ()))
    assert max(len(record) for record in bench.take()) <= c.COMMAND_WORDS


@pytest.mark.parametrize("suite", [srtp.CM_32, srtp.CM_80])
def test_another_suite_under_the_same_key_holds_it_once(suite: int) -> None:
    """A far end may offer the same key again under another suite: the vault's slot must go with the leg."""
    bench = Bench()
    bench.keys.agree(msgspec.structs.replace(SECURED, suite=srtp.CM_80 + srtp.CM_32 - suite))
    bench.take()
    assert bench.keys.agree(msgspec.structs.replace(SECURED, suite=suite))
    assert [record[3:5] for record in bench.take()] == [(suite, c.INBOUND), (suite, c.OUTBOUND)]
    assert len(bench.vault) == 2
    bench.keys.ended(0)
    assert len(bench.vault) == 0 and not bench.vault._held


def test_a_key_that_another_leg_uses_outlives_one_that_is_lost() -> None:
    bench = Bench()
    bench.vault.key(OURS)
    dead = Indices(((1, 99, 70_000, 3),), ((1, 0, 80_000, 5),))
    assert bench.keys.agree(SECURED, dead, restoring=True)
    bench.take()
    assert not bench.keys.agree(msgspec.structs.replace(SECURED, row=1), None, restoring=True)
    assert [record[3] for record in bench.take()] == [-1, -1], "not used again where nobody knows the numbers"
    assert len(bench.vault) == 2
    bench.keys.ended(0)
    assert len(bench.vault) == 0


def test_a_leg_that_could_not_be_opened_takes_no_keys(tmp_path: Path) -> None:
    vault = KeyVault()
    assert vault._keep(THEIRS, bytes(range(30)), "00")
    plane = RtpPlane(legs_max=4, data_dir=tmp_path, vault=vault)
    plane.command(m.OpenLeg(0, 1, "no address", 4_000, 5, 1, 1))
    assert [type(event) for event in plane.poll()] == [m.LegFailed]
    plane.command(SECURED)
    assert bytes(range(24)) not in plane.plane.commands.tobytes()
    assert len(vault) == 0 and not vault._held
    plane.stop()


def test_a_late_command_leaves_the_keys_of_the_leg_that_has_the_row_now(tmp_path: Path) -> None:
    vault = KeyVault()
    assert vault._keep(THEIRS, bytes(range(30)), "00")
    plane = RtpPlane(legs_max=4, data_dir=tmp_path, vault=vault)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    plane.command(m.OpenLeg(0, 1, HOST, port, 5, 1, 1))
    plane.command(SECURED)
    assert len(vault) == 2 and bytes(range(24)) in plane.plane.commands.tobytes()
    plane.command(m.Stop(0, 1))
    assert plane.plane.commands.tobytes().count(bytes(range(24))) == 1, "the next record has nothing of it"
    plane.command(msgspec.structs.replace(PLAIN, generation=7))
    assert len(vault) == 2 and vault._held == {THEIRS: 1, OURS: 1}
    plane.stop()


# --- with the real plane -------------------------------------------------------------------------------------------



class Phone:
    """A far end with SRTP on a socket of its own, which says what it is given and hears the echo."""

    def __init__(self, vault: KeyVault, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.socket.settimeout(0.5)
        self.port, self.far, self.number = self.socket.getsockname()[1], port, 65_500
        key = vault.key(OURS)
        assert key is not None
        self.says = Side(srtp.CM_80, sending=True, master=bytes(range(30)))
        self.hears = Side(srtp.CM_80, sending=False, master=key)

    def echo(self) -> bytes | None:
        """Say something; the next packet that comes back, opened."""
        self.number += 1
        said = bytes([self.number & 0xFF]) * 160
        packet = self.says.protect(rtp(self.number, said, ssrc=7))
        assert packet is not None
        self.socket.sendto(packet, (HOST, self.far))
        try:
            heard = self.socket.recv(2_048)
        except TimeoutError:
            return None
        assert said not in heard
        opened = self.hears.unprotect(heard)
        return opened if opened is not None and opened[12:] == said else None


@pytest.mark.skipif(jit.DISABLED, reason="the loop makes system calls: compiled code only")
def test_a_call_goes_on_in_the_next_plane_or_agrees_anew(tmp_path: Path) -> None:
    vault, image, now_ms = KeyVault(tmp_path / "keys"), Image(), time.monotonic_ns() // 1_000_000
    assert vault._keep(THEIRS, bytes(range(30)), "00")
    plane = RtpPlane(legs_max=4, data_dir=tmp_path, memory=tmp_path / "memory", vault=vault)
    plane.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    phone = Phone(vault, port)
    agreed = msgspec.structs.replace(SECURED, host=HOST, port=phone.port)
    for command in (m.OpenLeg(0, 1, HOST, port, 5, 65_520, 0), agreed, m.Echo(0, 1)):
        image.apply(command, now_ms)
        plane.command(command)
    for _ in range(60):  # both directions roll over
        assert phone.echo() is not None
    assert bytes(range(24)) not in plane.plane.commands.tobytes(), "no key lies in the ring once it is taken"
    assert phone.hears.row[srtp.INDEX] > 65_536 and phone.says.row[srtp.INDEX] == 65_560

    def next_plane(memory: Path) -> RtpPlane:
        plane.stop(forget=False)
        dead = LegMemory(memory, image, time.monotonic_ns() // 1_000)
        made = RtpPlane(legs_max=4, data_dir=tmp_path, memory=tmp_path / "memory", vault=vault)
        made.start()
        made.restore(image, now_ms, now_ms, dead, 10)
        return made

    vault.close(forget=False)
    vault = KeyVault(tmp_path / "keys", going_on=True)
    plane = next_plane(tmp_path / "memory")
    for _ in range(5):
        assert phone.echo() is not None
    vault.close(forget=False)
    vault = KeyVault(tmp_path / "keys", going_on=True)
    plane = next_plane(tmp_path / "another")  # the numbers are gone: neither key is used again
    assert phone.echo() is None and m.KeysLost(0, 1) in plane.poll()
    assert len(vault) == 0
    phone.socket.close()
    plane.stop()
    vault.close()
    assert not list(tmp_path.glob("keys")) and not list(tmp_path.glob("memory"))

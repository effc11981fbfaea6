"""SRTP against the RFCs' vectors and against the same rules written a second time over another AES."""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.rtp import srtp

SUITES = (srtp.CM_80, srtp.CM_32, srtp.GCM)
MASTER = bytes.fromhex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6")


class Side:
    """One direction with everything a kernel wants."""

    def __init__(self, suite: int, *, sending: bool, master: bytes = MASTER) -> None:
        self.side, self.salts = np.zeros(srtp.SIDE_WORDS, np.int64), np.zeros((2, srtp.SALT_BYTES), np.uint8)
        self.row, self.scratch = np.zeros(srtp.STREAM_ROW, np.int64), np.zeros(srtp.SCRATCH_BYTES, np.uint8)
        self.suite = suite
        key = np.zeros(32, np.uint8)
        key[: len(master)] = np.frombuffer(master, np.uint8)
        assert srtp.begin(self.side, self.salts, suite, int(sending), key, self.scratch)
        assert not self.scratch.any()  # no key is left lying about

    def _run(self, kernel: Any, data: bytes) -> bytes | None:
        packet = np.zeros(1_500, np.uint8)
        packet[: len(data)] = np.frombuffer(data, np.uint8)
        length = kernel(self.side, self.salts, self.row, packet, len(data), self.scratch)
        return bytes(packet[:length]) if length >= 0 else None

    def protect(self, data: bytes) -> bytes | None:
        return self._run(srtp.protect, data)

    def unprotect(self, data: bytes) -> bytes | None:
        return self._run(srtp.unprotect, data)

    def protect_rtcp(self, data: bytes) -> bytes | None:
        return self._run(srtp.protect_rtcp, data)

    def unprotect_rtcp(self, data: bytes) -> bytes | None:
        return self._run(srtp.unprotect_rtcp, data)


def pair(suite: int) -> tuple[Side, Side]:
    return Side(suite, sending=True), Side(suite, sending=False)


def rtp(sequence: int, payload: bytes = b"\xab" * 160, ssrc: int = 0xCAFEBABE, *, odd: bool = False) -> bytes:
    """`odd`: with two CSRCs, a header extension and padding."""
    head = struct.pack(">BBHII", 0xB2 if odd else 0x80, 0, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc)
    return head + (struct.pack(">IIHHI", 1, 2, 0xBEDE, 1, 7) if odd else b"") + payload


RTCP = bytes.fromhex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeef")


# --- the same rules a second time ----------------------------------------------------------------------------
def keystream(key: bytes, iv: int, length: int) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(iv.to_bytes(16, "big"))).encryptor().update(bytes(length))


def derive(master: bytes, label: int, length: int) -> bytes:
    salt = master[16:].ljust(14, b"\0")
    return keystream(master[:16], (int.from_bytes(salt, "big") ^ label << 48) << 16, length)


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def by_hand(suite: int, packet: bytes, start: int, ssrc: int, index: int, *, control: bool, master: bytes) -> bytes:
    first = 3 if control else 0
    key = derive(master, first, 16)
    if suite == srtp.GCM:
        salt = derive(master, first + 2, 12)
        iv = xor(salt, bytes(2) + struct.pack(">I", ssrc) + index.to_bytes(6, "big"))
        word = struct.pack(">I", 1 << 31 | index) if control else b""
        return packet[:start] + AESGCM(key).encrypt(iv, packet[start:], packet[:start] + word) + word
    salt = derive(master, first + 2, 14)
    iv = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
    text = packet[:start] + xor(packet[start:], keystream(key, iv, len(packet) - start))
    text += struct.pack(">I", 1 << 31 | index) if control else b""
    signed = text if control else text + struct.pack(">I", index >> 16)
    tag = hmac.new(derive(master, first + 1, 20), signed, hashlib.sha1).digest()
    return text + tag[: 4 if suite == srtp.CM_32 and not control else 10]


# --- vectors -----------------------------------------------------------------------------------------------
@srtp.kernel
def _derived(master: Any, label: int, length: int, scratch: Any) -> bool:
    cipher = srtp._cipher_new()
    good = srtp._init(cipher, srtp._aes_ctr(), 0, master.ctypes.data, 0, 1) == 1
    good = good and srtp._derive(cipher, master, srtp.CM_80, label, length, scratch)
    srtp._cipher_free(cipher)
    return good


def test_keys_are_derived_as_in_rfc_3711_b3() -> None:
    expected = {
        0: "c61e7a93744f39ee10734afe3ff7a087",
        1: "cebe321f6ff7716b6fd4ab49af256a156d38baa4",  # the first twenty of the 94 octets there: HMAC-SHA1's key
        2: "30cbbc08863d8c85d49db34a9ae1",
    }
    scratch, master = np.zeros(srtp.SCRATCH_BYTES, np.uint8), np.frombuffer(MASTER, np.uint8).copy()
    for label, octets in expected.items():
        length = len(octets) // 2
        assert derive(MASTER, label, length).hex() == octets  # the second writing below holds, too
        assert _derived(master, label, length, scratch)
        assert bytes(scratch[srtp._KEY : srtp._KEY + length]).hex() == octets


def test_the_key_stream_of_rfc_3711_b2() -> None:
    """Session key and salt as given there: the packet of SSRC 0 and index 0 shows the key stream itself."""
    key, salt = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"), bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfd")
    side = Side(srtp.CM_80, sending=True)
    _rekey(side, key, salt)
    sent = side.protect(rtp(0, bytes(48), ssrc=0))
    assert sent is not None
    assert sent[12:60].hex() == (
        "e03ead0935c95e80e166b16dd92b4eb4" "d23513162b02d0f72a43a2fe4a5f97ab" "41e95b3bb0a2e8dd477901e4fca894c0"
    )  # fmt: skip


def _rekey(side: Side, key: bytes, salt: bytes) -> None:
    """Session key and salt put in place of the derived ones, as the RFCs' packet vectors give them."""
    side.salts[:, : len(salt)] = np.frombuffer(salt, np.uint8)
    _put_key(side.side, np.frombuffer(key, np.uint8).copy(), int(side.suite == srtp.GCM))


@srtp.kernel
def _put_key(side: Any, key: Any, gcm: int) -> None:
    srtp._init(side[srtp.RTP_CIPHER], 0, 0, key.ctypes.data, 0, -1)
    srtp._init(side[srtp.RTCP_CIPHER], 0, 0, key.ctypes.data, 0, -1)


def test_the_packets_of_rfc_7714_16_and_17() -> None:
    key, salt = bytes(range(16)), b"Quid pro quo"
    sender, receiver = pair(srtp.GCM)
    for side in (sender, receiver):
        _rekey(side, key, salt)
    plain = bytes.fromhex("8040f17b8041f8d35501a0b2") + b"Gallia est omnis divisa in partes tres"
    sent = sender.protect(plain)
    assert sent is not None and sent.hex() == (
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
        "899d7f27beb16a9152cf765ee4390cce"
    )  # fmt: skip
    assert receiver.unprotect(sent) == plain
    report = bytes.fromhex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61" + "deadbeef" * 5)
    sender.row[srtp.RTCP_INDEX] = 0x5D3
    sent = sender.protect_rtcp(report)
    assert sent is not None and sent.hex() == (
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b"
        "c84aa45896cf4d2fc5abf87245d9eade800005d4"
    )  # fmt: skip
    assert receiver.unprotect_rtcp(sent) == report


# --- against the second writing --------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
def test_packets_are_those_of_the_rules_written_again(suite: int) -> None:
    chance = random.Random(suite)
    for _ in range(20):
        master = chance.randbytes(srtp.MASTER_BYTES[suite])
        sender, receiver = Side(suite, sending=True, master=master), Side(suite, sending=False, master=master)
        ssrc, first = chance.getrandbits(32), chance.getrandbits(15)
        for index in range(first, first + 200_000, 17_003):  # through three roll-overs
            odd = bool(chance.getrandbits(1))
            packet = rtp(index, chance.randbytes(chance.choice((0, 1, 80, 160, 481))), ssrc, odd=odd)
            start = 28 if odd else 12
            sent = sender.protect(packet)
            assert sent == by_hand(suite, packet, start, ssrc, index, control=False, master=master)
            assert receiver.unprotect(sent) == packet
        for index in range(1, 5):
            report = RTCP[:4] + struct.pack(">I", ssrc) + chance.randbytes(4 * chance.randrange(12))
            sent = sender.protect_rtcp(report)
            assert sent == by_hand(suite, report, 8, ssrc, index, control=True, master=master)
            assert receiver.unprotect_rtcp(sent) == report


# --- what is refused ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("suite", SUITES)
def test_every_changed_bit_is_noticed(suite: int) -> None:
    sender, receiver = pair(suite)
    for protect, unprotect, packet in (
        (sender.protect, receiver.unprotect, rtp(1, b"\x55" * 20)),
        (sender.protect_rtcp, receiver.unprotect_rtcp, RTCP),
    ):
        sent = protect(packet)
        assert sent is not None
        for bit in range(8 * len(sent)):
            forged = bytearray(sent)
            forged[bit // 8] ^= 1 << bit % 8
            assert unprotect(bytes(forged)) is None, bit
        for length in range(len(sent)):
            assert unprotect(sent[:length]) is None
        assert not receiver.row[: srtp.NEXT].any() or protect == sender.protect_rtcp  # forgeries leave no trace
        assert unprotect(sent) == packet


@pytest.mark.parametrize("suite", SUITES)
def test_another_key_opens_nothing(suite: int) -> None:
    sender = Side(suite, sending=True)
    stranger = Side(suite, sending=False, master=bytes(srtp.MASTER_BYTES[suite]))
    assert stranger.unprotect(sender.protect(rtp(1)) or b"") is None
    assert stranger.unprotect_rtcp(sender.protect_rtcp(RTCP) or b"") is None


@pytest.mark.parametrize("suite", SUITES)
def test_each_packet_is_taken_once(suite: int) -> None:
    sender, receiver = pair(suite)
    sent = [sender.protect(rtp(number)) or b"" for number in range(60, 200)]
    order = list(range(140))
    random.Random(1).shuffle(order)
    taken, highest = [], -1
    for place in order:
        fits = highest - place < srtp.WINDOW
        assert (receiver.unprotect(sent[place]) is not None) == fits
        taken += [place] if fits else []
        highest = max(highest, place)
    assert len(taken) > 60 and all(receiver.unprotect(sent[place]) is None for place in range(140))
    report = sender.protect_rtcp(RTCP) or b""
    assert receiver.unprotect_rtcp(report) == RTCP and receiver.unprotect_rtcp(report) is None


def test_one_number_is_never_used_for_two_packets() -> None:
    sender, _ = pair(srtp.CM_80)
    assert sender.protect(rtp(7)) and sender.protect(rtp(8))
    assert sender.protect(rtp(7, b"other")) is None and sender.protect(rtp(8, b"other")) is None
    assert sender.protect(rtp(100)) and sender.protect(rtp(99)) and sender.protect(rtp(99, b"other")) is None


def test_order_loss_and_the_roll_over() -> None:
    sender, receiver = pair(srtp.CM_80)
    numbers = [65_530, 65_534, 65_536, 65_535, 65_540, 65_533, 65_600, 95_000, 125_000, 150_000]
    sent = {number: sender.protect(rtp(number)) or b"" for number in numbers}
    assert [receiver.unprotect(sent[number]) == rtp(number) for number in numbers] == [True] * len(numbers)
    assert receiver.row[srtp.INDEX] == 150_000 and receiver.row[srtp.INDEX] >> 16 == 2


def test_before_the_first_roll_over_there_is_nothing() -> None:
    assert srtp.guess(1, 5, 65_530) == -1 and srtp.guess(1, 65_541, 65_530) == 65_530
    assert srtp.guess(0, 0, 40_000) == 40_000 and srtp.guess(1, srtp.INDEX_MAX, 3) == -1


def test_several_sources_under_one_key() -> None:
    """A phone that begins a new stream keeps its key: the new SSRC begins at roll-over 0, the old one stays shut."""
    receiver = Side(srtp.CM_80, sending=False)
    old: list[bytes] = []
    for ssrc in range(10, 10 + srtp.STREAMS):
        sender = Side(srtp.CM_80, sending=True)
        old += [sender.protect(rtp(number, ssrc=ssrc)) or b"" for number in (5, 6)]
    assert all(receiver.unprotect(packet) is not None for packet in old)
    assert all(receiver.unprotect(packet) is None for packet in old)
    assert sorted(receiver.row[at + srtp.SSRC] for at in range(0, srtp.NEXT, srtp.STREAM_WORDS)) == [10, 11, 12, 13]


def test_rtcp_that_is_only_signed_is_taken() -> None:
    """RFC 3711 §3.4: the E bit says whether it is encrypted."""
    receiver = Side(srtp.CM_80, sending=False)
    text = RTCP + struct.pack(">I", 9)
    tag = hmac.new(derive(MASTER, 4, 20), text, hashlib.sha1).digest()[:10]
    assert receiver.unprotect_rtcp(text + tag) == RTCP


def test_an_unknown_suite_and_an_ended_side_are_plain() -> None:
    side = Side(srtp.GCM, sending=True)
    assert not srtp.begin(side.side, side.salts, 7, 1, np.zeros(32, np.uint8), side.scratch)
    assert not side.side.any()


def test_no_room_no_packet() -> None:
    sender, _ = pair(srtp.CM_80)
    packet = np.zeros(172 + srtp.GROWTH_MAX - 1, np.uint8)
    packet[:172] = np.frombuffer(rtp(1), np.uint8)
    assert srtp.protect(sender.side, sender.salts, sender.row, packet, 172, sender.scratch) == -1
    assert bytes(packet[:172]) == rtp(1)

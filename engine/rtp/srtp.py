"""SRTP and SRTCP (RFC 3711, RFC 7714) on packets in place, with AES and HMAC of the system's libcrypto.

One *side* is one direction of one leg: its SUITE, and the addresses of libcrypto's contexts, which hold the session
keys (they are derived there and lie nowhere else). *Salts* are the session salts of RTP and RTCP. A *stream* is what
is known of one SSRC: the highest packet index (roll-over counter and sequence number, 48 bits), and which of the 64
indices up to it have been seen (RFC 3711 §3.3.2); SRTCP's index and window lie beside them. A sender has one stream;
a receiver knows STREAMS of them, since SDES names no SSRC in advance (RFC 4568 §6.4.1): a new one begins with
roll-over counter 0 once a packet of it has proved genuine.

Kernels return the packet's new length, or -1 (not genuine, repeated, too old, no such thing): then nothing has
changed. Ask `AVAILABLE` before `begin`. Key derivation rate is 0 and there is no MKI.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.jit import external_of, i64, kernel, library
from engine.rtp.packet import HEADER_BYTES, read_u16, read_u32

_CRYPTO = "libcrypto.so.3"
AVAILABLE = library(_CRYPTO)

PLAIN, CM_80, CM_32, GCM = range(4)  # suites: none, AES_CM_128_HMAC_SHA1_80, …_32, AEAD_AES_128_GCM
MASTER_BYTES = (0, 30, 30, 28)  # master key and master salt
KEY_BYTES, AUTH_KEY_BYTES, SALT_BYTES = 16, 20, 16  # a session salt has 14 bytes, or 12 for GCM; the rest are zeros
RTCP_TAG = 10  # of both CM suites (RFC 4568 §6.2.2)
GCM_TAG = 16
GROWTH_MAX = 20  # bytes that protection adds at most

# --- words of a side ---------------------------------------------------------------------------------------
SUITE, RTP_CIPHER, RTCP_CIPHER, RTP_MAC, RTCP_MAC = range(5)
SIDE_WORDS = 8
RTP, RTCP = range(2)  # first index of salts

# --- words of a stream -------------------------------------------------------------------------------------
KNOWN, SSRC, INDEX, SEEN, RTCP_INDEX, RTCP_SEEN = range(6)  # SEEN: bit n is the packet n before INDEX
STREAM_WORDS = 6
STREAMS = 4
NEXT = STREAMS * STREAM_WORDS  # the stream that a new SSRC takes
REFUSED = NEXT + 1  # RTP packets that were not genuine, or repeated: the owner counts
STREAM_ROW = NEXT + 2
WINDOW = 64
RTCP_INDEX_MAX = (1 << 31) - 1
INDEX_MAX = (1 << 48) - 1

# --- scratch: bytes that a kernel hands to libcrypto ----------------------------------------------------------
_IV, _LENGTH, _TAG, _AAD, _KEY, _PARAMETERS = 0, 16, 32, 64, 80, 128
SCRATCH_BYTES = 256
_NAMES = np.frombuffer(b"HMAC\0digest\0SHA1\0", np.uint8)
_GCM_GET_TAG, _GCM_SET_TAG = 0x10, 0x11
_UTF8_STRING = 4


def _c(function: str, result: str, *arguments: str) -> Any:
    return external_of(_CRYPTO, function, result, *arguments)


_cipher_new = _c("EVP_CIPHER_CTX_new", "long")
_cipher_free = _c("EVP_CIPHER_CTX_free", "long", "long")
_aes_ctr = _c("EVP_aes_128_ctr", "long")
_aes_gcm = _c("EVP_aes_128_gcm", "long")
_init = _c("EVP_CipherInit_ex", "int", "long", "long", "long", "long", "long", "int")
_update = _c("EVP_CipherUpdate", "int", "long", "long", "long", "long", "int")
_final = _c("EVP_CipherFinal_ex", "int", "long", "long", "long")
_control = _c("EVP_CIPHER_CTX_ctrl", "int", "long", "int", "int", "long")
_mac_fetch = _c("EVP_MAC_fetch", "long", "long", "long", "long")
_mac_release = _c("EVP_MAC_free", "long", "long")
_mac_new = _c("EVP_MAC_CTX_new", "long", "long")
_mac_free = _c("EVP_MAC_CTX_free", "long", "long")
_mac_init = _c("EVP_MAC_init", "int", "long", "long", "size", "long")
_mac_update = _c("EVP_MAC_update", "int", "long", "long", "size")
_mac_final = _c("EVP_MAC_final", "int", "long", "long", "long", "size")


# --- keys --------------------------------------------------------------------------------------------------
@kernel
def begin(side: Any, salts: Any, suite: int, sending: int, master: Any, scratch: Any) -> bool:
    """Give a side its keys: `master` is the master key with the master salt behind it (MASTER_BYTES of the suite).

    False when libcrypto refused (no memory): the side is closed then, and nothing leaves or enters by it.
    """
    end(side)
    if suite < CM_80 or suite > GCM:
        return False
    for word in (RTP_CIPHER, RTCP_CIPHER):
        side[word] = _cipher_new()
    deriving = _cipher_new()
    good = side[RTP_CIPHER] != 0 and side[RTCP_CIPHER] != 0 and deriving != 0
    good = good and _init(deriving, _aes_ctr(), 0, master.ctypes.data, 0, 1) == 1
    kind = _aes_gcm() if suite == GCM else _aes_ctr()
    key = scratch[_KEY:]
    for which in range(2):
        good = good and _derive(deriving, master, suite, 3 * which, KEY_BYTES, scratch)
        cipher = side[RTP_CIPHER + which]
        good = good and _init(cipher, kind, 0, key.ctypes.data, 0, 1 if suite != GCM else sending) == 1
        if suite != GCM:
            good = good and _derive(deriving, master, suite, 3 * which + 1, AUTH_KEY_BYTES, scratch)
            side[RTP_MAC + which] = _mac(scratch) if good else 0
            good = good and side[RTP_MAC + which] != 0
        good = good and _derive(deriving, master, suite, 3 * which + 2, 12 if suite == GCM else 14, scratch)
        for index in range(SALT_BYTES):
            salts[which, index] = key[index] if index < (12 if suite == GCM else 14) else 0
    for index in range(SCRATCH_BYTES):
        scratch[index] = 0
    if deriving != 0:
        _cipher_free(deriving)
    if not good:
        end(side)
        return False
    side[SUITE] = suite
    return True


@kernel
def _derive(cipher: int, master: Any, suite: int, label: int, length: int, scratch: Any) -> bool:
    """The pseudo-random function of RFC 3711 §4.3.3 into scratch's key; GCM's salt counts as shifted up by two bytes
    (RFC 7714 §11)."""
    salt_bytes = 12 if suite == GCM else 14
    for index in range(16):
        scratch[_IV + index] = master[KEY_BYTES + index] if index < salt_bytes else 0
    scratch[_IV + 7] ^= label
    for index in range(AUTH_KEY_BYTES):
        scratch[_KEY + index] = 0
    key, iv, written = scratch[_KEY:].ctypes.data, scratch[_IV:].ctypes.data, scratch[_LENGTH:].ctypes.data
    good = _init(cipher, 0, 0, 0, iv, 1) == 1 and _update(cipher, key, written, key, length) == 1
    return bool(good)


@kernel
def _mac(scratch: Any) -> int:
    """A new HMAC-SHA1 context with the key that lies in scratch, 0 when there is none to have."""
    kind = _mac_fetch(0, _NAMES.ctypes.data, 0)
    if kind == 0:
        return 0
    context = _mac_new(kind)
    _mac_release(kind)  # the context keeps it
    words = scratch[_PARAMETERS : _PARAMETERS + 80].view(np.int64)  # OSSL_PARAM: digest = "SHA1", and the end
    for index in range(10):
        words[index] = 0
    words[0], words[1], words[2], words[3] = _NAMES[5:].ctypes.data, _UTF8_STRING, _NAMES[12:].ctypes.data, 4
    words[4] = -1
    key = scratch[_KEY:].ctypes.data
    if context != 0 and _mac_init(context, key, AUTH_KEY_BYTES, words.ctypes.data) != 1:
        _mac_free(context)
        return 0
    found: int = context
    return found


@kernel
def end(side: Any) -> None:
    """Wipe the keys; the side is plain afterwards."""
    for word in (RTP_CIPHER, RTCP_CIPHER):
        if side[word] != 0:
            _cipher_free(side[word])
    for word in (RTP_MAC, RTCP_MAC):
        if side[word] != 0:
            _mac_free(side[word])
    for word in range(SIDE_WORDS):
        side[word] = 0


# --- indices -------------------------------------------------------------------------------------------------
@kernel
def guess(known: int, highest: int, sequence: int) -> int:
    """The 48-bit index of `sequence` that lies nearest to the highest one (RFC 3711 §3.3.1 and appendix A); -1 for one
    before the first roll-over."""
    if known == 0:
        return sequence
    index: int = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
    return index if 0 <= index <= INDEX_MAX else -1


@kernel
def _fresh(known: int, highest: int, seen: int, index: int) -> bool:
    """Has no packet of this index been taken, and is it recent enough to tell?"""
    if known == 0 or index > highest:
        return True
    behind = highest - index
    return behind < WINDOW and (seen >> behind) & 1 == 0


@kernel
def _shifted(known: int, highest: int, seen: int, index: int) -> int:
    """The window once `index` is in it."""
    if known == 0:
        return 1
    if index <= highest:
        window: int = seen | i64(1) << (highest - index)
        return window
    ahead = index - highest
    return 1 if ahead >= WINDOW else seen << ahead | 1


@kernel
def find(row: Any, ssrc: int) -> int:
    """The first word of an SSRC's stream in a receiver's row, -1 when it has none."""
    for at in range(0, NEXT, STREAM_WORDS):
        if row[at + KNOWN] != 0 and row[at + SSRC] == ssrc:
            return at
    return -1


@kernel
def _place(row: Any, ssrc: int) -> int:
    """The first word of an SSRC's stream; a new SSRC takes the place of the one that came longest ago."""
    at = find(row, ssrc)
    if at >= 0:
        return at
    place: int = i64(row[NEXT]) % STREAMS
    row[NEXT] = place + 1
    for word in range(STREAM_WORDS):
        row[place * STREAM_WORDS + word] = 0
    row[place * STREAM_WORDS + SSRC] = ssrc
    return place * STREAM_WORDS


# --- packets ---------------------------------------------------------------------------------------------------
@kernel
def _payload_start(packet: Any, length: int) -> int:
    """Where an RTP packet's payload begins, -1 when it has none of its own."""
    if length < HEADER_BYTES or packet[0] >> 6 != 2:
        return -1
    start = HEADER_BYTES + 4 * (i64(packet[0]) & 15)
    if packet[0] & 0x10:
        if start + 4 > length:
            return -1
        start += 4 + 4 * read_u16(packet, start + 2)
    return start if start <= length else -1


@kernel
def _put(target: Any, at: int, value: int, count: int) -> None:
    """`value` in `count` bytes, in network order."""
    for index in range(count):
        target[at + index] = (value >> (8 * (count - 1 - index))) & 0xFF


@kernel
def _make_iv(scratch: Any, salt: Any, gcm: bool, ssrc: int, index: int) -> None:
    """The IV: RFC 3711 §4.1.1 (128 bits, the low 16 zero), or RFC 7714 §8.1 and §9.1 (96 bits)."""
    for place in range(16):
        scratch[_IV + place] = 0
    first = 2 if gcm else 4
    _put(scratch, _IV + first, ssrc, 4)
    _put(scratch, _IV + first + 4, index, 6)
    for place in range(12 if gcm else 14):
        scratch[_IV + place] ^= salt[place]


@kernel
def _crypt(cipher: int, packet: Any, start: int, count: int, scratch: Any) -> bool:
    """AES-CM over packet[start : start + count], in place."""
    if _init(cipher, 0, 0, 0, scratch[_IV:].ctypes.data, 1) != 1:
        return False
    if count == 0:
        return True
    at = packet[start:].ctypes.data
    return bool(_update(cipher, at, scratch[_LENGTH:].ctypes.data, at, count) == 1)


@kernel
def _authenticate(mac: int, packet: Any, length: int, roll_over: int, scratch: Any) -> bool:
    """HMAC-SHA1 over the packet, then the roll-over counter (-1: none, SRTCP), into scratch's tag."""
    good = _mac_init(mac, 0, 0, 0) == 1 and _mac_update(mac, packet.ctypes.data, length) == 1
    if roll_over >= 0:
        _put(scratch, _AAD, roll_over, 4)
        good = good and _mac_update(mac, scratch[_AAD:].ctypes.data, 4) == 1
    return bool(good and _mac_final(mac, scratch[_TAG:].ctypes.data, scratch[_LENGTH:].ctypes.data, 20) == 1)


@kernel
def _same_tag(packet: Any, at: int, count: int, scratch: Any) -> bool:
    """Compared in constant time."""
    differing = 0
    for index in range(count):
        differing |= i64(packet[at + index]) ^ i64(scratch[_TAG + index])
    return differing == 0


@kernel
def _seal(cipher: int, packet: Any, start: int, count: int, associated: Any, associated_bytes: int,
          scratch: Any) -> bool:
    """AES-GCM over packet[start : start + count] in place; the tag goes right behind it."""
    written = scratch[_LENGTH:].ctypes.data
    good = _init(cipher, 0, 0, 0, scratch[_IV:].ctypes.data, 1) == 1
    good = good and _update(cipher, 0, written, associated.ctypes.data, associated_bytes) == 1
    at = packet[start:].ctypes.data
    if count > 0:
        good = good and _update(cipher, at, written, at, count) == 1
    good = good and _final(cipher, scratch[_TAG:].ctypes.data, written) == 1
    return bool(good and _control(cipher, _GCM_GET_TAG, GCM_TAG, packet[start + count :].ctypes.data) == 1)


@kernel
def _unseal(cipher: int, packet: Any, start: int, count: int, associated: Any, associated_bytes: int,
            scratch: Any) -> bool:
    """The reverse of `_seal`, by the tag behind the text. Text that proves forged is left as noise."""
    written = scratch[_LENGTH:].ctypes.data
    good = _init(cipher, 0, 0, 0, scratch[_IV:].ctypes.data, 0) == 1
    good = good and _control(cipher, _GCM_SET_TAG, GCM_TAG, packet[start + count :].ctypes.data) == 1
    good = good and _update(cipher, 0, written, associated.ctypes.data, associated_bytes) == 1
    at = packet[start:].ctypes.data
    if count > 0:
        good = good and _update(cipher, at, written, at, count) == 1
    return bool(good and _final(cipher, scratch[_TAG:].ctypes.data, written) == 1)


@kernel
def protect(side: Any, salts: Any, stream: Any, packet: Any, length: int, scratch: Any) -> int:
    """Encrypt an RTP packet that is about to be sent, and sign it. `packet` has GROWTH_MAX bytes to spare."""
    start = _payload_start(packet, length)
    index = guess(stream[KNOWN], stream[INDEX], read_u16(packet, 2)) if start > 0 else -1
    if index < 0 or packet.shape[0] < length + GROWTH_MAX:
        return -1
    if not _fresh(stream[KNOWN], stream[INDEX], stream[SEEN], index):
        return -1  # two texts under one key stream would tell both
    suite, cipher = side[SUITE], side[RTP_CIPHER]
    _make_iv(scratch, salts[RTP], suite == GCM, read_u32(packet, 8), index)
    if suite == GCM:
        good, grown = _seal(cipher, packet, start, length - start, packet, start, scratch), GCM_TAG
    else:
        grown = 10 if suite == CM_80 else 4
        good = _crypt(cipher, packet, start, length - start, scratch)
        good = good and _authenticate(side[RTP_MAC], packet, length, index >> 16, scratch)
        for place in range(grown):
            packet[length + place] = scratch[_TAG + place]
    if not good:
        return -1
    stream[SEEN] = _shifted(stream[KNOWN], stream[INDEX], stream[SEEN], index)
    stream[INDEX] = max(stream[INDEX], index)
    stream[KNOWN] = 1
    return length + grown


@kernel
def unprotect(side: Any, salts: Any, row: Any, packet: Any, length: int, scratch: Any) -> int:
    """Prove an SRTP packet genuine and new, and decrypt it. `row` holds the receiver's streams."""
    suite = side[SUITE]
    tag = GCM_TAG if suite == GCM else 10 if suite == CM_80 else 4
    text_end = length - tag
    start = _payload_start(packet, text_end)
    if start < 0:
        return -1
    ssrc = read_u32(packet, 8)
    at = find(row, ssrc)
    known, highest, seen = 0, 0, 0
    if at >= 0 and row[at + KNOWN] & 1:
        known, highest, seen = 1, row[at + INDEX], row[at + SEEN]
    index = guess(known, highest, read_u16(packet, 2))
    if index < 0 or not _fresh(known, highest, seen, index):
        return -1
    _make_iv(scratch, salts[RTP], suite == GCM, ssrc, index)
    if suite == GCM:
        if not _unseal(side[RTP_CIPHER], packet, start, text_end - start, packet, start, scratch):
            return -1
    else:
        good = _authenticate(side[RTP_MAC], packet, text_end, index >> 16, scratch)
        if not good or not _same_tag(packet, text_end, tag, scratch):
            return -1
        if not _crypt(side[RTP_CIPHER], packet, start, text_end - start, scratch):
            return -1
    at = _place(row, ssrc)
    row[at + SEEN] = _shifted(known, highest, seen, index)
    row[at + INDEX] = max(highest, index)
    row[at + KNOWN] |= 1
    return text_end


@kernel
def protect_rtcp(side: Any, salts: Any, stream: Any, packet: Any, length: int, scratch: Any) -> int:
    """Encrypt and sign a compound RTCP packet (RFC 3711 §3.4). `packet` has GROWTH_MAX bytes to spare."""
    index = stream[RTCP_INDEX] + 1
    if length < 8 or packet.shape[0] < length + GROWTH_MAX or index > RTCP_INDEX_MAX:
        return -1
    suite, word = side[SUITE], i64(1) << 31 | index
    _make_iv(scratch, salts[RTCP], suite == GCM, read_u32(packet, 4), index)
    if suite == GCM:
        for place in range(8):
            scratch[_AAD + place] = packet[place]
        _put(scratch, _AAD + 8, word, 4)
        good = _seal(side[RTCP_CIPHER], packet, 8, length - 8, scratch[_AAD:], 12, scratch)
        _put(packet, length + GCM_TAG, word, 4)
        grown = GCM_TAG + 4
    else:
        good = _crypt(side[RTCP_CIPHER], packet, 8, length - 8, scratch)
        _put(packet, length, word, 4)
        good = good and _authenticate(side[RTCP_MAC], packet, length + 4, -1, scratch)
        for place in range(RTCP_TAG):
            packet[length + 4 + place] = scratch[_TAG + place]
        grown = 4 + RTCP_TAG
    if not good:
        return -1
    stream[RTCP_INDEX] = index
    return length + grown


@kernel
def unprotect_rtcp(side: Any, salts: Any, row: Any, packet: Any, length: int, scratch: Any) -> int:
    """Prove an SRTCP packet genuine and new, and decrypt it (unless its E bit is 0: then it was only signed)."""
    suite = side[SUITE]
    grown = GCM_TAG + 4 if suite == GCM else RTCP_TAG + 4
    text_end = length - grown
    if text_end < 8 or packet[0] >> 6 != 2:
        return -1
    word = read_u32(packet, length - 4 if suite == GCM else text_end)
    index, encrypted, ssrc = word & RTCP_INDEX_MAX, word >> 31, read_u32(packet, 4)
    at = find(row, ssrc)
    known, highest, seen = 0, 0, 0
    if at >= 0 and row[at + KNOWN] & 2:
        known, highest, seen = 1, row[at + RTCP_INDEX], row[at + RTCP_SEEN]
    if not _fresh(known, highest, seen, index):
        return -1
    _make_iv(scratch, salts[RTCP], suite == GCM, ssrc, index)
    if suite == GCM:
        if encrypted == 0:
            return -1  # a signature alone would need another layout of what is signed, and nobody sends it
        for place in range(8):
            scratch[_AAD + place] = packet[place]
        _put(scratch, _AAD + 8, word, 4)
        if not _unseal(side[RTCP_CIPHER], packet, 8, text_end - 8, scratch[_AAD:], 12, scratch):
            return -1
    else:
        good = _authenticate(side[RTCP_MAC], packet, text_end + 4, -1, scratch)
        if not good or not _same_tag(packet, text_end + 4, RTCP_TAG, scratch):
            return -1
        if encrypted == 1 and not _crypt(side[RTCP_CIPHER], packet, 8, text_end - 8, scratch):
            return -1
    at = _place(row, ssrc)
    row[at + RTCP_SEEN] = _shifted(known, highest, seen, index)
    row[at + RTCP_INDEX] = max(highest, index)
    row[at + KNOWN] |= 2
    return text_end

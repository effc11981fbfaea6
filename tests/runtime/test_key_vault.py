"""Keys become handles at the socket and handles of ours keys again; the file; what a far end can't reach."""

from __future__ import annotations

import base64
import random
import re
from pathlib import Path

import pytest

from engine.runtime.key_vault import KeyVault

KEYS = [bytes(range(n, n + 30)) for n in range(5)]
TEXTS = [base64.b64encode(key) for key in KEYS]
HANDLE = re.compile(rb"inline:(~k\d\d\.[0-9a-f]{16})~*(?=[|\r])")
OURS = "~o30.0123456789abcde1"


def invite(*lines: bytes) -> bytes:
    body = b"v=0\r\nm=audio 4000 RTP/SAVP 0\r\n" + b"".join(b"a=crypto:" + line + b"\r\n" for line in lines)
    return b"INVITE sip:a@b SIP/2.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def line(text: bytes, tag: int = 1, suite: bytes = b"AES_CM_128_HMAC_SHA1_80") -> bytes:
    return b"%d %s inline:%s" % (tag, suite, text)


def handle_in(data: bytes) -> str:
    found = HANDLE.search(data)
    assert found is not None, data
    return found[1].decode()


def test_a_key_becomes_a_handle_of_its_length() -> None:
    vault = KeyVault()
    message = invite(line(TEXTS[0] + b"|2^31"), line(TEXTS[1], 2))
    sealed = vault.seal(message)
    assert len(sealed) == len(message) and not any(text in sealed for text in TEXTS)
    handle = handle_in(sealed)
    assert vault.key(handle) == KEYS[0] and sealed.count(b"|2^31") == 1
    assert vault.seal(message) == sealed  # a repetition says the same again
    assert vault.seal(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n") == b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"


def test_a_key_without_padding_and_one_of_gcm() -> None:
    vault = KeyVault()
    short = base64.b64encode(bytes(28))
    for text in (short, short.rstrip(b"=")):
        sealed = vault.seal(invite(line(text, suite=b"AEAD_AES_128_GCM")))
        assert vault.key(handle_in(sealed)) == bytes(28) and handle_in(sealed)[2:4] == "28"


@pytest.mark.parametrize("written", [
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s", b"a= crypto :1 X INLINE:%s", b"a=crypto:1 X inline:%s;inline:%s",
    b"a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:%s", b"a=crypto:1 X other:%s", b"x a=crypto:1 X inline:%s",
    b"  a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s|1:4 KDR=1", b"a=crypto:1 X inline:%sAAAA",
])
def test_no_spelling_lets_a_key_through(written: bytes) -> None:
    message = b"INVITE a SIP/2.0\r\n\r\n" + written.replace(b"%s", TEXTS[0]) + b"\r\nm=x\r\n"
    sealed = KeyVault().seal(message)
    assert TEXTS[0] not in sealed and TEXTS[0][:12] not in sealed and len(sealed) == len(message)


def test_nobody_names_a_key_that_is_not_his() -> None:
    vault = KeyVault()
    theirs = handle_in(vault.seal(invite(line(TEXTS[0]))))
    assert vault.key(OURS) is not None
    for name in (theirs, OURS):
        sealed = vault.seal(invite(line(name.encode().ljust(40, b"~"))))
        assert name.encode() not in sealed and b"inline:" + b"~" * 40 in sealed
    # neither does the wire ever get a far end's key back, nor one of ours outside an a=crypto line
    assert vault.unseal(invite(line(theirs.encode().ljust(40, b"~")))).count(TEXTS[0]) == 0
    loose = b"INFO a SIP/2.0\r\nSubject: inline:" + OURS.encode().ljust(40, b"~") + b"\r\n\r\n"
    assert vault.unseal(loose) == loose


def test_our_handle_becomes_a_key_made_here() -> None:
    vault, other = KeyVault(), KeyVault()
    message = invite(line(OURS.encode().ljust(40, b"~")))
    sent = vault.unseal(message)
    key = vault.key(OURS)
    assert key is not None and len(key) == 30 and base64.b64encode(key) in sent and len(sent) == len(message)
    assert vault.unseal(message) == sent and other.unseal(message) != sent
    assert vault.key("~o31.0123456789abcde1") is None and vault.key("~oxx.0123456789abcde1") is None
    assert vault.key("~o30.1123456789abcde1", make=False) is None


def test_a_call_s_end_wipes_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    vault = KeyVault(path)
    assert vault.detail == "" and path.stat().st_mode & 0o777 == 0o600
    handle = handle_in(vault.seal(invite(line(TEXTS[0]))))
    assert KEYS[0] in path.read_bytes()
    vault.hold(handle)
    vault.hold(handle)
    vault.release(handle)
    assert vault.key(handle) == KEYS[0]
    vault.release(handle)
    assert vault.key(handle) is None and KEYS[0] not in path.read_bytes() and len(vault) == 0


def test_what_was_offered_beside_goes_with_it(tmp_path: Path) -> None:
    vault = KeyVault(tmp_path / "keys")
    sealed = vault.seal(invite(line(TEXTS[0]), line(TEXTS[1], 2), line(TEXTS[2], 3)))
    other = handle_in(vault.seal(invite(line(TEXTS[3]))))
    for suite in "12":
        assert vault.key(OURS[:-1] + suite) is not None
    vault.close(forget=False)
    after = KeyVault(tmp_path / "keys", going_on=True)  # that they belong together outlives a crash, too
    for handle in (handle_in(sealed), OURS):
        after.hold(handle)
        after.release(handle)
    assert list(after._keys) == [other] and list(after._groups.values()) == [[other]]


def test_the_next_engine_goes_on_with_them_and_a_new_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    vault = KeyVault(path)
    theirs, ours = handle_in(vault.seal(invite(line(TEXTS[0])))), vault.key(OURS)
    vault.close(forget=False)  # as a crash leaves it
    path.chmod(0o644)
    after = KeyVault(path, going_on=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert after.key(theirs) == KEYS[0] and after.key(OURS, make=False) == ours
    assert handle_in(after.seal(invite(line(TEXTS[0])))) == theirs
    after.close(forget=False)
    anew = KeyVault(path)
    assert len(anew) == 0 and KEYS[0] not in path.read_bytes()
    anew.close()
    assert not path.exists()


def test_keys_of_calls_that_never_came_about_make_room() -> None:
    vault = KeyVault(keys_max=4)
    first = handle_in(vault.seal(invite(line(TEXTS[0]))))
    vault.hold(first)
    for number in range(50):
        vault.seal(invite(line(base64.b64encode(bytes([100 + number]) * 30))))
    assert len(vault) == 4 and vault.key(first) == KEYS[0]
    for handle in [each for each in vault._keys if each != first]:
        vault.hold(handle)
    assert b"~k" not in vault.seal(invite(line(TEXTS[1])))  # no room at all: that call gets 488, the others their keys


def test_no_place_for_the_file_is_said(tmp_path: Path) -> None:
    vault = KeyVault(tmp_path / "nowhere" / "keys")
    assert "after a crash encrypted calls agree on new keys" in vault.detail
    assert vault.key(handle_in(vault.seal(invite(line(TEXTS[0]))))) == KEYS[0]


def test_any_bytes_keep_their_length() -> None:
    chance, vault = random.Random(3), KeyVault(keys_max=64)
    pieces = [b"a=crypto:", b"1 ", b"AES_CM_128_HMAC_SHA1_80 ", b"inline:", TEXTS[0], b"~o30."]
    pieces += [b"|", b";", b"\r\n", b"\xff", b"="]
    for _ in range(2_000):
        data = b"".join(chance.choice(pieces) for _ in range(chance.randrange(30)))
        sealed = vault.seal(data)
        assert len(sealed) == len(data) and len(vault.unseal(sealed)) == len(data)
        assert b"inline:" + TEXTS[0] not in b"".join(re.findall(rb"a=crypto:[^\r\n]*", sealed))

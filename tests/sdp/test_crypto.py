"""a=crypto lines, and offers and answers with them: RFC 4568, RFC 8643, and what must not be taken."""

from __future__ import annotations

import pytest

from engine.errors import ProtocolError
from engine.sdp import crypto
from engine.sdp.description import Media, parse
from engine.sdp.negotiation import Agreed, Local, answer_offer, make_offer, read_answer

KEY = "~k30.0123456789abcdef".ljust(40, "~")
GCM_KEY = "~k28.0123456789abcdef".ljust(40, "~")


def media(*values: str) -> Media:
    return Media("audio", 4_000, "RTP/SAVP", ["0"], attributes=[("crypto", value) for value in values])


def local(secure: str, port: int = 20_000) -> Local:
    return Local("127.0.0.1", port, session_id=1, secure=secure, key=f"0123456789{port}")


def offer(profile: str, *keys: str, extra: str = "") -> bytes:
    lines = "".join(f"a=crypto:{key}\r\n" for key in keys)
    return (
        f"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
        f"m=audio 4000 {profile} 0 8\r\n{lines}{extra}"
    ).encode()


LINE = f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"


def test_lines_that_can_be_served() -> None:
    found = crypto.lines(media(
        LINE, f"2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^31", f"3 AEAD_AES_128_GCM inline:{GCM_KEY}",
        f"4 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576 KDR=0 -X WSH=128 FEC_ORDER=FEC_SRTP",
    ))
    assert [(each.tag, each.suite) for each in found] == [
        (1, crypto.CM_80), (2, crypto.CM_32), (3, crypto.GCM), (4, crypto.CM_80)
    ]
    assert {each.handle for each in found} == {KEY.rstrip("~"), GCM_KEY.rstrip("~")}


@pytest.mark.parametrize("value", [
    "", "1", "1 AES_CM_128_HMAC_SHA1_80", f"x AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
    f"1 F8_128_HMAC_SHA1_80 inline:{KEY}", f"1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}",
    f"1 AES_CM_128_HMAC_SHA1_80 inline:{GCM_KEY}", f"1 AEAD_AES_128_GCM inline:{KEY}",
    f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4",
    f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP",
    f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNAUTHENTICATED_SRTP", f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=3",
    f"1 AES_CM_128_HMAC_SHA1_80 other:{KEY}", "1 AES_CM_128_HMAC_SHA1_80 inline:" + "~" * 40,
    "1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",  # a key itself: nobody took it in
    f"1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^49",
])
def test_lines_that_are_passed_over(value: str) -> None:
    assert crypto.lines(media(value)) == ()
    assert len(crypto.lines(media(value, f"9 {LINE[2:]}"))) == 1  # another one still does


def taken(policy: str, sdp: bytes) -> tuple[str, Agreed] | str:
    """(what the m= and crypto lines of the answer say, what it amounts to), or why not."""
    try:
        answer, agreed = answer_offer(sdp, local(policy))
    except ProtocolError as error:
        assert error.status_hint == 488
        return str(error)
    shown = [each for each in answer.decode().split("\r\n") if each.startswith(("m=", "a=crypto"))]
    return "|".join(shown), agreed


@pytest.mark.parametrize(("policy", "profile", "keys", "expected"), [
    ("off", "RTP/AVP", (LINE,), "m=audio 20000 RTP/AVP 0 8"),
    ("off", "RTP/SAVP", (LINE,), None),
    ("optional", "RTP/AVP", (), "m=audio 20000 RTP/AVP 0 8"),
    ("optional", "RTP/AVP", (LINE,), "m=audio 20000 RTP/AVP 0 8|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:~o30."),
    ("optional", "RTP/SAVP", (LINE,), "m=audio 20000 RTP/SAVP 0 8|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:~o30."),
    ("optional", "RTP/SAVP", (), None),
    ("required", "RTP/AVP", (), None),
    ("required", "RTP/AVP", (LINE,), "m=audio 20000 RTP/AVP 0 8|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:~o30."),
    ("required", "RTP/SAVP", (f"7 AEAD_AES_128_GCM inline:{GCM_KEY}", LINE),
     "m=audio 20000 RTP/SAVP 0 8|a=crypto:7 AEAD_AES_128_GCM inline:~o28."),
    ("required", "RTP/SAVP", (f"1 F8_128_HMAC_SHA1_80 inline:{KEY}",), None),
])
def test_answers_by_policy(policy: str, profile: str, keys: tuple[str, ...], expected: str | None) -> None:
    found = taken(policy, offer(profile, *keys))
    if expected is None:
        assert isinstance(found, str)
        return
    assert not isinstance(found, str) and found[0].startswith(expected)
    agreed = found[1]
    if "crypto" not in expected:
        assert (agreed.suite, agreed.key_in, agreed.key_out) == (0, "", "")
    else:
        assert agreed.suite and agreed.key_in.startswith("~k") and agreed.key_out in found[0]


def test_who_wants_it_takes_the_line_that_offers_it() -> None:
    both = offer("RTP/AVP") + f"m=audio 4002 RTP/SAVP 0\r\na=crypto:{LINE}\r\n".encode()
    answer, agreed = answer_offer(both, local("optional"))
    assert [line.port for line in parse(answer).media] == [0, 20_000] and agreed.port == 4_002 and agreed.suite
    answer, agreed = answer_offer(both, local("off"))
    assert [line.port for line in parse(answer).media] == [20_000, 0] and not agreed.suite


@pytest.mark.parametrize(("ours", "theirs", "suite"), [
    ("optional", "off", 0), ("optional", "optional", crypto.CM_80), ("optional", "required", crypto.CM_80),
    ("required", "required", crypto.CM_80), ("required", "optional", crypto.CM_80), ("off", "optional", 0),
])
def test_offer_and_answer_agree(ours: str, theirs: str, suite: int) -> None:
    mine, other = local(ours), local(theirs, 20_002)
    sent = make_offer(mine)
    answer, far = answer_offer(sent, other)
    near = read_answer(sent, answer, mine)
    assert near.suite == far.suite == suite
    if suite:
        assert near.key_out == far.key_in != near.key_in == far.key_out
    again = make_offer(mine)
    assert again == sent  # the same keys, and o= unchanged


def test_a_session_stays_with_its_profile() -> None:
    mine = local("optional")
    answer_offer(offer("RTP/SAVP", LINE), mine)
    assert b" RTP/SAVP " in make_offer(mine)


@pytest.mark.parametrize("answer", [
    offer("RTP/SAVP"), offer("RTP/AVP"), offer("RTP/SAVP", f"9 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
    offer("RTP/SAVP", f"1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}"),
    offer("RTP/AVP", "1 AES_CM_128_HMAC_SHA1_80 inline:x"),
])
def test_answers_that_take_no_key_of_ours(answer: bytes) -> None:
    mine = local("required")
    with pytest.raises(ProtocolError):
        read_answer(make_offer(mine), answer, mine)


def test_each_suite_has_a_key_of_its_own() -> None:
    handles = {crypto.own_handle("0123456789abcde", suite) for suite in crypto.SUITES}
    assert len(handles) == 3 and all(len(handle) == 21 for handle in handles)
    lines = crypto.lines(parse(make_offer(Local("127.0.0.1", 9, secure="required", key="0123456789abcde"))).media[0])
    assert [each.suite for each in lines] == list(crypto.SUITES) and {each.handle for each in lines} == handles

"""Matching, reply paths, derived requests, discarding."""

from __future__ import annotations

from engine.sip.events import Incoming, Path, Send
from engine.sip.parser import parse
from engine.sip.timers import FORGET_TOGETHER_MS, GIVE_UP_MS
from engine.sip.transaction import Input, Kind, Transaction
from engine.sip.transaction_layer import (
    cancel_of,
    discard,
    merge_key,
    refusal_ack,
    reply,
    reply_path,
    response_input,
    server_key,
    start_server,
    step,
)
from tests.sip.wire import PHONE, SDP, Rig, request, response


def test_the_key_takes_branch_sent_by_cseq_and_method() -> None:
    base = server_key(parse(request("INVITE")), "INVITE")
    assert server_key(parse(request("ACK", to_tag="x")), "INVITE") == base
    assert server_key(parse(request("CANCEL")), "INVITE") == base
    others = [
        server_key(parse(request("INVITE", branch="z9hG4bKb2")), "INVITE"),
        server_key(parse(request("INVITE", cseq=2)), "INVITE"),
        server_key(parse(request("INVITE", via="SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKb1")), "INVITE"),
        server_key(parse(request("INVITE")), "CANCEL"),
    ]
    assert base not in others


def test_rfc_2543_requests_match_without_a_branch() -> None:
    invite = parse(request("INVITE", via="SIP/2.0/UDP 10.0.0.9"))
    ack = parse(request("ACK", via="SIP/2.0/UDP 10.0.0.9", to_tag="ours", uri="sip:elsewhere"))
    assert server_key(invite, "INVITE") == server_key(ack, "INVITE")
    assert server_key(parse(request("INVITE", via="SIP/2.0/UDP 10.0.0.9", call_id="other")), "INVITE") != server_key(
        invite, "INVITE"
    )


def test_a_rude_phone_answers_a_challenge_with_the_same_branch() -> None:
    rig = Rig()
    session, _ = rig.incoming()
    rig.endpoint.challenge(session, "realm", rig.now)
    (challenge,) = rig.sent()
    rig.feed(request("ACK", to_tag=challenge.to.tag))
    rig.feed(request("INVITE", cseq=2, from_tag="f2", body=SDP))
    assert rig.one(Incoming).session != session


def test_answers_go_to_the_source() -> None:
    rig = Rig()
    core = rig.endpoint.core
    source = Path(1, "10.0.0.9", 33_000)

    def to(via: str, path: Path = source) -> Path:
        return reply_path(core, path, parse(request("OPTIONS", via=via)))

    assert to("SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKx;rport") == source
    assert to("SIP/2.0/UDP 10.0.0.9:5062;branch=z9hG4bKx") == Path(1, "10.0.0.9", 5062), "asymmetric phone, no NAT"
    assert to("SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx") == Path(1, "10.0.0.9", 5060)
    assert to("SIP/2.0/UDP 192.168.1.7:5062;branch=z9hG4bKx") == source, "behind a NAT"
    assert to("SIP/2.0/UDP phone.example:5062;branch=z9hG4bKx") == source
    ours = Path(1, "10.0.0.2", 33_000)
    assert to("SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKx", ours) == ours, "a rude phone's BYE with our own Via"
    stream = Path(9, "10.0.0.9", 33_000, "tcp")
    assert to("SIP/2.0/TCP 10.0.0.9:5060;branch=z9hG4bKx", stream) == stream


def test_a_reply_after_the_final_one_changes_nothing() -> None:
    rig = Rig()
    core = rig.endpoint.core
    tx = start_server(core, Kind.NON_INVITE_SERVER, parse(request("INFO", to_tag="t")), ("k",), PHONE, "", 0, rig.now)
    assert tx.request is not None
    reply(core, tx, 200, b"first", rig.now)
    reply(core, tx, 486, b"second", rig.now)
    assert tx.data == b"first" and tx.request is None
    assert [send.data for send in rig.endpoint.sends if isinstance(send, Send)] == [b"first"]


def test_inputs_of_responses() -> None:
    invite = Transaction(1, Kind.INVITE_CLIENT, 1, (), "INVITE", PHONE, False, b"", "", 0)
    options = Transaction(1, Kind.NON_INVITE_CLIENT, 1, (), "OPTIONS", PHONE, False, b"", "", 0)
    assert [response_input(invite, status) for status in (100, 200, 300, 699)] == [
        Input.R1XX, Input.R2XX, Input.R3XX_6XX, Input.R3XX_6XX,
    ]
    assert [response_input(options, status) for status in (199, 200, 699)] == [Input.R1XX, Input.FINAL, Input.FINAL]


def test_ack_and_cancel_are_the_invites_own_text() -> None:
    rig = Rig()
    session, invite = rig.placed(0, headers=(("Route", "<sip:p.example;lr>"), ("X-Own", "1")), secret=("u", "p"))
    raw = rig.endpoint.core.transactions[rig.endpoint.core.sessions[session].invite].data
    ack = parse(refusal_ack(raw, parse(response(invite, 404, tag="far"))))
    assert (ack.method, ack.uri, ack.via.branch) == ("ACK", invite.uri, invite.via.branch)
    assert ack.to.tag == "far" and ack.get("route") == "<sip:p.example;lr>" and ack.get("x-own") is None
    cancel = parse(cancel_of(raw, "SIP;cause=200"))
    assert cancel.cseq == (invite.cseq[0], "CANCEL") and cancel.to.tag == ""
    assert cancel.get("reason") == "SIP;cause=200" and cancel.get("contact") is None and not cancel.body


def test_discard_leaves_nothing_behind() -> None:
    rig = Rig()
    core = rig.endpoint.core
    rig.incoming()
    rig.placed(0)
    for tx in list(core.transactions.values()):
        discard(core, tx)
    assert not core.transactions and not core.by_key and not core.merged
    assert not any(key.startswith("tx.") for key, _ in core.deadlines.armed)


def test_a_spurious_timer_does_nothing() -> None:
    rig = Rig()
    rig.incoming()
    (tx,) = rig.endpoint.core.transactions.values()
    before = (tx.state, tx.data)
    for happening in Input:
        if happening.name.startswith("TIMER_"):
            assert step(rig.endpoint.core, tx, happening, rig.now) == 0
    assert (tx.state, tx.data) == before and rig.sent() == []


def test_merge_keys_tell_two_ways_of_one_request() -> None:
    assert merge_key(parse(request("INVITE"))) == merge_key(parse(request("INVITE", branch="z9hG4bKother")))
    assert merge_key(parse(request("INVITE"))) != merge_key(parse(request("INVITE", cseq=2)))


def test_transactions_that_wait_for_nothing_but_repeats_are_forgotten_together_and_never_too_soon() -> None:
    rig = Rig()
    core = rig.endpoint.core
    begun = []
    for serial in range(20):
        message = parse(request("INFO", to_tag="t"))
        tx = start_server(core, Kind.NON_INVITE_SERVER, message, (f"k{serial}",), PHONE, "", 0, rig.now)
        reply(core, tx, 200, b"done", rig.now)
        begun.append(rig.now)
        rig.now += 7
    wakes = []
    while (at := rig.endpoint.next_deadline()) is not None:
        kept = len(core.transactions)
        rig.endpoint.expire(at)
        wakes.append(at)
        gone = begun[-kept:][: kept - len(core.transactions)]
        assert gone and all(GIVE_UP_MS <= at - start < GIVE_UP_MS + FORGET_TOGETHER_MS for start in gone)
    assert len(wakes) <= 2 and not core.transactions

"""Our registrations with carriers: what is sent when, what the registrar's words change, and how it ends."""

from __future__ import annotations

import pytest

from engine import limits
from engine.errors import ProtocolError
from engine.sip import digest
from engine.sip.account import Account, Life
from engine.sip.endpoint import Endpoint
from engine.sip.events import Enrolled, Path
from engine.sip.message import Message
from engine.sip.registration import margin_ms
from tests.sip.wire import Rig, response

CARRIER = Path(0, "198.51.100.7", 5060)
SPARE = Path(0, "198.51.100.8", 5060)
SECRET = ("4412", "no-secret")


def begin(rig: Rig, *paths: Path, wanted_s: int = 600) -> tuple[Account, Message]:
    rig.endpoint.register("acme", "sip:carrier.test", "sip:4412@carrier.test", "4412", SECRET, paths or (CARRIER,),
                          wanted_s, rig.now)  # fmt: skip
    (account,) = rig.endpoint.accounts()
    (register,) = rig.sent()
    return account, register


def contact(register: Message) -> str:
    return register.index["contact"]


def accept(rig: Rig, register: Message, *extra: str) -> None:
    assert rig.feed(response(register, 200, contact="", extra=extra)) == []


def held(rig: Rig, granted_s: int = 600) -> tuple[Account, Message]:
    account, register = begin(rig)
    accept(rig, register, f"Contact: {contact(register)};expires={granted_s}")
    assert rig.one(Enrolled).change == "registered"
    return account, register


def due_s(rig: Rig, account: Account, what: str = "enrol") -> float:
    at = rig.endpoint.core.deadlines.at((what, account.id))
    assert at is not None
    return (at - rig.now) / 1_000


def test_the_first_register_says_who_we_are_and_where_the_carrier_reaches_us() -> None:
    rig = Rig()
    account, register = begin(rig)
    assert register.method == "REGISTER" and register.uri == "sip:carrier.test" and register.get("expires") == "600"
    assert register.index["to"] == "<sip:4412@carrier.test>" and register.from_.uri == "sip:4412@carrier.test"
    assert contact(register) == f"<sip:4412@203.0.113.2:5070;line={account.line}>"  # what the Internet can reach
    assert len(account.line) == 24
    assert account.life == Life.ASKING


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("status", [401, 407])
def test_a_challenge_is_answered_in_the_next_register_of_the_same_call_id(algorithm: str, status: int) -> None:
    rig = Rig()
    account, register = begin(rig)
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    said = f'{name}: Digest realm="c", nonce="n1", algorithm={algorithm}, qop="auth"'
    (again,) = rig.feed(response(register, status, extra=(said,)))
    value = again.index["authorization" if status == 401 else "proxy-authorization"]
    given = digest.parse_credentials(value, "REGISTER")
    assert given is not None and given.qop == "auth" and given.uri == "sip:carrier.test"
    assert digest.verify(given, digest.ha1(*SECRET[:1], "c", SECRET[1]), "REGISTER")
    assert again.call_id == register.call_id and again.cseq[0] == register.cseq[0] + 1
    accept(rig, again, f"Contact: {contact(again)};expires=600")
    assert account.life == Life.HELD
    # a stale nonce is served once more, a second plain 401 is a refusal
    _, renewal = rig.next_sent(600_000)
    (second,) = rig.feed(response(renewal, status, extra=(said,)))
    (third,) = rig.feed(response(second, status, extra=(said.replace("n1", "n2") + ", stale=true",)))
    rig.events()
    assert rig.feed(response(third, status, extra=(said,))) == []
    found = rig.one(Enrolled)
    assert (found.change, found.status) == ("refused", status) and account.life == Life.LATE


def test_too_brief_is_asked_again_with_what_the_registrar_wants_and_kept() -> None:
    rig = Rig()
    account, register = begin(rig, wanted_s=60)
    (again,) = rig.feed(response(register, 423, extra=("Min-Expires: 1800",)))
    assert again.get("expires") == "1800"
    accept(rig, again, "Expires: 1800")
    assert account.granted_s == 1800
    _, renewal = rig.next_sent(1_800_000)
    assert renewal.get("expires") == "1800"
    for senseless in ("Min-Expires: 5", "Min-Expires: 9999999", "X-Nothing: 1"):
        rig = Rig()
        _, register = begin(rig)
        assert rig.feed(response(register, 423, extra=(senseless,))) == []
        assert rig.one(Enrolled).change == "failed"


@pytest.mark.parametrize(
    ("extra", "granted_s"),
    [
        (("Contact: {own};expires=120",), 120),
        (("Contact: <sip:other@10.0.0.1>;expires=9, {own};expires=300, <sip:4412@10.9.9.9>;expires=7",), 300),
        (("Contact: <sip:4412@198.51.100.99:41000>;expires=77",), 77),  # a NAT helper has rewritten ours
        (("Contact: <sip:4412@1.1.1.1>;expires=9, <sip:4412@1.1.1.2>;expires=8", "Expires: 200"), 200),
        (("Expires: 90",), 90),
        ((), 600),
        (("Contact: {own};expires=0",), limits.enrol_s_min),
        (("Contact: {own};expires=99999999",), limits.enrol_s_max),
        (("Contact: <<",), 600),
    ],
)
def test_what_is_granted_is_our_contacts_and_nobody_elses(extra: tuple[str, ...], granted_s: int) -> None:
    rig = Rig()
    account, register = begin(rig)
    accept(rig, register, *(each.format(own=contact(register)) for each in extra))
    assert account.granted_s == granted_s
    assert rig.one(Enrolled) == Enrolled("acme", "registered", 200, "", granted_s)
    assert due_s(rig, account, "lapse") == granted_s


@pytest.mark.parametrize("granted_s", [10, 60, 120, 600, 3_600, 86_400])
def test_it_is_renewed_in_time_for_another_try(granted_s: int) -> None:
    early_ms = margin_ms(granted_s)
    assert early_ms <= granted_s * 500 and (granted_s < 80 or early_ms >= 40_000)
    rig = Rig()
    account, register = held(rig, granted_s)
    at, renewal = rig.next_sent(1_000 * granted_s)
    assert granted_s * 1_000 - early_ms * 9 // 8 - 1 <= at <= granted_s * 1_000 - early_ms
    assert renewal.call_id == register.call_id and contact(renewal) == contact(register)
    accept(rig, renewal, f"Contact: {contact(renewal)};expires={granted_s}")
    assert rig.one(Enrolled).change == "renewed" and account.life == Life.HELD


def test_failures_wait_longer_each_time_and_a_success_forgets_them() -> None:
    rig = Rig()
    account, register = begin(rig)
    for round_ in range(1, 9):
        assert rig.feed(response(register, 500)) == []
        most_s = min(1_800, 30 * 2**round_)
        found = rig.one(Enrolled)
        assert found.change == "failed" and most_s / 2 <= found.next_ms / 1_000 <= most_s
        assert due_s(rig, account) == found.next_ms / 1_000
        _, register = rig.next_sent(1_800_000)
    accept(rig, register)
    assert account.failures == 0 and account.life == Life.HELD


def test_silence_is_a_failure_after_32_seconds() -> None:
    rig = Rig()
    account, _ = begin(rig)
    rig.advance(31_900)
    assert account.life == Life.ASKING
    rig.advance(200)
    assert rig.one(Enrolled).status == 408 and account.life == Life.RESTING


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_is_not_repeated_soon_nor_elsewhere(status: int) -> None:
    rig = Rig()
    account, register = begin(rig, CARRIER, SPARE)
    assert rig.feed(response(register, status, phrase="Account suspended")) == []
    found = rig.one(Enrolled)
    assert (found.change, found.phrase) == ("refused", "Account suspended")
    assert 1_800_000 <= found.next_ms <= 3_600_000
    rig.endpoint.register_again(account.id, rig.now)  # somebody has mended it
    assert rig.statuses(rig.sent()) == ["REGISTER"]


def test_retry_after_is_kept_and_bounded() -> None:
    for said, least_s, most_s in (("600", 600, 600), ("999999 (maintenance)", 3_600, 3_600), ("1", 30, 60)):
        rig = Rig()
        account, register = begin(rig)
        rig.feed(response(register, 503, extra=(f"Retry-After: {said}",)))
        assert least_s <= due_s(rig, account) <= most_s


def test_the_registrars_other_addresses_are_tried_before_it_rests() -> None:
    rig = Rig()
    account, register = begin(rig, CARRIER, SPARE)
    (second,) = rig.feed(response(register, 503))
    assert rig.raw[0].path.host == SPARE.host  # type: ignore[union-attr]
    assert rig.events() == []
    accept(rig, second)
    assert account.life == Life.HELD
    _, renewal = rig.next_sent(600_000)
    assert rig.raw[0].path.host == SPARE.host and renewal.method == "REGISTER"  # type: ignore[union-attr]


def test_a_renewal_that_fails_leaves_the_registration_until_it_runs_out() -> None:
    rig = Rig()
    account, _ = held(rig, 120)
    _, renewal = rig.next_sent(120_000)
    rig.feed(response(renewal, 500))
    assert account.life == Life.LATE and rig.one(Enrolled).change == "failed"
    assert rig.endpoint.account_of(f"sip:4412@1.2.3.4;line={account.line}") == "acme"
    rig.advance(120_000)
    assert "lapsed" in [each.change for each in rig.events() if isinstance(each, Enrolled)]
    assert account.life in (Life.RESTING, Life.ASKING)


def test_it_is_taken_away_once_and_forgotten() -> None:
    rig = Rig()
    account, _ = held(rig)
    rig.endpoint.unregister(account.id, rig.now, forget=True)
    (last,) = rig.sent()
    assert last.get("expires") == "0" and rig.one(Enrolled).change == "left"
    accept(rig, last)
    assert rig.endpoint.accounts() == [] and rig.advance(4_000_000) == []
    assert rig.endpoint.next_deadline() is None and rig.events() == []


def test_stopped_while_it_asks_it_leaves_after_the_answer() -> None:
    rig = Rig()
    account, register = begin(rig)
    rig.endpoint.unregister(account.id, rig.now)
    assert rig.sent() == [] and account.life == Life.ENDING
    (last,) = rig.feed(response(register, 200, contact=""))
    assert last.get("expires") == "0"
    rig.endpoint.register_again(account.id, rig.now)
    assert rig.sent() == [] and account.life == Life.RETURNING
    (back,) = rig.feed(response(last, 200, contact=""))
    assert back.get("expires") == "600" and account.life == Life.ASKING
    rig.endpoint.unregister(account.id, rig.now)
    assert rig.feed(response(back, 403)) == [] and account.life == Life.IDLE


def test_the_contact_is_known_again_by_its_line_behind_any_address() -> None:
    rig = Rig()
    account, register = held(rig)
    own = contact(register).strip("<>")
    moved = own.replace("203.0.113.2:5070", "192.168.0.9:33333")
    for uri in (own, moved, f"sip:4412@x;transport=udp;line={account.line}"):
        assert rig.endpoint.account_of(uri) == "acme"
    for uri in ("sip:4412@203.0.113.2:5070", "sip:4412@x;line=", f"sip:4412@x;line={account.line}0", "sip:;line=<"):
        assert rig.endpoint.account_of(uri) == ""


def test_over_tcp_a_lost_connection_is_a_failure_and_the_next_try_opens_another() -> None:
    rig = Rig()
    rig.endpoint.register("acme", "sip:c.test", "sip:1@c.test", "1", None, (Path(0, "198.51.100.7", 5060, "tcp"),), 600,
                          rig.now)  # fmt: skip
    (account,) = rig.endpoint.accounts()
    rig.sent()
    (connect,) = rig.raw
    rig.endpoint.flow_closed(connect.flow, rig.now)  # type: ignore[union-attr]
    assert rig.one(Enrolled).change == "failed" and account.life == Life.RESTING
    rig.advance(60_000)
    assert account.life == Life.ASKING and rig.endpoint.streams()


def test_it_survives_being_written_down_and_nonsense_is_refused() -> None:
    rig = Rig()
    account, register = held(rig)
    rig.endpoint = Endpoint.decode(rig.endpoint.encode())
    _, renewal = rig.next_sent(600_000)
    assert contact(renewal) == contact(register) and renewal.cseq[0] == register.cseq[0] + 1
    with pytest.raises(ProtocolError):
        rig.endpoint.register("x", "carrier", "sip:a@b", "a", None, (CARRIER,), 60, rig.now)
    rig.endpoint.register("none", "sip:c", "sip:a@c", "a", None, (), 60, rig.now)
    assert [each.status for each in rig.events() if isinstance(each, Enrolled)] == [503]
    assert account.life == Life.HELD


@pytest.mark.parametrize(("granted_s", "early_s"), [(3_600, 720), (600, 120), (120, 40), (60, 30)])
def test_it_is_renewed_a_fifth_before_its_end_but_with_time_for_a_second_try(granted_s: int, early_s: int) -> None:
    assert margin_ms(granted_s) == 1_000 * early_s

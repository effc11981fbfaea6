"""Signed numbers: what waits, what is marked, and that nobody is stopped by it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from engine.call.signature_wall import SignatureChecked, SignatureWanted
from engine.call.signatures import VERDICT_MS_MAX
from engine.dialplan.model import QueueModel
from engine.sim.world import WALL_MS, World
from tests.call.calls import agent, wire, world
from tests.call.numbered import calls, numbered_site
from tests.sip.signed import URL, identity

KEY = ec.derive_private_key(0x1234, ec.SECP256R1())
CALLER, DIALLED, NOW_S = "493012345678", "493022334455", WALL_MS // 1_000
SITE = numbered_site(trunk=", verify: yes")


def signed(iat: int = NOW_S, orig: str = CALLER, dest: str = DIALLED) -> tuple[tuple[str, str], ...]:
    return (("Identity", identity(KEY, iat, orig, dest)),)


def asked(w: World) -> SignatureWanted | None:
    return next((each for each in w.outputs if isinstance(each, SignatureWanted)), None)


def verified(w: World, result: str = "good", headers: tuple[tuple[str, str], ...] | None = None) -> dict[str, object]:
    """A signed call and the runtime's verdict; the fields of `call.identity`."""
    phone = w.phone("03012345678", host="192.0.2.1", password="")
    phone.headers = signed() if headers is None else headers
    phone.call("03022334455", w.now_ms, secret=False)
    assert w.run_until(lambda: bool(w.switch.room.verifying), 1_000)
    (session,) = w.switch.room.verifying
    assert not w.all("call.started")
    w.give(SignatureChecked(session, result))
    return dict(w.last("call.identity").data)


def test_a_good_signature_is_passed_on_to_records_dialplan_and_agent() -> None:
    w = world(numbered_site(trunk=", verify: yes", queues="support: {ring: 10s, display: '{verified} {number}'}\n"
                            "wide: {}\ntaped: {}\nfixed: {}\nnarrow: {}\nnobody: {}\n"), law9=True)  # fmt: skip
    desk = agent(w, "201")
    found = verified(w)
    assert (found["verification"], found["attestation"], found["detail"]) == ("passed", "full", "")
    (call,) = w.switch.room.calls.values()
    assert call.running is not None
    assert call.running.facts["access.verification"] == "passed" and call.running.facts["access.attestation"] == "full"
    assert w.run_until(lambda: bool(desk.up()), 20_000)
    (told,) = [text for text in wire(w, "INVITE sip:201") if "X-Ringdown-Verified" in text or "x-ringdown" in text]
    assert "passed;attestation=full" in told and "verified +493012345678" in told


def test_the_runtime_is_asked_for_what_was_signed() -> None:
    w = world(SITE)
    phone = w.phone("03012345678", host="192.0.2.1", password="")
    phone.headers = signed()
    phone.call("03022334455", w.now_ms, secret=False)
    assert w.run_until(lambda: asked(w) is not None, 1_000)
    wanted = asked(w)
    assert wanted is not None and wanted.url == URL and phone.headers[0][1].startswith(wanted.signed.decode())


@pytest.mark.parametrize(
    ("result", "headers", "why"),
    [
        ("bad", signed(), "not by this certificate"), ("good", signed(iat=NOW_S - 120), "signed 12"),
        ("good", signed(orig="4930999"), "another caller"), ("good", signed(dest="4930999"), "another number"),
    ],
)  # fmt: skip
def test_a_bad_one_is_marked_and_goes_on(result: str, headers: tuple[tuple[str, str], ...], why: str) -> None:
    w = world(SITE)
    found = verified(w, result, headers)
    assert found["verification"] == "failed" and why in str(found["detail"]) and found["attestation"] == "none"
    w.run(500)
    assert w.all("call.answered")


def test_without_a_certificate_nothing_is_known() -> None:
    found = verified(world(SITE), "unknown")
    assert found["verification"] == "none" and found["detail"]


def test_nobody_waits_longer_than_half_a_second() -> None:
    w = world(SITE)
    calls(w, "03022334455", "03012345678", headers=signed())
    assert w.switch.room.verifying and not w.all("call.started")
    w.run(VERDICT_MS_MAX)
    assert w.all("call.started") and w.last("call.identity").data["verification"] == "none"
    assert not w.switch.room.verifying and not w.switch.room.verdicts


def test_who_hangs_up_meanwhile_leaves_nothing_behind() -> None:
    w = world(SITE)
    phone = calls(w, "03022334455", "03012345678", headers=signed())
    phone.hang_up(w.now_ms)
    w.run(40_000)
    assert not w.switch.room.verifying and not w.switch.room.verdicts and w.quiet()


def test_nonsense_is_marked_at_once_and_an_unknown_number_is_still_404() -> None:
    w = world(SITE)
    calls(w, "03022334455", "03012345678", headers=(("Identity", "a.b.c"),))
    assert w.last("call.identity").data["verification"] == "failed"
    phone = calls(w, "999", "03012345678", headers=signed())
    w.run(1_000)
    assert phone.log[-1][1] == "rejected 404" and not w.switch.room.verdicts


def test_without_verify_the_attestation_of_a_trusted_trunk_is_read() -> None:
    w = world(numbered_site())
    calls(w, "03022334455", "03012345678", headers=signed())
    found = w.last("call.identity").data
    assert (found["verification"], found["attestation"]) == ("none", "full")


def test_the_display_knows_the_word() -> None:
    assert QueueModel("default", "q", display="{verified}").display == "{verified}"

"""STIR/SHAKEN: what the caller's carrier attests, and whether its signature holds (RFC 8224 §6.2).

A call waits for the verdict for VERDICT_MS_MAX at most, before it exists; a bad signature marks it and stops nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call.numbers import ATTESTATIONS
from engine.call.signature_wall import SignatureWanted
from engine.errors import ProtocolError
from engine.sip import passport

if TYPE_CHECKING:
    from engine.call.numbers import Identity
    from engine.call.room import Room
    from engine.call.signature_wall import SignatureChecked
    from engine.dialplan.model import TrunkModel
    from engine.sip.events import Incoming

VERDICT_MS_MAX = 500
FRESH_S = 60  # RFC 8224 §6.2.4
WAITING_MAX = 1_000


def wanted(room: Room, event: Incoming, trunk: TrunkModel, now_ms: int) -> bool:
    """Does the call wait for a verdict? Then `arrival` begins it again when it is there."""
    plan, header = trunk.numbers, event.headers.get("identity", "")
    if plan is None or not plan.verify or not header or event.session in room.verdicts:
        return False
    if len(room.verifying) >= WAITING_MAX:
        return False
    try:
        found = passport.parse(header)
    except ProtocolError:
        return False  # `mark` says so
    room.verifying[event.session] = event
    room.out.append(SignatureWanted(event.session, found.url, found.signed, found.signature))
    room.deadlines.arm(("verdict", event.session), now_ms + VERDICT_MS_MAX)
    return True


def answered(room: Room, checked: SignatureChecked) -> Incoming | None:
    """The INVITE that has waited for it; None when it has gone on without, or its caller has hung up."""
    event = room.verifying.pop(checked.session, None)
    room.deadlines.cancel(("verdict", checked.session))
    if event is None or checked.session not in room.endpoint.core.sessions:
        return None
    room.verdicts[checked.session] = (checked.result, checked.detail)
    return event


def mark(room: Room, event: Incoming, trunk: TrunkModel, identity: Identity, caller: str, dialled: str) -> None:
    """Write what is known of the caller's signature into his identity."""
    result, detail = room.verdicts.pop(event.session, ("", ""))
    header, plan = event.headers.get("identity", ""), trunk.numbers
    if not header or plan is None or not (plan.verify or trunk.trust_identity):
        return
    try:
        found = passport.parse(header)
    except ProtocolError as error:
        identity.detail = str(error)[:120]
        identity.verification = "failed" if plan.verify else identity.verification
        return
    if not plan.verify:
        identity.attestation = ATTESTATIONS.get(found.attestation, identity.attestation)
        return
    wrong = _wrong(found, (room.now_ms + room.wall_offset_ms) // 1_000, identity.asserted or caller, dialled)
    if result == "good" and not wrong:
        identity.verification, identity.attestation = "passed", ATTESTATIONS.get(found.attestation, "none")
    elif result == "bad" or wrong:
        identity.verification = "failed"
        identity.detail = wrong or detail or "the signature is not by this certificate"
    else:
        identity.detail = detail or "nobody has verified it in time"


def _wrong(found: passport.Passport, wall_s: int, caller: str, dialled: str) -> str:
    """What its claims say against this call, '' nothing."""
    if abs(wall_s - found.iat) > FRESH_S:
        return f"signed {wall_s - found.iat} s ago"
    if found.orig != caller.lstrip("+"):
        return "signed for another caller"
    return "" if dialled.lstrip("+") in found.dest else "signed for another number"


def shown(identity: Identity | None) -> str:
    """One word for the agent's display, '' when nothing is known."""
    verdict = identity.verification if identity is not None else "none"
    return {"passed": "verified", "failed": "NOT VERIFIED"}.get(verdict, "")


def headers(identity: Identity | None) -> list[tuple[str, str]]:
    """For the phones of our own people: the verdict and the attestation."""
    if identity is None or (identity.verification == "none" and identity.attestation == "none"):
        return []
    return [("X-Ringdown-Verified", f"{identity.verification};attestation={identity.attestation}")]

"""What a trunk is told of who calls: the number shown, what is asserted of it, and who has sent the call on.

Only a number that is permitted is shown: the site's own words (outbound.yaml, the trunk's main number), what a tenant
lists under `caller_ids:`, and the number of a caller whose call is sent on. Withheld numbers are for trusted trunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.call.numbers import ANONYMOUS, DIVERSIONS_MAX
from engine.dialplan.number_plans import NumberPlan, read, write
from engine.sip.uri import escape_user, format_host

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.outside import Target
    from engine.call.room import Room
    from engine.dialplan.model import TrunkModel

Headers = list[tuple[str, str]]
ANONYMOUS_FROM = ("Anonymous", ANONYMOUS, "anonymous.invalid")  # RFC 3323 §4.1.1.3
REASON_OF_PURPOSE = {"transfer": "deflection", "offer": "follow-me"}  # RFC 5806 §5.1; else unconditional
_CAUSE_OF_REASON = {
    "unconditional": 302, "no-answer": 408, "user-busy": 486, "deflection": 480, "unavailable": 503, "follow-me": 302,
}  # fmt: skip


class Presented(msgspec.Struct, frozen=True):
    """`number` in E.164 where the trunk's plan knows it so, '' for nobody; `asserted` behind a withheld one."""

    number: str
    withheld: bool = False
    asserted: str = ""


def sent(plan: NumberPlan | None, digits: str) -> str:
    """What was dialled, as the trunk wants it. It's read as people of its country dial."""
    if plan is None:
        return digits
    return write(whole(plan, digits), plan)


def whole(plan: NumberPlan, digits: str) -> str:
    """E.164 of what somebody dials, or the digits themselves when they are a code."""
    return read(digits, msgspec.structs.replace(plan, strip="", format="national")).number or digits


def towards(
    room: Room, call: Call, phone: Target, purpose: str, display: str, wished: str, queue: str, own_host: str
) -> tuple[tuple[str, str, str], Headers]:  # fmt: skip
    """(display, user, host) of From and the headers beside it, for a call of ours to a trunk.

    `wished`: the number that a dialplan asks for, `queue`: whose call it is, if any.
    """
    trunk = room.sites[room.site].trunks.get(phone.trunk)
    shown = presented(room, call, trunk, phone.user, wished, queue)
    plan = trunk.numbers if trunk is not None else None
    number = write(shown.number, plan) if plan is not None and shown.number else shown.number
    if shown.withheld:
        caller = ANONYMOUS_FROM
    else:
        caller = (display, number or ANONYMOUS, own_host)
    return caller, headers(trunk, shown, call, own_host, purpose, phone.digits or phone.party)


def presented(
    room: Room, call: Call, trunk: TrunkModel | None, rule_number: str, wished: str, queue: str = ""
) -> Presented:  # fmt: skip
    """Which number is shown. The first that is permitted of: dialplan, queue, the agent's phone, the rule, the
    caller's own, the trunk's."""
    site = room.sites[room.site]
    plan = trunk.numbers if trunk is not None else None
    tenant = site.tenants.get(call.tenant)
    listed = tenant.caller_ids if tenant is not None else ()
    preferred = call.identity.preferred if call.identity is not None else ""
    model = site.queues.get(queue)
    chosen = ""
    of_queue = model.caller_id if model is not None else ""
    for number, free in ((wished, not listed), (of_queue, True), (preferred, False)):
        if number and not chosen:
            if free or number in listed:
                chosen = number
            else:
                room.log("warning", f"{call.name}: {number} may not be shown by the tenant {call.tenant}", "caller_id")
    own = "" if call.agent and plan is not None else call.caller if plan is None or call.via == "trunk" else ""
    withheld = call.identity is not None and call.identity.presentation == "withheld"
    number = chosen or rule_number or ("" if own == ANONYMOUS else own) or (plan.main if plan is not None else "")
    if plan is not None and number:
        number = whole(plan, number)
    if not withheld or (chosen and not call.agent):  # a dialplan's number is the site's, and no secret
        return Presented(number)
    real = number if call.agent else call.identity.asserted if call.identity is not None else ""
    return Presented("", True, real)


def headers(
    trunk: TrunkModel | None, shown: Presented, call: Call, own_host: str, purpose: str, target: str
) -> Headers:  # fmt: skip
    """P-Asserted-Identity and its kin (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806), History-Info (RFC 7044)."""
    plan = trunk.numbers if trunk is not None else None
    host, found = format_host(own_host), Headers()
    if shown.withheld:
        found.append(("Privacy", "id"))
        if trunk is not None and plan is not None and trunk.trust_identity and shown.asserted:
            found += _identity(plan, write(shown.asserted, plan), host, "full")
    elif plan is not None and shown.number:
        found += _identity(plan, write(shown.number, plan), host, "off")
    if trunk is not None and plan is not None and call.via == "trunk":
        found += _sent_on(trunk, plan, call, host, REASON_OF_PURPOSE.get(purpose, "unconditional"), target)
    return found


def _identity(plan: NumberPlan, number: str, host: str, privacy: str) -> Headers:
    address = f"<sip:{escape_user(number)}@{host}>"
    if plan.identity == "rpid":
        return [("Remote-Party-ID", f"{address};party=calling;screen=yes;privacy={privacy}")]
    if plan.identity == "none":
        return []
    return [("P-Asserted-Identity" if plan.identity == "pai" else "P-Preferred-Identity", address)]


def _sent_on(trunk: TrunkModel, plan: NumberPlan, call: Call, host: str, reason: str, target: str) -> Headers:
    """Who sends this call on: we, after all who did before us."""
    before = call.identity.diversions if call.identity is not None else []
    chain = [(call.dialled, reason), *before][:DIVERSIONS_MAX]
    found = Headers()
    if plan.diversion in ("diversion", "both"):
        for number, why in chain:
            address = f"<sip:{escape_user(write(number, plan))}@{host}>"
            found.append(("Diversion", f"{address};reason={why};counter=1"))
    if plan.diversion in ("history-info", "both"):
        entries, index, cause = [], "1", 0
        for number, why in reversed(chain):
            entries.append(_entry(write(number, plan), host, cause, index))
            index, cause = f"{index}.1", _CAUSE_OF_REASON.get(why, 404)
        entries.append(_entry(write(whole(plan, target), plan), format_host(trunk.host or host), cause, index))
        found.append(("History-Info", ", ".join(entries)))
    return found


def _entry(number: str, host: str, cause: int, index: str) -> str:
    """hi-entry: the target, why it became the target (RFC 4458 cause), its place, and whose change it was (mp)."""
    came = f";cause={cause}" if cause else ""
    mapped = f";mp={index.rpartition('.')[0]}" if cause else ""
    return f"<sip:{escape_user(number)}@{host}{came}>;index={index}{mapped}"

"""Who calls, and which number: what an INVITE says, in E.164, with the original beside it.

A number that is withheld (RFC 3323, RFC 3325, and the words that carriers write instead) is nobody's but the trust
domain's: `Identity.asserted` has it, nothing that an agent, a record or another trunk reads does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from engine.dialplan.number_plans import WITHHELD, Heard, NumberPlan, read, spellings
from engine.errors import ProtocolError
from engine.sip.headers import NameAddr, parse_name_addr, parse_params, split_list
from engine.sip.uri import parse_uri, unescape

if TYPE_CHECKING:
    from engine.call.site_index import SiteIndex
    from engine.dialplan.model import NumberModel, TrunkModel
    from engine.sip.events import Incoming

ANONYMOUS = "anonymous"
ORIGINAL_CHARACTERS_MAX = 64
DIVERSIONS_MAX = 10
_PRIVATE = ("id", "user", "header")  # RFC 3323 §4.2, RFC 3325 §9.3
# TS 24.229 §7.2A.20: what the carrier's own verification found; some add the attestation behind a hyphen
_VERSTAT = {"TN-Validation-Passed": "passed", "TN-Validation-Failed": "failed"}
ATTESTATIONS = {"A": "full", "B": "partial", "C": "gateway"}  # RFC 8588 §4


class Identity(msgspec.Struct):
    """Numbers of a call. `caller_as`, `dialled_as`: as they came. `asserted`: E.164 that only trusted trunks are told.

    `preferred`: which number an agent's phone asks to be shown. `diversions`: (number, reason), the latest first.
    """

    caller_as: str = ""
    dialled_as: str = ""
    presentation: str = "shown"  # shown | withheld | malformed
    asserted: str = ""
    preferred: str = ""
    diversions: list[tuple[str, str]] = []
    attestation: str = "none"
    verification: str = "none"
    detail: str = ""


class Caller(msgspec.Struct, frozen=True):
    """What may be shown: `number` is ANONYMOUS when it is withheld or none."""

    number: str
    name: str
    identity: Identity


# --- reading ----------------------------------------------------------------------------------------------
def identify(event: Incoming, trunk: TrunkModel | None, dialled: str = "") -> Caller:
    """The caller of an INVITE. Only a trunk that `trust_identity` is believed what it asserts (RFC 3325 §5)."""
    headers, trusted = event.headers, trunk is not None and trunk.trust_identity
    plan = trunk.numbers if trunk is not None else None
    from_ = _stated(event.caller.user, event.caller.display, headers.get("from", ""))
    stated = _asserted(headers) if trusted else None
    number, name, parameters = stated or from_
    identity = Identity(
        number[:ORIGINAL_CHARACTERS_MAX], event.dialled[:ORIGINAL_CHARACTERS_MAX] if dialled else "",
        diversions=diversions(headers, plan),
    )  # fmt: skip
    if trusted:
        _verified(identity, parameters)
    heard = _heard(number, plan)
    if _withheld(event, headers):
        identity.presentation = "withheld"
        identity.asserted = heard.number if trusted else ""
        identity.caller_as = ""
        return Caller(ANONYMOUS, "", identity)
    if heard.kind in ("withheld", "malformed"):
        identity.presentation = heard.kind
        return Caller(ANONYMOUS, "" if heard.kind == "withheld" else name, identity)
    identity.asserted = heard.number
    return Caller(heard.number, name, identity)


def dialled(event: Incoming, trunk: TrunkModel | None) -> str:
    """The number that was dialled: E.164 where the trunk's plan makes it that, else as it came."""
    plan = trunk.numbers if trunk is not None else None
    heard = read(event.dialled, plan) if plan is not None else None
    return heard.number if heard is not None and heard.kind == "e164" else event.dialled


def lookup(index: SiteIndex, event: Incoming, trunk: TrunkModel) -> NumberModel | None:
    """The site's number: as it was dialled (short codes are), else in whichever spelling the table has."""
    found = index.number(event.dialled, trunk.tenant)
    if found is not None or trunk.numbers is None:
        return found
    whole = dialled(event, trunk)
    names = spellings(whole, trunk.numbers) if whole.startswith("+") else (whole,)
    return next((each for name in names if (each := index.number(name, trunk.tenant)) is not None), None)


def preferred(event: Incoming, plan: NumberPlan | None) -> Identity:
    """What an agent's phone asks for: a number to be shown (P-Preferred-Identity, RFC 3325 §9.2), or none."""
    identity = Identity(caller_as=event.caller.user[:ORIGINAL_CHARACTERS_MAX])
    wished = event.headers.get("p-preferred-identity", "")
    if wished:
        number = _stated("", "", split_list(wished)[0])[0]
        heard = read(number, plan) if plan is not None else Heard("short", number)
        identity.preferred = heard.number or number
    if _private(event.headers):
        identity.presentation = "withheld"
    return identity


def _heard(number: str, plan: NumberPlan | None) -> Heard:
    """Without a plan a user part is whatever it is: an extension, a name, a number in any spelling."""
    if plan is not None:
        return read(number, plan)
    return Heard("withheld", "") if number and number.lower() in WITHHELD else Heard("short", number)


def _stated(user: str, display: str, text: str) -> tuple[str, str, str]:
    """(number, name, parameters of the number) of a name-addr; a tel URI has its number outside any user part."""
    try:
        address: NameAddr | None = parse_name_addr(text) if text else None
    except ProtocolError:
        address = None
    if address is None:
        number, _, parameters = user.partition(";")
        return number, display, parameters
    scheme, _, rest = address.uri.partition(":")
    if scheme.lower() == "tel":
        number, _, parameters = rest.partition(";")
        return unescape(number), address.display, parameters
    number, _, parameters = unescape(rest.rpartition("@")[0]).partition(";")
    if "phone-context" in parameters:
        number = f"{number};{parameters}"
    return number, address.display, f"{parameters};{rest.rpartition('@')[2].partition(';')[2]}"


def _asserted(headers: dict[str, str]) -> tuple[str, str, str] | None:
    """P-Asserted-Identity (a tel and a sip URI at most: the first with a number), else the caller's Remote-Party-ID."""
    for value in split_list(headers.get("p-asserted-identity", "")):
        found = _stated("", "", value)
        if found[0]:
            return found
    for value in split_list(headers.get("remote-party-id", "")):
        if _party(value).get("party", "calling") == "calling" and _stated("", "", value)[0]:
            return _stated("", "", value)
    return None


def _party(value: str) -> dict[str, str]:
    """The parameters of one Remote-Party-ID (draft-ietf-sip-privacy-04 §5)."""
    return parse_params(value.rpartition(">")[2].lstrip("; "))


def _private(headers: dict[str, str]) -> bool:
    words = [word.strip().lower() for word in headers.get("privacy", "").replace(",", ";").split(";")]
    return "none" not in words and any(word in _PRIVATE for word in words)


def _withheld(event: Incoming, headers: dict[str, str]) -> bool:
    """RFC 3323's own ways, the drafts before it, and an anonymous From without any of them."""
    if _private(headers) or event.caller.host.endswith("anonymous.invalid"):
        return True
    user, name = event.caller.user.strip().lower(), event.caller.display.strip().lower()
    if (user and user in WITHHELD) or (not user and name in WITHHELD):
        return True
    parties = [_party(value) for value in split_list(headers.get("remote-party-id", ""))]
    return any(
        each.get("party", "calling") == "calling" and each.get("privacy", "off").strip('"') in ("full", "uri")
        for each in parties
    )


def _verified(identity: Identity, parameters: str) -> None:
    """What the carrier's verification service found, told by the parameter verstat."""
    status = parse_params(parameters).get("verstat", "").strip('"')
    word, hyphen, level = status.rpartition("-")
    if hyphen and level in ATTESTATIONS:
        status, identity.attestation = word, ATTESTATIONS[level]
    identity.verification = _VERSTAT.get(status, identity.verification)


# --- who has sent it on --------------------------------------------------------------------------------------
def diversions(headers: dict[str, str], plan: NumberPlan | None) -> list[tuple[str, str]]:
    """(number, reason), the latest first: Diversion (RFC 5806), else History-Info (RFC 7044)."""
    found: list[tuple[str, str]] = []
    for value in split_list(headers.get("diversion", ""))[:DIVERSIONS_MAX]:
        number = _stated("", "", value)[0]
        if number:
            reason = parse_params(value.rpartition(">")[2].lstrip("; ")).get("reason", "unknown").strip('"')
            found.append((_whole(number, plan), reason[:32]))
    return found or _history(headers.get("history-info", ""), plan)


def _history(text: str, plan: NumberPlan | None) -> list[tuple[str, str]]:
    """Entries but for the last, which is the number of this request itself; the reason is a cause of RFC 4458."""
    entries = split_list(text)[-DIVERSIONS_MAX - 1 :]
    found: list[tuple[str, str]] = []
    for entry, following in pairwise(entries):
        number, _, _ = _stated("", "", entry)
        if number:
            found.append((_whole(number, plan), _reason(following)))
    return found[::-1]


_CAUSES = {
    "302": "unconditional", "408": "no-answer", "486": "user-busy", "480": "deflection", "503": "unavailable",
    "404": "unknown", "487": "deflection",
}  # fmt: skip


def _reason(entry: str) -> str:
    try:
        uri = parse_uri(parse_name_addr(entry).uri)
    except ProtocolError:
        return "unknown"
    return _CAUSES.get((uri.params or {}).get("cause", ""), "unknown")


def _whole(number: str, plan: NumberPlan | None) -> str:
    heard = read(number, plan) if plan is not None else None
    return heard.number if heard is not None and heard.number else number[:ORIGINAL_CHARACTERS_MAX]


# --- telling ------------------------------------------------------------------------------------------------
def facts(identity: Identity | None) -> dict[str, str]:
    """What a dialplan may read of it."""
    if identity is None:
        identity = Identity()
    return {
        "access.presentation": identity.presentation,
        "access.diverted_from": identity.diversions[0][0] if identity.diversions else "",
        "access.attestation": identity.attestation,
        "access.verification": identity.verification,
    }


def told(identity: Identity, caller: str, dialled_number: str) -> dict[str, str] | None:
    """The fields of `call.identity`; None when there is nothing beside what `call.started` says."""
    found = {
        "caller_as": identity.caller_as if identity.caller_as != caller else "",
        "dialled_as": identity.dialled_as if identity.dialled_as != dialled_number else "",
        "presentation": identity.presentation,
        "diverted_from": identity.diversions[0][0] if identity.diversions else "",
        "attestation": identity.attestation, "verification": identity.verification, "detail": identity.detail,
    }  # fmt: skip
    plain = {**dict.fromkeys(found, ""), "presentation": "shown", "attestation": "none", "verification": "none"}
    return None if found == plain else found

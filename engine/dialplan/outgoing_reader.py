"""`caller_ids`, `classes`, `rates` and `emergency` of a site: what its people may dial and show, and who comes to help.

    caller_ids: ['+493022334455']
    rates: {'+49.': 0.02, '+.': 1.50}
    classes:
      default: {allow: ['+49.', '+44.'], refuse: ['+49900.'], hours: office, spend: {day: 5.00, month: 60}}
    emergency:
      country: de
      trunks: [carrier, backup]
      call_back: '+493022334455'
      location: {country: DE, A1: Berlin, A3: Berlin, RD: Chausseestraße, HNO: '1', PC: '10115', LOC: 3rd floor}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine import marks
from engine.dialplan import emergency_numbers, values
from engine.dialplan.findings import CODES, Finding, did_you_mean
from engine.dialplan.numbers_reader import e164
from engine.dialplan.outgoing_model import Emergency, Location, ServiceClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.dialplan.findings import Report
    from engine.dialplan.model import AgentModel, NumberModel, Site, TenantModel, TrunkModel
    from engine.dialplan.site_reader import AgentDraft

TENANT_KEYS = ("caller_ids", "classes", "rates")
CLASS_KEYS = ("allow", "refuse", "hours", "spend", "about")
EMERGENCY_KEYS = ("country", "numbers", "trunks", "prefixes", "call_back", "location", "about")
# RFC 5139 §4: in the order of its schema
CIVIC = (
    "country", "A1", "A2", "A3", "A4", "A5", "A6", "PRM", "PRD", "RD", "STS", "POD", "POM", "RDSEC", "RDBR", "RDSUBBR",
    "HNO", "HNS", "LMK", "LOC", "FLR", "NAM", "PC", "BLD", "UNIT", "ROOM", "SEAT", "PLC", "PCN", "POBOX", "ADDCODE",
)  # fmt: skip
TEXT_MAX = 200
_PATTERN = re.compile(r"\+[0-9x]{0,15}\.?")
_MONEY = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,3}))?")
_NUMBER = re.compile(r"[0-9]{2,6}")


# --- classes of service --------------------------------------------------------------------------------------
def read_tenant(report: Report, entries: dict[str, marks.Node], model: TenantModel) -> dict[str, Any]:
    """Changed fields of TenantModel; what isn't said is as the model has it."""
    changes: dict[str, Any] = {}
    if "caller_ids" in entries:
        named = values.scalars(report, entries["caller_ids"], "caller_ids")
        changes["caller_ids"] = tuple(found for each in named if (found := e164(report, each, "caller_ids", None)))
    if "rates" in entries:
        changes["rates"] = tuple(
            (key.text, cost)
            for key, value in values.mapping(report, entries["rates"], "rates") or ()
            if _pattern(report, key) and (cost := _money(report, value, f"the rate of {key.text}")) is not None
        )
    if "classes" in entries:
        classes: dict[str, ServiceClass] = {}
        for key, value in values.mapping(report, entries["classes"], "classes") or ():
            name, form = values.name(report, key, "a class"), values.mapping(report, value, f"the class {key.text}")
            if name is not None and form is not None:
                classes[name] = _class(report, form, name, model.name)
        changes["classes"] = classes
    return changes


def _class(report: Report, form: marks.Mapping, name: str, tenant: str) -> ServiceClass:
    values.known_keys(report, form, "a class", CLASS_KEYS)
    entries = form.entries
    allow, refuse = (
        tuple(each.text for each in values.scalars(report, entries.get(key), key) if _pattern(report, each))
        for key in ("allow", "refuse")
    )
    hours = values.name(report, entries.get("hours"), "a calendar")
    spends = values.mapping(report, entries.get("spend"), "spend")
    bounds = {"day": 0, "month": 0}
    if spends is not None:
        values.known_keys(report, spends, "spend", bounds)
        for key, value in spends:
            bounds[key.text] = _money(report, value, f"spend a {key.text}") or 0
    calendar = f"{tenant}/{hours}" if hours else ""
    return ServiceClass(name, allow, refuse, calendar, bounds.get("day", 0), bounds.get("month", 0))


def _pattern(report: Report, node: marks.Scalar) -> bool:
    if _PATTERN.fullmatch(node.text) is None or node.text == "+":
        hint = "as in '+49900.': + and digits, a final . for the rest"
        report.add("RD082", node, f"{node.text!r} is not a pattern of E.164", hint)
        return False
    return True


def _money(report: Report, node: marks.Node, what: str) -> int | None:
    """Thousandths of a unit of money."""
    found = values.scalar(report, node, what)
    if found is None:
        return None
    match = _MONEY.fullmatch(found.text)
    if match is None:
        report.add("RD024", found, f"{what}: {found.text!r} is no amount", "as in 0.02 or 5.00, without a currency")
        return None
    return int(match.group(1)) * 1_000 + int((match.group(2) or "").ljust(3, "0"))


def read_agent(report: Report, entries: dict[str, marks.Node]) -> dict[str, Any]:
    """`class` and `location` of an agent; whether the class is there is `check`'s to say."""
    changes: dict[str, Any] = {}
    name = values.name(report, entries.get("class"), "a class")
    if name:
        changes["service_class"] = name
    place = read_location(report, entries.get("location"))
    if place is not None:
        changes["location"] = place
    return changes


# --- emergency -----------------------------------------------------------------------------------------------
def read_location(report: Report, node: marks.Node | None) -> Location | None:
    """A civic address."""
    form = values.mapping(report, node, "location")
    if form is None:
        return None
    values.known_keys(report, form, "a location", CIVIC)
    texts: dict[str, str] = {}
    for key, value in form:
        text = values.prose(report, value, key.text)
        if text is not None and 0 < len(text.text) <= TEXT_MAX:
            texts[key.text] = text.text
    if "country" not in texts or not {"A1", "A3", "A6", "RD"} & texts.keys():
        hint = "country: DE, A3: the town, RD: the street, HNO: the number, LOC: the floor (RFC 5139)"
        report.add("RD022", form, "a location that nobody could drive to", hint)
        return None
    return Location(tuple((tag, texts[tag]) for tag in CIVIC if tag in texts))


def emergency(
    report: Report, node: marks.Node | None, trunks: dict[str, TrunkModel], numbers: dict[str, NumberModel],
    agents: Iterable[AgentModel],
) -> Emergency | None:  # fmt: skip
    """`emergency:` of site.yaml."""
    form = values.mapping(report, node, "emergency")
    if form is None:
        return None
    values.known_keys(report, form, "emergency", EMERGENCY_KEYS)
    entries = form.entries
    country = values.choice(report, entries.get("country"), "country", emergency_numbers.NUMBERS)
    named = values.scalars(report, entries.get("numbers"), "numbers")
    for each in named:
        if _NUMBER.fullmatch(each.text) is None:
            report.add("RD082", each, f"{each.text!r} is no emergency number", "two to six digits, in quotes")
    own = tuple(each.text for each in named) or emergency_numbers.NUMBERS.get(country or "", ())
    if "country" not in entries:
        report.add("RD022", form, "emergency without a country", "add country: de")
    ways = []
    for each in values.scalars(report, entries.get("trunks"), "trunks"):
        if each.text not in trunks:
            report.add("RD036", each, f"no trunk {each.text!r}", did_you_mean(each.text, trunks))
        elif not trunks[each.text].host:
            report.add("RD036", each, f"no call reaches {each.text}: it has no host", "add host: to the trunk")
        else:
            ways.append(each.text)
    if "trunks" not in entries:
        report.add("RD022", form, "emergency calls have no trunk", "add trunks: [carrier], in the order to be tried")
    prefixes = tuple(each.text for each in values.scalars(report, entries.get("prefixes"), "prefixes"))
    for number in [*(each.number for each in numbers.values()), *(each.number for each in agents)]:
        if number in own:
            message = f"{number} is an emergency number, and one of the site's own"
            report.add("RD362", form, message, "give the site's another number")
    call_back = e164(report, entries.get("call_back"), "call_back", None)
    location = read_location(report, entries.get("location"))
    if "location" not in entries:
        report.add("RD022", form, "emergency calls say nowhere where they come from", "add location: {country: DE, …}")
    return Emergency(country or "", own, tuple(ways), prefixes, call_back, location)


def check(report: Report, classes: Iterable[str], agents: Iterable[AgentDraft]) -> None:
    """Are the classes that agents name there?"""
    for agent in agents:
        name, node = agent.model.service_class, agent.form.entries.get("class")
        if name and node is not None and name not in classes:
            report.add("RD363", node, f"no class {name!r}", did_you_mean(name, classes, otherwise="add it to classes:"))


def without_help(site: Site) -> list[Finding]:
    """RD361, for `ringdown check`. Reading a site doesn't give it, so that one which runs already starts after an
    upgrade, and says so in its log."""
    if not site.outbound or site.emergency is not None:
        return []
    severity, _, suffers = CODES["RD361"]
    message = "people here can dial out, and nothing says where emergency calls go"
    hint = "add emergency: to site.yaml, with country, trunks, call_back and location"
    return [Finding("RD361", severity, "outbound.yaml", 1, 1, message, hint, suffers=suffers)]

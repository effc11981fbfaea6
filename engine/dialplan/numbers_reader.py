"""`numbers:` of a trunk, and the ways of callers whose number isn't known: how a site says what numbers mean.

    carrier:
      host: sip.carrier.example
      numbers: {country: de, format: national, area: '30', main: '+493022334455', identity: pai}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import did_you_mean
from engine.dialplan.number_plans import COUNTRIES, FORMATS, NumberPlan, read

if TYPE_CHECKING:
    from engine.dialplan.drafts import Draft
    from engine.dialplan.findings import Report

PLAN_KEYS = (
    "country", "format", "area", "strip", "prefix", "main", "identity", "diversion", "location", "verify", "about",
)  # fmt: skip
IDENTITIES = ("pai", "ppi", "rpid", "none")
DIVERSIONS = ("none", "diversion", "history-info", "both")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}")
_PREFIX = re.compile(r"[0-9]{0,8}")


def read_plan(report: Report, node: marks.Node | None) -> NumberPlan | None:
    """The plan of one trunk; None when it names none, or a country that isn't known (which is reported)."""
    form = values.mapping(report, node, "numbers of a trunk")
    if form is None:
        return None
    values.known_keys(report, form, "numbers of a trunk", PLAN_KEYS)
    entries = form.entries
    country = values.scalar(report, entries.get("country"), "country")
    if country is None:
        if "country" not in entries:
            report.add("RD022", form, "numbers without a country", "add country: de (two letters, as in ISO 3166)")
        return None
    if country.text not in COUNTRIES:
        hint = did_you_mean(country.text, COUNTRIES, otherwise="two letters as in ISO 3166, such as de or gb")
        report.add("RD360", country, f"{country.text!r} is no country whose numbers are known", hint)
        return None
    area, strip, prefix = (_digits(report, entries.get(key), key) for key in ("area", "strip", "prefix"))
    form_word = values.choice(report, entries.get("format"), "format", FORMATS) or "e164"
    trunk = COUNTRIES[country.text].trunk
    if area and trunk and area.startswith(trunk):
        report.add("RD024", entries["area"], f"area: {area!r} begins with {trunk}, which is dialled in front of it",
                   f"write area: '{area.removeprefix(trunk)}'")  # fmt: skip
    if form_word == "subscriber" and not trunk:
        message = f"numbers of {country.text} are dialled in full everywhere: none is a subscriber's alone"
        report.add("RD024", entries["format"], message, "write format: national")
    elif form_word == "subscriber" and not area:
        report.add("RD022", entries["format"], "numbers of subscribers without an area code", "add area: '30'")
    plan = NumberPlan(
        country.text, form_word, area, strip, prefix,
        identity=values.choice(report, entries.get("identity"), "identity", IDENTITIES) or "pai",
        diversion=values.choice(report, entries.get("diversion"), "diversion", DIVERSIONS) or "none",
        location=_location(report, entries.get("location")),
        verify=bool(values.flag(report, entries.get("verify"), "verify")),
    )  # fmt: skip
    main = entries.get("main")
    return plan if main is None else msgspec.structs.replace(plan, main=e164(report, main, "main", plan))


def _digits(report: Report, node: marks.Node | None, what: str) -> str:
    found = values.scalar(report, node, what)
    if found is None:
        return ""
    if _PREFIX.fullmatch(found.text) is None:
        report.add("RD082", found, f"{what}: {found.text!r} is not a prefix", "up to 8 digits, in quotes")
        return ""
    return found.text


def _location(report: Report, node: marks.Node | None) -> str:
    """`pidf`, `none`, or `header NAME`, of which the name is kept."""
    found = values.scalar(report, node, "location")
    if found is None:
        return "pidf"
    word, _, name = found.text.partition(" ")
    if word == "header" and _HEADER.fullmatch(name):
        return name
    if found.text not in ("pidf", "none"):
        report.add("RD024", found, f"location: {found.text!r} is not known", "pidf, none, or header X-Location")
        return "pidf"
    return found.text


def e164(report: Report, node: marks.Node | None, what: str, plan: NumberPlan | None) -> str:
    """A number of the site's own in E.164; '' after it has been reported as none."""
    found = values.scalar(report, node, what)
    if found is None:
        return ""
    heard = read(found.text, plan or NumberPlan("us"))
    if heard.kind != "e164" or (plan is None and not found.text.startswith("+")):
        report.add("RD082", found, f"{what}: {found.text!r} is not a whole number", "as in '+493012345678'")
        return ""
    return heard.number


def unknown_callers(report: Report, flows: tuple[marks.Scalar | None, ...], dialplan: Draft) -> tuple[str, ...]:
    """The flows for callers who withhold their number, whose number is none, who are faxes; '' for what isn't said."""
    found = []
    for flow in flows:
        known = flow is None or flow.text in dialplan.flows
        if flow is not None and not known:
            names = [each for each in dialplan.flows if "#" not in each]
            report.add("RD031", flow, f"no flow {flow.text!r} in {dialplan.file}", did_you_mean(flow.text, names))
        found.append(flow.text if flow is not None and known else "")
    return tuple(found)

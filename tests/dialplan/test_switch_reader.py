"""`switches:` of an agent: calendars and notices of his tenant."""

from __future__ import annotations

from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

MAIN = "ringdown: 1\nflows:\n  main:\n    - answer\n    - notice: storm\n    - hangup: served\n"
CALENDAR = "office: {open: [mon-fri 08:00-20:00]}\n"


def read(switches: str, main: str = MAIN) -> tuple[object, list[tuple[str, int, str]]]:
    agents = f"200: {{name: Ana, queues: [support], skills: {{power: 1}}, team: front, switches: {switches}}}\n"
    files = files_with({"dialplans/main.yaml": main, "calendars.yaml": CALENDAR, "agents.yaml": agents})
    site, findings = read_site(files, STOCK)
    told = [(each.code, each.line, each.message + each.suggestion) for each in findings if each.severity == "error"]
    return (site.agents["default/200"].switches if site is not None else None), told


def test_calendars_and_notices_in_the_order_of_their_digits() -> None:
    assert read("[storm, office]") == ((("notice", "default/storm"), ("calendar", "default/office")), [])


def test_unknown_ambiguous_and_too_many() -> None:
    _, told = read("[strom]")
    assert told[0][:2] == ("RD260", 1) and "storm" in told[0][2]
    _, told = read("[office]", MAIN.replace("storm", "office"))
    assert told[0][0] == "RD260" and "a calendar and a notice" in told[0][2]
    _, told = read(f"[{', '.join(['storm'] * 10)}]")
    assert told[0][0] == "RD024" and "more than 9" in told[0][2]

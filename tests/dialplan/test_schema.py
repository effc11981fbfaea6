"""Schemas for editors: made from the table of verbs, never stricter than the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine import marks
from engine.dialplan import schema, site_names
from engine.dialplan.findings import Report
from engine.dialplan.linker import RULES
from engine.dialplan.options import Context, Scope
from engine.dialplan.verbs.table import VERBS, Option
from tests.dialplan.site import STOCK
from tests.dialplan.test_site_names import FILES


def made(files: dict[str, object] | None = None) -> dict[str, Any]:
    return schema.schemas(site_names.read(files or FILES, STOCK))


def words(fragment: dict[str, Any]) -> list[Any]:
    """Every word that a fragment offers."""
    found = [*fragment.get("enum", []), *([fragment["const"]] if "const" in fragment else [])]
    return found + [word for each in fragment.get("anyOf", []) for word in words(each)]


def test_a_step_knows_exactly_the_verbs_of_its_place() -> None:
    definitions = made()["dialplans/main.yaml"]["definitions"]
    for name, place in (("step", "flow"), ("wait_step", "wait")):
        form, alone = definitions[name]["anyOf"]
        verbs = [verb for verb in VERBS.values() if place in verb.places]
        assert set(form["properties"]) == {verb.name for verb in verbs if verb.options}
        assert set(alone["enum"]) == {verb.name for verb in verbs if verb.bare}
        assert form["additionalProperties"] is False and form["maxProperties"] == 1


def test_a_new_verb_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.dialplan.verbs.shape import Verb

    options = {"tune": Option("unheard_of_kind", required=True), "for": Option("duration", low=1, high=2)}
    monkeypatch.setitem(VERBS, "whistle", Verb("whistle", options, {"failed": True}, about="whistles"))
    whistle = made()["dialplans/main.yaml"]["definitions"]["step"]["anyOf"][0]["properties"]["whistle"]
    assert whistle["description"] == "whistles" and whistle["required"] == ["tune", "failed"]
    assert whistle["properties"]["tune"] == {}  # of a kind that nobody described anything is taken


def test_names_are_choices() -> None:
    plan = made()["dialplans/main.yaml"]
    step = plan["definitions"]["step"]["anyOf"][0]["properties"]
    assert words(step["queue"]["properties"]["name"]) == ["support", "press/books"]
    assert words(step["goto"]) == ["main", "two"]
    assert {"hello", "goodbye"} <= set(words(step["menu"]["properties"]["greet"]))
    assert words(step["queue"]["properties"]["waiting"]) == ["w"]
    assert words(plan["definitions"]["to_step"]) == ["again", "continue", "main", "two"]
    assert {"hello", "own", "goodbye", "tone/beep", "music/jazz"} <= set(words(plan["definitions"]["prompt"]))
    assert {"jazz", "music/jazz", "tone/ringback.us"} <= set(words(plan["definitions"]["music"]))
    assert {"const": "hello", "description": "en: Hello."} in plan["definitions"]["prompt"]["anyOf"]
    numbers = made()["site.yaml"]["properties"]["numbers"]["additionalProperties"]
    assert words(numbers) == ["main", "press/orders", "press/front"]


def test_names_are_only_offered_while_a_file_is_broken() -> None:
    files: dict[str, object] = {**FILES, "queues.yaml": b"support: &x {}\n"}
    queue = made(files)["dialplans/main.yaml"]["definitions"]["step"]["anyOf"][0]["properties"]["queue"]
    assert schema.SCALAR in queue["properties"]["name"]["anyOf"]


@pytest.mark.parametrize("kind", schema.WORDS)
def test_words_are_those_of_the_rule(kind: str) -> None:
    for word in schema.WORDS[kind]:
        report = Report()
        node, _ = marks.load(word.encode(), "x")
        assert node is not None
        RULES[kind](_context(report), node, Option(kind), "x")
        assert not report.findings, word
    node, _ = marks.load(b"zzzzzzzzzzzzzzzzzzzzzzz", "x")
    assert node is not None
    RULES[kind](_context(report), node, Option(kind), "x")
    assert report.findings[0].suggestion == "known here: " + ", ".join(schema.WORDS[kind])


def _context(report: Report) -> Context:
    from engine.dialplan.catalogue import Catalogue

    return Context(report, Scope("default", Catalogue(report, STOCK)), ("en",))


def test_no_trap_for_editors() -> None:
    """No `oneOf`, no bare `type: string` for what YAML reads as a number, everything is JSON."""
    text = json.dumps(made())
    assert "oneOf" not in text
    assert schema._words({"98668": "", "true": "", "x": ""})["enum"] == ["98668", "true", "x", 98668, True]


def test_every_file_of_a_site_has_its_schema() -> None:
    assert {
        "site.yaml", "queues.yaml", "agents.yaml", "trunks.yaml", "outbound.yaml", "devices.yaml",
        "dialplans/main.yaml", "prompts/en.yaml", "prompts/zh.yaml", "tenants/press/tenant.yaml",
        "tenants/press/queues.yaml", "tenants/press/dialplans/orders.yaml",
    } <= set(made())  # fmt: skip

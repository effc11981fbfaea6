"""Names of a site, also while something in it is broken."""

from __future__ import annotations

from engine.dialplan import site_names
from engine.dialplan.prompts import StockPrompt, WavInfo
from tests.dialplan.site import BASE, STOCK

FILES: dict[str, object] = {
    **BASE,
    "site.yaml": b"""\
ringdown: 1
languages: [en, zh]
numbers: {98668: press/orders}
borrows: {queues: [press/books]}
""",
    "dialplans/main.yaml": b"""\
ringdown: 1
variables: {code: digits 8}
flows: {main: [answer], two: [plya: x]}
waits: {w: []}
""",
    "dialplans/main.test.yaml": b"flows: {never: []}\n",
    "prompts/en/own.flac": WavInfo(1),
    "prompts/en/cut#1.wav": WavInfo(1),
    "music/jazz.ogg": WavInfo(1),
    "calendars.yaml": b"office: {}\n",
    "tenants/press/tenant.yaml": b"languages: [zh]\nentries: {front: {dialplan: orders}}\n",
    "tenants/press/queues.yaml": b"books: {}\n",
    "tenants/press/dialplans/orders.yaml": b"flows:\n  main: *bad\n",
}


def test_names_of_both_tenants() -> None:
    found = site_names.read(FILES, STOCK)
    own, press = found["default"], found["press"]
    assert own.languages == ["en", "zh"] and press.languages == ["zh"]
    assert own.queues == ["support", "press/books"] and press.queues == ["books"]
    assert own.agents == {"200": "Ana"} and own.teams == ["front"] and own.skills == ["power"]
    assert own.plans["main"].flows == ["main", "two"] and own.plans["main"].waits == ["w"]
    assert own.plans["main"].variables == {"code": "digits 8"} and list(own.plans) == ["main"]
    assert own.prompts["hello"] == {"en": "Hello."} and own.prompts["own"] == {"en": ""}
    assert "cut" not in own.prompts and "cut#1" not in own.prompts
    assert own.prompts["goodbye"] == {"en": "goodbye", "zh": "goodbye"} and "tone/beep" in own.prompts
    assert own.music == ["music/jazz", "music/default"] and own.things["calendars"] == ["office"]
    assert press.entries == ["front"] and press.plans["orders"].flows == []


def test_a_file_that_can_not_be_read_makes_names_incomplete() -> None:
    found = site_names.read(FILES, STOCK)
    assert not found["press"].complete and found["default"].complete


def test_anything_is_taken() -> None:
    files: dict[str, object] = {
        "site.yaml": b"- a\n", "queues.yaml": b"x\n", "agents.yaml": b"200: x\n", "dialplans/a.yaml": b"flows: 3\n",
        "tenants/x/y": b"", "prompts/en.yaml": b"[1, 2]\n", "prompts/x.wav": WavInfo(1), "noname": b"", "a/b.c/d": b"",
    }  # fmt: skip
    found = site_names.read(files, {"x": StockPrompt("x", "", "", 0)})
    assert found["default"].languages == ["en"] and found["default"].agents == {"200": ""}
    assert set(found) == {"default", "x"}

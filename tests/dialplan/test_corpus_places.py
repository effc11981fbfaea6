"""Where a program listens, and how sure it must be there."""

from __future__ import annotations

import msgspec

from engine.dialplan.corpus import Said
from engine.dialplan.corpus_places import listening, places
from engine.dialplan.program import Program, Step

MENU = Step("menu", "choose/menu(m)", "main.yaml:3:5", {"hears": {"en": "k1", "zh": "k2"}, "accept": 70})
ASKED = Step("gather", "code/gather(c)", "main.yaml:9:5", {"hears": {"en": "k3"}, "asks": {"en": "k4"}})
KEYS = Step("menu", "keys/menu(m)", "main.yaml:19:5", {})
PROGRAM = Program("default/main", "v", "choose", {"choose": (MENU, KEYS), "code#1": (ASKED,)}, {}, ("en", "zh"))


def test_steps_that_take_keys_only_are_no_places() -> None:
    assert places(PROGRAM) == {
        "choose/menu(m)": {"en": "k1", "zh": "k2"}, "code/gather(c)": {"en": "k3"},
        "confirm code/gather(c)": {"en": "k4"},
    }  # fmt: skip


def test_a_wait_list_is_a_place_when_it_listens() -> None:
    hold = Program("default/main", "v", "hold", {}, {}, ("en",), hears={"en": "k5"}, said={"back": "1"}, accept=80)
    silent = Program("default/main", "v", "music", {}, {}, ("en",))
    program = msgspec.structs.replace(PROGRAM, waits={"hold": hold, "music": silent})
    assert places(program) == {**places(PROGRAM), "wait hold": {"en": "k5"}}
    wish = listening(program, Said("f", 1, 1, "wait hold", "k5", "en"), "2026-03-04")
    assert (wish.grammar, wish.language, wish.threshold, wish.today) == ("k5", "en", 0.8, "2026-03-04")


def test_a_call_would_listen_like_this() -> None:
    said = Said("f", 1, 1, "choose/menu(m)", "k2", "zh", lists={"name": ("Ana",)})
    wish = listening(PROGRAM, said, "2026-03-04")
    assert (wish.grammar, wish.language, wish.threshold, wish.today) == ("k2", "zh", 0.7, "2026-03-04")
    assert wish.lists == {"name": ("Ana",)}
    confirming = Said("f", 1, 1, "confirm code/gather(c)", "k4", "en")
    assert listening(PROGRAM, confirming, "").threshold == 0.5

"""Which files of a voice package say what ours say."""

from __future__ import annotations

from engine.dialplan import voice_packs
from engine.runtime.site_files import stock_prompts


def test_only_whole_counterparts_are_taken() -> None:
    pack = {"a": ("x", "y"), "b": ("x",), "c": ("gone",)}
    assert voice_packs.plan(pack, ["a", "b", "c", "d"], ["x", "y"]) == ({"a": ("x", "y"), "b": ("x",)}, ["c", "d"])


def test_every_name_in_the_map_is_a_stock_prompt() -> None:
    ours = [name.partition("/")[2] for name in stock_prompts()[1] if name.startswith("en/")]
    assert not set(voice_packs.ASTERISK) - set(ours)
    assert len(voice_packs.ASTERISK) >= 90

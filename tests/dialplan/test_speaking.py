from __future__ import annotations

import msgspec
import pytest

from engine.dialplan import saying
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from engine.dialplan.speaking import clips_for
from tests.dialplan.site import STOCK, files_with

SITE, _ = read_site(
    {
        **files_with(
            {"site.yaml": "ringdown: 1\nlanguages: [en, zh]\n", "tenants/press/tenant.yaml": "languages: [zh]\n"}
        ),
        "tenants/press/prompts/zh/digits/1.wav": WavInfo(300),
    },
    STOCK,
)
assert SITE is not None


def test_digits_keys_and_phones() -> None:
    assert clips_for("digits", "0*#", "en", SITE) == ("en/digits/0", "en/digits/star", "en/digits/hash")
    assert clips_for("phone", "+44 20", "zh", SITE) == ("zh/digits/4", "zh/digits/4", "zh/digits/2", "zh/digits/0")
    assert clips_for("digits", 12, "en", SITE) == ("en/digits/1", "en/digits/2")


def test_a_tenants_own_digits_come_first() -> None:
    assert clips_for("digits", "12", "zh", SITE, "press") == ("press:zh/digits/1", "zh/digits/2")


def test_positions() -> None:
    assert clips_for("position", 1, "en", SITE) == ("en/you_are_next",)
    assert clips_for("position", 12, "en", SITE) == ("en/position_is", "en/numbers/12")
    assert clips_for("position", 0, "en", SITE) == ()


@pytest.mark.parametrize("value", ["", "abc", "²", "-", True, False, -1, 10**30])
@pytest.mark.parametrize("kind", ["digits", "number", "phone", "position", "nonsense"])
def test_nothing_raises(kind: str, value: str | int | bool) -> None:
    for clip in clips_for(kind, value, "en", SITE):
        assert clip in SITE.prompts


def test_a_value_that_lacks_a_word_is_read_digit_by_digit_and_not_in_part() -> None:
    assert clips_for("money EUR", 1_250, "en", SITE) == ("en/numbers/12", "en/money/euros", "en/numbers/50")
    poor = {name: clip for name, clip in SITE.prompts.items() if name != "en/money/euros"}
    site = msgspec.structs.replace(SITE, prompts=poor)
    assert clips_for("money EUR", 1_250, "en", site) == tuple(f"en/digits/{each}" for each in "1250")
    assert clips_for("date", "2026-03-04", "en", SITE)[0] == "en/months/3"
    assert clips_for("spelled", "a-9", "zh", SITE) == ("zh/letters/a", "zh/digits/9")


@pytest.mark.parametrize("value", ["", "x", "2026-13-01", "25:99", "9:", True, -5, 10**30])
@pytest.mark.parametrize("kind", [*saying.KINDS, "money", "money EUR", "money XXX"])
@pytest.mark.parametrize("language", ["en", "zh", "de", "xx"])
def test_no_kind_raises_whatever_the_value(kind: str, value: str | int | bool, language: str) -> None:
    for clip in clips_for(kind, value, language, SITE):
        assert clip in SITE.prompts

"""An estimate in words: humane steps, upwards, a range that says something, in every language or not at all."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dialplan.model import Site
from engine.dialplan.prompts import read_stock
from engine.dialplan.reader import read_site
from engine.dialplan.wait_words import LONGEST_MIN, range_clips, said_range, spell
from tests.dialplan.site import BASE
from tests.dialplan.test_demo import ROOT, content

MINUTE = 60_000


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (3.2, 6.5, (4, 7)), (0, 0.5, (0, 2)), (0.2, 1.7, (0, 2)), (0, 4, (0, 4)), (3.1, 3.9, (3, 4)), (2, 2.5, (2, 3)),
        (9, 12, (9, 15)), (11, 14, (10, 15)), (12, 19, (15, 20)), (2, 9, None), (5, 14, (5, 15)), (1, 20, None),
        (31, 50, (30, 0)), (24, 31, (25, 0)), (30, 30, (30, 0)), (0.5, 3, (1, 3)),
    ],
)  # fmt: skip
def test_ranges(low: float, high: float, words: tuple[int, int] | None) -> None:
    assert said_range(int(low * MINUTE), int(high * MINUTE)) == words


@given(low=st.integers(0, 90 * MINUTE), width=st.integers(0, 60 * MINUTE))
def test_every_range_is_honest_and_humane(low: int, width: int) -> None:
    words = said_range(low, low + width)
    if words is None:
        assert width > 5 * MINUTE
        return
    least, most = words
    assert max(words) <= LONGEST_MIN and all(each <= 10 or each % 5 == 0 for each in words)
    if most:
        assert least < most and most * MINUTE >= low + width  # never less than what it may take
    else:
        assert low + width > LONGEST_MIN * MINUTE - 5 * MINUTE


def test_the_longer_the_wait_the_longer_what_is_said() -> None:
    spoken = [said_range(low, low + 3 * MINUTE) for low in range(0, 26 * MINUTE, 7_000)]
    ends = [words[1] for words in spoken if words is not None and words[1]]
    assert ends == sorted(ends)


def stock_site() -> Site:
    files = {**BASE, "site.yaml": b"ringdown: 1\nlanguages: [en, zh]\nnumbers:\n  100: main\n"}
    site, findings = read_site(files, read_stock(content(ROOT / "prompts")))
    assert site is not None, findings
    return site


def test_the_stock_recordings_say_it_in_both_languages() -> None:
    site = stock_site()
    said = {language: range_clips("4 7", language, site) for language in ("en", "zh")}
    assert said["en"] == ("en/wait_between", "en/numbers/4", "en/numbers/and", "en/numbers/7", "en/wait_minutes")
    assert said["zh"] == ("zh/wait_between", "zh/numbers/4", "zh/wait_to", "zh/numbers/7", "zh/wait_minutes")
    assert range_clips("0 2", "zh", site) == ("zh/wait_less_than", "zh/numbers/liang", "zh/wait_minutes")
    assert range_clips("30 0", "en", site) == ("en/wait_longer_than", "en/numbers/30", "en/wait_minutes")
    for low in range(60):
        for width in (0, 2, 5, 20):
            words = said_range(low * MINUTE, (low + width) * MINUTE)
            for language in ("en", "zh"):
                assert words is None or range_clips(spell(words), language, site)


def test_a_language_that_lacks_a_recording_says_nothing() -> None:
    site = stock_site()
    prompts = {name: each for name, each in site.prompts.items() if name != "en/wait_minutes"}
    lacking = msgspec.structs.replace(site, prompts=prompts)
    assert range_clips("4 7", "en", lacking) == () and range_clips("4 7", "zh", lacking)

"""What is made of packets that were heard: where a prompt ended, and the table."""

from __future__ import annotations

import pytest

from tools import barge_in


def _told(kind: str, prompt_ms: float | None, answer_ms: float | None, stalled: bool = False) -> barge_in.Told:
    return barge_in.Told(kind, "billing", 20.0, prompt_ms, answer_ms, stalled)


def test_a_prompt_ends_where_nothing_follows_for_a_while() -> None:
    prompt = [0.02 * place for place in range(5)]
    answer = [0.9 + 0.02 * place for place in range(5)]
    assert barge_in._prompt_end([*prompt, *answer], 0.5) == pytest.approx(0.08)
    assert barge_in._prompt_end([], 0.5) == 0.0
    assert barge_in._prompt_end([0.02 * place for place in range(200)], 0.5) is None


def test_the_table_counts_who_was_never_heard_and_leaves_out_what_the_machine_delayed() -> None:
    told = [_told("flite", 80.0, 300.0), _told("flite", None, None), _told("flite", 900.0, 900.0, stalled=True),
            _told(barge_in.KEY, 40.0, 540.0)]  # fmt: skip
    table = {row["interrupted"]: row for row in barge_in.rows(told)}
    assert table["all voices"]["of"] == 2 and table["all voices"]["left out"] == 1
    assert table["all voices"]["barge-in never"] == 1 and table["all voices"]["barge-in ms 99"] == 80
    assert table[barge_in.KEY]["barge-in ms 50"] == 40 and table["pink 20 dB"]["of"] == 2

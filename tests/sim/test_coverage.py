"""Which steps and branches tests have gone through, by name."""

from __future__ import annotations

from engine.sim.coverage import Coverage, coverage_of
from engine.sim.examining import examine
from tests.sim.shows import FILE, MAIN, site

WAITS = """
waits:
  hold:
    - play: thanks
    - menu: {prompt: choose, timeout: 3s, tries: 1, choices: {9: bye}, failed: continue}
    - music: 20s
"""
DIAL = """
  other:
    - dial: {to: 201, failed: bye}
    - hangup: served
  fault:
    - play: goodbye
    - hangup: failed
rescue: fault
"""
PLAN = MAIN.replace("whisper: about_support", "whisper: about_support\n        waiting: hold").replace(
    "          star: again", "          3: other\n          star: again"
) + DIAL.replace("rescue: fault\n", "") + "rescue: fault\n" + WAITS  # fmt: skip


def covered(tests: str) -> Coverage:
    made = site(**{"dialplans/main.yaml": PLAN})
    head = "ringdown: 1\ngiven: {dialled: 100, agents: {support: 1}}\ntests:\n"
    report = examine(made, {FILE: (head + tests).encode()})
    assert report.ok(), report
    cover = coverage_of(made)
    for _, result in report.results:
        cover.saw(result.events)
    return cover


def missing(tests: str) -> list[str]:
    return [f"{each.step} {each.way}".strip() for each in covered(tests).missing()]


def test_what_nobody_reached_is_named_and_stands_for_its_branches() -> None:
    found = missing("  a:\n    - press: 2\n    - press: 1234\n    - press: 9999\n    - outcome: served\n")
    assert found == [
        "main/menu(choose) failed", "main/menu(choose) 1", "main/menu(choose) 3", "main/menu(choose) *",
        "enter/gather(ask_code) failed", "enter/gather(ask_pin) failed", "support/answer", "support/queue(support)",
        "support/play(thanks)", "support/hangup(served)", "bye/play(goodbye)", "bye/hangup(failed)",
        "other/dial(201)", "other/hangup(served)", "hold/play(thanks)", "hold/menu(choose)", "hold/music",
    ]  # fmt: skip


def test_wait_lists_count_and_leaving_by_their_key_too() -> None:
    found = missing("  a:\n    - press: 1\n    - wait: 30s\n    - press: 9\n    - outcome: failed\n")
    assert "hold/play(thanks)" not in found and "hold/music" not in found
    assert not [each for each in found if each.startswith("support/queue(support) 9")]
    assert "support/queue(support) full" in found and "bye/play(goodbye)" not in found


def test_a_dial_that_names_only_failed_has_one_branch() -> None:
    found = missing("  a:\n    - press: 3\n    - agent: refuses\n    - outcome: failed\n")
    assert not [each for each in found if each.startswith("other/dial")]


def test_the_rescue_flow_is_nobodys_duty() -> None:
    assert not [each for each in missing("  a:\n    - hang_up\n") if each.startswith("fault")]


def test_counts() -> None:
    cover = covered("  a:\n    - press: 0\n    - hang_up\n")
    steps_seen, steps, ways_seen, ways = cover.counts()
    assert (steps_seen, ways_seen) == (6, 0) and steps == 19 and ways == 14
    assert cover.percent() == (100 * 6 / 19, 0.0)
    assert Coverage().percent() == (100.0, 100.0)
    assert coverage_of(site(), ["default/none"]).counts() == (0, 0, 0, 0)

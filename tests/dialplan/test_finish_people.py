"""What dial and queue take from where they are not told."""

from __future__ import annotations

from tests.dialplan.site import second_step


def test_the_unhappy_ways_of_dial_go_where_failed_goes() -> None:
    made = second_step("    - dial: {to: 200, busy: other, failed: continue}\n    - goto: other\n  other:\n")
    assert made.outs == {"failed": "", "busy": "other", "no_answer": "", "rejected": ""}


def test_queues_speak_what_the_queue_says() -> None:
    made = second_step(
        "    - queue: {name: support, full: continue, no_agents: continue, timeout: continue}\n",
        queues="support: {announce: [hello, choose], position: 30s, music: [default], skills: [power]}\n",
    )
    data = made.data
    assert data["announce"] == {"en": ["en/hello", "en/choose"]}
    assert (data["position"], data["music"]) == (30_000, ["music/default"])

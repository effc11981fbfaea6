"""What a rule says in which language; rules, quotas: see test_recording_reader."""

from __future__ import annotations

from engine.dialplan.recording_model import RecordingRule


def test_an_announcement_is_heard_in_another_language_rather_than_not_at_all() -> None:
    rule = RecordingRule({"en": ("en/told",), "zh": ("zh/told",)})
    assert rule.spoken("zh") == ("zh/told",)
    assert rule.spoken("fr") == ("en/told",)
    assert RecordingRule().spoken("en") == ()

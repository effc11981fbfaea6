"""`speech:` of a site and its tenants: each form, who inherits what, and what is refused."""

from __future__ import annotations

import pytest

from engine import marks
from engine.dialplan.findings import Report
from engine.dialplan.speech_model import SpeechModel
from engine.dialplan.speech_reader import read


def parse(text: str, inherited: dict[str, SpeechModel] | None = None) -> tuple[dict[str, SpeechModel], list[str]]:
    report = Report()
    root, _ = marks.load(text.encode(), "site.yaml")
    assert isinstance(root, marks.Mapping)
    found = read(report, root.entries.get("speech"), ("en", "de", "fr"), inherited or {})
    return found, [each.code for each in report.findings]


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("speech: {en: embedded}", SpeechModel("embedded")),
        ("speech: {en: none}", SpeechModel("none")),
        ("speech: {en: {folder: /srv/vosk/en}}", SpeechModel("folder", "/srv/vosk/en")),
        ('speech: {en: {remote: ["ws://10.0.0.5:2700", "wss://asr.example.net/en"], timeout: 3s}}',
         SpeechModel("remote", "", ("ws://10.0.0.5:2700", "wss://asr.example.net/en"), 3_000)),
        ('speech: {en: {remote: ["ws://a"], folder: /srv/en}}', SpeechModel("remote", "/srv/en", ("ws://a",))),
    ],
)  # fmt: skip
def test_forms(text: str, model: SpeechModel) -> None:
    assert parse(text) == ({"en": model}, [])


def test_a_tenant_says_only_what_differs() -> None:
    above = {"en": SpeechModel("none"), "de": SpeechModel("folder", "/srv/de")}
    assert parse("speech: {en: embedded}", above)[0] == {**above, "en": SpeechModel("embedded")}
    assert parse("about: x", above)[0] == above


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("speech: {en: loud}", "RD320"),
        ("speech: {fr: embedded}", "RD321"),
        ("speech: {es: none}", "RD322"),
        ('speech: {en: {remote: ["http://x"]}}', "RD323"),
        ('speech: {en: {remote: ["ws://x:99999"]}}', "RD323"),
        ('speech: {fr: {remote: ["ws://x"]}}', "RD325"),
        ("speech: {en: {timeout: 2s}}", "RD022"),
        ("speech: {en: {folder: vosk/en}}", "RD024"),
        ("speech: {en: {folder: /srv, colour: red}}", "RD021"),
        ("speech: {en: {folder: /srv, timeout: 1h}}", "RD024"),
        ("speech: [en]", "RD023"),
    ],
)
def test_what_is_refused(text: str, code: str) -> None:
    assert code in parse(text)[1]

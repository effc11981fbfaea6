"""`voices:` as admins write it, inherited by tenants, and what is refused."""

from __future__ import annotations

import pytest

from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.dialplan.voice_model import VoiceModel
from tests.dialplan.site import BASE, STOCK

HEAD = "ringdown: 1\nlanguages: [en, zh]\nnumbers:\n  100: main\n"


def read(voices: str, tenant: str = "") -> tuple[Site | None, list[str]]:
    files = {**BASE, "site.yaml": f"{HEAD}{voices}".encode(), "prompts/zh.yaml": b"hello: ni hao\n"}
    if tenant:
        files["tenants/press/tenant.yaml"] = tenant.encode()
    site, findings = read_site(files, STOCK)
    return site, [f"{each.code} {each.message}" for each in findings if each.code not in ("RD090", "RD091")]


def test_voices_by_name_by_form_and_by_command() -> None:
    site, found = read(
        "voices:\n  en: {engine: festival, voice: kal_diphone, wait: 2s, otherwise: skip}\n"
        "  zh: {command: \"piper -m 'zh model.onnx' --output_file {file}\", version: 3}\n"
    )
    assert site is not None and not found
    assert site.tenants["default"].voices == {
        "en": VoiceModel("festival", "kal_diphone", wait_ms=2_000, otherwise="skip"),
        "zh": VoiceModel("command", "", ("piper", "-m", "zh model.onnx", "--output_file", "{file}"), "3"),
    }


def test_a_tenant_speaks_as_the_site_does_unless_it_says_otherwise() -> None:
    site, found = read("voices: {en: flite, zh: espeak-ng}\n", "voices: {en: festival}\n")
    assert site is not None and not found
    assert site.tenants["press"].voices == {"en": VoiceModel("festival"), "zh": VoiceModel("espeak-ng")}
    assert read("")[0].tenants["default"].voices == {}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("voices", "told"),
    [
        ("voices: {en: flight}\n", "RD330 the voice of en: 'flight' is not known"),
        ("voices: {en: {engine: flight}}\n", "RD330 engine: 'flight' is not known"),
        ("voices: {fr: flite}\n", "RD331 no caller is spoken to in 'fr' here"),
        ("voices: {en: {voice: slt}}\n", "RD022 the voice of en names an engine or a command"),
        ("voices: {en: {engine: flite, command: say}}\n", "RD022 the voice of en names an engine or a command"),
        ("voices: {en: {engine: flite, voice: '-o'}}\n", "RD024 '-o' is not the name of a voice"),
        ("voices: {en: {engine: flite, speed: 3}}\n", "RD021"),
        ("voices: {en: {engine: flite, wait: 1min}}\n", "RD024 wait lies between 100ms and 10s"),
        ("voices: {en: {engine: flite, otherwise: beep}}\n", "RD024 otherwise: 'beep' is not known"),
        ("voices: {en: {command: 'say {wav}'}}\n", "RD332 nothing is put in for {wav}"),
        ("voices: {en: {command: 'say | sox'}}\n", "RD332 no shell reads the command: '|' would be an argument"),
        ("voices: {en: {command: '{text} say'}}\n", "RD332 the command names no program"),
        ("voices: {en: {command: \"say 'so\"}}\n", "RD332 the command can't be cut into words: no closing quotation"),
    ],
)
def test_what_is_refused(voices: str, told: str) -> None:
    assert [line for line in read(voices)[1] if line.startswith(told)], read(voices)[1]

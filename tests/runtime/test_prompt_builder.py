"""A site's texts spoken ahead: what is new, what changed, what stays, and never the admin's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.dialplan.prompts import inline_name
from engine.errors import SiteError
from engine.runtime import prompt_builder
from engine.runtime.prompt_builder import build
from engine.runtime.site_files import read_folder
from engine.runtime.wav import write_wav

DIALPLAN = """ringdown: 1
flows:
  main: [answer, {play: hello}, {play: code}, {say: Thank you.}, hangup: served]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site whose voice is a program that counts the words it says."""
    monkeypatch.setenv("RINGDOWN_CACHE", str(tmp_path / "cache"))
    tone = (4_000 * np.sin(np.arange(11_025) / 3)).astype(np.int16)
    write_wav(tmp_path / "said.wav", tone, 22_050)
    script = tmp_path / "voice"
    script.write_text(f'#!/bin/sh\ncat >> {tmp_path}/words; echo >> {tmp_path}/words\ncat {tmp_path}/said.wav\n')
    script.chmod(0o755)
    home = tmp_path / "site"
    (home / "dialplans").mkdir(parents=True)
    (home / "prompts" / "en").mkdir(parents=True)
    (home / "site.yaml").write_text(
        f"ringdown: 1\nlanguages: [en]\nvoices: {{en: {{command: {script}}}}}\nnumbers: {{100: main}}\n"
    )
    (home / "dialplans" / "main.yaml").write_text(DIALPLAN)
    (home / "prompts" / "en.yaml").write_text("hello: Hello.\ncode: You came from $access.caller, welcome.\n")
    return home


def words(home: Path) -> list[str]:
    return [line for line in (home.parent / "words").read_text().splitlines() if line]


def test_everything_without_a_recording_is_spoken(site: Path) -> None:
    assert {each.code for each in read_folder(site).findings} >= {"RD091"}
    built = build(site)
    folder = site / "prompts" / "en"
    inline = f"prompts/en/{inline_name('Thank you.')}"
    assert sorted(built.made) == ["prompts/en/code#1", "prompts/en/code#2", "prompts/en/hello", inline]
    assert not built.failed
    assert sorted(words(site)) == [", welcome.", "Hello.", "Thank you.", "You came from"]
    reading = read_folder(site)
    assert not [each for each in reading.findings if each.code in ("RD091", "RD092", "RD333")]
    assert reading.site is not None
    prompt = reading.site.prompts["en/hello"]
    assert prompt.path == str((folder / "hello.wav").resolve()) and 490 <= prompt.duration_ms <= 660


def test_what_is_spoken_stays_until_its_words_change(site: Path) -> None:
    build(site)
    said = len(words(site))
    stamp = (site / "prompts" / "en" / "manifest.yaml").stat().st_mtime_ns
    again = build(site)
    assert (again.made, again.kept) == ([], 4) and len(words(site)) == said
    assert (site / "prompts" / "en" / "manifest.yaml").stat().st_mtime_ns == stamp
    (site / "prompts" / "en.yaml").write_text("hello: Good day.\ncode: Welcome.\n")
    built = build(site)
    assert sorted(built.made) == ["prompts/en/code", "prompts/en/hello"]
    assert built.removed == ["prompts/en/code#1", "prompts/en/code#2"]
    assert sorted(words(site)[said:]) == ["Good day.", "Welcome."]
    assert not (site / "prompts" / "en" / "code#1.wav").exists()


def test_another_version_is_spoken_anew_and_an_old_text_comes_from_the_cache(site: Path) -> None:
    build(site)
    said = len(words(site))
    text = (site / "site.yaml").read_text()
    (site / "site.yaml").write_text(text.replace("}}", ", version: 2}}"))
    assert len(build(site).made) == 4 and len(words(site)) == said + 4
    (site / "site.yaml").write_text(text)
    assert len(build(site).made) == 4 and len(words(site)) == said + 4  # as it was: nothing is said
    assert len(build(site, everything=True).made) == 4 and len(words(site)) == said + 8


def test_an_own_recording_is_never_touched(site: Path) -> None:
    own = site / "prompts" / "en" / "hello.wav"
    write_wav(own, np.arange(-4_000, 4_000, dtype=np.int16))
    content = own.read_bytes()
    built = build(site)
    assert built.own == ["prompts/en/hello"] and own.read_bytes() == content and len(built.made) == 3
    write_wav(site / "prompts" / "en" / "code#1.wav", np.arange(-4_000, 4_000, dtype=np.int16))
    (site / "prompts" / "en.yaml").write_text("hello: Hello.\ncode: Welcome.\n")
    assert build(site, everything=True).removed == ["prompts/en/code#2"]
    assert own.read_bytes() == content and (site / "prompts" / "en" / "code#1.wav").exists()


def test_a_voice_that_fails_is_told_and_loses_nothing(site: Path) -> None:
    build(site)
    before = (site / "prompts" / "en" / "hello.wav").read_bytes()
    (site.parent / "voice").write_text("#!/bin/sh\necho no model >&2; exit 4\n")
    (site / "prompts" / "en.yaml").write_text("hello: Good day.\ncode: You came from $access.caller, welcome.\n")
    built = build(site)
    assert "prompts/en/hello" in built.failed and "no model" in built.failed["prompts/en/hello"]
    assert (site / "prompts" / "en" / "hello.wav").read_bytes() == before
    assert prompt_builder.read_manifest(site / "prompts" / "en")["hello"]["text"] == "Hello."
    assert [each.code for each in read_folder(site).findings if "hello" in each.message] == ["RD092"]


def test_a_refused_site_and_a_foreign_manifest_are_named(site: Path) -> None:
    (site / "prompts" / "en" / "manifest.yaml").write_text("- a list\n")
    with pytest.raises(SiteError, match="is no manifest: delete it"):
        build(site)
    (site / "dialplans" / "main.yaml").write_text("ringdown: 1\nflows:\n  main: [answr]\n")
    with pytest.raises(SiteError, match="the site has 1 errors; ringdown check"):
        build(site)

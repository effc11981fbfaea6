"""Entries of tenants' files with their places, for checks of this machine."""

from __future__ import annotations

from pathlib import Path

from engine.runtime import tenant_entries
from engine.runtime.site_files import read_folder


def test_each_tenant_with_its_own_file(tmp_path: Path) -> None:
    site = tmp_path / "site"
    files = {
        "site.yaml": "ringdown: 1\nlanguages: [en]\nvoices:\n  en: espeak-ng\nnumbers: {100: main}\n",
        "dialplans/main.yaml": "ringdown: 1\nflows:\n  main: [answer, hangup]\n",
        "tenants/press/tenant.yaml": "name: Press\nvoices: {en: flite}\n",
    }
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    reading = read_folder(site)
    assert reading.site is not None, reading.findings
    raw: dict[str, object] = {name: text.encode() for name, text in files.items()}
    site_read = reading.site

    def of_voices() -> dict[str, tenant_entries.Entries]:
        found = tenant_entries.of(raw, site_read, lambda tenant: tenant.voices)
        return {each.tenant.voices["en"].engine: each for each in found}

    found = of_voices()
    assert list(found) == ["espeak-ng", "flite"]
    ((key, value),) = found["flite"].under("voices")
    assert (key.text, value.file, value.line) == ("en", "tenants/press/tenant.yaml", 2)
    assert list(found["flite"].under("speech")) == []
    assert not list(tenant_entries.of(raw, site_read, lambda tenant: tenant.speech))
    del raw["site.yaml"]
    assert list(of_voices()) == ["flite"]

"""The seeded corpus: every file of broken/ is one mistake; its first line says which code it must give, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.dialplan.findings import CODES, render
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK

OFFICE: dict[str, bytes | WavInfo] = {"calendars.yaml": b"office: {open: [mon-fri 09:00-17:00]}\n"}
BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def head_of(path: Path) -> tuple[str, tuple[int, int], str]:
    """(code, (line, column), file in the site) of `# RD061 10:11 [file]`; column 0: any."""
    words = path.read_bytes().split(b"\n", 1)[0].decode().lstrip("# ").split()
    line, _, column = words[1].partition(":")
    return words[0], (int(line), int(column or 0)), words[2] if len(words) > 2 else "dialplans/main.yaml"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_mistake_is_found_at_its_place(path: Path) -> None:
    code, place, name = head_of(path)
    files = {**BASE, **OFFICE, name: path.read_bytes()}
    if code == "RD091":
        files = {each: content for each, content in files.items() if not each.endswith(".wav")}
    site, findings = read_site(files, STOCK)
    found = [(each.code, (each.line, each.column if place[1] else 0)) for each in findings if each.file == name]
    assert (code, place) in found, [render(each) for each in findings]
    severity = CODES[code][0]
    assert (site is None) == (severity == "error")
    # one mistake gives one error: nothing else is accused because of it
    errors = [(each.code, (each.line, each.column if place[1] else 0)) for each in findings if each.severity == "error"]
    assert set(errors) <= {(code, place)}, [render(each) for each in findings]
    for each in findings:
        assert each.column >= 1
        assert "^" in each.snippet or not each.snippet
        assert each.file in render(each)


def test_the_corpus_covers_the_codes() -> None:
    seeded = {head_of(path)[0] for path in BROKEN}
    assert sum(head_of(path)[2].startswith("dialplans/") for path in BROKEN) >= 60
    # the rest needs several files or bytes and is tested elsewhere
    elsewhere = "RD010 RD025 RD028 RD029 RD090 RD092 RD093 RD103 RD104 RD114 RD115 "
    elsewhere += "RD140 RD141 RD142 RD143 RD144 RD145 RD146 RD147 RD160"
    elsewhere += " RD240 RD241 RD242 RD243"  # recordings: test_prompt_use
    elsewhere += " RD244 RD245 RD246"  # test_utterance_rules
    elsewhere += " RD317 RD318 RD319"  # of speech corpora: test_corpus_reader
    elsewhere += " RD361"  # of the command `check`: test_outgoing_reader
    elsewhere += " RD333"  # needs the machine: tests/runtime/test_synthesizers
    elsewhere += " RD341 RD342 RD343 RD344"  # need the machine: tests/runtime/test_tls_check
    elsewhere += " RD324"  # needs the machine: tests/runtime/test_speech_check
    elsewhere += " RD288 RD291"  # need two files: test_grammars_reader
    elsewhere += " RD310 RD311 RD312 RD313 RD314 RD315"  # of a thorough check: test_speech_advice
    elsewhere += " RD366 RD367 RD384 RD385"  # need two files: test_profiles_site
    elsewhere += " RD351"  # needs two files: test_route_reader
    elsewhere += " RD230 RD231 RD232 RD233 RD234"  # tests of dialplans: tests/sim
    assert set(CODES) - seeded <= set(elsewhere.split())


def test_the_base_site_is_fine() -> None:
    site, findings = read_site(BASE, STOCK)
    assert site is not None
    assert findings == []

"""How findings are shown."""

from __future__ import annotations

import msgspec

from engine.dialplan.findings import CODES, ERROR, WARNING, Finding, did_you_mean, nearest, render
from engine.dialplan.model import Site
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with


def read(changes: dict[str, str], **wavs: WavInfo | bytes) -> tuple[Site | None, list[Finding]]:
    files = files_with(changes)
    files.update({path.replace("__", "/") + ".wav": info for path, info in wavs.items()})
    return read_site(files, STOCK)


def test_a_finding_is_shown_with_its_line_and_a_caret() -> None:
    _, findings = read({"dialplans/main.yaml": "ringdown: 1\nflows:\n  main:\n    - answer\n    - goto: 客suport\n"})
    text = render(findings[0])
    assert text.splitlines()[0] == "dialplans/main.yaml:5:13: error RD031: no flow '客suport'"
    assert text.splitlines()[1:3] == ["        - goto: 客suport", "                ^^^^^^^^"]
    bare = msgspec.structs.replace(findings[0], snippet="")
    assert (
        render(
            bare,
            {"dialplans/main.yaml": b"ringdown: 1\nflows:\n  main:\n    - answer\n    - goto: \xe5\xae\xa2suport\n"},
        )
        == text
    )


def test_the_nearest_spelling_is_offered() -> None:
    changes = {"dialplans/main.yaml": "ringdown: 1\nflows:\n  main:\n    - answer\n    - queue: suport\n    - hangup\n"}
    _, findings = read(changes)
    assert [each.suggestion for each in findings if each.code == "RD032"] == ["did you mean 'support'?"]


def test_many_mistakes_are_bounded() -> None:
    steps = "".join(f"    - verb{number}: x\n" for number in range(2_000))
    _, findings = read({"dialplans/main.yaml": f"ringdown: 1\nflows:\n  main:\n{steps}"})
    assert len(findings) == 200


def test_codes_are_stable_words() -> None:
    assert list(CODES) == sorted(CODES)
    for code, (severity, title, suffers) in CODES.items():
        assert suffers or code >= "RD230", code  # what somebody would suffer; tests are heard by nobody
        assert code.startswith("RD") and len(code) == 5
        assert severity in (ERROR, WARNING)
        assert title


def test_nearest_spelling() -> None:
    assert nearest("Suport", ["sales", "support"]) == "support"
    assert nearest("zzz", ["sales", "support"]) == ""
    assert did_you_mean("zzz", ["sales", "support"]) == "known here: sales, support"
    assert did_you_mean("zzz", [], otherwise="declare it") == "declare it"


def test_a_long_line_is_cut_around_the_mistake() -> None:
    line = "a" * 300 + "BAD" + "b" * 300
    text = render(Finding("RD001", ERROR, "f.yaml", 1, 301, "no", width=3), {"f.yaml": line.encode()})
    shown, caret = text.splitlines()[1:3]
    assert len(shown) < 130
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "BAD"


def test_a_place_beyond_the_file_has_no_snippet() -> None:
    assert render(Finding("RD028", ERROR, "f.yaml", 9, 1, "no"), {"f.yaml": b"a\n"}) == "f.yaml:9:1: error RD028: no"

"""The schemas as editors use them: yaml-language-server over stdio."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import schema
from engine.dialplan.reader import read_site
from engine.dialplan.verbs.table import VERBS
from engine.runtime.site_files import collect, stock_prompts
from tests.house.source import ROOT
from tests.interop.language_server import LanguageServer

pytestmark = pytest.mark.interop
SITES = sorted(path.parent for path in (ROOT / "dialplans").glob("*/site.yaml"))
PLAN = """\
ringdown: 1
about: every line that a typo is put into
languages: [en]
variables:
  code: digits 4..8
  vip: flag = no
always:
  5: person
rescue: bye
flows:
  main:
    - when:
        - if: vip
          then: away
    - answer
    - play: goodbye
    - play: [thank_you, goodbye]
    - menu:
        prompt: goodbye
        timeout: 6s
        tries: 3
        barge_in: yes
        choices:
          1: support
          98: bye
          0123: bye
          star: again
        failed: bye
    - hangup: served
  support:
    - language: en
    - priority: 2min
    - queue:
        name: support
        waiting: on_hold
        max_wait: 10min
        full: bye
        no_agents: bye
        timeout: bye
    - goto: bye
  person:
    - dial:
        to: 98660
        ring: 20s
        failed: bye
    - dial: {to: [201, 0042], failed: bye}
    - hangup: served
  code:
    - gather:
        into: code
        terminator: hash
        exact: 5
        failed: bye
    - set: {vip: true}
    - when:
        - if: vip
          then: bye
        - else: continue
    - goto: bye
  bye:
    - hangup: served
  away:
    - reject: 486
waits:
  on_hold:
    - position
    - music: 30s
"""
# (what stands there, what is typed): the line that gets it must be the line that is flagged
TYPOS = [
    ("languages: [en]", "langauges: [en]"), ("  code: digits 4..8", "  code: digts 4..8"), ("5: person", "5: persn"),
    ("5: person", "zero: person"), ("rescue: bye", "rescue: by"), ("    - answer", "    - anwser"),
    ("- play: goodbye", "- paly: goodbye"), ("- play: goodbye", "- play: goodbey"),
    ("[thank_you, goodbye]", "[thank_yu, goodbye]"), ("prompt: goodbye", "promt: goodbye"),
    ("timeout: 6s", "timeout: 6sec"), ("tries: 3", "tries: 30"), ("barge_in: yes", "barge_in: yess"),
    ("1: support", "1: suport"), ("star: again", "stern: again"), ("- language: en", "- language: de"),
    ("- priority: 2min", "- priority: 2 minutes"), ("name: support", "name: suppport"),
    ("waiting: on_hold", "waiting: onhold"), ("no_agents: bye", "no_agnets: bye"), ("into: code", "into: kode"),
    ("terminator: hash", "terminator: '#'"), ("exact: 5", "exact: five"), ("- reject: 486", "- reject: 487"),
    ("    - position", "    - gather"), ("then: bye", "than: bye"),
]  # fmt: skip
SITE = {
    "site.yaml": "ringdown: 1\nlanguages: [en]\nnumbers:\n  98668: main\n  0123:\n    dialplan: main\n    entry: code\n"
    "    seasons:\n      - {flow: main, from: 2026-12-01, until: 2026-12-31}\n",
    "queues.yaml": "support: {strategy: ring-all, ring: 20s}\n",
    "agents.yaml": "201: {name: Ana, queues: [support]}\n98660: {name: 98660}\n0042: {name: Li, logged_in: yes}\n",
    "dialplans/main.yaml": PLAN,
}


HINT = "# yaml-language-server: $schema=../.ringdown/schemas/dialplans.main.json"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for path, text in SITE.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    schema.write(folder)
    assert schema.hints(folder)["dialplans/main.yaml"] == HINT
    return folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[LanguageServer]:
    with LanguageServer(site) as running:
        yield running


def lines(server: LanguageServer, path: str, text: str) -> list[int]:
    """Where a text is flagged; lines from 0, the hint being line 0."""
    depth = "../" * path.count("/")
    hint = f"# yaml-language-server: $schema={depth}.ringdown/schemas/{schema.file_of(path)}"
    found = server.open(path, f"{hint}\n{text}")
    server.close(path)
    return [each["range"]["start"]["line"] for each in found]


def test_an_empty_step_offers_exactly_the_verbs(server: LanguageServer) -> None:
    text = PLAN
    for before in ("    - answer\n", "    - position\n"):
        text = text.replace(before, f"{before}    - \n")
    rows = text.splitlines()
    server.open("dialplans/main.yaml", f"{HINT}\n{text}")
    places = [number for number, row in enumerate(rows, 1) if row == "    - "]
    for line, place in zip(places, ("flow", "wait"), strict=True):
        offered = server.completion("dialplans/main.yaml", line, 6)
        assert len(offered) == len(set(offered))
        assert set(offered) == {verb.name for verb in VERBS.values() if place in verb.places}
    server.close("dialplans/main.yaml")


def test_names_and_texts_are_at_hand(server: LanguageServer) -> None:
    server.open("dialplans/main.yaml", f"{HINT}\n{PLAN}")
    rows = PLAN.splitlines()
    at = {row.strip(): number for number, row in enumerate(rows, 1)}
    assert server.completion("dialplans/main.yaml", at["name: support"], 14)[:1] == ["support"]
    assert "en: Goodbye" in server.hover("dialplans/main.yaml", at["- play: goodbye"], 14)
    server.close("dialplans/main.yaml")


def test_typos_are_flagged_on_their_lines(server: LanguageServer) -> None:
    assert len(TYPOS) >= 20
    assert lines(server, "dialplans/main.yaml", PLAN) == []
    missed = []
    for good, bad in TYPOS:
        assert PLAN.count(good) >= 1, good
        text = PLAN.replace(good, bad, 1)
        where = PLAN[: PLAN.index(good)].count("\n") + 1
        flagged = lines(server, "dialplans/main.yaml", text)
        if where not in flagged:
            missed.append(f"{bad!r} in line {where}: flagged {flagged}")
    assert not missed, missed


def test_a_missing_outcome_is_flagged(server: LanguageServer) -> None:
    assert lines(server, "dialplans/main.yaml", PLAN.replace("        timeout: bye\n", ""))


def test_the_other_files_too(server: LanguageServer) -> None:
    for path in ("site.yaml", "queues.yaml", "agents.yaml"):
        assert lines(server, path, SITE[path]) == [], path
    assert lines(server, "site.yaml", SITE["site.yaml"].replace("98668: main", "98668: mian")) == [4]
    assert lines(server, "queues.yaml", SITE["queues.yaml"].replace("ring-all", "ringalll")) == [1]
    assert lines(server, "queues.yaml", SITE["queues.yaml"].replace("ring:", "rings_for:")) == [1]
    assert lines(server, "agents.yaml", SITE["agents.yaml"].replace("[support]", "[suport]")) == [1]


def test_what_the_editor_takes_the_reader_takes_too(site: Path) -> None:
    """The text of these tests is a dialplan that the engine takes, and it refuses each typo as well."""
    _, stock = stock_prompts()
    files = collect(site)
    taken, findings = read_site(files, stock)
    assert taken is not None, findings
    for good, bad in TYPOS:
        typed = PLAN.replace(good, bad, 1).encode()
        assert read_site({**files, "dialplans/main.yaml": typed}, stock)[0] is None, bad


@pytest.mark.parametrize("example", SITES, ids=lambda path: path.name)
def test_examples_give_no_finding(example: Path, tmp_path: Path) -> None:
    folder = tmp_path / example.name
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns("*.wav"))
    schema.write(folder)
    hints = schema.hints(folder)
    assert hints
    with LanguageServer(folder) as server:
        for path, hint in hints.items():
            found = server.open(path, f"{hint}\n{(folder / path).read_text('utf-8')}")
            assert not found, f"{path}: {found}"
            server.close(path)

"""Any text of any file gives a site or findings, each at a place; never a traceback."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dialplan.findings import CODES, render
from engine.dialplan.mending import mend
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import check_site, check_text
from tests.dialplan.site import BASE, STOCK
from tests.dialplan.test_interpreter import ROUND
from tests.dialplan.test_language import EXAMPLES

FOLDER = Path(__file__).parent / "broken"
SITES = Path(__file__).parents[2] / "dialplans"
SHIPPED = {path: path.read_bytes() for path in sorted(SITES.rglob("*.yaml")) if path.name != "manifest.yaml"}
SEEDS = [
    *SHIPPED.values(),
    ROUND.encode(),
    *(each.encode() for each in EXAMPLES),
    *(path.read_bytes() for path in sorted(FOLDER.iterdir())),
]
NAMES = ["dialplans/main.yaml", "site.yaml", "queues.yaml", "agents.yaml", "trunks.yaml", "outbound.yaml",
         "calendars.yaml", "prompts/en.yaml", "tenants/x/tenant.yaml", "tenants/x/dialplans/y.yaml"]  # fmt: skip
TOKENS = [b"again", b"continue", b"[", b"]", b"{", b"}", b": ", b"- ", b"\n", b"  ", b"'", b'"', b"$x", b"${", b"#",
          b"*", b"&a", b"!t", b"\xff", b"0", b"star", b"menu:", b"when:", b"if: ", b"then: ", b"goto: main", b"1",
          b"choices:", b"then:", b"\xc2\xb2", b"99999999999999999999", b"mon-fri 08:00-20:00",
          b" to ", b"12-24", b"5 EUR", b"main.main", b"a#1", b"-1", b"\t"]  # fmt: skip


def check(name: str, data: bytes) -> None:
    judge({**BASE, name: data})


def judge(files: dict[str, bytes | WavInfo]) -> None:
    """A site, or errors with a place inside a file; whatever is found has its code and its words."""
    checked = check_site(files, STOCK)
    for finding in [*checked.findings, *checked.waived]:
        assert finding.code in CODES
        assert finding.line >= 1
        assert finding.column >= 1
        content = files.get(finding.file)
        if isinstance(content, bytes) and finding.line > 1:
            assert finding.line <= content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        assert render(finding, files)
    assert (checked.site is None) == any(finding.severity == "error" for finding in checked.findings)


def mutate(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        kind = chance.randint(0, 4)
        if kind == 0:
            data = data[:at] + chance.choice(TOKENS) + data[at:]
        elif kind == 1:
            data = data[:at] + data[at + chance.randint(1, 12) :]
        elif kind == 2:
            line = chance.choice(data.split(b"\n") or [b""])
            data = data[:at] + line + data[at:]
        elif kind == 3:
            rows = data.split(b"\n")
            chance.shuffle(rows[2:])
            place = chance.randrange(len(rows))
            rows[place] = chance.choice([b"  ", b"    ", b""]) + rows[place].lstrip()
            data = b"\n".join(rows)
        else:
            data = data[:at] + bytes([chance.randint(0, 255)]) + data[at + 1 :]
    return data


def test_mutations_of_good_and_bad_files() -> None:
    chance = random.Random(4711)
    for number in range(1_200):
        data = mutate(chance, chance.choice(SEEDS))
        check(NAMES[number % len(NAMES)] if number % 3 == 0 else NAMES[0], data)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join), st.sampled_from(NAMES))
def test_any_tokens(data: bytes, name: str) -> None:
    check(name, data)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_any_text_of_a_dialplan(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for finding in check_text(b"ringdown: 1\n" + data):
        assert finding.code in CODES


YAML_LIKE = st.recursive(
    st.sampled_from(["a", "main", "$x", "1", "''", "yes", "20s", "answer", "[a]", "{a: b}", "again", "'0'"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: "[" + ", ".join(each) + "]"),
        st.dictionaries(
            st.sampled_from(["prompt", "name", "to", "choices", "cases", "value", "if", "then", "else", "into",
                             "failed",
                             "full", "1", "star", "dialplan", "entry", "queues", "skills", "flow", "with"]),
            inner, max_size=4,
        ).map(lambda each: "{" + ", ".join(f"{key}: {value}" for key, value in each.items()) + "}"),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        ["play", "say", "music", "menu", "gather", "when", "switch", "set", "tag", "queue", "dial", "record", "goto",
         "subflow", "return", "hangup", "reject", "language", "priority", "silence", "answer", "echo", "position"]
    ),
    YAML_LIKE,
)  # fmt: skip
def test_any_shape_behind_any_verb(verb: str, value: str) -> None:
    text = (
        f"ringdown: 1\nvariables: {{x: digits 4}}\nflows:\n  main:\n    - answer\n    - {verb}: {value}\n    - hangup\n"
    )
    check("dialplans/main.yaml", text.encode())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(
        ["numbers", "codes", "languages", "listen", "retention", "music", "realm", "strategy", "ring", "announce",
         "rest", "service_level", "queues", "skills", "contact", "phone", "host", "addresses", "auth", "trunk", "strip",
         "teams"]
    ),
    YAML_LIKE,
    st.sampled_from(["site.yaml", "queues.yaml", "agents.yaml", "trunks.yaml", "outbound.yaml",
                     "tenants/x/tenant.yaml"]),
)  # fmt: skip
def test_any_shape_in_any_file(key: str, value: str, name: str) -> None:
    check(name, f"ringdown: 1\n{key}: {value}\n".encode())
    check(name, f"201: {{{key}: {value}}}\nsupport: {{{key}: {value}}}\n0x.: {{{key}: {value}}}\n".encode())


# --- the shipped sites, spoilt --------------------------------------------------------------------------------
def whole_site(path: Path) -> tuple[str, dict[str, bytes | WavInfo]]:
    """(name inside its site, the site's files) of a shipped file."""
    home = next(folder for folder in path.parents if (folder / "site.yaml").is_file())
    files: dict[str, bytes | WavInfo] = {
        each.relative_to(home).as_posix(): content for each, content in SHIPPED.items() if each.is_relative_to(home)
    }
    return path.relative_to(home).as_posix(), files


EDITS = st.tuples(
    st.sampled_from(["drop", "double", "swap", "indent", "dedent", "word", "value", "token", "join", "cut"]),
    st.integers(0, 10_000),
    st.sampled_from([*TOKENS, b"allow:", b"RD201: x", b"support", b"yes", b"12:30", b"|", b">"]),
)


def spoil(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """A text with lines dropped, moved, cut, and words put in place of others."""
    lines = data.split(b"\n")
    for kind, where, token in edits:
        at = where % len(lines)
        line = lines[at]
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, line)
        elif kind == "swap":
            lines[at], lines[at - 1] = lines[at - 1], line
        elif kind == "indent":
            lines[at] = b"  " + line
        elif kind == "dedent":
            lines[at] = line.removeprefix(b"  ")
        elif kind == "word":
            words = line.split(b" ")
            words[where % len(words)] = token
            lines[at] = b" ".join(words)
        elif kind == "value":
            lines[at] = line.partition(b":")[0] + b": " + token
        elif kind == "token":
            lines[at] = line[: where % (len(line) + 1)] + token + line[where % (len(line) + 1) :]
        elif kind == "join" and at:
            lines[at - 1] += lines.pop(at)
        elif kind == "cut":
            lines[at] = line[: where % (len(line) + 1)]
    return b"\n".join(lines)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SHIPPED)), st.lists(EDITS, min_size=1, max_size=5))
def test_the_shipped_sites_spoilt(path: Path, edits: list[tuple[str, int, bytes]]) -> None:
    name, files = whole_site(path)
    judge({**files, name: spoil(SHIPPED[path], edits)})


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.sampled_from(SEEDS), st.lists(EDITS, min_size=1, max_size=2))
def test_what_is_spoilt_is_mended_once_or_left(data: bytes, edits: list[tuple[str, int, bytes]]) -> None:
    files: dict[str, bytes | WavInfo] = {**BASE, "dialplans/main.yaml": spoil(data, edits)}
    changed, mended = mend(files, STOCK)
    assert bool(changed) == bool(mended)
    judge({**files, **changed})
    assert mend({**files, **changed}, STOCK) == ({}, [])

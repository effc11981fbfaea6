"""Any text of any file gives a site or findings, each at a place; never a traceback."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dialplan.findings import CODES, render
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import check_text, read_site
from tests.dialplan.site import BASE, STOCK
from tests.dialplan.test_interpreter import ROUND
from tests.dialplan.test_language import EXAMPLES

FOLDER = Path(__file__).parent / "broken"
SEEDS = [
    ROUND.encode(),
    *(each.encode() for each in EXAMPLES),
    *(path.read_bytes() for path in sorted(FOLDER.iterdir())),
]
NAMES = ["dialplans/main.yaml", "site.yaml", "queues.yaml", "agents.yaml", "trunks.yaml", "outbound.yaml",
         "prompts/en.yaml", "tenants/x/tenant.yaml", "tenants/x/dialplans/y.yaml"]  # fmt: skip
TOKENS = [b"again", b"continue", b"[", b"]", b"{", b"}", b": ", b"- ", b"\n", b"  ", b"'", b'"', b"$x", b"${", b"#",
          b"*", b"&a", b"!t", b"\xff", b"0", b"star", b"menu:", b"when:", b"if: ", b"then: ", b"goto: main", b"1",
          b"choices:", b"then:", b"\xc2\xb2", b"99999999999999999999", b"main.main", b"a#1", b"-1", b"\t"]  # fmt: skip


def check(name: str, data: bytes) -> None:
    files: dict[str, bytes | WavInfo] = {**BASE, name: data}
    site, findings = read_site(files, STOCK)
    for finding in findings:
        assert finding.code in CODES
        assert finding.line >= 1
        assert finding.column >= 1
        assert render(finding, files)
    assert (site is None) == any(finding.severity == "error" for finding in findings)


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

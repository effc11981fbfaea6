"""`recorded_prompts:`: which prompts may be recorded by phone."""

from __future__ import annotations

import pytest

from tests.dialplan.site import BASE, STOCK, read_site


def read(text: str) -> tuple[dict[str, str], list[str]]:
    files = {
        **BASE, "site.yaml": f"ringdown: 1\nlanguages: [en]\nrecorded_prompts: {text}\n".encode(),
        "prompts/en.yaml": b"hello: Hello.\nchoose: Choose now.\nslots: Your number is $number.\n",
    }  # fmt: skip
    made, findings = read_site(files, STOCK)
    found = made.tenants["default"].recordable if made is not None else {}
    return found, [each.code for each in findings if each.severity == "error"]


def test_a_prompt_by_its_key() -> None:
    assert read("{1: hello, 22: {prompt: choose, language: en}}") == ({"1": "en/hello", "22": "en/choose"}, [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{1: nosuch}", "RD185"), ("{1: goodbye}", "RD185"), ("{one: hello}", "RD024"), ("{123: hello}", "RD024"),
        ("{1: {language: en}}", "RD022"), ("{1: {prompt: hello, language: fr}}", "RD024"),
        ("{1: {prompt: hello, colour: red}}", "RD021"), ("[hello]", "RD023"), ("{1: [hello]}", "RD023"),
    ],
)  # fmt: skip
def test_what_cannot_be_recorded(text: str, code: str) -> None:
    assert code in read(text)[1]

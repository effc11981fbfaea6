from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dialplan.prompts import (
    Fixed,
    Slot,
    SlotProblem,
    WavInfo,
    clip_names,
    estimate_ms,
    inline_name,
    literal_parts,
    read_stock,
    split_text,
    wanted_clips,
    wav_info,
)
from engine.errors import SiteError


def wav(seconds: float = 1.0, rate: int = 8_000, form: int = 1, bits: int = 16) -> bytes:
    bytes_per_second = rate * bits // 8
    data = bytes(int(bytes_per_second * seconds))
    header = struct.pack("<HHIIHH", form, 1, rate, bytes_per_second, bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_a_text_is_cut_at_its_slots() -> None:
    parts = split_text("Your code is $code, thank you.")
    assert [type(part) for part in parts] == [Fixed, Slot, Fixed]
    assert clip_names("heard", parts)[::2] == ["heard#1", "heard#2"]
    assert literal_parts("heard", "Your code is $code.") == {"heard#1": "Your code is"}
    assert literal_parts("hello", "Hello, you.") == {"hello": "Hello, you."}
    assert literal_parts("only", "$code") == {}


def test_slots_say_how_they_are_spoken_and_stand_in_mandarin() -> None:
    slot = split_text("您的户号是$account，对吗？")[1]
    assert isinstance(slot, Slot)
    assert (slot.name, slot.spoken_as, slot.at, slot.width) == ("account", "", 5, 8)
    slot = split_text("${access.caller as digits}")[0]
    assert isinstance(slot, Slot)
    assert (slot.name, slot.spoken_as) == ("access.caller", "digits")


def test_a_final_stop_is_not_part_of_a_name_and_two_dollars_are_one() -> None:
    assert [part.name for part in split_text("It is $customer.balance.") if isinstance(part, Slot)] == [
        "customer.balance"
    ]
    assert split_text("It costs $$5.") == [Fixed("It costs $5.", 0)]


@pytest.mark.parametrize(("text", "at"), [("a $ b", 2), ("${x", 0), ("${}", 0), ("costs $5", 6), ("${X}", 0)])
def test_a_slot_that_names_nothing(text: str, at: int) -> None:
    with pytest.raises(SlotProblem) as caught:
        split_text(text)
    assert caught.value.at == at
    assert literal_parts("x", text) == {}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="ab$ {}.中as", max_size=30))
def test_names_and_fixed_parts_always_agree(text: str) -> None:
    try:
        parts = split_text(text)
    except SlotProblem:
        return
    named = [each for each in clip_names("p", parts) if isinstance(each, str)]
    assert len(named) == len(literal_parts("p", text)) == len([part for part in parts if isinstance(part, Fixed)])


def test_wav_lengths() -> None:
    info = wav_info(wav(1.5), "x.wav")
    assert (info.duration_ms, info.rate, info.sides, info.path) == (1_500, 8_000, 1, "x.wav")
    assert wav_info(wav(0.5, 16_000)).duration_ms == 500
    assert wav_info(wav(1, 8_000, 7, 8)).duration_ms == 1_000
    assert len(info.sha256) == 64


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"ID3 not a wave file", wav(1, form=85), wav()[:36], b"RIFF\0\0\0\0WAVEdata\0\0\0\0"]
)
def test_not_a_wav(data: bytes) -> None:
    with pytest.raises(SiteError):
        wav_info(data)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_wav_or_refused(tail: bytes) -> None:
    for data in (tail, b"RIFF\0\0\0\0WAVE" + tail, wav(0.001)[:20] + tail):
        with contextlib.suppress(SiteError):
            assert wav_info(data).duration_ms >= 0


def test_stock_is_read_from_manifests_and_music() -> None:
    stock = read_stock(
        {
            "en/manifest.yaml": b"voices: {}\nprompts:\n  hi:\n    text: Hi\n    duration_ms: 700\n    sha256: ab\n"
            b"  digits/1: {text: one, duration_ms: x}\n  broken: [1]\n",
            "music/default.wav": WavInfo(9_000, "music/default.wav"),
            "en/README.md": b"words",
        }
    )
    assert stock["en/hi"].duration_ms == 700
    assert stock["en/hi"].path == "en/hi.wav"
    assert stock["en/digits/1"].duration_ms == 0
    assert stock["music/default"].duration_ms == 9_000
    assert set(stock) == {"en/hi", "en/digits/1", "music/default"}


def test_what_the_builder_must_build() -> None:
    files = {
        "site.yaml": b"ringdown: 1\nlanguages: [en, zh]\n",
        "prompts/en.yaml": b"hello: Hello.\nheard: It is $code now.\n",
        "tenants/press/prompts/zh.yaml": "hello: 您好。\n".encode(),
        "dialplans/main.yaml": b"flows:\n  main:\n    - say: You pressed $code.\n",
        "prompts/fr.yaml": b"broken: [\n",
        "dialplans/main.speech.yaml": b"utterances:\n  - {at: main, say: a person please, intent: person}\n",
        "dialplans/main.test.yaml": b"tests:\n  words:\n    - say: a person please\n",
    }
    wanted = {each.path: each.text for each in wanted_clips(files)}
    inline = inline_name("You pressed $code.")
    assert wanted == {
        "prompts/en/hello.wav": "Hello.",
        "prompts/en/heard#1.wav": "It is",
        "prompts/en/heard#2.wav": "now.",
        "tenants/press/prompts/zh/hello.wav": "您好。",
        f"prompts/en/{inline}#1.wav": "You pressed",
    }


def test_estimates() -> None:
    assert estimate_ms("Hi") == 400
    assert estimate_ms("请稍候请稍候") == 1_440
    assert estimate_ms("x" * 10_000) == 120_000

"""Hours and spoken values over real sockets: the open branch by the real clock, an operator's shut one by a calendar,
and amounts, dates, times and ordinals heard as the stock recordings say them, in English and in Mandarin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import listening
import numpy as np
import pytest
from harness.children import until
from harness.rtp import Ear
from harness.server import ROOT, Engine

CALENDARS = """\
open: {open: always}
shut: {open: [daily 00:00-24:00], special: {2020-01-01 to 2022-01-01: closed, 01-01 to 12-31: holiday}}
"""
DIALPLAN = """\
ringdown: 1
languages: [en, zh]
variables:
  balance: money EUR = 12.50 EUR
  yuan: money CNY = 12.50 CNY
  due: date = 2026-03-04
  opens: time = 8:05
  place: number = 21
flows:
  main:
    - answer
    - hours: {calendar: open, closed: wrong, holiday: wrong}
    - hours: {calendar: shut, closed: wrong, holiday: speak}
    - goto: wrong
  speak:
    - say: $balance $due $opens ${place as ordinal}
    - language: zh
    - say: $yuan $due $opens ${place as ordinal}
    - hangup: said
  wrong:
    - hangup: wrong
"""
ENGLISH = (
    "numbers/12 money/euros numbers/50 months/3 ordinals/4 numbers/20 numbers/20 numbers/6 numbers/8 time/oh numbers/5 "
    "time/am numbers/20 ordinals/1"
)
MANDARIN = (
    "numbers/10 numbers/2 money/yuan numbers/5 money/jiao numbers/2 numbers/0 numbers/2 numbers/6 date/year numbers/3 "
    "date/month numbers/4 date/day numbers/8 time/hour numbers/0 numbers/5 time/minute ordinals/di numbers/2 "
    "numbers/10 numbers/1"
)


@pytest.fixture
def speaking() -> Iterator[Engine]:
    number = ("numbers:\n", "numbers:\n  8703: {dialplan: interop, public: yes}\n")
    engine = Engine(edits={"site.yaml": number}, extra=DIALPLAN)
    (engine.site / "calendars.yaml").write_text(CALENDARS)
    with engine as running:
        yield running


def sound(language: str, names: str) -> listening.Samples:
    folder = ROOT / "prompts" / language
    return np.concatenate([listening.read_wav(folder / f"{name}.wav") for name in names.split()])


def test_what_a_caller_hears_is_what_the_values_say(speaking: Engine) -> None:
    english, mandarin = sound("en", ENGLISH), sound("zh", MANDARIN)
    with speaking.phone("stranger", secret=False) as phone, Ear() as ear:
        dialog = phone.call("8703", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        until(lambda: ended(speaking), 40, every=0.5, what="everything is said")
        heard = ear.heard()
    assert listening.share_heard(english, heard, score=0.85) > 0.9, "English is not what was heard"
    assert listening.share_heard(mandarin, heard, score=0.85) > 0.9, "Mandarin is not what was heard"
    (last,) = ended(speaking)
    texts = [str(event["data"].get("text", "")) for event in speaking.events(last["call"])]
    states = [text for text in texts if text.startswith("hours: ")]
    assert states == ["hours: default/open open", "hours: default/shut holiday"]
    assert last["data"]["outcome"] == "said"


def ended(engine: Engine) -> list[dict[str, Any]]:
    return [event for event in engine.events() if event["kind"] == "call.ended"]

"""The picture of an utterance: well formed, and every mark where its time is."""

from __future__ import annotations

from xml.etree import ElementTree

from engine.speech import picture
from engine.speech.endpointing import Gates
from engine.speech.picture import LEFT, RIGHT, WIDTH, Line, Word

NS = "{http://www.w3.org/2000/svg}"
GATES = [Gates(-60.0, -62.0, -99.0, at < 5, False) for at in range(10)]
GATES += [Gates(-20.0, -62.0, -99.0, False, True) for _ in range(10)]


def test_marks_gates_and_words_are_where_they_belong() -> None:
    lines = [Line((Word("my", 200, 280), Word("<bill>", 300, 400)), 12.5), Line((Word("mile", 200, 400),), 10.0)]
    text = picture.draw("a & b.wav", GATES, lines, start_ms=200, end_ms=380, decided_ms=400)
    root = ElementTree.fromstring(text)
    told = [each.text for each in root.iter(f"{NS}text")]
    assert {"a & b.wav", "start 200 ms", "end 380 ms", "decided 400 ms", "<bill>", "0.0", "-2.5"} <= set(told)
    (tone,) = [each for each in root.iter(f"{NS}rect") if each.get("class") == "tone"]
    wide = (WIDTH - LEFT - RIGHT) / 400
    assert float(tone.get("x") or 0) == LEFT and abs(float(tone.get("width") or 0) - 100 * wide) < 0.2
    (level,) = [each for each in root.iter(f"{NS}rect") if each.get("class") == "level"]
    assert abs(float(level.get("x") or 0) - (LEFT + 200 * wide)) < 0.2
    assert len([each for each in root.iter(f"{NS}rect") if each.get("class") == "w"]) == 3


def test_nobody_spoke() -> None:
    root = ElementTree.fromstring(picture.draw("x", [], [], start_ms=-1, end_ms=-1, decided_ms=-1))
    told = [each.text for each in root.iter(f"{NS}text")]
    assert "nothing was understood" in told and not [each for each in told if (each or "").endswith(" ms")]

"""One caller whose words are kept: from a sentence not understood to a case of the corpus; and a secret, of which
nothing is left anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from harness import speaker
from harness.server import ROOT, Engine
from test_speech import Visiting, heard

from engine.runtime.wav import read_wav

pytestmark = pytest.mark.interop

SITE = """\
recording:
  utterances: {consent: "a test, and the voice is nobody's"}
numbers:
  8820: {dialplan: interop, public: yes}
"""
DIALPLAN = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases:
  billing: [billing, my bill]
variables:
  code: digits 4 sensitive
flows:
  main:
    - answer
    - menu: {prompt: say_again, listen: [keys, speech], timeout: 4s, tries: 3, choices: {1: billing}, failed: desk}
  billing:
    - gather: {into: code, prompt: say_again, listen: [keys, speech], timeout: 4s, tries: 1, failed: desk}
    - hangup: billing
  desk:
    - hangup: desk
"""
UNKNOWN, SECRET = "we would rather have some tea in the garden", "seven two nine four"


def alike(kept: np.ndarray, said: np.ndarray) -> float:
    """The largest correlation of what was said with a stretch of what was kept, 0 to 1."""
    spectrum = np.fft.rfft(kept, kept.size + said.size) * np.conj(np.fft.rfft(said, kept.size + said.size))
    place = int(np.argmax(np.fft.irfft(spectrum)[: kept.size]))
    part = kept[place : place + said.size]
    return float(np.corrcoef(part, said[: part.size])[0, 1])


def test_kept_listed_labelled_and_a_case_and_nothing_of_a_secret() -> None:
    engine = Engine(edits={"site.yaml": ("numbers:\n", SITE)}, extra=DIALPLAN)
    engine.edit("site.yaml", "retention:\n", "retention:\n  utterances: 30d\n")
    with engine:
        with Visiting(engine) as visit:
            for words in (UNKNOWN, "billing", SECRET):
                visit.wait_loud(visit.said_s[-1][1] if visit.said_s else 0.0)
                visit.wait_quiet()
                visit.say(speaker.words(words))
        assert visit.outcome == "billing", heard(engine, visit)
        first, second, third = heard(engine, visit)
        assert (first["result"], second["intent"], third["slots"]) == ("no_match", "billing", "code=····")
        # the sound, as it was said; of the secret none
        files = list((engine.data / "utterances").rglob("*.wav"))
        assert third["audio"] == "" and len(files) == 2
        kept = read_wav(engine.data / str(first["audio"]))
        print(f"correlation {alike(kept, speaker.words(UNKNOWN)):.3f}, {kept.size / 8:.0f} ms")
        assert alike(kept, speaker.words(UNKNOWN)) > 0.9
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
        # the worst of the list, labelled, and a case that runs
        rows = json.loads(engine.command("utterances", "--json").stdout)
        assert rows[0]["call"] == visit.call and rows[0]["wrong"] == ["no match"] and rows[0]["audio"]
        assert engine.command("utterances", "label", rows[0]["id"], UNKNOWN).returncode == 0
        made = engine.command("utterances", "cases", "--with-audio", "--site", str(engine.site))
        assert made.returncode == 0, made.stdout + made.stderr
        corpus = engine.site / "dialplans" / "interop.speech.yaml"
        assert "file:" in corpus.read_text() and "expect: no match" in corpus.read_text()
        command = [sys.executable, "-m", "engine", "test", str(corpus), "--speech"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr
        time.sleep(0.3)  # the last batch of records
        everything = b"".join(path.read_bytes() for path in engine.data.rglob("*") if path.is_file())
        said = engine.command("tail", "--since", "1h", "--once", "--json").stdout
        for secret in (SECRET, "7294"):
            assert secret.encode() not in everything and secret not in said and secret not in engine.output()

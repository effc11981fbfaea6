"""Labels become cases of a site's corpora, once each; and what can't is said and left."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.dialplan.corpus_places import listening_steps
from engine.errors import SiteError
from engine.runtime import utterance_cases, utterances
from engine.runtime.site_files import read_folder
from tests.runtime.test_utterances import AUDIO, heard, store

CLINIC = Path(__file__).parents[2] / "dialplans" / "clinic"
NAME = "dialplans/front.speech.yaml"


def cases(folder: Path, site: Path, *, with_audio: bool = False) -> utterance_cases.Done:
    read = read_folder(site).site
    assert read is not None
    return utterance_cases.write(folder, site, read, with_audio=with_audio)


def labelled(tmp_path: Path, *said: tuple[str, dict[str, Any]]) -> tuple[Path, Path]:
    """(data folder, a copy of the clinic) with these labels: (what was said, how it was heard)."""
    site, data = tmp_path / "site", tmp_path / "data"
    data.mkdir()
    shutil.copytree(CLINIC, site)
    program = read_folder(site).site.programs["default/front"]  # type: ignore[union-attr]
    steps = {step.id.partition("/")[0]: step.id for step in listening_steps(program)}
    store(data, *(("bako-0", "speech.heard", {**heard(), "step": steps[more.get("flow", "choose")], **more})
                  for _, more in said))  # fmt: skip
    (data / AUDIO).parent.mkdir(parents=True)
    (data / AUDIO).write_bytes((site / "prompts" / "en" / "welcome.wav").read_bytes())
    for number, (words, _) in enumerate(said, 1):
        utterances.label(data, utterances.one(data, f"bako-0/{number}"), words, "ana")
    return data, site


def test_once_beside_what_stands_there(tmp_path: Path) -> None:
    data, site = labelled(
        tmp_path, ("I need my tablets please", {}), ("double seven zero two oh one", {"flow": "prescriptions"}),
        ("I need MY tablets", {}), ("it rains", {}), ("i need my tablets  please", {}),
    )  # fmt: skip
    before = (site / NAME).read_text()
    done = cases(data, site)
    assert set(done.written) == {"bako-0/1", "bako-0/2", "bako-0/4"} and done.left == {}
    assert done.known == {"bako-0/3": NAME, "bako-0/5": NAME}  # as the clinic has it, and twice
    after = (site / NAME).read_text()
    assert after.startswith(before)
    assert "intent: prescriptions" in after[len(before) :] and "patient: 770201" in after[len(before) :]
    assert after[len(before) :].count("expect: no match") == 1 and "file:" not in after[len(before) :]
    assert cases(data, site) == utterance_cases.Done() and (site / NAME).read_text() == after
    assert not list(site.rglob("*.part")) and not (site / "dialplans" / "front.speech").exists()


def test_with_its_sound(tmp_path: Path) -> None:
    data, site = labelled(tmp_path, ("renew my prescription now", {}), ("", {}))
    assert cases(data, site).left == {"bako-0/2": "nothing was said that could be spoken: only its sound makes a case, "
                                                  "--with-audio"}  # fmt: skip
    assert cases(data, site, with_audio=True).written == {"bako-0/2": NAME}
    copy = site / "dialplans" / "front.speech" / Path(AUDIO).name
    assert copy.read_bytes() == (data / AUDIO).read_bytes()
    text = (site / NAME).read_text()
    assert f"file: \"dialplans/front.speech/{copy.name}\"" in text and "retention and `ringdown forget`" in text
    assert read_folder(site).site is not None  # the sound beside a dialplan disturbs nothing


def test_a_new_corpus_and_what_is_left(tmp_path: Path) -> None:
    gone, foreign = {"step": "gone/menu(x)"}, {"dialplan": "a/b"}
    data, site = labelled(tmp_path, ("appointments", {}), ("yes", gone), ("no", foreign))
    (site / NAME).unlink()
    done = cases(data, site)
    assert done.written == {"bako-0/1": NAME}
    assert "doesn't listen" in done.left["bako-0/2"] and "no dialplan a/b" in done.left["bako-0/3"]
    assert (site / NAME).read_text().startswith("ringdown: 1\nabout: What callers said in front\n")


@pytest.mark.parametrize("text", ["ringdown: 1\nutterances: [{at: choose, expect: no input}]\n", "ringdown: 2\n"])
def test_a_corpus_that_takes_nothing_stays_as_it_is(tmp_path: Path, text: str) -> None:
    data, site = labelled(tmp_path, ("appointments", {}))
    (site / NAME).write_text(text)
    with pytest.raises(SiteError):
        cases(data, site)
    assert (site / NAME).read_text() == text and utterances.labels(data)[0][1].case == ""


TOWNS = """\
ringdown: 1
person: desk
variables: {towns: 'text = Bath Spa|York', town: text}
flows:
  main:
    - answer
    - gather: {into: town, one_of: $towns, prompt: welcome, listen: [keys, speech], failed: desk}
    - hangup: served
  desk:
    - hangup: failed
"""


def test_a_list_that_only_the_call_knew_is_pinned_by_its_case(tmp_path: Path) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    data.mkdir()
    shutil.copytree(CLINIC, site)
    (site / "dialplans" / "towns.yaml").write_text(TOWNS)
    step = next(iter(listening_steps(read_folder(site).site.programs["default/towns"]))).id  # type: ignore[union-attr]
    told = heard("york", intent="", slots="town=york", step=step, dialplan="default/towns", audio="")
    store(data, ("bako-0", "speech.heard", {**told, "lists": '{"town":["bath spa","york"]}'}),
          ("bako-0", "speech.heard", told))  # fmt: skip
    for number, words in ((1, "Bath Spa please"), (2, "York")):
        utterances.label(data, utterances.one(data, f"bako-0/{number}"), words, "ana")
    done = cases(data, site)
    assert done.written == {"bako-0/1": "dialplans/towns.speech.yaml"}
    assert list(done.left) == ["bako-0/2"] and "wasn't kept with the call" in done.left["bako-0/2"]
    text = (site / "dialplans/towns.speech.yaml").read_text()
    assert "  lists:\n      town:\n        - bath spa\n        - york\n" in text and "town: bath spa" in text

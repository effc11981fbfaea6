"""When a step listens to words, and to which: beside the keys, from the beginning of its prompt where the caller may
interrupt it, else from its end."""

from __future__ import annotations

import re

from engine import limits
from engine.dialplan.model import Site
from engine.dialplan.program import Step
from engine.dialplan.turn import Turn
from engine.dialplan.types import Value
from engine.dialplan.verbs import keeping, open_lists
from engine.speech.utterance import Heard, Listening

CONFIRMING = "confirming"  # in scratch: the value that the caller is asked about
TOLD = "told"  # … the value that he is told of, and takes unless he says otherwise
BY_KEYS = "by keys"  # … his words were not understood often enough: only keys count in this round
UNHEARD = "unheard"  # … how often a recogniser has failed at this step
unheard_max = 2
_SENTENCE = re.compile(r"[.!?。！？]\s*")


def barge_in(step: Step) -> str:
    """on | off | after_first"""
    said = step.data.get("barge_in")
    return "off" if said is False else "after_first" if said == "after_first" else "on"


def hear(turn: Turn, step: Step) -> None:
    """Listen, when this step and what it waits for now are for words."""
    run, data = turn.run, step.data
    asked_back = CONFIRMING in run.scratch or TOLD in run.scratch
    grammar = data.get("asks" if asked_back else "hears", {}).get(run.language, "")
    if not grammar or run.scratch.get(BY_KEYS) or int(run.scratch.get(UNHEARD, 0)) >= unheard_max:
        return
    lists = open_lists.phrases(turn, step)
    if lists is None:
        return
    way = barge_in(step) if run.waiting == "play" else "on"
    after_ms = int(run.scratch.get("first sentence", 0)) if way == "after_first" else 0
    turn.hear(
        Listening(
            grammar, run.language, way, after_ms, pause_ms=limits.speech_pause_ms,
            utterance_ms_max=limits.utterance_ms_max, threshold=data["accept"] / 100,
            sensitive=bool(data.get("sensitive")), today=run.facts.get("system.today", ""),
            lists=lists,
        ),
        keep=keeping.kept(turn, step) is not None,
    )  # fmt: skip


def opened(turn: Turn, step: Step, clips: tuple[str, ...]) -> bool:
    """Speak, collecting keys and, where he may interrupt it, listening to words. False when there is nothing to play:
    the caller is listened to at once."""
    way = barge_in(step)
    first_ms = first_sentence_ms(turn.site, clips) if way == "after_first" else 0
    if first_ms:
        turn.run.scratch["first sentence"] = first_ms
    speaks = turn.speak(clips)
    if not speaks:
        turn.wait("digits")
    turn.collect(True, bool(step.data.get("sensitive", False)), first_ms if speaks else 0)
    if not speaks or way != "off":
        hear(turn, step)
    return speaks


def first_sentence_ms(site: Site, clips: tuple[str, ...]) -> int:
    """When the first sentence of what is played ends; inside a clip by the share of its letters."""
    total = 0
    for clip in clips:
        prompt = site.prompts.get(clip)
        if prompt is None:
            continue
        end = _SENTENCE.search(prompt.text)
        if end is not None:
            return total + prompt.duration_ms * end.end() // len(prompt.text)
        total += prompt.duration_ms
    return total


def value_in(step: Step, heard: Heard) -> Value | None:
    """What a reading means at this step: a menu's key, a gather's value; None when it is neither."""
    if step.verb == "menu":
        found = step.data["intents"].get(heard.intent.removeprefix("no, "))
        return str(found) if found is not None else None
    return heard.slots.get(step.data["into"])

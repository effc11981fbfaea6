"""How calls end: finally, rescue, faults."""

from __future__ import annotations

import msgspec

from engine.dialplan.actions import (
    CallerGone,
    Hangup,
)
from tests.dialplan.site import Caller, lines, site_of

HEAD = "ringdown: 1\n"


def flow(*steps: str, **flows: tuple[str, ...]) -> str:
    text = [HEAD, "flows:", "  main:", *(f"    {each}" for each in steps)]
    for name, more in flows.items():
        text += [f"  {name}:", *(f"    {each}" for each in more)]
    return lines(*text)


def test_finally_runs_however_the_call_ends() -> None:
    dialplan = HEAD + lines(
        "finally: after",
        "flows:",
        "  main:",
        "    - answer",
        "    - play: hello",
        "    - hangup: served",
        "  after:",
        "    - when:",
        "        - if: access.kind = public",
        "          then:",
        "            - tag: seen",
    )
    site = site_of(dialplan)
    caller = Caller(site)
    caller.answered()
    caller.played()
    assert caller.notes("tag") == ["seen"]
    assert isinstance(caller.last[-1], Hangup)
    gone = Caller(site)
    gone.answered()
    gone.tell(CallerGone())
    assert gone.notes("tag") == ["seen"]
    assert gone.kinds() == []


def test_a_fault_goes_to_rescue_and_then_out() -> None:
    dialplan = HEAD + lines(
        "variables: {count: number = 0}",
        "rescue: sorry",
        "flows:",
        "  main:",
        "    - set: {count: count + 1}",
        "    - when: [{if: count > 9, then: other}]",
        "    - reject: 480",
        "  other:",
        "    - reject: 404",
        "  sorry:",
        "    - play: technical_fault",
        "    - hangup: failed",
    )
    # the check refuses such a loop; the interpreter must survive it all the same
    sound = site_of(dialplan)
    original = sound.programs["default/main"]
    looped = msgspec.structs.replace(original.flows["main"][1], outs={"if 1": "main"})
    data = {**looped.data, "branches": [[["literal", True], "if 1"]]}
    looped = msgspec.structs.replace(looped, data=data)
    flows = {**original.flows, "main": (original.flows["main"][0], looped, original.flows["main"][2])}
    site = msgspec.structs.replace(sound, programs={"default/main": msgspec.structs.replace(original, flows=flows)})
    caller = Caller(site)
    assert caller.notes("fault") == ["1000 steps without input"]
    # the call had not been answered: rescue answers it, so that its words are heard
    assert caller.kinds() == ["Answer"]
    caller.answered()
    assert caller.kinds() == ["PlayPrompts", "SetTimer"]
    caller.played()
    assert caller.one(Hangup) == Hangup("failed", 16)


def test_a_broken_program_ends_with_a_fault_not_in_silence() -> None:
    site = site_of(flow("- answer", "- goto: other", other=("- hangup: served",)))
    program = site.programs["default/main"]
    del program.flows["other"]
    caller = Caller(site)
    caller.answered()
    assert caller.notes("fault") == ["no flow 'other'"]
    assert caller.one(Hangup) == Hangup("failed", 41)

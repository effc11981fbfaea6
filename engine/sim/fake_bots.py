"""What the bots of `stream` do in a test: they are done and have found something out, or fail.

    given:
      bots:
        'wss://bot.example/travel': {destination: Rome, next: person, after: 20s}
        'wss://bot.example/other': fails

A fork has no say in the call: none is given.
"""

from __future__ import annotations

from engine import limits, marks
from engine.call.stream_wall import StreamDone, StreamWanted
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import Site
from engine.dialplan.program import Step
from engine.sim.transcript import FakeBot

WORDS = {"done": "done", "hangs": "hangs", "fails": "failed", "timeout": "timeout"}
DONE_MS = 5_000
AFTER, NEXT = "after", "next"


def read_bots(report: Report, site: Site, node: marks.Node | None) -> dict[str, FakeBot]:
    """By address. A finding for an address that no dialplan streams to, or a value that no step takes."""
    known: dict[str, dict[str, None]] = {}
    for step in _streams(site):
        known.setdefault(step.data["url"], {}).update(dict.fromkeys(step.data.get("sets", ())))
    found: dict[str, FakeBot] = {}
    for key, value in values.mapping(report, node, "bots") or ():
        if key.text not in known:
            report.add("RD233", key, f"no stream goes to {key.text!r}", did_you_mean(key.text, list(known)))
        elif isinstance(value, marks.Mapping):
            found[key.text] = _done(report, value, list(known[key.text]))
        else:
            word = values.choice(report, value, f"what {key.text} does", WORDS)
            if word is not None:
                found[key.text] = FakeBot(WORDS[word])
    return found


def _streams(site: Site) -> list[Step]:
    """Those steps that hand the caller over."""
    flows = (flow for program in site.programs.values() for flow in program.flows.values())
    return [step for flow in flows for step in flow if step.verb == "stream" and "fork" not in step.data]


def _done(report: Report, form: marks.Mapping, sets: list[str]) -> FakeBot:
    after = values.duration(report, form.entries.get(AFTER), AFTER, 0, limits.call_ms_max)
    wish = values.choice(report, form.entries.get(NEXT), NEXT, ("person",)) if NEXT in form.entries else None
    told: dict[str, str] = {}
    for key, node in form:
        if key.text in (AFTER, NEXT):
            continue
        text = values.scalar(report, node, key.text)
        if key.text not in sets:
            hint = did_you_mean(key.text, sets, otherwise="write it into sets: of the step")
            report.add("RD233", key, f"the step takes no {key.text!r} from this bot", hint)
        elif text is not None:
            told[key.text] = text.text
    return FakeBot("done", told, wish or "", DONE_MS if after is None else after)


def answer(fakes: dict[str, FakeBot], wanted: StreamWanted) -> tuple[int, StreamDone] | None:
    """(ms until it is done, how it ended); None when that never comes. A bot that isn't given fails and says so."""
    if wanted.tracks:
        return None
    fake = fakes.get(wanted.url)
    if fake is None:
        fake = FakeBot("failed", after_ms=0)
        reason = f"the test gives no bot at {wanted.url.split('?', 1)[0]}"
    else:
        reason = "" if fake.result == "done" else f"the test says so: {fake.result}"
    if fake.result == "hangs":
        return None
    done = StreamDone(wanted.call, wanted.ticket, fake.result, reason, fake.values, fake.next, fake.after_ms)
    return fake.after_ms, done

"""A call's records -> a test of it: the same keys at the same moments, the same lookups, agents in the states they had.

The call is walked again in a world of its own while the test is written, so that what is written is what is heard;
where that differs from what the records say, `differences` tells. Sensitive keys and values are masked in the records
and stay so: zeros stand for them. The caller's number is masked too, unless it is asked for, because a test outlives
what `ringdown forget` can reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from engine.dialplan.findings import Finding, render
from engine.dialplan.lookups import LookupField
from engine.dialplan.model import Site, find_number
from engine.records.events import Event
from engine.sim.clock_reader import written
from engine.sim.expecting import Differs, Play
from engine.sim.given_reader import steps_of
from engine.sim.rehearsal import Rehearsal
from engine.sim.transcript import Cases, Line, Place
from engine.sim.transcript_reader import read

HIDDEN = "·"
KEY_GAP_MS = 2_500  # keys that follow each other so closely are one line
TAIL_MS = 60_000
_REFUSED = ("busy", "rejected")
_ZEROS = {"number": "0", "flag": "yes", "duration": "0s", "text": "masked", "money": "0"}


class Act(msgspec.Struct, frozen=True):
    """Somebody did something `at_ms` after the call began: press KEYS, hang_up, agent (number, act)."""

    at_ms: int
    kind: str
    value: str = ""
    who: str = ""


class Written(msgspec.Struct, frozen=True):
    """The file's text, and what goes otherwise in it than it went in the call."""

    text: str
    differences: tuple[str, ...]
    file: str  # where it belongs inside the site


def acts_of(events: Sequence[Event], during: Sequence[Event] = ()) -> list[Act]:
    """What people did in a call, in order."""
    began = events[0].now_ms
    found: list[Act] = []
    together_ms = -1  # a key until then belongs to the line before it, unless a step has begun since
    for event in sorted((*events, *during), key=lambda each: (each.now_ms, each.n)):
        act = _act(event, event.now_ms - began)
        if event.kind in ("call.step", "call.prompt"):
            together_ms = -1
        if act is None:
            continue
        if act.kind == "press" and act.at_ms <= together_ms:
            found[-1] = msgspec.structs.replace(found[-1], value=found[-1].value + act.value)
        else:
            found.append(act)
        together_ms = act.at_ms + KEY_GAP_MS if act.kind == "press" else -1
    return found


def _act(event: Event, at_ms: int) -> Act | None:
    data = event.data
    agent = str(data.get("agent") or "").rpartition("/")[2]
    match event.kind:
        case "call.digit" if data["leg"] == "caller":
            return Act(at_ms, "press", "0" if data["digit"] == HIDDEN else str(data["digit"]))
        case "queue.offer_ended" if data["reason"] == "answered":
            return Act(at_ms, "agent", "answers", agent)
        case "queue.offer_ended" if data["reason"] in _REFUSED:
            return Act(at_ms, "agent", "refuses", agent)
        case "queue.completed" if data["by"] == "agent":
            return Act(at_ms, "agent", "hangs up", agent)
        case "agent.state" if data["new"] == "ready" and data["old"] not in ("alerting", "logged_out"):
            return Act(at_ms, "agent", "is ready", agent)
        case "call.ended" if data["by"] == "caller":
            return Act(at_ms, "hang_up")
    return None


def given_of(events: Sequence[Event], states: Mapping[str, Event], site: Site, *, keep_caller: bool) -> list[str]:
    """The lines below `given:`."""
    started = events[0]
    data, dialled = started.data, str(started.data["dialled"])
    number = find_number(site, dialled, started.tenant)
    zone = site.tenants[number.tenant if number is not None else started.tenant].time_zone
    caller = str(data["caller"]) or "anonymous"
    lines = [f"dialled: {dialled}", f"caller: {caller if keep_caller else masked(caller)}"]
    if data["trunk"]:
        lines.append(f"trunk: {data['trunk']}")
    lines.append(f"at: {written(started.at_ms, zone)}")
    agents = {key.rpartition("/")[2]: _state(event) for key, event in states.items()}
    for event in events:
        if event.kind == "queue.connected":
            agents.setdefault(str(event.data["agent"]).rpartition("/")[2], "ready")
    here = [f"{agent}: {state}" for agent, state in agents.items() if state]
    if here:
        lines += ["agents:", *(f"  {each}" for each in here)]
    lost = dict.fromkeys(
        _quoted(url) for event in events if event.kind == "call.fetch" and event.data["result"] == "failed"
        for url in _addresses(event, site)
    )  # fmt: skip
    if lost:
        lines.append(f"unreachable: [{', '.join(lost)}]")
    lines += _bots(events, site)
    fakes = _lookups(events, site, started.tenant)
    if fakes:
        lines += ["lookups:", *(f"  {each}" for each in fakes)]
    return lines


def _addresses(event: Event, site: Site) -> list[str]:
    """What the records hold without its query, as the site's dialplans fetch it."""
    fetched = (str(step.data["url"]) for step in steps_of(site, "play_url"))
    return [url for url in fetched if url.split("?", 1)[0] == event.data["url"]]


def _bots(events: Sequence[Event], site: Site) -> list[str]:
    """`bots:` and below it how each that had the caller ended, and what it had found out."""
    known = {str(event.data["variable"]): str(event.data["value"]) for event in events if event.kind == "call.gathered"}
    found: dict[str, str] = {}
    for event in events:
        if event.kind != "call.stream" or event.data["tracks"] != "talk":
            continue
        for step in steps_of(site, "stream"):
            url, result = str(step.data["url"]), str(event.data["result"])
            if "fork" in step.data or url.split("?", 1)[0] != event.data["url"]:
                continue
            told = [f"{name}: {_quoted(known[name])}" for name in step.data.get("sets", ())
                    if name in known and HIDDEN not in known[name]]  # fmt: skip
            done = "{" + ", ".join([*told, f"after: {event.data['ms']}ms"]) + "}"
            found.setdefault(url, {"failed": "fails", "timeout": "timeout"}.get(result, done))
    return ["bots:", *(f"  {_quoted(url)}: {text}" for url, text in found.items())] if found else []


def masked(caller: str) -> str:
    """Enough of a number for rules about prefixes: +442071234567 -> +440000000000."""
    return caller if caller == "anonymous" else caller[:3] + "0" * len(caller[3:])


def _state(event: Event) -> str:
    new = str(event.data["new"])
    return "" if new == "logged_out" else "ready" if new == "ready" else "not_ready"


def _lookups(events: Sequence[Event], site: Site, tenant: str) -> Iterator[str] | list[str]:
    """`customer: {tier: vip, after: 80ms}`, the first answer of each."""
    known = {str(event.data["variable"]): str(event.data["value"]) for event in reversed(events)
             if event.kind == "call.gathered"}  # fmt: skip
    found: dict[str, str] = {}
    for event in events:
        if event.kind != "call.lookup" or str(event.data["lookup"]) in found:
            continue
        name, result = str(event.data["lookup"]), str(event.data["result"])
        model = site.lookups.get(f"{tenant}/{name}")
        if result != "ok" or model is None:
            found[name] = {"not_found": "not_found"}.get(result, "fails")
            continue
        fields = [f"{field.name.rpartition('.')[2]}: {_value(field, known)}" for field in model.fields]
        found[name] = "{" + ", ".join([*fields, f"after: {event.data['ms']}ms"]) + "}"
    return [f"{name}: {text}" for name, text in found.items()]


def _value(field: LookupField, known: Mapping[str, str]) -> str:
    """As recorded, or what stands for a value that the records don't hold."""
    value = known.get(field.name, "")
    if value and not field.sensitive and HIDDEN not in value:
        return _quoted({"True": "yes", "False": "no"}.get(value, value))
    if field.default is not None:
        return _quoted(field.default)
    kind, _, rest = field.type.partition(" ")
    if kind == "digits":
        return _quoted("0" * int(rest.split("..")[0] or 1))
    if kind == "choice":
        return rest.split(" ")[0]
    return _ZEROS.get(kind, "masked")


def _quoted(text: str) -> str:
    plain = all(letter.isalnum() or letter in " +-._" for letter in text) and text.strip() == text and text
    return text if plain else "'" + text.replace("'", "''") + "'"


def write(
    site: Site, events: Sequence[Event], states: Mapping[str, Event], during: Sequence[Event] = (), *,
    keep_caller: bool = False,
) -> Written:  # fmt: skip
    """The test of the call that these records are of (`call.started` first). Raises ValueError for records without a
    beginning, or of a number that the site hasn't any more."""
    if not events or events[0].kind != "call.started":
        raise ValueError("the beginning of this call is not in the records")
    started = events[0]
    head = ["ringdown: 1", f"# The call {started.call}, walked again; sensitive keys and values are masked."]
    head += ["given:", *(f"  {line}" for line in given_of(events, states, site, keep_caller=keep_caller)), "", "tests:"]
    text = "\n".join([*head, f"  call {started.call}:", "    - wait: 1s", ""])
    dialplan = _dialplan(site, started)
    home = "" if started.tenant == "default" else f"tenants/{started.tenant}/"
    file = f"{home}dialplans/{dialplan}.test.yaml"
    cases, findings = read(text.encode(), file, site)
    if cases is None:
        raise ValueError(_first(findings))
    lines, show = _walk(site, cases, acts_of(events, during), str(_ended(events).data["outcome"]))
    body = [f"  call {started.call}:", *(f"    - {line}" for line in lines), ""]
    return Written("\n".join([*head, *body]), tuple(_differences(events, show)), file)


def _dialplan(site: Site, started: Event) -> str:
    number = find_number(site, str(started.data["dialled"]), started.tenant)
    return number.dialplan.rpartition("/")[2] if number is not None else "main"


def _first(findings: Sequence[Finding]) -> str:
    return render(findings[0])


def _ended(events: Sequence[Event]) -> Event:
    for event in events:
        if event.kind == "call.ended":
            return event
    raise ValueError("this call has not ended: a test of it can be written when it has")


def _walk(site: Site, cases: Cases, acts: Sequence[Act], outcome: str) -> tuple[list[str], Rehearsal]:
    """The lines, made while the call is walked."""
    show = Rehearsal(site, cases.tests[0].given)
    play = Play(show, cases.tests[0])
    lines: list[str] = []
    said = 0  # clips that stand in the lines, or belong to what does
    for act in acts:
        if act.kind == "agent" and not any(key.rpartition("/")[2] == act.who for key in show.agents):
            continue  # somebody else, who came and went in these minutes
        gap = (act.at_ms - (show.world.now_ms - show.began_ms)) // 100 * 100
        if gap > 0 and not show.over():
            show.wait(gap)
            lines.append(f"wait: {gap / 1_000:g}s")
        said = _hear(show, lines, said)
        if show.over():
            break
        try:
            said = _do(play, act, lines, said)
        except Differs:
            lines.pop()  # what follows went otherwise: `_differences` tells
            break
    show.until(lambda: bool(show.outcome()) or show.over(), TAIL_MS)
    _hear(show, lines, said)
    lines.append(f"outcome: {outcome}")
    return lines, show


def _do(play: Play, act: Act, lines: list[str], said: int) -> int:
    """Do it, and write it. Returns how many clips are done with."""
    show, place = play.show, Place("", 1, 1)
    if act.kind == "press":
        kind = "press" if show.listening() else "press_ahead"
        lines.append(f"{kind}: {_keys(act.value)}")
        before = len(show.ear.heard)
        play.line(Line(kind, act.value, place))
        return show.before_key if kind == "press" else before
    if act.kind == "hang_up":
        lines.append("hang_up")
        play.line(Line("hang_up", "", place))
        return len(show.ear.heard)
    lines.append(f"agent: {act.who} {act.value}")
    before = len(show.ear.heard)
    play.line(Line("agent", (act.who, act.value, ""), place))
    return len(show.ear.heard) if act.value == "answers" else before


def _hear(show: Rehearsal, lines: list[str], said: int) -> int:
    """One line for what has been heard since."""
    show.look()
    names: list[str] = []
    last = ""
    for heard in show.ear.heard[said:]:
        if heard.sound or heard.value or ("#" in heard.clip and heard.name == last):
            continue
        last = heard.name
        prompt = show.site.prompts.get(heard.clip)
        words = prompt.text if prompt is not None and heard.name.startswith("say-") else ""
        names.append(_quoted(words or heard.name) if words or "://" in heard.name else heard.name)
    if names:
        lines.append(f"hears: [{', '.join(names)}]" if len(names) > 1 else f"hears: {names[0]}")
    return len(show.ear.heard)


def _keys(keys: str) -> str:
    """`12 star hash`"""
    return keys.replace("*", " star ").replace("#", " hash ").strip().replace("  ", " ")


def _differences(events: Sequence[Event], show: Rehearsal) -> Iterator[str]:
    """Where the walk went otherwise than the records say."""
    was, now = _prompts(events), _prompts(show.events())
    for number in range(max(len(was), len(now))):
        then = was[number] if number < len(was) else "nothing more"
        here = now[number] if number < len(now) else "nothing more"
        if then != here:
            yield f"prompt {number + 1} was {then}, and is {here} now"
            break
    ended = _ended(events)
    if show.outcome() != ended.data["outcome"]:
        yield f"the outcome was {ended.data['outcome']}, and is {show.outcome() or 'none'} now"
    joined, joins = ([str(each.data["queue"]) for each in found if each.kind == "queue.joined"]
                     for found in (events, show.events()))  # fmt: skip
    if joined != joins:
        yield f"he joined {', '.join(joined) or 'no queue'}, and joins {', '.join(joins) or 'none'} now"


def _prompts(events: Sequence[Event]) -> list[str]:
    return [str(event.data["clips"]) for event in events if event.kind == "call.prompt"]

"""Facts as lines for people: one readable line per event, one closing line per call, and the SIP ladder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.console import reasoning, sound
from engine.console.format import clock, seconds
from engine.records import causes
from engine.records.call_detail import CallDetail, CallFold
from engine.records.events import Event

Data = dict[str, Any]

# kind -> words; a missing kind prints its fields plainly, so nothing is ever swallowed
_TEXT: dict[str, Callable[[Data], str]] = {
    "call.started": lambda d: f"{_who(d)} calls {d['dialled']}" + (f" through {d['trunk']}" if d.get("trunk") else "")
    + f" ({d['via']}, {d['peer']})",
    "call.answered": lambda d: f"answered after {seconds(d['after_ms'])}",
    "call.way": lambda d: f"left {d['step']} by {d['way']}  {d['text']}",
    "call.step": lambda d: f"step {d['step']}" + (f"  {d['text']}" if d.get("text") else ""),
    "call.prompt": lambda d: f"plays {d['clips']}",
    "call.digit": lambda d: f"key {d['digit']} from {d['leg']} ({d['way']})",
    "call.gathered": lambda d: f"{d['variable']} = {d['value']}",
    "call.lookup": lambda d: f"lookup {d['lookup']}: {d['result']} after {d['ms']} ms" + _in(d.get("reason")),
    "call.fetch": lambda d: f"fetches {d['url']}: {d['result']} after {d['ms']} ms" + _in(d.get("reason")),
    "call.stream": lambda d: f"bot {d['url']} ({d['tracks']}): {d['result']} after {d['ms']} ms" + _in(d.get("reason")),
    "call.shown": lambda d: f"shows {d['values']}",
    "call.metric": lambda d: f"counts {d['name']} + {d['by']}",
    "call.bridged": lambda d: f"talks with {d['with']}",
    "speech.heard": lambda d: _heard(d),
    "call.ended": lambda d: f"ended by {d['by']}: {d['outcome']} after {seconds(d['duration_ms'])}"
    + (_in(causes.words(d["cause"])) if d.get("cause") != 16 else ""),
    "call.quality": lambda d: "; ".join(line.strip() for line in sound.whole(sound.of_event(d))),
    "call.held": lambda d: f"{d['by']} {'holds' if d['held'] else 'resumes'}",
    "call.transferred": lambda d: f"{d['by']} transfers to {d['to']}: {d['result']}" + _in(d.get("way")),
    "call.recording": lambda d: f"recording {d['state']}: {d['name']}" + _ms(d.get("duration_ms")),
    "call.media": lambda d: f"audio {d['state']} on {d['leg']}: {d['detail']}",
    "call.fault": lambda d: f"FAULT in {d['where']}: {d['detail']}",
    "dial.refused": lambda d: f"{d['agent']} may not dial {d['number']}: {d['why']} of the class {d['service_class']}",
    "fraud.warned": lambda d: f"fraud? {d['caller']} to {d['number']} by {d['trunk']}: {d['limit']} {d['count']} "
    f"(rule {d['rule']} warns at {d['most']})",
    "fraud.stopped": lambda d: f"FRAUD STOPPED: {d['caller']} to {d['number']} by {d['trunk']}: {d['limit']} "
    f"{d['count']} (rule {d['rule']} allows {d['most']})",
    "dial.cost": lambda d: f"{d['number']} cost {d['agent']} {d['cost']}, {d['today']} today",
    "emergency.dialled": lambda d: f"EMERGENCY: {d['agent']} dials {d['number']} by {d['trunks']} from "
    f"{d['location'] or 'nowhere said'}, call back {d['call_back'] or '-'}",
    "emergency.preempted": lambda d: f"ended on {d['trunk']} for the emergency call {d['by']} (cause {d['cause']})",
    "emergency.ended": lambda d: f"emergency call to {d['number']}: {d['result']}",
    "call.identity": lambda d: _identity(d),
    "call.shared": lambda d: f"runs on version {str(d['site'])[:12]}, which a share of the calls gets",
    "call.fax": lambda d: f"a fax {'calls' if d['tone'] == 'cng' else 'answers'}: {d['leg']}"
    + (f", to the flow {d['to']}" if d["to"] else ""),
    "call.parked": lambda d: f"parked in {d['slot']}: {d['state']}" + _in(d.get("by")),
    "call.room": lambda d: f"{d['who']} {d['result']} the room {d['room']}, {d['people']} are in it",
    "recording.told": lambda d: f"{d['who']} hears of the recording"
    + (", and refuses" if d["result"] == "declined" else ""),
    "survey.answered": lambda d: f"survey {d['survey']}"
    + (f", {d['question']}: {d['answer']}" if d["question"] else " begins"),
    "prompt.recorded": lambda d: f"agent {d['agent']} records the prompt {d['prompt']}" + _ms(d.get("duration_ms")),
    "voicemail.left": lambda d: f"message {d['message']} left in {d['box']}" + _ms(d.get("duration_ms")),
    "voicemail.dropped": lambda d: f"message for {d['box']} dropped: {d['reason']}" + _ms(d.get("duration_ms")),
    "voicemail.opened": lambda d: f"{d['by']} at the box {d['box']}: {str(d['result']).replace('_', ' ')}",
    "voicemail.heard": lambda d: f"{d['by']} hears message {d['message']} of {d['box']}",
    "voicemail.saved": lambda d: f"{d['by']} saves message {d['message']} of {d['box']}",
    "voicemail.deleted": lambda d: f"{d['by']} deletes message {d['message']} of {d['box']}",
    "voicemail.unheard": lambda d: f"message {d['message']} of {d['box']} unheard for {seconds(d['waited_ms'])}",
    "voicemail.mailed": lambda d: f"message {d['message']} of {d['box']} by mail: {d['result']} ({d['attempts']})",
    "voicemail.callback": lambda d: f"message {d['message']} of {d['box']}, callback in {d['queue']}: {d['result']}",
    "call.leg": lambda d: f"invites {d['leg']}",
    "call.conference": lambda d: f"conference: {' '.join(str(d[key]) for key in ('by', 'who', 'result') if d[key])}",
    "supervision.started": lambda d: f"{d['supervisor']} is on the line of {d['agent']}: {d['mode']}",
    "supervision.changed": lambda d: f"{d['supervisor']} on the line of {d['agent']} goes over to {d['mode']}",
    "supervision.ended": lambda d: f"{d['supervisor']} is off the line of {d['agent']} ({d['mode']}): {d['reason']}",
    "call.resumed": lambda d: f"goes on ({d['phase']}): the engine was away for {seconds(d['down_ms'])}",
    "dial.started": lambda d: f"rings {d['target']}" + (f" through {d['trunk']}" if d.get("trunk") else ""),
    "dial.moved": lambda d: f"{d['target']}: {d['trunk']} {d['why']}" + _ms(d.get("after_ms"), "after ")
    + f", now through {d['to']}",
    "dial.ended": lambda d: f"{d['target']}: {d['result']}" + (f" ({d['status']})" if d.get("status") else "")
    + _ms(d.get("rang_ms"), "after ") + _in(causes.words(d.get("cause"))),
    "queue.joined": lambda d: f"waits in {d['queue']} as number {d['position']}",
    "queue.position": lambda d: f"is number {d['position']} in {d['queue']}",
    "queue.told": lambda d: f"is told that the wait in {d['queue']} is " + _range(d),
    "queue.overflowed": lambda d: f"overflows from {d['queue']} to {d['to']}: {d['rule']}",
    "queue.renamed": lambda d: f"the queue {d['was']} is now {d['queue']}",
    "queue.widened": lambda d: f"asks more agents of {d['queue']} (stage {d['stage']}, ring {d['ring']})",
    "queue.decided": reasoning.event_words,
    "queue.offered": lambda d: f"offered to {d['agent']} ({d['queue']})",
    "queue.offer_ended": lambda d: f"{d['agent']}: {str(d['reason']).replace('_', ' ')}"
    + _ms(d.get("rang_ms"), "after "),
    "queue.connected": lambda d: f"connected to {d['agent']} after {seconds(d['waited_ms'])} in {d['queue']}"
    + _in(reasoning.PICKS.get(str(d.get("way")))),
    "queue.completed": lambda d: f"{d['agent']} talked {seconds(d['talked_ms'])}, ended by {d['by']}",
    "queue.abandoned": lambda d: f"gave up {d['queue']} as number {d['position']} after {seconds(d['waited_ms'])}",
    "queue.left": lambda d: f"left {d['queue']}: {d['reason']} after {seconds(d['waited_ms'])}"
    + (f" by key {d['key']}" if d.get("key") else ""),
    "queue.kept": lambda d: f"back after {seconds(d['away_ms'])}: his place in {d['queue']} was kept",
    "callback.requested": lambda d: f"asks to be called back at {d['number']} from {d['queue']} as number "
    f"{d['position']}, {d['mode']}, promised within {seconds(d['promise_ms'])} (asked in {d['origin']})",
    "callback.dialled": lambda d: f"rings the customer, attempt {d['attempt']}" + _in(d.get("agent")),
    "callback.answered": lambda d: f"the customer answers attempt {d['attempt']} after {seconds(d['rang_ms'])}",
    "callback.attempt_failed": lambda d: f"attempt {d['attempt']} failed: {str(d['reason']).replace('_', ' ')}"
    + (f", again in {seconds(d['next_ms'])}" if d.get("next_ms") else ""),
    "callback.expired": lambda d: f"callback given up ({d['reason']}) after {d['attempts']} attempts",
    "callback.cancelled": lambda d: f"callback cancelled by {d['by']}",
    "callback.served": lambda d: f"callback served by {d['agent']} after {seconds(d['waited_ms'])}: promise "
    + ("kept" if d["kept"] else "broken"),
    "agent.state": lambda d: f"agent {d['agent']} {d['old']} → {d['new']}" + _in(d.get("reason")),
    "agent.login": lambda d: f"agent {d['agent']} logged in ({d['way']})",
    "agent.logout": lambda d: f"agent {d['agent']} logged out ({d['way']})" + _ms(d.get("logged_in_ms"), "after "),
    "agent.skill_expired": lambda d: f"agent {d['agent']}: the skill {d['skill']} HAS EXPIRED",
    "agent.paused": lambda d: f"agent {d['agent']} {'not ready' if d['paused'] else 'ready'}" + _in(d.get("reason")),
    "agent.over_budget": lambda d: f"agent {d['agent']} WARNING {d['reason']} for {seconds(d['spent_ms'])} of a budget "
    f"of {seconds(d['budget_ms'])}",
    "agent.wrap_up_code": lambda d: f"agent {d['agent']} code {d['code']} {d['name']} by {d['by']}"
    if d.get("code")
    else f"agent {d['agent']} gave no code, though {d['queue']} requires one",
    "agent.wrap_up_extended": lambda d: f"agent {d['agent']} wrap-up lasts {seconds(d['left_ms'])} more",
    "agent.told": lambda d: f"agent {d['agent']} told at {d['phones']} phones: {d['text']}",
    "agent.binding": lambda d: f"agent {d['agent']} phone {d['change']}: {d['contact']}" + _in(d.get("user_agent")),
    "agent.reachable": lambda d: f"agent {d['agent']} phone {'reachable' if d['reachable'] else 'UNREACHABLE'}",
    "trunk.state": lambda d: f"trunk {d['trunk']} {str(d['state']).upper() if d['state'] == 'down' else d['state']}: "
    f"{d['detail']}",
    "trunk.registered": lambda d: f"trunk {d['trunk']} {d['change']}"
    + (f" for {d['granted_s']} s" if d.get("granted_s") else "") + (f": {d['detail']}" if d.get("detail") else ""),
    "engine.started": lambda d: f"engine {d['version']} at {d['addresses']}",
    "engine.loaded": lambda d: f"site {str(d['version'])[:12]} loaded: {d['files']} dialplans, {d['flows']} flows",
    "engine.resumed": lambda d: f"engine back after a {d['cause']} and {seconds(d['down_ms'])}: {d['calls']} calls "
    f"with {d['legs']} legs go on" + (f", {d['ended']} were ended" if d.get("ended") else ""),
    "engine.drain": lambda d: f"draining with {d['calls']} calls, {seconds(d['left_ms'])} at most",
    "engine.clock": lambda d: f"the wall clock was set from {clock(d['old_ms'])} to {clock(d['new_ms'])}",
    "engine.stopped": lambda d: f"stopped with {d['calls']} calls",
    "engine.refused": lambda d: f"refused {d['kind']} from {d['peer']}: {d['detail']}"
    + (f" ({d['count']} so far)" if d.get("count") else ""),
    "engine.blocked": lambda d: f"blocked {d['source']}: {d['detail']}",
    "engine.unblocked": lambda d: f"{d['source']} is no longer blocked ({d['dropped']} messages were dropped)"
    + (f", lifted by {d['by']}" if d.get("by") else ""),
    "engine.breach": lambda d: f"BREACH of {d['rule']}: {d['detail']}",
    "engine.storage": lambda d: f"records {d['state']} {d['detail']} ({d['spooled']} waiting)",
    "engine.limit": lambda d: f"limit {d['name']} reached ({d['value']})",
    "engine.records": lambda d: " ".join(
        filter(None, (f"{d['author']}: {d['act']}", str(d["subject"]), f"({d['counts'] or 'nothing'})"))
    ),
    "operator.site": lambda d: f"site {str(d['new'])[:12]} {d['act']} by {d['author']} (before: {str(d['old'])[:12]}, "
    f"{d['changes']} changes; tests: {d['tests']})" + (f" REASON: {d['reason']}" if d["reason"] else ""),
    "operator.switch": lambda d: f"{d['switch']} {d['name']} {str(d['state']).replace('_', ' ')} by {d['author']}"
    + _in(d.get("reason")) + (f" until {clock(int(d['until_ms']), date=True)}" if d.get("until_ms") else ""),
    "operator.command": lambda d: f"{d['author']}: {d['verb']} {d['arguments']} → {d['result']}",
}
_SILENT = ("call.quality", "call.ended")  # they make the closing line


def _who(data: Data) -> str:
    name = data.get("name") or ""
    caller = data.get("caller") or "anonymous"
    return f"{name} {caller}" if name and name != caller else str(caller)


def _heard(data: Data) -> str:
    """ “two tickets” → order, 87 %, 240 ms after he stopped"""
    said = f"“{data['text']}”" if data["text"] else "nothing"
    if data["result"] == "failed":
        return f"speech: the recogniser failed: {data['detail']}"
    meant = ", ".join(filter(None, (str(data["intent"]), str(data["slots"]))))
    sure = f" {data['confidence']} %" if data["text"] else ""
    what = f"says {said}" + (f" → {meant}" if meant else "")
    ms = data["answer_ms"]
    late = f", {ms} ms after he stopped" if isinstance(ms, int) and ms >= 0 else ""
    result = "" if data["result"] == "match" else f" ({str(data['result']).replace('_', ' ')})"
    return what + sure + result + (", over the prompt" if data["barged_in"] else "") + late


def _in(text: object) -> str:
    return f" ({text})" if text else ""


def _identity(data: Data) -> str:
    """How the numbers came, and what is known of who says them."""
    told = [
        f"came as {data['caller_as']}" if data["caller_as"] else "",
        f"dialled as {data['dialled_as']}" if data["dialled_as"] else "",
        f"number {data['presentation']}" if data["presentation"] != "shown" else "",
        f"sent on by {data['diverted_from']}" if data["diverted_from"] else "",
        f"attested {data['attestation']}" if data["attestation"] != "none" else "",
        f"signature {data['verification']}" + _in(data["detail"]) if data["verification"] != "none" else data["detail"],
    ]
    return ", ".join(each for each in told if each)


def _range(data: Data) -> str:
    low, high = data["low_min"], data["high_min"]
    if low and high:
        return f"between {low} and {high} min"
    return f"less than {high} min" if high else f"longer than {low} min"


def _ms(value: object, before: str = "") -> str:
    return f" {before}{seconds(value)}" if isinstance(value, int) and value > 0 else ""


def words(kind: str, data: Data) -> str:
    """The sentence of one event, without time and call."""
    rule = _TEXT.get(kind)
    if rule is not None:
        try:
            return rule(data)
        except KeyError as missing:
            return f"{kind} (without {missing}) {_plain(data)}"
    return f"{kind} {_plain(data)}"


def _plain(data: Data) -> str:
    return " ".join(f"{key}={value}" for key, value in data.items())


class TailText:
    """Holds what a call's closing line needs; `lines(event)` gives zero to two lines."""

    def __init__(self) -> None:
        self._fold = CallFold()

    def lines(self, event: Event) -> list[str]:
        """Printable lines of one event, in order."""
        detail = self._fold.feed(event)
        if event.kind == "call.ended":
            if detail is None:  # the tail began in the middle of this call
                return [_line(event, f"ended by {event.data.get('by')}: {event.data.get('outcome')}")]
            return [_line(event, closing(detail))]
        if event.kind in _SILENT:
            return []
        return [_line(event, words(event.kind, event.data))]


def _line(event: Event, text: str) -> str:
    return f"{clock(event.at_ms)}  {event.call or '-':9}  {text}"


def closing(detail: CallDetail) -> str:
    """One line about a whole call: outcome, path, times, quality."""
    parts = [f"ENDED {detail.outcome or 'unknown'} by {detail.by or 'unknown'}", detail.path or "no path"]
    times = [f"{seconds(detail.duration_ms)} in all"]
    if detail.waited_ms:
        times.append(f"waited {seconds(detail.waited_ms)}")
    if detail.talked_ms:
        times.append(f"talked {seconds(detail.talked_ms)}")
    if detail.held_ms:
        times.append(f"held {seconds(detail.held_ms)}")
    parts.append(", ".join(times))
    parts.append(quality(detail))
    return "; ".join(part for part in parts if part)


def quality(detail: CallDetail) -> str:
    """Opinion, loss, jitter and longest gap per leg, with the cause; '' for a call without audio."""
    texts = [sound.short(leg) for leg in detail.quality]
    if detail.one_way:
        texts.append("ONE-WAY AUDIO")
    return ", ".join(texts)


# --- the SIP ladder ------------------------------------------------------------------------------------------
def ladder(hop: dict[str, Any], *, whole: bool = False) -> list[str]:
    """One message as an arrow between the far end and us; `whole` adds its text, indented."""
    text = str(hop["text"])
    first, _, _ = text.partition("\r\n")
    what = first.removeprefix("SIP/2.0 ") if first.startswith("SIP/2.0 ") else first.removesuffix(" SIP/2.0")
    arrow = "──▶" if hop["way"] == "in" else "◀──"
    details = _sip_details(text)
    line = f"{clock(hop['at_ms'])}  {hop['call'] or '-':9}  {hop['far_end']:>21} {arrow} {what}{details}"
    if not whole:
        return [line]
    return [line, *(f"    {each}" for each in text.splitlines())]


def _sip_details(text: str) -> str:
    """CSeq of an answer, and where its SDP wants the audio."""
    method = address = port = ""
    for line in text.splitlines():
        low = line[:5].lower()
        if low == "cseq:":
            method = line.split()[-1]
        elif line.startswith("c=IN "):
            address = line.split()[-1]
        elif line.startswith("m=audio "):
            port = line.split()[1]
    details = f"  ({method})" if text.startswith("SIP/2.0") and method else ""
    return details + (f"  audio {address}:{port}" if port else "")


class Filter:
    """Which events a tail shows: by call, agent or queue. A call that matched once is followed to its end."""

    def __init__(self, *, call: str = "", agent: str = "", queue: str = "") -> None:
        self.call, self.agent, self.queue = call, agent, queue
        self._following: dict[str, None] = {}

    def wants(self, event: Event) -> bool:
        """True when every filter that was given fits this event or its call."""
        if not (self.call or self.agent or self.queue):
            return True
        if event.call and event.call in self._following:
            return True
        if self._fits(event):
            if event.call:
                if len(self._following) >= 4_096:
                    self._following.pop(next(iter(self._following)))
                self._following[event.call] = None
            return True
        return False

    def _fits(self, event: Event) -> bool:
        data = event.data
        if self.call == "last":
            if event.kind != "call.started":
                return False
        elif self.call and self.call not in (event.call, data.get("caller")) and not (
            event.call and any(_names(data.get(key), self.call) for key in ("agent", "with"))
        ):
            return False
        people = ("agent", "with", "by", "target", "supervisor")
        if self.agent and not any(_names(data.get(key), self.agent) for key in people):
            return False
        return not self.queue or _names(data.get("queue"), self.queue)


def _names(value: object, wanted: str) -> bool:
    """ "default/201", "agent/201" and "201" all are the agent 201."""
    text = str(value or "")
    return text == wanted or text.endswith(f"/{wanted}")

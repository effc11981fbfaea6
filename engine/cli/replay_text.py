"""Steps of a replayed call as text in two columns (what happened, the state beside it) and as JSON.

Nothing secret leaves: SIP passes `ladder.without_secrets`, digits that were asked for as a secret and digits that are
sent on are dots, credentials and random bytes are named and never shown.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call import effects, stream_wall
from engine.call.edge_wall import Judged
from engine.call.keys import MASK
from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.call.signature_wall import SignatureChecked, SignatureWanted
from engine.cli.show import clock, seconds, width
from engine.console.words import ladder, words
from engine.media import commands as media
from engine.runtime.ladder import call_id_of, without_secrets
from engine.sip.events import CloseFlow, Connect, Path, Send

if TYPE_CHECKING:
    from engine.runtime.stepping import Beside, Step

WIDTH_MIN = 80
_LEFT_PERCENT = 58
_SECRET_WORDS = ("password", "secret", "pin", "code")
_DETAILS = re.compile(r"^.*? {2}-? *")


# --- what came in ---------------------------------------------------------------------------------------------
def input_words(step: Step) -> str:
    """The input in a sentence."""
    event = step.input
    match event:
        case effects.Received():
            return _message("in", event.path, event.data)
        case effects.MediaHappened():
            return _media_event(event.event, hidden=step.hidden)
        case effects.Deadline():
            return f"timer: {', '.join(step.due) or 'nothing was due'}"
        case effects.Operator():
            return f"{event.author}: {event.verb} {_arguments(event.arguments)}".rstrip()
        case effects.Resumed():
            return f"the engine is back after {seconds(event.down_ms)} ({event.cause})"
        case effects.FlowClosed():
            return f"connection {event.flow} is gone: {event.reason}"
        case effects.SiteLoaded():
            return f"site {event.version[:12]} is loaded"
        case effects.PromptUsed():
            return f"prompt for ticket {event.ticket}: {event.detail or 'callers hear it'}"
        case effects.ClipLoaded():
            return f"clip for ticket {event.ticket}: {event.detail or seconds(event.duration_ms)}"
        case effects.StorageState():
            return f"records: {event.state} {event.detail}".rstrip()
        case effects.LookupDone():
            return f"a lookup answers after {event.ms} ms: {event.result} {event.reason}".rstrip()
        case SpeechStarted():
            return "he begins to speak"
        case SpeechDone():
            return f"the recogniser answers: {event.utterance.result} {event.utterance.detail}".rstrip()
        case stream_wall.StreamDone():
            return f"a bot is done after {event.ms} ms: {event.result} {event.reason}".rstrip()
        case SignatureChecked():
            return f"the signature of a caller's number is {event.result} {event.detail}".rstrip()
        case effects.SoundDone():
            return f"a recording is fetched after {event.ms} ms: {event.detail or seconds(event.duration_ms)}"
        case effects.Resolved():
            found = " ".join(f"{place.transport}:{place.host}:{place.port}" for place in event.places)
            return f"{event.host} leads to {found or 'nothing: ' + event.detail}"
    return _OTHERS.get(type(event), type(event).__name__)


_OTHERS: dict[type, str] = {
    effects.SecretsLoaded: "passwords are loaded", effects.Entropy: "fresh random bytes",
    effects.WallClock: "the wall clock is told", effects.Drain: "draining begins",
    effects.PortsReady: "RTP ports are ready", effects.AgentStates: "agents' logins are restored",
    effects.BoxesLoaded: "messages in boxes are restored",
    effects.Listening: "a listening address is told", effects.FlowOpened: "a connection stands",
}


def _arguments(arguments: dict[str, str]) -> str:
    return " ".join(
        f"{name}={'...' if any(word in name for word in _SECRET_WORDS) else value}"
        for name, value in sorted(arguments.items())
    )


def _message(way: str, path: Path, data: bytes) -> str:
    """A SIP message's first line with its direction, in the words of `tail --sip`."""
    text = without_secrets(data).decode("utf-8", "replace")
    hop = {"at_ms": 0, "way": way, "call": "", "far_end": f"{path.host}:{path.port}", "text": text}
    return _DETAILS.sub("", ladder(hop)[0], count=1).strip()


def _media_event(event: media.MediaEvent, *, hidden: bool) -> str:
    row = f"row {event.row}"
    match event:
        case media.PlayEnded():
            return f"{row}: the prompt has ended"
        case media.DigitStarted():
            return f"{row}: key {MASK if hidden else event.digit} goes down"
        case media.DigitHeard():
            return f"{row}: key {MASK if hidden else event.digit} ({event.way}, {event.duration_ms} ms)"
        case media.FaxHeard():
            return f"{row}: a fax is {'calling' if event.tone == 'cng' else 'answering'} ({event.tone})"
        case media.Latched():
            return f"{row}: audio comes from {event.host}:{event.port}"
        case media.MediaMissing():
            return f"{row}: no audio for {seconds(event.silent_ms)}"
        case media.MediaBack():
            return f"{row}: audio is back"
        case media.LegFailed():
            return f"{row}: FAILED: {event.detail}"
        case media.KeysLost():
            return f"{row}: its SRTP keys are lost, new ones have to be agreed"
        case media.PortMoved():
            return f"{row}: lies at port {event.port} now"
        case media.TapEnded():
            return f"{row}: recording {event.name} has ended: {event.detail or seconds(event.duration_ms)}"
        case media.LegClosed():
            return f"{row}: closed, {event.packets_in} packets in, {event.packets_out} out, {event.lost} lost"


# --- what the Switch did -----------------------------------------------------------------------------------------
def output_words(output: effects.Output, clips: dict[int, str]) -> str:
    """One output in a sentence."""
    match output:
        case Send():
            return _message("out", output.path, output.data)
        case effects.Media():
            return _command(output.command, clips)
        case effects.Emit():
            return f"* {words(output.event.kind, output.event.data)}"
        case effects.Reply():
            return f"answers request {output.request}" + (f": {output.error}" if output.error else "")
        case effects.LogLine():
            return f"log {output.level}: {output.text}"
        case effects.Drained():
            return "drained"
        case effects.FetchWanted():
            return f"fetches {output.url.split('?', 1)[0]} as clip {output.clip}"
        case stream_wall.StreamWanted():
            return f"connects the bot at {output.url.split('?', 1)[0]}"
        case stream_wall.StreamUnwanted():
            return f"ends the stream of ticket {output.ticket}"
        case stream_wall.StreamPressed():
            return f"tells the bot of ticket {output.ticket} of a key"
        case stream_wall.StreamHushed():
            return f"the bot of ticket {output.ticket} hears {'silence' if output.hushed else 'the call'}"
        case SignatureWanted():
            return f"asks whether a caller's number is signed by {output.url[:80]}"
        case effects.SpeakWanted():
            return f"has {len(output.text)} letters spoken as clip {output.clip}"
        case effects.LookupWanted():
            return f"asks the lookup {output.model.name}"
        case ListenWanted():
            return f"listens to row {output.row} by the grammar {output.listening.grammar}"
        case ListenEnded():
            return "listens no more"
        case effects.UsePrompt():
            return f"makes {output.file} the prompt {output.prompt}"
        case effects.LoadClip():
            return f"wants {output.name} as clip {output.clip}"
        case effects.RemoveFile():
            return f"removes {output.name}"
        case Judged():
            return f"tells the gate that {output.host} is {output.verdict}" + f" ({output.name})" * bool(output.name)
        case effects.ResolveWanted():
            return f"asks where {output.host} leads"
        case Connect():
            return f"connects to {output.transport}:{output.host}:{output.port}"
        case CloseFlow():
            return f"closes connection {output.flow}: {output.reason}"


def _command(command: media.MediaCommand, clips: dict[int, str]) -> str:
    match command:
        case media.Bridge():
            return f"+ rows {command.row_a} and {command.row_b} hear each other"
        case media.Mix():
            heard = [f"row {each.row} hears {_rows(each.ears)}" for each in command.parties]
            return f"+ mix {command.mix}: {'; '.join(heard) or 'no row hears it any more'}"
        case media.OpenLeg():
            return f"+ row {command.row}: opens at {command.host}:{command.port}"
        case media.SetLeg():
            ways = {(True, True): "both ways", (True, False): "sends only", (False, True): "hears only"}
            way = ways.get((command.send, command.receive), "silent both ways")
            return f"+ row {command.row}: agreed with {command.host}:{command.port}, {way}"
        case media.Play():
            names = " ".join(clips.get(clip, f"clip {clip}") for clip in command.clips)
            return f"+ row {command.row}: plays {names or MASK}{' for ever' if command.loop else ''}"
        case media.Stop():
            return f"+ row {command.row}: falls silent"
        case media.Echo():
            return f"+ row {command.row}: hears itself"
        case media.Hear():
            return f"+ row {command.row}: hears row {command.source}"
        case media.SendDigits():
            return f"+ row {command.row}: is sent {MASK * len(command.digits)}"
        case media.StartTap():
            return f"+ row {command.row}: is recorded to {command.name}"
        case media.PauseTap():
            return f"+ row {command.row}: recording {'pauses' if command.paused else 'goes on'}"
        case media.StopTap():
            return f"+ row {command.row}: recording stops"
        case media.CloseLeg():
            return f"+ row {command.row}: closes"


def _rows(rows: tuple[int, ...]) -> str:
    return " and ".join(f"row {row}" for row in rows) or "nobody"


def beside_words(beside: Beside) -> list[str]:
    """The state as lines."""
    if not beside.phase:
        return ["over    the call has ended"]
    lines = [f"phase   {beside.phase}"]
    if beside.step:
        lines.append(f"step    {beside.step}")
    if beside.waits_for:
        lines.append(f"waits   for {beside.waits_for}")
    if beside.queue:
        lines.append(f"queue   {beside.queue}" + (f", number {beside.position}" if beside.position else ""))
    lines += [f"agent   {agent} {state}" for agent, state in beside.agents]
    for leg in beside.legs:
        row = f", row {leg.row} hears {leg.hears}" if leg.row >= 0 else ""
        lines.append(f"leg     {leg.party}: {leg.state}{', on hold' if leg.held else ''}{row}")
    return lines


# --- columns ------------------------------------------------------------------------------------------------------
def columns(step: Step, before_ms: int, wide: int = WIDTH_MIN) -> list[str]:
    """A step as lines of at most `wide` cells; `before_ms`: engine time of the step before."""
    wide = max(wide, WIDTH_MIN)
    left = wide * _LEFT_PERCENT // 100
    right = wide - left - 3
    happened = _wrapped(input_words(step), left, "> ")
    for output in step.outputs:
        happened += _wrapped(output_words(output, step.clips), left, "  ")
    state = [line for each in beside_words(step.beside) for line in _wrapped(each[8:], right, each[:8], " " * 8)]
    head = f"--- input {step.number}  {clock(step.at_ms)}  +{(step.now_ms - before_ms) / 1000:.3f} s "
    lines = [head + "-" * max(0, wide - len(head))]
    for one, other in zip_longest(happened, state, fillvalue=""):
        lines.append(f"{one}{' ' * max(0, left - width(one))} | {other}".rstrip())
    return lines


def _wrapped(text: str, wide: int, mark: str, indent: str = "    ") -> list[str]:
    """Lines of at most `wide` terminal cells (which `textwrap` can't count), broken at spaces where there are some."""
    lines, line = [], mark
    for word in text.split():
        joined = word if line in (mark, indent) else f" {word}"
        if width(line + joined) > wide and line not in (mark, indent):
            lines.append(line)
            line, joined = indent, word
        for letter in joined:
            if width(line + letter) > wide:
                lines.append(line)
                line = indent
            line += letter
    return [*lines, line]


def as_data(step: Step) -> dict[str, Any]:
    """A step for `--json`: the same words, and messages whole, without their secrets."""
    found: dict[str, Any] = {
        "input": step.number, "now_ms": step.now_ms, "at_ms": step.at_ms, "kind": type(step.input).__name__,
        "what": input_words(step), "outputs": [_output_data(each, step.clips) for each in step.outputs],
        "state": msgspec.to_builtins(step.beside),
    }
    if isinstance(step.input, effects.Received):
        found |= _message_data(step.input.data)
    return found


def _output_data(output: effects.Output, clips: dict[int, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": type(output).__name__, "what": output_words(output, clips)}
    if isinstance(output, Send):
        found |= _message_data(output.data)
    elif isinstance(output, effects.Emit):
        found |= {"event": output.event.kind, "data": output.event.data}
    return found


def _message_data(data: bytes) -> dict[str, str]:
    return {"call_id": call_id_of(data), "text": without_secrets(data).decode("utf-8", "replace")}

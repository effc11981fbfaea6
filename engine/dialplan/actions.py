"""What a running dialplan asks for (actions) and what it is told (happenings). The interpreter never sees SIP or RTP.

A step waits for at most one thing. Each wait has a `ticket`, a number that grows with every wait of this call;
a happening that carries another ticket is late and is dropped.
"""

from __future__ import annotations

import msgspec

from engine.dialplan.model import Announcing, OverflowRule
from engine.dialplan.people_actions import PeopleAction, PeopleHappening
from engine.dialplan.stream_actions import StreamAction, StreamHappening
from engine.dialplan.types import Value
from engine.speech.utterance import Listening, Utterance


# --- actions (interpreter -> call) -------------------------------------------------------------------
class Answer(msgspec.Struct, frozen=True, tag=True):
    """Answer the caller; told back by Answered. Already answered: told back at once."""

    ticket: int


class PlayPrompts(msgspec.Struct, frozen=True, tag=True):
    """Play clips by name ("en/welcome", "tone/beep"); PlayDone(ticket) when the last ends (never when `loop`)."""

    ticket: int
    clips: tuple[str, ...]
    loop: bool = False
    hidden: tuple[str, ...] = ()  # of `clips`: those that speak a sensitive value, never named in the records


class StopPlay(msgspec.Struct, frozen=True, tag=True):
    """Silence (barge-in by key, end of a step)."""


class Collect(msgspec.Struct, frozen=True, tag=True):
    """From now on digits belong to this wait (False: the type-ahead buffer). `sensitive`: seal and mask them.

    `barge_in_ms`: a key stops the prompt from so long after its beginning on.
    """

    ticket: int
    on: bool
    sensitive: bool = False
    barge_in_ms: int = 0


class Hear(msgspec.Struct, frozen=True, tag=True):
    """Listen to what the caller says, beside his keys: SpeechBegan(ticket) when he begins, once, and Spoken(ticket)
    when it is over. A second wish replaces the first."""

    ticket: int
    listening: Listening
    keep: bool = False  # its sound too, when he consents


class StopHearing(msgspec.Struct, frozen=True, tag=True):
    """The wish of this ticket is over: he presses keys, or his time is over."""

    ticket: int


class SetTimer(msgspec.Struct, frozen=True, tag=True):
    """TimerFired(ticket) after `ms`; one timer per call: setting replaces, ms = 0 cancels."""

    ticket: int
    ms: int


class JoinQueue(msgspec.Struct, frozen=True, tag=True):
    """Put the caller into a queue ("default/support"). QueueEnded(ticket) when it is over.

    `music` is what he hears while waiting; `position_every_ms` 0: never announced; `needs` skill name -> level.
    """

    ticket: int
    queue: str
    music: tuple[str, ...]
    priority_ms: int = 0
    wait_ms_max: int = 0
    needs: tuple[tuple[str, int], ...] = ()
    announce: tuple[str, ...] = ()  # played before the music, interrupted when an agent answers
    position_every_ms: int = 0
    whisper: tuple[str, ...] = ()  # to the agent, before the bridge
    exit_keys: tuple[str, ...] = ()
    steps: tuple[tuple[int, tuple[tuple[str, int], ...], int], ...] = ()  # (ms, needs, ring), instead of `needs`
    prefer: str = ""  # an agent's number, or "last": who served this caller last
    prefer_ms: int = 0
    prefer_away: bool = False
    # a wait list of the program: it says exactly what `announce`, `music`, `position_every_ms`, `announcing` would
    wait: str = ""
    # what the step says instead of its queue; None: as the queue says
    announcing: Announcing | None = None
    join_absent: tuple[str, ...] | None = None
    leave_absent: tuple[str, ...] | None = None
    estimated_wait_ms_max: int = 0
    overflow: tuple[OverflowRule, ...] | None = None
    group: str = ""  # the class of callers that he belongs to: agents may be reserved for it
    hard: bool = False  # a hard call: its share falls on every agent alike


class DialOut(msgspec.Struct, frozen=True, tag=True):
    """Ring targets; DialEnded(ticket) when it is over. The caller hears early media, else ringback.

    `targets`: "agent/201", "number/+44207…", "sip:…" ; `mode`: parallel | serial. `music`: instead of ringback.
    """

    ticket: int
    targets: tuple[str, ...]
    mode: str = "parallel"
    ring_ms_max: int = 30_000
    music: tuple[str, ...] = ()
    caller_id: str = ""
    record: bool = False
    whisper: tuple[str, ...] = ()  # to whoever answers, before the two are put through
    confirm: bool = False  # only the key 1 is an answer …
    confirm_prompt: tuple[str, ...] = ()  # … for which this asks; (): stock words


class AskCallback(msgspec.Struct, frozen=True, tag=True):
    """May the caller be rung back from this queue, and then: book it. CallbackAnswer(ticket) in this same step.

    `number`: what he typed (`typed`), '' his own. `book` False only asks. `priority_ms` and `needs` as JoinQueue's, for
    a caller who doesn't wait in this queue.
    """

    ticket: int
    queue: str
    number: str
    typed: bool
    replace: bool
    book: bool
    priority_ms: int = 0
    needs: tuple[tuple[str, int], ...] = ()


class LookUp(msgspec.Struct, frozen=True, tag=True):
    """Ask the server of `Site.lookups[lookup]`; LookupAnswered(ticket). `values`: what the request is made of."""

    ticket: int
    lookup: str
    values: dict[str, Value]


class FetchSound(msgspec.Struct, frozen=True, tag=True):
    """Fetch the recording at `url`; SoundFetched(ticket). One not older than `cache_ms` will do."""

    ticket: int
    url: str
    timeout_ms: int
    cache_ms: int


class PlayFetched(msgspec.Struct, frozen=True, tag=True):
    """Play what was fetched from `url`; PlayDone(ticket) when it ends."""

    ticket: int
    url: str


class DropFetched(msgspec.Struct, frozen=True, tag=True):
    """What was fetched is wanted no more."""


class SendKey(msgspec.Struct, frozen=True, tag=True):
    """One key (0-9 * #) to the caller's side, `ms` long."""

    digit: str
    ms: int


class Show(msgspec.Struct, frozen=True, tag=True):
    """What the agent who gets this caller sees of him: name -> text; what was shown under a name before is replaced."""

    values: dict[str, str]


class LeaveQueue(msgspec.Struct, frozen=True, tag=True):
    """A wait list's word: the caller leaves the queue, and its dialplan goes on by this way of the queue step."""

    out: str


class StartRecord(msgspec.Struct, frozen=True, tag=True):
    """Record the caller's leg.

    `ticket` 0: runs beside the call; else RecordDone(ticket) on key, silence or `ms_max`.
    """

    ticket: int
    ms_max: int
    end_keys: tuple[str, ...] = ()
    beep: bool = True


class AskBox(msgspec.Struct, frozen=True, tag=True):
    """Does a box ("default/support") take a message? BoxAnswer(ticket) in this same step."""

    ticket: int
    box: str


class LeaveMessage(msgspec.Struct, frozen=True, tag=True):
    """Record a message into a box after the beep; RecordDone(ticket) on `#`, its time, or a fault (duration_ms -1).

    What the caller has said when he hangs up is a message all the same.
    """

    ticket: int
    box: str
    ms_max: int


class StopRecord(msgspec.Struct, frozen=True, tag=True):
    """End the recording of the caller's leg."""


class EchoBack(msgspec.Struct, frozen=True, tag=True):
    """The caller hears himself, until he hangs up."""


class Hangup(msgspec.Struct, frozen=True, tag=True):
    """End the call. `outcome` served | transferred | abandoned | failed | a word of the dialplan's; `cause` Q.850."""

    outcome: str
    cause: int = 16


class Reject(msgspec.Struct, frozen=True, tag=True):
    """Refuse an unanswered call with a SIP status; on an answered call the same as Hangup('failed')."""

    status: int
    cause: int = 0


class Note(msgspec.Struct, frozen=True, tag=True):
    """A fact for the records, masked where sensitive.

    `kind`: step | way | tag | log | set | fault | lookup | fetch | metric.

    way: the step at place `text` was left by its outcome `way` ("always KEY" by a key that is live everywhere).
    lookup: "NAME RESULT MS REASON"; fetch: "ADDRESS RESULT MS REASON"; metric: "NAME BY".
    """

    kind: str
    text: str
    step: str = ""
    way: str = ""


Action = (
    Answer
    | PlayPrompts
    | StopPlay
    | Collect
    | Hear
    | StopHearing
    | SetTimer
    | JoinQueue
    | LeaveQueue
    | DialOut
    | AskCallback
    | LookUp
    | FetchSound
    | PlayFetched
    | DropFetched
    | SendKey
    | Show
    | StartRecord
    | AskBox
    | LeaveMessage
    | StopRecord
    | EchoBack
    | Hangup
    | Reject
    | Note
    | PeopleAction
    | StreamAction
)


# --- happenings (call -> interpreter) ----------------------------------------------------------------
class Started(msgspec.Struct, frozen=True, tag=True):
    """The call arrived; the interpreter begins at the program's entry. Facts are its namespaces' first values.

    Keys: access.caller, access.dialled, access.trunk, access.kind (trunk | agent | public), system.now (for later).
    """

    facts: dict[str, str]


class AnsweredNow(msgspec.Struct, frozen=True, tag=True):
    ticket: int


class PlayDone(msgspec.Struct, frozen=True, tag=True):
    ticket: int


class Digit(msgspec.Struct, frozen=True, tag=True):
    """One digit for the current Collect; `digit` is 0-9, *, #, A-D. `early`: before a key may stop the prompt."""

    digit: str
    early: bool = False


class SpeechBegan(msgspec.Struct, frozen=True, tag=True):
    """The caller speaks, since `ms` before now."""

    ticket: int
    ms: int = 0


class Spoken(msgspec.Struct, frozen=True, tag=True):
    """What he said, or why nothing came of it. A `failed` one is the recogniser's fault."""

    ticket: int
    utterance: Utterance


class TimerFired(msgspec.Struct, frozen=True, tag=True):
    ticket: int


class QueueEnded(msgspec.Struct, frozen=True, tag=True):
    """The queue is done with the caller, who is free to hear the next step.

    `result`: served (the agent hung up first) | full | no_agents | timeout | closed (by an operator) | exit (then
    `key`) | left (by a word of the wait list: `key` is its way) | overflow (by a rule: `key` is an outcome) |
    number (by a rule: `key` is whom to dial) | transferred (the transferred conversation is over).
    """

    ticket: int
    result: str
    key: str = ""


class DialEnded(msgspec.Struct, frozen=True, tag=True):
    """`result`: served (answered, far end hung up first) | busy | no_answer | rejected | unreachable | failed."""

    ticket: int
    result: str
    status: int = 0


class CallbackAnswer(msgspec.Struct, frozen=True, tag=True):
    """`result`: allowed (it was only asked) | accepted (booked, at `position`) | no_number | refused | already_open |
    full | failed. `number`: the one that will be called.
    """

    ticket: int
    result: str
    number: str = ""
    position: int = 0


class LookupAnswered(msgspec.Struct, frozen=True, tag=True):
    """`result`: ok (`values` by whole name, typed) | not_found | failed. `reason` says why, without any value."""

    ticket: int
    result: str
    values: dict[str, Value] = {}
    reason: str = ""
    ms: int = 0


class SoundFetched(msgspec.Struct, frozen=True, tag=True):
    """It is here and lasts `duration_ms`, or `reason` says why it isn't."""

    ticket: int
    duration_ms: int
    reason: str = ""
    ms: int = 0


class BoxAnswer(msgspec.Struct, frozen=True, tag=True):
    """`result`: open | full | failed (no such box any more, or the disk takes nothing)."""

    ticket: int
    result: str


class RecordDone(msgspec.Struct, frozen=True, tag=True):
    ticket: int
    name: str
    duration_ms: int


class CallerGone(msgspec.Struct, frozen=True, tag=True):
    """The caller hung up: whatever the step was, it is over; `finally:` runs."""


Happening = (
    Started | AnsweredNow | PlayDone | Digit | TimerFired | QueueEnded | DialEnded | CallbackAnswer | BoxAnswer
    | RecordDone | LookupAnswered | SoundFetched | CallerGone | SpeechBegan | Spoken | PeopleHappening
    | StreamHappening
)  # fmt: skip

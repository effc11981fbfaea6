"""The one typed, versioned event stream that feeds everything else (DESIGN §6).

`Event` is the envelope: node, boot and n have no gaps within a boot. `kind` is a dotted word listed in KINDS with
the fields its `data` must hold; a test holds every emitter to the list.
"""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = 1


class Event(msgspec.Struct, frozen=True):
    """One fact. `at_ms` is wall time (Unix ms), `now_ms` the engine's monotonic time."""

    n: int
    boot: str
    at_ms: int
    now_ms: int
    kind: str
    tenant: str
    call: str  # speakable call id, or ''
    data: dict[str, str | int | float | bool | None]


# kind -> fields of `data`, each with its unit in the name or stated here. This table is the schema.
KINDS: dict[str, tuple[str, ...]] = {
    # calls
    "call.started": ("caller", "name", "dialled", "trunk", "via", "peer", "sip"),  # via: trunk, agent, public, callback
    # numbers as they came beside E.164; presentation: shown | withheld | malformed; diverted_from: who sent it on;
    # attestation: none | full | partial | gateway, verification: none | passed | failed (STIR), why in detail
    "call.identity": (
        "caller_as", "dialled_as", "presentation", "diverted_from", "attestation", "verification", "detail",
    ),
    "call.shared": ("site",),  # it runs on a version of the site that only a share of the calls gets
    "call.leg": ("leg", "sip"),  # a phone is rung for the call; sip: the Call-ID of its dialog
    "call.answered": ("after_ms",),
    "call.step": ("step", "text"),
    "call.way": ("step", "text", "way"),  # the step at `text` was left so; only of a site that is traced
    "call.prompt": ("clips",),
    "call.digit": ("digit", "way", "leg"),  # digit is '·' where sensitive
    "call.fax": ("tone", "leg", "to"),  # cng: it calls, ced: it answers; to: the flow that the caller goes to, or ''
    "call.gathered": ("variable", "value"),  # masked where sensitive
    "call.lookup": ("lookup", "result", "ms", "reason"),  # ok | not_found | failed, and why; never a value
    "call.fetch": ("url", "result", "ms", "reason"),  # of a recording elsewhere: ok | failed, and why
    # a bot elsewhere; tracks: talk (it had the caller) | caller | both; result: done | timeout | failed; in frames of
    # 20 ms: sent to it, heard of it, dropped because it did not take them
    "call.stream": ("url", "tracks", "result", "reason", "ms", "sent", "heard", "dropped"),
    "call.shown": ("values",),  # name=text; … for the agent's screen
    "call.metric": ("name", "by"),  # a count of the dialplan's own
    # what a caller said: grammar is its key in the site; slots name=value; …; confidence (the alternatives', too) in
    # percent; speech_ms how long he spoke, answer_ms from its end to the result, -1 not known; engine: the recogniser;
    # result: match | no_match | no_input | too_long | failed, and why in detail. Of a sensitive step not a word. audio:
    # the file that its sound is kept in, as long as retention leaves it there; dialplan: tenant/name; lists: what only
    # this call listened for, JSON of slot -> phrases, '' without an open list, or where it is too long to be kept
    "speech.heard": (
        "step", "grammar", "language", "result", "text", "intent", "slots", "confidence", "alternatives", "speech_ms",
        "answer_ms", "barged_in", "engine", "detail", "dialplan", "audio", "lists",
    ),
    "call.bridged": ("with", "kind"),
    "call.held": ("by", "held"),
    "call.transferred": ("by", "to", "way", "result"),
    "call.recording": ("name", "state", "duration_ms"),
    "recording.told": ("who", "queue", "result"),  # who: caller, or a party that we called; result: told | declined
    "call.quality": (
        "leg", "trunk", "packets_in", "packets_out", "lost", "jitter_us", "gap_max_us", "ignored", "digits",
        # MOS of what came from it and what went to it, 0 not known; far_lost: packets of ours by its own reports, and
        # round_trip_us, -1 not known; side: theirs | ours | between, '' nothing is wrong; cause in words
        "mos_in", "mos_out", "far_lost", "round_trip_us", "side", "cause",
    ),
    "call.media": ("leg", "state", "detail"),  # one-way, missing, back, latched
    "call.fault": ("where", "detail"),
    "call.conference": ("by", "who", "result"),  # ringing | joined | left | busy, no_answer … of a third party
    "call.resumed": ("phase", "down_ms"),  # the engine went away under this call and has come back
    "call.ended": ("by", "outcome", "cause", "duration_ms", "answered_ms", "waited_ms", "talked_ms", "held_ms", "path"),
    # a key for a question; question '': the caller was asked the survey; agent: who had him last
    "survey.answered": ("survey", "question", "answer", "queue", "agent"),
    # state: parked | picked | returned (to whoever parked) | timeout | moved (by an operator)
    "call.parked": ("slot", "by", "state"),
    "call.room": ("room", "who", "result", "people"),  # joined | left; people: how many are in it then
    # dialling
    "dial.started": ("target", "kind", "trunk"),
    # a trunk didn't carry it: to the next one, or (the same name) to its next address; after_ms: since its INVITE
    "dial.moved": ("target", "trunk", "to", "why", "status", "cause", "after_ms"),
    "dial.ended": ("target", "result", "status", "rang_ms", "cause"),  # cause: Q.850, theirs or by status; 0 none
    "dial.refused": ("agent", "number", "service_class", "why"),  # why: prefix | hours | day | month
    # a rule against fraud; limit: calls_at_once | calls_per_minute | calls_in_a_row | calls_total | call_duration (s)
    "fraud.warned": ("rule", "caller", "number", "trunk", "limit", "count", "most"),
    "fraud.stopped": ("rule", "caller", "number", "trunk", "limit", "count", "most"),
    "dial.cost": ("agent", "number", "cost", "today"),  # amounts such as 0.040, by the site's rates
    # somebody here needs help; location in one line; call_back: the number that reaches him
    "emergency.dialled": ("agent", "number", "trunks", "location", "call_back"),
    "emergency.preempted": ("trunk", "by", "cause"),  # this call ended for the emergency call `by`
    "emergency.ended": ("number", "result"),  # result: answered, or why every trunk failed
    # queues
    # estimate: within these bounds he is answered with 90 %; 0 and 0: not worked out, or nothing honest to say
    "queue.joined": ("queue", "position", "priority_ms", "caller", "estimate_low_ms", "estimate_high_ms"),
    "queue.position": ("queue", "position"),
    "queue.widened": ("queue", "stage", "ring", "waited_ms"),  # he waits with fewer needs, or in a wider ring
    "queue.told": ("queue", "position", "low_min", "high_min"),  # the wait he was told; 0: no bound on that side
    "queue.renamed": ("queue", "was"),  # full names; what was recorded under the old one counts for the new one
    # a rule sent him elsewhere: way queue | number | outcome; credit_ms: time waited that counts there
    "queue.overflowed": ("queue", "rule", "way", "to", "waited_ms", "credit_ms"),
    "queue.decided": ("queue", "agent", "why"),  # agent: those who are rung now, '' nobody; why: see `decision`
    "queue.offered": ("queue", "agent", "offer"),
    "queue.offer_ended": ("queue", "agent", "offer", "reason", "rang_ms"),
    # way: offered | picked_up (the agent took him himself) | outside (so did one who is logged out or has a caller)
    "queue.connected": ("queue", "agent", "waited_ms", "rang_ms", "way"),
    "queue.completed": ("queue", "agent", "by", "waited_ms", "talked_ms"),
    "queue.abandoned": ("queue", "position", "first_position", "waited_ms"),
    "queue.left": ("queue", "reason", "position", "first_position", "waited_ms", "key"),
    "queue.kept": ("queue", "away_ms"),  # he was cut off, rang back in time and has his old place
    # callbacks: `call` is the callback's own id, under which its stay in the queue goes on; origin the call he asked in
    "callback.requested": ("queue", "number", "origin", "mode", "position", "promise_ms", "until_ms"),
    "callback.dialled": ("queue", "attempt", "agent"),
    "callback.answered": ("queue", "attempt", "rang_ms"),
    "callback.attempt_failed": ("queue", "attempt", "reason", "next_ms"),  # next_ms: to the next attempt, 0 none
    "callback.expired": ("queue", "reason", "attempts", "waited_ms"),  # reason: age | attempts
    "callback.cancelled": ("queue", "by"),  # by: customer | replaced | drain | operator NAME
    "callback.served": ("queue", "agent", "waited_ms", "attempts", "kept"),
    "prompt.recorded": ("prompt", "agent", "duration_ms"),  # by phone; callers hear it from now on
    # boxes; message: its file, which is its name; by: phone AGENT | operator NAME | retention | forget
    "voicemail.left": ("box", "message", "caller", "name", "dialled", "duration_ms"),
    "voicemail.dropped": ("box", "reason", "duration_ms"),  # reason: too_short | failed
    "voicemail.opened": ("box", "by", "result"),  # result: opened | wrong_pin
    "voicemail.heard": ("box", "message", "by"),
    "voicemail.saved": ("box", "message", "by"),
    "voicemail.deleted": ("box", "message", "by"),
    "voicemail.unheard": ("box", "message", "by", "waited_ms", "new"),  # nobody has heard it in time
    "voicemail.mailed": ("box", "message", "result", "attempts"),  # result: sent | failed | gone
    "voicemail.callback": ("box", "message", "queue", "result"),  # result: accepted, or why there is no callback
    # supervisors, on the call that they follow; mode: listen | whisper | barge | takeover
    "supervision.started": ("supervisor", "agent", "mode"),
    "supervision.changed": ("supervisor", "agent", "mode"),
    "supervision.ended": ("supervisor", "agent", "mode", "reason"),
    # agents
    "agent.state": ("agent", "name", "old", "new", "reason", "queue"),
    "agent.login": ("agent", "way"),
    "agent.logout": ("agent", "way", "logged_in_ms"),
    "agent.paused": ("agent", "paused", "reason"),
    "agent.over_budget": ("agent", "name", "reason", "budget_ms", "spent_ms"),
    "agent.wrap_up_code": ("agent", "queue", "code", "name", "by"),  # code: key, '' required and missed
    "agent.wrap_up_extended": ("agent", "queue", "by", "left_ms", "extensions"),
    "agent.told": ("agent", "text", "phones"),  # one line by SIP MESSAGE to so many of his phones
    "agent.binding": ("agent", "contact", "change", "user_agent"),
    "agent.reachable": ("agent", "reachable", "round_trip_ms"),
    # a certificate has run out, and with it the skill; until_ms: Unix ms of its end
    "agent.skill_expired": ("agent", "skill", "until_ms", "certified_by"),
    # trunks; state: up | down | unknown | unresolved
    "trunk.state": ("trunk", "state", "detail", "round_trip_ms"),
    # change: registered | renewed | refused | failed | lapsed | left; next_ms: until the next try
    "trunk.registered": ("trunk", "change", "status", "detail", "granted_s", "next_ms"),
    # engine
    "engine.started": ("version", "schema", "addresses"),
    "engine.loaded": ("version", "files", "flows"),
    "engine.resumed": ("cause", "down_ms", "calls", "legs", "ended"),  # ended: calls that were too long without us
    "engine.drain": ("calls", "left_ms"),
    "engine.clock": ("old_ms", "new_ms", "jump_ms"),  # the wall clock was set: Unix ms it would have been, and is
    "engine.stopped": ("calls",),
    "engine.refused": ("kind", "peer", "detail", "count"),
    # the gate holds a source off: kind guessing | probing | scanner | flood; by: who lifted it, '' it has been quiet
    "engine.blocked": ("source", "kind", "detail"),
    "engine.unblocked": ("source", "kind", "dropped", "by"),
    "engine.breach": ("rule", "detail"),
    "engine.storage": ("state", "detail", "spooled"),
    "engine.limit": ("name", "value"),
    "engine.records": ("author", "act", "subject", "counts"),  # backup, forget, quota, hear …; never a number
    # a version of the site: act reload | rollback | share | shared | withdrawn; reason: why although its tests fail, or
    # why it went; changes: lines of the difference
    "operator.site": ("author", "act", "old", "new", "changes", "tests", "reason"),
    "operator.command": ("author", "verb", "arguments", "result"),
    # something is off its default (state closed | not_ready | logged_out | open | on), or is at it again (state
    # default); until_ms: Unix ms, 0 for good; recording: a file of the data folder that is heard as the notice
    "operator.switch": ("switch", "name", "state", "author", "reason", "until_ms", "recording", "recording_ms"),
}

"""The INVITE usage of a dialog: its phases as a table, and its record (RFC 3261 §13, §14, §15).

What happens in a phase is spread over one module per exchange: `session_uas` (their INVITE), `session_uac` (ours),
`session_modify` (re-INVITE both ways), `session_update` (UPDATE), `provisional_server`, `provisional_client` (100rel),
`session_timer` (RFC 4028), `session_end` (BYE), `session_info` (digits, probe).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from engine.sip.dialog import Dialog
from engine.sip.multipart import Part


class Phase(IntEnum):
    """Where a session is."""

    INCOMING = 0  # their INVITE waits for our final answer
    ANSWERED = 1  # our 2xx waits for its ACK
    DISMISSED = 2  # the same, and we want to hang up: no BYE before the ACK (§15)
    CALLING = 3  # our INVITE has had no response
    GIVING_UP = 4  # we want to cancel but no 1xx has come yet (§9.1)
    RINGING = 5  # a 1xx came
    CANCELLING = 6  # CANCEL is out
    CONFIRMED = 7
    LEAVING = 8  # our BYE waits for its answer
    OVER = 9  # kept only while a REFER of it is being reported


class Move(IntEnum):
    """What moves a session."""

    ANSWER = 0  # we accept
    REJECT = 1  # we refuse
    HANG_UP = 2  # we end it, whatever the phase
    ACKED = 3
    UNACKED = 4  # 64·T1 without ACK
    CANCELED = 5  # their CANCEL
    FAR_BYE = 6
    R1XX = 7
    R2XX = 8
    REFUSED = 9  # 3xx–6xx, also local ones (408, 503)
    DROPPED = 10  # timer, probe, 408: BYE is worth trying
    GONE = 11  # 481: the far end has no dialog any more
    DONE = 12  # our BYE is answered or has timed out


_P, _M = Phase, Move

MOVES: Mapping[tuple[Phase, Move], Phase] = {
    (_P.INCOMING, _M.ANSWER): _P.ANSWERED,  # §13.3.1.4
    (_P.INCOMING, _M.REJECT): _P.OVER,  # §13.3.1.2, .3
    (_P.INCOMING, _M.HANG_UP): _P.OVER,
    (_P.INCOMING, _M.CANCELED): _P.OVER,  # §9.2
    (_P.INCOMING, _M.FAR_BYE): _P.OVER,  # §15: a caller may end an early dialog
    (_P.INCOMING, _M.DROPPED): _P.OVER,  # the last net: nobody decided
    (_P.ANSWERED, _M.ACKED): _P.CONFIRMED,
    (_P.ANSWERED, _M.HANG_UP): _P.DISMISSED,  # §15: the callee's BYE waits for the ACK
    (_P.ANSWERED, _M.UNACKED): _P.LEAVING,  # §13.3.1.4
    (_P.ANSWERED, _M.FAR_BYE): _P.OVER,
    (_P.DISMISSED, _M.ACKED): _P.LEAVING,
    (_P.DISMISSED, _M.UNACKED): _P.LEAVING,
    (_P.DISMISSED, _M.FAR_BYE): _P.OVER,
    (_P.CALLING, _M.R1XX): _P.RINGING,
    (_P.CALLING, _M.R2XX): _P.CONFIRMED,
    (_P.CALLING, _M.REFUSED): _P.OVER,
    (_P.CALLING, _M.HANG_UP): _P.GIVING_UP,  # §9.1: no CANCEL before a 1xx
    (_P.GIVING_UP, _M.R1XX): _P.CANCELLING,
    (_P.GIVING_UP, _M.R2XX): _P.LEAVING,  # §9.1, §15: ACK, then BYE
    (_P.GIVING_UP, _M.REFUSED): _P.OVER,
    (_P.RINGING, _M.R1XX): _P.RINGING,
    (_P.RINGING, _M.R2XX): _P.CONFIRMED,
    (_P.RINGING, _M.REFUSED): _P.OVER,
    (_P.RINGING, _M.HANG_UP): _P.CANCELLING,
    (_P.CANCELLING, _M.R1XX): _P.CANCELLING,
    (_P.CANCELLING, _M.R2XX): _P.LEAVING,
    (_P.CANCELLING, _M.REFUSED): _P.OVER,
    (_P.CANCELLING, _M.DROPPED): _P.OVER,  # §9.1: 64·T1 after the CANCEL
    (_P.CONFIRMED, _M.HANG_UP): _P.LEAVING,
    (_P.CONFIRMED, _M.FAR_BYE): _P.OVER,
    (_P.CONFIRMED, _M.DROPPED): _P.LEAVING,
    (_P.CONFIRMED, _M.GONE): _P.OVER,  # §12.2.1.2
    (_P.CONFIRMED, _M.UNACKED): _P.LEAVING,  # §14.2: no ACK for the 2xx of a re-INVITE
    (_P.LEAVING, _M.FAR_BYE): _P.LEAVING,  # both sides hang up: theirs is answered, ours still waits
    (_P.LEAVING, _M.DONE): _P.OVER,
}

# Every other pair does nothing: a method call or a message that comes too late (law 4), by phase:
IGNORED: Mapping[Phase, str] = {
    _P.INCOMING: "no answer has been given that could be acknowledged; responses belong to sessions that we place",
    _P.ANSWERED: "the 2xx is out: a second verdict or a CANCEL changes nothing (§9.2)",
    _P.DISMISSED: "the end is decided; only the ACK, its absence or their BYE count",
    _P.CALLING: "no dialog yet: nothing in dialog can match; only responses and our own will move it",
    _P.GIVING_UP: "cancelled already",
    _P.RINGING: "as CALLING",
    _P.CANCELLING: "cancelled already; their requests find no confirmed dialog",
    _P.CONFIRMED: "late verdicts, repeated ACKs and 2xx: the dialog stands",
    _P.LEAVING: "only the answer to our BYE counts",
    _P.OVER: "over",
}


class Plan(msgspec.Struct, array_like=True):
    """What our INVITE says, kept until its final response: it may have to be said again (401, 407, 422)."""

    target: str
    headers: tuple[tuple[str, str], ...]
    ring_ms_max: int
    session_s: int
    min_se_s: int = 90
    credentials: tuple[str, str] = ("", "")  # header name and value of the last try
    challenged: int = 0
    retimed: int = 0
    cseq: int = 0
    parts: tuple[Part, ...] = ()  # bodies beside the offer


class Reliable(msgspec.Struct, array_like=True):
    """Provisional responses of ours that the caller acknowledges by PRACK (RFC 3262): he knows 100rel.

    One at a time: `data` repeats until the PRACK for RSeq `seq` comes; `later`, and a 2xx that must not overtake, wait.
    """

    required: bool  # by him: each of them; else only those that we want to be sure of
    seq: int = 0
    status: int = 0
    data: bytes = b""
    cseq: int = 0  # of his INVITE
    sdp: bool = False  # `data` carries a description …
    offers: bool = False  # … which is our offer: its answer comes in the PRACK (§5)
    since_ms: int = 0
    interval_ms: int = 0
    later: list[tuple[int, bytes, tuple[tuple[str, str], ...]]] = []  # status, sdp, headers
    ok: tuple[bytes, tuple[tuple[str, str], ...]] | None = None  # sdp, headers of the 2xx
    agreed: bool = False  # offer and answer have been exchanged before the 2xx, which therefore has none


class Early(msgspec.Struct, array_like=True):
    """An early dialog of ours that a reliable provisional response has made (RFC 3262 §4), by its remote tag."""

    dialog: Dialog
    contact: str
    secret: tuple[str, str] | None
    seq: int = 0  # the latest RSeq taken
    sdp: bytes = b""  # their answer; their offer when our INVITE had none
    rack: str = ""  # the RAck of a PRACK that waits for our answer to that offer


class Session(msgspec.Struct, array_like=True):
    """One INVITE session. `invite` is the transaction of the first INVITE until its final response.

    Their offer waits in transaction `theirs`; ours runs in `ours` with `our_sdp` (`ours_refresh`: sent by the session
    timer, the rooms above don't know of it). `ok*` is the 2xx being repeated until the ACK of CSeq `ok_cseq`.
    """

    id: int
    phase: Phase
    caller: bool  # True: we placed it (owner of the Call-ID, §14.1)
    dialog: Dialog
    contact: str
    invite: int = 0
    plan: Plan | None = None
    secret: tuple[str, str] | None = None
    local_sdp: bytes = b""
    remote_sdp: bytes = b""
    ok: bytes = b""
    ok_offers: bool = False  # our 2xx carries an offer: until its ACK nobody else may offer (RFC 3264 §4)
    ok_path_tx: int = 0
    ok_cseq: int = -1
    ok_since_ms: int = 0
    ok_interval_ms: int = 0
    ack: bytes = b""  # our ACK of the latest 2xx, repeated for each repeat of it
    ack_cseq: int = -1
    owes_answer: bool = False  # their 2xx carried the offer: our ACK waits for accept_offer
    quiet: bool = False  # the rooms above know that it is over: no more events
    end_by: str = ""
    bye_headers: tuple[tuple[str, str], ...] = ()
    theirs: int = 0
    ours: int = 0
    our_sdp: bytes = b""
    ours_refresh: bool = False
    ours_tries: int = 0
    wanted_sdp: bytes = b""  # our offer that waits: glare, or behind another exchange
    timer_s: int = 0  # the agreed session interval, 0: none
    we_refresh: bool = False
    far_timer: bool = False  # the far end knows RFC 4028
    far_asked_s: int = 0  # Session-Expires of their latest INVITE
    far_refresher: str = ""
    far_min_se_s: int = 90
    forks: dict[str, bytes] = {}  # remote tag -> ACK of another fork's 2xx
    refers: list[int] = []
    reliable: Reliable | None = None  # we are called, by somebody who knows 100rel
    early: dict[str, Early] = {}  # we call
    rung: list[str] = []  # we call: the tags of those who ring
    far_update: bool = False  # their Allow names UPDATE


def move(session: Session, what: Move) -> bool:
    """Move along the table; False (and no change) when this phase ignores it."""
    phase = MOVES.get((session.phase, what))
    if phase is None:
        return False
    session.phase = phase
    return True

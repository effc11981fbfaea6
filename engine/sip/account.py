"""A registration of ours with a carrier: what is known of it, and its life as a table (RFC 3261 §10.2, RFC 5626 §4.5).

| state | means |
|---|---|
| IDLE | nothing is asked of the registrar |
| ASKING | the first REGISTER, or one after a failure, waits for its answer |
| HELD | registered; it is renewed a margin before it runs out |
| RENEWING | registered, and the renewal waits for its answer |
| LATE | registered still, but the latest renewal failed: another one follows |
| RESTING | not registered; the next try follows |
| ENDING | no longer wanted, but a REGISTER waits for its answer: only one at a time (§10.2) |
| LEAVING | the REGISTER that takes the contact away waits for its answer |
| RETURNING | the same, and it is wanted again |

What is sent and heard is in `registration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from engine.sip.events import Path


class Life(IntEnum):
    """Where an account is; see the module."""

    IDLE = 0
    ASKING = 1
    HELD = 2
    RENEWING = 3
    LATE = 4
    RESTING = 5
    ENDING = 6
    LEAVING = 7
    RETURNING = 8


class Turn(IntEnum):
    """What moves it."""

    START = 0  # it is wanted, or wanted at once
    STOP = 1  # it is not wanted any more
    OK = 2  # 2xx
    FAILED = 3  # any other final answer, none, or no way to the registrar
    DUE = 4  # the time to renew or to try again has come
    LAPSED = 5  # what the registrar granted is over


class Act(IntEnum):
    """What is done about it."""

    SEND = 0  # REGISTER
    LEAVE = 1  # REGISTER with Expires: 0
    KEEP = 2  # arm the renewal and the end of what was granted
    REST = 3  # arm the next try
    QUIET = 4  # no deadline is left


_L, _T, _A = Life, Turn, Act
_STAY: tuple[Act, ...] = ()

TABLE: Mapping[tuple[Life, Turn], tuple[Life, tuple[Act, ...]]] = {
    (_L.IDLE, _T.START): (_L.ASKING, (_A.SEND,)),  # RFC 3261 §10.2
    (_L.IDLE, _T.STOP): (_L.IDLE, _STAY),
    (_L.IDLE, _T.OK): (_L.IDLE, _STAY),
    (_L.IDLE, _T.FAILED): (_L.IDLE, _STAY),
    (_L.IDLE, _T.DUE): (_L.IDLE, _STAY),
    (_L.IDLE, _T.LAPSED): (_L.IDLE, _STAY),
    (_L.ASKING, _T.START): (_L.ASKING, _STAY),  # §10.2: no new REGISTER before the answer to the old one
    (_L.ASKING, _T.STOP): (_L.ENDING, _STAY),
    (_L.ASKING, _T.OK): (_L.HELD, (_A.KEEP,)),  # §10.2.4
    (_L.ASKING, _T.FAILED): (_L.RESTING, (_A.REST,)),  # RFC 5626 §4.5
    (_L.ASKING, _T.DUE): (_L.ASKING, _STAY),
    (_L.ASKING, _T.LAPSED): (_L.ASKING, _STAY),
    (_L.HELD, _T.START): (_L.RENEWING, (_A.SEND,)),  # asked for at once: we may have been away
    (_L.HELD, _T.STOP): (_L.LEAVING, (_A.LEAVE,)),  # §10.2.2
    (_L.HELD, _T.OK): (_L.HELD, _STAY),
    (_L.HELD, _T.FAILED): (_L.HELD, _STAY),
    (_L.HELD, _T.DUE): (_L.RENEWING, (_A.SEND,)),  # §10.2.4
    (_L.HELD, _T.LAPSED): (_L.ASKING, (_A.SEND,)),
    (_L.RENEWING, _T.START): (_L.RENEWING, _STAY),
    (_L.RENEWING, _T.STOP): (_L.ENDING, _STAY),
    (_L.RENEWING, _T.OK): (_L.HELD, (_A.KEEP,)),
    (_L.RENEWING, _T.FAILED): (_L.LATE, (_A.REST,)),
    (_L.RENEWING, _T.DUE): (_L.RENEWING, _STAY),
    (_L.RENEWING, _T.LAPSED): (_L.ASKING, _STAY),
    (_L.LATE, _T.START): (_L.RENEWING, (_A.SEND,)),
    (_L.LATE, _T.STOP): (_L.LEAVING, (_A.LEAVE,)),
    (_L.LATE, _T.OK): (_L.LATE, _STAY),
    (_L.LATE, _T.FAILED): (_L.LATE, _STAY),
    (_L.LATE, _T.DUE): (_L.RENEWING, (_A.SEND,)),
    (_L.LATE, _T.LAPSED): (_L.RESTING, _STAY),  # the next try is armed already
    (_L.RESTING, _T.START): (_L.ASKING, (_A.SEND,)),
    (_L.RESTING, _T.STOP): (_L.IDLE, (_A.QUIET,)),
    (_L.RESTING, _T.OK): (_L.RESTING, _STAY),
    (_L.RESTING, _T.FAILED): (_L.RESTING, _STAY),
    (_L.RESTING, _T.DUE): (_L.ASKING, (_A.SEND,)),
    (_L.RESTING, _T.LAPSED): (_L.RESTING, _STAY),
    (_L.ENDING, _T.START): (_L.ASKING, _STAY),
    (_L.ENDING, _T.STOP): (_L.ENDING, _STAY),
    (_L.ENDING, _T.OK): (_L.LEAVING, (_A.LEAVE,)),
    (_L.ENDING, _T.FAILED): (_L.IDLE, (_A.QUIET,)),
    (_L.ENDING, _T.DUE): (_L.ENDING, _STAY),
    (_L.ENDING, _T.LAPSED): (_L.ENDING, _STAY),
    (_L.LEAVING, _T.START): (_L.RETURNING, _STAY),
    (_L.LEAVING, _T.STOP): (_L.LEAVING, _STAY),
    (_L.LEAVING, _T.OK): (_L.IDLE, (_A.QUIET,)),
    (_L.LEAVING, _T.FAILED): (_L.IDLE, (_A.QUIET,)),  # it runs out by itself
    (_L.LEAVING, _T.DUE): (_L.LEAVING, _STAY),
    (_L.LEAVING, _T.LAPSED): (_L.LEAVING, _STAY),
    (_L.RETURNING, _T.START): (_L.RETURNING, _STAY),
    (_L.RETURNING, _T.STOP): (_L.LEAVING, _STAY),
    (_L.RETURNING, _T.OK): (_L.ASKING, (_A.SEND,)),
    (_L.RETURNING, _T.FAILED): (_L.ASKING, (_A.SEND,)),
    (_L.RETURNING, _T.DUE): (_L.RETURNING, _STAY),
    (_L.RETURNING, _T.LAPSED): (_L.RETURNING, _STAY),
}
UP = (Life.HELD, Life.RENEWING, Life.LATE)
ON_THE_WIRE = (Life.ASKING, Life.RENEWING, Life.ENDING, Life.LEAVING, Life.RETURNING)


class Account(msgspec.Struct):
    """One address of record of ours at a registrar.

    `token`: the rooms' name for it. `registrar`: the Request-URI; `aor`: From and To. `paths`: where it may be reached,
    in the order in which they are tried. `wanted_s`: the Expires that is asked for.
    """

    id: int
    token: str
    registrar: str
    aor: str
    user: str
    secret: tuple[str, str] | None
    paths: tuple[Path, ...]
    wanted_s: int
    line: str
    call_id: str
    tag: str
    life: Life = Life.IDLE
    cseq: int = 0
    turn: int = 0  # which of the paths is the present one
    tried: int = 0  # of them, in this round
    transaction: int = 0
    challenged: int = 0
    retimed: int = 0
    failures: int = 0  # rounds in a row that have failed
    min_s: int = 0  # the registrar's Min-Expires
    granted_s: int = 0
    expires_at_ms: int = 0
    status: int = 0  # of the latest failure, 0 none
    phrase: str = ""
    credentials: tuple[str, str] = ("", "")
    unwanted: bool = False  # forgotten as soon as it is IDLE
    flow: int = 0  # the stream that its latest REGISTER took, 0 none
    outbound: bool = False  # the registrar keeps that flow (RFC 5626)
    plain: bool = False  # it has said that it can't (439)

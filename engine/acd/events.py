"""What happens to the distributor. Every event names the call or agent and, for offers, the offer id (never reused)."""

from __future__ import annotations

import msgspec


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What a caller asks for during `for_ms` of his wait; of the last step: until the end. No needs: anybody.

    `ring`: at least so far out in the queue's rings; 0 says nothing about them.
    """

    for_ms: int = 0
    needs: tuple[tuple[int, int], ...] = ()
    ring: int = 0


class CallJoined(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """A caller enters a queue. `priority_ms`: virtual milliseconds already waited; `needs`: (skill, level) pairs.

    `steps`: needs that relax with time, instead of `needs`. `prefer`: the agent whom he waits for `prefer_ms` before
    anybody else is asked, also while that agent is not there when `prefer_away`.
    """

    call: int
    queue: int
    priority_ms: int = 0
    needs: tuple[tuple[int, int], ...] = ()
    wait_ms_max: int = 0  # 0: the queue's
    avoid: int = -1  # agent who is not to be offered him for avoid_ms, because he has just passed him on; -1 nobody
    avoid_ms: int = 0
    steps: tuple[Step, ...] = ()
    prefer: int = -1
    prefer_ms: int = 0
    prefer_away: bool = False
    away: str = ""  # a way of CallAway: he isn't on the line, and the queue's length doesn't refuse him
    refused: str = ""  # the owner has found that he can't be taken: full | no_agents, counted as such
    credit_ms: int = 0  # waited before, elsewhere, and counted here
    group: int = 0  # number of his class, for which agents may be reserved
    hard: bool = False  # a hard call: shared fairly
    office: int = 0  # number of the office where the call came in, 0 none


class CallAway(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The caller isn't on the line (any more); his place is kept, counted, and gets its turn.

    `way`: held (nothing happens until CallHere, CallLeft or the limit) | agent_first (an agent is offered the call as
    if the caller waited; when he has answered the owner rings the caller) | customer_first (Recall is told shortly
    before an agent is free). `key`: the number of a call under which the place goes on, 0 the same. `pause_ms`: so
    long no turn; `wait_ms_max`: a new limit from now, 0 the old one.
    """

    call: int
    way: str
    key: int = 0
    pause_ms: int = 0
    wait_ms_max: int = 0


class CallHere(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """A caller who was away is on the line: he waits at his place, or his agent, who was first, has him now."""

    call: int
    wait_ms_max: int = 0  # a new limit from now, 0 the old one


class CallLeft(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The caller left: `reason` abandoned (hung up) | exit (key, dialplan) | moved | closed."""

    call: int
    reason: str


class CallPicked(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Somebody has taken this waiting caller himself, and has him: past the line, and past any phone that rings.

    An agent on duty, member of the queue or not, is talking from now on, with the queue's wrap-up to follow. Whoever
    is logged out, in another conversation or no agent at all keeps his state; the caller is answered all the same.
    """

    call: int
    agent: int


class OfferAnswered(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The agent of this offer answered. Told back: Connect (he won) or CancelOffer (somebody else did, or too late)."""

    offer: int


class OfferHeld(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Somebody has picked up and is asked whether he takes it: the offer may last `ms` from now, if that is longer."""

    offer: int
    ms: int


class OfferFailed(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """`reason`: no_answer | busy | rejected | do_not_disturb | forwarded | unreachable | error."""

    offer: int
    reason: str


class CallEnded(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """The conversation of `agent` on `call` is over (any side): wrap-up begins."""

    call: int
    agent: int


class AgentLoggedIn(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Log in; state becomes ready (or not_ready when `ready` is False)."""

    agent: int
    ready: bool = True


class AgentLoggedOut(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Log out; during an offer the offer is withdrawn, during a call it takes effect when the call ends."""

    agent: int


class AgentNotReady(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Pause with a reason; during a call, and in a wrap-up that isn't his to end, it takes effect afterwards."""

    agent: int
    reason: str = ""
    force: bool = False


class AgentReady(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """Back from pause or early end of wrap-up; `force`: of one too that isn't his to end (a supervisor's word)."""

    agent: int
    force: bool = False


class AgentReachable(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """His phones can (or can't) be rung: registration, qualify."""

    agent: int
    reachable: bool


class AgentOccupied(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """He is (or is no longer) on a call of another kind (direct, outbound, internal); `kind` names it."""

    agent: int
    occupied: bool
    kind: str = ""


class AgentWrapUp(msgspec.Struct, frozen=True, tag=True, array_like=True, gc=False):
    """About his wrap-up. `act`: ask (in conversation, in the optional modes: he wants one) | extend (once more the
    queue's extension) | coded (the code that the queue demands is known)."""

    agent: int
    act: str


class AgentSkills(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """From now on he has these skills: (number, level). What rings or talks stays."""

    agent: int
    skills: tuple[tuple[int, int], ...]


AcdEvent = (
    CallJoined
    | CallAway
    | CallHere
    | CallLeft
    | CallPicked
    | OfferAnswered
    | OfferHeld
    | OfferFailed
    | CallEnded
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentNotReady
    | AgentReady
    | AgentReachable
    | AgentOccupied
    | AgentWrapUp
    | AgentSkills
)

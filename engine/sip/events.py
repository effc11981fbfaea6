"""What the SIP room tells the rooms above it, and what it asks the runtime to send.

Every event carries the id of its session (one INVITE dialog usage) or of its request. Ids come from the
endpoint's own counter and are never reused, so a late event finds nobody and is dropped.
"""

from __future__ import annotations

import msgspec


class Path(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a message came from or goes to: a flow (listening UDP socket or one TCP connection) and an address."""

    flow: int
    host: str
    port: int
    transport: str = "udp"  # udp | tcp | tls (ws, wss later)
    name: str = ""  # tls: what the far end's certificate must be for; '' for connections that come to us


class Send(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Bytes for one peer. On a stream flow host and port only serve the log."""

    path: Path
    data: bytes


class Connect(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Open a stream flow to host:port under the id `flow`; answered by FlowOpened or FlowClosed inputs."""

    flow: int
    transport: str
    host: str
    port: int
    name: str = ""  # tls: see Path


class CloseFlow(msgspec.Struct, frozen=True, array_like=True, tag=True, gc=False):
    """Close a stream flow (broken framing, idle)."""

    flow: int
    reason: str


class Credentials(msgspec.Struct, frozen=True, array_like=True):
    """A parsed Authorization or Proxy-Authorization header (RFC 7616/8760); verified by `digest.verify`."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    cnonce: str = ""
    nc: str = ""
    method: str = ""


class Party(msgspec.Struct, frozen=True, array_like=True):
    """One From/To/P-Asserted-Identity: display name ('' if none), user, host, whole URI without parameters."""

    display: str
    user: str
    host: str
    uri: str


class Replaces(msgspec.Struct, frozen=True, array_like=True):
    """The dialog that an INVITE or a REFER's target is to take the place of (RFC 3891), as its receiver names it."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False


class Found(msgspec.Struct, frozen=True, array_like=True):
    """The session that a Replaces names. `state`: up | ringing (we ring it) | theirs (it rings us) | over."""

    session: int
    state: str


# --- events of an INVITE session -------------------------------------------------------------------
class Incoming(msgspec.Struct, frozen=True, tag=True):
    """A new INVITE outside any dialog. 100 Trying has been sent. Answer by challenge/ring/answer/reject."""

    session: int
    path: Path
    request_uri: str
    dialled: str  # user part of the request URI, unescaped
    domain: str  # its host part
    caller: Party  # From
    called: Party  # To
    asserted: Party | None  # P-Asserted-Identity, to be believed only by trust list
    call_id: str
    sdp: bytes | None  # None: no offer; ours goes into the 2xx and the answer comes with Acked
    credentials: Credentials | None
    user_agent: str
    headers: dict[str, str]  # lower-case name -> raw value; see `session_uas` for which, and of which every value
    max_forwards: int = 70  # an onward INVITE carries one less (RFC 7332)
    replaces: Replaces | None = None  # only for whom it may: he must be known


class Canceled(msgspec.Struct, frozen=True, tag=True):
    """The caller gave up before the final answer (487 has been sent). `reason_text` is his Reason header, if any."""

    session: int
    reason_text: str
    cause: int = 0  # Q.850 of it, 0 none


class Acked(msgspec.Struct, frozen=True, tag=True):
    """ACK for our 2xx arrived; `sdp` is the answer when our 2xx (or our re-INVITE's 2xx) carried the offer."""

    session: int
    sdp: bytes | None


class Pracked(msgspec.Struct, frozen=True, tag=True):
    """PRACK for a provisional response of ours that carried our offer; `sdp` is the answer (RFC 3262 §5)."""

    session: int
    sdp: bytes | None


class Progress(msgspec.Struct, frozen=True, tag=True):
    """101–199 for a session that we placed. `fork` tells early dialogs apart (the remote tag).

    When our INVITE had no offer, `sdp` of a reliable one is theirs: accept_offer answers it.
    """

    session: int
    status: int
    sdp: bytes | None
    fork: str


class Answered(msgspec.Struct, frozen=True, tag=True):
    """2xx for a session that we placed; the ACK has been sent. A second fork's 2xx is ACKed and hung up inside."""

    session: int
    sdp: bytes | None
    remote: Party
    fork: str


class Rejected(msgspec.Struct, frozen=True, tag=True):
    """3xx–6xx, or a local failure (408 no answer at all, 503 transport broke), for a session that we placed.

    `contacts` are the targets of a 3xx (never followed by the endpoint itself); `cause` the Q.850 cause or 0.
    """

    session: int
    status: int
    phrase: str
    cause: int
    contacts: tuple[str, ...] = ()


class Offered(msgspec.Struct, frozen=True, tag=True):
    """A re-INVITE, UPDATE or PRACK with an offer: answer by accept_offer or refuse_offer.

    `sdp` None: a re-INVITE that wants our offer.
    """

    session: int
    sdp: bytes | None


class OfferAnswered(msgspec.Struct, frozen=True, tag=True):
    """The far end's answer to our re-INVITE, or to our UPDATE while it rings."""

    session: int
    sdp: bytes | None


class OfferRefused(msgspec.Struct, frozen=True, tag=True):
    """Our offer failed for good (glare has been retried inside, RFC 3261 §14.1). The session goes on as it was."""

    session: int
    status: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """An answered session is over. `by`: remote (BYE), timer (RFC 4028), ack (no ACK in 64·T1), probe (481/408), local.

    `cause` is the Q.850 cause of a Reason header or 0.
    """

    session: int
    by: str
    reason_text: str
    cause: int = 0


class InfoDigit(msgspec.Struct, frozen=True, tag=True):
    """One digit by SIP INFO (application/dtmf-relay or application/dtmf); already answered 200."""

    session: int
    digit: str
    duration_ms: int


class Referred(msgspec.Struct, frozen=True, tag=True):
    """REFER inside a session (blind transfer): 202 sent, answer by notify_refer with a status until final."""

    session: int
    refer: int
    target: str  # Refer-To URI without headers
    user: str  # its user part
    referred_by: str
    replaces: str = ""


class ReferProgress(msgspec.Struct, frozen=True, tag=True):
    """What became of a REFER that we sent: its own refusal, or the status in a NOTIFY's sipfrag. `final` ends it."""

    session: int
    status: int
    final: bool


class Probed(msgspec.Struct, frozen=True, tag=True):
    """The result of probe(session): True when the far end still knows the dialog."""

    session: int
    alive: bool


# --- events outside sessions -----------------------------------------------------------------------
class RegisterRequest(msgspec.Struct, frozen=True, tag=True):
    """REGISTER: answer by `challenge_register`, `accept_register` or `refuse_register` with this request id."""

    request: int
    path: Path
    user: str  # of the address of record (To)
    domain: str
    credentials: Credentials | None
    user_agent: str
    uri: str  # the Request-URI as it came


class SubscribeRequest(msgspec.Struct, frozen=True, tag=True):
    """SUBSCRIBE to a message summary or to dialogs: answer by challenge_, accept_ or refuse_subscribe."""

    request: int
    path: Path
    user: str  # whose messages or dialogs (To)
    domain: str
    credentials: Credentials | None
    uri: str
    package: str = "message-summary"  # | dialog


class BindingChanged(msgspec.Struct, frozen=True, tag=True):
    """A contact of user@realm appeared (added), was refreshed by another path (moved) or left (removed, expired)."""

    realm: str
    user: str
    contact: str
    change: str
    path: Path
    user_agent: str = ""


class Qualified(msgspec.Struct, frozen=True, tag=True):
    """OPTIONS answer for a registered contact or a trunk: reachable or not, round trip in ms (-1 unknown)."""

    token: str
    reachable: bool
    round_trip_ms: int
    status: int = 0  # of the answer; 0 none, or a contact's


class Enrolled(msgspec.Struct, frozen=True, tag=True):
    """What became of a registration of ours (`token`: whose).

    `change`: registered | renewed | refused (its credentials) | failed | lapsed (not renewed in time) | left.
    `next_ms`: until the next try.
    """

    token: str
    change: str
    status: int
    phrase: str
    granted_s: int = 0
    next_ms: int = 0


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Something on the wire was dropped or answered with an error; for the bounded log and the counters."""

    kind: str  # parse, limit, header, dialog, transport …
    path: Path
    detail: str


SipEvent = (
    Incoming | Canceled | Acked | Pracked | Progress | Answered | Rejected | Offered | OfferAnswered | OfferRefused
    | Ended | InfoDigit | Referred | ReferProgress | Probed | RegisterRequest
    | SubscribeRequest | BindingChanged | Qualified | Enrolled | Refused
)

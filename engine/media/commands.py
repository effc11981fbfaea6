"""Commands to the media plane and events from it: plain structs, later packed into ring words by `media.wire`.

A leg is (row, generation): the generation grows each time the row is used again, so that a late command or
event for an earlier leg is recognised and dropped. Times are milliseconds unless a name says otherwise.
Codecs are named by their RTP encoding name; the plane maps them to numbers.
"""

from __future__ import annotations

import msgspec

TONE_DIGITS, TONE_FAX = 1, 2
PCMU, PCMA, G722, CN = 0, 8, 9, 13  # codec numbers are the static payload types of RFC 3551 …
L16_8, L16_16 = 64, 65  # … where there is one: 16-bit samples at 8 and 16 kHz have none
EVENTS_16 = 101  # in `SetLeg.codecs_in`: telephone-event whose clock runs at 16 kHz


class OpenLeg(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Bind `port` (RTP) on local address `host`, start receiving.

    ssrc, sequence and timestamp begin the leg's one timeline.
    """

    row: int
    generation: int
    host: str
    port: int
    ssrc: int
    sequence: int
    timestamp: int


class SetLeg(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The result of an offer/answer: where and how to send, what may come. Opens learning again (symmetric RTP).

    `codecs_in`: pairs (payload type, codec number) accepted; `events_in`/`events_out`: telephone-event payload
    types or -1, `events_rate_out` the clock of those that we send, in Hz. `accept`: any | signalled | network (then
    `network` is a CIDR) narrows who may be latched. `tones`: what is listened for in the sound: TONE_DIGITS, TONE_FAX
    or both.
    """

    row: int
    generation: int
    host: str
    port: int
    codec_out: int
    payload_type_out: int
    codecs_in: tuple[tuple[int, int], ...]
    events_in: int
    events_out: int
    frame_ms_out: int
    send: bool
    receive: bool
    accept: str = "any"
    network: str = ""
    suite: int = 0  # SRTP (`sdp.crypto`), 0: plain RTP
    key_in: str = ""  # the handles under which the runtime keeps the keys (`runtime.key_vault`)
    key_out: str = ""
    events_rate_out: int = 8_000
    tones: int = 0
    report_port: int = 0  # where they want RTCP, 0: the port above `port`
    report_mux: bool = False  # RTCP shares the RTP ports (RFC 5761)


class Play(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Play clips one after another; replaces what the leg sends now. Ends with PlayEnded(ticket) unless `loop`.

    `clips` are clip numbers of the clip store; `start_ms` skips into the first (music goes on where it was).
    `stop_on_digit`: the first packet of a key silences the play inside the plane, without PlayEnded; DigitStarted
    tells the owner.
    """

    row: int
    generation: int
    ticket: int
    clips: tuple[int, ...]
    loop: bool = False
    start_ms: int = 0
    stop_on_digit: bool = False


class Stop(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The leg sends silence from now on: ends Play, Echo and its side of a Bridge."""

    row: int
    generation: int


class Echo(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Send back what is received."""

    row: int
    generation: int


class Bridge(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Each leg hears the other. Copies on arrival when codec and frame time agree, transcodes otherwise.

    Telephone-event packets never cross: they become DigitHeard, and the owner decides (feature codes) and sends on.
    """

    row_a: int
    generation_a: int
    row_b: int
    generation_b: int


class Hear(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One-way bridge: `row` hears `source` (early media, one side on hold)."""

    row: int
    generation: int
    source: int
    source_generation: int


class MixParty(msgspec.Struct, frozen=True, array_like=True):
    """A leg in a mix. `ears`: the rows it hears, itself never among them."""

    row: int
    generation: int
    ears: tuple[int, ...] = ()


class Mix(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Who sits in mix `mix` and who hears whom there; replaces what was said of this mix before.

    Who is left out leaves (silence, unless something else was commanded first); without parties the mix is over. A
    later Play, Hear, Bridge, Echo or Stop of a party changes what it hears, not who hears it: its seat stays until the
    next Mix. Bridge two parties first and end the mix then, and neither hears a seam.
    """

    mix: int
    parties: tuple[MixParty, ...] = ()


class SendDigits(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Send digits (0-9 * # A-D) on the leg's own timeline, over whatever it plays: as RFC 4733 events, or as tones in
    the sound where these weren't agreed or `tones` says so."""

    row: int
    generation: int
    digits: str
    on_ms: int = 100
    gap_ms: int = 60
    tones: bool = False


class StartTap(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Record the leg: left channel what it says, right channel what it hears, to the file `name` in the data folder."""

    row: int
    generation: int
    tap: int
    name: str


class PauseTap(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Pause (silence on both channels, time goes on) or resume a recording."""

    row: int
    generation: int
    tap: int
    paused: bool


class StopTap(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """End a recording; answered by TapEnded."""

    row: int
    generation: int
    tap: int


class StartEar(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Tell what the leg's caller says in frames of 20 ms, into ear `ear`'s ring (`media.ears`). `token` is in each.

    A leg may have several ears. They end with StopEar, or with the leg.
    """

    row: int
    generation: int
    ear: int
    token: int = 0


class StopEar(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """End an ear; what it has told already stays in its ring."""

    row: int
    generation: int
    ear: int


class StartMouth(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The leg says what is pushed into mouth `mouth`'s ring from sample `first` on (`media.mouths`), instead of what it
    sends now. A leg has one mouth at most; after a Play, Bridge or the like, StartMouth with the same one goes on.
    """

    row: int
    generation: int
    mouth: int
    first: int = 0


class StopMouth(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Take the mouth off the leg: silence, if it was speaking. It ends with the leg, too."""

    row: int
    generation: int
    mouth: int


class ClearMouth(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Forget what was pushed before sample `upto` and hasn't been said."""

    row: int
    generation: int
    mouth: int
    upto: int


class CloseLeg(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Free the row; answered by LegClosed with the leg's quality. Ends a tap that still runs."""

    row: int
    generation: int


MediaCommand = (
    OpenLeg | SetLeg | Play | Stop | Echo | Bridge | Hear | SendDigits | StartTap | PauseTap | StopTap | CloseLeg | Mix
)
Wiring = StartEar | StopEar | StartMouth | StopMouth | ClearMouth  # the runtime's own: no Switch gives them


# --- events ------------------------------------------------------------------------------------------
class PlayEnded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The last clip of `ticket` has been sent (not raised for a play that was replaced or stopped)."""

    row: int
    generation: int
    ticket: int


class DigitHeard(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One press, raised once, when its end (or 3 s, or the next digit) is seen; `way`: rfc4733 | inband."""

    row: int
    generation: int
    digit: str
    duration_ms: int
    way: str


class DigitStarted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """First packet of a press: for barge-in. DigitHeard follows."""

    row: int
    generation: int
    digit: str


class FaxHeard(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A fax is at the far end: `tone` is cng (it calls) or ced (it answers). Once a leg."""

    row: int
    generation: int
    tone: str


class Latched(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The leg now sends to this source address (symmetric RTP)."""

    row: int
    generation: int
    host: str
    port: int


class MediaMissing(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A leg that should send has been silent: raised at 3 s (`silent_ms` 3000) and again at 15 s (15000).

    `refused`: packets that did come and that the leg's SRTP key doesn't open.
    """

    row: int
    generation: int
    silent_ms: int
    refused: int = 0


class MediaBack(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Packets again, after MediaMissing."""

    row: int
    generation: int


class LegFailed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The port could not be bound or the socket broke; the row is closed."""

    row: int
    generation: int
    detail: str


class PortMoved(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A leg that goes on in a new plane lies at another port: somebody else holds its own by now."""

    row: int
    generation: int
    port: int


class KeysLost(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A leg that goes on in a new plane lacks its SRTP keys: nothing passes until new ones are agreed."""

    row: int
    generation: int


class TapEnded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A recording is complete (or failed: `detail` not empty). `duration_ms` is what the file holds."""

    row: int
    generation: int
    tap: int
    name: str
    duration_ms: int
    detail: str


class Sound(msgspec.Struct, frozen=True, array_like=True):
    """What a leg's audio was like beyond its counts, and what the far end says of ours (RTCP)."""

    delayed: int = 0  # packets later than jitter buffers wait for (`quality.LATE_LIMIT_US`)
    delayed_max_us: int = 0
    loss_runs: int = 0  # holes, of one packet or more
    weighed: int = 0  # samples looked at, of G.711 only …
    clipped: int = 0  # … at the ceiling
    loudest: int = 0  # largest magnitude, of 32,768
    missed_frames: int = 0  # that we ourselves were too late to send
    reports: int = 0  # compound packets heard …
    about: int = 0  # … and blocks in them about our stream: without any, the far figures below say nothing
    far_lost: int = 0  # packets of ours
    far_fraction_max: int = 0  # of 256, the worst interval
    far_jitter_us: int = 0
    far_jitter_max_us: int = 0
    round_trip_us: int = -1  # mean; -1 not known
    round_trip_max_us: int = 0
    far_discarded: int = 0  # of 256: too late for their jitter buffer (RFC 3611)
    far_delay_ms: int = 0  # of their end system (RFC 3611)
    far_opinion: int = 0  # their own MOS-CQ times ten, 0 unknown (RFC 3611)


class LegClosed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The row is free again; quality of the leg over its life. Gaps and jitter in microseconds."""

    row: int
    generation: int
    packets_in: int
    packets_out: int
    lost: int
    duplicated: int
    reordered: int
    ignored: int  # strangers, wrong payload, short, malformed
    jitter_us: int  # RFC 3550 interarrival jitter, last value
    jitter_max_us: int
    gap_max_us: int
    digits: int
    sound: Sound = Sound()


MediaEvent = (
    PlayEnded | DigitHeard | DigitStarted | FaxHeard | Latched | MediaMissing | MediaBack | LegFailed | PortMoved
    | TapEnded | LegClosed | KeysLost
)

"""Everything the media plane knows, as preallocated arrays (DESIGN §2): one row per leg, no allocation in the loop.

A leg's integers are one row of `legs`, named by the constants below. Rows are contiguous rather than the columns:
a packet touches some thirty of its leg's words and no other leg's, so a row costs ten cache lines, not thirty.
Everything large that few legs need (playout buffers, recordings) is a pool beside the rows. Times are monotonic
microseconds, lengths are samples at the leg's clock rate, the tick counts K are units of 10 ms.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np

from engine import limits
from engine.media import g711
from engine.rtp import events, quality, rtcp, srtp

# --- one leg: words of legs[row] -------------------------------------------------------------------------
(
    STATE,  # FREE, OPEN or CLOSING
    GENERATION,
    FD,
    ACTIVE_AT,  # its place in Plane.active
    # what the last offer/answer said
    IS_SET,
    SEND,
    RECEIVE,
    CODEC_OUT,
    LAW_OUT,
    PAYLOAD_TYPE_OUT,
    EVENTS_OUT,
    FRAME,  # samples a packet carries to the far end
    FRAME_K,
    CLOCK_RATE,
    CIPHER,  # 0: plain RTP, 1: nothing but SRTP (`media.secure`)
    # who hears whom: a leg hears at most one source; a source heads a list of listeners
    SOURCE,
    SOURCE_ROW,
    FIRST_LISTENER,
    NEXT_LISTENER,
    # the one outgoing timeline
    SSRC,
    SEQUENCE,
    TIMESTAMP,  # of the next sample to send …
    DUE_US,  # … which is due now
    MARKER,  # the next packet begins a talkspurt
    FLOWING,  # the last tick sent a frame of the present source
    NEXT_K,
    # forwarding on arrival: how the source's numbers map onto the timeline
    MAPPED,
    MAP_SSRC,
    MAP_ROW,
    MAP_SEQUENCE,
    MAP_TIMESTAMP,
    MAP_FIRST,
    MAP_LAST,
    MAP_LAST_TIMESTAMP,
    MAP_LAST_US,
    # paced forwarding: its playout buffer, or -1
    SLOT,
    CONFORMING,
    LAST_LENGTH,  # of `last`: samples of the payload sent last, in the law sent (or octets of G.722)
    LAST_LAW,
    # playing clips
    TICKET,
    CLIPS,
    CLIP_AT,
    CURSOR,
    LOOP,
    STOP_ON_DIGIT,
    STAGED,
    PLAY_DONE,  # an end that the full event ring has not taken yet
    # sending digits
    DIGIT_FIRST,
    DIGIT_COUNT,
    DIGIT_PHASE,
    DIGIT_CODE,
    DIGIT_TIMESTAMP,
    DIGIT_START_US,
    DIGIT_START_K,
    DIGIT_K,
    DIGIT_ENDS,
    DIGIT_ON,
    DIGIT_GAP,
    DIGIT_REST_K,
    # symmetric RTP
    ACCEPT,
    NETWORK_FAMILY,
    NETWORK_BITS,
    SIGNALLED_LENGTH,  # of its socket address; 0 none
    CURRENT_LENGTH,
    CANDIDATE_LENGTH,
    LATCHED,
    LEARN_UNTIL_US,
    HEARD_US,  # last packet of the latched source
    CANDIDATE_SSRC,
    CANDIDATE_SEQUENCE,
    CANDIDATE_COUNT,
    CONFIRMED,  # the present destination has sent to us
    SENDING_SINCE_US,  # first packet to a destination that is not confirmed; 0 none yet
    TELL_LATCHED,  # a latching that the full event ring has not taken yet
    # supervision
    WATCH_K,
    ALIVE_US,  # the last RTP packet
    SILENCE_TOLD,  # 0, 1 (3 s), 2 (15 s)
    HELD_DIGITS,  # digits the full event ring has not taken: four bits each …
    HELD_COUNT,  # … and how many
    TAP,
    # counters
    PACKETS_OUT,
    IGNORED,
    DIGITS_HEARD,
    MISSED_FRAMES,
    # a seat in a mix, kept whatever the leg itself hears
    MIX,  # number, or -1
    SEAT,
    EARS,  # mask of the seats it hears
    # who listens to it, and who speaks to it from outside
    FIRST_EAR,  # its ears are a list; -1 ends it
    MOUTH,  # number, or -1
    # tones: what `media.tones` listens for in its sound (bits) and never will again, where its state lies (-1: none) …
    TONES,
    TONES_DONE,
    TONE_EAR,
    DIGIT_AS_TONES,  # … the digit that is being sent goes out as tones, whatever was agreed …
    TONE_SENT,  # … and the last one that did
    TONE_SENT_US,
    # quality: reports (RTCP)
    REPORT_FD,  # the descriptor of the port above its own, plus one; 0: there is none
    REPORT_PORT,  # theirs, as signalled; 0: the one above their RTP port
    REPORT_MUX,  # reports share the RTP ports
    REPORT_LENGTH,  # of the address that theirs come from; 0 none yet
    OCTETS_OUT,
    LIVE_US,  # when its figures are published next
) = range(101)
LEG_FIELDS = 101

FREE, OPEN, CLOSING = range(3)
NOTHING, PLAYING, ECHOING, HEARING, MIXING, SPEAKING = range(6)
ANYONE, AS_SIGNALLED, FROM_NETWORK = range(3)
SIGNALLED, CURRENT, CANDIDATE, REPORTS = range(4)  # second index of `addresses`
EVENT_CODEC = 100  # in `payloads`: a telephone-event payload type; the next number, one with a clock of 16 kHz
NO_CODEC = -1
INBOUND, OUTBOUND = range(2)  # second index of `sides`, `salts` and `streams`

# --- the whole plane: words of counters -------------------------------------------------------------------
(
    ACTIVE,  # legs in use
    OUT_COUNT,  # packets waiting in `out`
    FREE_SLOTS,
    EVENTS_PUSHED,
    EVENTS_REFUSED,
    EVENTS_LOST,
    PACKETS_RECEIVED,
    PACKETS_SENT,
    PACKETS_IGNORED,
    TICKS,
    TICKS_MISSED,
    LATE_US_MAX,
    LATE_US_SUM,
    COMMANDS_DONE,
    COMMANDS_LATE,
    FRAMES_MISSED,
    SLOTS_EXHAUSTED,
    SEND_FAILED,
    FINE_LEGS,  # open legs whose frame is no multiple of 20 ms: the tick runs at 10 ms
    TICK_US,  # when k was 0
    TICK_K,  # the last k that ran
    TAPS_RUNNING,
    MIXES_RUNNING,
    EARS_RUNNING,
    EAR_FRAMES_LOST,  # found their ring full
    MOUTHS_CLOSING,  # a full event ring has not taken their end yet
    FREE_TONES,
    REPORT_BYTES,  # of the report that waits in `report`
    REPORTS_SENT,
    REPORTS_HEARD,
) = range(30)
COUNTERS = 30

# --- limits as kernels see them: words of settings ---------------------------------------------------------
UNCONFIRMED_US, RELATCH_US, MISSING_US, PROBE_US, LEARN_US, WALL_US = range(6)  # WALL_US: Unix time at monotonic 0
SETTINGS = 8

# --- a playout buffer: words of playout[slot] ----------------------------------------------------------------
(
    LIVE,
    P_SSRC,
    READ_AT,  # timestamp of the next sample to play
    END_AT,  # timestamp behind the newest sample
    TARGET,  # delay to start with, learnt
    MIN_SLACK,
    WINDOW,
    SHRINK,
    CONCEALED,  # length of the present concealment
    BLEND,
    PITCH,
    HISTORY_AT,
) = range(12)
PLAYOUT_FIELDS = 12
PLAYOUT_SAMPLES = 4_096  # a power of two: ring positions are timestamps masked
HISTORY_SAMPLES = 512

# --- a clip: words of clips[number] ------------------------------------------------------------------------
CLIP_MU, CLIP_A, CLIP_LENGTH = range(3)
DTMF_CLIPS = limits.clips_max  # sixteen clips behind the site's own: tones for far ends without RFC 4733

# --- a recording: words of taps[tap] ------------------------------------------------------------------------
TAP_STATE, TAP_ROW, TAP_PAUSED, TAP_NEXT_K, TAP_FRAMES, TAP_OWED, TAP_TOLD_AT = range(7)
TAP_FIELDS = 8
TAP_FREE, TAP_RUNNING, TAP_STOPPING = range(3)
TAP_RING_FRAMES = 64
TAP_FRAME = 160

# --- a mix: words of mixes[mix] -----------------------------------------------------------------------------
MIX_SEATED, MIX_AT, MIX_LAST_K, MIX_HEARD, MIX_LIVE, MIX_LEAVING = range(6)
MIX_ROW, MIX_READ, MIX_BEFORE = 8, 16, 24  # one word a seat: row + 1, place in `said`, ears a frame ago
MIX_FIELDS = 32
MIXES, SEATS = limits.mixes_max, limits.mix_legs_max
SAID_SAMPLES = 1_024  # a power of two, more than two of the longest frames

# --- an ear: words of ears[ear] -------------------------------------------------------------------------------
(
    EAR_STATE,
    EAR_ROW,
    EAR_NEXT,  # the leg's next ear, -1 for none
    EAR_TOKEN,  # what its user named this listening
    EAR_LIVE,  # a stream has begun: the words below hold
    EAR_SSRC,
    EAR_AT,  # its timestamp of the next sample to tell
    EAR_END,  # its timestamp behind the newest sample
    EAR_HIGHEST,  # its highest sequence number
    EAR_LAST_US,  # when a packet came last
    EAR_FILL_US,  # when the next frame is told as silence, should nothing come
    EAR_FILLED,  # samples told as silence since the last packet
    EAR_FRAMES,
    EAR_DROPPED,  # frames that found the ring full
    EAR_SENT_AT,  # the leg's own timestamp of the next sample sent to it that is told
    EAR_LINED_UP,
) = range(16)
EAR_FIELDS = 16
EAR_FREE, EAR_RUNNING, EAR_STOPPING = range(3)
EAR_COUNT = limits.ears_max
EAR_FRAME = 160
EAR_HEADER = 12  # int16 words before a frame's samples: `media.ears` says which
EAR_WORDS = EAR_HEADER + 2 * EAR_FRAME
EAR_RING_FRAMES = 64
EAR_SAMPLES = 2_048  # a power of two

# --- a mouth: words of mouths[mouth] ---------------------------------------------------------------------------
MOUTH_STATE, MOUTH_ROW, MOUTH_PRIME_K = range(3)
MOUTH_FIELDS = 4
MOUTH_FREE, MOUTH_OPEN, MOUTH_CLOSING = range(3)
MOUTH_COUNT = limits.mouths_max
MOUTH_SAMPLES = 16_384  # a power of two: 2 s

# --- a leg's codecs beyond G.711: words of coding[row] -----------------------------------------------------------
(
    DECODING,  # the codec whose decoder has heard every packet until now; 0 none
    DECODING_WIDE,  # … and its higher band, too
    ENCODING,  # 1: the coder's state is what the far end's decoder has
    RATE_IN,  # the clock of the audio that came last, Hz: comfort noise beside it counts by the same
    STAMP_IN,  # the newest timestamp of a 16 kHz clock, counted without wrapping
    EVENTS_SHIFT,  # durations of the events that we send count at 8 kHz (0) or 16 kHz (1)
    # comfort noise: the far end is silent and has said how its silence sounds
    COMFORT,
    COMFORT_SEED,
    COMFORT_SSRC,
    COMFORT_AT,  # its timestamp of the next sample of noise
    COMFORT_K,  # the tick of the next frame of noise for recordings and mixes
) = range(11)
CODING_FIELDS = 12
CODER_WORDS = 80  # of a coder's or decoder's state
NOISE_ORDER = 10  # reflection coefficients of comfort noise that are heeded; RFC 3389 leaves it open
NOISE_FIELDS = 2 * NOISE_ORDER + 2  # gain, coefficients, the lattice's memory
SOUND_SAMPLES = 960  # of one packet at 8 kHz: 120 ms
# --- tones in a leg's sound: words of tones[ear] --------------------------------------------------------------------
(
    TONE_LIVE,  # a stream has begun: the words below hold
    TONE_SSRC,
    TONE_AT,  # its timestamp of the next sample to look at
    TONE_END,  # its timestamp behind the newest sample
    TONE_HIGHEST,  # its highest sequence number
    TONE_LAST_US,
    TONE_CUT,  # the newest block belongs to a key: nobody else should hear it
    TONE_ACTIVE,  # a press is going on
    TONE_CODE,
    TONE_BLOCKS,  # it has lasted so long
    TONE_MISSES,
    TONE_UNKNOWNS,
    TONE_REPORTED,
    TONE_FAX_BLOCKS,  # listened for a fax so long
    TONE_FAX_QUIET,  # blocks of silence since a calling tone, and one
    TONE_FAX_ENERGY,
    TONE_TOLD_COUNT,
) = range(17)
TONE_FAX_RUN, TONE_FAX_MISSES = 20, 22  # two words each
TONE_TOLD, TONE_TOLD_MAX = 24, 8  # what is to be told: kind, code, ms
TONE_CODES, TONE_ENERGIES, TONE_HISTORY = 32, 40, 8  # of the newest blocks, newest first
TONE_FIELDS = 48
TONE_BLOCK = 80
TONE_SAMPLES = 4_096  # a power of two, more than the longest packet, what it waits for and the history before it
TONE_EARS = limits.legs_max // 2
TONE_WORK = (8, TONE_BLOCK * (TONE_HISTORY + 1))

# --- rings -----------------------------------------------------------------------------------------------
COMMAND_WORDS, COMMAND_SIZE = 32, 2_048
EVENT_WORDS, EVENT_SIZE = 32, 8_192
HEAD, TAIL = 0, 8  # on cache lines of their own
SHARED_WORDS = 16

OUT_PACKETS = 64
REPORT_BYTES_MAX = 256 + srtp.GROWTH_MAX
ADDRESS_BYTES = 32  # room for sockaddr_in6, 28 bytes
PLAYLIST_CLIPS = 128
DIGITS_QUEUED = limits.digits_buffered_max
LAST_BYTES = 480


LEGS, SLOTS, TAPS = limits.legs_max, limits.legs_max // 2, limits.taps_max
MIX_SLOTS = SLOTS + 2 * TAPS  # a recording owns two: what the leg says, what it hears …
ALL_SLOTS = MIX_SLOTS + MIXES * SEATS  # … and each seat of a mix one
CLIPS_ALL = limits.clips_max + len(events.DIGITS)
AUDIO_BYTES = 512 << 20  # nine hours of audio in both laws


class Plane(Protocol):
    """The arrays kernels work on: rows are legs, slots playout buffers, taps recordings.

    In memory it is one numpy record with all of these as nested arrays (`LAYOUT`), so that a kernel takes one
    pointer: with forty array arguments the kernels took four times as long to compile, and cost reference counts.
    Shapes are therefore constants. Memory is the system's zero pages until a row, slot or clip is first used.
    """

    legs: Any  # int64[rows, LEG_FIELDS]
    quality: Any  # int64[rows, quality.FIELDS]
    presses: Any  # int64[rows, events.FIELDS]
    active: Any  # int64[rows]: open legs, densely
    reports: Any  # int64[rows, rtcp.FIELDS]
    names: Any  # uint8[rows, rtcp.NAME_BYTES]: CNAMEs
    live_shared: Any  # int64[rows, EVENT_WORDS]: each leg's figures, released once a second
    report: Any  # uint8[REPORT_BYTES_MAX]: one RTCP packet to send …
    report_address: Any  # uint8[ADDRESS_BYTES]: … and where to
    addresses: Any  # uint8[rows, 4, ADDRESS_BYTES]: SIGNALLED, CURRENT, CANDIDATE, REPORTS as the kernel's sockaddr
    networks: Any  # uint8[rows, 16]
    payloads: Any  # int8[rows, 128]: codec number by incoming payload type
    playlists: Any  # int32[rows, PLAYLIST_CLIPS]
    digits: Any  # uint8[rows, DIGITS_QUEUED]: event codes to send, a ring
    last: Any  # uint8[rows, LAST_BYTES]
    playout: Any  # int64[slots, PLAYOUT_FIELDS]
    samples: Any  # int16[slots, PLAYOUT_SAMPLES]
    history: Any  # int16[slots, HISTORY_SAMPLES]
    free_slots: Any  # int64[slots]
    clips: Any  # int64[clips, 4]
    decode: Any  # int16[2, 256]
    encode: Any  # uint8[2, 65536], index: sample & 0xFFFF
    cross: Any  # uint8[2, 256]: from that law to the other
    frame: Any  # int16[3, 2048]: scratch
    quiet: Any  # int16[2 * TAP_FRAME]: zeros
    taps: Any  # int64[taps, TAP_FIELDS]
    tap_frames: Any  # int16[taps, TAP_RING_FRAMES, 2 * TAP_FRAME]: left, right interleaved
    tap_shared: Any  # int64[taps, SHARED_WORDS]
    mixes: Any  # int64[mixes, MIX_FIELDS]
    said: Any  # int16[mixes, seats, SAID_SAMPLES]: what each seat says, decoded
    sums: Any  # int32[SAID_SAMPLES]: scratch
    ears: Any  # int64[ears, EAR_FIELDS]
    ear_shared: Any  # int64[ears, SHARED_WORDS]
    ear_frames: Any  # int16[ears, EAR_RING_FRAMES, EAR_WORDS]
    ear_said: Any  # int16[ears, EAR_SAMPLES]: by the stream's timestamp
    ear_sent: Any  # int16[ears, EAR_SAMPLES]: by the leg's own timestamp
    mouths: Any  # int64[mouths, MOUTH_FIELDS]
    mouth_shared: Any  # int64[mouths, SHARED_WORDS]
    mouth_samples: Any  # int16[mouths, MOUTH_SAMPLES]
    coding: Any  # int64[rows, CODING_FIELDS]
    coders: Any  # int64[rows + 1, 2, CODER_WORDS]: a leg's decoder and coder; the last row is scratch
    noise: Any  # float64[rows, NOISE_FIELDS]
    heard: Any  # uint8[2 * SOUND_SAMPLES]: scratch, a packet decoded to L16 at 8 kHz …
    wide: Any  # int16[2 * SOUND_SAMPLES]: … and at 16 kHz
    tones: Any  # int64[TONE_EARS, TONE_FIELDS]
    tone_samples: Any  # int16[TONE_EARS, TONE_SAMPLES]: by the stream's timestamp
    free_tones: Any  # int64[TONE_EARS]
    tone_work: Any  # float64[TONE_WORK]: scratch
    out: Any  # uint8[OUT_PACKETS, packet_bytes_max]
    out_legs: Any  # int64[OUT_PACKETS, 2]: row, length
    settings: Any  # int64[SETTINGS]: limits the kernels obey
    record: Any  # int64[EVENT_WORDS]: scratch
    packed_address: Any  # uint8[ADDRESS_BYTES]: scratch
    counters: Any  # int64[COUNTERS]: the loop's own
    metrics_shared: Any  # int64[COUNTERS]: a copy for Python, released after each tick
    commands: Any  # int64[COMMAND_SIZE, COMMAND_WORDS]
    command_shared: Any  # int64[SHARED_WORDS]
    happenings: Any  # int64[EVENT_SIZE, EVENT_WORDS]
    happening_shared: Any  # int64[SHARED_WORDS]
    audio: Any  # uint8[AUDIO_BYTES]: clips in both laws
    # SRTP (`rtp.srtp`): second index INBOUND, OUTBOUND
    streams: Any  # int64[rows, 2, srtp.STREAM_ROW]: packet indices, no keys; outlives the process
    sides: Any  # int64[rows, 2, srtp.SIDE_WORDS]
    salts: Any  # uint8[rows, 2, 2, srtp.SALT_BYTES]
    secret: Any  # uint8[32]: scratch, a master key on its way
    scratch: Any  # uint8[srtp.SCRATCH_BYTES]


_ARRAYS: tuple[tuple[str, type, tuple[int, ...]], ...] = (
    ("legs", np.int64, (LEGS, LEG_FIELDS)),
    ("quality", np.int64, (LEGS, quality.FIELDS)),
    ("streams", np.int64, (LEGS, 2, srtp.STREAM_ROW)),
    ("reports", np.int64, (LEGS, rtcp.FIELDS)),
    ("presses", np.int64, (LEGS, events.FIELDS)),
    ("active", np.int64, (LEGS,)),
    ("playout", np.int64, (ALL_SLOTS, PLAYOUT_FIELDS)),
    ("free_slots", np.int64, (SLOTS,)),
    ("clips", np.int64, (CLIPS_ALL, 4)),
    ("taps", np.int64, (TAPS, TAP_FIELDS)),
    ("tap_shared", np.int64, (TAPS, SHARED_WORDS)),
    ("mixes", np.int64, (MIXES, MIX_FIELDS)),
    ("ears", np.int64, (EAR_COUNT, EAR_FIELDS)),
    ("ear_shared", np.int64, (EAR_COUNT, SHARED_WORDS)),
    ("mouths", np.int64, (MOUTH_COUNT, MOUTH_FIELDS)),
    ("mouth_shared", np.int64, (MOUTH_COUNT, SHARED_WORDS)),
    ("coding", np.int64, (LEGS, CODING_FIELDS)),
    ("coders", np.int64, (LEGS + 1, 2, CODER_WORDS)),
    ("noise", np.float64, (LEGS, NOISE_FIELDS)),
    ("out_legs", np.int64, (OUT_PACKETS, 2)),
    ("settings", np.int64, (SETTINGS,)),
    ("record", np.int64, (EVENT_WORDS,)),
    ("counters", np.int64, (COUNTERS,)),
    ("metrics_shared", np.int64, (COUNTERS,)),
    ("live_shared", np.int64, (LEGS, EVENT_WORDS)),
    ("command_shared", np.int64, (SHARED_WORDS,)),
    ("happening_shared", np.int64, (SHARED_WORDS,)),
    ("commands", np.int64, (COMMAND_SIZE, COMMAND_WORDS)),
    ("happenings", np.int64, (EVENT_SIZE, EVENT_WORDS)),
    ("playlists", np.int32, (LEGS, PLAYLIST_CLIPS)),
    ("sums", np.int32, (SAID_SAMPLES,)),
    ("samples", np.int16, (ALL_SLOTS, PLAYOUT_SAMPLES)),
    ("history", np.int16, (ALL_SLOTS, HISTORY_SAMPLES)),
    ("decode", np.int16, (2, 256)),
    ("frame", np.int16, (3, 2_048)),
    ("quiet", np.int16, (2 * TAP_FRAME,)),
    ("said", np.int16, (MIXES, SEATS, SAID_SAMPLES)),
    ("tap_frames", np.int16, (TAPS, TAP_RING_FRAMES, 2 * TAP_FRAME)),
    ("ear_frames", np.int16, (EAR_COUNT, EAR_RING_FRAMES, EAR_WORDS)),
    ("ear_said", np.int16, (EAR_COUNT, EAR_SAMPLES)),
    ("ear_sent", np.int16, (EAR_COUNT, EAR_SAMPLES)),
    ("mouth_samples", np.int16, (MOUTH_COUNT, MOUTH_SAMPLES)),
    ("wide", np.int16, (2 * SOUND_SAMPLES,)),
    ("addresses", np.uint8, (LEGS, 4, ADDRESS_BYTES)),
    ("names", np.uint8, (LEGS, rtcp.NAME_BYTES)),
    ("report", np.uint8, (REPORT_BYTES_MAX,)),
    ("report_address", np.uint8, (ADDRESS_BYTES,)),
    ("networks", np.uint8, (LEGS, 16)),
    ("payloads", np.int8, (LEGS, 128)),
    ("digits", np.uint8, (LEGS, DIGITS_QUEUED)),
    ("last", np.uint8, (LEGS, LAST_BYTES)),
    ("encode", np.uint8, (2, 65_536)),
    ("cross", np.uint8, (2, 256)),
    ("heard", np.uint8, (2 * SOUND_SAMPLES,)),
    ("out", np.uint8, (OUT_PACKETS, limits.packet_bytes_max)),
    ("packed_address", np.uint8, (ADDRESS_BYTES,)),
    ("tones", np.int64, (TONE_EARS, TONE_FIELDS)),
    ("free_tones", np.int64, (TONE_EARS,)),
    ("tone_samples", np.int16, (TONE_EARS, TONE_SAMPLES)),
    ("tone_work", np.float64, TONE_WORK),
    ("audio", np.uint8, (AUDIO_BYTES,)),
    ("sides", np.int64, (LEGS, 2, srtp.SIDE_WORDS)),
    ("salts", np.uint8, (LEGS, 2, 2, srtp.SALT_BYTES)),
    ("secret", np.uint8, (32,)),
    ("scratch", np.uint8, (srtp.SCRATCH_BYTES,)),
)


def _layout() -> np.dtype[Any]:
    """Every array on a cache line of its own: shared words must not lie beside the loop's."""
    offsets, at = [], 0
    for _, kind, shape in _ARRAYS:
        offsets.append(at)
        at += (int(np.prod(shape)) * np.dtype(kind).itemsize + 127) // 128 * 128
    return np.dtype({
        "names": [name for name, _, _ in _ARRAYS],
        "formats": [(kind, shape) for _, kind, shape in _ARRAYS],
        "offsets": offsets,
        "itemsize": at,
    })


LAYOUT = _layout()


def allocate(memory: Any = None) -> Plane:
    """An idle plane. It takes a few MB of memory until calls come, whatever its address space says.

    `memory`: zeroed uint8[LAYOUT.itemsize] to lie in (it must outlive the plane), else memory of its own.
    """
    whole = np.zeros(1, LAYOUT) if memory is None else np.ndarray(1, LAYOUT, buffer=memory)
    plane = cast("Plane", whole.view(np.recarray)[0])
    plane.decode[:] = g711.decode_tables()
    plane.encode[:] = g711.encode_tables()
    plane.cross[:] = g711.cross_tables()
    plane.free_slots[:] = np.arange(SLOTS - 1, -1, -1)
    plane.counters[FREE_SLOTS] = SLOTS
    plane.free_tones[:] = np.arange(TONE_EARS - 1, -1, -1)
    plane.counters[FREE_TONES] = TONE_EARS
    for word, limit_ms in (
        (UNCONFIRMED_US, limits.unconfirmed_send_ms_max),
        (RELATCH_US, limits.relatch_silent_ms),
        (MISSING_US, limits.media_missing_ms),
        (PROBE_US, limits.media_probe_ms),
        (LEARN_US, limits.unconfirmed_send_ms_max),
    ):
        plane.settings[word] = limit_ms * 1_000
    return plane

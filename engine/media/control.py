"""Commands applied to the columns, in the media thread. A command for an earlier generation of a row is counted only.

`apply` returns what the loop must do with the row's socket: the kernels themselves make no system calls.
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import (
    coding,
    digits,
    ears,
    forward,
    latch,
    mix,
    mouths,
    play,
    playout,
    receive,
    reports,
    rings,
    secure,
    tones,
)
from engine.media import columns as c
from engine.media.columns import Plane
from engine.media.commands import CN, EVENTS_16, G722, L16_8, L16_16, PCMA, PCMU
from engine.rtp import events, quality

# --- kinds of commands --------------------------------------------------------------------------------------
(
    NO_COMMAND, OPEN_LEG, SET_LEG, STAGE_CLIPS, PLAY, STOP, ECHO, BRIDGE, HEAR, SEND_DIGITS,
    START_TAP, PAUSE_TAP, STOP_TAP, CLOSE_LEG, SET_CLIP, HALT, MIX,
    START_EAR, STOP_EAR, START_MOUTH, STOP_MOUTH, CLEAR_MOUTH,
) = range(22)
SET_KEY = 40  # SRTP: `media.secure`

# --- what the loop must do ------------------------------------------------------------------------------------
DO_NOTHING, DO_WATCH, DO_UNWATCH, DO_HALT = range(4)

# --- places of figures in a command record (0 kind, 1 row, 2 generation) ----------------------------------------
OPEN_FD, OPEN_SSRC, OPEN_SEQUENCE, OPEN_TIMESTAMP, OPEN_REPORT_FD, OPEN_NAME = 3, 4, 5, 6, 7, 8
SET_CODEC, SET_TYPE, SET_EVENTS_IN, SET_EVENTS_OUT, SET_FRAME_MS, SET_FLAGS, SET_ACCEPT = 3, 4, 5, 6, 7, 8, 9
SET_LENGTH, SET_ADDRESS, SET_FAMILY, SET_BITS, SET_NETWORK, SET_PAIRS, SET_FIRST_PAIR = 10, 11, 15, 16, 17, 19, 20
SET_PAIRS_MAX = 12
PLAY_TICKET, PLAY_FLAGS, PLAY_START, PLAY_COUNT, PLAY_CLIPS = 3, 4, 5, 6, 7
PLAY_CLIPS_MAX = 4 * (c.COMMAND_WORDS - PLAY_CLIPS)
DIGITS_ON_MS, DIGITS_GAP_MS, DIGITS_COUNT, DIGITS_CODES = 3, 4, 5, 6  # a code: event code, 16 added for tones
MIX_NUMBER, MIX_COUNT, MIX_PARTIES = 3, 4, 5  # then three words a party: row, generation, ears by place in this list
FLAG_SEND, FLAG_RECEIVE, FLAG_MUX = 1, 2, 8  # and in SET_FLAGS, from bit REPORT_PORT_BIT on, the far port for reports
REPORT_PORT_BIT = 8
TONES_SHIFT = 4  # in SET_FLAGS: the bits of `media.tones` lie above these
FLAG_LOOP, FLAG_STOP_ON_DIGIT = 1, 2

FLAG_EVENTS_16 = 4  # telephone-events that we send count at 16 kHz

_FRAMES_MS = (10, 20, 30, 40, 60)
_CODECS = (PCMU, PCMA, G722, CN, L16_8, L16_16, EVENTS_16)


@kernel
def apply(p: Plane, words: Any, now_us: int) -> int:
    """Apply one command record; returns DO_NOTHING, DO_WATCH, DO_UNWATCH (the row's socket) or DO_HALT."""
    kind, row = words[0], words[1]
    p.counters[c.COMMANDS_DONE] += 1
    if kind == HALT:
        return DO_HALT
    if kind == NO_COMMAND:  # asked for a sign of life: that it is taken is the answer
        return DO_NOTHING
    if kind == SET_CLIP:
        clip = p.clips[row % p.clips.shape[0]]
        for word in range(3):
            clip[word] = words[3 + word]
        return DO_NOTHING
    if kind == MIX:
        _mix(p, words)
        return DO_NOTHING
    if row < 0 or row >= p.legs.shape[0]:
        p.counters[c.COMMANDS_LATE] += 1
        return DO_NOTHING
    leg = p.legs[row]
    if kind == OPEN_LEG:
        return _open(p, words, now_us)
    if leg[c.STATE] != c.OPEN or leg[c.GENERATION] != words[2]:
        p.counters[c.COMMANDS_LATE] += 1
        if kind == SET_KEY:
            secure.wipe(words)
        if kind == START_TAP:
            rings.emit(p, rings.TAP_DONE, row, words[3], -1, 0, True)
        elif kind == START_EAR:
            ears.refuse(p, row, words[3])
        elif kind == START_MOUTH:
            mouths.refuse(p, row, words[3])
        return DO_NOTHING
    if kind == CLOSE_LEG:
        close(p, row)
        return DO_UNWATCH
    if kind in (START_TAP, PAUSE_TAP, STOP_TAP):
        _tap(p, kind, row, words)
    elif kind in (START_EAR, STOP_EAR):
        _ear(p, kind, row, words, now_us)
    elif kind in (START_MOUTH, STOP_MOUTH, CLEAR_MOUTH):
        _mouth(p, kind, row, words)
    elif kind in (BRIDGE, HEAR):
        _connect(p, kind, row, words[3], words[4])
    else:
        _direct(p, kind, row, words, now_us)
    return DO_NOTHING


@kernel
def _direct(p: Plane, kind: int, row: int, words: Any, now_us: int) -> None:
    """Commands that touch one leg."""
    leg = p.legs[row]
    if kind == SET_LEG:
        _set(p, words, now_us)
    elif kind == SET_KEY:
        secure.set_key(p, row, words)
        secure.wipe(words)
    elif kind == STAGE_CLIPS:
        if leg[c.SOURCE] == c.PLAYING:  # its playlist is about to be overwritten
            forward.detach(p, row)
        leg[c.STAGED] = _stage(p, row, words, leg[c.STAGED])
    elif kind == PLAY:
        count = _stage(p, row, words, leg[c.STAGED])
        leg[c.STAGED] = 0
        flags = words[PLAY_FLAGS]
        play.begin(p, row, words[PLAY_TICKET], count, flags & 1, (flags >> 1) & 1, words[PLAY_START])
    elif kind == STOP:
        forward.detach(p, row)
    elif kind == ECHO:
        forward.attach(p, row, row)
    elif kind == SEND_DIGITS:
        leg[c.DIGIT_ON] = min(max(words[DIGITS_ON_MS], 40), 8_000) * 8
        leg[c.DIGIT_GAP] = min(max(words[DIGITS_GAP_MS], 40), 8_000) * 8
        for index in range(min(words[DIGITS_COUNT], c.DIGITS_QUEUED)):
            digits.queue(p, row, (words[DIGITS_CODES + (index >> 3)] >> (8 * (index & 7))) & 31)


# --- a leg's life ----------------------------------------------------------------------------------------------
@kernel
def _open(p: Plane, words: Any, now_us: int) -> int:
    row = words[1]
    leg = p.legs[row]
    if leg[c.STATE] != c.FREE:
        p.counters[c.COMMANDS_LATE] += 1
        return DO_NOTHING
    for word in range(c.LEG_FIELDS):
        leg[word] = 0
    for word in range(quality.FIELDS):
        p.quality[row, word] = 0
    for word in range(events.FIELDS):
        p.presses[row, word] = 0
    for word in range(c.CODING_FIELDS):
        p.coding[row, word] = 0
    for payload_type in range(128):
        p.payloads[row, payload_type] = c.NO_CODEC
    secure.forget(p, row)
    leg[c.STATE] = c.OPEN
    leg[c.GENERATION] = words[2]
    leg[c.FD] = words[OPEN_FD]
    leg[c.SSRC] = words[OPEN_SSRC] & 0xFFFFFFFF
    leg[c.SEQUENCE] = words[OPEN_SEQUENCE] & 0xFFFF
    leg[c.TIMESTAMP] = words[OPEN_TIMESTAMP] & 0xFFFFFFFF
    leg[c.REPORT_FD] = words[OPEN_REPORT_FD]
    reports.begin(p, row, words, OPEN_NAME)
    leg[c.DUE_US] = now_us
    leg[c.ALIVE_US] = now_us
    leg[c.FRAME] = 160
    leg[c.FRAME_K] = 2
    leg[c.CLOCK_RATE] = 8_000
    p.coding[row, c.RATE_IN] = 8_000
    leg[c.EVENTS_OUT] = -1
    leg[c.SOURCE_ROW] = -1
    leg[c.FIRST_LISTENER] = -1
    leg[c.NEXT_LISTENER] = -1
    leg[c.SLOT] = -1
    leg[c.TAP] = -1
    leg[c.MIX] = -1
    leg[c.FIRST_EAR] = -1
    leg[c.MOUTH] = -1
    leg[c.TONE_EAR] = -1
    leg[c.ACTIVE_AT] = p.counters[c.ACTIVE]
    p.active[p.counters[c.ACTIVE]] = row
    p.counters[c.ACTIVE] += 1
    return DO_WATCH


@kernel
def _set(p: Plane, words: Any, now_us: int) -> None:
    row = words[1]
    leg = p.legs[row]
    frame_ms = words[SET_FRAME_MS]
    if frame_ms not in _FRAMES_MS:
        frame_ms = 20
    fine_before = leg[c.FRAME_K] & 1
    codec = words[SET_CODEC]
    if codec == L16_16 and frame_ms > 40:  # longer ones would be fragmented
        frame_ms = 40
    if codec != leg[c.CODEC_OUT]:
        if leg[c.LAST_LAW] == coding.OCTETS:
            coding.recall(p, row)
        p.coding[row, c.ENCODING] = 0
        leg[c.MAPPED] = 0  # another clock, perhaps, and another talkspurt
        leg[c.MARKER] = 1
    leg[c.CODEC_OUT] = codec
    leg[c.LAW_OUT] = coding.law_of(codec)
    rate = 16_000 if codec == L16_16 else 8_000
    if rate != leg[c.CLOCK_RATE]:
        p.coding[row, c.RATE_IN] = rate  # until they say otherwise
    leg[c.CLOCK_RATE] = rate
    p.coding[row, c.EVENTS_SHIFT] = i64(words[SET_FLAGS] & FLAG_EVENTS_16 != 0)
    leg[c.PAYLOAD_TYPE_OUT] = words[SET_TYPE] & 0x7F
    leg[c.EVENTS_OUT] = words[SET_EVENTS_OUT] if words[SET_EVENTS_OUT] <= 127 else -1
    if frame_ms * 8 != leg[c.FRAME]:
        forward.release_slot(p, row)
        leg[c.MAPPED] = 0
        leg[c.FLOWING] = 0
    leg[c.FRAME] = frame_ms * 8
    leg[c.FRAME_K] = frame_ms // 10
    p.counters[c.FINE_LEGS] += (leg[c.FRAME_K] & 1) - fine_before
    leg[c.SEND] = words[SET_FLAGS] & 1
    receive = (words[SET_FLAGS] >> 1) & 1
    if leg[c.IS_SET] == 0 or receive != leg[c.RECEIVE]:
        leg[c.ALIVE_US] = now_us
        leg[c.SILENCE_TOLD] = 0
    leg[c.RECEIVE] = receive
    leg[c.REPORT_MUX] = i64(words[SET_FLAGS] & FLAG_MUX != 0)
    leg[c.REPORT_PORT] = (words[SET_FLAGS] >> REPORT_PORT_BIT) & 0xFFFF
    leg[c.IS_SET] = 1
    tones.set_mode(p, row, (words[SET_FLAGS] >> TONES_SHIFT) & 3)
    _set_payloads(p, row, words)
    _set_network(p, row, words)
    address = p.packed_address
    for index in range(c.ADDRESS_BYTES):
        address[index] = (words[SET_ADDRESS + (index >> 3)] >> (8 * (index & 7))) & 0xFF
    length = words[SET_LENGTH]
    latch.signal(p, row, address, length if length == 16 or length == 28 else 0, now_us)


@kernel
def _set_payloads(p: Plane, row: int, words: Any) -> None:
    for payload_type in range(128):
        p.payloads[row, payload_type] = c.NO_CODEC
    for index in range(min(max(words[SET_PAIRS], 0), SET_PAIRS_MAX)):
        pair = words[SET_FIRST_PAIR + index]
        if (pair & 0xFF) in _CODECS:
            p.payloads[row, (pair >> 8) & 0x7F] = pair & 0xFF
    if 0 <= words[SET_EVENTS_IN] <= 127:
        p.payloads[row, words[SET_EVENTS_IN]] = c.EVENT_CODEC
    if p.payloads[row, CN] == c.NO_CODEC:  # gateways send it whether it was agreed or not
        p.payloads[row, CN] = CN


@kernel
def _set_network(p: Plane, row: int, words: Any) -> None:
    leg = p.legs[row]
    leg[c.ACCEPT] = words[SET_ACCEPT]
    leg[c.NETWORK_FAMILY] = words[SET_FAMILY]
    leg[c.NETWORK_BITS] = words[SET_BITS]
    for index in range(16):
        p.networks[row, index] = (words[SET_NETWORK + (index >> 3)] >> (8 * (index & 7))) & 0xFF


@kernel
def _stage(p: Plane, row: int, words: Any, staged: int) -> int:
    """Append the record's clip numbers to the row's playlist; returns the new count. Unknown clips are left out."""
    for index in range(min(max(words[PLAY_COUNT], 0), PLAY_CLIPS_MAX)):
        clip = (words[PLAY_CLIPS + (index >> 2)] >> (16 * (index & 3))) & 0xFFFF
        if staged < c.PLAYLIST_CLIPS and clip < c.DTMF_CLIPS and p.clips[clip, c.CLIP_LENGTH] > 0:
            p.playlists[row, staged] = clip
            staged += 1
    return staged


@kernel
def _connect(p: Plane, kind: int, row: int, other: int, generation: int) -> None:
    known = 0 <= other < p.legs.shape[0] and other != row
    if not known or p.legs[other, c.STATE] != c.OPEN or p.legs[other, c.GENERATION] != generation:
        p.counters[c.COMMANDS_LATE] += 1
        return
    forward.attach(p, row, other)
    if kind == BRIDGE:
        forward.attach(p, other, row)


# --- a mix -------------------------------------------------------------------------------------------------------
@kernel
def _mix(p: Plane, words: Any) -> None:
    """Set who sits in a mix and who hears whom there: who isn't named leaves, who stays keeps seat and buffer."""
    number, count = words[MIX_NUMBER], words[MIX_COUNT]
    if number < 0 or number >= c.MIXES or count < 0 or count > c.SEATS:
        p.counters[c.COMMANDS_LATE] += 1
        return
    for seat in range(c.SEATS):
        row = p.mixes[number, c.MIX_ROW + seat] - 1
        if row >= 0 and not _named(p, words, row):
            mix.leave(p, row)
    for place in range(count):
        row = _party(p, words, place)
        if row >= 0 and p.legs[row, c.MIX] != number:
            mix.leave(p, row)
            mix.sit(p, row, number)
            _carry_over(p, row, number)
    for place in range(count):
        row = _party(p, words, place)
        if row >= 0 and p.legs[row, c.MIX] == number:
            _hear_mix(p, row, words, words[MIX_PARTIES + 3 * place + 2])
    mix.listen_up(p, number)


@kernel
def _party(p: Plane, words: Any, place: int) -> int:
    """The row of the command's party at `place`; -1 (counted) when that leg is gone."""
    row, generation = words[MIX_PARTIES + 3 * place], words[MIX_PARTIES + 3 * place + 1]
    if 0 <= row < p.legs.shape[0] and p.legs[row, c.STATE] == c.OPEN and p.legs[row, c.GENERATION] == generation:
        return row  # type: ignore[no-any-return]
    p.counters[c.COMMANDS_LATE] += 1
    return -1


@kernel
def _named(p: Plane, words: Any, row: int) -> bool:
    found = 0
    for place in range(words[MIX_COUNT]):
        found += words[MIX_PARTIES + 3 * place] == row
    return found > 0


@kernel
def _carry_over(p: Plane, row: int, number: int) -> None:
    """What a leg that just took its seat said last, as a partner heard it: the mix goes on from there."""
    if p.legs[row, c.MIX] != number:
        return
    slot = mix.slot_of(number, p.legs[row, c.SEAT])
    listener = p.legs[row, c.FIRST_LISTENER]
    while listener >= 0:
        leg = p.legs[listener]
        if leg[c.SLOT] >= 0:
            playout.copy(p, leg[c.SLOT], slot)
        elif leg[c.MAPPED] == 1:
            if leg[c.LAST_LAW] == coding.OCTETS:
                coding.recall(p, listener)
            playout.seed(p, slot, p.last[listener], leg[c.LAST_LENGTH], leg[c.LAST_LAW])
        listener = leg[c.NEXT_LISTENER]


@kernel
def _hear_mix(p: Plane, row: int, words: Any, ears_by_place: int) -> None:
    leg = p.legs[row]
    number = leg[c.MIX]
    mask = 0
    for place in range(words[MIX_COUNT]):
        other = words[MIX_PARTIES + 3 * place]
        seated = ears_by_place >> place & 1 == 1 and 0 <= other < p.legs.shape[0]
        if seated and p.legs[other, c.STATE] == c.OPEN and p.legs[other, c.MIX] == number:
            mask |= 1 << p.legs[other, c.SEAT]
    before = 0
    if leg[c.SOURCE] == c.MIXING:
        before = p.mixes[number, c.MIX_BEFORE + leg[c.SEAT]]  # what its last frame held
    elif leg[c.SOURCE] == c.HEARING and p.legs[leg[c.SOURCE_ROW], c.MIX] == number:
        before = 1 << p.legs[leg[c.SOURCE_ROW], c.SEAT]
    if leg[c.SOURCE] != c.MIXING:
        forward.detach(p, row)
    mix.open_ears(p, row, mask, before)


@kernel
def close(p: Plane, row: int) -> None:
    """End everything a leg does; the row is free once LegClosed has gone out."""
    leg = p.legs[row]
    forward.detach(p, row)
    forward.dismiss(p, row)
    mix.leave(p, row)
    if leg[c.TAP] >= 0:
        _stop_tap(p, leg[c.TAP])
    while leg[c.FIRST_EAR] >= 0:
        ears.stop(p, leg[c.FIRST_EAR])
    if leg[c.MOUTH] >= 0:
        mouths.shut(p, leg[c.MOUTH])
    p.counters[c.FINE_LEGS] -= leg[c.FRAME_K] & 1
    secure.forget(p, row)
    tones.release(p, row)
    leg[c.STATE] = c.CLOSING
    finish_closing(p, row)


@kernel
def finish_closing(p: Plane, row: int) -> None:
    """Raise LegClosed with the leg's quality; a full ring leaves the row CLOSING and each tick tries again."""
    leg = p.legs[row]
    receive.release_digits(p, row)
    if leg[c.HELD_COUNT] > 0:
        return
    record = p.record
    record[0] = rings.LEG_CLOSED
    record[1] = row
    record[2] = leg[c.GENERATION]
    reports.figures(leg, p.quality[row], p.reports[row], record)
    if not rings.emit_record(p, record):
        return
    leg[c.STATE] = c.FREE
    last = p.counters[c.ACTIVE] - 1
    moved = p.active[last]
    p.active[leg[c.ACTIVE_AT]] = moved
    p.legs[moved, c.ACTIVE_AT] = leg[c.ACTIVE_AT]
    p.counters[c.ACTIVE] = last


# --- recordings ------------------------------------------------------------------------------------------------
@kernel
def _tap(p: Plane, kind: int, row: int, words: Any) -> None:
    tap = words[3]
    if tap < 0 or tap >= p.taps.shape[0]:
        p.counters[c.COMMANDS_LATE] += 1
        return
    state, leg = p.taps[tap], p.legs[row]
    if kind == START_TAP:
        if state[c.TAP_STATE] != c.TAP_FREE or leg[c.TAP] >= 0:
            rings.emit(p, rings.TAP_DONE, row, tap, -1, 0, True)
            return
        for word in range(c.TAP_FIELDS):
            state[word] = 0
        state[c.TAP_STATE] = c.TAP_RUNNING
        state[c.TAP_ROW] = row
        state[c.TAP_NEXT_K] = p.counters[c.TICK_K] + 1
        leg[c.TAP] = tap
        p.counters[c.TAPS_RUNNING] += 1
        left = c.SLOTS + 2 * tap
        playout.reset(p, left)
        playout.reset(p, left + 1)
    elif state[c.TAP_STATE] == c.TAP_RUNNING and state[c.TAP_ROW] == row:
        if kind == PAUSE_TAP:
            state[c.TAP_PAUSED] = i64(words[4] != 0)
        else:
            _stop_tap(p, tap)


@kernel
def _stop_tap(p: Plane, tap: int) -> None:
    state = p.taps[tap]
    p.legs[state[c.TAP_ROW], c.TAP] = -1
    state[c.TAP_STATE] = c.TAP_STOPPING
    finish_tap(p, tap)


@kernel
def finish_tap(p: Plane, tap: int) -> None:
    """Say that a recording's frames are complete; a full ring leaves it STOPPING and each tick tries again."""
    state = p.taps[tap]
    if rings.emit(p, rings.TAP_DONE, state[c.TAP_ROW], tap, state[c.TAP_FRAMES], state[c.TAP_OWED], True):
        state[c.TAP_STATE] = c.TAP_FREE
        p.counters[c.TAPS_RUNNING] -= 1


# --- ears and mouths -------------------------------------------------------------------------------------------
@kernel
def _ear(p: Plane, kind: int, row: int, words: Any, now_us: int) -> None:
    ear = words[3]
    if ear < 0 or ear >= c.EAR_COUNT:
        p.counters[c.COMMANDS_LATE] += 1
    elif kind == START_EAR:
        if p.ears[ear, c.EAR_STATE] == c.EAR_FREE:
            ears.start(p, row, ear, words[4], now_us)
        else:
            p.counters[c.COMMANDS_LATE] += 1
    elif p.ears[ear, c.EAR_STATE] == c.EAR_RUNNING and p.ears[ear, c.EAR_ROW] == row:
        ears.stop(p, ear)


@kernel
def _mouth(p: Plane, kind: int, row: int, words: Any) -> None:
    mouth = words[3]
    if mouth < 0 or mouth >= c.MOUTH_COUNT:
        p.counters[c.COMMANDS_LATE] += 1
    elif kind == START_MOUTH:
        mouths.open_on(p, row, mouth, words[4])
    elif p.mouths[mouth, c.MOUTH_STATE] == c.MOUTH_OPEN and p.mouths[mouth, c.MOUTH_ROW] == row:
        if kind == CLEAR_MOUTH:
            mouths.clear(p, mouth, words[4])
        else:
            mouths.shut(p, mouth)


@kernel
def abandon(p: Plane, row: int) -> None:
    """The row's socket can't be watched: LegFailed, then LegClosed."""
    rings.emit(p, rings.LEG_BROKEN, row, 0, 0, 0, True)
    close(p, row)

"""Codecs beyond G.711 at the edges of the plane: what comes is decoded, what goes is coded, and between lies 8 kHz.

Inside, sound is bytes in one of three *laws*: µ-law, A-law, and LINEAR, 16-bit samples in network order, which is what
legs of G.722 and L16 speak there. A packet that leaves for a leg of its own codec passes untouched, so two wideband
legs in a bridge keep all 7 kHz; so do G.722 and L16 at 16 kHz, through `wide`. Everything else (prompts, recordings,
mixes, recognisers, legs of G.711) needs the lower 4 kHz only, which G.722 has as a band of its own.

Decoders and coders have memories. One that has missed packets begins anew: it fades in within some 10 ms, where a
stale one would burst. A coder that takes over from packets passed untouched first decodes the last of them, since the
far end's decoder stands where that leaves it (`recall`).
"""

from __future__ import annotations

from typing import Any

from engine.jit import i64, kernel
from engine.media import columns as c
from engine.media import g722, halves
from engine.media.columns import Plane
from engine.media.commands import G722, L16_8, L16_16, PCMA
from engine.rtp import quality
from engine.rtp.packet import HEADER_BYTES
from engine.rtp.sequence import ahead32

LINEAR = 2
OCTETS = 3  # of G.722: the law of `last` after a packet that passed untouched
UNTOUCHED, NARROW, WIDE = range(3)  # what a packet has to be decoded to


@kernel
def law_of(codec: int) -> int:
    """The law in which a codec's sound lies inside the plane."""
    return LINEAR if codec > PCMA else 1 if codec == PCMA else 0


@kernel
def is_wide(codec: int) -> bool:
    """Does this codec carry 7 kHz?"""
    return codec in (G722, L16_16)


@kernel
def samples_of(codec: int, octets: int) -> int:
    """How many samples at 8 kHz a payload stands for; 0 when no payload of this codec has that length."""
    width = 4 if codec == L16_16 else 2 if codec == L16_8 else 1
    return octets // width if octets % width == 0 and octets // width <= c.SOUND_SAMPLES else 0


@kernel
def samples_max(p: Plane, codec: int) -> int:
    """How many samples at 8 kHz fit into a packet that we code."""
    width = 4 if codec == L16_16 else 2 if codec > PCMA else 1
    return (p.out.shape[1] - HEADER_BYTES) // width  # type: ignore[no-any-return]


# --- bytes in a law -------------------------------------------------------------------------------------
@kernel
def sample(p: Plane, law: int, octets: Any, start: int, index: int) -> int:
    """Sample `index` of the sound at octets[start:]."""
    if law == LINEAR:
        word = i64(octets[start + 2 * index]) << 8 | i64(octets[start + 2 * index + 1])
        return word - 0x10000 if word >= 0x8000 else word  # type: ignore[no-any-return]
    return i64(p.decode[law, octets[start + index]])  # type: ignore[no-any-return]


@kernel
def put(p: Plane, law: int, octets: Any, start: int, index: int, value: int) -> None:
    """Write a 16-bit sample as number `index` of the sound at octets[start:]."""
    if law == LINEAR:
        octets[start + 2 * index] = value >> 8 & 0xFF
        octets[start + 2 * index + 1] = value & 0xFF
    else:
        octets[start + index] = p.encode[law, value & 0xFFFF]


@kernel
def put_all(p: Plane, law: int, octets: Any, start: int, samples: Any, length: int) -> None:
    """Write the first `length` of int16 `samples` as the sound at octets[start:]."""
    if law == LINEAR:
        for index in range(length):
            put(p, LINEAR, octets, start, index, i64(samples[index]))
    else:
        for index in range(length):
            octets[start + index] = p.encode[law, i64(samples[index]) & 0xFFFF]


# --- what comes -----------------------------------------------------------------------------------------
@kernel
def halved(p: Plane, row: int, timestamp: int) -> int:
    """A timestamp of a 16 kHz clock as one of 8 kHz, in steps that don't break when the clock wraps."""
    state = p.coding[row]
    state[c.STAMP_IN] += ahead32(timestamp, state[c.STAMP_IN] & 0xFFFFFFFF)
    return state[c.STAMP_IN] >> 1 & 0xFFFFFFFF  # type: ignore[no-any-return]


@kernel
def wanted(p: Plane, row: int, codec: int) -> int:
    """What a leg's packets of a codec beyond G.711 have to be decoded to, for all who hear or record them or listen for
    tones."""
    leg = p.legs[row]
    taken = leg[c.TAP] >= 0 or leg[c.FIRST_EAR] >= 0 or leg[c.MIX] >= 0 or leg[c.TONES] != 0
    need = NARROW if taken else UNTOUCHED
    listener = leg[c.FIRST_LISTENER]
    while listener >= 0:
        other = p.legs[listener]
        if other[c.CODEC_OUT] != codec:
            need = max(need, WIDE if is_wide(codec) and is_wide(other[c.CODEC_OUT]) else NARROW)
        elif other[c.SLOT] >= 0 or other[c.TAP] >= 0 or other[c.FIRST_EAR] >= 0:
            need = max(need, NARROW)
        listener = other[c.NEXT_LISTENER]
    return need


@kernel
def take_in(p: Plane, row: int, codec: int, packet: Any, start: int, samples: int, order: int, need: int) -> None:
    """Decode a payload into `heard` (and `wide`, when that is needed)."""
    memory = p.coding[row]
    if need == UNTOUCHED:
        memory[c.DECODING] = 0
        return
    if codec == L16_8:
        for index in range(2 * samples):
            p.heard[index] = packet[start + index]
        return
    spare = p.coders.shape[0] - 1
    if memory[c.DECODING] != codec or order == quality.RESTART:
        memory[c.DECODING], memory[c.DECODING_WIDE] = codec, i64(need == WIDE)
        _begin(p.coders[row, 0], codec)
    if codec == G722 and need == WIDE and memory[c.DECODING_WIDE] == 0:
        g722.reset_higher(p.coders[row, 0])
    place = row
    if order == quality.LATE:  # its turn is over: decoded as if it came now, and forgotten
        place = spare
        for word in range(c.CODER_WORDS):
            p.coders[spare, 0, word] = p.coders[row, 0, word]
    else:
        memory[c.DECODING_WIDE] = i64(need == WIDE)
    if codec == G722:
        _decode_g722(p, place, packet, start, samples, need)
    else:
        _decode_l16(p, place, packet, start, samples)


@kernel
def _begin(state: Any, codec: int) -> None:
    for word in range(c.CODER_WORDS):
        state[word] = 0
    if codec == G722:
        g722.reset(state)


@kernel
def _decode_g722(p: Plane, place: int, packet: Any, start: int, samples: int, need: int) -> None:
    state = p.coders[place, 0]
    for index in range(samples):
        octet = i64(packet[start + index])
        low = g722.decode_lower(state, octet)
        if need == WIDE:
            g722.join(state, low, g722.decode_higher(state, octet), p.wide, 2 * index)
        put(p, LINEAR, p.heard, 0, index, 2 * low)


@kernel
def _decode_l16(p: Plane, place: int, packet: Any, start: int, samples: int) -> None:
    state = p.coders[place, 0]
    for index in range(samples):
        earlier = sample(p, LINEAR, packet, start, 2 * index)
        later = sample(p, LINEAR, packet, start, 2 * index + 1)
        p.wide[2 * index], p.wide[2 * index + 1] = earlier, later
        put(p, LINEAR, p.heard, 0, index, halves.halve(state, earlier, later))


# --- what goes ------------------------------------------------------------------------------------------
@kernel
def give_out(p: Plane, row: int, slot: int, samples: int, wide: int) -> int:
    """Code the sound that lies in packet `slot`, in the leg's law, in place; returns the payload's octets.

    `wide` 1: the same sound lies in `wide` with all its 7 kHz.
    """
    codec = p.legs[row, c.CODEC_OUT]
    if codec <= PCMA:
        return samples
    if codec == L16_8:
        return 2 * samples
    if p.coding[row, c.ENCODING] == 0:
        recall(p, row)
    state, target = p.coders[row, 1], p.out[slot]
    if codec == G722:
        for index in range(samples):  # writes behind what it reads
            low, high = sample(p, LINEAR, target, HEADER_BYTES, index) >> 1, 0
            if wide == 1:
                low, high = g722.split(state, p.wide, 2 * index)
            target[HEADER_BYTES + index] = g722.encode_pair(state, low, high)
        return samples
    if wide == 0:
        for index in range(samples):
            earlier, later = halves.double(state, sample(p, LINEAR, target, HEADER_BYTES, index))
            p.wide[2 * index], p.wide[2 * index + 1] = earlier, later
    for index in range(2 * samples):
        put(p, LINEAR, target, HEADER_BYTES, index, i64(p.wide[index]))
    return 4 * samples


@kernel
def recall(p: Plane, row: int) -> None:
    """After packets that passed untouched: bring the coder to where they left the far end's decoder, and turn the
    last of them into samples."""
    leg, state = p.legs[row], p.coders[row, 1]
    if leg[c.LAST_LAW] != OCTETS and p.coding[row, c.ENCODING] == 1:
        return
    _begin(state, leg[c.CODEC_OUT])
    p.coding[row, c.ENCODING] = 1
    if leg[c.LAST_LAW] != OCTETS:
        return
    octets, kept = leg[c.LAST_LENGTH], min(leg[c.LAST_LENGTH], c.LAST_BYTES // 2)
    samples = p.frame[2]
    for index in range(octets):
        octet = i64(p.last[row, index])
        samples[index] = 2 * g722.decode_lower(state, octet)
        g722.decode_higher(state, octet)
    for index in range(kept):
        put(p, LINEAR, p.last[row], 0, index, i64(samples[octets - kept + index]))
    leg[c.LAST_LENGTH], leg[c.LAST_LAW] = kept, LINEAR

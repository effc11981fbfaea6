"""What a leg sounded like and why, for its record and for ops: an opinion each way, whose side, the cause in words.

Figures come from the media plane: what it received itself, and what the far end reports of our packets (RTCP). An
opinion is the E-model's (`rtp.emodel`) for this leg alone, with the delay of a usual jitter buffer; 0 says that there
is nothing to go by, as without reports from a far end.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec

from engine.media.commands import LegClosed
from engine.rtp import emodel

if TYPE_CHECKING:
    from engine.call.leg import Leg

PACKETS_MIN = 25  # half a second: fewer say nothing
HEARING_MS_MIN = 3_000  # so long a leg may take to begin
LOSS_PERCENT_MIN = 1.0
LATE_PERCENT_MIN = 0.5
CLIPPED_PERCENT_MIN = 0.5
WEIGHED_MIN = 3_000  # samples, of about three seconds
SILENT_MAX = 64  # of 32,768: what a line without anybody on it still has
FAR_AWAY_US = 300_000
_BUFFER_MS = 40.0  # what a usual jitter buffer holds, and a packet's own length
_FRAME_MS = 20.0
_BURST = 2.0  # runs of lost packets twice as long as chance makes them


class Parting(msgspec.Struct, frozen=True, array_like=True):
    """What the room still knows of a leg whose media is being closed. `far`: host:port that its SDP named, '' when it
    was to send nothing; `signals_from`: the host of its SIP; `who`: in words; `up_ms`: how long it was up."""

    generation: int
    far: str
    signals_from: str
    who: str
    up_ms: int


class Verdict(msgspec.Struct, frozen=True):
    """MOS 1.0–4.5 of what came from the leg and what went to it, 0 unknown. `side`: theirs | ours | between,
    '' when nothing is wrong; `cause` the reasons, the worst first."""

    heard: float = 0.0
    sent: float = 0.0
    side: str = ""
    cause: str = ""


def parting(leg: Leg, now_ms: int) -> Parting:
    """Facts about a leg that closes now."""
    agreed = leg.agreed
    sends = agreed is not None and agreed.direction in ("sendrecv", "recvonly") and not leg.remote_hold
    up_ms = now_ms - leg.up_ms if leg.up_ms else 0
    who = "the gateway" if leg.trunk else "the phone"
    far = _literal(agreed.host, agreed.port) if agreed is not None and sends else ""
    return Parting(leg.generation, far, leg.path.host, who, up_ms)


def _literal(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def judge(closed: LegClosed, known: Parting | None = None) -> Verdict:
    """What these figures amount to."""
    reasons = [*_heard(closed, known), *_sent(closed)]
    side = next((side for side, _ in reasons if side), "")
    return Verdict(_opinion_heard(closed, known), _opinion_sent(closed), side, "; ".join(text for _, text in reasons))


# --- opinions -----------------------------------------------------------------------------------------------
def loss_percent(lost: int, came: int) -> float:
    """Of those expected; 0 when nothing was."""
    return 100.0 * lost / (lost + came) if lost + came > 0 else 0.0


def _delay_ms(closed: LegClosed, jitter_us: int) -> float:
    trip_ms = max(closed.sound.round_trip_us, 0) / 1_000
    return trip_ms / 2 + max(_BUFFER_MS, 2 * jitter_us / 1_000) + _FRAME_MS


def _opinion_heard(closed: LegClosed, known: Parting | None) -> float:
    if closed.packets_in < PACKETS_MIN:
        return 1.0 if _nothing_came(closed, known) else 0.0
    sound = closed.sound
    loss = loss_percent(closed.lost, closed.packets_in)
    late = 100.0 * sound.delayed / closed.packets_in
    bursts = emodel.burst_ratio(closed.lost, sound.loss_runs, loss)
    value = emodel.rating(loss + late, _delay_ms(closed, closed.jitter_us), burst_ratio=bursts)
    return round(emodel.opinion(value), 2)


def _opinion_sent(closed: LegClosed) -> float:
    sound = closed.sound
    if not sound.about or closed.packets_out < PACKETS_MIN:
        return 0.0
    loss = loss_percent(sound.far_lost, closed.packets_out - sound.far_lost) + 100 * sound.far_discarded / 256
    value = emodel.rating(loss, _delay_ms(closed, sound.far_jitter_us))
    return round(emodel.opinion(value), 2)


# --- causes -------------------------------------------------------------------------------------------------
def _nothing_came(closed: LegClosed, known: Parting | None) -> bool:
    return closed.packets_in == 0 and known is not None and bool(known.far) and known.up_ms >= HEARING_MS_MIN


def _heard(closed: LegClosed, known: Parting | None) -> list[tuple[str, str]]:
    """(side, reason) of what came from them."""
    who = known.who if known is not None else "the far end"
    if known is not None and _nothing_came(closed, known):
        return [("theirs", _nothing(closed, known))]
    if closed.packets_in < PACKETS_MIN:
        return []
    sound, found = closed.sound, []
    loss = loss_percent(closed.lost, closed.packets_in)
    if loss >= LOSS_PERCENT_MIN:
        bursts = emodel.burst_ratio(closed.lost, sound.loss_runs, loss) >= _BURST
        found.append(("theirs", f"their network loses {_percent(loss)}" + (" in bursts" if bursts else "")))
    if 100.0 * sound.delayed / closed.packets_in >= LATE_PERCENT_MIN:
        found.append(("theirs", f"late by {sound.delayed_max_us // 1_000} ms"))
    if sound.weighed >= WEIGHED_MIN and 100.0 * sound.clipped / sound.weighed >= CLIPPED_PERCENT_MIN:
        found.append(("theirs", f"clipped by {who}: turn its gain down"))
    if sound.weighed >= WEIGHED_MIN and sound.loudest < SILENT_MAX:
        found.append(("", f"{who} sends silence: muted, or its line is dead"))  # who only listens is no fault
    return found


def _nothing(closed: LegClosed, known: Parting) -> str:
    host = known.far.rpartition(":")[0].strip("[]")
    text = f"no packets from {known.who}: its SDP names {host}"
    if closed.ignored:
        text += f"; {closed.ignored} came of another kind or from elsewhere, and were ignored"
    elif host != known.signals_from and _is_private(host):
        text += f", a private address, and it signals from {known.signals_from}: a NAT or firewall keeps its audio"
    return text


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return False


def _sent(closed: LegClosed) -> list[tuple[str, str]]:
    """(side, reason) of what went to them."""
    sound, found = closed.sound, []
    if closed.packets_out >= PACKETS_MIN:
        missed = loss_percent(sound.missed_frames, closed.packets_out)
        if missed >= LOSS_PERCENT_MIN:
            found.append(("ours", f"this machine was too late for {_percent(missed)} of what it sends"))
        if sound.about:
            lost = loss_percent(sound.far_lost, max(closed.packets_out - sound.far_lost, 0))
            if lost >= LOSS_PERCENT_MIN:
                found.append(("between", f"{_percent(lost)} of ours are lost on the way to them"))
            if 100 * sound.far_discarded / 256 >= LOSS_PERCENT_MIN:
                dropped = _percent(100 * sound.far_discarded / 256)
                found.append(("theirs", f"their jitter buffer drops {dropped} of ours as too late"))
    if sound.round_trip_us >= FAR_AWAY_US:
        found.append(("between", f"{sound.round_trip_us // 1_000} ms there and back"))
    return found


def _percent(value: float) -> str:
    return f"{value:.1f} %" if value < 2.95 else f"{value:.0f} %"

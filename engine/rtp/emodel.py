"""The E-model: how good a conversation can be, from loss and delay (ITU-T G.107, its default values elsewhere).

The rating R is the signal-to-noise ratio less what simultaneous noise, delay and packet loss take away; an opinion
(MOS-CQE) is a fixed curve over it. Narrowband telephony; floats, so these are estimates for people and reports and
nothing decides by them. Section numbers are those of G.107.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log10, sqrt

# §7.7, table 3: what a site that measures nothing else assumes. dB, dBm0p, dB(A).
_SLR, _RLR, _STMR, _DS, _DR = 8.0, 2.0, 15.0, 3.0, 3.0
_TELR, _WEPL, _NC, _NFOR, _PS, _PR, _QDU = 65.0, 110.0, -70.0, -64.0, 35.0, 35.0, 1.0
_OLR = _SLR + _RLR

# ITU-T G.113 appendix I: how robust G.711 is to random loss, with the concealment that phones have by now (G.711
# appendix I), and without any.
ROBUSTNESS_CONCEALED = 25.1
ROBUSTNESS_BARE = 4.3
DELAY_FELT_MS = 100.0  # mT: below, nobody minds
GOOD, FAIR, POOR = 4.0, 3.6, 3.1  # G.107 annex B, rounded: satisfied; some, many, nearly all users dissatisfied
MOS_MAX = 4.5


def _noise() -> float:
    """No, §7.2: all noise sources at the 0 dBr point, dBm0p."""
    sender = _PS - _SLR - _DS - 100 + 0.004 * (_PS - _OLR - _DS - 14) ** 2
    heard = _PR + 10 * log10(1 + 10 ** ((10 - (_STMR + _DR)) / 10))
    receiver = _RLR - 121 + heard + 0.008 * (heard - 35) ** 2
    return 10 * log10(sum(10 ** (each / 10) for each in (_NC, sender, receiver, _NFOR + _RLR)))


def _simultaneous(ratio: float, noise: float, one_way_ms: float) -> tuple[float, float]:
    """(Is, Ist), §7.3: too loud, sidetone, quantizing."""
    loud = _OLR + 0.2 * (64 + noise - _RLR)
    too_loud = 20 * ((1 + (loud / 8) ** 8) ** (1 / 8) - loud / 8)
    masked = -10 * log10(10 ** (-_STMR / 10) + exp(-one_way_ms / 4) * 10 ** (-_TELR / 10))
    sidetone = (
        12 * (1 + ((masked - 13) / 6) ** 8) ** (1 / 8) - 28 * (1 + ((masked + 1) / 19.4) ** 35) ** (1 / 35)
        - 13 * (1 + ((masked - 3) / 33) ** 13) ** (1 / 13) + 29
    )  # fmt: skip
    steps = 37 - 15 * log10(_QDU)
    grain = 1.07 + 0.258 * steps + 0.0602 * steps**2
    quantizing = 15 * log10(1 + 10 ** ((ratio - 100) / 15 + 46 / 8.4 - grain / 9) + 10 ** (46 / 30 - grain / 40))
    return too_loud + sidetone + quantizing, sidetone


def _delayed(ratio: float, noise: float, one_way_ms: float, round_trip_ms: float) -> float:
    """Id, §7.4: the talker's echo, the listener's echo, and too long a delay even without any."""
    time = one_way_ms
    echo = _TELR - 40 * log10((1 + time / 10) / (1 + time / 150)) + 6 * exp(-0.3 * time**2)
    worst, rated = -1.5 * (noise - _RLR), 80 + 2.5 * (echo - 14)
    talker = ((worst - rated) / 2 + sqrt((worst - rated) ** 2 / 4 + 100) - 1) * (1 - exp(-time))
    loop = 10.5 * (_WEPL + 7) / sqrt(sqrt(round_trip_ms + 1))
    listener = (ratio - loop) / 2 + sqrt((ratio - loop) ** 2 / 4 + 169)
    late = 0.0
    if time > DELAY_FELT_MS:
        x = log10(time / DELAY_FELT_MS) / log10(2)
        late = 25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
    return talker + listener + late


def lost(loss_percent: float, burst_ratio: float = 1.0, robustness: float = ROBUSTNESS_CONCEALED) -> float:
    """Ie-eff, §7.5: what a share of lost packets costs. `burst_ratio` 1 is random loss, above 1 it comes in bursts."""
    loss_percent = min(max(loss_percent, 0.0), 100.0)
    if loss_percent == 0.0:
        return 0.0
    return 95 * loss_percent / (loss_percent / max(burst_ratio, 1.0) + robustness)


@lru_cache(maxsize=512)
def _undisturbed(one_way_ms: int) -> float:
    noise = _noise()
    ratio = 15 - 1.5 * (_SLR + noise)
    simultaneous, _ = _simultaneous(ratio, noise, float(one_way_ms))
    return ratio - simultaneous - _delayed(ratio, noise, float(one_way_ms), 2.0 * one_way_ms)


def rating(
    loss_percent: float = 0.0, one_way_ms: float = 0.0, *, burst_ratio: float = 1.0,
    robustness: float = ROBUSTNESS_CONCEALED,
) -> float:  # fmt: skip
    """R, at most 93.2 for G.711. `one_way_ms`: mouth to ear, to whole ms; nonsense is cut to 0–5,000."""
    whole_ms = round(min(max(one_way_ms, 0.0), 5_000.0))
    return _undisturbed(whole_ms) - lost(loss_percent, burst_ratio, robustness)


def opinion(value: float) -> float:
    """MOS-CQE of a rating, 1.0 to 4.5 (annex B; the curve's dip below 1 is cut off)."""
    if value <= 0:
        return 1.0
    if value >= 100:
        return MOS_MAX
    return max(1.0, 1 + 0.035 * value + value * (value - 60) * (100 - value) * 7e-6)


def burst_ratio(lost_packets: int, runs: int, loss_percent: float) -> float:
    """BurstR, §7.5: the mean length of a run of lost packets over that of random loss; 1 where nothing is lost."""
    if lost_packets <= 0 or runs <= 0 or loss_percent >= 100:
        return 1.0
    return max(1.0, lost_packets / runs * (1 - loss_percent / 100))

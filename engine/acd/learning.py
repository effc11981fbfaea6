"""What a queue learns from its own calls, for the estimate of wait: handling times, patience, ringing, arrivals.

Everything is integers and part of the pool's state: the same events give the same bytes, and a restored pool goes on
as if nothing had happened. A duration costs one append (`note`); when enough of them have gathered, all are folded
into histograms at once, and only then do estimates change. Histograms fade by halving, so that roughly the last
`MEMORY` calls count; rates of arrival fade by the clock.

Patience is censored: who was served says only that he would have waited at least as long. `over` therefore counts
every wait that came to an end, `gave_up` those that the caller ended himself.
"""

from __future__ import annotations

import msgspec

UNIT = 16  # one observation, in fixed point: four halvings until it is forgotten
MEMORY = 2_048 * UNIT
TALK, WRAP, OVER, GAVE_UP = range(4)
OCTAVE = 8  # bins per doubling: a bin is 9 to 12 % wide
FIRST_BIT = 8  # below 256 ms everything is one bin
LAST_BIT = 24  # durations above 4.6 h are all alike
BINS = 1 + OCTAVE * (LAST_BIT - FIRST_BIT)
BEFORE_FOLDING = (8, 128)  # observations that are kept aside: fewest and most, else a sixteenth of what is known
SHORT_WAIT_MS = 250  # who was served sooner says nothing about patience
RINGS = 64
SLOT_MS = 150_000  # arrivals keep 3/4 of their weight from one slot to the next: about ten minutes count
CLASSES_MAX = 8  # priorities that are told apart; more share the last one


def bin_of(ms: int) -> int:
    """The bin of a duration: bins are 1/8 of an octave, those below 256 ms share bin 0."""
    octave = ms.bit_length() - 1
    if octave < FIRST_BIT:
        return 0
    if octave >= LAST_BIT:
        return BINS - 1
    return 1 + OCTAVE * (octave - FIRST_BIT) + (ms >> (octave - 3)) - OCTAVE


def edges() -> list[int]:
    """Lower edges of all bins in ms, and the upper edge of the last: BINS + 1 numbers."""
    found = [0]
    for octave in range(FIRST_BIT, LAST_BIT):
        found += [(OCTAVE + part) << (octave - 3) for part in range(OCTAVE)]
    return [*found, 1 << LAST_BIT]


class Learnt(msgspec.Struct, array_like=True):
    """One queue's knowledge. Histograms are empty until the first folding, then have BINS places of UNIT each call.

    `news` holds ms << 2 | kind. `coming`: priority_ms -> arrivals in fixed point, as of slot `slot`; `watched_ms` is
    the time that they stand for, faded alike.
    """

    histograms: list[list[int]] = msgspec.field(default_factory=lambda: [[], [], [], []])  # by kind
    news: list[int] = []
    patience: int = BEFORE_FOLDING[0]  # observations to gather before the next folding
    folded: int = 0  # how often
    rings: int = 0
    rings_ms: int = 0
    coming: dict[int, int] = {}
    slot: int = -1
    watched_ms: int = 0
    began_ms: int = 0  # of the first arrival

    def note(self, kind: int, ms: int) -> bool:
        """One more duration; True when it made all that had gathered count."""
        news = self.news
        news.append(max(0, ms) << 2 | kind)
        if len(news) < self.patience:
            return False
        self._fold()
        return True

    def _fold(self) -> None:
        kinds = self.histograms
        for word in self.news:
            counts = kinds[word & 3] or [0] * BINS
            kinds[word & 3] = counts
            counts[bin_of(word >> 2)] += UNIT
        self.news = []
        self.folded += 1
        for pair in ((TALK,), (WRAP,), (OVER, GAVE_UP)):  # those that are compared with one another fade together
            if sum(kinds[pair[0]]) > MEMORY:
                for kind in pair:
                    kinds[kind] = [count >> 1 for count in kinds[kind]]
        known = sum(kinds[TALK]) // UNIT
        self.patience = min(max(BEFORE_FOLDING[0], known // 16), BEFORE_FOLDING[1])

    def rang(self, ms: int) -> None:
        """A phone was answered after ringing for so long."""
        if self.rings >= RINGS:
            self.rings >>= 1
            self.rings_ms >>= 1
        self.rings += 1
        self.rings_ms += ms

    def ring_ms(self) -> int:
        """How long a phone rings before it is answered, on average."""
        return self.rings_ms // self.rings if self.rings else 0

    # --- arrivals -----------------------------------------------------------------------------------
    def arrived(self, priority_ms: int, now_ms: int) -> None:
        """A caller was let in."""
        slot = now_ms // SLOT_MS
        if slot != self.slot:
            self._turn(slot, now_ms)
        coming = self.coming
        if priority_ms not in coming and len(coming) >= CLASSES_MAX:
            priority_ms = max(coming)  # too many to tell apart: the most urgent one, so that no wait is understated
        coming[priority_ms] = coming.get(priority_ms, 0) + UNIT * UNIT

    def _turn(self, slot: int, now_ms: int) -> None:
        if self.slot < 0:
            self.slot, self.began_ms = slot, now_ms
            return
        lasted = SLOT_MS - (self.began_ms % SLOT_MS if self.began_ms // SLOT_MS == self.slot else 0)
        for _ in range(min(slot - self.slot, 64)):
            self.watched_ms = (self.watched_ms + lasted) * 3 // 4
            self.coming = {each: count * 3 // 4 for each, count in self.coming.items() if count > 3}
            lasted = SLOT_MS
        self.slot = slot

    def rates(self, now_ms: int) -> dict[int, float]:
        """priority_ms -> callers per ms, as of now; empty before there is anything to tell."""
        if self.slot < 0:
            return {}
        within = now_ms - max(self.slot * SLOT_MS, self.began_ms)
        watched = self.watched_ms + within
        return {each: count / (UNIT * UNIT) / max(watched, 1_000) for each, count in sorted(self.coming.items())}

    def calls(self) -> int:
        """Conversations that count now."""
        return sum(self.histograms[TALK]) // UNIT

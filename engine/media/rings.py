"""Single-producer single-consumer rings of int64 records between Python and the media thread (DESIGN §2).

A ring is an array of records and an array of shared words: HEAD counts records written, TAIL records read; both
only grow. Shared words are touched by `load_acquire` and `store_release` alone, from either side; a house test
finds any other access. Python pushes and pops through these kernels too.
"""

from __future__ import annotations

from typing import Any

from engine.jit import kernel, load_acquire, store_release
from engine.media import columns as c
from engine.media.columns import Plane

# --- kinds of events ------------------------------------------------------------------------------------
(
    NO_EVENT,
    PLAY_ENDED,
    DIGIT_HEARD,
    DIGIT_STARTED,
    LATCHED,
    MEDIA_MISSING,
    MEDIA_BACK,
    LEG_CLOSED,
    TAP_READY,  # a recording's ring is half full
    TAP_DONE,  # a recording has stopped: all its frames are in its ring
    LEG_BROKEN,
    NUDGE,  # the command ring has room again
    EAR_DONE,  # an ear has stopped: all its frames are in its ring
    MOUTH_DONE,  # a mouth is shut: nothing reads its ring any more
    FAX_HEARD,
) = range(15)


@kernel
def push(ring: Any, shared: Any, record: Any, room: int) -> bool:
    """Append `record`, as many words as it has; False when fewer than `room` places would be left."""
    size = ring.shape[0]
    head = load_acquire(shared, c.HEAD)
    if size - (head - load_acquire(shared, c.TAIL)) <= room:
        return False
    place = ring[head % size]
    for word in range(record.shape[0]):
        place[word] = record[word]
    store_release(shared, c.HEAD, head + 1)
    return True


@kernel
def pop(ring: Any, shared: Any, record: Any) -> bool:
    """Move the oldest record into `record` and wipe its place, which may have held a key; False when there is none."""
    tail = load_acquire(shared, c.TAIL)
    if tail >= load_acquire(shared, c.HEAD):
        return False
    place = ring[tail % ring.shape[0]]
    for word in range(record.shape[0]):
        record[word] = place[word]
        place[word] = 0
    store_release(shared, c.TAIL, tail + 1)
    return True


@kernel
def waiting(shared: Any) -> int:
    """Records in the ring."""
    return load_acquire(shared, c.HEAD) - load_acquire(shared, c.TAIL)


@kernel
def pop_many(ring: Any, shared: Any, records: Any) -> int:
    """Move up to records.shape[0] oldest records into the rows of `records`; returns how many."""
    tail = load_acquire(shared, c.TAIL)
    count: int = min(load_acquire(shared, c.HEAD) - tail, records.shape[0])
    for index in range(count):
        place = ring[(tail + index) % ring.shape[0]]
        for word in range(records.shape[1]):
            records[index, word] = place[word]
    store_release(shared, c.TAIL, tail + count)
    return count


@kernel
def emit(p: Plane, kind: int, row: int, first: int, second: int, third: int, vital: bool) -> bool:
    """Tell Python something of a leg: three figures. False when the ring is full: the caller keeps it and tries again.

    What isn't `vital` may fill only half of the ring, so digits and ends of legs always find the other half.
    """
    head = load_acquire(p.happening_shared, c.HEAD)
    used = head - load_acquire(p.happening_shared, c.TAIL)
    if used >= (c.EVENT_SIZE if vital else c.EVENT_SIZE // 2):
        p.counters[c.EVENTS_REFUSED] += 1
        return False
    place = p.happenings[head % c.EVENT_SIZE]
    place[0] = kind
    place[1] = row
    place[2] = p.legs[row, c.GENERATION]
    place[3] = first
    place[4] = second
    place[5] = third
    store_release(p.happening_shared, c.HEAD, head + 1)
    p.counters[c.EVENTS_PUSHED] += 1
    return True


@kernel
def emit_record(p: Plane, record: Any) -> bool:
    """Tell Python a whole record (vital); False when the ring is full."""
    if not push(p.happenings, p.happening_shared, record, 0):
        p.counters[c.EVENTS_REFUSED] += 1
        return False
    p.counters[c.EVENTS_PUSHED] += 1
    return True


@kernel
def publish_metrics(p: Plane) -> None:
    """Release the loop's counters to Python."""
    for word in range(c.COUNTERS):
        store_release(p.metrics_shared, word, p.counters[word])


@kernel
def read_metrics(metrics_shared: Any, target: Any) -> None:
    """Python's side of `publish_metrics`."""
    for word in range(c.COUNTERS):
        target[word] = load_acquire(metrics_shared, word)

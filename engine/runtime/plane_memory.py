"""Memory for the media plane whose legs outlive the process: their numbers are read by the engine that follows.

The first arrays of `media.columns.LAYOUT` (legs, their reception figures, SRTP's packet indices but no key) lie in a
file of /dev/shm, everything else in the process's own zero pages. After a crash the next engine learns from it each
leg's next sequence number and timestamp, and the place in a prompt, so that a far end hears one stream going on. Its
pages are reserved when the file is made (a full /dev/shm is an error at start, no SIGBUS later); without /dev/shm,
numbers are estimated instead.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
from hashlib import blake2b
from pathlib import Path

import numpy as np

from engine.media import columns as c
from engine.media import reports
from engine.media.commands import LegClosed, Sound
from engine.media.image import Image, Indices, Timeline
from engine.media.wire import closed
from engine.rtp import quality, rtcp, srtp

_FOLDER = Path("/dev/shm")
_SHARED_ARRAYS = 4  # legs, quality, streams, reports
_MAP_FIXED, _MAP_NORESERVE = 0x10, 0x4000
_FAILED = ctypes.c_void_p(-1).value


def _layout_name() -> bytes:
    """Other columns, another name: numbers must never be read from the wrong place."""
    words = ",".join(f"{name}{shape}" for name, _, shape in c._ARRAYS[:_SHARED_ARRAYS])
    return blake2b(f"{words} {c.LIVE_US} {quality.LOUDEST} {rtcp.FAR_OPINION}".encode(), digest_size=16).digest()


def _shared_bytes() -> int:
    offset = int(c.LAYOUT.fields[c._ARRAYS[_SHARED_ARRAYS][0]][1])  # type: ignore[index]
    return (offset + mmap.PAGESIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE


def file_of(data: Path, folder: Path = _FOLDER) -> Path:
    """The file that belongs to a data folder."""
    name = blake2b(str(data.resolve()).encode(), digest_size=8).hexdigest()
    return folder / f"ringdown-{os.getuid()}-{name}"


class PlaneMemory:
    """`array` is the plane's memory, zeroed. `detail` says why it isn't shared, '' when it is. One per process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.detail = ""
        total = (c.LAYOUT.itemsize + mmap.PAGESIZE - 1) // mmap.PAGESIZE * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [
            ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
        ]
        access = mmap.PROT_READ | mmap.PROT_WRITE
        address = libc.mmap(None, total, access, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE, -1, 0)
        if address == _FAILED:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), "media plane")
        try:
            self._share(libc, address, access)
        except OSError as error:
            self.detail = f"{path}: {error.strerror or error}: after a crash RTP numbers are estimated"
        whole = (ctypes.c_uint8 * total).from_address(address)
        self.array = np.ctypeslib.as_array(whole)[: c.LAYOUT.itemsize]

    def _share(self, libc: ctypes.CDLL, address: int, access: int) -> None:
        size = _shared_bytes()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            if os.fstat(descriptor).st_uid != os.getuid():
                raise OSError(1, "belongs to somebody else")
            os.ftruncate(descriptor, 0)
            os.posix_fallocate(descriptor, 0, size + mmap.PAGESIZE)
            os.pwrite(descriptor, _layout_name(), size)
            if libc.mmap(address, size, access, mmap.MAP_SHARED | _MAP_FIXED, descriptor, 0) == _FAILED:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)

    def forget(self) -> None:
        """A clean end: nothing is to be continued."""
        self.path.unlink(missing_ok=True)


class LegMemory:
    """What a dead engine's plane knew, for the legs of an image; empty when there is no file or of another layout."""

    def __init__(self, path: Path, image: Image, now_us: int) -> None:
        self.timelines: dict[tuple[int, int], Timeline] = {}
        self.closed: dict[tuple[int, int], LegClosed] = {}  # figures up to the crash
        self.indices: dict[tuple[int, int], Indices] = {}  # of legs with SRTP
        size = _shared_bytes()
        try:
            content = path.read_bytes()
        except OSError:
            return
        name = _layout_name()
        if len(content) < size + len(name) or content[size:size + len(name)] != name:
            return
        legs = np.frombuffer(content, np.int64, c.LEGS * c.LEG_FIELDS).reshape(c.LEGS, c.LEG_FIELDS)
        offset = int(c.LAYOUT.fields["quality"][1])  # type: ignore[index]
        streams = np.frombuffer(content, np.int64, c.LEGS * quality.FIELDS, offset).reshape(c.LEGS, quality.FIELDS)
        offset = int(c.LAYOUT.fields["reports"][1])  # type: ignore[index]
        states = np.frombuffer(content, np.int64, c.LEGS * rtcp.FIELDS, offset).reshape(c.LEGS, rtcp.FIELDS)
        for number, row in image.rows.items():
            leg: list[int] = legs[number].tolist()
            key = (number, row.open.generation)
            if leg[c.STATE] != c.OPEN or leg[c.GENERATION] != row.open.generation:
                continue
            idle_ms = max(0, now_us - leg[c.DUE_US]) // 1_000
            playing = leg[c.SOURCE] == c.PLAYING
            self.timelines[key] = Timeline(
                leg[c.SEQUENCE], leg[c.TIMESTAMP], idle_ms, leg[c.CLIP_AT] if playing else -1, leg[c.CURSOR] // 8
            )
            if leg[c.CIPHER]:
                self.indices[key] = _indices(content, number)
            figures = np.array([0, *key, *[0] * (reports.FIGURES - 3)], np.int64)
            reports.figures(legs[number].copy(), streams[number].copy(), states[number].copy(), figures)
            self.closed[key] = closed(figures.tolist())


def _indices(content: bytes, row: int) -> Indices:
    offset = int(c.LAYOUT.fields["streams"][1])  # type: ignore[index]
    count = 2 * srtp.STREAM_ROW
    words: list[int] = np.frombuffer(content, np.int64, count, offset + 8 * count * row).tolist()
    found: list[tuple[tuple[int, int, int, int], ...]] = []
    for side in (c.INBOUND, c.OUTBOUND):
        first = side * srtp.STREAM_ROW
        starts = range(first, first + srtp.NEXT, srtp.STREAM_WORDS)
        streams = [words[at : at + srtp.STREAM_WORDS] for at in starts]
        found.append(tuple(
            (each[srtp.KNOWN], each[srtp.SSRC], each[srtp.INDEX], each[srtp.RTCP_INDEX])
            for each in streams if each[srtp.KNOWN] or each[srtp.RTCP_INDEX]
        ))
    return Indices(*found)


def together(before: LegClosed, after: LegClosed) -> LegClosed:
    """One leg's figures over both lives: counts add up, maxima stay; the gap of the crash itself is in neither."""
    return LegClosed(
        after.row, after.generation, before.packets_in + after.packets_in, before.packets_out + after.packets_out,
        before.lost + after.lost, before.duplicated + after.duplicated, before.reordered + after.reordered,
        before.ignored + after.ignored, after.jitter_us or before.jitter_us,
        max(before.jitter_max_us, after.jitter_max_us), max(before.gap_max_us, after.gap_max_us),
        before.digits + after.digits, _sounds(before.sound, after.sound),
    )


def _sounds(before: Sound, after: Sound) -> Sound:
    """The far end counts on through our outage: its own figures are those it told last."""
    far = after if after.about else before
    return Sound(
        before.delayed + after.delayed, max(before.delayed_max_us, after.delayed_max_us),
        before.loss_runs + after.loss_runs, before.weighed + after.weighed, before.clipped + after.clipped,
        max(before.loudest, after.loudest), before.missed_frames + after.missed_frames,
        before.reports + after.reports, before.about + after.about, far.far_lost,
        max(before.far_fraction_max, after.far_fraction_max), far.far_jitter_us,
        max(before.far_jitter_max_us, after.far_jitter_max_us), far.round_trip_us,
        max(before.round_trip_max_us, after.round_trip_max_us), far.far_discarded, far.far_delay_ms, far.far_opinion,
    )

"""The media plane's kernels with the types that they meet, so that they can be compiled before a packet comes.

A cold start compiles for minutes: `engine.runtime.warming` lets a second process take its part.
"""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np

from engine import jit
from engine.media import columns as c
from engine.media import control, ears, mouths, receive, reports, rings, tick
from engine.runtime import rtp_loop

Warming = tuple[str, Callable[..., object], tuple[object, ...]]


def parts(plane: c.Plane) -> list[Warming]:
    """What the media loop is made of and Python never calls, most of the work of a cold start: one by one, so that a
    second process can take its share."""
    datagram, address, record = np.zeros(8, np.uint8), np.zeros(c.ADDRESS_BYTES, np.uint8), np.zeros(1, np.int64)
    return [
        ("receive", receive.receive, (plane, 0, datagram, 0, address, 0, 0)),
        ("reports", receive.receive_report, (plane, 0, datagram, 0, address, 0, 0)),
        ("commands", control.apply, (plane, record, 0)),
        ("mix", tick.tick_mixes, (plane, 0)),
        ("tick", tick.tick_leg, (plane, 0, 0, 0, 0)),
        ("recording", tick.tick_tap, (plane, 0, 0)),
        ("listening", ears.pass_time, (plane, 0, 0)),
        ("speaking", mouths.finish, (plane, 0)),
    ]


def kernels(plane: c.Plane) -> list[Warming]:
    """Every kernel of the plane that Python calls, with a name and arguments of the types it meets; the loop last."""
    record, tap = np.zeros(1, np.int64), plane.tap_frames[0]
    return [
        ("rings", rings.push, (plane.commands, plane.command_shared, record, 0)),
        ("rings", rings.pop_many, (plane.happenings, plane.happening_shared, plane.happenings)),
        ("recording rings", rings.pop_many, (tap, plane.command_shared, tap)),
        ("metrics", rings.read_metrics, (plane.metrics_shared, record)),
        ("metrics", rings.waiting, (plane.command_shared,)),
        ("figures", reports.figures, (record, record, record, record)),
        ("live figures", reports.read_live, (plane.command_shared, record)),
        ("ears", ears.drain, (plane.ear_frames, plane.ear_shared, record, 0, plane.ear_frames[0])),
        ("mouths", mouths.push, (plane.mouth_samples[0], plane.command_shared, plane.mouth_samples[0], 0)),
        ("mouths", mouths.said, (plane.command_shared,)),
        ("mouths", mouths.pushed, (plane.command_shared,)),
        ("media loop", rtp_loop.serve, (plane, 0, 0)),
    ]


def warm_parts(
    plane: c.Plane, progress: Callable[[int, int, str], None] | None = None, *, only: Container[str] = ()
) -> None:
    """Compile the parts (those of these names), or load them. `progress(done, total, name)` before each."""
    steps = [step for step in parts(plane) if not only or step[0] in only]
    for done, (name, function, arguments) in enumerate(steps):
        if progress:
            progress(done, len(steps), name)
        jit.compile_part_for(function, *arguments)


def warm_kernels(plane: c.Plane, progress: Callable[[int, int, str], None] | None = None) -> None:
    """Compile all kernels, or load them from the cache. `progress(done, total, name)` before each."""
    steps = kernels(plane)
    for done, (name, function, arguments) in enumerate(steps):
        if progress:
            progress(done, len(steps), name)
        jit.compile_for(function, *arguments)


def _warm() -> None:
    warm_kernels(c.allocate())


jit.on_warm("media plane", _warm)

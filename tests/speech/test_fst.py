"""The bytes of a transducer, against the layout written out by hand."""

from __future__ import annotations

import math
import struct

from engine.speech.fst import Transducer


def test_bytes_of_two_states() -> None:
    made = Transducer()
    first, second = made.state(), made.state()
    made.arc(first, 7, 2, 0.5, second)
    made.arc(first, 3, 0, 0.0, first)
    made.final[second] = 1.25
    head = struct.pack("<i", 2125659606) + struct.pack("<i6s", 6, b"vector") + struct.pack("<i8s", 8, b"standard")
    head += struct.pack("<iiQqqq", 2, 0, 0x10000003, 0, 2, 2)
    body = struct.pack("<fq", math.inf, 2) + struct.pack("<iifi", 3, 0, 0.0, 0) + struct.pack("<iifi", 7, 2, 0.5, 1)
    body += struct.pack("<fq", 1.25, 0)
    assert made.encode() == head + body
    assert made.arc_count() == 2

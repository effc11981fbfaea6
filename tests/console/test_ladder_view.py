"""The ladder in columns, at the widths that terminals have."""

from __future__ import annotations

from typing import Any

import pytest

from engine.console.format import width
from engine.console.ladder_view import Columns, label, message, names_of, parties

A, B = "10.0.1.10:5060", "10.0.1.11:5060"


def hop(
    way: str, far: str, first: str, *, cseq: str = "1 INVITE", sdp: bool = False, call_id: str = "a"
) -> dict[str, Any]:
    text = f"{first}\r\nCSeq: {cseq}\r\n\r\n" + ("v=0\r\nm=audio 1 RTP/AVP 0\r\n" if sdp else "")
    ends = {"way": way, "far_end": far, "here": "10.0.0.1:5060", "transport": "udp"}
    return {"at_ms": 1_700_000_000_000, "text": text, "call_id": call_id, **ends}


HOPS = [
    hop("in", A, "INVITE sip:100@x SIP/2.0", sdp=True), hop("out", A, "SIP/2.0 200 OK", sdp=True),
    hop("out", B, "INVITE sip:201@x SIP/2.0", sdp=True, call_id="b"), hop("in", B, "SIP/2.0 180 Ringing", call_id="b"),
    hop("in", A, "SIP/2.0 200 OK", cseq="2 BYE"),
]  # fmt: skip


def test_labels_say_what_a_reader_looks_for() -> None:
    assert [label(each) for each in HOPS] == ["INVITE SDP", "200 OK SDP", "INVITE SDP", "180 Ringing", "200 OK BYE"]


@pytest.mark.parametrize("cells", [60, 80, 132])
def test_arrows_point_the_way_the_message_went(cells: int) -> None:
    columns = Columns(parties(HOPS), cells)
    lines = [columns.line(each) for each in HOPS]
    assert all(width(line) <= cells for line in lines)
    assert "▶│" in lines[0] and "│◀" in lines[1]
    left, us, right = (columns.at[party] for party in columns.order)
    assert lines[0][left] == lines[0][us] == "│" and lines[0][left + 1 : us].strip("─▶ ") == "INVITE SDP"
    assert lines[2][us + 1 : right].endswith("▶") and lines[3][us + 1] == "◀"


def test_heads_name_the_parties() -> None:
    names = names_of(HOPS, {"a": "caller 5551", "b": "agent 201"})
    assert names == {A: "caller 5551", B: "agent 201"}
    who, where = Columns(parties(HOPS), 80).heads(names)
    assert who.split() == ["caller", "5551", "ringdown", "agent", "201"] and where.split() == [A, B]


def test_more_parties_than_fit_are_reached_sideways() -> None:
    far = [f"10.0.2.{number}:5060" for number in range(9)]
    columns = Columns(far, 80)
    assert columns.hidden == 6 and columns.order[1] == "ringdown"
    line = columns.line(hop("in", far[8], "INVITE sip:x SIP/2.0"))
    assert far[8] in line and "INVITE" in line and width(line) <= 80
    last = Columns(far, 80, 99)
    assert last.seen == far[6:] and last.first == 6
    assert Columns([], 80).order == ["ringdown"] and Columns(far, 20).line(HOPS[0])


def test_a_message_is_shown_whole() -> None:
    text = message(HOPS[0])
    assert text.splitlines()[0].endswith(f"{A} → ringdown (10.0.0.1:5060)  udp") and "CSeq: 1 INVITE" in text

"""Rows and ports: generations grow, ports come in turn, nothing is handed out twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.call.rows import Rows
from engine.errors import LimitExceeded

HOST = "127.0.0.1"


def prepared(*ports: int, rows_max: int = 4) -> Rows:
    rows = Rows(rows_max=rows_max)
    rows.prepared(HOST, ports)
    return rows


def test_a_row_is_used_again_with_the_next_generation_and_the_next_port() -> None:
    rows = prepared(20_000, 20_002)
    row, generation, port = rows.take(HOST)
    rows.give_back(row)
    assert rows.take(HOST) == (row, generation + 1, 20_002) and port == 20_000


def test_every_address_has_its_own_ports() -> None:
    rows = prepared(20_000)
    rows.prepared("192.0.2.1", (20_000,))
    assert rows.take("192.0.2.1")[2] == rows.take(HOST)[2] == 20_000
    with pytest.raises(LimitExceeded, match="rtp_port_last"):
        rows.take("10.0.0.1")


def test_rows_run_out_with_their_limits_name_and_no_port_is_lost() -> None:
    rows = prepared(20_000, 20_002, rows_max=1)
    row = rows.take(HOST)[0]
    with pytest.raises(LimitExceeded, match="legs_max"):
        rows.take(HOST)
    rows.give_back(row)
    assert rows.take(HOST)[2] == 20_002


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=80))
def test_no_row_and_no_port_is_in_two_hands(steps: list[tuple[bool, int]]) -> None:
    rows, held, next_port = Rows(rows_max=6), {}, 20_000
    for take, count in steps:
        rows.prepared(HOST, tuple(range(next_port, next_port + 2 * count, 2)))
        next_port += 2 * count
        if take and len(held) < 6:
            row, generation, port = rows.take(HOST)
            assert row not in held and port not in [other for _, other in held.values()]
            held[row] = (generation, port)
        elif held:
            row = next(iter(held))
            del held[row]
            rows.give_back(row)
        assert rows.used == len(held)

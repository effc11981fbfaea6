"""Erlang B, C, A and bounded queues against published figures, the state equations, and themselves."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import special

from engine.acd import forecast
from engine.acd.forecast import Figures, Load, Target, agents_needed, erlang_b, erlang_c, figures, met, rostered
from engine.errors import LimitExceeded, LocalError

PER_HOUR = 1 / 3600


# --- published figures ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("agents", "erlangs", "blocked"),
    [
        (10, 10, 0.214582),
        (20, 30, 0.008457),
        (84, 90, 0.044620),
        (100, 117, 0.009790),
    ],
)
def test_erlang_b(agents: int, erlangs: int, blocked: float) -> None:
    load, servers = min(agents, erlangs), max(agents, erlangs)  # the source writes (load, agents)
    assert erlang_b(servers, load) == pytest.approx(blocked, abs=5e-7)
    assert figures(Load(load / 60, 60, places=0), servers).p_blocked == pytest.approx(blocked, abs=5e-7)


def test_a_hundred_calls_in_half_an_hour() -> None:
    load = Load(100 / 1800, 180)
    found = figures(load, 14, 20)
    assert load.erlangs == pytest.approx(10)
    assert found.occupancy == pytest.approx(0.714286, abs=5e-7)
    assert found.p_wait == pytest.approx(0.174132, abs=5e-7)
    assert found.service_level == pytest.approx(0.888350, abs=5e-7)
    assert found.mean_wait_answered_s == pytest.approx(7.8359, abs=5e-5)
    assert agents_needed(load, Target(service_level=0.8, within_s=20)) == 14
    assert rostered(14, 0.3) == 20


def test_fifty_agents_with_and_without_patience() -> None:
    endless = figures(Load(48 / 60, 60), 50, 20)
    assert endless.p_wait == pytest.approx(0.69446, abs=5e-6)
    assert endless.mean_wait_s == pytest.approx(20.834, abs=5e-4)
    assert endless.mean_queue_length == pytest.approx(16.667, abs=5e-4)
    assert endless.service_level == pytest.approx(0.64345, abs=5e-6)
    assert forecast.wait_quantile_c(50, Load(48 / 60, 60), 0.9) == pytest.approx(58.14, abs=5e-3)
    human = figures(Load(48 / 60, 60, 120), 50, 20)
    assert human.p_wait == pytest.approx(0.46777, abs=5e-6)
    assert human.p_abandon == pytest.approx(0.03091, abs=5e-6)
    assert human.mean_wait_s == pytest.approx(3.709, abs=5e-4)
    assert human.mean_queue_length == pytest.approx(2.968, abs=5e-4)
    assert human.occupancy == pytest.approx(0.93032, abs=5e-6)
    assert human.service_level == pytest.approx(0.94302, abs=5e-6)


@pytest.mark.parametrize(
    ("rate", "handle_s", "agents", "p_wait", "asa_s", "level"),
    [
        (720, 240, 55, 0.23870, 8.184, 0.86680),
        (360, 240, 29, 0.24227, 11.629, 0.84028),
        (360, 240, 28, 0.33314, 19.988, 0.76130),
        (100, 300, 10, 0.48761, 87.770, 0.56367),
        (100, 300, 11, 0.29962, 33.707, 0.74918),
        (60, 300, 8, 0.16727, 16.727, 0.86305),
    ],
)
def test_the_table_of_erlang_c(
    rate: int, handle_s: int, agents: int, p_wait: float, asa_s: float, level: float
) -> None:
    found = figures(Load(rate * PER_HOUR, handle_s), agents, 20)
    assert found.p_wait == pytest.approx(p_wait, abs=5.1e-6)
    assert found.mean_wait_answered_s == pytest.approx(asa_s, abs=5.1e-4)
    assert found.service_level == pytest.approx(level, abs=5.1e-6)


ERLANG_A = {
    24: ((0.37197, 0.10778, 6.467, 0.79551), (0.44688, 0.09493, 11.391, 0.71946), (0.55333, 0.07666, 22.998, 0.59186)),
    26: ((0.26204, 0.06914, 4.149, 0.86929), (0.31371, 0.05847, 7.016, 0.82347), (0.38555, 0.04362, 13.087, 0.74685)),
    28: ((0.16949, 0.04090, 2.454, 0.92345), (0.20074, 0.03309, 3.971, 0.89930), (0.24200, 0.02278, 6.833, 0.86002)),
    30: ((0.09973, 0.02210, 1.326, 0.95926), (0.11632, 0.01709, 2.051, 0.94819), (0.13679, 0.01090, 3.271, 0.93080)),
}


@pytest.mark.parametrize(
    ("agents", "patience_s", "row"),
    [
        (agents, patience_s, row)
        for agents, rows in ERLANG_A.items()
        for patience_s, row in zip((60, 120, 300), rows, strict=True)
    ],
)
def test_the_table_of_erlang_a(agents: int, patience_s: int, row: tuple[float, ...]) -> None:
    found = figures(Load(0.1, 240, patience_s), agents, 20)
    assert found.p_wait == pytest.approx(row[0], abs=5.1e-6)
    assert found.p_abandon == pytest.approx(row[1], abs=5.1e-6)
    assert found.mean_wait_s == pytest.approx(row[2], abs=5.1e-4)
    assert found.service_level == pytest.approx(row[3], abs=5.1e-6)


# --- identities and oracles ------------------------------------------------------------------------------------
LOADS = st.builds(
    Load,
    rate_per_s=st.floats(0.001, 2.0),
    handle_s=st.floats(5.0, 600.0),
    patience_s=st.floats(5.0, 3600.0),
    places=st.none() | st.integers(0, 60),
)
AGENTS = st.integers(1, 400)


@settings(max_examples=150, deadline=None)
@given(LOADS, AGENTS)
def test_identities(load: Load, agents: int) -> None:
    """Each side is summed up another way: losses by races, waits by Little, occupancy by states."""
    found = figures(load, agents, 20)
    let_in = load.rate_per_s * (1 - found.p_blocked)
    assert found.p_abandon == pytest.approx(found.mean_wait_s / load.patience_s, rel=1e-8, abs=1e-12)
    served = let_in * (1 - found.p_abandon)
    assert found.occupancy == pytest.approx(served * load.handle_s / agents, rel=1e-8, abs=1e-12)
    assert found.mean_queue_length == pytest.approx(let_in * found.mean_wait_s, rel=1e-8, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 300.0), AGENTS, st.floats(1.0, 900.0))
def test_identities_of_erlang_c(erlangs: float, agents: int, handle_s: float) -> None:
    assume(erlangs < agents * 0.999)
    found = figures(Load(erlangs / handle_s, handle_s), agents, 20)
    assert found.occupancy == pytest.approx(erlangs / agents)
    assert found.mean_queue_length == pytest.approx(erlangs / handle_s * found.mean_wait_s)
    patient = figures(Load(erlangs / handle_s, handle_s, patience_s=1e9 * handle_s), agents, 20)
    assert patient.p_wait == pytest.approx(found.p_wait, rel=1e-3, abs=1e-9)


def by_states(load: Load, agents: int, within_s: float) -> Figures:
    """The stationary law state by state in logarithms, and each state's wait by scipy's beta and gamma laws."""
    serving, leaving = agents / load.handle_s, 1 / load.patience_s
    if load.places is None:  # everybody's patience keeps the queue below what would come in that time
        meanwhile = load.rate_per_s * load.patience_s
        most = agents + 300 + round(meanwhile + 12 * math.sqrt(meanwhile))
    else:
        most = agents + load.places
    logs = [0.0]
    for state in range(1, most + 1):
        ends = min(state, agents) / load.handle_s + max(0, state - agents) * leaving
        logs.append(logs[-1] + math.log(load.rate_per_s / ends))
    top = max(logs)
    weights = [math.exp(each - top) for each in logs]
    law = [each / sum(weights) for each in weights]
    blocked = law[-1] if load.places is not None else 0.0
    let_in = 1 - blocked
    queue = sum((state - agents) * p for state, p in enumerate(law) if state > agents)
    level, answered_wait, answered, lost, p_wait = 0.0, 0.0, 0.0, 0.0, 0.0
    for state, p in enumerate(law[: len(law) - 1]):
        if state < agents:
            level, answered = level + p, answered + p
            continue
        ahead, p_wait = state - agents, p_wait + p
        if leaving:
            c = serving / leaving
            mine = c / (c + ahead + 1)
            level += p * mine * special.betaincc(c + 1, ahead + 1, math.exp(-leaving * within_s))
            answered_wait += p * mine * (special.digamma(c + ahead + 2) - special.digamma(c + 1)) / leaving
            lost += p * (1 - mine)
        else:
            mine = 1.0
            level += p * special.gammainc(ahead + 1, serving * within_s)
            answered_wait += p * (ahead + 1) / serving
        answered += p * mine
    busy = sum(min(state, agents) * p for state, p in enumerate(law))
    return Figures(agents, load.erlangs, blocked, p_wait / let_in, lost / let_in, queue / load.rate_per_s / let_in,
                   answered_wait / answered, level / let_in, busy / agents, queue)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    LOADS
    | st.builds(Load, rate_per_s=st.floats(0.001, 2.0), handle_s=st.floats(5.0, 600.0), places=st.integers(0, 60)),
    st.integers(1, 120),
    st.floats(0.0, 900.0),
)
@example(Load(2.0, 600.0, 3600.0), 1, 900.0)
@example(Load(2.0, 10.0, places=15), 1, 399.0)  # e^798 callers' worth of load at one agent's small room
def test_every_figure_against_the_state_equations(load: Load, agents: int, within_s: float) -> None:
    found, wanted = figures(load, agents, within_s), by_states(load, agents, within_s)
    for name in Figures.__struct_fields__:
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-6, abs=1e-8), name


# --- thousands of agents, edges ------------------------------------------------------------------------------------
@pytest.mark.parametrize("agents", [5_000, 5_100, 6_000, 20_000])
def test_thousands_of_agents(agents: int) -> None:
    load = Load(5_000 / 240, 240, 120)
    found = figures(load, agents, 20)
    assert found.p_abandon == pytest.approx(found.mean_wait_s / 120, rel=1e-8, abs=1e-15)
    assert 0 <= found.p_wait <= 1 and 0 <= found.service_level <= 1
    assert found.occupancy == pytest.approx(5_000 * (1 - found.p_abandon) / agents, rel=1e-9)


def test_an_overload_a_thousandfold_stays_a_number() -> None:
    found = figures(Load(100.0, 100.0, 600.0), 10, 20)  # 10,000 erlangs for ten agents
    assert found.p_wait == pytest.approx(1.0) and found.occupancy == pytest.approx(1.0)
    assert found.p_abandon == pytest.approx(1 - 10 / 10_000, rel=1e-9)
    assert found.mean_wait_s == pytest.approx(600 * (1 - 10 / 10_000), rel=1e-9)
    assert found.mean_wait_answered_s > 4_000  # the few who were answered outlasted all others
    assert found.service_level == pytest.approx(0.0, abs=1e-12)
    late = figures(Load(100.0, 100.0, 600.0), 10, 7_200)
    assert late.service_level == pytest.approx(1 - late.p_abandon, rel=1e-6)  # narrow, far from both ends, and found


def test_more_load_than_agents_and_no_load() -> None:
    drowned = figures(Load(1.0, 60.0), 60)
    assert drowned.mean_wait_s == math.inf and drowned.service_level == 0.0 and drowned.p_wait == 1.0
    assert forecast.wait_quantile_c(60, Load(1.0, 60.0), 0.5) == math.inf
    idle = figures(Load(0.0, 60.0), 3)
    assert idle.service_level == 1.0 and idle.occupancy == 0.0 and agents_needed(Load(0.0, 60.0), Target(0.8)) == 0
    assert forecast.wait_quantile_c(40, Load(0.01, 60.0), 0.9) == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Load,
        rate_per_s=st.floats(0.001, 1.0),
        handle_s=st.floats(5.0, 300.0),
        patience_s=st.just(math.inf) | st.floats(10.0, 900.0),
        places=st.none() | st.integers(0, 40),
    ),
    st.builds(
        Target,
        service_level=st.none() | st.floats(0.3, 0.99),
        within_s=st.floats(0.0, 60.0),
        answer_s=st.none() | st.floats(1.0, 120.0),
        p_abandon=st.none() | st.floats(0.005, 0.3),
        p_blocked=st.none() | st.floats(0.005, 0.3),
        occupancy=st.none() | st.floats(0.3, 0.95),
    ),
)
def test_the_inverse_is_the_fewest(load: Load, target: Target) -> None:
    agents = agents_needed(load, target)
    assert met(figures(load, agents, target.within_s), target)
    for fewer in range(max(1, agents - 3), agents):
        assert not met(figures(load, fewer, target.within_s), target)


def test_an_occupancy_ceiling_asks_for_more() -> None:
    load = Load(100 / 1800, 180)
    assert agents_needed(load, Target(service_level=0.8, occupancy=0.65)) == 16  # 10 / 0.65 = 15.4
    assert agents_needed(load, Target(answer_s=5.0)) == 15
    assert agents_needed(load, Target(occupancy=0.5)) == 20  # 10.000000000000002 erlangs are 10
    human = Load(100 / 1800, 180, 120)
    assert by_states(human, 13, 20).p_abandon > 0.03 > by_states(human, 14, 20).p_abandon
    assert agents_needed(human, Target(p_abandon=0.03)) == 14


def test_shrinkage() -> None:
    assert [rostered(7, 0.3), rostered(7, 0.0), rostered(0, 0.5), rostered(1, 0.5)] == [10, 7, 0, 2]
    with pytest.raises(LocalError, match="shrinkage"):
        rostered(5, 1.0)


@pytest.mark.parametrize(
    ("load", "agents", "said"),
    [
        (Load(1, 0), 5, "AHT"),
        (Load(-1, 60), 5, "calls"),
        (Load(1, 60, 0), 5, "patience"),
        (Load(1, 60), 0, "agents"),
        (Load(math.nan, 60), 5, "calls"),
        (Load(1e9, 60), 5, "erlangs"),
        (Load(1, 60, places=-1), 5, "places"),
    ],
)
def test_numbers_out_of_range(load: Load, agents: int, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        figures(load, agents)


def test_a_target_out_of_reach() -> None:
    with pytest.raises(LimitExceeded, match="agents_max"):
        agents_needed(Load(0.01, 60, 60), Target(occupancy=1e-9))
    with pytest.raises(LocalError, match="time"):
        agents_needed(Load(0.01, 60), Target(0.8, within_s=-1))
    with pytest.raises(LocalError, match="share"):
        forecast.wait_quantile_c(5, Load(0.01, 60), 1.0)


def test_erlang_c_is_one_when_drowned() -> None:
    assert erlang_c(5, 5.0) == 1.0 and erlang_c(5, 9.0) == 1.0 and erlang_c(5, 4.999) < 1.0


def test_it_needs_no_compiler() -> None:
    script = "import sys; import engine.acd.forecast; sys.exit(bool({'numba', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

"""Whose digit is it, how often does it count, and who may read it."""

from __future__ import annotations

import pytest

from engine.call.effects import MediaHappened
from engine.call.leg import listened_for
from engine.media.commands import TONE_DIGITS, DigitHeard, DigitStarted, MediaCommand, SendDigits
from engine.switch import Switch
from tests.call.calls import plane, ring, row_of, talk, up, world
from tests.scenarios.sites import BUSY_AGENTS, busy_site


def test_a_digit_crosses_the_bridge_once_in_the_other_legs_own_way() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(caller, "12", gap_ms=100)
    assert w.row(desk).digits == ["1", "2"] and w.row(caller).digits == []


def test_towards_a_phone_without_telephone_event_digits_go_as_tones() -> None:
    w = world()
    caller = w.phone("5551234", password="")
    caller.events_payload = False
    caller, desk = talk(w, caller=caller)
    w.press(desk, "7", gap_ms=200)
    assert w.row(caller).digits == ["7"] and "digit 7" not in [text for _, text in caller.log]


@pytest.mark.parametrize("theirs", ["rfc4733", "info", "inband"])
@pytest.mark.parametrize("ours", ["rfc4733", "info", "inband"])
def test_a_key_crosses_from_any_way_into_any_other_once(theirs: str, ours: str) -> None:
    """The agent's phone is declared as `ours`; the caller's key comes in `theirs`."""
    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ana,", f"name: Ana, phone: {{dtmf: {ours}}},")))
    told: list[SendDigits] = []
    before = w.media.command

    def command(given: MediaCommand, now_ms: int) -> None:
        told.extend([given] if isinstance(given, SendDigits) else [])
        before(given, now_ms)

    w.media.command = command  # type: ignore[method-assign]
    caller, desk = talk(w)
    if theirs == "info":
        caller.digit(up(caller), "4", w.now_ms)
    else:
        number, generation = row_of(w, caller)
        plane(w, DigitHeard(number, generation, "4", 100, theirs))
    w.run(300)
    by_info = [text for _, text in desk.log if text == "digit 4"]
    if ours == "info":
        assert (by_info, told) == (["digit 4"], [])
    else:
        assert by_info == [] and [(each.digits, each.tones) for each in told] == [("4", ours == "inband")]
    assert [event.data["way"] for event in w.all("call.digit")] == [theirs]


@pytest.mark.parametrize("better", ["rfc4733", "info"])
def test_tones_give_way_to_another_way_and_the_press_counts_once(better: str) -> None:
    """The first press comes as tones, then as what the far end really means: from then on only that counts."""
    w = world()
    caller, desk = talk(w)
    number, generation = row_of(w, caller)

    def tell(digit: str, way: str) -> None:
        if way == "info":
            caller.digit(up(caller), digit, w.now_ms)
        else:
            plane(w, DigitHeard(number, generation, digit, 100, way))
        w.run(100)

    for digit in "553":
        tell(digit, "inband")
        tell(digit, better)
        w.run(200)
    assert w.row(desk).digits == ["5", "5", "3"]


def test_another_key_by_the_other_way_is_another_press() -> None:
    w = world()
    caller, desk = talk(w)
    number, generation = row_of(w, caller)
    plane(w, DigitHeard(number, generation, "5", 100, "inband"))
    plane(w, DigitHeard(number, generation, "6", 100, "rfc4733"))
    w.run(1_500)
    plane(w, DigitHeard(number, generation, "5", 100, "inband"))
    w.run(200)
    assert w.row(desk).digits == ["5", "6"]


@pytest.mark.parametrize(
    ("way", "events", "wanted"),
    [("auto", True, 0), ("auto", False, TONE_DIGITS), ("inband", True, TONE_DIGITS), ("inband", False, TONE_DIGITS),
     ("rfc4733", False, 0), ("info", False, 0)],
)  # fmt: skip
def test_the_plane_listens_for_tones_only_where_keys_may_come_so(way: str, events: bool, wanted: int) -> None:
    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ana,", f"name: Ana, phone: {{dtmf: {way}}},")))
    desk = w.phone("201")
    desk.events_payload = events
    desk.register(w.now_ms)
    w.run(500)
    ring(w, "100", phone=desk)
    assert w.run_until(lambda: bool(desk.up()), 5_000)
    (leg,) = w.switch.room.legs.values()
    assert listened_for(leg) == wanted


def test_info_digits_reach_the_other_side_as_rfc_4733() -> None:
    w = world()
    caller, desk = talk(w)
    caller.digit(up(caller), "9", w.now_ms)
    w.run(200)
    assert w.row(desk).digits == ["9"] and w.last("call.digit").data["way"] == "info"


def test_an_agent_whose_profile_says_info_gets_info() -> None:
    from tests.scenarios.sites import BUSY_AGENTS, busy_site

    w = world(busy_site(agents=BUSY_AGENTS.replace("name: Ana,", "name: Ana, phone: {dtmf: info},")))
    caller, desk = talk(w)
    w.press(caller, "4", gap_ms=200)
    assert w.row(desk).digits == [] and "digit 4" in [text for _, text in desk.log]


def test_a_phone_that_sends_a_press_in_two_ways_is_heard_once() -> None:
    w = world()
    caller, desk = talk(w)
    w.press(caller, "5", gap_ms=0)
    caller.digit(up(caller), "5", w.now_ms)
    w.run(200)
    assert w.row(desk).digits == ["5"] and len(w.all("call.digit")) == 1


def test_a_press_stops_the_prompt_at_its_start() -> None:
    w = world()
    caller = ring(w, "100")
    w.run(500)
    number, generation = row_of(w, caller)
    plane(w, DigitStarted(number, generation, "2"))
    assert w.hears(caller) == "silence"
    plane(w, DigitHeard(number, generation, "2", 100, "rfc4733"))
    assert w.hears(caller) == "en/you_pressed"


def test_a_prompt_that_is_to_be_heard_out_is_heard_out_and_the_keys_count_then() -> None:
    w = world()
    caller = ring(w, "733")
    w.run(500)
    w.press(caller, "1234", gap_ms=50)
    assert w.hears(caller) == "en/welcome"
    w.run(1_500)
    assert w.hears(caller) == "en/thank_you"
    assert w.last("call.gathered").data["value"] == "1234"


@pytest.mark.parametrize("ahead", [False, True])
def test_secret_digits_are_masked_in_every_event_and_sealed_for_the_journal(ahead: bool) -> None:
    w = world()
    seals: list[str | None] = []
    caller = ring(w, "730")
    w.run(500)
    number, generation = row_of(w, caller)

    def press(digits: str) -> None:
        for digit in digits:
            event = MediaHappened(DigitHeard(number, generation, digit, 100, "rfc4733"))
            seals.append(w.switch.seal_for(event))
            w.give(event)

    if ahead:
        press("12348765")  # both answers typed into the welcome
    else:
        w.run(2_000)
        press("1234")
        assert seals == [None] * 4
        press("8765")
    w.run(2_500)
    assert all(seal is not None and seal.startswith("call ") for seal in seals[4:])
    text = " ".join(str(event.data) for event in w.events) + " ".join(line.text for line in w.logs)
    assert "8765" not in text and "'8'" not in text
    gathered = [event.data["value"] for event in w.all("call.gathered")]
    assert gathered[0] == "1234" and "8765" not in gathered


def test_an_info_digit_of_a_secret_is_sealed_for_its_own_call_only() -> None:
    from engine.call.effects import Received

    w = world()
    asked, other = ring(w, "730"), ring(w, "9196", "5550002")
    w.run(500)
    w.press(asked, "1234", gap_ms=20)
    name = next(call.name for call in w.switch.room.calls.values() if call.dialled == "730")
    for phone in (asked, other):
        phone.digit(up(phone), "7", w.now_ms)
    w.inputs.clear()
    seals = []
    seal_for = Switch.seal_for
    before = w.give

    def watch(event: object) -> object:
        if isinstance(event, Received) and event.data.startswith(b"INFO"):
            seals.append(seal_for(w.switch, event))
        return before(event)  # type: ignore[arg-type]

    w.give = watch  # type: ignore[assignment,method-assign]
    w.run(200)
    assert sorted(map(str, seals)) == sorted(["None", f"call {name}"])


def test_digits_for_a_call_that_has_ended_find_nobody() -> None:
    w = world()
    caller = ring(w, "100")
    w.run(200)
    number, generation = row_of(w, caller)
    caller.hang_up(w.now_ms)
    w.run(200)
    before = len(w.events)
    plane(w, DigitHeard(number, generation, "1", 100, "rfc4733"))
    assert len(w.events) == before

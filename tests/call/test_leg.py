"""A leg: one media timeline, what its SDP says, digits in its own way, and a row given back once."""

from __future__ import annotations

import pytest

from engine.call import leg as legs
from engine.call.effects import Media
from engine.media import commands as media
from tests.call.calls import SITE, changed, ring, talk, world


def sent(w: object, kind: type) -> list[object]:
    out = w.switch.room.out  # type: ignore[attr-defined]
    return [o.command for o in out if isinstance(o, Media) and isinstance(o.command, kind)]


@pytest.mark.parametrize(
    ("media_from", "accept", "network"),
    [("any", "any", ""), ("signalled", "signalled", ""), ("192.0.2.0/28", "network", "192.0.2.0/28")],
)
def test_a_trunk_narrows_from_where_media_may_come(media_from: str, accept: str, network: str) -> None:
    w = world(changed(SITE, "carrier", media_from=media_from))
    seen: list[media.SetLeg] = []
    command = w.media.command
    w.media.command = lambda c, now_ms: (  # type: ignore[method-assign]
        seen.append(c) if isinstance(c, media.SetLeg) else None, command(c, now_ms),
    )  # fmt: skip
    ring(w, "9196", phone=w.phone("44", host="192.0.2.3", password=""))
    w.run(200)
    assert (seen[0].accept, seen[0].network, seen[0].host, seen[0].port) == (accept, network, "192.0.2.3", 40_000)


def test_one_ssrc_and_timeline_for_the_whole_life_of_a_leg() -> None:
    w = world()
    opened: list[media.OpenLeg] = []
    command = w.media.command
    w.media.command = lambda c, now_ms: (  # type: ignore[method-assign]
        opened.append(c) if isinstance(c, media.OpenLeg) else None, command(c, now_ms),
    )  # fmt: skip
    caller, desk = talk(w)
    desk.hold(desk.up()[0], w.now_ms)
    w.run(500)
    caller.hold(caller.up()[0], w.now_ms, direction="sendrecv")
    w.run(500)
    assert len(opened) == 2 and opened[0].ssrc != opened[1].ssrc and opened[0].port != opened[1].port


def test_an_offer_that_fits_nothing_gives_the_row_back() -> None:
    from engine.errors import ProtocolError

    w = world()
    ring(w, "31337")
    talk(w)
    room = w.switch.room
    (call,) = room.calls.values()
    leg = room.new_leg(call, legs.PHONE, -5, room.legs[call.leg].path, "x", outgoing=False)
    used = room.rows.used
    with pytest.raises(ProtocolError):
        legs.our_answer(room, leg, b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nt=0 0\r\n", w.now_ms)
    assert leg.row == -1 and not sent(w, media.SetLeg)
    assert room.rows.used in (used, used + 1)  # the plane gives it back when it has closed it


def test_digits_are_sent_to_answered_legs_only_and_no_longer_than_a_second() -> None:
    w = world()
    talk(w)
    room = w.switch.room
    leg = next(leg for leg in room.legs.values() if leg.agent)
    room.out = []
    legs.send_digit(room, leg, "5", 9_000, w.now_ms)
    leg.state = "ringing"
    legs.send_digit(room, leg, "6", 100, w.now_ms)
    (command,) = sent(w, media.SendDigits)
    assert (command.digits, command.on_ms) == ("5", 1_000)  # type: ignore[attr-defined]
    leg.state = "up"


def test_a_leg_without_media_plays_nothing() -> None:
    w = world()
    talk(w)
    room = w.switch.room
    leg = next(leg for leg in room.legs.values() if leg.agent)
    row, leg.row, room.out = leg.row, -1, []
    assert legs.play(room, leg, "x", (1,)) == 0
    legs.quiet(room, leg)
    legs.echo(room, leg)
    legs.close_media(room, leg, w.now_ms)
    assert not room.out
    leg.row = row


def test_the_answer_prefers_the_codec_of_the_leg_that_was_reached() -> None:
    from tests.call.calls import agent

    w = world()
    ana, ben = agent(w, "201"), agent(w, "202")
    ben.codecs = (8,)
    ring(w, "202", phone=ana)
    assert w.run_until(lambda: bool(ana.up()), 3_000)
    w.run(100)
    assert {leg.agreed.codec for leg in w.switch.room.legs.values() if leg.agreed} == {8}

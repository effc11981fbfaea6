"""What the plane was told, folded: a plane rebuilt from it stands as the old one did, as often as it has to."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media import commands as m
from engine.media.image import MARGIN, SAMPLES_PER_MS, Image, Timeline

LENGTHS = {1: 1_000, 2: 400, 3: 0, 4: 30_000}
ROWS = st.integers(0, 3)
GENERATIONS = st.integers(1, 2)
CLIPS = st.lists(st.sampled_from(sorted(LENGTHS)), min_size=1, max_size=3).map(tuple)


def length_ms(clip: int) -> int:
    return LENGTHS.get(clip, 0)


def opened(row: int = 0, generation: int = 1) -> m.OpenLeg:
    return m.OpenLeg(row, generation, "127.0.0.1", 20_000 + 2 * row, 77 + row, 65_500, 0xFFFF_FF00)


def agreed(row: int = 0, generation: int = 1, port: int = 4_000, *, send: bool = True) -> m.SetLeg:
    return m.SetLeg(row, generation, "192.0.2.9", port, 0, 0, ((0, 0), (8, 8)), 101, 101, 20, send, True)


COMMANDS = st.one_of(
    st.builds(opened, ROWS, GENERATIONS),
    st.builds(agreed, ROWS, GENERATIONS, st.sampled_from([4_000, 4_002]), send=st.booleans()),
    st.builds(m.Play, ROWS, GENERATIONS, st.integers(1, 4), CLIPS, st.booleans(), st.integers(0, 300), st.booleans()),
    st.builds(m.Stop, ROWS, GENERATIONS), st.builds(m.Echo, ROWS, GENERATIONS),
    st.builds(m.Bridge, ROWS, GENERATIONS, ROWS, GENERATIONS), st.builds(m.Hear, ROWS, GENERATIONS, ROWS, GENERATIONS),
    st.builds(m.Mix, st.integers(0, 1), st.lists(
        st.builds(m.MixParty, ROWS, GENERATIONS, st.lists(ROWS, max_size=3).map(tuple)), max_size=4).map(tuple)),
    st.builds(m.SendDigits, ROWS, GENERATIONS, st.just("5")),
    st.builds(m.StartTap, ROWS, GENERATIONS, st.integers(1, 2), st.just("r.wav")),
    st.builds(m.PauseTap, ROWS, GENERATIONS, st.integers(1, 2), st.booleans()),
    st.builds(m.StopTap, ROWS, GENERATIONS, st.integers(1, 2)), st.builds(m.CloseLeg, ROWS, GENERATIONS),
)
EVENTS = st.one_of(
    st.builds(m.PlayEnded, ROWS, GENERATIONS, st.integers(1, 4)),
    st.builds(m.DigitStarted, ROWS, GENERATIONS, st.just("1")),
    st.builds(m.DigitHeard, ROWS, GENERATIONS, st.just("1"), st.just(80), st.just("rfc4733")),
    st.builds(m.Latched, ROWS, GENERATIONS, st.just("198.51.100.4"), st.integers(9_000, 9_001)),
    st.builds(m.PortMoved, ROWS, GENERATIONS, st.just(30_000)),
    st.builds(m.LegFailed, ROWS, GENERATIONS, st.just("taken")),
    st.builds(m.LegClosed, ROWS, GENERATIONS, *[st.just(0)] * 10),
)
STEPS = st.lists(st.one_of(COMMANDS, EVENTS), max_size=40)


def fold(steps: list[m.MediaCommand | m.MediaEvent], image: Image | None = None, now_ms: int = 0) -> Image:
    image = image or Image()
    for number, step in enumerate(steps):
        if isinstance(step, m.MediaEvent):
            image.happened(step)
        else:
            image.apply(step, now_ms + number * 100)
    return image


def stands(image: Image) -> dict[int, tuple[object, ...]]:
    """What a far end can notice of every leg: where its audio goes and whence it comes (not where in a clip)."""
    found: dict[int, tuple[object, ...]] = {}
    for number, row in image.rows.items():
        target = None
        if row.agreed is not None:
            host, port = row.latched or (row.agreed.host, row.agreed.port)
            target = msgspec.structs.replace(row.agreed, host=host, port=port)
        play = None
        if row.play is not None:
            play = (row.play.ticket, sorted(row.play.clips) if row.play.loop else row.play.clips[-1], row.play.loop,
                    row.play.stop_on_digit)
        seat = [(mix.mix, party.ears) for mix in image.mixes.values() for party in mix.parties if party.row == number]
        assert len(seat) <= 1 and (seat or not row.mixing)
        found[number] = (
            row.open.generation, row.open.ssrc, row.open.port, target, play, row.hears, row.mixing, tuple(seat)
        )
    return found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(STEPS, st.integers(0, 5_000), st.booleans())
def test_a_rebuilt_plane_stands_as_the_old_one_did(
    steps: list[m.MediaCommand | m.MediaEvent], away_ms: int, known: bool
) -> None:
    image = fold(steps)
    before = stands(image)
    timelines = {
        (number, row.open.generation): Timeline(11, 12, 5, 0 if row.play is not None else -1, 100)
        for number, row in image.rows.items()
    } if known else None
    for round_ in (1, 2):  # a second crash before anything else happened
        broke_ms = 4_000 + 10_000 * round_
        commands = image.rebuild(broke_ms + away_ms, broke_ms, length_ms, timelines)
        fresh = Image()
        for command in commands:
            fresh.apply(command, broke_ms + away_ms)
        assert stands(fresh) == before == stands(image)
        kinds = [type(command) for command in commands]
        order = [0 if kind is m.OpenLeg else 1 if kind is m.SetLeg else 2 for kind in kinds]
        assert order == sorted(order)  # a source may name a row that is opened later otherwise


@settings(max_examples=100, deadline=None, derandomize=True)
@given(STEPS, STEPS)
def test_an_image_is_data(
    steps: list[m.MediaCommand | m.MediaEvent], more: list[m.MediaCommand | m.MediaEvent]
) -> None:
    image = fold(steps)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(image), type=Image)
    assert again == image and fold(more, again, 9_000) == fold(more, image, 9_000)


def test_late_words_about_another_life_of_a_row_change_nothing() -> None:
    image = fold([opened(0, 2), agreed(0, 2)])
    before = msgspec.msgpack.encode(image)
    fold([agreed(0, 1, 9), m.Play(0, 1, 1, (1,)), m.Echo(0, 1), m.CloseLeg(0, 1), m.Latched(0, 1, "x", 1),
          m.LegFailed(0, 1, ""), m.StartTap(0, 1, 1, "r"), m.Bridge(0, 2, 1, 1)], image)
    assert msgspec.msgpack.encode(image) == before


def test_numbers_of_the_dead_plane_go_on_exactly() -> None:
    image = fold([opened(), agreed()])
    (again, _) = image.rebuild(50_000, 49_000, length_ms, {(0, 1): Timeline(65_535, 0xFFFF_FFF0, 1_000)})
    assert isinstance(again, m.OpenLeg)
    assert (again.sequence, again.timestamp) == (65_535, (0xFFFF_FFF0 + 1_000 * SAMPLES_PER_MS) & 0xFFFF_FFFF)
    assert again.ssrc == opened().ssrc


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 10_000_000), st.sampled_from([10, 20, 30]), st.booleans())
def test_estimated_numbers_lie_beyond_everything_that_was_sent(elapsed_ms: int, frame_ms: int, has: bool) -> None:
    image = fold([opened()])
    if has:
        image.apply(msgspec.structs.replace(agreed(), frame_ms_out=frame_ms), 0)
    else:
        frame_ms = 20  # nothing is sent before an agreement; the plane's own pace
    again = image.rebuild(elapsed_ms, 0, length_ms)[0]
    assert isinstance(again, m.OpenLeg)
    sent = elapsed_ms // frame_ms + 1
    first = opened()
    assert again.sequence == (first.sequence + elapsed_ms // frame_ms + MARGIN) & 0xFFFF
    assert (again.timestamp - first.timestamp) & 0xFFFF_FFFF > (sent * frame_ms * SAMPLES_PER_MS) % 2**32 or (
        elapsed_ms * SAMPLES_PER_MS >= 2**32
    )


def test_a_second_estimate_lies_beyond_what_the_second_life_sent() -> None:
    image = fold([opened(), agreed()])
    first = image.rebuild(60_000, 60_000, length_ms)[0]
    second = image.rebuild(90_000, 90_000, length_ms)[0]
    assert isinstance(first, m.OpenLeg) and isinstance(second, m.OpenLeg)
    sent = 30_000 // 20 + 1
    assert (second.sequence - first.sequence) & 0xFFFF > sent
    assert (second.timestamp - first.timestamp) & 0xFFFF_FFFF > sent * 160


def place(play: m.Play, played_ms: int) -> tuple[tuple[int, ...], int]:
    image = fold([opened(), agreed()])
    image.apply(play, 1_000)
    found = image.rebuild(90_000, 1_000 + played_ms, length_ms)[-1]
    assert isinstance(found, m.Play)
    return found.clips, found.start_ms


def test_a_prompt_goes_on_where_it_broke_off() -> None:
    assert place(m.Play(0, 1, 1, (1, 2, 1)), 300) == ((1, 2, 1), 300)
    assert place(m.Play(0, 1, 1, (1, 2, 1)), 1_100) == ((2, 1), 100)
    assert place(m.Play(0, 1, 1, (1, 2, 1), start_ms=200), 1_300) == ((1,), 100)
    assert place(m.Play(0, 1, 1, (1, 2)), 60_000) == ((2,), 390)  # over, but nobody was told: its end is near
    assert place(m.Play(0, 1, 1, (1, 2), loop=True), 1_400 + 1_150) == ((2, 1), 150)
    assert place(m.Play(0, 1, 1, (3,)), 500) == ((3,), 0)  # of unknown length: from its beginning


def test_the_plane_itself_knows_better_where_it_was() -> None:
    image = fold([opened(), agreed()])
    image.apply(m.Play(0, 1, 9, (1, 2, 4), loop=True), 0)
    found = image.rebuild(5_000, 4_000, length_ms, {(0, 1): Timeline(1, 2, 0, 2, 1_234)})[-1]
    assert found == m.Play(0, 1, 9, (4, 1, 2), True, 1_234)


def test_a_key_silences_only_a_prompt_that_asked_for_it() -> None:
    for asked in (True, False):
        image = fold([opened(), agreed()])
        image.apply(m.Play(0, 1, 1, (1,), stop_on_digit=asked), 0)
        image.happened(m.DigitStarted(0, 1, "1"))
        assert (image.rows[0].play is None) is asked


def test_who_heard_a_leg_that_is_gone_hears_nobody() -> None:
    image = fold([opened(0), agreed(0), opened(1), agreed(1), m.Bridge(0, 1, 1, 1)])
    assert {type(command) for command in image.rebuild(0, 0, length_ms)} == {m.OpenLeg, m.SetLeg, m.Hear}
    image.happened(m.LegClosed(1, 1, *[0] * 10))
    assert [type(command) for command in image.rebuild(0, 0, length_ms)] == [m.OpenLeg, m.SetLeg]
    image.apply(opened(1, 2), 9)  # somebody else's by now
    assert m.Hear not in {type(command) for command in image.rebuild(0, 0, length_ms)}


def test_a_mix_is_rebuilt_with_what_each_party_hears_instead() -> None:
    parties = (m.MixParty(0, 1, (1,)), m.MixParty(1, 1, (0,)), m.MixParty(2, 1, (0, 1)))
    legs = [each for row in range(3) for each in (opened(row), agreed(row))]
    image = fold([*legs, m.Bridge(0, 1, 1, 1), m.Mix(4, parties), m.Play(0, 1, 3, (4,), loop=True), m.Stop(1, 1)])
    sources = image.rebuild(0, 0, length_ms)[6:]
    assert sources == [m.Mix(4, parties), m.Play(0, 1, 3, (4,), True, 0), m.Stop(1, 1)]
    image.apply(m.CloseLeg(2, 1), 9)
    assert image.mixes == {4: m.Mix(4, parties[:2])}
    image.apply(m.Bridge(0, 1, 1, 1), 9)
    image.apply(m.Mix(4), 9)
    assert [type(each) for each in image.rebuild(0, 0, length_ms)[4:]] == [m.Hear, m.Hear]


def test_a_new_offer_to_the_same_place_keeps_the_learnt_address() -> None:
    image = fold([opened(), agreed(), m.Latched(0, 1, "198.51.100.4", 9_000)])
    image.apply(agreed(send=False), 5)
    assert image.rows[0].latched == ("198.51.100.4", 9_000)
    image.apply(agreed(port=4_002), 6)
    assert image.rows[0].latched is None


def test_recordings_are_the_owners_to_resume() -> None:
    image = fold([opened(), m.StartTap(0, 1, 5, "r.wav"), m.PauseTap(0, 1, 5, True), m.StopTap(0, 1, 6)])
    assert image.rows[0].tap == m.StartTap(0, 1, 5, "r.wav") and image.rows[0].tap_paused
    assert [type(command) for command in image.rebuild(0, 0, length_ms)] == [m.OpenLeg]
    image.apply(m.StopTap(0, 1, 5), 1)
    assert image.rows[0].tap is None

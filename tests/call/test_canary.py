"""A share of the new calls on another version: drawn by caller, with its own dialplan, and no state left behind."""

from __future__ import annotations

import msgspec

from engine.call.canary import WHOLE, drawn
from engine.call.effects import SiteLoaded
from engine.dialplan.model import Site
from engine.sim.world import World
from tests.call.calls import ring, world
from tests.call.test_overrides import SITE

SHARED = msgspec.structs.replace(
    SITE, version="shared",
    programs={"default/main": msgspec.structs.replace(
        SITE.programs["default/main"],
        flows=SITE.programs["default/main"].flows | {"main": SITE.programs["default/main"].flows["shut"]},
    )},
)  # fmt: skip


def share(w: World, percent: int, site: Site = SHARED) -> None:
    w.give(SiteLoaded(site.version, msgspec.msgpack.encode(site), percent * WHOLE // 100))


def outcome(w: World, user: str) -> str:
    """`shut` on the shared version, else `served`."""
    caller = ring(w, "100", user)
    w.run(12_000)
    assert not caller.up()
    return str(w.last("call.ended").data["outcome"])


def status(w: World) -> dict[str, object]:
    return dict(msgspec.json.decode(w.operate("status").data))


def test_the_draw_is_even_sticky_and_only_grows() -> None:
    callers = [f"+44207{number:06}" for number in range(20_000)]
    five = {each for each in callers if drawn("v", each, WHOLE // 20)}
    ten = {each for each in callers if drawn("v", each, WHOLE // 10)}
    assert 880 <= len(five) <= 1_120 and five < ten
    assert five != {each for each in callers if drawn("w", each, WHOLE // 20)}
    assert not any(drawn("v", each, 0) for each in callers) and all(drawn("v", each, WHOLE) for each in callers)


def test_a_share_of_callers_has_the_other_version_each_time() -> None:
    w = world(SITE, law9=True)
    share(w, 50)
    users = [str(5_550_000 + number) for number in range(12)]
    first = [outcome(w, user) for user in users]
    assert {"shut", "served"} == set(first)
    assert first == [outcome(w, user) for user in users]
    assert [drawn("shared", user, WHOLE // 2) for user in users] == [each == "shut" for each in first]
    marked = [event.call for event in w.all("call.shared")]
    assert len(marked) == 2 * first.count("shut") and w.last("call.shared").data["site"] == "shared"
    row = status(w)["share"]
    assert isinstance(row, dict) and (row["version"], row["share"], row["drawn"]) == ("shared", 5_000, len(marked))


def test_its_end_leaves_calls_to_finish_and_forgets_the_version() -> None:
    w = world(SITE, law9=True)
    share(w, 99, msgspec.structs.replace(SITE, version="same"))
    user = next(str(number) for number in range(5_550_000, 5_560_000) if drawn("same", str(number), 9_900))
    caller = ring(w, "100", user)
    w.run(300)
    assert status(w)["calls_by_version"] == {"same": 1}
    assert msgspec.json.decode(w.operate("share_over").data) == {"version": "same"}
    assert sorted(w.switch.room.sites) == sorted([SITE.version, "same"])
    w.run(12_000)
    assert not caller.up() and w.last("call.ended").data["outcome"] == "served"
    w.run(5_000)
    assert list(w.switch.room.sites) == [SITE.version] and status(w)["share"] is None
    assert msgspec.json.decode(w.operate("share_over").data) == {"version": ""}


def test_a_version_in_force_for_all_ends_the_share() -> None:
    w = world(SITE)
    share(w, 50)
    w.give(SiteLoaded("shared", msgspec.msgpack.encode(SHARED)))
    assert status(w)["share"] is None and w.switch.room.site == "shared"
    assert outcome(w, "5550001") == "shut" and not w.all("call.shared")
    share(w, 50)  # what is in force can't be shared
    assert status(w)["share"] is None


def test_a_number_that_the_other_version_lacks_stays_as_it_is() -> None:
    w = world(SITE)
    share(w, 99, msgspec.structs.replace(SHARED, numbers={}))
    assert {outcome(w, str(5_550_000 + number)) for number in range(4)} == {"served"}


def test_anonymous_callers_are_drawn_one_by_one() -> None:
    assert {drawn("v", f"#{serial}", WHOLE // 2) for serial in range(20)} == {True, False}

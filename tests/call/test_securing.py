"""Which party's media is SRTP: the trunk says it, else the agent, else the site."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import securing
from engine.dialplan.model import AgentModel, Site, TrunkModel


class House:
    """What the rules look at of a room."""

    def __init__(self, site: str, agent: str, trunk: str) -> None:
        self.site = "v"
        self.sites = {"v": Site(
            1, "v", {}, {}, {}, {"default/200": AgentModel("default", "200", "Ana", srtp=agent)},
            {"gw": TrunkModel("gw", srtp=trunk)}, (), {}, {}, srtp=site,
        )}  # fmt: skip


@pytest.mark.parametrize(("site", "agent", "trunk", "of_trunk", "of_agent", "of_stranger"), [
    ("off", "", "off", "off", "off", "off"),
    ("optional", "", "off", "off", "optional", "optional"),
    ("optional", "required", "required", "required", "required", "optional"),
    ("required", "off", "optional", "optional", "off", "required"),
])
def test_who_says_it(site: str, agent: str, trunk: str, of_trunk: str, of_agent: str, of_stranger: str) -> None:
    room: object = House(site, agent, trunk)
    assert securing.policy_of(room, "gw", "") == of_trunk  # type: ignore[arg-type]
    assert securing.policy_of(room, "", "default/200") == of_agent  # type: ignore[arg-type]
    assert securing.policy_of(room, "", "") == of_stranger  # type: ignore[arg-type]


def test_old_sites_are_plain() -> None:
    room = House("off", "", "off")
    del room.sites["v"]
    assert securing.policy_of(room, "gw", "") == "off"  # type: ignore[arg-type]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(TrunkModel("a")), type=TrunkModel).srtp == "off"

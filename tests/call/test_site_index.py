"""Look-ups over a site: who is calling, and what a dialled number means."""

from __future__ import annotations

import pytest

from engine.call.site_index import SiteIndex
from engine.dialplan.model import AgentModel, NumberModel, OutboundRule, Site, TenantModel, TrunkModel


def index() -> SiteIndex:
    trunks = [
        TrunkModel("carrier", host="192.0.2.1", addresses=("192.0.2.0/28", "198.51.100.7")),
        TrunkModel("gateway", host="127.0.0.1", addresses=("127.0.0.1:5080",)),
        TrunkModel("plain", host="203.0.113.5"),
    ]
    return SiteIndex(
        Site(
            1,
            "v",
            {"default": TenantModel("default", "ringdown"), "chess": TenantModel("chess", "chess", "chess.test")},
            {
                "700": NumberModel("700", "default", "default/support"),
                "chess/700": NumberModel("700", "chess", "chess/a"),
            },
            {},
            {"default/200": AgentModel("default", "200", "A"), "chess/200": AgentModel("chess", "200", "B")},
            {trunk.name: trunk for trunk in trunks},
            (
                OutboundRule("default", "0x.", "carrier", strip=1, prepend="+49"),
                OutboundRule("default", "110", "carrier", teams=("night",)),
            ),
            {},
            {},
        )
    )


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [
        ("192.0.2.9", 5060, "carrier"),
        ("192.0.2.99", 5060, None),
        ("198.51.100.7", 1, "carrier"),
        ("127.0.0.1", 5080, "gateway"),
        ("127.0.0.1", 5081, None),
        ("203.0.113.5", 5060, "plain"),
        ("nonsense", 1, None),
    ],
)
def test_a_trunk_is_known_by_its_address(host: str, port: int, name: str | None) -> None:
    trunk = index().trunk_at(host, port)
    assert (trunk.name if trunk else None) == name


def test_two_tenants_may_have_the_same_agent_and_number() -> None:
    found = index()
    assert found.tenant("CHESS.test").name == "chess" and found.tenant("10.0.0.1").name == "default"
    one, two = found.agent("default", "200"), found.agent("chess", "200")
    assert one is not None and two is not None and (one.name, two.name) == ("A", "B")
    number = found.number("700", "chess")
    assert number is not None and number.dialplan == "chess/a"
    other = found.number("700", "default")
    assert other is not None and other.dialplan == "default/support"


def test_the_way_out_strips_prepends_and_asks_for_the_team() -> None:
    found = index()
    outbound = found.outbound("default", "", "0301234")
    assert outbound is not None and outbound[1] == "+49301234"
    assert found.outbound("default", "", "110") is None and found.outbound("default", "night", "110") is not None
    assert found.outbound("chess", "night", "0301234") is None

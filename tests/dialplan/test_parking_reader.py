"""parking: slots and the time after which whoever parked is rung."""

from __future__ import annotations

import pytest

from engine.dialplan.model import ParkingModel
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with

SITE = "ringdown: 1\nlanguages: [en]\n"


def read(text: str, tenant: str = "") -> tuple[object, list[str]]:
    files = {"site.yaml": f"{SITE}{text}\n", **({"tenants/press/tenant.yaml": tenant} if tenant else {})}
    site, findings = read_site(files_with(files), STOCK)
    return site, [each.code for each in findings]


def test_slots_keep_their_zeros_and_a_tenant_has_the_platforms_unless_it_says_so() -> None:
    site, _ = read("parking: {slots: 08-10, back: 30s}", "parking: {slots: 71-72}\n")
    assert site is not None
    tenants = site.tenants  # type: ignore[attr-defined]
    assert tenants["default"].parking == ParkingModel(("08", "09", "10"), 30_000)
    assert tenants["press"].parking == ParkingModel(("71", "72"), 120_000)
    site, _ = read("parking: {slots: 1-3}", "name: Press\n")
    assert site.tenants["press"].parking.slots == ("1", "2", "3")  # type: ignore[attr-defined]
    site, _ = read("")
    assert site.tenants["default"].parking is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("parking: {slots: 9-71}", "RD024"), ("parking: {slots: 79-71}", "RD024"),
        ("parking: {slots: 000-100}", "RD024"),
        ("parking: {slots: some}", "RD024"), ("parking: {back: 30s}", "RD022"),
        ("parking: {slots: 1-2, back: 1s}", "RD024"),
        ("parking: 71", "RD023"), ("parking: {slot: 71-79}", "RD021"), ("codes: {park: '*50'}", "RD087"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, code: str) -> None:
    assert code in read(text)[1]

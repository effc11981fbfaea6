"""From an analogue line's box to the first call, as hardware/README.md tells it: SIPp is the box, at an address of its
own, with the settings that its profile applies."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pytest
from harness.children import until
from harness.phone import Phone
from harness.rtp import Ear
from harness.server import DEMO, Engine
from harness.sipp import Sipp

BOX = "127.0.0.9"
BOX_PORT = 5062  # the profile's, not the test's: the site doesn't say it
FAX = "  100: {dialplan: main, public: yes, fax: support}\n"
TRUNKS = f"office: {{host: {BOX}, addresses: [{BOX}], profile: grandstream-ht813, country: gb}}\n"
CALLER = "02079460000"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    site = tmp_path_factory.mktemp("line") / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text(TRUNKS)
    (site / "outbound.yaml").write_text("0.: {trunk: office, strip: 1}\n")
    numbers = site / "site.yaml"
    text = numbers.read_text()
    assert "  100: {dialplan: main, public: yes}\n" in text
    numbers.write_text(text.replace("  100: {dialplan: main, public: yes}\n", FAX))
    with Engine(site) as running:
        yield running


def at_the_box(folder: Path, scenario: str, **more: object) -> Sipp:
    return Sipp(folder, scenario, more=("-i", BOX, "-mi", BOX), **more)  # type: ignore[arg-type]


def test_who_calls_the_line_hears_the_menu_and_his_number_is_known(engine: Engine, tmp_path: Path) -> None:
    with at_the_box(tmp_path, "uac_line.xml", server=engine.address, number="100", keys={"caller": CALLER}) as box:
        box.wait().check(1)
    query = "SELECT trunk, caller, dialled, source FROM calls"
    until(lambda: engine.rows(query), 5, what="the record")
    rows = engine.rows(query)
    assert [(row["trunk"], row["caller"], row["dialled"]) for row in rows] == [("office", CALLER, "100")]
    assert rows[0]["source"].startswith(f"udp:{BOX}:")
    said = engine.command("doctor", "--trunk", "office", "--site", str(engine.site)).stdout
    assert "1 of the last 1 calls brought the caller's number" in said


def test_one_call_at_a_time_goes_out_by_the_line(engine: Engine, tmp_path: Path) -> None:
    """The port and the single line are the profile's; a second call finds the line taken."""
    with at_the_box(tmp_path, "uas_answer.xml", port=BOX_PORT), engine.phone("201") as phone:
        assert phone.register().status == 200
        talking = phone.place("01234567")
        talking.expect(200, within=6)
        talking.ack()
        with engine.phone("202") as other:
            assert other.register().status == 200
            refused = other.place("07654321").expect(480, 486, 503, within=6)
            assert refused.status in (480, 486)
        talking.bye()


def test_a_fax_on_the_line_goes_the_numbers_own_way(engine: Engine) -> None:
    """The box passes its calling tone through (1,100 Hz for half a second, ITU-T T.30 §4.3.3.1.1)."""
    times = np.arange(listening.RATE // 2) / listening.RATE
    tone = (6_000 * np.sin(2 * np.pi * 1_100 * times)).astype(np.int16)
    box = Phone(engine.address, CALLER, host=BOX)
    try:
        with Ear(codec=8) as ear:
            dialog = box.call("100", media=ear.port)
            ear.start(dialog.media.host, dialog.media.port)
            time.sleep(0.5)
            ear.play(tone)
            until(lambda: [each for each in engine.events() if each["kind"] == "call.fax"], 8, what="the fax is told")
            dialog.bye()
    finally:
        box.close()
    (told,) = [each["data"] for each in engine.events() if each["kind"] == "call.fax"]
    assert told == {"tone": "cng", "leg": "caller", "to": "support"}
    assert engine.last_call(dialled="100")["trunk"] == "office"

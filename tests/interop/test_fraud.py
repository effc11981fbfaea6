"""Limits against toll fraud with programs that are not ours: baresip dials a costly number again and again, SIPp is the
carrier and tells what has reached it."""

from __future__ import annotations

import re
from pathlib import Path

from harness.baresip import Baresip
from harness.children import until
from harness.ports import free_port
from harness.server import Engine
from harness.sipp import Sipp

COSTLY = "0900123456"
RULE = """
emergency: {country: de, trunks: [carrier], call_back: '+493022334455', location: {country: DE, A3: Berlin}}
fraud:
  costly: {to: ['+49900.'], calls_per_minute: {warn: 2, stop: 3}}
"""


def test_a_costly_number_is_warned_of_then_stopped_and_112_still_rings(tmp_path: Path) -> None:
    """Nothing of the calls beyond the limit reaches the carrier; another number and an emergency call do."""
    port = free_port()
    engine = Engine()
    (engine.site / "trunks.yaml").write_text(
        f"carrier: {{host: 127.0.0.1, port: {port}, addresses: ['127.0.0.1:{port}'], "
        "numbers: {country: de, format: national, area: '30'}}\n"
    )
    (engine.site / "outbound.yaml").write_text("0x.: {trunk: carrier, strip: 1}\n")
    with (engine.site / "site.yaml").open("a") as file:
        file.write(RULE)
    with (
        engine,
        Sipp(tmp_path, "uas_answer.xml", port=port, calls=5, seconds=40, more=("-trace_msg",)) as carrier,
        Baresip(tmp_path, engine.address, "201", engine.passwords()["201"]) as phone,
    ):
        phone.registered()
        said = [dialled(phone, f"0{COSTLY}") for _ in range(5)]
        assert [each.split()[0] for each in said] == ["answered"] * 3 + ["403"] * 2, said
        assert [dialled(phone, number) for number in ("003012345678", "112")] == ["answered"] * 2
        carrier.wait(10).check(5)
        told = [each["data"] for each in engine.events() if each["kind"].startswith("fraud.")]
        until(lambda: "fraud rule costly" in engine.output(), 3, what="a line about it")
    (log,) = carrier.folder.glob("*_messages.log")
    reached = re.findall(r"^INVITE sip:(\+?\d+)@", log.read_text(errors="replace"), re.M)
    assert reached == [COSTLY] * 3 + ["03012345678", "112"]
    assert {(each["rule"], each["caller"], each["limit"]) for each in told} == {
        ("costly", "default/201", "calls_per_minute")
    }
    assert [each["count"] for each in told] == [2, 4], "a warning and a stop, however often he goes on"


def dialled(phone: Baresip, number: str) -> str:
    """What became of a call: answered (and hung up), or why baresip says that it closed."""
    place = phone.dial(number)

    def over() -> str:
        for event in phone.events[place:]:
            if event.get("type") == "CALL_ESTABLISHED":
                return "answered"
            if event.get("type") == "CALL_CLOSED":
                return str(event.get("param"))
        return ""

    found = str(until(over, 8, every=0.02, what=f"an end of the call to {number}"))
    if found == "answered":
        phone.command("hangup")
        phone.wait_event("CALL_CLOSED", 4, after=place)
    return found

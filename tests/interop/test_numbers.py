"""SIPp as carrier: callers' numbers in its own spelling, withheld and signed ones; an emergency call by two trunks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from harness.ports import free_port
from harness.server import Engine
from harness.sipp import Sipp, run

from tests.sip.signed import certificate, identity

NUMBERS = "numbers:\n  '+493022334455': {dialplan: interop, anonymous: hidden}\n"
DIALPLAN = """ringdown: 1
languages: [en]
flows:
  main:
    - answer
    - echo
  hidden:
    - answer
    - echo
"""
EMERGENCY = """
emergency:
  country: de
  trunks: [first, second]
  call_back: '+493022334455'
  location: {country: DE, A3: Berlin, RD: Ring, HNO: '1'}
"""
PLAN = "numbers: {country: de, format: national, area: '30', verify: yes}"
CALLER, DIALLED = "493012345678", "493022334455"
KEY = ec.generate_private_key(ec.SECP256R1())


class Carriers:
    """The engine behind two trunks, whose far ends are SIPp at `ports`."""

    def __init__(self) -> None:
        self.ports = free_port(), free_port()
        self.engine = Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN)
        trunks = [
            f"{name}:\n  host: 127.0.0.1\n  port: {port}\n  addresses: ['127.0.0.1:{port}']\n  trust_identity: yes\n"
            f"  {PLAN}\n"
            for name, port in zip(("first", "second"), self.ports, strict=True)
        ]
        (self.engine.site / "trunks.yaml").write_text("".join(trunks))
        (self.engine.site / "outbound.yaml").write_text("0x.: {trunk: first, strip: 1}\n")
        with (self.engine.site / "site.yaml").open("a") as file:
            file.write(EMERGENCY)
        folder = self.engine.data / "stir"
        folder.mkdir(parents=True)
        (folder / "carrier.pem").write_bytes(certificate(KEY, datetime.now(UTC) - timedelta(days=1)))


@pytest.fixture(scope="module")
def carriers() -> Iterator[Carriers]:
    found = Carriers()
    with found.engine:
        yield found


def called(carriers: Carriers, folder: Path, **keys: str) -> dict[str, object]:
    """A call of the first carrier; what its record says of the numbers."""
    words = {
        "caller": "03012345678", "asserted": "<sip:03012345678@c.example>", "diverted": "<sip:030700700@c.example>",
        "privacy": "none", "identity": identity(KEY, int(time.time()), CALLER, DIALLED), **keys,
    }  # fmt: skip
    run(folder, "uac_carrier.xml", carriers.engine.address, "03022334455", port=carriers.ports[0], keys=words).check()
    row = carriers.engine.last_call()
    (told,) = [each["data"] for each in carriers.engine.events(row["call"]) if each["kind"] == "call.identity"]
    return {**told, "caller": row["caller"], "dialled": row["dialled"]}


def test_a_signed_number_of_a_carrier_is_kept_in_e164_and_verified(carriers: Carriers, tmp_path: Path) -> None:
    told = called(carriers, tmp_path)
    assert (told["caller"], told["dialled"]) == (f"+{CALLER}", f"+{DIALLED}")
    assert (told["caller_as"], told["dialled_as"]) == ("03012345678", "03022334455")
    assert (told["verification"], told["attestation"], told["detail"]) == ("passed", "full", "")
    assert told["diverted_from"] == "+4930700700"


def test_a_forged_number_is_marked_and_a_withheld_one_is_nobodys(carriers: Carriers, tmp_path: Path) -> None:
    forged = identity(ec.generate_private_key(ec.SECP256R1()), int(time.time()), CALLER, DIALLED)
    told = called(carriers, tmp_path, identity=forged)
    assert told["verification"] == "failed" and "not by this certificate" in str(told["detail"])
    told = called(carriers, tmp_path, caller="anonymous", privacy="id")
    assert (told["caller"], told["presentation"], told["caller_as"]) == ("anonymous", "withheld", "")


def test_an_emergency_call_says_where_it_is_and_takes_the_trunk_that_works(carriers: Carriers, tmp_path: Path) -> None:
    engine, (first, second) = carriers.engine, carriers.ports
    secret = ("201", engine.passwords()["201"])
    with (
        Sipp(tmp_path, "uas_refuse.xml", port=first, seconds=15, keys={"status": "503 Service Unavailable"}) as full,
        Sipp(tmp_path, "uas_emergency.xml", port=second, seconds=15) as centre,
    ):
        run(tmp_path, "uac_agent_call.xml", engine.address, "0112", user=secret, keys={"agent": "201"}).check()
        centre.wait().check()
        full.wait().check()
    call = engine.last_call(dialled="0112")["call"]
    told = {each["kind"]: each["data"] for each in engine.events(call)}
    dialled = told["emergency.dialled"]
    assert (dialled["number"], dialled["location"]) == ("112", "Ring 1, Berlin, DE")
    assert told["emergency.ended"]["result"] == "answered"

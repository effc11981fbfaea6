"""Keys between us and programs that are not ours, in all three ways and both directions: one digit per press.

SIPp sends and takes INFO and plays tones that ffmpeg made; baresip sends and reads RFC 4733 and plays tones; what we
send as tones is read by multimon-ng from what left baresip's speaker; tshark reads our events on the wire.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness import foreign
from harness.baresip import Baresip
from harness.children import Child, until
from harness.server import DEMO, Engine
from harness.sipp import run

KEYS = "1159#"  # the first chooses in a menu, the others are gathered there
GATEWAYS = {"info": "127.0.0.41", "inband": "127.0.0.42"}  # way -> the address of the trunk for which it is declared
NUMBERS = "  8801: {dialplan: interop, public: yes}\n  8802: {dialplan: interop, entry: press, public: yes}\n"
DIALPLAN = """\
ringdown: 1
about: 8801 is a menu, then a number is typed; 8802 presses keys for whoever calls.
entry: choose

variables:
  typed: digits 1..8

flows:
  choose:
    - answer
    - menu:
        prompt: tone/beep
        choices: {1: type, 5: wrong, 9: wrong}
        failed: wrong
  type:
    - gather: {into: typed, terminator: hash, failed: wrong}
    - tag: typed $typed
    - hangup: served
  wrong:
    - hangup: failed
  press:
    - answer
    - send_digits: {digits: 'w1159#w', on: 100ms, gap: 100ms}
    - hangup: served
"""


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A site with a gateway that knows keys by INFO only and one that has them in the sound."""
    site = tmp_path_factory.mktemp("keys") / "site"
    shutil.copytree(DEMO, site)
    (site / "trunks.yaml").write_text(
        "".join(f"by_{way}: {{addresses: [{address}], dtmf: {way}}}\n" for way, address in GATEWAYS.items())
    )
    with Engine(site, edits={"site.yaml": ("numbers:\n", "numbers:\n" + NUMBERS)}, extra=DIALPLAN) as running:
        yield running


def judge(engine: Engine, way: str, trunk: str = "") -> None:
    """The last call to the menu had each press once, in that way, and came where they lead."""
    row = engine.last_call(dialled="8801")
    came = [each["data"] for each in engine.events(row["call"]) if each["kind"] == "call.digit"]
    assert "".join(each["digit"] for each in came) == KEYS, came
    assert {each["way"] for each in came} == {way}
    texts = [each["data"]["text"] for each in engine.events(row["call"]) if each["kind"] == "call.step"]
    assert f"tag: typed {KEYS[1:-1]}" in texts, texts
    assert (row["outcome"], row["trunk"]) == ("served", trunk), row


@pytest.mark.parametrize(("kind", "body"), [
    ("application/dtmf-relay", "Signal={}\r\nDuration=160"), ("application/dtmf", "{}"),
])  # fmt: skip
def test_a_menu_obeys_sipps_info(keyed: Engine, tmp_path: Path, kind: str, body: str) -> None:
    keys = {"kind": kind, **{f"key{place}": body.format(key) for place, key in enumerate(KEYS)}}
    run(tmp_path, "uac_info_kinds.xml", keyed.address, "8801", keys=keys, seconds=15).check()
    judge(keyed, "info")


LAWS = {0: "0,PCMU/8000", 8: "8,PCMA/8000"}


@pytest.mark.parametrize(("law", "declared", "on_ms"), [(8, False, 100), (0, False, 50), (8, True, 100)])
def test_a_menu_obeys_tones_that_ffmpeg_made(
    keyed: Engine, tmp_path: Path, law: int, declared: bool, on_ms: int
) -> None:
    """A gateway without telephone-event; and one for which tones are declared, though it agrees to events."""
    audio = tmp_path / "keys.g711"
    audio.write_bytes(foreign.tones(KEYS, law=law, on_ms=on_ms, gap_ms=on_ms))
    number, _, name = LAWS[law].partition(",")
    events = "\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15" if declared else ""
    keys = {"audio": str(audio), "law": LAWS[law], "formats": f"{number} 101" if declared else number,
            "maps": f"a=rtpmap:{number} {name}{events}"}  # fmt: skip
    host = GATEWAYS["inband"] if declared else "127.0.0.1"
    run(tmp_path, "uac_tones.xml", keyed.address, "8801", keys=keys, seconds=15, host=host).check()
    judge(keyed, "inband", "by_inband" if declared else "")


@pytest.mark.parametrize("way", ["rfc4733", "inband"])
def test_a_menu_obeys_baresip(keyed: Engine, tmp_path: Path, way: str) -> None:
    """By its own events, and by tones that it encodes from its microphone."""
    host = GATEWAYS.get(way, "127.0.0.1")
    with Baresip(tmp_path, keyed.address, "line", register=False, codec="pcma", host=host) as phone:
        place = phone.dial("8801")
        phone.wait_event("CALL_ESTABLISHED", 8, after=place)
        time.sleep(0.5)
        if way == "inband":
            phone.speak(listening.decode(foreign.tones(KEYS, law=8), 8).astype(float))
        else:
            phone.press(KEYS, length_s=0.1)
        phone.wait_event("CALL_CLOSED", 8, after=place)
    judge(keyed, way, f"by_{way}" if way in GATEWAYS else "")


# --- what we press ----------------------------------------------------------------------------------------------------
def test_sipp_takes_our_info(keyed: Engine, tmp_path: Path) -> None:
    """One INFO per press, in order, and no other."""
    run(
        tmp_path, "uac_takes_info.xml", keyed.address, "8802", seconds=15, host=GATEWAYS["info"]
    ).check()


def test_baresip_and_tshark_read_our_events(keyed: Engine, tmp_path: Path) -> None:
    """telephone-event as a phone reads it, and as tshark does on the wire: three ends for each press."""
    path = tmp_path / "keys.pcapng"
    watcher = Child(["tshark", "-n", "-q", "-i", "lo", "-f", "udp", "-w", str(path)], tmp_path / "tshark.txt")
    try:
        watcher.wait_for(r"Capturing on", 10)
        until(path.exists, 5, what="a capture")
        with Baresip(tmp_path, keyed.address, "line", register=False) as phone:
            place = phone.dial("8802")
            phone.wait_event("CALL_CLOSED", 10, after=place)
            pressed = [str(each["param"]) for each in phone.events if each.get("type") == "CALL_DTMF_START"]
        time.sleep(0.5)
    finally:
        watcher.stop()
    assert "".join(pressed) == KEYS, phone.events
    command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={keyed.port},sip", "-Y", "rtpevent", "-T", "fields"]
    fields = [part for name in ("rtp.timestamp", "rtpevent.event_id", "rtpevent.end_of_event", "_ws.malformed")
              for part in ("-e", name)]  # fmt: skip
    rows = [line.split("\t") for line in subprocess.run(
        [*command, *fields], capture_output=True, text=True, check=True, timeout=30
    ).stdout.splitlines()]  # fmt: skip
    ends = [(stamp, int(code)) for stamp, code, end, _ in rows if end in ("1", "True")]
    assert [code for _, code in dict.fromkeys(ends)] == ["0123456789*#".index(key) for key in KEYS], rows
    assert len(ends) == 3 * len(KEYS) and not any(row[3] for row in rows)


def test_multimon_reads_our_tones_at_baresips_speaker(keyed: Engine, tmp_path: Path) -> None:
    """To a gateway whose keys are tones, though it agrees to events. None is missing, though baresip plays only once it
    has 120 ms; a busy machine may cut a tone in two there, so the same key twice counts as one."""
    with Baresip(tmp_path, keyed.address, "line", register=False, host=GATEWAYS["inband"]) as phone:
        mark, place = phone.mark(), phone.dial("8802")
        phone.wait_event("CALL_CLOSED", 10, after=place)
        assert not [each for each in phone.events if each.get("type") == "CALL_DTMF_START"]
        heard = phone.heard_out()[mark:]
    read = foreign.keys_heard(heard, tmp_path)
    print(f"multimon-ng reads {read}")
    assert re.sub(r"(.)\1+", r"\1", read) == re.sub(r"(.)\1+", r"\1", KEYS), read

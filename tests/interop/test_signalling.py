"""SIPp, linphone, scripted phones: 100rel, UPDATE, Replaces, attended transfer, 3xx, causes; tshark reads it all."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from harness.children import Child, until
from harness.desks import desk, sipp_desk
from harness.linphone import Linphone
from harness.phone import Dialog, Phone
from harness.rtp import Ear
from harness.server import Engine
from harness.sipp import Sipp


@contextmanager
def well_formed(engine: Engine, folder: Path, *wanted: str) -> Iterator[None]:
    """tshark watches the engine's port meanwhile: nothing is malformed, and these methods were seen."""
    assert shutil.which("tshark"), "tshark is not installed (Debian: tshark)"
    path = folder / "wire.pcap"
    capture = Child(
        ["tshark", "-n", "-q", "-i", "lo", "-f", f"udp port {engine.port}", "-w", str(path)], folder / "tshark.txt"
    )
    capture.wait_for("Capturing on", 10)
    time.sleep(0.5)
    try:
        yield
        time.sleep(0.5)
    finally:
        capture.stop()
    command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={engine.port},sip", "-T", "fields"]
    command += ["-e", "sip.CSeq.method", "-e", "_ws.malformed", "-e", "_ws.expert.message", "-E", "separator=|"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert rows, done.stderr
    assert not [row for row in rows if row[1]], "malformed"
    assert set(wanted) <= {method for row in rows for method in row[0].split(",")}


def test_sipp_calls_by_100rel_and_update(engine: Engine, tmp_path: Path) -> None:
    with well_formed(engine, tmp_path, "PRACK", "UPDATE"), desk(engine, "203") as other:
        with Sipp(tmp_path, "uac_prack.xml", server=engine.address, number="8203", seconds=15) as sipp:
            dialog = other.wait_call(8)
            dialog.ring()
            time.sleep(0.5)
            dialog.answer()
            sipp.wait().check()
            bye = dialog.expect_bye()
        engine.wait_agent("203", "ready")
    assert bye.get("reason") == "Q.850;cause=31", "his cause goes on to the other side"
    assert engine.last_call(dialled="8203")["cause"] == 31


def test_sipp_is_called_by_100rel_and_update(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with well_formed(engine, tmp_path, "PRACK", "UPDATE"), sipp_desk(engine, "203", tmp_path, "uas_prack.xml") as sipp:
        dialog = caller.call("8203")
        time.sleep(0.3)
        dialog.bye()
        sipp.wait(15).check()


def replaces(dialog: Dialog) -> str:
    """How a scripted phone names its dialog to the engine, from the phone's own side."""
    local = re.search(r"tag=([^;>]+)", dialog.local)
    remote = re.search(r"tag=([^;>]+)", dialog.remote)
    assert local and remote
    return f"{dialog.call_id};to-tag={remote[1]};from-tag={local[1]}"


def test_attended_transfer_by_refer_with_replaces(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    """Agent 202 talks to a caller, consults 203, and gives him the caller."""
    with (
        well_formed(engine, tmp_path, "REFER", "NOTIFY"), desk(engine, "202") as ana, desk(engine, "203") as ben,
        Ear() as ear,
    ):  # fmt: skip
        there = caller.call("8700", media=ear.port)
        ear.start(there.media.host, there.media.port)
        first = _taken(ana, ben)
        giver, taker = (ana, ben) if first.phone is ana else (ben, ana)
        number = "203" if taker is ben else "202"
        second = giver.place(number)
        consulted = taker.wait_call(8)
        consulted.ring()
        consulted.answer()
        assert second.expect(200).status == 200
        second.ack()
        target = f"<sip:{number}@127.0.0.1:{engine.port}?Replaces={quote(replaces(second), safe='')}>"
        first.request("REFER", headers=[giver.contact(), ("Refer-To", target)])
        assert first.expect(202, method="REFER").status == 202
        said = ""
        while "200" not in said:
            notify = first.expect("NOTIFY")
            first.reply(notify, 200, "OK")
            said = notify.body.decode() if isinstance(notify.body, bytes) else notify.body
        second.expect_bye()
        first.bye()
        time.sleep(0.5)
        there.bye()
        consulted.expect_bye()
    row = engine.last_call(dialled="8700")
    moved = [event["data"] for event in engine.events(row["call"]) if event["kind"] == "call.transferred"]
    assert [(each["way"], each["result"]) for each in moved] == [("attended", "done")] and row["outcome"] == "served"


def _taken(*phones: Phone) -> Dialog:
    """The queue's call, answered by whichever of the two is offered it."""
    end = time.monotonic() + 8
    while time.monotonic() < end:
        for phone in phones:
            try:
                dialog = phone.wait_call(0.2)
            except AssertionError:
                continue
            dialog.ring()
            dialog.answer()
            return dialog
    raise AssertionError("nobody was offered the call")


def test_pick_up_of_a_ringing_phone_by_invite_with_replaces(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    with well_formed(engine, tmp_path, "CANCEL"), desk(engine, "203") as ben, desk(engine, "204", ready=False) as eva:
        there = caller.invite("8203")
        ringing = ben.wait_call(8)
        ringing.ring()
        there.expect(180)
        mine = eva.place("203", headers=[("Replaces", replaces(ringing))])
        assert mine.expect(200).status == 200
        mine.ack()
        cancel = ringing.expect("CANCEL")
        assert "Call completed elsewhere" in cancel.get("reason")
        ringing.reply(cancel, 200, "OK")
        ringing.reply(ringing.invite, 487, "Request Terminated")
        there.expect(200)
        there.ack()
        late = eva.place("203", headers=[("Replaces", replaces(ringing))])
        assert late.expect(481, 403, 603).status in (481, 603), "it rings no more"
        late.ack()
        there.bye()
        mine.expect_bye()


def test_a_forwarding_phone_is_followed_where_it_may(tmp_path: Path) -> None:
    """SIPp forwards 201 to 203: followed, because agents.yaml says so."""
    edits = {"agents.yaml": ("201: {name: Ben Okoro,", "201: {name: Ben Okoro, phone: {forward: follow},")}
    with Engine(edits=edits) as engine:
        target = f"sip:203@127.0.0.1:{engine.port}"
        with (
            desk(engine, "203") as cho, desk(engine, "204", ready=False) as eva,
            sipp_desk(engine, "201", tmp_path, "uas_moved.xml", keys={"target": target}, more=()) as sipp,
        ):  # fmt: skip
            mine = eva.place("201")
            there = cho.wait_call(8)
            there.ring()
            there.answer()
            mine.expect(200)
            mine.ack()
            mine.bye()
            there.expect_bye()
            sipp.wait(15).check()
        row = engine.last_call(dialled="201")
        ended = [event["data"] for event in engine.events(row["call"]) if event["kind"] == "dial.ended"]
        assert [each["result"] for each in ended] == ["forwarded", "answered"]


def test_linphone_transfers_after_consultation(engine: Engine, caller: Phone, tmp_path: Path) -> None:
    """linphone is agent 202: it holds its caller, calls 203, and joins the two."""
    with (
        well_formed(engine, tmp_path, "REFER", "NOTIFY"), Ear() as ear, desk(engine, "203", ready=False) as ben,
        Linphone(tmp_path, engine.address, "202", engine.passwords()["202"]) as phone,
    ):  # fmt: skip
        until(lambda: _reachable(engine, "202"), 10, what="linphone registered")
        engine.login("202")
        there = caller.call("8700", media=ear.port)
        ear.start(there.media.host, there.media.port)
        phone.answer(1)
        phone.pause(1)
        phone.call("203")
        consulted = ben.wait_call(8)
        consulted.ring()
        consulted.answer()
        phone.child.wait_for("Call 2 with .* connected", 8)
        phone.transfer(1, 2)
        until(lambda: engine.agent_state("202") == "wrap_up", 8, what="202 out of the call")
        phone.child.wait_for("Call 1 with .* ended", 8)
        phone.child.wait_for("Call 2 with .* ended", 8)
        (row,) = engine.ask("calls")
        assert row["with"] == "agent 203" and row["phase"] == "talking"
        there.bye()
        consulted.expect_bye()
        engine.logout("202")
    ended = engine.last_call(dialled="8700")
    moved = [event["data"] for event in engine.events(ended["call"]) if event["kind"] == "call.transferred"]
    assert [(each["way"], each["result"]) for each in moved] == [("attended", "done")]


def _reachable(engine: Engine, number: str) -> bool:
    rows = [row for row in engine.ask("agents") if (row["agent"], row["tenant"]) == (number, "default")]
    return any(row["reachable"] for row in rows)

"""The operators' desk on a running engine: commands with real calls, the console in a terminal, captures for tshark."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harness.children import Child, until
from harness.desks import desk
from harness.phone import FINAL, Dialog, Phone
from harness.server import ROOT, Engine
from harness.terminal import Terminal

from tools.load import wire


@contextmanager
def conversation(engine: Engine, caller: Phone, user: str = "203") -> Iterator[tuple[Dialog, Phone, Dialog]]:
    """A caller whom the support queue has given to an agent: (his dialog, the agent's phone, his dialog)."""
    with desk(engine, user) as agent:
        dialog = caller.call("8700", media=40_002)
        there = agent.wait_call(8)
        there.ring()
        there.answer()
        engine.wait_agent(user, "talking")
        yield dialog, agent, there


def running(engine: Engine) -> str:
    """The id of the one call that is up."""
    (row,) = engine.ask("calls")
    return str(row["call"])


# --- commands -----------------------------------------------------------------------------------------------------
def test_a_call_is_transferred_by_its_callers_number_and_hung_up_by_its_agent(engine: Engine, caller: Phone) -> None:
    with conversation(engine, caller) as (dialog, _, there), desk(engine, "204", ready=False) as other:
        name = running(engine)
        shown = engine.command("call", "stranger")
        assert shown.returncode == 0 and name in shown.stdout
        done = engine.command("call", "stranger", "transfer", "204")
        assert done.returncode == 0 and f"undo: ringdown call {name} transfer 203" in done.stdout, done.stderr
        there.expect_bye()
        next_one = other.wait_call(8)
        next_one.answer()
        until(lambda: engine.ask("calls")[0]["phase"] == "talking", 5, what="the caller talks with 204")
        done = engine.command("call", "204", "hangup", "--json")
        assert json.loads(done.stdout)["call"] == name
        dialog.expect_bye()
        next_one.expect_bye()
    engine.wait_idle()
    late = engine.command("call", name, "hangup")
    assert late.returncode == 1 and "ended at" in late.stderr and late.stdout == ""
    authors = {e["data"]["author"] for e in engine.events() if e["kind"] == "operator.command"}
    assert authors and "" not in authors


def test_unknown_calls_agents_and_queues_are_said_with_status_1(engine: Engine) -> None:
    for arguments in (
        ("call", "nobody", "hangup"), ("call", "last", "transfer", "100"), ("agent", "999", "ready"),
        ("queue", "nowhere", "close"), ("queue", "support", "open"), ("tail", "--sip", "nobody"), ("tail", "nobody"),
    ):  # fmt: skip
        done = engine.command(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), (arguments, done.stdout)
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert engine.command("queue", "support", "close", "--until", "soon").returncode == 2
    assert engine.command("tail", "--pcap", "x").returncode == 2


def test_a_closed_queue_refuses_serves_and_survives_a_restart(tmp_path: Path) -> None:
    import conftest as demo

    edits = {"site.yaml": ("numbers:\n", "numbers:\n" + demo.NUMBERS)}
    with Engine(edits=edits, extra=demo.DIALPLAN) as engine:
        with engine.phone("stranger", secret=False) as caller, engine.phone("second", secret=False) as second:
            waits = caller.call("8700", media=40_002)
            done = engine.command("queue", "support", "close", "--until", "2h")
            assert done.returncode == 0 and "1 who wait" in done.stdout and "queue default/support open" in done.stdout
            comes = second.call("8700", media=40_004)
            comes.expect_bye(within=8)  # the dialplan's way for no_agents, since it names none for closed
            assert engine.ask("queues")[0]["waiting"] == 1
            waits.bye()
        assert engine.command("agent", "201", "login").returncode == 0
        assert engine.command("agent", "201", "not-ready", "lunch", "--until", "2h").returncode == 0
        before = [line for line in engine.command("status").stdout.splitlines() if line.startswith("switch")]
        assert len(before) == 2 and all(" by " in line and " since " in line and " until " in line for line in before)
        assert "lunch" in before[1]
        assert engine.command("reload").returncode == 0
        engine.wait_idle()
        engine.stop()
        engine.start()
        until(lambda: engine.command("status").returncode == 0, 60, every=0.5, what="the engine is back")
        after = [line for line in engine.command("status").stdout.splitlines() if line.startswith("switch")]
        assert after == before
        assert engine.child is not None
        engine.child.process.kill()  # what a crash leaves behind knows it as well
        engine.child.process.wait(5)
        engine.start()
        until(lambda: engine.command("status").returncode == 0, 60, every=0.5, what="the engine is back")
        after = [line for line in engine.command("status").stdout.splitlines() if line.startswith("switch")]
        assert after == before
        assert engine.command("queue", "support", "open").returncode == 0
        assert engine.command("agent", "201", "login").returncode == 0
        assert "switch " not in engine.command("status").stdout


def test_the_wallboard_as_lines_and_in_a_terminal(engine: Engine, caller: Phone) -> None:
    watch = ("queues", "--watch", "--every", "0.5", "--data", str(engine.data))
    with conversation(engine, caller) as (dialog, _, there), Terminal(*watch, cwd=ROOT) as terminal:
        text = terminal.wait("support", "inbound", "service", "util", "203", "talking")
        assert max(map(len, text.splitlines())) <= 80
        dialog.bye()
        there.expect_bye()
        terminal.wait_gone("talking")
        terminal.process.send_signal(signal.SIGINT)  # Ctrl-C
        until(lambda: terminal.process.poll() is not None, 5, what="Ctrl-C ends it")
    child = Child(
        [sys.executable, "-m", "engine", "queues", "--watch", "--json", "--every", "0.5", "--data", str(engine.data)],
        engine.folder / "watch.txt", cwd=ROOT,
    )  # fmt: skip
    try:
        child.wait_for(r"^\{.*\}$", 10, count=3)
    finally:
        child.stop()
    rows = json.loads(child.output().splitlines()[1])["queues"]
    support = next(row for row in rows if row["queue"] == "default/support")
    assert {"inbound", "service_level", "utilisation", "on_duty", "longest_wait_ms", "waiting"} <= support.keys()
    assert support["inbound"] >= 1


# --- the console ------------------------------------------------------------------------------------------------
def test_the_console_shows_the_call_its_story_its_ladder_and_hangs_it_up(
    engine: Engine, caller: Phone, tmp_path: Path
) -> None:
    with conversation(engine, caller) as (dialog, _, there):
        name = running(engine)
        with Terminal("console", "--data", str(engine.data), cwd=ROOT) as terminal:
            terminal.wait(name, "stranger", "talks with agent 203")
            terminal.type("\r")
            story = terminal.wait("Why he waited", "joined as number 1", "agent 203 answered", "In short:")
            assert "at that moment: 203 ready" in story
            terminal.type("s")
            ladder = terminal.wait("caller stranger", "agent 203", "INVITE SDP", "180 Ringing", "200 OK SDP")
            assert "▶│" in ladder and "│◀" in ladder
            terminal.press("\x1b[B")
            terminal.wait("SIP/2.0 100 Trying", "Call-ID:")
            terminal.type("\r")
            terminal.wait_gone("▶│")
            terminal.type("q")
            terminal.wait("Why he waited")
            terminal.press("\x1b")
            terminal.wait("[1 calls]")
            terminal.type("h")
            terminal.wait(f"Hang up call {name}?")
            terminal.type("n")
            terminal.wait_gone("Hang up call")
            assert running(engine) == name
            terminal.type("h")
            terminal.wait("Hang up call")
            terminal.type("y")
            terminal.wait(f"{name}: hung up")
            dialog.expect_bye()
            there.expect_bye()
            terminal.wait_gone("stranger")
            terminal.type("q")
            until(lambda: terminal.process.poll() is not None, 5, what="q ends the console")


def test_the_console_acts_on_queues_and_agents_and_filters(engine: Engine) -> None:
    with desk(engine, "203"), Terminal("console", "agents", "--data", str(engine.data), cwd=ROOT) as terminal:
        terminal.wait("[3 agents]", "Ana Reyes", "203")
        terminal.type("/203\r")
        terminal.wait_gone("Ana Reyes")
        terminal.type("n")
        terminal.wait("not ready: why?")
        terminal.type("\x7f\x7f\x7f\x7f\x7fcoffee\r")
        terminal.wait("not ready (coffee)", "undo: ringdown agent default/203 ready")
        assert engine.agent_state("203") == "not_ready"
        terminal.type("r")
        engine.wait_agent("203", "ready")
        terminal.press("\x1b")
        terminal.wait("Ana Reyes")
        terminal.type("2")
        terminal.wait("[2 queues]", "support")
        terminal.type("c")
        terminal.wait("Close queue default/support")
        terminal.type("y")
        terminal.wait("support CLOSED")
        terminal.type("o")
        terminal.wait_gone("CLOSED")
        terminal.type("5")
        terminal.wait("[5 events]", "queue.open")
        terminal.type("?")
        terminal.wait("Every act is printed with its undo")


def test_the_console_says_when_the_engine_is_gone_and_finds_it_again(tmp_path: Path) -> None:
    with Engine() as engine, Terminal("console", "queues", "--data", str(engine.data), cwd=ROOT) as terminal:
        terminal.wait("support", "[2 queues]")
        engine.stop()
        text = terminal.wait("NO ENGINE since", "looking again")
        assert "support" in text  # what was stays readable
        engine.start()
        terminal.wait("the engine answers again", seconds=20)
        terminal.wait_gone("NO ENGINE")


# --- captures ---------------------------------------------------------------------------------------------------
def dissect(path: Path, port: int, *fields: str) -> list[list[str]]:
    """Rows of fields as tshark sees them; the port is decoded as SIP."""
    command = ["tshark", "-n", "-r", str(path), "-d", f"udp.port=={port},sip", "-d", f"tcp.port=={port},sip"]
    for check in ("ip.check_checksum", "udp.check_checksum", "tcp.check_checksum"):
        command += ["-o", f"{check}:TRUE"]
    command += ["-T", "fields", *(part for field in fields for part in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_tshark_reads_a_call_over_udp_and_one_over_tcp(engine: Engine, tmp_path: Path) -> None:
    assert shutil.which("tshark"), "tshark is not installed (Debian: tshark)"
    for transport in ("udp", "tcp"):
        with engine.phone("stranger", transport=transport, secret=False) as phone:
            dialog = phone.call("9100")
            time.sleep(0.2)
            dialog.bye()
        engine.wait_idle()
        path = tmp_path / f"{transport}.pcapng"
        done = engine.command("tail", "--pcap", str(path), "last")
        assert done.returncode == 0 and "without secrets" in done.stdout, done.stderr
        rows = dissect(
            path, engine.port, "frame.protocols", "_ws.malformed", "_ws.expert.message", "sip.Method",
            "sip.Status-Code", "ip.checksum.status", f"{transport}.checksum.status", "sip.Call-ID",
        )  # fmt: skip
        assert len(rows) == 6, rows
        said = [row[3] or row[4] for row in rows]
        assert said == ["INVITE", "100", "200", "ACK", "BYE", "200"], said
        assert all(f":{transport}:sip" in row[0] and row[1] == "" for row in rows), rows
        assert all(row[5:7] == ["1", "1"] for row in rows), rows  # 1: good
        assert not [row[2] for row in rows if any(word in row[2] for word in ("alformed", "not captured", "Bad"))]
        assert len({row[7] for row in rows}) == 1


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_tshark_reads_ipv6_and_messages_kept_in_part(tmp_path: Path, transport: str) -> None:
    """The same writer with IPv6 ends, and one message of which only the beginning was kept."""
    from engine.console.capture import Message, pcapng

    far, us = "2001:db8::10:40000", "2001:db8::1:5060"
    head = b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/%s [2001:db8::10]:40000;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
    head = head % transport.upper().encode()
    head += b"From: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: six\r\nCSeq: 1 OPTIONS\r\n"
    whole = head + b"Content-Length: 0\r\n\r\n"
    part = head + b"Content-Type: text/plain\r\nContent-Length: 9000\r\n\r\n" + b"x" * 100
    found = [Message(1, far, us, transport, 1, whole), Message(2, us, far, transport, 1, whole)]
    path = tmp_path / "six.pcapng"
    path.write_bytes(pcapng([*found, Message(3, far, us, transport, 1, part)]))
    fields = ("frame.protocols", "_ws.malformed", f"{transport}.checksum.status", "ipv6.src", "sip.Call-ID")
    rows = dissect(path, 5060, *fields, "frame.len")
    assert [row[3] for row in rows] == ["2001:db8::10", "2001:db8::1", "2001:db8::10"]
    assert all(f":ipv6:{transport}:sip" in row[0] and row[1] == "" and row[4] == "six" for row in rows[:2]), rows
    assert [row[2] for row in rows[:2]] == ["1", "1"] and rows[2][1] == ""
    assert int(rows[2][5]) > 9_000


def test_a_capture_holds_no_digest_answer(engine: Engine, tmp_path: Path) -> None:
    """An agent's INVITE is challenged: his answer and our nonce are in no output, at the same lengths."""
    with engine.phone("203") as phone:
        phone.register()
        dialog = phone.place("204")
        reply = dialog.expect(*FINAL)
        dialog.ack()
        phone.register(expires=0, contact="*")
    assert reply.status >= 400
    engine.wait_idle()
    path = tmp_path / "secret.pcapng"
    assert engine.command("tail", "--pcap", str(path), "last").returncode == 0
    content = path.read_bytes()
    assert b"INVITE sip:204@" in content and b"Digest" in content
    shown = engine.command("tail", "--sip", "last", "--whole").stdout
    for text in (content.decode("latin-1"), shown):
        for part in text.split("response=")[1:] + text.split(" nonce=")[1:]:
            value = part.partition('"')[2].partition('"')[0]
            assert value and set(value) == {"x"}, value


def test_what_was_since_a_time_joins_what_is(engine: Engine, caller: Phone) -> None:
    first = caller.call("9100", media=40_002)
    first.bye()
    engine.wait_idle()
    child = Child(
        [sys.executable, "-m", "engine", "tail", "--since", "5m", "--sip", "--json", "--data", str(engine.data)],
        engine.folder / "since.txt", cwd=ROOT, env={"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        child.wait_for(r'"call.started"', 10)
        second = caller.call("9100", media=40_002)
        second.bye()
        name = str(engine.last_call(dialled="9100")["call"])
        child.wait_for(rf'"call.ended".*"{name}"', 10)
    finally:
        child.stop()
    items = [json.loads(line) for line in child.output().splitlines() if line.startswith("{")]
    numbers = [item["event"]["n"] for item in items if "event" in item]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))  # no gap, nothing twice
    hops = [item["sip"]["n"] for item in items if "sip" in item and item["sip"].get("n")]
    assert len(hops) == len(set(hops)) and sum(item["sip"]["call"] == name for item in items if "sip" in item) >= 6


# --- a slow reader ----------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_a_stopped_reader_is_dropped_counted_and_never_waited_for(engine: Engine) -> None:
    child = Child(
        [sys.executable, "-m", "engine", "tail", "--sip", "--data", str(engine.data)], engine.folder / "slow.txt",
        cwd=ROOT,
    )  # fmt: skip
    try:
        until(lambda: engine.ask("metrics")["tails"] == 1, 10, what="the tail is connected")
        dropped = engine.ask("metrics")["tails_dropped"]
        os.kill(child.pid, signal.SIGSTOP)
        began = time.monotonic()
        slowest = 0.0
        with engine.phone("stranger", secret=False) as caller:
            while engine.ask("metrics")["tails_dropped"] == dropped:
                assert time.monotonic() - began < 90, "never dropped"
                slowest = max(slowest, *(_refused_call(caller) for _ in range(20)))
        assert engine.ask("metrics")["tails"] == 0
        assert slowest < 0.5, f"an answer took {slowest * 1000:.0f} ms"
    finally:
        os.kill(child.pid, signal.SIGCONT)
        child.stop()


def _refused_call(caller: Phone) -> float:
    """An INVITE with a big body to a number that nobody has; seconds until its 404."""
    began = time.monotonic()
    dialog = caller.invite("8999", sdp=wire.offer("127.0.0.1", 40_002) + "a=x-filler:" + "f" * 6_000 + "\r\n")
    reply = dialog.expect(*FINAL)
    took = time.monotonic() - began
    dialog.ack()
    assert reply.status in (404, 401)
    return took

"""Run as a service: drained, watched, measured; with SIPp, promtool and a stand-in for systemd as witnesses."""

from __future__ import annotations

import ctypes
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from harness.children import until
from harness.desks import desk
from harness.phone import FINAL
from harness.server import Engine
from harness.sipp import Sipp
from harness.sipp import run as sipp_run

SHORT = {"site.yaml": ("retention:\n", "limits: {drain: 6s}\n\nretention:\n")}
HTTP = ("--http", "127.0.0.1:0")


def page(engine: Engine, path: str) -> tuple[int, str]:
    """(status, body) of a page of the engine's."""
    found = re.search(r"^ready .* http:(\S+)", engine.output(), re.M)
    assert found, engine.output()
    try:
        with urllib.request.urlopen(f"http://{found[1]}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figure(engine: Engine, name: str) -> float:
    """The sum of a family's samples."""
    time.sleep(1.05)  # a page may be a second old
    lines = page(engine, "/metrics")[1].splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{name}[{{ ]", line))


# --- drain ------------------------------------------------------------------------------------------------------
def test_a_drain_serves_who_is_there_and_ends_the_rest_in_time(tmp_path: Path) -> None:
    """SIPp: 8 callers who never hang up and 4 in the queue; new ones get 503; all twelve hear BYE with its reason."""
    with Engine(edits=SHORT, arguments=HTTP) as engine, engine.phone("b", secret=False) as late:
        stays = [
            Sipp(tmp_path, "uac_stays.xml", server=engine.address, number=number, calls=calls, rate=20, seconds=40)
            for number, calls in (("9664", 8), ("700", 4))
        ]
        with stays[0], stays[1]:
            until(lambda: engine.calls_now() == 12, 10, what="12 calls")
            assert page(engine, "/ready")[0] == 200
            began = time.monotonic()
            said = engine.command("drain")
            assert said.returncode == 0 and "12 calls go on" in said.stdout and "undo" in said.stdout, said
            status, body = page(engine, "/ready")
            assert status == 503 and json.loads(body)["why"] == ["draining"]
            assert page(engine, "/health")[0] == 200
            refused = sipp_run(tmp_path, "uac_call.xml", engine.address, "9100", calls=3, seconds=10)
            assert refused.succeeded == 0 and "503" in refused.trouble, refused.trouble
            final = late.invite("9100").expect(*FINAL)
            assert final.status == 503 and int(final.get("retry-after")) > 0
            with desk(engine, "201", ready=False):  # REGISTER is served to the end
                assert "DRAINING" in engine.command("status").stdout
            results = [each.wait() for each in stays]
            assert engine.child is not None and engine.child.wait(10) == 0
            took = time.monotonic() - began
        results[0].check(8)
        results[1].check(4)
        assert 5.9 <= took < 15, took
        rows = engine.rows("SELECT dialled, ended_by, outcome FROM calls")
        assert len(rows) == 12 and {row["ended_by"] for row in rows} == {"drain"}
        assert {row["outcome"] for row in rows if row["dialled"] == "700"} == {"failed"}
        assert {row["outcome"] for row in rows if row["dialled"] == "9664"} == {"served"}
        kinds = [event["kind"] for event in engine.events()]
        assert kinds.count("engine.drain") == 1 and kinds.count("engine.stopped") == 1


def test_in_dialog_requests_and_offers_to_agents_go_on_while_it_drains() -> None:
    edits = {"site.yaml": ("retention:\n", "limits: {drain: 60s}\n\nretention:\n")}
    with (
        Engine(edits=edits) as engine, engine.phone("a", secret=False) as caller, engine.phone("b", secret=False) as two
    ):  # fmt: skip
        last = two.call("9664")
        dialog = caller.call("700")
        engine.drain()
        until(lambda: engine.ask("status")["draining"], 3)
        with desk(engine, "201") as agent:  # registers and logs in now: the waiting caller is his
            there = agent.wait_call(10)
            there.answer()
            engine.wait_agent("201", "talking")
            until(lambda: "talking" in [call["phase"] for call in engine.ask("calls")], 8)
            changed = dialog.offer("")  # a re-INVITE
            assert changed.status == 200
            assert dialog.bye().status == 200
            there.expect_bye()
        assert engine.child is not None and engine.child.running()
        assert last.bye().status == 200
        assert engine.child.wait(15) == 0
        rows = engine.rows("SELECT outcome FROM calls WHERE dialled = '700'")
        assert [row["outcome"] for row in rows] == ["served"]


def test_a_second_sigterm_says_good_bye_to_everybody(tmp_path: Path) -> None:
    with Engine() as engine:
        sipp = Sipp(tmp_path, "uac_stays.xml", server=engine.address, number="9664", calls=5, rate=20, seconds=30)
        with sipp:
            until(lambda: engine.calls_now() == 5, 10, what="5 calls")
            engine.command("drain")
            engine.drain()  # the first SIGTERM: an operator has said so already, nothing changes
            time.sleep(1)
            assert engine.calls_now() == 5
            engine.drain()
            sipp.wait().check(5)
        assert engine.child is not None and engine.child.wait(8) == 0
        assert {row["ended_by"] for row in engine.rows("SELECT ended_by FROM calls")} == {"drain"}


# --- metrics ----------------------------------------------------------------------------------------------------
def test_promtool_finds_nothing_to_say_about_the_metrics(tmp_path: Path) -> None:
    with Engine(arguments=HTTP) as engine:
        sipp_run(tmp_path, "uac_call.xml", engine.address, "9664", calls=5).check(5)
        engine.wait_idle()
        time.sleep(1.1)
        status, text = page(engine, "/metrics")
        assert status == 200
        done = subprocess.run(
            ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stdout + done.stderr
        for name, value in (
            ("ringdown_calls_started_total", 5), ("ringdown_calls_ended_total", 5), ("ringdown_calls", 0),
            ('ringdown_sip_requests_total{direction="received",method="INVITE"}', 5),
            ('ringdown_sip_responses_total{class="2xx",direction="sent"}', 10),
            ("ringdown_quality_legs_total", 5), ("ringdown_switch_faults_total", 0), ("ringdown_media_alive", 1),
        ):  # fmt: skip
            assert figure(engine, re.escape(name)) == value or (name in text and f"{name} {value}.0" in text), name
        assert "sipp" not in text, "a caller in the labels"


def test_each_alarm_is_raised_by_its_trouble_and_by_nothing_less(tmp_path: Path) -> None:
    here = Path(__file__).resolve()
    rules = here.parents[2] / "hardware" / "prometheus" / "ringdown-alerts.yaml"
    for path in (rules, here.with_name("ringdown-alerts.test.yaml")):
        (tmp_path / path.name).write_text(path.read_text())
    command = ["promtool", "test", "rules", str(tmp_path / "ringdown-alerts.test.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_the_alert_rules_are_rules_over_metrics_that_exist(tmp_path: Path) -> None:
    rules = Path(__file__).resolve().parents[2] / "hardware" / "prometheus" / "ringdown-alerts.yaml"
    done = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "5 rules found" in done.stdout, done.stdout + done.stderr
    scrape = rules.with_name("scrape.yaml").read_text().replace("ringdown-alerts.yaml", str(rules))
    (tmp_path / "prometheus.yml").write_text(scrape)
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
    used = set(re.findall(r"\bringdown_[a-z_]+", rules.read_text()))
    with Engine(arguments=HTTP) as engine:
        text = page(engine, "/metrics")[1]
    known = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    known |= {f"{name}{end}" for name in known for end in ("_sum", "_count")}
    assert used and used <= known, used - known


def test_a_flood_of_garbage_is_a_bounded_number_of_lines() -> None:
    with Engine(arguments=("--json",)) as engine:
        before = len(engine.output().splitlines())
        began = time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(6_000):
                sock.sendto(b"BROKEN sip:%d SIP/9.9\r\nX: y\x1b[2J\r\n\r\n" % number, engine.address)
                if number % 50 == 49:
                    time.sleep(0.005)
        time.sleep(2.5)
        took = time.monotonic() - began
        lines = engine.output().splitlines()[before:]
        facts = [json.loads(line) for line in lines if line.startswith("{")]
        assert len(facts) == len([line for line in lines if line.strip()]), "a line that is no JSON"
        assert 20 <= len(facts) <= 25 * (took + 2), (len(facts), took)
        held = [fact for fact in facts if "held back" in fact["event"]]
        refused = [fact for fact in facts if fact["event"].startswith("refused ")]
        told = sum(int(fact["event"].split()[0]) for fact in held)
        dropped = sum(engine.ask("blocks")["dropped"].values())  # the gate hears no more of such a source
        assert held and told + len(refused) + dropped >= 5_500, (told, len(refused), dropped)
        assert engine.ask("status")["runtime"]["log_lines_held_back"] >= told > 500


# --- the service manager ----------------------------------------------------------------------------------------
class Systemd:
    """What systemd is for a service of Type=notify: a datagram socket that is always read (it holds ten at most)."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.said: list[tuple[float, dict[str, str]]] = []
        self._seen = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):  # closed
            while text := self.sock.recv(4_096).decode():
                self.said.append((time.monotonic(), dict(line.split("=", 1) for line in text.splitlines())))

    def listen(self, seconds: float) -> list[dict[str, str]]:
        """What has been said since the last time, and is within the next `seconds`."""
        time.sleep(seconds)
        begin, self._seen = self._seen, len(self.said)
        return [said for _, said in self.said[begin:self._seen]]

    def pings(self, seconds: float) -> int:
        return sum("WATCHDOG" in said for said in self.listen(seconds))


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Systemd]:
    found = Systemd(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1500000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield found
    found.sock.shutdown(socket.SHUT_RDWR)  # ends the thread
    found.sock.close()


SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # ptrace(2)
_ALL = 0x4000_0000  # waitpid: threads too


@contextmanager
def frozen(thread: int) -> Iterator[None]:
    """One thread of another process stands still, as if the kernel never scheduled it; the others go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    assert libc.ptrace(SEIZE, thread, None, None) == 0, os.strerror(ctypes.get_errno())
    try:
        assert libc.ptrace(INTERRUPT, thread, None, None) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(thread, _ALL)
        yield
    finally:
        libc.ptrace(DETACH, thread, None, None)


def media_thread(engine: Engine) -> int:
    threads = Path(f"/proc/{engine.pid}/task").iterdir()
    found = [int(each.name) for each in threads if (each / "comm").read_text().strip() == "media"]
    assert len(found) == 1, found
    return found[0]


def test_the_service_manager_hears_ready_pings_reloads_and_the_end(systemd: Systemd) -> None:
    with Engine(edits=SHORT) as engine:
        said = systemd.listen(2.5)
        assert said[0]["READY"] == "1" and "0 calls" in said[0]["STATUS"], said
        assert 4 <= sum("WATCHDOG" in each for each in said) <= 7
        assert engine.command("reload").returncode == 0
        said = []
        until(lambda: said.extend(each for each in systemd.listen(0.3) if "WATCHDOG" not in each)
              or any("READY" in each for each in said), 8, every=0, what="READY=1")  # fmt: skip
        assert [next(iter(each)) for each in said] == ["RELOADING", "READY"] and "MONOTONIC_USEC" in said[0]
        pid = engine.pid
        done = engine.command("restart", seconds=60)  # another program in the same process: the unit must not mind
        assert done.returncode == 0, done.stdout + done.stderr
        said = systemd.listen(2.5)
        assert [each["READY"] for each in said if "READY" in each] == ["1"] and engine.pid == pid
        assert sum("WATCHDOG" in each for each in said) >= 2 and engine.child is not None and engine.child.running()
        with engine.phone("a", secret=False) as caller:
            dialog = caller.call("9664")
            engine.drain()
            said = systemd.listen(1.5)
            stopping = next(each for each in said if "STOPPING" in each)
            assert stopping["EXTEND_TIMEOUT_USEC"] == str((6 + 5 + 15) * 1_000_000)
            assert any("draining, 1 calls" in each.get("STATUS", "") for each in said if "WATCHDOG" in each)
            dialog.bye()
        assert engine.child is not None and engine.child.wait(10) == 0


def test_no_ping_while_the_media_thread_stands_still(systemd: Systemd) -> None:
    """The thread itself is stopped (ptrace), in mid-call; SIP goes on meanwhile, and yet the watchdog is not fed."""
    with Engine(arguments=HTTP) as engine, engine.phone("a", secret=False) as caller:
        dialog = caller.call("9664")
        assert systemd.pings(2) >= 3
        with frozen(media_thread(engine)):
            systemd.listen(4.5)  # silent_s_max, and a round of housekeeping
            assert systemd.pings(2.5) == 0
            status, body = page(engine, "/health")
            assert status == 503 and json.loads(body)["media"] == "stalled"
            assert json.loads(page(engine, "/ready")[1])["why"] == ["media"]
            assert engine.calls_now() == 1, "SIP and operators are served meanwhile"
        until(lambda: page(engine, "/health")[0] == 200, 4, what="the thread is back")
        assert systemd.pings(2) >= 3
        assert dialog.bye().status == 200


def test_no_ping_while_the_event_loop_stands_still(systemd: Systemd) -> None:
    with Engine() as engine:
        assert systemd.pings(2) >= 3
        with frozen(engine.pid):  # the main thread runs the loop
            systemd.listen(0.3)
            assert systemd.pings(2) == 0
        assert systemd.pings(2) >= 2


# --- the unit -----------------------------------------------------------------------------------------------------
UNIT = Path(__file__).resolve().parents[2] / "hardware" / "systemd" / "ringdown.service"
EXPOSURE_MAX = 14  # systemd-analyze security: 0 to 100; what is left is explained in hardware/README.md


def test_systemd_accepts_the_unit_and_finds_it_closed(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/ringdown/bin/ringdown", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(unit)], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stdout + done.stderr
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    unit.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=stricter"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=30)
    assert "protect system" in done.stderr, "the check sees nothing"


def test_the_unit_allows_every_system_call_that_the_engine_makes(tmp_path: Path) -> None:
    """strace sees a start, calls, a reload, a restart and a drain; systemd says what its sets of calls hold."""
    trace = tmp_path / "trace"
    wrapper = ("strace", "-f", "-qq", "-o", str(trace), "-e", "signal=none")
    with Engine(wrapper=wrapper, arguments=HTTP) as engine, engine.phone("a", secret=False) as caller:
        caller.call("9101").bye()
        assert page(engine, "/metrics")[0] == 200
        assert engine.command("reload").returncode == 0
        assert engine.command("restart", seconds=60).returncode == 0
        caller.call("9664").bye()
        engine.command("drain", "--wait", seconds=30)
        assert engine.child is not None and engine.child.wait(10) == 0
    used = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(errors="replace"), re.M))
    assert {"sendto", "recvfrom", "timerfd_settime", "execve", "fsync"} <= used, "the trace is not of a call"
    allowed: set[str] = set()
    for line in UNIT.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            for name in line.partition("=")[2].lstrip("~").split():
                allowed = allowed - _calls(name) if "~" in line else allowed | _calls(name)
    if os.geteuid() == 0:
        used.discard("fchown")  # SQLite keeps a journal's owner, but only when it runs as root, which the unit doesn't
    assert len(used) > 60 and not used - allowed, used - allowed


def _calls(name: str) -> set[str]:
    """The system calls of a set such as @system-service."""
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter", name],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    names = [line.strip() for line in done.stdout.splitlines()[1:] if line.strip() and "#" not in line]
    return {call for each in names for call in (_calls(each) if each.startswith("@") else {each})}

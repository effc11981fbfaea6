"""The engine as its users see it: a process, a data folder, an operators' socket, a command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.children import Child, until
from harness.phone import Phone
from harness.ports import free_port
from harness.shark import NOTES, Ports, Watch

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "dialplans" / "demo"
NONE: dict[str, tuple[str, str]] = {}
READY_S = 90.0  # the first start on a machine compiles the kernels
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
FIRST = 18_000 + 2_000 * int(WORKER.removeprefix("gw") or 0)
MEDIA = (FIRST, FIRST + 1_999) if WORKER else (16_384, 32_767)  # the engine's ports of audio
KEYLOG = Path(__file__).resolve().parent / "keylog"
PASSWORD = re.compile(r"^\s*default/(\d+)\s+([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})\s*$", re.M)


class Engine:
    """One `ringdown serve` on free loopback ports with a data folder of its own. Use as a context manager."""

    def __init__(
        self, site: Path = DEMO, *, arguments: tuple[str, ...] = (), core: int = -1,
        edits: dict[str, tuple[str, str]] = NONE, extra: str = "",
        wrapper: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """`edits`: file of the site's copy -> (text, what stands there instead); `extra`: a dialplan named interop;
        `wrapper`: a command that runs it, such as strace."""
        self.folder = Path(tempfile.mkdtemp(prefix="rd-"))  # short: a Unix socket's path has 108 characters
        self.site = self.folder / "site"
        shutil.copytree(site, self.site)
        if extra:
            (self.site / "dialplans" / "interop.yaml").write_text(extra)
        for name, (old, new) in edits.items():
            self.edit(name, old, new)
        self.data = self.folder / "data"
        self.port = free_port()
        self.arguments, self.core, self.wrapper = arguments, core, wrapper
        self.child: Child | None = None
        self.watch: Watch | None = None
        self.ready_s = self.first_ready_s = 0.0
        self._starts = 0

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one text in a file of the site's copy (then `ringdown reload`)."""
        path = self.site / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new))

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def __enter__(self) -> Engine:
        return self.start()

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> Engine:
        """Start and wait for `ready`; AssertionError with its stderr when it doesn't come."""
        command = [sys.executable, "-m", "engine", "serve", "--site", str(self.site), "--data", str(self.data)]
        command += [f"--listen={transport}:127.0.0.1:{self.port}" for transport in ("udp", "tcp")]
        if WORKER:  # another engine beside this one: it must not take the ports of calls that outlive a crash
            command.append(f"--rtp-ports={MEDIA[0]}-{MEDIA[1] - 1}")
        if self.core >= 0:
            command = ["taskset", "-c", str(self.core), *command]
        command = [*self.wrapper, *command]
        began = time.monotonic()
        log = self.folder / "stderr.txt"
        ready = r"^ready\b"  # earlier engines of this folder have said so too, and whatever `ringdown restart` began
        said = len(re.findall(ready, log.read_text(errors="replace"), re.M)) if log.exists() else 0
        self._starts += 1
        env = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self._watched()}
        self.child = Child([*command, *self.arguments], log, cwd=ROOT, env=env)
        try:
            self.child.wait_for(ready, READY_S, count=said + 1)
        except AssertionError:
            self.child.stop()
            if self.watch is not None and self._starts == 1:  # nobody will stop it
                self.watch.end()
                self.watch = None
            raise
        if self.watch is not None:
            self.watch.ready()
        self.ready_s = time.monotonic() - began
        self.first_ready_s = self.first_ready_s or self.ready_s
        return self

    def _watched(self) -> dict[str, str]:
        """See to it that the wire is watched (`harness.shark`); what the engine's environment needs for it."""
        if not NOTES.on:
            return {}
        listens = [word.removeprefix("--listen=").split(":") for word in self.arguments if word.startswith("--listen=")]
        tls = tuple(int(words[-1]) for words in listens if words[0] == "tls")
        plain = (self.port, *(int(words[-1]) for words in listens if words[0] != "tls"))
        trunks = self.site / "trunks.yaml"
        text = trunks.read_text() if trunks.exists() else ""
        carriers = tuple(int(port) for port in re.findall(r"\bport: (\d+)", text))
        if self.watch is None:
            self.watch = Watch(self.folder, Ports(tuple(sorted({*plain})), tls, MEDIA, carriers))
        if not tls and "tls" not in text:
            return {}
        return {"PYTHONPATH": f"{ROOT}{os.pathsep}{KEYLOG}", "TLS_KEYS": str(self.watch.keys)}

    def stop(self, seconds: float = 6.0) -> None:
        """The end of the process, and of what was said meanwhile: AssertionError when tshark finds something wrong."""
        if self.child is not None:
            self.child.stop(seconds)
        watch, self.watch = self.watch, None
        if watch is not None:
            watch.judge()

    def kill(self) -> None:
        """SIGKILL: the process is gone, its data folder stays; `start` goes on from there."""
        assert self.child is not None
        self.child.process.kill()
        self.child.process.wait(5)

    def drain(self) -> None:
        """SIGTERM: no new calls, the rest goes on."""
        self.child.process.send_signal(signal.SIGTERM)  # type: ignore[union-attr]

    def output(self) -> str:
        return self.child.output() if self.child is not None else ""

    def passwords(self) -> dict[str, str]:
        """The default tenant's agents' passwords as shown once at the first start: number -> password."""
        return dict(PASSWORD.findall(self.output()))

    def phone(self, user: str, *, transport: str = "udp", secret: bool = True, port: int = 0) -> Phone:
        """A scripted phone; `secret`: it knows the agent's password."""
        password = self.passwords().get(user, "") if secret else ""
        return Phone(self.address, user, password, transport=transport, port=port)

    # --- operators ------------------------------------------------------------------------------------------------
    def command(self, *arguments: str, seconds: float = 20.0) -> subprocess.CompletedProcess[str]:
        """`ringdown ARGUMENTS --data …`, finished."""
        command = [sys.executable, "-m", "engine", *arguments, "--data", str(self.data)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)

    def ask(self, verb: str, **arguments: str) -> Any:
        """One request on the operators' socket; its data. AssertionError when it is refused."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(6)
            link.connect(str(self.data / "ringdown.sock"))
            link.sendall(json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                more = link.recv(65_536)
                if not more:
                    break
                data += more
        answer = json.loads(data)
        assert answer.get("ok"), f"{verb} {arguments}: {answer.get('error')}"
        return answer.get("data")

    def calls_now(self) -> int:
        """Calls in progress."""
        return int(self.ask("status")["switch"]["calls"])

    def wait_idle(self, seconds: float = 5.0) -> None:
        """No call and no leg is left; AssertionError otherwise."""
        until(lambda: self.calls_now() == 0, seconds, what="no call in progress")

    def agent(self, number: str) -> dict[str, Any]:
        """One agent's row of `ringdown agents`."""
        rows = self.ask("agents")
        found = [row for row in rows if row["agent"] == number and row["tenant"] == "default"]
        assert found, f"no agent {number} in {rows}"
        return dict(found[0])

    def login(self, number: str) -> None:
        """Log an agent of the default tenant in, as an operator."""
        self.ask("agent.login", agent=f"default/{number}")

    def logout(self, number: str) -> None:
        self.ask("agent.logout", agent=f"default/{number}")

    def send_home(self, seconds: float = 8.0) -> list[str]:
        """Agents who are still logged in when what they were told has had its time (wrap-up …); then logged out."""
        began = time.monotonic()
        while True:
            here = [f"{row['tenant']}/{row['agent']}" for row in self.ask("agents") if row["state"] != "logged_out"]
            if not here or time.monotonic() - began > seconds:
                break
            time.sleep(0.05)
        for agent in here:
            self.ask("agent.logout", agent=agent)
        return here

    def agent_state(self, number: str) -> str:
        return str(self.agent(number).get("state"))

    def wait_agent(self, number: str, *states: str, seconds: float = 5.0) -> None:
        until(lambda: self.agent_state(number) in states, seconds, what=f"agent {number} is {states}")

    def story(self) -> str:
        """What a person would look at after a failure: agents, queues, calls, the last events, the last lines."""
        parts: list[str] = []
        for verb in ("agents", "queues", "calls"):
            try:
                parts.append(f"{verb}: {json.dumps(self.ask(verb), ensure_ascii=False)}")
            except (OSError, AssertionError, ValueError) as error:
                parts.append(f"{verb}: not told: {error}")
        try:
            rows = self.rows("SELECT * FROM events ORDER BY boot DESC, n DESC LIMIT 60")
            parts += [" ".join(str(value) for value in row.values()) for row in reversed(rows)]
        except sqlite3.Error as error:
            parts.append(f"events: not told: {error}")
        return "\n".join([*parts, self.output()[-4_000:]])

    # --- records ----------------------------------------------------------------------------------------------------
    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the SQLite file (read only)."""
        base = sqlite3.connect(f"file:{self.data / 'ringdown.db'}?mode=ro", uri=True, timeout=5)
        try:
            base.row_factory = sqlite3.Row
            return [dict(row) for row in base.execute(query, values)]
        finally:
            base.close()

    def last_call(self, *, dialled: str = "", caller: str = "", seconds: float = 4.0) -> dict[str, Any]:
        """The newest row of `calls` for that number and caller, waited for (records are written in batches).

        Calls must be over: a record is written when its call has ended and its media counts are known.
        """
        self.wait_idle(8)
        time.sleep(0.5)

        def search() -> dict[str, Any] | None:
            where, values = ["1"], []
            for column, value in (("dialled", dialled), ("caller", caller)):
                if value:
                    where.append(f"{column} = ?")
                    values.append(value)
            found = self.rows(f"SELECT * FROM calls WHERE {' AND '.join(where)} ORDER BY n DESC LIMIT 1", *values)
            return found[0] if found else None

        row = until(search, seconds, what=f"a record of a call to {dialled or 'any number'} from {caller or 'anyone'}")
        assert isinstance(row, dict)
        return row

    def events(self, call: str = "") -> list[dict[str, Any]]:
        """The event stream as stored, of one call or all; `data` decoded."""
        rows = self.rows("SELECT * FROM events ORDER BY boot, n") if not call else self.rows(
            "SELECT * FROM events WHERE call = ? ORDER BY boot, n", call
        )  # fmt: skip
        return [{**row, "data": json.loads(row["data"])} for row in rows]

    def kinds(self, call: str) -> list[str]:
        return [event["kind"] for event in self.events(call)]

    def queue_log(self) -> list[list[str]]:
        """Lines of queue_log, split at the bars."""
        path = self.data / "queue_log"
        return [line.split("|") for line in path.read_text().splitlines()] if path.exists() else []

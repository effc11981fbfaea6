"""Runs SIPp with the scenarios of tests/interop/sipp and reads its counts, timings and errors."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from harness.children import Child
from harness.ports import free_port

SCENARIOS = Path(__file__).resolve().parents[1] / "sipp"
CAPTURES = Path("/usr/share/sip-tester")


@dataclass
class Result:
    """What a finished run said. `timings_ms` are SIPp's response times, one a call (rtd="1" … of the scenario)."""

    status: int
    succeeded: int
    failed: int
    timings_ms: list[float] = field(default_factory=list)
    trouble: str = ""

    def check(self, calls: int = 1) -> Result:
        """AssertionError, with SIPp's own account of it, unless `calls` calls succeeded and none failed."""
        assert (self.succeeded, self.failed) == (calls, 0), (
            f"SIPp: {self.succeeded} of {calls} succeeded, {self.failed} failed, status {self.status}\n{self.trouble}"
        )
        return self


class Sipp:
    """One SIPp process: `wait` for it to end by itself. As a UAS it is reached at `port`."""

    def __init__(
        self, folder: Path, scenario: str, *, server: tuple[str, int] | None = None, number: str = "", calls: int = 1,
        rate: float = 10, at_once: int = 0, transport: str = "u1", keys: dict[str, str] | None = None, port: int = 0,
        seconds: float = 60, user: tuple[str, str] | None = None, more: tuple[str, ...] = (),
        host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        assert shutil.which("sipp"), "SIPp is not installed (Debian: sip-tester)"
        self.folder = folder / f"sipp-{Path(scenario).stem}-{free_port()}"
        self.folder.mkdir(parents=True)
        self.port, self.media_port = port or free_port(), free_port(pairs=True)
        self.keys = keys or {}
        built_in = not scenario.endswith(".xml")
        source = ["-sn", scenario] if built_in else ["-sf", str(self._scenario(scenario))]
        command = [
            "sipp", *source, "-i", host, "-p", str(self.port), "-mi", host, "-mp", str(self.media_port),
            "-t", transport, "-m", str(calls), "-nostdin", "-trace_err", "-trace_stat", "-trace_rtt", "-rtt_freq", "1",
            "-timeout", f"{seconds:g}s", "-cp", str(free_port()), "-trace_screen",
        ]  # fmt: skip
        if server is not None:
            command += ["-s", number or "service", "-r", f"{rate:g}", "-l", str(at_once or calls)]
        if user is not None:
            command += ["-au", user[0], "-ap", user[1]]
        for key, value in self.keys.items():
            command += ["-key", key, value]
        command += [*more, *([f"{server[0]}:{server[1]}"] if server else [])]
        self.seconds = seconds
        self.child = Child(command, self.folder / "output.txt", cwd=self.folder, env={"TERM": "dumb"})

    def _scenario(self, name: str) -> Path:
        """SIPp writes its logs beside the scenario, so it gets a copy; captures are linked where it looks for them.

        Status lines, expressions and timeouts must be literal for SIPp, so the keys for them are put into the copy.
        """
        target = self.folder / name
        text = (SCENARIOS / name).read_text()
        for key in ("status", "text", "answer_ms", "talk_ms", "patience_ms", "audio", "law"):
            text = text.replace(f"[{key}]", self.keys.get(key, ""))
        target.write_text(text)
        if "pcap/" in text:
            (self.folder / "pcap").symlink_to(CAPTURES)
        return target

    def wait(self, seconds: float = 0) -> Result:
        """The finished run; SIPp itself gives up after its `seconds`."""
        try:
            status = self.child.wait(seconds or self.seconds + 5)
        finally:
            self.child.stop()
        counts = self._counts()
        return Result(status, counts[0], counts[1], self._timings(), "" if status == 0 else self.trouble())

    def finish(self) -> None:
        """No more new calls; those that are up go on to their end (then `wait`)."""
        os.kill(self.child.pid, signal.SIGUSR1)

    def stop(self) -> None:
        self.child.stop()

    def __enter__(self) -> Sipp:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _logs(self, ending: str) -> list[Path]:
        return sorted(self.folder.glob(f"*{ending}"))

    def _counts(self) -> tuple[int, int]:
        files = [path for path in self._logs("_.csv") if not path.name.endswith("_rtt.csv")]
        rows = list(csv.DictReader(files[0].open(), delimiter=";")) if files else []
        if not rows:
            return 0, 0
        return int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["FailedCall(C)"])

    def _timings(self) -> list[float]:
        rows = [line.split(";") for path in self._logs("_rtt.csv") for line in path.read_text().splitlines()[1:]]
        return [float(row[1]) for row in rows if len(row) > 1]

    def trouble(self) -> str:
        """SIPp's error log, or the end of its output."""
        errors = "\n".join(path.read_text(errors="replace")[-4000:] for path in self._logs("_errors.log"))
        return errors or self.child.tail(30)


def run(folder: Path, scenario: str, server: tuple[str, int], number: str, **more: object) -> Result:
    """Run a UAC scenario to its end."""
    with Sipp(folder, scenario, server=server, number=number, **more) as sipp:  # type: ignore[arg-type]
        return sipp.wait()

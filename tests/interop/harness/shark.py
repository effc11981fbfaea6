"""What every engine of the interop tests says on the wire, read by tshark at the end of that engine's life.

dumpcap writes what passes the engine's ports; afterwards no frame may be malformed, and none that the engine sent may
hold an error that tshark's experts know of, or be anything that isn't SIP where SIP belongs. Garbage that a test sends
on purpose is known by its source (not the engine) and its time (a test of `RUDE`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.children import Child

frames_max = 200_000  # of one capture: some 40 MB, an hour of a call
alone_frames_max = 20_000  # beside a test that judges speed: below a tenth of a second of CPU, then nothing
reading_s_max = 120.0
watched_s_max = 3_600
roll_after_s = 60.0  # the engine that many tests share is judged between them, but not after each
ERROR = 0x800000  # tshark's severities
FIELDS = (
    "frame.number", "frame.time_epoch", "udp.srcport", "tcp.srcport", "udp.dstport", "tcp.dstport", "frame.protocols",
    "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "_ws.col.Info",
)  # fmt: skip
# A port of ours may be some other protocol's by its number: what is "malformed" as one of those isn't.
PROTOCOLS = "(sip || sdp || rtp || rtcp || srtcp || stun || tls)"
KEEP = Path(tempfile.gettempdir()) / "ringdown-captures"  # those that were found wrong

# Modules and tests that send garbage on purpose: what doesn't come from the engine isn't judged meanwhile.
RUDE = {
    "test_edge", "test_hostile", "test_rude_phone",
    "test_dialogs::test_sdp_that_cannot_be_served",
}  # fmt: skip
# RFC 4475's "intmeth" has a method of 43 characters, which an answer repeats in CSeq: tshark has room for fewer.
ECHOED = {"test_hostile::test_the_torture_messages"}
# A phone that offers keys beside a plain profile sends reports which tshark reads as if they were plain: noise.
ENCRYPTED = {"test_encrypted"}
# Nothing may run beside these but for a moment.
BRIEF: set[str] = set()


@dataclass
class Notes:
    """`on`: somebody judges; `tests`: (when it began, its name); `said`: one line per capture that was read."""

    on: bool = False
    interface: str = "lo"
    tests: list[tuple[float, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    frames: int = 0
    seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        """For another process to `add`."""
        return {"said": self.said, "frames": self.frames, "seconds": self.seconds}

    def add(self, told: dict[str, Any]) -> None:
        self.said += told.get("said", [])
        self.frames += told.get("frames", 0)
        self.seconds += told.get("seconds", 0.0)

    def test_at(self, when: float) -> str:
        """The test that ran then."""
        return next((name for began, name in reversed(self.tests) if began <= when), "no test")

    def module(self) -> str:
        return _module(self.tests[-1][1]) if self.tests else ""


NOTES = Notes()


@dataclass(frozen=True)
class Ports:
    """An engine's: `sip` for UDP and TCP, `tls`, of audio from `media[0]` to `media[1]`, and its carriers'."""

    sip: tuple[int, ...]
    tls: tuple[int, ...] = ()
    media: tuple[int, int] = (16_384, 32_767)
    carriers: tuple[int, ...] = ()

    def filter(self) -> str:
        """In the words of libpcap."""
        near = " or ".join(f"port {port}" for port in sorted({*self.sip, *self.tls, *self.carriers}))
        return f"(udp or tcp) and ({near}) or udp portrange {self.media[0]}-{self.media[1]}"

    def sent(self, row: dict[str, str]) -> bool:
        """Did the engine send this frame? By its source port, or, where it opened the connection, by the other end."""
        udp, tcp = row["udp.srcport"], row["tcp.srcport"]
        if udp:
            return int(udp) in self.sip or self.media[0] <= int(udp) <= self.media[1]
        return bool(tcp) and (int(tcp) in self.sip + self.tls or int(row["tcp.dstport"]) in self.carriers)


@dataclass
class Reading:
    """What tshark found in a file: frames of each kind, and what is wrong, one line each."""

    frames: int
    sip: int
    rtp: int
    rtcp: int
    wrong: list[str]

    def __str__(self) -> str:
        return f"{self.frames} frames: {self.sip} SIP, {self.rtp} RTP, {self.rtcp} RTCP"


def read(path: Path, ports: Ports, keys: Path | None = None) -> Reading:
    """A capture as tshark reads it. AssertionError when it can't."""
    assert shutil.which("tshark"), "tshark is not installed (Debian: tshark)"
    ours = ",".join(str(port) for port in ports.sip)
    strange = f"udp.srcport in {{{ours}}} && udp.length > 12 && !sip && !stun"
    # niced: beside tests that talk in real time
    command = ["nice", "-n", "19", "tshark", "-n", "-r", str(path), "-T", "fields"]
    command += ["-E", "separator=/t", "-E", "aggregator=;"]
    command += ["-Y", f"((_ws.malformed || _ws.expert.severity == {ERROR}) && {PROTOCOLS}) || ({strange})"]
    command += [word for each in FIELDS for word in ("-e", each)]
    command += ["-z", "io,stat,0,frame,sip,rtp,rtcp"]
    for port in ports.sip:
        command += ["-d", f"udp.port=={port},sip", "-d", f"tcp.port=={port},sip"]
    for port in ports.tls:
        command += ["-d", f"tcp.port=={port},tls", "-d", f"tls.port=={port},sip"]
    if keys is not None and keys.exists():
        command += ["-o", f"tls.keylog_file:{keys}"]
    done = subprocess.run(command, capture_output=True, timeout=reading_s_max)
    text, trouble = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode == 0, f"tshark can't read {path}:\n{trouble}{text[-2_000:]}"
    counts = re.search(r"^\|[^|]+<>[^|]+\|(.*)\|$", text, re.M)  # no such line: no frame
    found = [int(cell) for cell in counts[1].split("|")[::2]] if counts is not None else [0, 0, 0, 0]
    rows = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in text.splitlines() if "\t" in line]
    return Reading(*found, [told for told in (_wrong(row, ports) for row in rows) if told])


def _wrong(row: dict[str, str], ports: Ports) -> str:
    """A line about a frame that isn't as it should be, '' for one that may stay."""
    ours, malformed = ports.sent(row), bool(row["_ws.malformed"])
    test = NOTES.test_at(float(row["frame.time_epoch"]))
    names = {_module(test), f"{_module(test)}::{_function(test)}"}
    if (ours and names & ECHOED) or (not ours and (not malformed or names & RUDE)):
        return ""
    if row["frame.protocols"].endswith(":rtcp") and names & ENCRYPTED:
        return ""
    maker = "the engine's" if ours else "a far end's"
    fault = "malformed" if malformed else row["_ws.expert.message"] or "not SIP"
    source, target = row["udp.srcport"] or row["tcp.srcport"], row["udp.dstport"] or row["tcp.dstport"]
    return (
        f"frame {row['frame.number']}, {maker}, port {source} to {target}, {row['frame.protocols']}: {fault}"
        f" [{row['_ws.col.Info']}] during {test}"
    )


def _module(test: str) -> str:
    return Path(test.partition("::")[0]).stem


def _function(test: str) -> str:
    return test.partition("::")[2].partition("[")[0]


class Watch:
    """dumpcap at one engine's ports, from `Watch(…)` until `judge`."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        assert shutil.which("dumpcap"), "dumpcap is not installed (Debian: tshark)"
        self.folder, self.ports, self.module = folder, ports, NOTES.module()
        self._child: Child | None = None
        self._count = 0
        self.began = 0.0
        self.begin()

    @property
    def path(self) -> Path:
        return self.folder / f"wire-{self._count}.pcap"

    @property
    def keys(self) -> Path:
        return self.folder / "tls-keys.txt"

    def begin(self) -> None:
        """From now on, in a new file."""
        self._count += 1
        self.module, self.began = NOTES.module(), time.monotonic()
        most = alone_frames_max if self.module in BRIEF else frames_max
        command = ["dumpcap", "-q", "-P", "-i", NOTES.interface, "-f", self.ports.filter(), "-a", f"packets:{most}"]
        command += ["-a", f"duration:{watched_s_max}"]  # when nobody is left to end it
        self._child = Child([*command, "-w", str(self.path)], self.folder / f"dumpcap-{self._count}.txt")

    def roll(self) -> None:
        """Between two tests of an engine that lives on: judged, where there is enough, and watched again."""
        if self._child is not None and time.monotonic() - self.began > roll_after_s:
            self.judge()
            self.begin()
            self.ready()

    def ready(self) -> None:
        """Frames are written from here on."""
        assert self._child is not None
        self._child.wait_for("^File: ", 10)

    def end(self) -> Path:
        """The file, whole."""
        assert self._child is not None
        self._child.stop()
        output, self._child = self._child.output(), None
        assert self.path.exists(), f"no capture was written:\n{output}"
        return self.path

    def judge(self) -> None:
        """The end: AssertionError when tshark finds something wrong; then the file is kept."""
        if self._child is None:
            return
        began = time.monotonic()
        self.end()
        reading = read(self.path, self.ports, self.keys)
        NOTES.frames += reading.frames
        NOTES.seconds += time.monotonic() - began
        most = alone_frames_max if self.module in BRIEF else frames_max
        NOTES.said.append(f"{self.module}: {reading}{', no more were taken' * (reading.frames >= most)}")
        if reading.wrong:
            KEEP.mkdir(exist_ok=True)
            kept = KEEP / f"{self.module}-{int(time.time())}-{self.ports.sip[0]}-{self._count}.pcap"
            shutil.move(self.path, kept)
            lines = "\n".join(reading.wrong[:20])
            raise AssertionError(f"tshark finds {len(reading.wrong)} frames wrong in {kept}:\n{lines}")
        self.path.unlink()

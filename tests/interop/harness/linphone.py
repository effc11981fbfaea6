"""A real softphone: Debian's linphonec, driven by typed commands, with files instead of a sound card."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from harness.children import Child
from harness.ports import free_port

CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port=0
sip_tls_port={tls}
{trust}guess_hostname=0
use_ipv6=0
[misc]
use_cn={noise}
{misc}[net]
bind_address=127.0.0.1
[rtp]
audio_rtp_port={rtp}
"""
READY_S = 20.0


class Linphone:
    """One linphonec that registers as `user`. Calls have linphone's own ids: 1, 2 … in the order they began."""

    def __init__(
        self, folder: Path, server: tuple[str, int], user: str, password: str = "", *, fetch: str = "",
        authority: Path | None = None, noise: bool = False,
    ) -> None:  # fmt: skip
        """`fetch`: it is told nothing but this address, where its configuration lies, and to believe certificates
        signed by `authority`; `server` is then where its calls go. `noise`: it describes its silence (comfort noise,
        RFC 3389) instead of sending it."""
        assert shutil.which("linphonec"), "linphonec is not installed (Debian: linphone-cli)"
        self.folder = folder / f"linphone-{user}-{free_port()}"
        (self.folder / ".local" / "share" / "linphone").mkdir(parents=True)
        self.server = f"{server[0]}:{server[1]}"
        config = self.folder / "rc"
        self.rtp = free_port(pairs=True)
        config.write_text(CONFIG.format(
            port=-1 if fetch else free_port(), tls=-1 if fetch else 0, rtp=self.rtp, noise=int(noise),
            trust=f"root_ca={authority}\n" if authority is not None else "",
            misc=f"config-uri={fetch}\n" if fetch else "",
        ))  # fmt: skip
        command = ["stdbuf", "-oL", "linphonec", "-S", "-c", str(config)]
        self.child = Child(command, self.folder / "output.txt", env={"HOME": str(self.folder)})
        self.say("soundcard use files")
        self.child.wait_for("Using wav files", READY_S)
        if not fetch:
            self.say(f"register sip:{user}@{self.server} sip:{self.server} {password}")

    def __enter__(self) -> Linphone:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.say("quit")
        self.child.stop(2)

    def say(self, command: str) -> None:
        self.child.type(command + "\n")

    def answer(self, number: int) -> None:
        """Answer call `number` when it comes."""
        self.child.wait_for(rf"incoming call from .* assigned id {number}\b", 10)
        self.say(f"answer {number}")
        self.child.wait_for(rf"Call {number} with .* connected", 10)

    def pause(self, number: int) -> None:
        """Put its call on hold."""
        self.say("pause")
        self.child.wait_for(rf"Call {number} with .* (is now )?paused", 10)

    def call(self, user: str) -> None:
        self.say(f"call sip:{user}@{self.server}")

    def transfer(self, first: int, second: int) -> None:
        """Attended: whom call `first` talks to goes on with whom `second` talks to."""
        self.say(f"transfer {first} --to-call {second}")

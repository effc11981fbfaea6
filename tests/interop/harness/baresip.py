"""A real softphone: Debian's baresip, driven through ctrl_tcp, with a WAV as its microphone and a pipe as its speaker.

This baresip has no module that writes what it plays to a file, and no sound hardware is at hand. So its speaker is an
ALSA device of kind `file` that writes raw samples into a named pipe, over `null`; a thread reads the pipe at 8,000
samples a second, which paces the player as a sound card would. `heard()` is what a person would have heard.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import listening
import numpy as np

from harness.children import Child, until
from harness.networks import Network
from harness.ports import free_port

MODULES = Path("/usr/lib/baresip/modules")
F_SETPIPE_SZ = 1031

CONFIG = """\
poll_method epoll
sip_listen {shown}:{port}
call_local_timeout 120
call_max_calls 4
audio_player {player}
audio_source {source}
audio_alert none,none
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 120-500
rtp_ports {rtp}-{rtp_end}
rtp_timeout 0
jitter_buffer_delay 2-10
dns_server 127.0.0.1:9
net_interface {host}
module_path {modules}
module g711.so
{wide}module aufile.so
module alsa.so
{bridge}module ctrl_tcp.so
{display}{instance}{srtp}module_tmp account.so
module_app menu.so
{lamp}{certified}ctrl_tcp_listen 127.0.0.1:{control}
"""

ALSA = """\
pcm.ear {{
  type file
  file "{pipe}"
  format "raw"
  slave.pcm {{ type null }}
}}
"""


class Baresip:
    """One baresip with one account. `events` is what ctrl_tcp reported, oldest first."""

    def __init__(
        self, folder: Path, server: tuple[str, int], user: str, password: str = "", *, transport: str = "udp",
        microphone: np.ndarray | None = None, auto_answer: bool = False, register: bool = True, codec: str = "pcmu",
        display: bool = False, port: int = 0, lamp: bool = False, host: str = "127.0.0.1",
        authority: Path | None = None, outbound: bool = False, network: Network | None = None, srtp: str = "",
        rate: int = 8000, proxies: tuple[int, ...] = (), repeats: bool = False,
    ) -> None:  # fmt: skip
        """`display`: it shows the texts of MESSAGE requests, in `child`'s output; `lamp`: it asks for its message
        summary and shows that there. `port`: where it is called, at `host`. `authority`: it believes certificates
        signed by this one. `outbound`: it registers by RFC 5626; `proxies`: through each of these ports of 127.0.0.1.
        `network`: the namespace that it runs in. `srtp`: its mediaenc (srtp, srtp-mand); its messages are then in
        `child`'s output. `codec`: one, or several as baresip names them ("G722/16000/1,pcmu/8000/1"); `rate`: of
        microphone and speaker. `repeats`: it says what it hears."""
        assert shutil.which("baresip"), "baresip is not installed (Debian: baresip-core)"
        self.user, self.server = user, server
        self.folder = folder / f"baresip-{user}-{free_port()}"
        self.folder.mkdir(parents=True)
        self.port, self.control = port or free_port(pairs=True), free_port()  # its TLS takes port + 1
        rtp = free_port(pairs=True, reserve=44)
        self.rtp = range(rtp, rtp + 41)
        self.events: list[dict[str, object]] = []
        self._replies: list[dict[str, object]] = []
        self._heard = bytearray()
        self._silences: list[tuple[int, float]] = []
        self._over = threading.Event()
        self._spoken = 0
        self.rate = rate
        pipe = self.folder / "speaker"
        os.mkfifo(pipe)
        values = {
            "port": self.port, "control": self.control, "rtp": rtp, "rtp_end": rtp + 40, "modules": MODULES,
            "player": "aubridge,line" if repeats else "alsa,ear",
            "source": "aubridge,line" if repeats else f"aufile,{_microphone(self.folder, microphone, rate=rate)}",
            "bridge": "module aubridge.so\n" if repeats else "",
            "display": "module stdio.so\n" if display else "", "lamp": "module_app mwi.so\n" if lamp else "",
            "srtp": "module srtp.so\n" if srtp else "",
            "host": host, "shown": f"[{host}]" if ":" in host else host, "rate": rate,
            "instance": "module_tmp uuid.so\n" if outbound else "",
            "certified": f"sip_cafile {authority}\n" if authority is not None else "",
            "wide": "module g722.so\nmodule l16.so\n" if "/" in codec else "",
        }  # fmt: skip
        (self.folder / "config").write_text(CONFIG.format(**values))
        (self.folder / "asoundrc").write_text(ALSA.format(pipe=pipe))
        where = f"[{server[0]}]:{server[1]}" if ":" in server[0] else f"{server[0]}:{server[1]}"
        account = f"<sip:{user}@{where};transport={transport}>;auth_user={user};auth_pass={password or 'none'}"
        named = codec if "/" in codec else f"{codec}/8000/1"
        account += f";audio_codecs={named};ptime=20;regint={300 if register else 0}"
        through = [f"127.0.0.1:{port}" for port in proxies] or [where]
        account += ";sipnat=outbound" if outbound else ""
        for place, proxy in enumerate(through if outbound else [], 1):
            account += f";outbound{place}={_proxy(proxy, transport)}"
        account += f";answermode={'auto' if auto_answer else 'manual'}"
        account += f";mediaenc={srtp}" if srtp else ""
        (self.folder / "accounts").write_text(account + "\n")
        (self.folder / "contacts").write_text("")
        self._speaker = threading.Thread(target=self._listen, args=(pipe,), daemon=True)
        self._speaker.start()
        alsa = {"ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{self.folder / 'asoundrc'}", "HOME": str(self.folder)}
        self.network = network
        command = ["baresip", "-f", str(self.folder), "-v", *(("-s",) if srtp else ())]
        if network is not None:
            command = [*network.enter, *command]
        self.child = Child(command, self.folder / "output.txt", env=alsa)
        self.began = time.monotonic()
        self._link = self._connect()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Baresip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self.command("quit")
        self.child.stop(2)
        self._over.set()
        with contextlib.suppress(OSError):
            self._link.close()
        self._speaker.join(2)

    # --- ears -------------------------------------------------------------------------------------------------------
    def _listen(self, pipe: Path) -> None:
        fd = os.open(pipe, os.O_RDWR)  # both ways, so that no end of file comes between two calls
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, F_SETPIPE_SZ, 4096)
        os.set_blocking(fd, False)
        due = time.monotonic()
        while not self._over.is_set():
            due += 0.02
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                data = os.read(fd, self.rate // 25)
            except BlockingIOError:
                continue
            if not self._heard or time.monotonic() - self._silences[-1][1] > 1.0:
                self._silences.append((len(self._heard) // 2, time.monotonic()))
            else:
                self._silences[-1] = (self._silences[-1][0], time.monotonic())
            self._heard += data
        os.close(fd)

    def heard(self) -> np.ndarray:
        """All samples that left the speaker, calls one after the other."""
        whole = len(self._heard) // 2 * 2
        return np.frombuffer(bytes(self._heard[:whole]), "<i2").astype(float)

    def heard_out(self) -> np.ndarray:
        """`heard()` after a call, with what was on its way then: the speaker's pipe holds a quarter of a second."""
        limit = time.monotonic() + 2.0
        while self._silences and time.monotonic() < min(limit, self._silences[-1][1] + 0.3):
            time.sleep(0.05)
        return self.heard()

    def mark(self) -> int:
        """A place in `heard()`: now."""
        return len(self._heard) // 2

    # --- control ------------------------------------------------------------------------------------------------------
    def _connect(self) -> socket.socket:
        def attempt() -> socket.socket | None:
            assert self.child.running(), f"baresip ended:\n{self.child.tail()}"
            with contextlib.suppress(OSError):
                if self.network is not None:
                    return self.network.connect("127.0.0.1", self.control)
                return socket.create_connection(("127.0.0.1", self.control), timeout=1)
            return None

        link = until(attempt, 10, what="baresip's control port")
        assert isinstance(link, socket.socket)
        link.settimeout(0.2)
        return link

    def _read(self) -> None:
        rest = b""
        while not self._over.is_set():
            try:
                data = self._link.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            rest += data
            while b":" in rest:
                size, _, tail = rest.partition(b":")
                if len(tail) < int(size) + 1:
                    break
                found, rest = json.loads(tail[: int(size)]), tail[int(size) + 1 :]
                (self.events if found.get("event") else self._replies).append(found)

    def command(self, name: str, parameters: str = "") -> dict[str, object]:
        """Run a baresip command such as `dial`, `accept`, `hangup`, `hold`, `resume`, `transfer`, `sndcode`."""
        token = f"t{len(self._replies)}-{time.monotonic_ns()}"
        text = json.dumps({"command": name, "params": parameters, "token": token}).encode()
        self._link.sendall(b"%d:%s," % (len(text), text))
        if name == "quit":
            return {}

        def answered() -> dict[str, object] | None:
            return next((reply for reply in self._replies if reply.get("token") == token), None)

        reply = until(answered, 4, every=0.01, what=name)
        assert isinstance(reply, dict)
        return reply

    def wait_event(self, kind: str, within: float = 6.0, *, after: int = 0) -> dict[str, object]:
        """The first event of `kind` (REGISTER_OK, CALL_INCOMING, CALL_ESTABLISHED …) from place `after` on."""

        def search() -> dict[str, object] | None:
            return next((event for event in self.events[after:] if event.get("type") == kind), None)

        try:
            found = until(search, within, every=0.02)
        except AssertionError:
            kinds = [(event.get("type"), event.get("param")) for event in self.events]
            text = f"{self.user}: no {kind} within {within} s; events {kinds}\n{self.child.tail(25)}"
            raise AssertionError(text) from None
        assert isinstance(found, dict)
        return found

    def registered(self, within: float = 6.0) -> Baresip:
        """Wait until the registrar has accepted it (that may be before ctrl_tcp is connected, so the output tells)."""
        self.child.wait_for(r"200 OK .*\[\d+ binding", within)
        return self

    def dial(self, number: str) -> int:
        """Place a call to `number` at the account's server; the place in `events` before it."""
        place = len(self.events)
        self.command("dial", f"sip:{number}@{self.server[0]}:{self.server[1]}")
        return place

    def speak(self, samples: np.ndarray) -> float:
        """Say this into the microphone from now on, instead of what it said; when its last sound is over (monotonic s).

        The call must be established: the source of a running call is exchanged.
        """
        self._spoken += 1
        path = _microphone(self.folder, samples, f"said-{self._spoken}.wav", rate=self.rate)
        self.command("ausrc", f"aufile,{path}")
        return time.monotonic() + samples.size / self.rate

    def press(self, digits: str, *, length_s: float = 0.15) -> None:
        """Send digits as RFC 4733 events."""
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(length_s)
            self.command("sndcode", "\x04")
            time.sleep(0.1)


def _proxy(where: str, transport: str) -> str:
    return f'"sip:{where};transport={transport}"'


def _microphone(
    folder: Path, samples: np.ndarray | None, name: str = "microphone.wav", *, rate: int = listening.RATE
) -> Path:
    """A WAV with the sound first and then two minutes of silence: baresip hangs up where an aufile source ends."""
    sound = np.zeros(0) if samples is None else samples
    return listening.write_wav(folder / name, np.concatenate((sound, np.zeros(120 * rate))), rate=rate)

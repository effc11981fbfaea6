"""A scripted remote agent: registers, answers, plays a WAV, records, prints the digits it hears.

    RINGDOWN_PHONE_PASSWORD=… python -m tools.softphone --server 192.0.2.1:5060 --user 201 --play hello.wav

It is a phone that shares no code with the engine, which is its worth: it stands on pyVoIP 1.6.8. pyVoIP is GPL-3.0,
so it is an extra (`pip install ringdown[softphone]`), runs in this process of its own, and is never imported by
engine/. What it can't do (TCP, hold, transfer, CANCEL, any loss on the way) is no task for it. One JSON line per fact
on stdout: registered, ringing, answered, digit, ended, stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Any

FRAME = 160  # samples in 20 ms at 8 kHz, which is also bytes: pyVoIP's audio is 8 bit unsigned
LAG_S = 0.1


def say(fact: str, **details: object) -> None:
    """One line for the script that drives us."""
    print(json.dumps({"fact": fact, "at": round(time.time(), 3), **details}), flush=True)


def read_8bit(path: Path) -> bytes:
    """A WAV file (8 kHz mono, 8 or 16 bit) as pyVoIP wants it."""
    with wave.open(str(path), "rb") as file:
        if (file.getframerate(), file.getnchannels()) != (8_000, 1) or file.getsampwidth() not in (1, 2):
            raise SystemExit(f"{path}: 8 kHz mono, 8 or 16 bit is needed")
        data, width = file.readframes(file.getnframes()), file.getsampwidth()
    return data if width == 1 else bytes((high + 128) & 255 for high in data[1::2])


def own_address(server: tuple[str, int]) -> str:
    """Our address as the server sees it (no packet is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(server)
        return str(probe.getsockname()[0])


class Agent:
    """Answers calls as told. pyVoIP calls `ring` in a thread of its own for each call."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.answer_after_s: float = arguments.answer_after
        self.hang_up_after_s: float = arguments.hang_up_after
        self.reject: bool = arguments.reject
        self.calls_left: int = arguments.calls
        self.sound = read_8bit(arguments.play) if arguments.play else b""
        self.record: Path | None = arguments.record
        self.done = threading.Event()

    def ring(self, call: Any) -> None:
        try:
            self._serve(call)
        except Exception as problem:  # a thread of pyVoIP's would swallow it
            say("fault", problem=repr(problem))
        self.calls_left -= 1
        if self.calls_left == 0:
            self.done.set()

    def _serve(self, call: Any) -> None:
        from pyVoIP.VoIP import CallState, InvalidStateError

        caller = call.request.headers["From"]
        say("ringing", number=caller.get("number", ""), name=caller.get("caller", ""))
        if self.reject:
            call.deny()
            say("ended", reason="rejected")
            return
        time.sleep(self.answer_after_s)
        try:
            call.answer()
        except InvalidStateError:
            say("ended", reason="the caller was gone before the answer")
            return
        say("answered")
        heard = self._talk(call, CallState)
        if self.record:
            with wave.open(str(self.record), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(1)
                file.setframerate(8_000)
                file.writeframes(heard)
        say("ended", heard_ms=len(heard) // 8)

    def _talk(self, call: Any, states: Any) -> bytes:
        """Until either side hangs up; returns what was heard.

        pyVoIP pads what hasn't arrived with silence, so frames are read by the clock and LAG_S behind it.
        """
        call.write_audio(self.sound)
        heard, began = bytearray(), time.monotonic()
        due = began + LAG_S
        while call.state == states.ANSWERED:
            due += FRAME / 8_000
            time.sleep(max(0.0, due - time.monotonic()))
            heard += call.read_audio(FRAME, blocking=False)
            digit = call.get_dtmf()
            if digit:
                say("digit", digit=digit)
            if self.hang_up_after_s and time.monotonic() - began >= self.hang_up_after_s:
                call.hangup()
                break
        return bytes(heard)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.softphone", description=__doc__)
    parser.add_argument("--server", default="127.0.0.1:5060", help="HOST:PORT of the registrar")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-env", default="RINGDOWN_PHONE_PASSWORD", help="the variable with the password")
    parser.add_argument("--port", type=int, default=0, help="our SIP port (0: any)")
    parser.add_argument("--answer-after", type=float, default=1.0, metavar="S")
    parser.add_argument("--hang-up-after", type=float, default=0.0, metavar="S", help="0: never")
    parser.add_argument("--reject", action="store_true", help="answer 486")
    parser.add_argument("--calls", type=int, default=0, help="stop after so many (0: never)")
    parser.add_argument("--play", type=Path)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    password = os.environ.get(arguments.password_env)
    if password is None:
        parser.error(f"the environment has no {arguments.password_env}")
    try:
        from pyVoIP.VoIP import VoIPPhone
    except ImportError:
        print("pyVoIP is missing: pip install pyVoIP==1.6.8 (tools/setup --test brings it)", file=sys.stderr)
        return 1
    host, _, port = arguments.server.rpartition(":")
    server = (socket.gethostbyname(host), int(port))
    agent, here = Agent(arguments), own_address(server)
    if not arguments.port:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((here, 0))
            arguments.port = probe.getsockname()[1]
    phone = VoIPPhone(
        *server, arguments.user, password, myIP=here, callCallback=agent.ring, sipPort=arguments.port
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: agent.done.set())
    phone.start()  # registers first; raises when it can't
    say("registered", user=arguments.user, address=f"{here}:{arguments.port}")
    agent.done.wait()
    phone.stop()
    say("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

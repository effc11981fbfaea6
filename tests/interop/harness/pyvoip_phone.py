"""pyVoIP 1.6.8 as a phone, in a process of its own (it is GPL-3.0 and is never imported by anything else here).

    python pyvoip_phone.py HOST PORT USER PASSWORD MY_PORT FIRST_RTP_PORT

Registers, answers every call after pyVoIP's own second, plays the WAV-less tone it makes itself, prints what it saw as
lines `registered`, `ringing`, `answered`, `digit X`, `ended`, and obeys `dial NUMBER`, `hangup`, `quit` on stdin.
"""

from __future__ import annotations

import math
import sys
import threading
import time


def say(*words: object) -> None:
    print(*words, flush=True)


def tone(frequency: float, seconds: float) -> bytes:
    """Unsigned 8-bit samples, the only kind that pyVoIP takes."""
    return bytes(int(128 + 60 * math.sin(2 * math.pi * frequency * i / 8000)) for i in range(int(8000 * seconds)))


def serve(call: object, state: dict[str, object]) -> None:
    """One call: answer, whistle at 700 Hz, report digits until it is over."""
    from pyVoIP.VoIP import CallState

    state["call"] = call
    say("ringing")
    try:
        call.answer()  # type: ignore[attr-defined]
        say("answered")
        sound = tone(700, 1.0)
        next_sound = 0.0
        heard = 0
        while call.state == CallState.ANSWERED:  # type: ignore[attr-defined]
            if time.monotonic() >= next_sound:
                call.write_audio(sound)  # type: ignore[attr-defined]
                next_sound = time.monotonic() + 1.0
            digit = call.get_dtmf()  # type: ignore[attr-defined]
            if digit:
                say("digit", digit)
            audio = call.read_audio(length=160, blocking=False)  # type: ignore[attr-defined]
            if any(octet not in (127, 128) for octet in audio):
                heard += 1
                if heard in (10, 50):
                    say("hears")
            time.sleep(0.01)
    except Exception as fault:
        say("fault", type(fault).__name__, fault)
    say("ended")


def main() -> None:
    host, port, user, password, my_port, rtp = sys.argv[1:7]
    from pyVoIP.VoIP import VoIPPhone

    state: dict[str, object] = {}

    def ring(call: object) -> None:
        serve(call, state)

    phone = VoIPPhone(
        host, int(port), user, password, callCallback=ring, myIP="127.0.0.1", sipPort=int(my_port),
        rtpPortLow=int(rtp), rtpPortHigh=int(rtp) + 20,
    )  # fmt: skip
    phone.start()
    say("registered")
    for line in sys.stdin:
        word, _, rest = line.strip().partition(" ")
        if word == "quit":
            break
        if word == "hangup":
            state["call"].hangup()  # type: ignore[attr-defined]
        elif word == "dial":
            state["call"] = phone.call(rest)
            say("dialling", rest)
            threading.Thread(target=watch, args=(state["call"],), daemon=True).start()
    threading.Thread(target=phone.stop, daemon=True).start()  # it hangs at times (its issue 229)
    time.sleep(1)
    sys.stdout.flush()
    import os

    os._exit(0)


def watch(call: object) -> None:
    """Report the state changes of a call that we placed."""
    last = None
    while True:
        state = str(call.state)  # type: ignore[attr-defined]
        if state != last:
            say("state", state)
            last = state
        if state.endswith("ENDED"):
            return
        time.sleep(0.02)


if __name__ == "__main__":
    main()

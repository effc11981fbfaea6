"""How soon a caller interrupts a prompt, and is answered: real calls on loopback, the times read from their packets.

    python -m tools.barge_in [--target HOST:PORT --number N] [--utterances 120] [--keys 40] [--callers 3] [--json FILE]

Callers in several voices and noises speak over a prompt of ten seconds, again and again. Without a target an engine of
this checkout is started with a dialplan of its own; a target's number must lead to a menu with a long prompt that
understands "billing" and "sales", says something, and asks again; key 3 is answered after 0.5 s of silence (or nobody
could tell the answer from the prompt). Barge-in: from the moment at which the caller's first sound is handed to the
socket's sender (up to 20 ms before it is on the wire) to the last packet of the prompt; answer: from his last
sound to the first packet that can be heard behind it. What this machine made the caller send more than 10 ms
late is left out, and counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "interop")]

import listening  # noqa: E402
from harness import speaker  # noqa: E402
from harness.phone import Phone  # noqa: E402
from harness.rtp import Ear  # noqa: E402
from harness.server import Engine  # noqa: E402

from engine.dialplan.voice_model import VoiceModel  # noqa: E402

NUMBER = "8820"
NUMBERS = f"numbers:\n  {NUMBER}: {{dialplan: interop, public: yes}}\n"
DIALPLAN = """\
ringdown: 1
entry: main
person: desk
languages: [en]
phrases:
  billing: [billing, my bill, "[pay] an invoice"]
  sales: [sales, "buy something"]
flows:
  main:
    - answer
    - goto: ask
  ask:
    - menu:
        prompt: ten_seconds
        listen: [keys, speech]
        timeout: 2s
        tries: 10
        choices: {1: billing, 2: sales, 3: keyed}
        failed: desk
  keyed:                       # its answer must not begin where the prompt ends, or nobody could tell the two apart
    - silence: 500ms
    - play: thank_you
    - goto: ask
  billing:
    - play: thank_you
    - goto: ask
  sales:
    - play: thank_you
    - goto: ask
  desk:
    - play: goodbye
    - hangup: desk
"""
TEXTS = ("billing", "sales", "my bill", "pay an invoice", "i would like to buy something")
VOICES = {
    **speaker.VOICES, "awb": VoiceModel("flite", "awb"), "kal16": VoiceModel("flite", "kal16"),
    "en-gb+f3": VoiceModel("espeak-ng", "en-gb+f3"),
}  # fmt: skip
SNRS_DB = (40.0, 20.0, 15.0)
LOUD = 300.0  # root mean square of a packet that can be heard
MARGIN_S = 0.3
PAUSE_S = 0.15  # without a packet
KEY = "by key"


class Told(msgspec.Struct, frozen=True):
    """One interruption. `kind`: a voice's name or KEY; ms, None where it never came."""

    kind: str
    text: str
    snr_db: float
    barge_in_ms: float | None
    answer_ms: float | None
    stalled: bool


class Caller:
    """One call that goes on."""

    def __init__(self, target: tuple[str, int], number: str, name: str) -> None:
        self._phone = Phone(target, name).__enter__()
        self._ear = Ear().__enter__()
        self._dialog = self._phone.call(number, media=self._ear.port)
        self._ear.start(self._dialog.media.host, self._dialog.media.port)

    def close(self) -> None:
        """Hang up."""
        try:
            self._dialog.bye()
        finally:
            self._ear.close()
            self._phone.close()

    def _sent(self, since: float) -> list[float]:
        """When each packet since then arrived that is more than digital silence."""
        return [packet.at for packet in list(self._ear.packets)
                if packet.at > since and packet.kind in (0, 8) and len(set(packet.payload)) > 1]  # fmt: skip

    def _loud(self, since: float) -> list[float]:
        """When each packet since then that can be heard arrived."""
        found = []
        for packet in list(self._ear.packets):
            if packet.at > since and packet.kind in (0, 8):
                samples = listening.decode(packet.payload, packet.kind).astype(np.float64)
                if np.sqrt(np.mean(samples**2)) > LOUD:
                    found.append(packet.at)
        return found

    def _wait_for_prompt(self, chance: np.random.Generator) -> None:
        """Until the answer before is over and the prompt has been heard for a moment."""
        end, since = time.monotonic() + 15.0, time.monotonic()
        while time.monotonic() < end and not self._loud(since):
            time.sleep(0.02)
        time.sleep(float(chance.uniform(2.0, 3.5)))

    def interrupt(self, kind: str, text: str, snr_db: float, chance: np.random.Generator) -> Told:
        """Speak, or press 3, over the prompt; wait for what is said then."""
        self._ear.packets.clear()
        self._wait_for_prompt(chance)
        began = time.monotonic()
        if kind == KEY:
            ended = began
            self._ear.press("3")
        else:
            samples = speaker.words(text, kind)
            self._ear.play(speaker.in_room(samples, snr_db, int(chance.integers(1 << 30))))
            ended = began + samples.size / speaker.RATE
        while time.monotonic() < ended + 2.5 and not self._answered(began, ended):
            time.sleep(0.05)
        time.sleep(MARGIN_S)
        loud = self._loud(began)
        last = _prompt_end([at - began for at in self._sent(began)], ended - began)
        answer = next((at - ended for at in loud if last is not None and at - began > last and at > ended), None)
        return Told(
            kind, text, snr_db, None if last is None else 1_000 * last, None if answer is None else 1_000 * answer,
            self._ear.stalls(began) > 0.02,
        )  # fmt: skip

    def _answered(self, began: float, ended: float) -> bool:
        last = _prompt_end([at - began for at in self._sent(began)], ended - began)
        return last is not None and any(at - began > max(last, ended - began) for at in self._loud(began))


def _prompt_end(sent: list[float], ended: float) -> float | None:
    """When the prompt's last packet came, in s from the interruption on: the one behind which nothing was sent for
    PAUSE_S (0 where nothing was from the beginning); None when it went on until long after he had ended. Loudness can't
    tell: prompts have pauses as long.
    """
    before = [0.0, *sent]
    for at, following in zip(before, [*sent, float("inf")], strict=True):
        if following - at > PAUSE_S:
            return at if at < ended + 1.5 else None
    return None


def place_calls(target: tuple[str, int], number: str, wishes: list[tuple[str, str, float]], callers: int) -> list[Told]:
    """Every wish once, shared among so many callers at once."""
    told: list[Told] = []
    faults: list[BaseException] = []

    def one(place: int) -> None:
        chance = np.random.default_rng(place)
        caller: Caller | None = None
        try:
            for count, wish in enumerate(wishes[place::callers]):
                if count % 12 == 0:  # calls have an end
                    if caller is not None:
                        caller.close()
                    caller = Caller(target, number, f"caller{place}")
                assert caller is not None
                told.append(caller.interrupt(*wish, chance))
        except BaseException as fault:
            faults.append(fault)
        finally:
            if caller is not None:
                caller.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return told


def rows(told: list[Told]) -> list[dict[str, Any]]:
    """The table: all voices, each voice, each noise, keys."""
    spoken = [each for each in told if each.kind != KEY]
    groups = {"all voices": spoken}
    groups |= {kind: [each for each in spoken if each.kind == kind] for kind in dict.fromkeys(e.kind for e in spoken)}
    groups |= {f"pink {snr:.0f} dB": [each for each in spoken if each.snr_db == snr] for snr in SNRS_DB}
    groups[KEY] = [each for each in told if each.kind == KEY]
    return [_row(name, group) for name, group in groups.items() if group]


def _row(name: str, group: list[Told]) -> dict[str, Any]:
    kept = [each for each in group if not each.stalled]
    row: dict[str, Any] = {"interrupted": name, "of": len(kept), "left out": len(group) - len(kept)}
    for title, values in (
        ("barge-in", [each.barge_in_ms for each in kept]), ("answer", [each.answer_ms for each in kept]),
    ):  # fmt: skip
        known = [value for value in values if value is not None]
        row[f"{title} never"] = len(values) - len(known)
        for rank in (50, 95, 99):
            row[f"{title} ms {rank}"] = round(float(np.percentile(known, rank))) if known else None
    return row


def main() -> int:
    """Print the table. Status 1 when somebody was never heard."""
    parser = argparse.ArgumentParser(prog="python -m tools.barge_in", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--target", help="HOST:PORT of a running engine (default: one is started)")
    parser.add_argument("--number", default=NUMBER)
    parser.add_argument("--utterances", type=int, default=120)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--callers", type=int, default=3, help="at once (default 3)")
    parser.add_argument("--json", type=Path, help="write every interruption there, too")
    chosen = parser.parse_args()
    speaker.VOICES.update(VOICES)
    spoken = [(voice, text, snr) for snr in SNRS_DB for text in TEXTS for voice in VOICES]
    wishes = [spoken[at % len(spoken)] for at in range(chosen.utterances)] + [(KEY, "3", 0.0)] * chosen.keys
    for voice, text, _ in wishes:
        if voice != KEY:
            speaker.words(text, voice)  # made before anybody calls
    if chosen.target:
        host, _, port = chosen.target.rpartition(":")
        told = place_calls((host, int(port)), chosen.number, wishes, chosen.callers)
    else:
        with Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN) as engine:
            told = place_calls(engine.address, chosen.number, wishes, chosen.callers)
    for row in rows(told):
        print(", ".join(f"{name} {value}" for name, value in row.items()))
    if chosen.json:
        chosen.json.write_text(json.dumps(msgspec.to_builtins(told), indent=1) + "\n", "utf-8")
    return 1 if any(each.barge_in_ms is None for each in told) else 0


if __name__ == "__main__":
    raise SystemExit(main())

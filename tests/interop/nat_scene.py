"""Played by test_nat under `unshare -rn`: an engine on the public side, a home router that translates addresses, and
behind it one agent's phone per transport, each called by a phone on the public side.

Prints one JSON line per transport: the tones that each heard (levels), where the engine sees the phone, and what its
registration said.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "interop")]

import listening  # noqa: E402
import numpy as np  # noqa: E402
from harness import shark  # noqa: E402
from harness.baresip import Baresip  # noqa: E402
from harness.children import until  # noqa: E402
from harness.networks import Network, do, translate, wire  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.server import DEMO, Engine  # noqa: E402

from tests.runtime.authority import Authority  # noqa: E402

PUBLIC, ROUTER, HOME, PHONE = "198.51.100.1", "198.51.100.2", "192.168.77.1", "192.168.77.2"
TONE = listening.tone((400.0,), 30, level=6_000)
OTHER = listening.tone((700.0,), 30, level=6_000)


def level(samples: np.ndarray, hertz: float) -> float:
    cut = np.asarray(samples, float)[-4_000:]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(cut)) / listening.RATE)
    return float(abs(cut @ wave)) / max(len(cut), 1) * 2


def play(folder: Path, home: Network) -> None:
    site, authority, ports = folder / "site", Authority(folder / "authority"), {"tls": free_port()}
    shutil.copytree(DEMO, site)
    certificate, key = authority.issue("sip", PUBLIC)
    with (site / "site.yaml").open("a") as file:
        file.write(f"tls: {{certificate: {certificate}, key: {key}}}\n")
    ports["udp"] = ports["tcp"] = free_port()
    listen = tuple(f"--listen={transport}:{PUBLIC}:{port}" for transport, port in ports.items())
    with Engine(site, arguments=listen) as engine:
        words = engine.passwords()
        with Baresip(folder, engine.address, "201", words["201"], microphone=OTHER) as caller:
            caller.registered()
            for transport in ("udp", "tcp", "tls"):
                one_call(folder, engine, home, caller, transport, ports[transport], authority, words["200"])


def one_call(
    folder: Path, engine: Engine, home: Network, caller: Baresip, transport: str, port: int, authority: Authority,
    password: str,
) -> None:  # fmt: skip
    with Baresip(
        folder, (PUBLIC, port), "200", password, transport=transport, microphone=TONE, auto_answer=True, host=PHONE,
        authority=authority.file, outbound=transport != "udp", network=home,
    ) as agent:  # fmt: skip
        agent.registered()
        caller.dial("200")
        until(lambda: level(caller.heard(), 400.0) > 2_000, 8, what=f"the agent's tone at the caller ({transport})")
        until(lambda: level(agent.heard(), 700.0) > 2_000, 8, what=f"the caller's tone at the agent ({transport})")
        heard = level(caller.heard(), 400.0), level(agent.heard(), 700.0)
        caller.command("hangup")
        agent.wait_event("CALL_CLOSED")
        engine.wait_idle()
        hops = engine.ask("ladder", call="last")["hops"]
        print(json.dumps({
            "transport": transport, "at_caller": heard[0], "at_agent": heard[1],
            "contact": [each["data"]["contact"] for each in engine.events() if each["kind"] == "agent.binding"][-1],
            "seen": sorted({f"{hop['transport']}:{hop['far_end']}" for hop in hops}),
        }), flush=True)  # fmt: skip
    time.sleep(0.2)


def main(folder: Path) -> None:
    shark.NOTES.on, shark.NOTES.interface = True, "any"
    do("ip", "link", "set", "lo", "up")
    router, home = Network(), Network()
    try:
        wire(None, f"{PUBLIC}/24", router, f"{ROUTER}/24", "wan")
        wire(router, f"{HOME}/24", home, f"{PHONE}/24", "lan")
        home.do("ip", "route", "add", "default", "via", HOME)
        translate(router, "wan1")
        play(folder, home)
    finally:
        home.close()
        router.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Command line of the load tools: `python -m tools.load calls | media | bridges | queue …`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import uvloop

from tools.load import report, shapes

RUNS = {"calls": shapes.calls, "media": shapes.media_calls, "bridges": shapes.bridges, "queue": shapes.queue}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="load", description="Load for any SIP server, with the server's CPU accounted.")
    commands = top.add_subparsers(dest="run", required=True)
    helps = {
        "calls": "call rate without RTP",
        "media": "concurrent calls, RTP both ways",
        "bridges": "bridged calls, RTP both ways on both legs",
        "queue": "calls through a queue to auto-answering agents",
    }
    for name, text in helps.items():
        _options(commands.add_parser(name, help=text), name)
    return top


def _options(command: argparse.ArgumentParser, name: str) -> None:
    add = command.add_argument
    add("--server", required=True, help="udp:HOST:PORT or tcp:HOST:PORT")
    add("--pid", type=int, default=0, help="server process whose CPU and memory are accounted (0: none)")
    add("--number", required=True, help="number to call")
    add("--rate", type=float, default=50.0, help="calls set up per second")
    add("--seconds", type=float, default=10.0, help="length of the run, or of the measuring window")
    add("--calls", type=int, default=0 if name == "calls" else 100, help="calls at once (calls: at most)")
    add("--hold", type=float, default=0.0 if name == "calls" else 1.0, help="seconds from answer to our BYE")
    add("--caller", default="", help="USER:PASSWORD to answer a challenge of the INVITE with")
    add("--host", default="", help="our own address (default: the one the system would use)")
    add("--rtp-port", type=int, default=40_000, help="first RTP port of ours")
    add("--settle", type=float, default=1.0, help="seconds between set-up and the measuring window")
    add("--warm", type=int, default=0, help="calls placed before the account begins")
    add("--beside-rate", type=float, default=0.0, help="media: plain calls per second set up meanwhile")
    add("--beside-number", default="", help="media: number of those calls")
    add("--agents", default="", help="USER:PASSWORD,… or @FILE: phones of ours to register")
    add("--listen", type=int, default=0, help="port of our phones (for static contacts)")
    add("--login-code", default="", help="feature code that each agent dials after registering")
    add("--answer-ms", type=int, default=0, help="queue: time our agents let it ring")
    add("--json", action="store_true", help="one line of JSON")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: every call succeeded; 1: some did not; 2: used wrongly."""
    options = parser().parse_args(arguments)
    try:
        figures = uvloop.run(RUNS[options.run](options))
    except (OSError, ValueError) as fault:
        print(f"load: {fault}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 2
    report.show(f"{options.run}", figures, as_json=options.json)
    return 0 if figures["success_percent"] == 100.0 else 1


if __name__ == "__main__":
    sys.exit(main())

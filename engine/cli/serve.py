"""`ringdown serve`: run the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Data, data_folder


def serve(
    site: Annotated[Path | None, typer.Option("--site", help="The site's folder (default: the demo).")] = None,
    listen: Annotated[
        list[str] | None, typer.Option("--listen", help="udp:127.0.0.1:5060, tcp:…; may be repeated.")
    ] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Listen on the one private address, for phones nearby.")] = False,
    lan_address: Annotated[str, typer.Option("--lan-address", help="Which one, when there are several.")] = "",
    http: Annotated[
        str, typer.Option("--http", help="127.0.0.1:8080 for /metrics, /health, /ready (default: none).")
    ] = "",
    provision: Annotated[
        str, typer.Option("--provision", help="192.168.1.10:8090: boxes and phones fetch their configuration here.")
    ] = "",
    provision_cert: Annotated[
        str, typer.Option("--provision-cert", help="PEM file with certificates and key: HTTPS there.")
    ] = "",
    rtp_ports: Annotated[
        str, typer.Option("--rtp-ports", help="20000-20998: UDP ports of audio, own ones for each engine of a machine.")
    ] = "",
    legs: Annotated[int, typer.Option("--legs", help="Media legs at most.")] = 1024,
    log_level: Annotated[str, typer.Option("--log", help="debug | info | warning | error")] = "info",
    log_json: Annotated[bool, typer.Option("--json", help="Log lines as JSON.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew: don't go on with the calls of an engine that died.")
    ] = False,
    data: Data = None,
) -> None:
    """Run the engine. Prints one line `ready …` on stderr once it accepts calls."""
    from engine.errors import UsageError
    from engine.runtime.log import LEVELS
    from engine.runtime.net import parse_listen, parse_rtp_ports

    if log_level not in LEVELS:
        raise UsageError(f"--log is one of {', '.join(LEVELS)}")
    if lan and listen:
        raise UsageError("--lan chooses the address itself: leave out --listen")
    for text in listen or ():
        parse_listen(text)
    ports = parse_rtp_ports(rtp_ports)
    if http:
        from engine.runtime.scrape import parse_address

        parse_address(http)
    if provision:
        from engine.runtime.scrape import parse_address

        parse_address(provision, "--provision")
    address = choose_lan(lan_address) if lan or lan_address else ""

    import uvloop

    from engine.runtime.opening import Options
    from engine.runtime.server import serve as run
    from engine.runtime.site_files import demo_site

    options = Options(
        site=site or demo_site(), data=data_folder(data), listen=tuple(listen or ()), lan=address, legs_max=legs,
        log_level=log_level, log_json=log_json, fresh=fresh, http=http,
        provision=provision, provision_cert=provision_cert, rtp_ports=ports,
    )
    inherited = uvloop.run(run(options))
    if inherited is not None:
        from engine.runtime.handover import replace

        replace(inherited)


def choose_lan(wanted: str) -> str:
    """The private address for --lan: the only one, the wanted one, or the one that a person picks.

    Raises UsageError listing the choices when nobody can be asked.
    """
    import sys

    from engine.errors import UsageError
    from engine.runtime.net import private_addresses

    found = private_addresses()
    addresses = [address for _, address in found]
    if wanted:
        if wanted in addresses:
            return wanted
        raise UsageError(f"{wanted} is no private address of this machine; there are: {', '.join(addresses) or 'none'}")
    if not found:
        raise UsageError("this machine has no private address: name one by --listen udp:ADDRESS:5060")
    if len(found) == 1:
        return addresses[0]
    if not sys.stdin.isatty():
        raise UsageError(f"several private addresses: choose by --lan-address {' | '.join(addresses)}")
    for number, (name, address) in enumerate(found, 1):
        print(f"  {number}  {address}  ({name})", file=sys.stderr)
    print("listen on which? ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    if answer.isdigit() and 0 < int(answer) <= len(found):
        return addresses[int(answer) - 1]
    raise UsageError(f"{answer!r} is none of 1 to {len(found)}")

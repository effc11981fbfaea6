"""`ringdown recognizer`: our models for other machines, by vosk-server's WebSocket protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from engine.speech.grammar import Grammar


def recognizer(
    listen: Annotated[str, typer.Option("--listen", help="Where to listen; beyond this machine only in a network that "
                                                         "you trust: the protocol knows no passwords.")]
    = "127.0.0.1:2700",
    language: Annotated[str, typer.Option("--language", help="Whose model serves.")] = "en",
    folder: Annotated[Path | None, typer.Option("--folder", help="A vosk model of your own instead.")] = None,
    phrases: Annotated[str, typer.Option("--phrases", help="What may be said when a client sends no list: "
                                                           "'sales|billing|operator'.")] = "",
    slot: Annotated[str, typer.Option("--slot", help="The same as a slot: digits:4, yes_no, date …")] = "",
    grammar: Annotated[Path | None, typer.Option("--grammar", help="The same from a file.")] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, max=64, help="That decode at the same time.")] = 2,
) -> None:
    """Serve recognition to other machines until it is stopped. Prints one line `ready` with its address."""
    import asyncio
    import sys

    from engine.cli.grammar_options import chosen
    from engine.errors import SiteError, UsageError
    from engine.runtime import graph_shelf

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"--listen {listen!r}: a host and a port are expected, as in 127.0.0.1:2700")
    model = folder or graph_shelf.shipped(language)
    if model is None:
        raise UsageError(f"no model for {language} comes with the engine: give --folder with a vosk model")
    why = graph_shelf.problem(model)
    if why:
        raise SiteError(why)
    if host not in ("127.0.0.1", "[::1]", "localhost"):
        print(f"ringdown: whoever reaches {listen} may use this recogniser", file=sys.stderr)
    meant = chosen(phrases, slot, grammar, language, needed=False)
    asyncio.run(_serve(model, language, meant, host.strip("[]"), int(port), threads))


async def _serve(model: Path, language: str, grammar: Grammar | None, host: str, port: int, threads: int) -> None:
    import asyncio
    import signal
    import sys

    from engine.runtime.recognizer_server import RecognizerServer

    server = RecognizerServer(model, language, grammar, host=host, port=port, threads=threads)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    print(f"ready {await server.start()}", file=sys.stderr, flush=True)
    try:
        await stopping.wait()
    finally:
        await server.close()

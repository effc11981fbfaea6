"""`ringdown dial NUMBER`: a real call from a built-in test phone, which prints what it hears."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.options import Json


def dial(
    number: Annotated[str, typer.Argument(help="What to dial: 100 is the demo's menu.")],
    press: Annotated[str, typer.Option("--press", help="Keys for the menus: 1, or 1,,23# (comma: one second).")] = "",
    say: Annotated[str, typer.Option("--say", help="Words to speak after the prompts (needs espeak-ng).")] = "",
    save: Annotated[Path | None, typer.Option("--save", help="Write what was heard to a WAV file.")] = None,
    server: Annotated[str, typer.Option("--server", help="Where to call.")] = "udp:127.0.0.1:5060",
    seconds: Annotated[float, typer.Option("--seconds", help="Hang up this long after the answer.")] = 20.0,
    user: Annotated[str, typer.Option("--user", help="Call as this agent.")] = "",
    password: Annotated[str, typer.Option("--password", help="His password.")] = "",
    site: Annotated[Path | None, typer.Option("--site", help="Whose prompts to recognise (default: the demo).")] = None,
    json: Json = False,
) -> None:
    """Call a number and print what is heard, with the prompts' words. Exit status 1 when nobody answers."""
    import asyncio

    from engine.cli import show
    from engine.errors import UsageError
    from engine.runtime import phone as room
    from engine.runtime.net import parse_listen
    from engine.runtime.wav import write_wav

    unknown = sorted(set(press) - set("0123456789*#ABCD,"))
    if unknown:
        raise UsageError(f"--press knows 0-9 * # A-D and the comma, not {' '.join(unknown)}")
    if not 0 < seconds <= 3_600:
        raise UsageError("--seconds is more than 0 and at most 3600")
    wish = room.Wish(
        number, parse_listen(server), press, room.speech(say) if say else None, seconds, user or "dial",
        secret=(user, password) if password else None,
    )

    def told(at_ms: int, kind: str, words: str) -> None:
        if not json:
            print(f"{at_ms / 1000:6.1f} s  {words}", flush=True)

    async def work() -> tuple[dict[str, Any], room.Phone]:
        phone = room.Phone(wish, clips(site), told)
        return await phone.call(), phone

    result, phone = asyncio.run(work())
    if save is not None:
        samples = phone.media.heard()
        write_wav(save, samples)
        result["saved"] = str(save)
    if json:
        print(show.as_json(result))
    elif save is not None:
        print(f"heard {len(samples) / 8000:.1f} s of audio, saved to {save}")


def clips(site: Path | None) -> list[Any]:
    """The prompts that a site's callers may hear, stock ones included."""
    from engine.runtime import listening, site_files

    reading = site_files.read_folder(site or site_files.demo_site())
    if reading.site is None:
        return []
    prompts = sorted(reading.site.prompts.items())
    return listening.load((name, prompt.text, prompt.path) for name, prompt in prompts)

"""Words that nobody has recorded, spoken by the synthesiser of the machine (espeak-ng, a Debian package) in a child."""

from __future__ import annotations

import asyncio
from pathlib import Path

from engine.errors import SiteError

PROGRAM = "espeak-ng"
speak_s_max = 20.0
_WORDS_A_MINUTE = "165"
_VOICES = {"en": "en-us", "pt": "pt-br"}  # others are called as their language
# Debian's voices for these spell characters out in English
_SPELT = ("zh", "ja", "ko", "yue")


async def speak(text: str, language: str, path: Path) -> None:
    """Write `text` to `path` as a WAV file. Raises SiteError, with the remedy, when it can't be spoken here."""
    base = language.partition("-")[0]
    remedy = "give a --recording instead"
    if base in _SPELT:
        raise SiteError(f"no voice for {language} is installed: {remedy}")
    command = (PROGRAM, "-v", _VOICES.get(language, language), "-s", _WORDS_A_MINUTE, "-w", str(path), "--stdin")
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
    except OSError as error:
        raise SiteError(f"no synthesiser is installed (Debian: {PROGRAM}): install it, or {remedy}") from error
    try:
        _, errors = await asyncio.wait_for(child.communicate(text.encode()), speak_s_max)
    except TimeoutError:
        child.kill()
        await child.wait()
        raise SiteError(f"{PROGRAM} took longer than {speak_s_max:.0f} s: {remedy}") from None
    if child.returncode != 0 or not path.exists():
        said = errors.decode("utf-8", "replace").strip().splitlines()
        raise SiteError(f"{PROGRAM} can't speak {language}: {said[-1] if said else child.returncode}; {remedy}")

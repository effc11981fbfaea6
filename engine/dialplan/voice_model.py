"""Which synthesiser speaks a language of a tenant: `voices:` of site.yaml and tenant.yaml, linked."""

from __future__ import annotations

import msgspec

ENGINES = ("espeak-ng", "flite", "festival")
COMMAND = "command"  # the engine of a voice that a program of the admin's speaks
PLACES = ("text", "file", "voice", "language")  # what {…} in a command's words may name
SPELL, SKIP = "spell", "skip"  # what a caller hears of words that weren't spoken in time
WAIT_MS = 1_500


class VoiceModel(msgspec.Struct, frozen=True):
    """`engine`: one of ENGINES, or `command`. `voice`: its name for that engine, '' for its best of the language.

    `command`: the program and its arguments, no shell between; {file} is where it writes its sound (else it comes on
    its standard output), {text} what it says (else that goes to its standard input). `version`: an admin raises it
    when the program's voice has changed, so that nothing spoken before is used again. Words that only a call knows
    are waited for `wait_ms`; `otherwise`: spell | skip.
    """

    engine: str
    voice: str = ""
    command: tuple[str, ...] = ()
    version: str = ""
    wait_ms: int = WAIT_MS
    otherwise: str = SPELL

"""Which files of a voice package that others have recorded say what our stock prompts say.

Only what means the same to a caller is mapped, so that nobody hears a wrong sentence; several files are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_TENS = (*range(21), *range(30, 100, 10))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# our prompt -> files of Debian's asterisk-core-sounds packages, without suffix
ASTERISK: dict[str, tuple[str, ...]] = {
    "one_moment": ("one-moment-please",),
    "you_are_next": ("queue-youarenext",),
    "position_is": ("queue-thereare",),
    "wait_less_than": ("queue-holdtime", "queue-less-than"),
    "wait_minutes": ("queue-minutes",),
    "invalid_choice": ("pm-invalid-option",),
    "try_again": ("please-try-again",),
    "you_pressed": ("you-entered",),
    "not_available": ("vm-nobodyavail",),
    "number_unknown": ("ss-noservice",),
    "leave_message": ("vm-intro",),
    "thank_you": ("auth-thankyou",),
    "goodbye": ("vm-goodbye",),
    "agent_logged_in": ("agent-loginok",),
    "agent_logged_out": ("agent-loggedoff",),
    "agent_for": ("for",),
    "unit_second": ("second",),
    "unit_seconds": ("seconds",),
    "unit_minute": ("minute",),
    "unit_minutes": ("minutes",),
    **{f"digits/{digit}": (f"digits/{digit}",) for digit in range(10)},
    "digits/star": ("digits/star",),
    "digits/hash": ("digits/pound",),
    **{f"numbers/{number}": (f"digits/{number}",) for number in _TENS},
    **{f"numbers/{word}": (f"digits/{word}",) for word in ("hundred", "thousand", "million", "minus")},
    "numbers/and": ("vm-and",),
    **{f"letters/{letter}": (f"letters/{letter}",) for letter in _LETTERS},
}
PACKS: dict[str, dict[str, tuple[str, ...]]] = {"asterisk-core-sounds": ASTERISK}


def plan(
    pack: Mapping[str, tuple[str, ...]], ours: Iterable[str], there: Iterable[str]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """(our prompt -> files to join, our prompts that the package has nothing for). `there`: files without suffix."""
    found: dict[str, tuple[str, ...]] = {}
    missing: list[str] = []
    have = dict.fromkeys(there)
    for name in ours:
        files = pack.get(name, ())
        if files and all(file in have for file in files):
            found[name] = files
        else:
            missing.append(name)
    return found, missing

"""What is listened for and what came of it, as it crosses between a dialplan, its call and the recognisers.

Apart from `ports` so that whoever only reads and tests dialplans loads no numpy.
"""

from __future__ import annotations

import msgspec

# how an utterance ended
MATCH, NO_MATCH, NO_INPUT, TOO_LONG, FAILED = "match", "no_match", "no_input", "too_long", "failed"


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One reading of an utterance: its words, what they mean, and how sure that is (0 … 1, calibrated per model).

    Values as `dialplan.types` has them: digits, letters and a choice as text, a number as int, an amount in minor
    units, a date as 2026-03-04, a time as 08:00, yes/no as bool.
    """

    text: str
    intent: str
    slots: dict[str, str | int | bool] = {}
    confidence: float = 0.0


class Utterance(msgspec.Struct, frozen=True, array_like=True):
    """What came of listening. `result`: match | no_match | no_input | too_long | failed; `best`: readings, best first
    (of a no_match those that were not good enough). Times count from the moment that listening began."""

    result: str
    best: tuple[Heard, ...] = ()
    speech_start_ms: int = -1
    speech_end_ms: int = -1
    decided_ms: int = -1  # when the result stood: less speech_end_ms is what the caller waited for the recogniser
    barged_in: bool = False
    engine: str = ""  # which recogniser it was
    detail: str = ""  # why it failed, in words


class Listening(msgspec.Struct, frozen=True, array_like=True):
    """One wish to listen.

    `grammar`: key in `Site.grammars` (its content's hash). `barge_in`: on | off | after_first (then speech counts from
    `barge_in_ms` of the prompt on). The end of speech is known after `complete_ms` of silence once what was said is
    complete and can't be continued, `pause_ms` while it may go on or is incomplete, `phrase_ms` when it is complete but
    may go on. `sensitive`: neither words nor sound leave the call.
    """

    grammar: str
    language: str
    barge_in: str = "on"
    barge_in_ms: int = 0
    complete_ms: int = 300
    phrase_ms: int = 500
    pause_ms: int = 1_000
    utterance_ms_max: int = 15_000
    threshold: float = 0.5  # a best reading that is less sure is no match
    sensitive: bool = False
    today: str = ""  # 2026-03-04 where the caller's clock is: relative dates count from it
    lists: dict[str, tuple[str, ...]] = {}  # choices of the slots whose list only the call knows

"""The wall between a call that listens and the recognisers of the runtime: two outputs, two inputs of the Switch."""

from __future__ import annotations

import msgspec

from engine.speech.utterance import Listening, Utterance


class ListenWanted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Listen to a leg until an utterance has ended, or ListenEnded; answered by SpeechStarted, once, when speech begins
    that may cut the prompt short, and by one SpeechDone(call, ticket).

    A recogniser that hangs or dies is answered for: SpeechDone with result `failed`. The dialplan's timers stand behind
    it all the same.
    """

    call: int
    ticket: int
    name: str  # the call's
    row: int  # of the caller's leg in the media plane
    generation: int
    tenant: str
    listening: Listening
    keep: str = ""  # the sound as well, in this file below the data folder


class ListenEnded(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The wish of this ticket is over: a key was pressed, time is over, or the call is."""

    call: int
    ticket: int


class SpeechStarted(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The caller speaks, since `ms` before now."""

    call: int
    ticket: int
    ms: int


class SpeechDone(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What he said. Sealed in the journal under its call's key."""

    call: int
    ticket: int
    utterance: Utterance

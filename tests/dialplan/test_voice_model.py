"""A voice is data: it goes into the state and comes back."""

from __future__ import annotations

import msgspec

from engine.dialplan.voice_model import COMMAND, ENGINES, SPELL, VoiceModel


def test_a_voice_survives_encoding() -> None:
    voice = VoiceModel(COMMAND, "", ("piper", "--output_file", "{file}"), "2", 900, SPELL)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(voice), type=VoiceModel) == voice
    assert COMMAND not in ENGINES

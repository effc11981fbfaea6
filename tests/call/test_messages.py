"""What the store gives back is the message that it was given."""

from __future__ import annotations

from engine.call.messages import StoredMessage, stored_message


def test_a_row_is_a_message() -> None:
    row = ("default/front", "voicemail/x.wav", "+441", "Ana", "700", "bako-0", 5, 4_000, "saved", 1)
    assert stored_message(row) == StoredMessage(
        "default/front", "voicemail/x.wav", "+441", "Ana", "700", "bako-0", 5, 4_000, "saved", True
    )

"""A letter: what it says, what is attached, what a caller's name can't do; and how a server's refusal is said."""

from __future__ import annotations

import smtplib
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.errors import SiteError
from engine.runtime.mail_child import Job, compose, main, said
from engine.runtime.wav import decode_wav, write_wav


@pytest.fixture
def job(tmp_path: Path) -> Job:
    spoken = np.arange(1_000, dtype=np.int16)
    write_wav(tmp_path / "m.wav", np.column_stack([spoken, np.zeros(1_000, np.int16)]))
    return Job(
        "127.0.0.1", 1, "none", "ringdown@example.org", "ana@example.org", "Message", "Hello.\n", "<1@example.org>",
        1_750_000_000_000, str(tmp_path / "m.wav"),
    )  # fmt: skip


def test_the_caller_is_attached_in_mono(job: Job) -> None:
    letter = compose(job)
    (sound,) = letter.iter_attachments()
    samples, rate = decode_wav(sound.get_payload(decode=True))  # type: ignore[arg-type]
    assert sound.get_content_type() == "audio/wav" and rate == 8_000 and samples.tolist() == list(range(1_000))
    assert letter["Date"] == "Sun, 15 Jun 2025 15:06:40 +0000" and letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_body()
    assert body is not None and body.get_content() == "Hello.\n"


def test_a_callers_name_adds_no_header(job: Job) -> None:
    job.subject = "Message from Eve\r\nBcc: all@example.org\x00 in front"
    letter = compose(job)
    assert letter["Subject"] == "Message from Eve Bcc: all@example.org in front" and letter["Bcc"] is None


def test_a_recording_that_is_gone_is_named(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    job.file = "/nonexistent/m.wav"
    with pytest.raises(SiteError):
        compose(job)
    assert main(msgspec.msgpack.encode(job)) == 1 and "m.wav" in capsys.readouterr().err


def test_nobody_listens(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(msgspec.msgpack.encode(job)) == 1 and "refused" in capsys.readouterr().err.lower()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no such\r\nuser")}), "550 no such user"),
        (smtplib.SMTPAuthenticationError(535, b"bad password"), "535 bad password"),
        (smtplib.SMTPServerDisconnected("gone"), "gone"), (TimeoutError(), "TimeoutError"),
    ],
)  # fmt: skip
def test_what_the_server_said(error: Exception, text: str) -> None:
    assert said(error) == text

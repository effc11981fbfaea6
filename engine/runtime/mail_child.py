"""One letter handed to a mail server, in a process of its own: composing it, and a server that hangs, can't hold up the
engine, and whoever has waited long enough ends the process.

stdin: a Job as msgpack. Status 0: the server has taken it. 1: one sentence on stderr says why not.
"""

from __future__ import annotations

import smtplib
import ssl
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path

import msgspec

from engine.errors import SiteError
from engine.runtime.wav import RATE, header, read_caller

socket_s_max = 20.0


class Job(msgspec.Struct):
    """Everything that the child must know. `file`: the recording, of which the caller's side is attached."""

    host: str
    port: int
    security: str  # starttls | tls | none
    sender: str
    to: str
    subject: str
    text: str
    message_id: str
    left_ms: int
    file: str
    user: str = ""
    password: str = ""


def compose(job: Job) -> EmailMessage:
    """The letter. Words of callers can't add headers: control characters are taken out. Raises SiteError for a
    recording that can't be read."""
    letter = EmailMessage()
    letter["From"], letter["To"] = job.sender, job.to
    letter["Subject"] = _one_line(job.subject)
    letter["Date"] = format_datetime(datetime.fromtimestamp(job.left_ms / 1000, UTC))
    letter["Message-ID"] = job.message_id
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note shall answer it
    letter.set_content(job.text)
    samples = read_caller(Path(job.file)).astype("<i2").tobytes()
    sound = BytesIO(header(1, 1, 16, RATE, len(samples)) + samples)
    letter.add_attachment(sound.getvalue(), maintype="audio", subtype="wav", filename="message.wav")
    return letter


def _one_line(text: str) -> str:
    return "".join(each for each in " ".join(text.split()) if each.isprintable())[:200]


def hand_in(job: Job) -> None:
    """Raises smtplib.SMTPException, OSError, SiteError."""
    letter = compose(job)
    context = ssl.create_default_context()
    if job.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(job.host, job.port, timeout=socket_s_max, context=context)
    else:
        server = smtplib.SMTP(job.host, job.port, timeout=socket_s_max)
    with server:
        if job.security == "starttls":
            server.starttls(context=context)
        if job.user:
            server.login(job.user, job.password)
        server.send_message(letter)


def said(error: Exception) -> str:
    """What went wrong in one line: the server's own words where there are some."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        error = smtplib.SMTPResponseException(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return _one_line(f"{error.smtp_code} {words}")
    return _one_line(str(error)) or type(error).__name__


def main(given: bytes) -> int:
    try:
        hand_in(msgspec.msgpack.decode(given, type=Job))
    except (smtplib.SMTPException, OSError, SiteError, ValueError) as error:
        print(said(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read()))

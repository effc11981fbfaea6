"""The error tree: every error says whose fault it is, where, and what to do (DESIGN law 10)."""

from __future__ import annotations


class RingdownError(Exception):
    """Base of every error the engine raises on purpose."""


class ProtocolError(RingdownError):
    """A peer's message breaks the rules.

    `status_hint` is the SIP status that fits as an answer (400 unless a rule names another),
    `section` the RFC section that was broken, such as "RFC 3261 §7.3.1".
    """

    def __init__(self, detail: str, *, status_hint: int = 400, section: str = "") -> None:
        super().__init__(f"{detail} ({section})" if section else detail)
        self.detail = detail
        self.status_hint = status_hint
        self.section = section


class LocalError(RingdownError):
    """Our own caller asked for something that a rule forbids (a bug in the engine, not at the peer)."""


class LimitExceeded(RingdownError):
    """A named limit was reached; `name` is its name in `engine.limits`."""

    def __init__(self, name: str, value: int) -> None:
        super().__init__(f"limit {name} = {value} reached")
        self.name = name
        self.value = value


class UsageError(RingdownError):
    """The operator used a command wrongly: exit status 2."""


class SiteError(RingdownError):
    """A site, file or folder cannot be used: exit status 1. The message names the file and the remedy."""


class SpeechError(RingdownError):
    """A model, grammar, voice or recogniser cannot be used; the message says whose fault it is and what to do."""

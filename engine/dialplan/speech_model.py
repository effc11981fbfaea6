"""Who understands callers: the recogniser of a tenant for a language, as `speech:` of site.yaml and tenant.yaml say."""

from __future__ import annotations

import msgspec

EMBEDDED, FOLDER, REMOTE, NONE = "embedded", "folder", "remote", "none"
SECRETS = "sensitive"  # beside the languages: `none` where policy forbids that secrets are spoken
SHIPPED = ("en",)  # languages whose model comes with the engine; a test holds it to the folder


class SpeechModel(msgspec.Struct, frozen=True):
    """`folder`: of a model of the admin's; of a remote recogniser what stands in when no address answers, '' for the
    model that comes with the engine, if there is one."""

    kind: str
    folder: str = ""
    addresses: tuple[str, ...] = ()
    timeout_ms: int = 2_000


def ships(language: str) -> bool:
    """Does the engine come with a model for it? `en-GB` is understood by `en`."""
    return language.partition("-")[0] in SHIPPED


def recognizer_of(speech: dict[str, SpeechModel], language: str) -> SpeechModel:
    """The recogniser of a language for a tenant that says `speech`: its own, that of the language without its region,
    else what comes with the engine, else none (then keys alone serve)."""
    found = speech.get(language) or speech.get(language.partition("-")[0])
    return found or SpeechModel(EMBEDDED if ships(language) else NONE)

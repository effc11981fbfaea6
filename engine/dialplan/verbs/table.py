"""Every verb as data: how it is written, what its options are, which outcomes it must name.

Reader, linker, check, interpreter (and the editors' schemas) all read this one table, the sum of the modules
`declared_<group>`. A verb of the whole language that isn't built yet stands in LATER, so that its use is told from a
misspelling.
"""

from __future__ import annotations

from engine.dialplan.verbs import (
    declared_data,
    declared_decide,
    declared_keep,
    declared_listen,
    declared_notice,
    declared_people,
    declared_stream,
    declared_talk,
)
from engine.dialplan.verbs.shape import Option, Verb

__all__ = ["LATER", "OPTIONS_LATER", "VERBS", "Option", "Verb"]

_GROUPS = (
    declared_talk.VERBS,
    declared_notice.VERBS,
    declared_listen.VERBS,
    declared_decide.VERBS,
    declared_data.VERBS,
    declared_people.VERBS,
    declared_stream.VERBS,
    declared_keep.VERBS,
)
VERBS: dict[str, Verb] = {verb.name: verb for group in _GROUPS for verb in group}
# the whole language: what of it this version has not is told from a misspelling
_WHOLE = (
    "notice", "pin", "lookup", "metric", "show", "transfer", "conference", "park", "survey", "stream", "voicemail",
    "confirm", "holidays", "speech", "send_digits",
)  # fmt: skip
_WHOLE_OPTIONS = {
    "menu": ("listen", "confirm", "greet"),
    "gather": ("listen", "confirm", "regex", "speech"),
    "queue": ("show", "keep_place", "waits"),
}
LATER = tuple(word for word in _WHOLE if word not in VERBS)
OPTIONS_LATER = {
    verb: tuple(word for word in words if word not in VERBS[verb].options) for verb, words in _WHOLE_OPTIONS.items()
}

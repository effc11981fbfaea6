"""How people learn that they are recorded, by queue and direction, and how much a tenant may keep.

A queue's own rule comes before its tenant's; `incoming` holds for who calls us, `outgoing` for who is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.dialplan.utterance_model import UtteranceRule

if TYPE_CHECKING:
    from engine.dialplan.model import Site

OLDEST, REFUSE = "oldest", "refuse"
PLATFORM = "default"  # whose rules hold where a tenant has none of its own


class RecordingRule(msgspec.Struct, frozen=True):
    """`notice`: language -> clips of the announcement, {} none. `opt_out`: the key that refuses, '' none. `beep`: one
    that both hear when the recording begins."""

    notice: dict[str, tuple[str, ...]] = {}
    opt_out: str = ""
    beep: bool = False

    def spoken(self, language: str) -> tuple[str, ...]:
        """The announcement in this language, else in the first that there is."""
        found = self.notice.get(language)
        return found if found is not None else next(iter(self.notice.values()), ())


class RecordingModel(msgspec.Struct, frozen=True):
    """A tenant's or a queue's rules. `calls`: agents' own calls to the outside are recorded too.

    `quota_bytes`: of all the tenant's recordings, 0 without end; when it is used up (`quota_full`) the oldest give way
    (oldest), or no recording begins (refuse).
    """

    incoming: RecordingRule | None = None
    outgoing: RecordingRule | None = None
    calls: bool = False
    quota_bytes: int = 0
    quota_full: str = OLDEST
    utterances: UtteranceRule | None = None


def rule_of(site: Site, tenant: str, queue: str = "", *, outgoing: bool = False) -> RecordingRule | None:
    """The rule for a call of `tenant`, in the queue with this full name or ('') in none."""
    model = site.queues.get(queue)
    held = model.recording if model is not None else None
    own = None if held is None else held.outgoing if outgoing else held.incoming
    if own is not None:
        return own
    for name in (tenant, PLATFORM):
        usual = site.tenants[name].recording if name in site.tenants else None
        found = None if usual is None else usual.outgoing if outgoing else usual.incoming
        if found is not None:
            return found
    return None


def records_calls(site: Site, tenant: str) -> bool:
    """Are agents' own calls to the outside recorded?"""
    models = [site.tenants[name].recording for name in (tenant, PLATFORM) if name in site.tenants]
    return next((model.calls for model in models if model is not None and model.outgoing is not None), False)


def quotas(site: Site) -> dict[str, tuple[int, str]]:
    """Tenant -> (bytes, oldest | refuse) of all its recordings together; a tenant without end isn't there."""
    usual = site.tenants[PLATFORM].recording if PLATFORM in site.tenants else None
    found = {}
    for name, tenant in site.tenants.items():
        model = tenant.recording if tenant.recording is not None and tenant.recording.quota_bytes else usual
        if model is not None and model.quota_bytes:
            found[name] = (model.quota_bytes, model.quota_full)
    return found

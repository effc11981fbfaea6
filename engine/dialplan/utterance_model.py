"""Whether the sound of what callers say is kept, and by whose leave: `utterances` under `recording:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.dialplan.model import Site

KIND = "utterances"  # under `recording:`, under `retention:`, and the folder's name
ANNOUNCED, GIVEN, NONE = "announced", "given", "none"
PLATFORM = "default"


class UtteranceRule(msgspec.Struct, frozen=True):
    """`consent`: announced (he hears the announcement of `recording: incoming`, and may refuse), given (for `reason`)
    or none: nothing is kept. `at`: dialplans, flows and steps ("front/choose"), () everywhere."""

    consent: str
    reason: str = ""
    at: tuple[str, ...] = ()

    def holds_at(self, place: str) -> bool:
        """Is a step meant? `place`: "front/choose/1"."""
        return not self.at or any(names(each, place) for each in self.at)


def names(at: str, place: str) -> bool:
    """Does `at` name the step at `place`, its flow or its dialplan?"""
    return place.startswith(at) and place[len(at) : len(at) + 1] in ("", "/", "#")


def rule_of(site: Site, tenant: str) -> UtteranceRule | None:
    """The tenant's own rule, else the platform's; None where nothing is kept."""
    for name in (tenant, PLATFORM):
        model = site.tenants[name].recording if name in site.tenants else None
        if model is not None and model.utterances is not None:
            return model.utterances if model.utterances.consent != NONE else None
    return None


def place_of(program: str, step: str) -> str:
    """`program`: "tenant/front"."""
    return f"{program.partition('/')[2]}/{step}"

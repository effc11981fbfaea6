"""What the files of a site say of its tenants, and where: for checks of this machine, which the reader can't make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from engine import marks
from engine.dialplan.catalogue import ROOT_TENANT
from engine.dialplan.model import Site, TenantModel


class Entries(msgspec.Struct, frozen=True):
    """`tenant` as it was read, and the whole of its file."""

    tenant: TenantModel
    root: marks.Mapping

    def under(self, name: str) -> Iterator[tuple[marks.Scalar, marks.Node]]:
        """Its own entries below a key; none when it hasn't the key."""
        found = self.root.entries.get(name)
        yield from found if isinstance(found, marks.Mapping) else ()


def of(
    files: Mapping[str, object], site: Site, concerned: Callable[[TenantModel], object]
) -> Iterator[Entries]:
    """Every tenant that is concerned and whose file is there: a file is parsed again for it."""
    for name, tenant in site.tenants.items():
        if not concerned(tenant):
            continue
        path = "site.yaml" if name == ROOT_TENANT else f"tenants/{name}/tenant.yaml"
        content = files.get(path)
        root = marks.load(content, path)[0] if isinstance(content, bytes) else None
        if isinstance(root, marks.Mapping):
            yield Entries(tenant, root)

"""The name of a site's content: the same files give the same version on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from engine.dialplan.prompts import WavInfo


def version_of(files: Mapping[str, bytes | WavInfo]) -> str:
    """20 hexadecimal letters over paths and contents; recordings stand for themselves by hash and length."""
    digest = blake2b(digest_size=10)
    for path in sorted(files):
        content = files[path]
        if isinstance(content, bytes):
            digest.update(b"%s\0%d\0" % (path.encode("utf-8", "surrogateescape"), len(content)) + content)
        else:
            digest.update(f"{path}\0{content.sha256}\0{content.duration_ms}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()

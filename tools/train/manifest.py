"""The manifest of a model folder: what the engine must know to decode with it, and where it comes from.

Only the checksums are written here; what a person writes about voices, licences and figures stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

SEALED = ("am/final.mdl", "words.txt.xz")


def seal(folder: Path) -> None:
    """Writes the checksums of the model's files into its manifest. Raises ValueError where it has no line for one."""
    path = folder / "manifest.yaml"
    text = path.read_text("utf-8")
    for name in SEALED:
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        text, count = re.subn(rf"^(  {re.escape(name)}: )[0-9a-f]{{64}}$", rf"\g<1>{digest}", text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{path}: no line for {name} below sha256:")
    path.write_text(text, "utf-8")

"""The manifest of a model folder: what the engine must know to decode with it, and where it comes from.

Of a manifest that stands only the checksums are written; what a person writes about voices, licences and figures stays
as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

SEALED = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf", "phones.txt", "words.txt.xz")


def begin(folder: Path, language: str, phones: Sequence[str]) -> None:
    """A first manifest of a language's model, where there is none: what the engine needs; a person goes on with it."""
    path = folder / "manifest.yaml"
    if path.exists():
        return
    lines = [
        f"language: {language}", "sample_rate_hz: 8000", f"phones: [{', '.join(phones)}]", "noise_phone_trained: true",
        "words: words.txt.xz", "sha256:", *(f"  {name}: {'0' * 64}" for name in SEALED),
        "tuning: {garbage_phone_cost: 3.0}", "confidence: {even: 0.0, steep: 1.0}",
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", "utf-8")


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

"""`ringdown replay JOURNAL`: run recorded inputs through a Switch again and compare every output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Json


def replay(
    journal: Annotated[Path, typer.Argument(help="A file of DATA/journal, or that folder (its newest).")],
    hash_outputs: Annotated[bool, typer.Option("--hash-outputs", help="Print only the digest of all outputs.")] = False,
    json: Json = False,
) -> None:
    """Replay a journal. Exit status 0: same outputs bit for bit, 1: they differ, or it can't be read."""
    import time

    import msgspec

    from engine.cli import show
    from engine.errors import UsageError
    from engine.runtime.journal import replay as run
    from engine.runtime.replaying import build

    path = newest(journal) if journal.is_dir() else journal
    if path is None or not path.is_file():
        raise UsageError(f"no journal at {journal}")
    began = time.monotonic()
    report = run(path, build)
    spent = time.monotonic() - began
    if json:
        print(show.as_json({"file": str(path), "seconds": round(spent, 3), **msgspec.to_builtins(report)}))
    elif hash_outputs:
        print(report.digest)
    else:
        times = report.engine_ms / 1000 / spent if spent else 0.0
        covered = f"{report.engine_ms / 1000:.1f} s of engine time in {spent:.2f} s ({times:.0f} times real time)"
        print(f"{path}: {report.inputs} inputs, {report.outputs} outputs, {covered}, digest {report.digest[:16]}")
        print("\n".join(verdict(report)))
    if report.differs or (report.inputs == 0 and not report.sealed):
        raise typer.Exit(1)


def newest(folder: Path) -> Path | None:
    """The journal that was written last."""
    found = sorted(folder.glob("*.journal"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return found[-1] if found else None


def verdict(report: object) -> list[str]:
    """Sentences about how a replay went."""
    from engine.runtime.journal import Replayed

    assert isinstance(report, Replayed)
    lines = []
    if report.differs:
        agreed, at = report.differs
        lines.append(f"DIFFERENT: outputs agree up to input {agreed} and differ by input {at}")
    elif report.checked:
        lines.append(f"same outputs bit for bit ({report.checked} digests compared)")
    else:
        lines.append("no digest to compare: the journal ends before its first batch")
    if report.sealed:
        place = f"input {report.inputs + 1}"
        lines.append(f"stopped at {place}, the first sealed value whose key is gone ({report.sealed!r})")
    if report.torn:
        lines.append("the tail is torn (crash or full disk): read up to the last whole record")
    elif not report.clean_end and not report.sealed and not report.differs:
        lines.append("no clean end: the engine was killed, or still runs")
    if report.faults:
        lines.append(f"the switch raised at {report.faults} inputs")
    return lines

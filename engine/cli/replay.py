"""`ringdown replay JOURNAL`: run recorded inputs through a Switch again, compare outputs, or step through a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.options import Json

if TYPE_CHECKING:
    from engine.runtime.journal import Replayed
    from engine.runtime.stepping import Step


def replay(
    journal: Annotated[Path, typer.Argument(
        help="DATA/journal: the newest boot; or one of its files: from the checkpoint with which that one begins.")],
    first: Annotated[int, typer.Option("--from", metavar="N", help="Begin with the checkpoint of file number N.")] = 0,
    until: Annotated[str, typer.Option(
        "--until", metavar="CALL", help="Step through this call to its end: its id, a caller's number, or `last`.",
    )] = "",
    rules: Annotated[Path | None, typer.Option(
        "--rules", metavar="SITE", help="Run the day's callers and agents again by the queues and agents of this site.",
    )] = None,
    hash_outputs: Annotated[bool, typer.Option("--hash-outputs", help="Print only each file's output digest.")] = False,
    json: Json = False,
) -> None:
    """Replay a journal. Exit status 0: same outputs bit for bit, 1: they differ, or it can't be read."""
    from engine.runtime.replaying import files_of

    files = files_of(journal, first)
    if rules is not None:
        from engine.cli import replay_rules
        from engine.errors import UsageError

        if until or hash_outputs:
            raise UsageError("--rules goes alone: it compares outcomes, not outputs")
        replay_rules.compare(files, rules, json=json)
    elif until:
        _until(files, until, json)
    else:
        _whole(files, hash_outputs, json)


# --- everything ------------------------------------------------------------------------------------------------
def _whole(files: list[Path], hash_outputs: bool, json: bool) -> None:
    import time

    import msgspec

    from engine.cli import show
    from engine.runtime.replaying import chain

    began = before = time.monotonic()
    found = []
    bad = False
    for each in chain(files):
        report, spent = each.report, time.monotonic() - before
        before = time.monotonic()
        bad = bad or report.differs is not None or each.follows is False or (
            report.inputs == 0 and not report.sealed and len(files) == 1
        )
        found.append({
            "file": str(each.path), "seconds": round(spent, 3), "follows": each.follows, **msgspec.to_builtins(report),
        })
        if hash_outputs:
            print(report.digest)
        elif not json:
            print(_summary(str(each.path), report, spent))
            if each.follows is not None:
                print("its checkpoint is the state in which the file before it ended" if each.follows else
                      "DIFFERENT: its checkpoint is not the state in which the file before it ended")
            print("\n".join(verdict(report)))
    if json:
        print(show.as_json(found[0] if len(found) == 1 else found))
    elif len(found) > 1 and not hash_outputs:
        inputs, engine_ms = (sum(each[name] for each in found) for name in ("inputs", "engine_ms"))
        spent = time.monotonic() - began
        print(f"{len(found)} files: {inputs} inputs, {_speed(engine_ms, spent)}, {inputs / spent:.0f} inputs a second")
    if bad:
        raise typer.Exit(1)


def _summary(name: str, report: Replayed, spent: float) -> str:
    return (f"{name}: {report.inputs} inputs, {report.outputs} outputs, {_speed(report.engine_ms, spent)}, "
            f"digest {report.digest[:16]}")


def _speed(engine_ms: int, spent: float) -> str:
    times = engine_ms / 1000 / spent if spent else 0.0
    return f"{engine_ms / 1000:.1f} s of engine time in {spent:.2f} s ({times:.0f} times real time)"


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
    elif not report.stopped:
        lines.append("no digest to compare: the journal ends before its first batch")
    if report.sealed:
        place = f"input {report.inputs + 1}"
        lines.append(f"stopped at {place}, the first sealed value whose key is gone ({report.sealed!r})")
    if report.torn:
        lines.append("the tail is torn (crash or full disk): read up to the last whole record")
    elif not (report.clean_end or report.sealed or report.differs or report.stopped):
        lines.append("no clean end: the engine was killed, or still runs")
    if report.faults:
        lines.append(f"the switch raised at {report.faults} inputs")
    return lines


# --- one call ----------------------------------------------------------------------------------------------------
def _until(files: list[Path], wanted: str, json: bool) -> None:
    from engine.cli import show
    from engine.cli.replay_text import as_data
    from engine.runtime.stepping import find, steps

    found = find(files, wanted)
    if found is None:
        print(f"no call {wanted!r} in {len(files)} journal file(s) from {files[0].name} on: "
              "`ringdown calls` lists the recorded ones; older journals are pruned")
        raise typer.Exit(1)
    kept: list[Step] = []
    if json:
        reports = steps(files[found.file:], found.call, kept.append)
        print(show.as_json({
            "call": found.call, "caller": found.caller, "file": str(files[found.file]), "began": found.began,
            "steps": [as_data(each) for each in kept], "verdict": _last_words(reports),
        }))
    else:
        print(f"call {found.call} from {found.caller or 'anonymous'}, from {files[found.file].name} on")
        if not found.began:
            print("it began before the oldest journal file that is kept: its beginning is missing")
        reports = steps(files[found.file:], found.call, _printer())
        print("\n".join(_last_words(reports)))
    if any(report.differs for report in reports):
        raise typer.Exit(1)


def _last_words(reports: list[Replayed]) -> list[str]:
    last = reports[-1]
    if last.stopped:
        return ["end of the call" if not last.faults else f"end of the call; the switch raised at {last.faults} inputs"]
    return ["the journal ends before the call does", *verdict(last)]


def _printer() -> Callable[[Step], None]:
    """Prints each step; where somebody sits at the terminal it waits for his enter."""
    import shutil
    import sys

    from engine.cli.replay_text import columns
    from engine.runtime.journal import Enough

    wide = shutil.get_terminal_size((100, 24)).columns
    before_ms = -1
    asking = sys.stdin.isatty() and sys.stdout.isatty()

    def show(step: Step) -> None:
        nonlocal before_ms, asking
        print("\n".join(columns(step, step.now_ms if before_ms < 0 else before_ms, wide)))
        before_ms = step.now_ms
        if not asking:
            return
        try:
            answer = input("enter: next step, r: run to the end, q: quit > ").strip().lower()
        except EOFError:
            answer = "q"
        if answer == "q":
            raise Enough
        asking = answer != "r"

    return show

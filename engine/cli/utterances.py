"""`ringdown utterances [VERB]`: what callers said that was understood badly; hear it, write down what it really was,
and make a test of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.options import Data, Json, data_folder

if TYPE_CHECKING:
    from engine.records.utterances import Utterance

VERBS = ("list", "play", "label", "cases")
COLUMNS = [
    ("id", "id"), ("at", "at"), ("where", "where"), ("heard", "heard"), ("percent", "%"), ("wrong", "against it"),
    ("else", "or"), ("kept", "audio"), ("said", "label"),
]  # fmt: skip


def utterances(
    verb: Annotated[str, typer.Argument(help="list | play ID | label ID WORDS | cases")] = "list",
    which: Annotated[str, typer.Argument(metavar="ID", help="Which one, as the list names it.")] = "",
    words: Annotated[str, typer.Argument(help="With label: what was really said.")] = "",
    nothing: Annotated[bool, typer.Option("--nothing", help="With label: nothing was said to us.")] = False,
    since: Annotated[str, typer.Option("--since", help="As 2h, 7d, 10:40 or 2026-11-26.")] = "7d",
    grammar: Annotated[str, typer.Option("--grammar", help="Only there: a dialplan, front/choose, or a grammar.")] = "",
    worst: Annotated[int, typer.Option("--worst", help="How many; 0: all, the good ones too.", min=0)] = 20,
    site: Annotated[Path | None, typer.Option("--site", help="The site: what was asked in words; where cases go.")]
    = None,
    with_audio: Annotated[bool, typer.Option("--with-audio", help="With cases: copy their sound into the site.")]
    = False,
    data: Data = None, json: Json = False,
) -> None:
    """List the utterances that were understood worst, play one, label it with what was really said, and turn all labels
    into cases of the speech corpora of --site, which `ringdown test --speech` runs.

    A case is text that synthesisers speak. With --with-audio it is the caller's own voice: copied into the site it is
    out of reach of retention and `ringdown forget`, so ask whether his consent reaches that far.
    """
    from engine.errors import UsageError

    if verb not in VERBS:
        raise UsageError(f"unknown verb {verb!r}: one of {', '.join(VERBS)}")
    if (verb in ("play", "label")) != bool(which):
        raise UsageError(f"{verb} takes {'an' if verb in ('play', 'label') else 'no'} id")
    if verb == "label" and bool(words) == nothing:
        raise UsageError("label takes what was said, or --nothing")
    if verb != "label" and (words or nothing):
        raise UsageError(f"words and --nothing go with label, not with {verb}")
    if with_audio and verb != "cases":
        raise UsageError("--with-audio goes with cases")
    folder = data_folder(data)
    if verb == "list":
        _list(folder, since, grammar, worst, site, json=json)
    elif verb == "play":
        _play(folder, which, json=json)
    elif verb == "label":
        _label(folder, which, words, json=json)
    else:
        _cases(folder, site, with_audio=with_audio, json=json)


def _list(folder: Path, since: str, grammar: str, count: int, site: Path | None, *, json: bool) -> None:
    import time

    from engine.cli import show, times
    from engine.records import utterances as rules
    from engine.runtime import utterances as store

    since_ms = times.past(since, time.time())
    found = store.read(folder, since_ms)
    if grammar:
        found = list(rules.at(found, grammar))
    texts = _texts(site) if site is not None else {}
    labels = {each.id: each for _, each in store.labels(folder)}
    rows = [_row(folder, each, texts) for each in rules.worst(found, count)]
    for row in rows:
        label = labels.get(row["id"])
        row["label"] = None if label is None else {"said": label.said, "by": label.by, "case": label.case}
    if json:
        print(show.as_json(rows))
        return
    for row in rows:
        label = row["label"]
        row["said"] = "" if label is None else (label["said"] or "(nothing)") + (" ✓" if label["case"] else "")
        row["kept"] = "yes" if row["audio"] else ""
        row["wrong"] = ", ".join(row["wrong"])
        row["percent"] = "" if row["confidence"] < 0 else row["confidence"]
        row["else"] = row["alternatives"]
        row["heard"] = " ".join(filter(None, (row["text"], f"({row['slots']})" if row["slots"] else ""))) or "-"
    print(show.table(rows, COLUMNS))
    for asked in dict.fromkeys(f"{row['where']} asks: {row['asked']}" for row in rows if row["asked"]):
        print(asked)
    print(f"{len(rows)} of {len(found)} utterances since {show.clock(since_ms, date=True)}")


def _row(folder: Path, each: Utterance, texts: dict[str, str]) -> dict[str, Any]:
    import msgspec

    from engine.cli import show
    from engine.runtime.utterances import sound_of

    row: dict[str, Any] = msgspec.to_builtins(each)
    path = sound_of(folder, each)
    row["audio"] = str(path) if path is not None else ""
    row["at"] = show.clock(each.at_ms, date=True)
    row["where"] = f"{each.dialplan.removeprefix('default/')}/{each.step}" if each.dialplan else each.step
    row["asked"] = " ".join(texts.get(f"{each.tenant}:{clip}") or texts.get(clip, clip) for clip in each.asked.split())
    return row


def _texts(site: Path) -> dict[str, str]:
    """What each prompt says."""
    from engine.runtime.site_files import read_folder

    reading = read_folder(site)
    return {} if reading.site is None else {name: f"“{each.text}”" for name, each in reading.site.prompts.items()
                                            if each.text}  # fmt: skip


def _play(folder: Path, which: str, *, json: bool) -> None:
    from engine.cli import audit, hear, show
    from engine.errors import SiteError
    from engine.runtime import utterances as store

    each = store.one(folder, which)
    path = store.sound_of(folder, each)
    if path is None:
        raise SiteError(f"the sound of {which} isn't kept" + (" (any more)" if each.audio else ""))
    play = hear.player()
    audit.note(folder, "hear", each.audio, {"plays": 1})
    play(path)
    print(show.as_json({"id": which, "file": str(path)}) if json else f"{path}: {each.text or '-'}")


def _label(folder: Path, which: str, words: str, *, json: bool) -> None:
    import getpass

    import msgspec

    from engine.cli import show
    from engine.runtime import utterances as store

    made = store.label(folder, store.one(folder, which), words, getpass.getuser())
    if json:
        print(show.as_json(msgspec.to_builtins(made)))
    else:
        print(f"{which}: {made.said or '(nothing)'}   (`ringdown utterances cases --site DIR` makes a test of it)")


def _cases(folder: Path, site: Path | None, *, with_audio: bool, json: bool) -> None:
    import msgspec

    from engine.cli import audit, show
    from engine.errors import UsageError
    from engine.runtime import utterance_cases
    from engine.runtime.site_files import read_folder

    if site is None:
        raise UsageError("cases go into a site: --site DIR")
    reading = read_folder(site)
    if reading.site is None:
        raise UsageError(f"{site} has errors: `ringdown check {site}` tells them")
    done = utterance_cases.write(folder, site, reading.site, with_audio=with_audio)
    if with_audio and done.written:
        audit.note(folder, "cases", site.resolve().name, {"utterances": len(done.written)})
    if json:
        print(show.as_json(msgspec.to_builtins(done)))
    else:
        for name, file in done.written.items():
            print(f"{name}: written into {file}")
        for name, file in done.known.items():
            print(f"{name}: stands in {file} already")
        for name, why in done.left.items():
            print(f"{name}: left, {why}")
        if not (done.written or done.known or done.left):
            print("no new labels: ringdown utterances label ID 'what was said'")
    if done.left:
        raise typer.Exit(1)

"""`ringdown test PATH… --speech`: what callers say, through the recogniser, against what was understood before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.dialplan.corpus import Corpus, Said
    from engine.dialplan.corpus_score import Result, Row, Score
    from engine.dialplan.findings import Finding
    from engine.dialplan.model import Site
    from engine.dialplan.program import Program


class Judged:
    """One corpus that was run: its figures and what is wrong with them. `alike`: phrases that sound alike, each with
    how often it was taken for the other, and of how many; `mistaken`: warnings of those that often are."""

    def __init__(
        self, place: str, corpus: Corpus, score: Score, drops: list[str], missed: list[str],
        alike: list[tuple[str, str, int, int]], mistaken: list[Finding],
    ) -> None:  # fmt: skip
        self.place, self.corpus, self.score, self.drops, self.missed = place, corpus, score, drops, missed
        self.alike, self.mistaken = alike, mistaken

    def ok(self) -> bool:
        return not (self.drops or self.missed or self.score.faults)


def run(sites: list[tuple[Path, Path | None]], match: str, *, accept: bool, json: bool, children: int = 0) -> None:
    """Run every corpus. Exit status 0: nothing dropped, and each reaches what it needs; 1: not so."""
    from engine.cli import show
    from engine.dialplan.findings import render
    from engine.errors import UsageError

    if accept and match:
        raise UsageError("--accept keeps the figures of a whole corpus: leave --match away")
    judged: list[Judged] = []
    broken: list[Finding] = []
    for folder, only in sites:
        _site(folder, only, match, judged, broken, accept=accept, quiet=json, children=children)
    if json:
        import msgspec

        plain = {"ok": not broken and all(each.ok() for each in judged), "corpora": [as_plain(each) for each in judged],
                 "findings": [msgspec.to_builtins(each) for each in broken]}  # fmt: skip
        print(show.as_json(plain))
    else:
        for finding in broken:
            print(render(finding))
        if not judged and not broken:
            print("no speech corpus: write dialplans/NAME.speech.yaml beside a dialplan that listens (TESTING.md)")
    if broken or not judged or not all(each.ok() for each in judged):
        raise typer.Exit(1)


def _site(
    folder: Path, only: Path | None, match: str, judged: list[Judged], broken: list[Finding], *, accept: bool,
    quiet: bool, children: int,
) -> None:  # fmt: skip
    from engine.dialplan import corpus_places, corpus_reader
    from engine.dialplan.corpus import ENDING, dialplan_of
    from engine.errors import UsageError
    from engine.runtime.site_files import read_folder

    reading = read_folder(folder)
    broken.extend(reading.errors())
    site = reading.site
    if site is None:
        return
    if only is not None and not only.name.endswith(ENDING):
        raise UsageError(f"{only} is no speech corpus: those are dialplans/NAME{ENDING} of a site")
    for path in sorted(folder.rglob(f"*{ENDING}")) if only is None else [only]:
        name = path.resolve().relative_to(folder.resolve()).as_posix()
        if any(part.startswith(".") for part in name.split("/")):
            continue
        program = site.programs.get(dialplan_of(name))
        places = corpus_places.places(program) if program is not None else {}
        language = program.languages[0] if program is not None else "en"
        corpus, findings = corpus_reader.read(path.read_bytes(), name, places, site.grammars, language)
        broken.extend(findings)
        if corpus is not None and program is not None:
            chosen = _chosen(corpus, match)
            if chosen.said:
                judged.append(_corpus(folder, site, program, chosen, accept=accept, quiet=quiet, children=children))


def _chosen(corpus: Corpus, match: str) -> Corpus:
    import msgspec

    return msgspec.structs.replace(corpus, said=tuple(each for each in corpus.said if match in each.name))


def _corpus(
    folder: Path, site: Site, program: Program, corpus: Corpus, *, accept: bool, quiet: bool, children: int
) -> Judged:
    from engine import marks
    from engine.dialplan import corpus_alike, corpus_places
    from engine.dialplan import corpus_score as scores
    from engine.errors import SpeechError
    from engine.runtime import speech_trials
    from engine.runtime.pronouncing import pronouncing

    languages = list(dict.fromkeys(each.language for each in corpus.said))
    engines = {language: speech_trials.engine(site, program, language) for language in languages}
    voices = {language: speech_trials.voices(language) for language in languages}
    silent = [each for each in corpus.said if each.texts and not (each.voices or voices[each.language])]
    if silent:
        raise SpeechError(f"no synthesiser for {silent[0].language} is installed here: Debian has espeak-ng, flite")
    def tried(some: Corpus, told: Callable[[Result], None]) -> list[Result]:
        wishes = tuple(corpus_places.listening(program, each, some.today) for each in some.said)
        grammars = {each.grammar: site.grammars[each.grammar] for each in some.said}
        trials = list(enumerate(scores.trials(some, voices)))
        order = speech_trials.Order(str(folder.resolve()), some.said, wishes, trials, grammars, engines)
        return asyncio.run(speech_trials.run(order, told, children))

    progress = _Progress(corpus, len(scores.trials(corpus, voices)), quiet=quiet)
    results = tried(corpus, progress.told)
    names = [speech_trials.named(engines[each], each) for each in languages] + speech_trials.stood_in(results)
    score = scores.score(corpus, results, ", ".join(names))
    files = _written(folder, program)
    trees = {name: marks.load(content, name)[0] for name, content in files.items()}
    pairs = corpus_alike.corpus(site, program, corpus, pronouncing, trees)
    spoken = tried(pairs, lambda result: None) if pairs.said else []
    alike = corpus_alike.confused(pairs, spoken)
    mistaken = corpus_alike.mistaken(pairs, spoken, files)
    path = folder / scores.path_of(corpus.file)
    kept = scores.parse(path.read_text(encoding="utf-8")) if path.is_file() and not accept else scores.Accepted()
    missed = scores.missed(corpus.needs, score.whole())
    made = Judged(f"{folder.name}/{corpus.file}", corpus, score, scores.drops(kept, score), missed, alike, mistaken)
    if not quiet:
        print("\n".join(as_text(made, known=bool(kept.rows))))
    if accept and not score.faults:
        _write(path, scores.render(score))
    return made


def _written(folder: Path, program: Program) -> dict[str, bytes]:
    """The files in which the phrases of a dialplan stand, by their paths in the site."""
    from engine.dialplan.speech_advice import shared_by

    found: dict[str, bytes] = {}
    files = dict.fromkeys(step.place.rsplit(":", 2)[0] for steps in program.flows.values() for step in steps)
    for name in (*files, *(shared_by(each) for each in files)):
        path = folder / name
        if path.is_file():
            found[name] = path.read_bytes()
    return found


class _Progress:
    """What went wrong, as it happens; on a terminal how far it is."""

    def __init__(self, corpus: Corpus, of: int, *, quiet: bool) -> None:
        self.corpus, self.of, self.quiet, self.done = corpus, of, quiet, 0

    def told(self, result: Result) -> None:
        import sys

        from engine.dialplan.corpus_score import judge

        self.done += 1
        if self.quiet:
            return
        said = self.corpus.said[result.trial.said]
        if sys.stderr.isatty():
            end = "\r" if self.done < self.of else "\r\x1b[K"
            print(f"\r\x1b[K{self.done} of {self.of}", end=end, file=sys.stderr, flush=True)
        if not result.fault and not judge(said, result.utterance).right:
            print(wrong(said, result))


def wrong(said: Said, result: Result) -> str:
    """One line: where, what was said how, what was expected and what was heard."""
    trial, told = result.trial, result.utterance
    best = told.best[0] if told.best else None
    heard = told.result.replace("_", " ")
    if best is not None:
        slots = "".join(f" {name}={value}" for name, value in best.slots.items())
        heard = f"{heard}: “{best.text}” {best.intent}{slots} ({best.confidence:.2f})"
    wanted = said.intent or ""
    wanted += "".join(f" {name}={value}" for name, value in (said.slots or {}).items())
    by = ", ".join(part for part in (trial.voice, str(trial.condition), f"{trial.level_dbfs} dBFS") if part)
    words = f"“{trial.text}”" if trial.text else said.recording or "nobody speaks"
    wanted = wanted.strip() or said.result.replace("_", " ")
    return f"{said.file}:{said.line}: {words} ({by}): expected {wanted}, {heard}"


def as_text(judged: Judged, *, known: bool) -> list[str]:
    """The figures of one corpus for a terminal."""
    from engine.cli import show
    from engine.dialplan import corpus_score as scores
    from engine.dialplan.findings import render

    score = judged.score
    sums = {**score.sums(), "all": score.whole()} if len(score.sums()) > 1 else score.sums()
    columns = [("noise", "noise"), ("trials", "trials"), ("intents", "intents"), ("slots", "slots"),
               ("false_accepts", "false accepts")]  # fmt: skip
    lines = [f"{judged.place}: {score.whole().trials} utterances, {score.engine}"]
    lines += show.table([_figures(name, row) for name, row in sums.items()], columns).splitlines()
    cost = f"{score.cpu_ms / score.audio_ms:.3f}" if score.audio_ms else "–"
    lag = f"{scores.percentile(score.lags_ms, 50)} ms, 95 % within {scores.percentile(score.lags_ms, 95)} ms"
    lines.append(f"result after the last sound: median {lag}; recognising cost {cost} of a core")
    found = scores.ranked(score)
    if found:
        lines.append("taken for something else:")
        lines += [f"  {count:3} × {at}: {meant} → {heard}" for count, at, meant, heard in found]
    if judged.alike:
        lines.append("phrases that sound alike, tried by every voice:")
        lines += [f"  {wrong:3} of {of}: {meant} → {heard}" for meant, heard, wrong, of in judged.alike]
    lines += [render(each) for each in judged.mistaken]
    lines += [f"not tried: {each}" for each in score.faults[:10]]
    lines += [f"needs: {each}" for each in judged.missed]
    if judged.drops:
        lines.append("worse than what was accepted (--accept takes it as it is now):")
        lines += [f"  {each}" for each in judged.drops]
    elif known:
        lines.append("nothing is worse than what was accepted")
    else:
        lines.append("nothing to compare with: --accept keeps these figures")
    return lines


def _figures(name: str, row: Row) -> dict[str, Any]:
    from engine.dialplan.corpus_score import per_cent

    return {
        "noise": name, "trials": row.trials, "intents": per_cent(row.intents, row.wanted),
        "slots": per_cent(row.slots_right, row.slots), "false_accepts": per_cent(row.false_accepts, row.foreign),
    }  # fmt: skip


def as_plain(judged: Judged) -> dict[str, Any]:
    """The same for `--json`."""
    import msgspec

    from engine.dialplan import corpus_score as scores

    score = judged.score
    confused = [dict(zip(("count", "at", "meant", "heard"), each, strict=True)) for each in scores.ranked(score)]
    return {
        "file": judged.place, "ok": judged.ok(), "engine": score.engine,
        "noises": {name: msgspec.to_builtins(row) for name, row in score.sums().items()},
        "all": msgspec.to_builtins(score.whole()),
        "answer_ms": {str(each): scores.percentile(score.lags_ms, each) for each in (50, 95)},
        "cpu_per_second": round(score.cpu_ms / score.audio_ms, 4) if score.audio_ms else None,
        "confused": confused, "alike": [list(each) for each in judged.alike],
        "findings": [msgspec.to_builtins(each) for each in judged.mistaken], "faults": score.faults,
        "missed": judged.missed,
        "worse": judged.drops,
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    from engine.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"can't write {path}: {error.strerror}") from error

"""Labelled utterances into a site's speech corpora: beside their dialplans, once, checked before they are written."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.dialplan import corpus_places, corpus_reader, corpus_writer
from engine.dialplan.corpus import ENDING, TODAY, Corpus, dialplan_of
from engine.dialplan.corpus_writer import BEGIN, Case, Unwritable
from engine.dialplan.findings import render
from engine.dialplan.model import Site
from engine.dialplan.program import Program
from engine.errors import SiteError
from engine.runtime import utterances
from engine.runtime.utterances import Label

KEPT = ("the sound of a caller, copied into this site: retention and `ringdown forget` don't reach it here",)


class Done(msgspec.Struct):
    """What became of the labels: `written` and `known` (they stood there already) by id -> corpus file, `left` by id ->
    why."""

    written: dict[str, str] = {}
    known: dict[str, str] = {}
    left: dict[str, str] = {}


class _File(msgspec.Struct):
    """A corpus that cases go into. `content` None: there is none yet."""

    name: str
    path: Path
    content: str | None
    corpus: Corpus
    others: list[Corpus]  # more of the same dialplan, which may hold a case too
    cases: list[Case] = []
    of: list[tuple[Path, Label, Case]] = []


def write(data: Path, folder: Path, site: Site, *, with_audio: bool) -> Done:
    """Every label of `data` that is no case yet becomes one in the site in `folder`. With `with_audio` its sound is
    copied beside the corpus where it is still kept. Raises SiteError: a corpus is broken, or can't be written; what
    was written until then is noted, and isn't written twice."""
    done = Done()
    files: dict[str, _File] = {}
    for path, label in utterances.labels(data):
        if label.case:
            continue
        try:
            program = _program(site, label)
            if program.name not in files:
                files[program.name] = _open(folder, site, program)
            _plan(files[program.name], site, program, (path, label), data, done, with_audio=with_audio)
        except Unwritable as why:
            done.left[label.id] = str(why)
    for name, file in files.items():
        if file.cases:
            _write(file, data, folder, site, site.programs[name])
        for path, label, _ in file.of:
            utterances.noted(path, label, file.name)
            done.written[label.id] = file.name
    return done


def _program(site: Site, label: Label) -> Program:
    found = site.programs.get(label.dialplan)
    if found is None:
        raise Unwritable(f"this site has no dialplan {label.dialplan}")
    step = label.step.removeprefix(corpus_places.CONFIRM)
    if any(each.id == step and each.data.get("sensitive") for each in corpus_places.listening_steps(found)):
        raise Unwritable(f"the step {step} is sensitive")
    return found


def _open(folder: Path, site: Site, program: Program) -> _File:
    """The corpus beside a dialplan, and others of it. Raises SiteError: one is broken."""
    tenant, _, name = program.name.partition("/")
    home = "dialplans/" if tenant == "default" else f"tenants/{tenant}/dialplans/"
    own = folder / f"{home}{name}{ENDING}"
    others = [_read(each, folder, site, program) for each in sorted((folder / home).glob(f"{name}.*{ENDING}"))]
    empty = Corpus(f"{home}{name}{ENDING}", ())
    try:
        content = own.read_bytes().decode() if own.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"can't read {own}: {error}") from error
    corpus = _parsed(content, empty.file, site, program) if content is not None else empty
    return _File(empty.file, own, content, corpus, others)


def _read(path: Path, folder: Path, site: Site, program: Program) -> Corpus:
    name = path.relative_to(folder).as_posix()
    try:
        return _parsed(path.read_bytes().decode(), name, site, program)
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"can't read {path}: {error}") from error


def _parsed(content: str, name: str, site: Site, program: Program) -> Corpus:
    assert dialplan_of(name) == program.name
    places = corpus_places.places(program)
    corpus, findings = corpus_reader.read(content.encode(), name, places, site.grammars, program.languages[0])
    if corpus is None:
        raise SiteError("\n".join(render(each) for each in findings))
    return corpus


def _plan(
    file: _File, site: Site, program: Program, labelled: tuple[Path, Label], data: Path, done: Done, *, with_audio: bool
) -> None:
    """The case of one label, unless it stands there already. Raises Unwritable."""
    path, label = labelled
    sound = utterances.sound_of(data, label) if with_audio else None
    if sound is None and not label.said:
        why = "its sound isn't kept" if with_audio else "only its sound makes a case, --with-audio"
        raise Unwritable(f"nothing was said that could be spoken: {why}")
    places = corpus_places.places(program)
    at = corpus_writer.place(places, label.step, label.grammar, label.language)
    grammar = site.grammars[places[at][label.language]]
    today = file.corpus.today if file.content is not None else TODAY
    day = time.strftime("%Y-%m-%d", time.localtime(label.at_ms / 1000))
    heard = f"“{label.heard}”, {label.confidence} %" if label.heard else "nothing understood"
    name = f"{file.name.removesuffix('.yaml')}/{sound.name}" if sound is not None else ""
    case = Case(
        corpus_writer.short(places, at), label.said, name, label.language,
        corpus_writer.expected(grammar, label.said, today, label.lists),
        (f"a caller, {day}; heard then: {heard}", *(KEPT if name else ())), label.lists,
    )  # fmt: skip
    twin = any(
        each.at == case.at and each.language == case.language and each.file == case.file
        and (case.file or each.say.lower() == case.say.lower()) for each in file.cases
    )  # fmt: skip
    if twin or any(corpus_writer.known(each, at, case) for each in (file.corpus, *file.others)):
        utterances.noted(path, label, file.name)
        done.known[label.id] = file.name
        return
    file.cases = [*file.cases, case]
    file.of = [*file.of, (path, label, case)]


def _write(file: _File, data: Path, folder: Path, site: Site, program: Program) -> None:
    """The sounds first, then the corpus in one move; it is read again before. Raises SiteError."""
    about = f"What callers said in {program.name.partition('/')[2]}"
    before = file.content if file.content is not None else BEGIN.format(about=about)
    try:
        content = corpus_writer.added(before, file.cases, program.languages[0])
    except Unwritable as why:
        raise SiteError(f"{file.path}: {why}") from why
    corpus = _parsed(content, file.name, site, program)
    kept = corpus.said[: len(file.corpus.said)]
    if kept != file.corpus.said or len(corpus.said) != len(kept) + len(file.cases):
        raise SiteError(f"{file.path}: the cases can't be added without changing what stands there; write them by hand")
    part = file.path.with_name(file.path.name + ".part")
    try:
        for _, label, case in file.of:
            sound = utterances.sound_of(data, label) if case.file else None
            if sound is not None:
                (folder / case.file).parent.mkdir(exist_ok=True)
                shutil.copyfile(sound, folder / case.file)
        with part.open("w", encoding="utf-8", newline="") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if file.path.exists():
            shutil.copymode(file.path, part)
        part.replace(file.path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SiteError(f"can't write {file.path}: {error.strerror or error}") from error

"""The doctor's checks of speech: does each recogniser that a site needs load, understand, or answer?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.doctor_result import Result, result

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.dialplan.speech_model import SpeechModel

CHECK = "speech"
LOAD_S_SLOW = 5.0
TRIAL = "4079"
_WHO = "write `speech:` in site.yaml, with a model folder or a remote recogniser for it, or none"


def speech(site: Site, running: dict[str, Any] | None) -> Iterator[Result]:
    """A line for each language and recogniser that dialplans listen with, and one for the running engine's pool."""
    from engine.dialplan.speech_model import FOLDER, NONE, REMOTE, recognizer_of

    languages = sorted({grammar.language for grammar in site.grammars.values()})
    if not languages:
        yield result(CHECK, "ok", "no dialplan listens for speech")
        return
    seen: dict[tuple[str, SpeechModel], None] = {}
    for tenant in site.tenants.values():
        for language in languages:
            seen[language, recognizer_of(tenant.speech, language)] = None
    for language, model in seen:
        if model.kind == NONE:
            yield result(CHECK, "ok", f"{language}: no recogniser, callers are served by keys")
        elif model.kind == REMOTE:
            yield from (remote(language, address) for address in model.addresses)
        elif model.kind == FOLDER:
            yield folder(language, Path(model.folder))
        else:
            yield embedded(language)
    if running is not None and "speech" in running.get("runtime", {}):
        yield pool(running["runtime"]["speech"])


def embedded(language: str) -> Result:
    """The model that comes with the engine: whole by its checksums, loaded, and it understands a recording."""
    from engine.runtime import graph_shelf

    own = graph_shelf.shipped(language)
    if own is None:
        return result(CHECK, "fail", f"{language}: the engine comes with no model for it", _WHO)
    trial = _recording(language)
    if trial is None:
        return folder(language, own)
    return understands(language, own, trial)


def _recording(language: str) -> list[Path] | None:
    """The stock recordings of the trial's digits, None when the language has none."""
    from engine.runtime import site_files

    folder = site_files.package_folder("prompts") / language.partition("-")[0] / "digits"
    files = [folder / f"{digit}.wav" for digit in TRIAL]
    return files if all(file.is_file() for file in files) else None


def understands(language: str, own: Path, recording: list[Path]) -> Result:
    """One utterance through a model of ours."""
    import time

    import numpy as np

    from engine.errors import RingdownError
    from engine.runtime.embedded_recognizer import EmbeddedRecognizer
    from engine.runtime.graph_shelf import Shelf
    from engine.runtime.wav import read_wav
    from engine.speech.grammar import Grammar, Line, Slot

    grammar = Grammar(language, (Line("$number", "number"),), {"number": Slot("digits", len(TRIAL), len(TRIAL))})
    try:
        shelf = Shelf()
        recognizer = EmbeddedRecognizer(shelf, str(own), {})
        recognizer.start(grammar)  # compiles, unless the cache has it
        again = EmbeddedRecognizer(Shelf(), str(own), {})
        began_s = time.monotonic()
        again.start(grammar)
        load_s = time.monotonic() - began_s
        said = np.concatenate([read_wav(file) for file in recording])
        recognizer.feed(said)
        heard = recognizer.finish()
    except RingdownError as error:
        return result(CHECK, "fail", f"{language}: {error}", "install ringdown again: pip install --force-reinstall")
    found = heard[0].slots.get("number") if heard else None
    name = f"{language}: the embedded model {shelf.own(str(own)).digest[:12]}"
    if found != TRIAL:
        told = f"{name} took a recording of {TRIAL} for {found or 'nothing'}"
        return result(CHECK, "fail", told, "install ringdown again; ringdown hear FILE --slot digits:4 tells more")
    text = f"{name} is whole, ready in {load_s * 1000:.0f} ms, and understands a recording of {TRIAL}"
    if shelf.unkept:
        return result(CHECK, "warn", f"{text}; {shelf.unkept}", "set RINGDOWN_CACHE to a folder that can be written to")
    return result(CHECK, "ok", text)


def folder(language: str, model: Path) -> Result:
    """A model folder: the library takes it, and in good time."""
    import time

    from engine.errors import SpeechError
    from engine.runtime import graph_shelf, vosk_library

    why = graph_shelf.problem(model)
    began_s = time.monotonic()
    if not why:
        try:
            vosk_library.Model(model)
        except SpeechError as error:
            why = str(error)
    if why:
        return result(CHECK, "fail", f"{language}: {why}", "put a vosk model there; until then keys serve its callers")
    load_s = time.monotonic() - began_s
    text = f"{language}: the model {model} loads in {load_s:.1f} s"
    if load_s > LOAD_S_SLOW:
        return result(CHECK, "warn", text, "a smaller model, or a remote recogniser that has it loaded already")
    return result(CHECK, "ok", text)


def remote(language: str, address: str) -> Result:
    """Does a remote recogniser take a connection?"""
    import asyncio
    import time

    from engine.errors import SpeechError
    from engine.runtime.remote_recognizer import Remotes

    async def connect() -> None:
        remotes = Remotes(lambda text: None)
        try:
            await (await remotes.connect(address)).close()
        finally:
            await remotes.close()

    began_s = time.monotonic()
    try:
        asyncio.run(connect())
    except SpeechError as error:
        told = f"{language}: the recogniser {address}: {error}"
        return result(CHECK, "fail", told, "start it, or take its address out of `speech:`; what stands in serves now")
    took_ms = round((time.monotonic() - began_s) * 1000)
    return result(CHECK, "ok", f"{language}: the recogniser {address} answers in {took_ms} ms")


def pool(figures: dict[str, Any]) -> Result:
    """The running engine's recogniser processes."""
    text = (
        f"{figures['children_ready']} of {figures['children']} recognisers ready, {figures['listening']} callers "
        f"listened to; {figures['listened']} listenings so far, {figures['failed']} failed, "
        f"{figures['frames_dropped']} frames dropped, {figures['children_lost']} processes lost"
    )
    if figures["children"] and not figures["children_ready"]:
        return result(CHECK, "fail", text, "the log says why they end (ringdown tail, or the service's journal)")
    if figures["children_ready"] < figures["children"] or figures["frames_dropped"]:
        return result(CHECK, "warn", text, "more processor for this machine, or a remote recogniser on another")
    return result(CHECK, "ok", text)

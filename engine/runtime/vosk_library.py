"""libvosk, as little of it as recognising an utterance takes. Only children load it: C++ may die.

Of the `vosk` package the shared library and its generated description (`vosk_cffi.py`) are used, both by path: to
import the package itself would take a subtitle library, a download client and a progress bar.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.errors import SpeechError
from engine.speech.ports import RATE_HZ, Samples

_QUIET = -1
_NEEDED = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")
_GRAPHS = (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst"))


class Reading(msgspec.Struct, frozen=True):
    """One of the n-best: its words, and its score (higher is better; only differences within one utterance mean
    something)."""

    words: str
    score: float
    timed: tuple[tuple[str, float, float], ...] = ()  # word, begin and end in s from the first sample, where asked for


class _Word(msgspec.Struct):
    word: str
    start: float
    end: float


class _Alternative(msgspec.Struct):
    text: str = ""
    confidence: float = 0.0
    result: list[_Word] = []


class _Final(msgspec.Struct):
    text: str = ""
    alternatives: list[_Alternative] = []


class _Partial(msgspec.Struct):
    partial: str = ""


@cache
def load() -> tuple[Any, Any]:
    """(ffi, lib), once per process. Raises SpeechError, with the remedy, when the package is missing or can't be
    loaded here."""
    found = importlib.util.find_spec("vosk")
    folder = Path(next(iter(found.submodule_search_locations or ()), "")) if found is not None else Path()
    description = folder / "vosk_cffi.py"
    if found is None or not description.is_file():
        raise SpeechError("the package vosk is not installed here: speech needs it (tools/run installs it)")
    spec = importlib.util.spec_from_file_location("ringdown_vosk_cffi", description)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        lib = module.ffi.dlopen(str(folder / "libvosk.so"))
    except (ImportError, OSError) as error:
        raise SpeechError(f"libvosk can't be loaded on this machine: {error}") from error
    lib.vosk_set_log_level(_QUIET)
    return module.ffi, lib


def lacks(folder: Path) -> str:
    """What a model folder lacks that the library can't do without, '' when it is whole."""
    if not folder.is_dir():
        return "there is no such folder"
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        return f"it has no {' and no '.join(missing)}"
    if not any(all((folder / name).is_file() for name in graph) for graph in _GRAPHS):
        return "it has neither graph/HCLG.fst nor graph/HCLr.fst with graph/Gr.fst"
    return ""


class Model:
    """A model folder in memory, shared by the decoders of its graph."""

    def __init__(self, folder: Path) -> None:
        """Raises SpeechError: what the folder lacks, or that the library refuses it."""
        missing = lacks(folder)
        if missing:
            raise SpeechError(f"the model {folder} can't be used: {missing}")
        self.folder = folder
        self.own_grammar = (folder / "graph/HCLG.fst").is_file()  # else phrases can be given at run time
        ffi, self._lib = load()
        handle = self._lib.vosk_model_new(str(folder).encode())
        if handle == ffi.NULL:
            raise SpeechError(f"the model {folder} can't be used: a file of it is broken or of another kind")
        self.handle = ffi.gc(handle, self._lib.vosk_model_free)

    def knows(self, word: str) -> bool:
        """Is it a word of the model's own vocabulary? The only ones that a phrase list may hold."""
        return bool(self._lib.vosk_model_find_word(self.handle, word.encode()) >= 0)


class Decoder:
    """One utterance through a model. Not shared between threads; the library lets go of the GIL while it computes."""

    def __init__(
        self, model: Model, phrases: tuple[str, ...] = (), alternatives: int = 5, rate_hz: int = RATE_HZ
    ) -> None:
        """`phrases`: what may be said, for a model without a graph of its own (() there means any of its words)."""
        self._ffi, self._lib = load()
        if phrases:
            listed = msgspec.json.encode([*phrases, "[unk]"])
            handle = self._lib.vosk_recognizer_new_grm(model.handle, float(rate_hz), listed)
        else:
            handle = self._lib.vosk_recognizer_new(model.handle, float(rate_hz))
        if handle == self._ffi.NULL:
            raise SpeechError(f"the model {model.folder} takes no recogniser at {rate_hz} Hz with these phrases")
        self._model = model  # the library's own object points to it
        self._handle = self._ffi.gc(handle, self._lib.vosk_recognizer_free)
        if alternatives:
            self._lib.vosk_recognizer_set_max_alternatives(self._handle, alternatives)

    def time_words(self) -> None:
        """Say when each word was said, too."""
        self._lib.vosk_recognizer_set_words(self._handle, 1)

    def feed(self, samples: Samples) -> None:
        """More of the utterance; any number of samples. Raises SpeechError when the library fails at it."""
        data = np.ascontiguousarray(samples, np.int16)
        pointer = self._ffi.cast("short *", data.ctypes.data)
        if self._lib.vosk_recognizer_accept_waveform_s(self._handle, pointer, len(data)) < 0:
            raise SpeechError(f"the model {self._model.folder} failed at an utterance")

    def partial(self) -> str:
        """The words so far, as they look now."""
        return msgspec.json.decode(self._text("vosk_recognizer_partial_result"), type=_Partial).partial

    def final(self) -> list[Reading]:
        """The readings of everything that was fed, best first; [] for nothing."""
        told = msgspec.json.decode(self._text("vosk_recognizer_final_result"), type=_Final)
        if told.alternatives:
            return [Reading(each.text.strip(), each.confidence, tuple((w.word, w.start, w.end) for w in each.result))
                    for each in told.alternatives]  # fmt: skip
        return [Reading(told.text, 0.0)] if told.text else []

    def _text(self, function: str) -> bytes:
        return bytes(self._ffi.string(getattr(self._lib, function)(self._handle)))

"""Models made ready for grammars: compiled once by content, kept in the cache folder, and the last ones in memory.

A model of ours (`manifest.yaml` beside it) gets an exact graph for each grammar. A folder of the admin's is used as it
is: with a phrase list when it takes one, else with the graph it has, and the grammar reads what it hears. Everything
here blocks; whoever serves calls does it in a thread.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import tempfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import msgspec

from engine import speech
from engine.errors import SpeechError
from engine.runtime import vosk_library
from engine.runtime.guessing import guess
from engine.speech import grammar_net, graph, phones, phrase_list
from engine.speech.confidence import Calibration
from engine.speech.grammar import Grammar
from engine.speech.lexicon import Dictionary, Lexicon, unknown_words
from engine.speech.matcher import Matcher

MODELS = Path(speech.__file__).parent / "models"
in_memory_max = 48
on_disk_max = 256
Lists = dict[str, tuple[str, ...]]
# an endpointer of ours decides when an utterance is over: the library's own must never cut one in two
_ENDLESS = ("--endpoint.rule1.min-trailing-silence=600", "--endpoint.rule2.min-trailing-silence=600",
            "--endpoint.rule3.min-trailing-silence=600", "--endpoint.rule4.min-trailing-silence=600",
            "--endpoint.rule5.min-utterance-length=600")  # fmt: skip
# the widest search that pays (69 % with beam 8, 86 % with 16, no more with 24); alternatives further behind
# than the lattice's beam aren't told, and a wider one costs seconds on sounds that fit nothing
_SEARCH = ("--beam=16.0", "--min-active=200", "--max-active=3000", "--lattice-beam=6.0",
           "--max-mem=500000")  # bytes for a lattice: without a bound some foreign sentences took minutes


class Manifest(msgspec.Struct, frozen=True):
    """What a model of ours says of itself, as far as decoding goes."""

    language: str
    words: str
    sha256: dict[str, str] = {}
    noise_phone_trained: bool = False
    tuning: graph.Tuning = graph.Tuning()
    confidence: Calibration = Calibration()


class Prepared(msgspec.Struct, frozen=True):
    """A model with a grammar: what a decoder decodes with, and what reads its words. `phrases`: for the run-time
    grammar of a model that is not ours."""

    model: vosk_library.Model
    matcher: Matcher
    calibration: Calibration
    ours: bool
    phrases: tuple[str, ...] = ()


class OwnModel:
    """A model folder of ours. Reading it checks it."""

    def __init__(self, folder: Path) -> None:
        """Raises SpeechError: what is missing or broken."""
        self.folder = folder
        try:
            raw = (folder / "manifest.yaml").read_bytes()
            self.manifest = msgspec.yaml.decode(raw, type=Manifest)
            model = (folder / "am/final.mdl").read_bytes()
            words = (folder / self.manifest.words).read_bytes()
            self.phones = phones.read((folder / "phones.txt").read_text("utf-8"), self.manifest.noise_phone_trained)
            conf = (folder / "conf/model.conf").read_text("utf-8")
            self.mfcc = (folder / "conf/mfcc.conf").read_bytes()
        except OSError as error:
            raise SpeechError(f"the model {folder} is incomplete: {error.strerror} ({error.filename}); "
                              "install ringdown again") from error  # fmt: skip
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise SpeechError(f"the model {folder} has a broken manifest: {error}; install ringdown again") from error
        for name, data in (("am/final.mdl", model), (self.manifest.words, words)):
            wanted = self.manifest.sha256.get(name, "")
            if wanted and hashlib.sha256(data).hexdigest() != wanted:
                raise SpeechError(f"the model {folder} is broken: {name} is not what its manifest says; "
                                  "install ringdown again")  # fmt: skip
        self._packed = words
        self._dictionary: Dictionary | None = None
        kept = [line for line in conf.split() if not line.startswith(("--endpoint.rule", "--beam", "--min-active",
                                                                       "--max-active", "--lattice-beam"))]  # fmt: skip
        self.conf = "\n".join((*kept, *_SEARCH, *_ENDLESS)) + "\n"
        self.digest = _digest(raw, model, words, self.mfcc, self.conf.encode())

    @property
    def dictionary(self) -> Dictionary:
        """Its words: 130,000 lines, unpacked when the first grammar is compiled."""
        if self._dictionary is None:
            self._dictionary = Dictionary(lzma.decompress(self._packed).decode())
        return self._dictionary


def shipped(language: str) -> Path | None:
    """The folder of the model that comes with the engine for a language, None when there is none."""
    folder = MODELS / language.partition("-")[0]
    return folder if (folder / "manifest.yaml").is_file() else None


def problem(folder: Path) -> str:
    """Why a model folder can't be used, '' when it looks whole. Doesn't load the library."""
    if (folder / "manifest.yaml").is_file():
        try:
            OwnModel(folder)
        except SpeechError as error:
            return str(error)
        return ""
    missing = vosk_library.lacks(folder)
    return f"{folder} is no model that vosk can use: {missing}" if missing else ""


class Shelf:
    """`prepared(folder, grammar, lists)`: the same twice costs nothing."""

    def __init__(self, cache: Path | None = None) -> None:
        """`cache`: where compiled graphs are kept, the user's cache folder when not given."""
        self._cache = cache
        self._own: dict[str, OwnModel] = {}
        self._foreign: dict[str, vosk_library.Model] = {}
        self._ready: OrderedDict[tuple[str, bytes], Prepared] = OrderedDict()
        self._source = b""

    def holds(self, folder: str, grammar: Grammar, lists: Lists) -> bool:
        """Is it in memory?"""
        return (folder, _key(grammar, lists)) in self._ready

    def prepared(self, folder: str, grammar: Grammar, lists: Lists) -> Prepared:
        """A model with a grammar. Raises SpeechError: whose fault it is, and what to do."""
        key = folder, _key(grammar, lists)
        found = self._ready.get(key)
        if found is None:
            filled = grammar_net.fill(grammar, lists) if lists else grammar
            own = (Path(folder) / "manifest.yaml").is_file()
            found = self._exact(folder, filled) if own else self._near(folder, filled)
            self._ready[key] = found
            while len(self._ready) > in_memory_max:
                self._ready.popitem(last=False)
        with suppress(KeyError):  # another thread may have dropped it
            self._ready.move_to_end(key)
        return found

    def warm(self) -> None:
        """Find the cache folder, and what its entries depend on."""
        self._home()
        self._sources()

    def own(self, folder: str) -> OwnModel:
        """A model of ours, read once. Raises SpeechError."""
        if folder not in self._own:
            self._own[folder] = OwnModel(Path(folder))
        return self._own[folder]

    # --- ours: an exact graph
    def _exact(self, folder: str, grammar: Grammar) -> Prepared:
        own = self.own(folder)
        name = _digest(own.digest.encode(), self._sources(), msgspec.msgpack.encode(grammar))
        place = self._home() / name
        if not (place / "graph/HCLG.fst").is_file() or not (place / "am/final.mdl").is_file():
            self._write(place, own, grammar)
        else:
            with suppress(OSError):
                os.utime(place)
        try:
            model = vosk_library.Model(place)
        except SpeechError:  # what lay there was broken: once more
            shutil.rmtree(place, ignore_errors=True)
            self._write(place, own, grammar)
            model = vosk_library.Model(place)
        return Prepared(model, Matcher(grammar), own.manifest.confidence, True)

    def _write(self, place: Path, own: OwnModel, grammar: Grammar) -> None:
        lexicon = Lexicon(own.dictionary, grammar.words)
        unknown = unknown_words(grammar_net.build(grammar), lexicon)
        if unknown:
            lexicon = Lexicon(own.dictionary, grammar.words, guess(unknown, grammar.language))
        made = graph.compile(grammar, lexicon, own.phones, own.manifest.tuning)
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(prefix=".making-", dir=place.parent))
            (beside / "graph/phones").mkdir(parents=True)
            (beside / "conf").mkdir()
            (beside / "graph/HCLG.fst").write_bytes(made.hclg)
            (beside / "graph/words.txt").write_text(made.words, "utf-8")
            (beside / "graph/phones/word_boundary.int").write_text(phones.boundaries(own.phones), "utf-8")
            (beside / "conf/mfcc.conf").write_bytes(own.mfcc)
            (beside / "conf/model.conf").write_text(own.conf, "utf-8")
            (beside / "am").symlink_to((own.folder / "am").resolve())
            if place.exists():
                shutil.rmtree(place, ignore_errors=True)
            try:
                beside.rename(place)
            except OSError:  # another process was faster
                shutil.rmtree(beside, ignore_errors=True)
        except OSError as error:
            raise SpeechError(f"no compiled grammar can be kept in {place.parent}: {error.strerror}; set "
                              "RINGDOWN_CACHE to a folder that can be written to") from error  # fmt: skip
        self._prune()

    def _home(self) -> Path:
        if self._cache is None:
            from engine.jit import cache_root  # imports numba, which a command that is given a folder needn't

            self._cache = cache_root()
        return self._cache / "graphs"

    def _prune(self) -> None:
        """Keep the newest."""
        try:
            places = sorted(self._home().iterdir(), key=lambda each: each.stat().st_mtime, reverse=True)
        except OSError:  # another process prunes
            return
        for place in places[on_disk_max:]:
            shutil.rmtree(place, ignore_errors=True)

    def _sources(self) -> bytes:
        """Compiled by other code, a graph is another one."""
        if not self._source:
            own = Path(speech.__file__).parent
            self._source = _digest(*(path.read_bytes() for path in sorted(own.glob("*.py")))).encode()
        return self._source

    # --- the admin's: the nearest that it takes
    def _near(self, folder: str, grammar: Grammar) -> Prepared:
        model = self._foreign.get(folder)
        if model is None:
            model = self._foreign[folder] = vosk_library.Model(Path(folder))
        listed: tuple[str, ...] = ()
        if not model.own_grammar:
            listed = tuple(each for each in phrase_list.phrases(grammar) if all(map(model.knows, each.split())))
            if not listed:
                raise SpeechError(f"the model {folder} knows no phrase of this grammar: each has a word that it lacks")
        return Prepared(model, Matcher(grammar), Calibration(), False, listed)


def _key(grammar: Grammar, lists: Lists) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode((grammar, lists)), digest_size=16).digest()


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()

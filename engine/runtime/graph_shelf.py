"""Models made ready for grammars: compiled once by content, kept in the cache folder, and the last ones in memory.

A model of ours (`manifest.yaml` beside it) gets an exact graph for each grammar. A folder of the admin's is used as it
is: with a phrase list when it takes one, else with the graph it has, and the grammar reads what it hears. Everything
here blocks; whoever serves calls does it in a thread.
"""

from __future__ import annotations

import errno
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
from engine.runtime import model_files, vosk_library
from engine.runtime.guessing import guess
from engine.runtime.model_files import AGAIN
from engine.speech import grammar_net, graph, phones, phrase_list
from engine.speech.confidence import Calibration
from engine.speech.grammar import Grammar
from engine.speech.lexicon import Dictionary, Lexicon, unknown_words
from engine.speech.matcher import Matcher

MODELS = Path(speech.__file__).parent / "models"
in_memory_max = 48
on_disk_max = 256
_MEMORY = Path("/dev/shm")
Lists = dict[str, tuple[str, ...]]
# an endpointer of ours decides when an utterance is over: the library's own must never cut one in two
_ENDLESS = ("--endpoint.rule1.min-trailing-silence=600", "--endpoint.rule2.min-trailing-silence=600",
            "--endpoint.rule3.min-trailing-silence=600", "--endpoint.rule4.min-trailing-silence=600",
            "--endpoint.rule5.min-utterance-length=600")  # fmt: skip
# the widest search that pays (69 % with beam 8, 86 % with 16, no more with 24); with that beam 200 active states at
# least hear what 100 hear, to the last digit of the scores, for a sixth more; alternatives further behind
# than the lattice's beam aren't told, and a wider one costs seconds on sounds that fit nothing
_SEARCH = ("--beam=16.0", "--min-active=100", "--max-active=3000", "--lattice-beam=6.0",
           "--max-mem=5000000")  # bytes for a lattice: a smaller bound loses the garbage path, and a phrase seems sure


class Manifest(msgspec.Struct, frozen=True):
    """What a model of ours says of itself, as far as decoding goes; `model_files` reads what it says of files."""

    language: str
    words: str
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
    mute: tuple[str, ...] = ()  # entries of lists that nobody knows how to say


class OwnModel:
    """A model folder of ours. Reading it checks it."""

    def __init__(self, folder: Path) -> None:
        """Raises SpeechError: what is missing or broken."""
        self.folder = folder
        model_files.check(folder)
        try:
            raw = (folder / "manifest.yaml").read_bytes()
            self.manifest = msgspec.yaml.decode(raw, type=Manifest)
            model = (folder / "am/final.mdl").read_bytes()
            words = (folder / self.manifest.words).read_bytes()
            self.phones = phones.read((folder / "phones.txt").read_text("utf-8"), self.manifest.noise_phone_trained)
            conf = (folder / "conf/model.conf").read_text("utf-8")
            self.mfcc = (folder / "conf/mfcc.conf").read_bytes()
        except OSError as error:  # since it was checked
            raise SpeechError(f"the model {folder} is incomplete: {error.strerror}; {AGAIN}") from error
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise SpeechError(f"the model {folder} has a broken manifest: {error}; {AGAIN}") from error
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
            try:
                self._dictionary = Dictionary(lzma.decompress(self._packed).decode())
            except (lzma.LZMAError, UnicodeError) as error:
                raise SpeechError(f"the model {self.folder} is broken: its words can't be unpacked; {AGAIN}") from error
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
        self.unkept = ""  # why compiled graphs can't be kept, when they can't

    def holds(self, folder: str, grammar: Grammar, lists: Lists) -> bool:
        """Is it in memory?"""
        return (folder, _key(grammar, lists)) in self._ready

    def prepared(self, folder: str, grammar: Grammar, lists: Lists) -> Prepared:
        """A model with a grammar. Raises SpeechError: whose fault it is, and what to do."""
        key = folder, _key(grammar, lists)
        found = self._ready.get(key)
        if found is None:
            own = (Path(folder) / "manifest.yaml").is_file()
            mute = self._mute(self.own(folder), grammar, lists) if own and lists else ()
            lists = {name: tuple(each for each in held if each not in mute) for name, held in lists.items()}
            filled = grammar_net.fill(grammar, lists) if lists else grammar
            found = self._exact(folder, filled) if own else self._near(folder, filled)
            if mute:
                found = msgspec.structs.replace(found, mute=mute)
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
        model: vosk_library.Model | None = None
        if (place / "graph/HCLG.fst").is_file() and (place / "am/final.mdl").is_file():
            with suppress(OSError):
                os.utime(place)
            with suppress(SpeechError):  # what lies there is broken: once more
                model = vosk_library.Model(place)
        if model is None:
            shutil.rmtree(place, ignore_errors=True)  # only here: later it may be another process's, whole and in use
            model = self._make(place, own, grammar)
        return Prepared(model, Matcher(grammar), own.manifest.confidence, True)

    def _mute(self, own: OwnModel, grammar: Grammar, lists: Lists) -> tuple[str, ...]:
        """Entries with a word that nobody knows how to say: without them the others are understood."""
        lexicon = Lexicon(own.dictionary, grammar.words)
        words = dict.fromkeys(word for held in lists.values() for each in held for word in each.split())
        unknown = lexicon.missing(words)
        guessed = guess(unknown, grammar.language) if unknown else {}
        mute = dict.fromkeys(word for word in unknown if word not in guessed)
        return tuple(each for held in lists.values() for each in held if any(word in mute for word in each.split()))

    def _make(self, place: Path, own: OwnModel, grammar: Grammar) -> vosk_library.Model:
        """Compile a grammar, keep it if that is possible, and load it."""
        lexicon = Lexicon(own.dictionary, grammar.words)
        unknown = unknown_words(grammar_net.build(grammar), lexicon)
        if unknown:
            lexicon = Lexicon(own.dictionary, grammar.words, guess(unknown, grammar.language))
        made = graph.compile(grammar, lexicon, own.phones, own.manifest.tuning)
        try:
            _keep(place, own, made)
        except OSError as error:
            self.unkept = f"compiled grammars can't be kept in {place.parent}: {error.strerror}"
            return self._load_unkept(own, made)
        self.unkept = ""
        self._prune()
        return vosk_library.Model(place)

    def _load_unkept(self, own: OwnModel, made: graph.Graph) -> vosk_library.Model:
        """Load a graph by way of memory or the system's own temporary folder: a full disk makes nobody dumb."""
        for other in (_MEMORY, Path(tempfile.gettempdir())):
            try:
                with tempfile.TemporaryDirectory(prefix="ringdown-graph-", dir=other) as folder:
                    _lay_out(Path(folder), own, made)
                    return vosk_library.Model(Path(folder))
            except OSError:
                continue
        raise SpeechError(f"{self.unkept}, nor in a temporary folder; set RINGDOWN_CACHE to a folder that can be "
                          "written to")  # fmt: skip

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


def _lay_out(folder: Path, own: OwnModel, made: graph.Graph) -> None:
    """A model folder with a compiled graph, as the library reads it. Raises OSError."""
    (folder / "graph/phones").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "graph/HCLG.fst").write_bytes(made.hclg)
    (folder / "graph/words.txt").write_text(made.words, "utf-8")
    (folder / "graph/phones/word_boundary.int").write_text(phones.boundaries(own.phones), "utf-8")
    (folder / "conf/mfcc.conf").write_bytes(own.mfcc)
    (folder / "conf/model.conf").write_text(own.conf, "utf-8")
    (folder / "am").symlink_to((own.folder / "am").resolve())


def _keep(place: Path, own: OwnModel, made: graph.Graph) -> None:
    """The same in the cache, whole or not at all. Raises OSError."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".making-", dir=place.parent))
    try:
        _lay_out(beside, own, made)
        with suppress(FileExistsError):  # another process was faster
            _rename(beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _rename(beside: Path, place: Path) -> None:
    """Raises FileExistsError when something stands there already, whatever the system calls that."""
    try:
        beside.rename(place)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise FileExistsError(error.errno, error.strerror) from error
        raise


def _key(grammar: Grammar, lists: Lists) -> bytes:
    return hashlib.blake2b(msgspec.msgpack.encode((grammar, lists)), digest_size=16).digest()


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()

"""Synthesisers: espeak-ng, flite and festival (Debian packages), and any program that an admin names by a command.

Each is a program of its own, run here and waited for: off the event loop only (`speaking`, or a command of the CLI).
It gets the words and no more: a scratch folder, none of the engine's environment, a bound on time and on what it may
write, and the lowest rights to the processor, because calls come first.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from engine.dialplan.voice_model import COMMAND, VoiceModel
from engine.errors import SiteError, SpeechError
from engine.runtime.sounds import decode_bounded
from engine.speech import wording
from engine.speech.ports import Sound, Synthesizer

speak_s_max = 30.0
sound_ms_max = 180_000
written_bytes_max = 100_000_000  # espeak-ng needs 64 MB of them for a sound card that it never opens
VOICES = Path("/usr/share/festival/voices")  # where Debian's packages put them

_PACKAGES = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "festival festvox-us-slt-hts"}
_BEST = {"en": ("festival", "flite", "espeak-ng")}  # Debian's voices, the most natural first; others have espeak-ng
_CALLED = {"en": "en-us", "pt": "pt-br", "zh": "cmn-latn-pinyin"}  # espeak-ng's names where it isn't the language's
_SPELT = ("ja", "ko", "yue")  # Debian's espeak-ng spells their characters out in English
_WORDS_A_MINUTE = {"zh": "200"}


def run(
    command: Sequence[str], words: str = "", seconds: float = speak_s_max, scratch: Path | None = None,
    *, statuses: tuple[int, ...] = (0,),
) -> bytes:
    """What a program writes to its standard output. `statuses`: those that are no failure. Raises SpeechError, in
    words, when it can't be run, fails or takes too long; then nothing of it is left running."""
    name = Path(command[0]).name
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as given:
        given.write(words.encode())
        given.seek(0)
        try:
            child = subprocess.Popen(
                command, stdin=given, stdout=out, stderr=errors, cwd=scratch, env=kept, start_new_session=True,
                preexec_fn=_humbly,
            )  # fmt: skip
        except OSError as error:
            raise SpeechError(f"{name} can't be run: {error.strerror or error}") from error
        try:
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise SpeechError(f"{name} took longer than {seconds:.0f} s") from None
        finally:
            _end(child)
        errors.seek(0)
        if status not in statuses:
            said = errors.read(20_000).decode("utf-8", "replace").strip().splitlines()
            how = f"was ended by signal {-status}" if status < 0 else f"failed with status {status}"
            raise SpeechError(f"{name} {how}{': ' + said[-1][:200].rstrip('.') if said else ''}")
        out.seek(0)
        return out.read(written_bytes_max)


def _humbly() -> None:
    """In the child, before the program: calls come first, and a disk isn't filled."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_FSIZE, (written_bytes_max, written_bytes_max))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end(child: subprocess.Popen[bytes]) -> None:
    """With everything that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _sound(name: str, content: bytes) -> Sound:
    if not content:
        raise SpeechError(f"{name} wrote no sound")
    try:
        signal_, rate = decode_bounded(content, sound_ms_max)
    except SiteError as error:
        raise SpeechError(f"what {name} wrote can't be used: {error}") from error
    samples = np.clip(np.rint(signal_ * 32_768), -32_768, 32_767).astype(np.int16)
    if not np.any(samples):
        raise SpeechError(f"{name} wrote silence")
    return Sound(samples, rate)


class Program:
    """What the three have in common: a program that writes a WAV file."""

    name = ""

    def version(self) -> str:
        return program_version(self.name)

    def speak(self, text: str, language: str, voice: str) -> Sound:
        """Raises SpeechError."""
        words = wording.spoken(wording.clean(text), language)
        if voice:
            self.known(voice)
        with tempfile.TemporaryDirectory(prefix="ringdown-voice-") as scratch:
            file = Path(scratch) / "said.wav"
            command, given = self.asked(words, language, voice, file)
            run(command, given, scratch=Path(scratch))
            return _sound(self.name, file.read_bytes() if file.is_file() else b"")

    def asked(self, words: str, language: str, voice: str, file: Path) -> tuple[list[str], str]:
        """(the command, its standard input). Raises SpeechError: a voice that it hasn't."""
        raise NotImplementedError

    def best(self, language: str) -> str:
        """The voice that speaks a language where none is named. Raises SpeechError."""
        raise NotImplementedError

    def voices(self) -> list[str]:
        """The names of what is installed."""
        raise NotImplementedError

    def known(self, voice: str) -> str:
        """The same, when it is installed. Raises SpeechError."""
        names = self.voices()
        if voice not in names:
            raise SpeechError(f"{self.name} has no voice {voice!r} here; it has {' '.join(names[:20]) or 'none'}")
        return voice


class Espeak(Program):
    """espeak-ng: over a hundred languages, quick, plain."""

    name = "espeak-ng"

    def asked(self, words: str, language: str, voice: str, file: Path) -> tuple[list[str], str]:
        speed = _WORDS_A_MINUTE.get(language.partition("-")[0], "165")
        return [self.name, "-v", voice or self.best(language), "-s", speed, "-w", str(file), "--stdin"], words

    def best(self, language: str) -> str:
        base = language.partition("-")[0]
        if base in _SPELT:
            raise SpeechError(f"{self.name} has no voice for {language}: name a program by command:")
        return _CALLED.get(language, language)

    def voices(self) -> list[str]:
        lines = _listing((self.name, "--voices")).splitlines()[1:]
        return [name for line in lines for name in line.split()[1:2]]

    def known(self, voice: str) -> str:
        """Of a variant (en-us+f3) what stands before it."""
        super().known(voice.partition("+")[0])
        return voice


class Flite(Program):
    """flite: English."""

    name = "flite"

    def asked(self, words: str, language: str, voice: str, file: Path) -> tuple[list[str], str]:
        return [self.name, "-voice", voice or self.best(language), "-t", words, "-o", str(file)], ""

    def best(self, language: str) -> str:
        if language.partition("-")[0] != "en":
            raise SpeechError(f"{self.name} speaks English only, not {language}")
        return "slt"

    def voices(self) -> list[str]:
        return _listing((self.name, "-lv")).partition(":")[2].split()


class Festival(Program):
    """festival: the voices that are installed beside it; `cmu_us_slt_arctic_hts` is the most natural of Debian's."""

    name = "festival"

    def asked(self, words: str, language: str, voice: str, file: Path) -> tuple[list[str], str]:
        return [self.name, "--pipe"], self.script(voice, language, [(words, file)])

    def script(self, voice: str, language: str, lines: list[tuple[str, Path]]) -> str:
        """What festival must be told to say `lines`: (words, as `wording` cleaned them; file). Raises SpeechError."""
        chosen = voice or self.best(language)
        say = '(utt.save.wave (utt.synth (Utterance Text "{}")) "{}" (quote riff))'
        said = [say.format(*line) for line in lines]
        return "\n".join([f"(voice_{chosen})", *said])

    def best(self, language: str) -> str:
        """Its best voice of a language. Raises SpeechError."""
        if language.partition("-")[0] == "en":
            ranked = ("cmu_us_slt_arctic_hts", "kal_diphone", "ked_diphone")
            for name in ranked:
                if name in self.voices():
                    return name
        raise SpeechError(f"{self.name} has no voice for {language} here: name one by voice:")

    def voices(self) -> list[str]:
        return sorted(path.name for path in VOICES.glob("*/*") if path.is_dir())


class Command:
    """Any program: {text}, {file}, {voice} and {language} are put into its words, see VoiceModel."""

    name = COMMAND

    def __init__(self, command: tuple[str, ...], version: str = "") -> None:
        self.command = command
        self.given_version = version

    def version(self) -> str:
        """Of the command, and of its program's file: another Piper is another voice."""
        found = shutil.which(self.command[0])
        stamp = f"{Path(found).stat().st_mtime_ns}" if found else ""
        named = "\0".join((*self.command, self.given_version, stamp))
        return blake2b(named.encode(), digest_size=6).hexdigest()

    def speak(self, text: str, language: str, voice: str) -> Sound:
        """Raises SpeechError."""
        words = wording.clean(text)
        with tempfile.TemporaryDirectory(prefix="ringdown-voice-") as scratch:
            file = Path(scratch) / "said.wav"
            places = {"text": words, "file": str(file), "voice": voice, "language": language}
            command = [re.sub(r"\{(\w+)\}", lambda found: places[found[1]], word) for word in self.command]
            line = " ".join(self.command)
            out = run(command, "" if "{text}" in line else words, scratch=Path(scratch))
            if "{file}" in line:
                out = file.read_bytes() if file.is_file() else b""
        return _sound(Path(self.command[0]).name, out)


_KNOWN: dict[str, type[Program]] = {"espeak-ng": Espeak, "flite": Flite, "festival": Festival}


def of(model: VoiceModel) -> Synthesizer:
    """The synthesiser that speaks for a voice of a site."""
    return Command(model.command, model.version) if model.engine == COMMAND else _KNOWN[model.engine]()


def best(language: str) -> VoiceModel:
    """What speaks a language where the site names no voice. Raises SpeechError naming what to install."""
    names = _BEST.get(language.partition("-")[0], ("espeak-ng",))
    for name in names:
        if shutil.which(name):
            return VoiceModel(name)
    wanted = " or ".join(_PACKAGES[name] for name in names)
    raise SpeechError(f"no synthesiser for {language} is installed; Debian packages that bring one: {wanted}")


def label(model: VoiceModel, language: str) -> str:
    """Who speaks, as a manifest of prompts names him: `festival cmu_us_slt_arctic_hts`. Raises SpeechError."""
    if model.engine == COMMAND:
        return " ".join((*model.command, model.voice)).strip()
    return f"{model.engine} {model.voice or _KNOWN[model.engine]().best(language)}"


def missing(model: VoiceModel) -> str:
    """What keeps a voice of a site from being spoken on this machine, with the remedy; '' for nothing."""
    program = model.command[0] if model.engine == COMMAND else model.engine
    if shutil.which(program) is None:
        hint = "install it, or name its whole path" if model.engine == COMMAND else f"Debian: {_PACKAGES[program]}"
        return f"there is no program {program} on this machine ({hint})"
    if model.engine != COMMAND and model.voice:
        try:
            _KNOWN[model.engine]().known(model.voice)
        except SpeechError as error:
            return str(error)
    return ""


@functools.cache
def _listing(command: tuple[str, ...]) -> str:
    return run(command, seconds=5.0).decode("utf-8", "replace")


@functools.cache
def program_version(name: str) -> str:
    """`espeak-ng 1.51`; the name alone where a program doesn't say. Raises SpeechError where it isn't installed."""
    if shutil.which(name) is None:
        raise SpeechError(f"no {name} is installed (Debian: {_PACKAGES.get(name, name)})")
    try:
        said = run((name, "--version"), seconds=5.0, statuses=(0, 1)).decode("utf-8", "replace")  # flite says 1
    except SpeechError:
        said = ""
    number = re.search(r"\b(?:flite-)?(\d+\.\d+(?:\.\d+)?)", said)
    return f"{name} {number[1]}" if number else name

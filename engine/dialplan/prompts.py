"""Prompts: texts with slots, recordings, the stock set; which clips a text is made of and which must be built.

A text such as `Your code is $code, thank you.` becomes clips and spoken values: the fixed parts are named
`NAME#1`, `NAME#2` …, the values are spoken by their type. A text without slots is one clip, `NAME`. The prompt
builder (tools/) and the linker both cut texts here, so their names always agree.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from hashlib import blake2b, sha256

import msgspec

from engine import marks
from engine.errors import SiteError

TONES = (
    "tone/beep",
    "tone/milliwatt",
    "tone/silence",
    *(f"tone/{kind}.{country}" for kind in ("ringback", "busy", "congestion") for country in ("us", "cn", "gb", "eu")),
)
text_max = 2_000
AUDIO = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")  # by which names a file is a recording


class StockPrompt(msgspec.Struct, frozen=True):
    """One clip of the stock set, or of a manifest: `name` "en/digits/1", its words, file and length."""

    name: str
    text: str
    path: str
    duration_ms: int
    sha256: str = ""


class WavInfo(msgspec.Struct, frozen=True):
    """What the reader must know of a recording whose bytes stay on disk."""

    duration_ms: int
    path: str = ""
    sha256: str = ""
    rate: int = 8_000
    sides: int = 1  # 2: stereo
    clipped_ms: int = 0  # so long it lies flat at full scale
    silent: bool = False  # nothing can be heard in it
    fault: str = ""  # why it can't be read at all


class Fixed(msgspec.Struct, frozen=True):
    """Words that are always the same; `at` is their offset in the text."""

    text: str
    at: int


class Slot(msgspec.Struct, frozen=True):
    """A value: variable or fact, spoken by its type or `as` another kind ('' = its own)."""

    name: str
    spoken_as: str
    at: int
    width: int


class SlotProblem(Exception):
    """A slot that cannot be read; `at` is the offset in the text."""

    def __init__(self, at: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.at, self.message, self.suggestion = at, message, suggestion


_NAME = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*"
_SLOT = re.compile(rf"\$(?:\$|(?P<bare>{_NAME})|\{{\s*(?P<name>{_NAME})(?:\s+as\s+(?P<kind>[a-z]+))?\s*\}}|)")
_SPOKEN = re.compile(r"\w")


def split_text(text: str) -> list[Fixed | Slot]:
    """Cut a text at its slots; parts without a letter or digit (", ") are dropped. Raises SlotProblem."""
    parts: list[Fixed | Slot] = []
    words, begin, place = "", 0, 0
    for match in _SLOT.finditer(text):
        words += text[place : match.start()]
        place = match.end()
        name = match.group("bare") or match.group("name")
        if match.group() == "$$":
            words += "$"
        elif name is None:
            hint = "write $name or ${name as digits}; a dollar sign is $$"
            raise SlotProblem(match.start(), "this $ names no value", hint)
        else:
            _keep(parts, words, begin)
            words, begin = "", place
            parts.append(Slot(name, match.group("kind") or "", match.start(), match.end() - match.start()))
    _keep(parts, words + text[place:], begin)
    return parts


def _keep(parts: list[Fixed | Slot], words: str, at: int) -> None:
    if _SPOKEN.search(words):
        parts.append(Fixed(" ".join(words.split()), at))


def clip_names(name: str, parts: list[Fixed | Slot]) -> list[str | Slot]:
    """Each fixed part as a clip name: NAME alone when there is no slot, else NAME#1, NAME#2 …"""
    if len(parts) == 1 and isinstance(parts[0], Fixed):
        return [name]
    named: list[str | Slot] = []
    number = 0
    for part in parts:
        if isinstance(part, Slot):
            named.append(part)
        else:
            number += 1
            named.append(f"{name}#{number}")
    return named


def literal_parts(name: str, text: str) -> dict[str, str]:
    """Clip name -> words of each fixed part of a text; {} when the text cannot be read."""
    try:
        parts = split_text(text)
    except SlotProblem:
        return {}
    names = [clip for clip in clip_names(name, parts) if isinstance(clip, str)]
    return dict(zip(names, (part.text for part in parts if isinstance(part, Fixed)), strict=True))


def inline_name(text: str) -> str:
    """The clip name of an inline text (`say:`): the same words always get the same name."""
    return "say-" + blake2b(text.encode(), digest_size=5).hexdigest()


def estimate_ms(text: str) -> int:
    """How long the text would last when spoken: 65 ms a letter, 240 ms a Han character, at least 400 ms."""
    total = sum(240 if ord(letter) > 0x2E7F else 65 for letter in text)
    return max(400, min(120_000, total))


def wav_info(data: bytes, path: str = "") -> WavInfo:
    """Length and shape of a WAV file (PCM 8/16/24/32 bit, A-law, µ-law). Raises SiteError with what is wrong."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SiteError("this is not a WAV file (no RIFF/WAVE header)")
    place, bytes_per_second, rate, sides = 12, 0, 0, 0
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if kind == b"fmt " and place + 24 <= len(data):
            form, sides, rate, bytes_per_second = struct.unpack_from("<HHII", data, place + 8)
            if form not in (1, 6, 7, 0xFFFE):
                raise SiteError(f"WAV format {form} is not PCM, A-law or µ-law")
        elif kind == b"data":
            if not (bytes_per_second and rate and sides):
                raise SiteError("the WAV file has no usable fmt part before its data")
            size = min(size, len(data) - place - 8)
            digest = sha256(data).hexdigest()
            return WavInfo(size * 1_000 // bytes_per_second, path, digest, rate, sides)
        place += 8 + size + (size & 1)
    raise SiteError("the WAV file has no data part")


# --- manifests -------------------------------------------------------------------------------------------
def read_manifest(data: bytes, file: str, folder: str) -> dict[str, StockPrompt]:
    """A generated manifest.yaml, `prompts:` name -> {text, sha256, duration_ms, …}. Unreadable entries are left out.

    `folder` ("en") prefixes the names and the paths ("en/digits/1.wav").
    """
    root, _ = marks.load(data, file)
    found: dict[str, StockPrompt] = {}
    if isinstance(root, marks.Mapping) and isinstance(root.entries.get("prompts"), marks.Mapping):
        root = root.entries["prompts"]
    if not isinstance(root, marks.Mapping):
        return found
    for key, entry in root:
        if not isinstance(entry, marks.Mapping):
            continue
        values = {name.text: value.text for name, value in entry if isinstance(value, marks.Scalar)}
        length = values.get("duration_ms", "0")
        name = f"{folder}/{key.text}"
        path = f"{folder}/{values.get('file') or key.text + '.wav'}"
        found[name] = StockPrompt(
            name,
            values.get("text", ""),
            path,
            int(length) if length.isascii() and length.isdigit() else 0,
            values.get("sha256", ""),
        )
    return found


def read_stock(files: Mapping[str, object]) -> dict[str, StockPrompt]:
    """The stock set from its folder's files ({"en/manifest.yaml": bytes, "music/default.wav": bytes or WavInfo})."""
    stock: dict[str, StockPrompt] = {}
    for path in sorted(files):
        content = files[path]
        if path.endswith("/manifest.yaml") and isinstance(content, bytes):
            stock.update(read_manifest(content, path, path.removesuffix("/manifest.yaml")))
        elif path.startswith("music/") and path.endswith(".wav"):
            info = wav_info(content, path) if isinstance(content, bytes) else content
            if isinstance(info, WavInfo):
                name = path.removesuffix(".wav")
                stock[name] = StockPrompt(name, "", path, info.duration_ms, info.sha256)
    return stock


# --- what must be built --------------------------------------------------------------------------------
class WantedClip(msgspec.Struct, frozen=True):
    """A clip that a site's texts ask for: `path` is where its WAV belongs inside the site's folder."""

    path: str
    language: str
    name: str
    text: str


SPOKEN_BY_CALLERS = (".test.yaml", ".speech.yaml")  # what stands there behind `say:` no prompt says


def wanted_clips(files: Mapping[str, object]) -> tuple[WantedClip, ...]:
    """Every clip that a site's prompt texts and `say:` lines need, cut at slots; in file order.

    Files that cannot be read give nothing here (the check tells why).
    """
    wanted: dict[str, WantedClip] = {}
    for path in sorted(files):
        content = files[path]
        if not isinstance(content, bytes) or not path.endswith(".yaml"):
            continue
        head, found, rest = path.rpartition("prompts/")
        if found and "/" not in rest and (not head or head.startswith("tenants/")):
            language = rest.removesuffix(".yaml")
            root, _ = marks.load(content, path)
            for key, value in root if isinstance(root, marks.Mapping) else ():
                if isinstance(value, marks.Scalar):
                    _want(wanted, f"{head}prompts/{language}", language, key.text, value.text)
        elif "dialplans/" in path and b"say:" in content and not path.endswith(SPOKEN_BY_CALLERS):
            home = path.rpartition("dialplans/")[0]
            _want_inline(wanted, marks.load(content, path)[0], f"{home}prompts", _languages(files, home))
    return tuple(wanted.values())


def _languages(files: Mapping[str, object], home: str) -> list[str]:
    """The languages of the tenant whose folder is `home` ("" or "tenants/NAME/")."""
    for path in (f"{home}tenant.yaml", "site.yaml"):
        content = files.get(path)
        root = marks.load(content, path)[0] if isinstance(content, bytes) else None
        languages = root.entries.get("languages") if isinstance(root, marks.Mapping) else None
        if isinstance(languages, marks.Sequence):
            return [each.text for each in languages.items if isinstance(each, marks.Scalar)]
    return ["en"]


def _want_inline(wanted: dict[str, WantedClip], node: marks.Node | None, home: str, languages: list[str]) -> None:
    if isinstance(node, marks.Mapping):
        own = node.entries.get("languages")
        if isinstance(own, marks.Sequence):
            languages = [each.text for each in own.items if isinstance(each, marks.Scalar)]
        for key, value in node:
            if key.text == "say" and isinstance(value, marks.Scalar):
                for language in languages[:1]:
                    _want(wanted, f"{home}/{language}", language, inline_name(value.text), value.text)
            else:
                _want_inline(wanted, value, home, languages)
    elif isinstance(node, marks.Sequence):
        for each in node.items:
            _want_inline(wanted, each, home, languages)


def _want(wanted: dict[str, WantedClip], folder: str, language: str, name: str, text: str) -> None:
    for clip, words in literal_parts(name, text).items():
        path = f"{folder}/{clip}.wav"
        wanted[path] = WantedClip(path, language, clip, words)

"""A site's texts spoken ahead, so that nothing is synthesised while a caller waits: `ringdown prompts build`.

For each text without a recording `prompts/<language>/NAME.wav` is written (8 kHz), with a line in the folder's
manifest.yaml saying what it was made from; what stands there already and has no such line is the admin's own and is
never touched. A text is spoken again when its words, its voice or the synthesiser's version changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import yaml

from engine.dialplan.model import Site
from engine.dialplan.prompts import WantedClip, wanted_clips
from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError, SpeechError
from engine.runtime import spoken, synthesizers
from engine.runtime.site_files import collect, read_folder
from engine.runtime.wav import RATE, write_wav

MANIFEST = "manifest.yaml"
HEADER = "# Written by `ringdown prompts build`: what each recording was made from.\n"

Manifest = dict[str, dict[str, Any]]


class Built(msgspec.Struct):
    """Names as in a site's folder, without .wav. `made`: spoken now. `kept`: as they were. `own`: the admin's.
    `removed`: no text asks for them any more. `failed`: name -> why."""

    made: list[str] = []
    kept: int = 0
    own: list[str] = []
    removed: list[str] = []
    failed: dict[str, str] = {}


def build(folder: Path, language: str = "", *, everything: bool = False) -> Built:
    """Speak what lacks a recording. `language`: only this one; `everything`: also what is there already (never the
    admin's own). A text that can't be spoken is told of, and the others are spoken. Raises SiteError for a site that is
    refused, or a folder that can't be written."""
    reading = read_folder(folder)
    if reading.site is None:
        raise SiteError(f"{folder}: the site has {len(reading.errors())} errors; ringdown check {folder} names them")
    by_home: dict[str, list[WantedClip]] = {}
    for clip in wanted_clips(collect(folder, wavs=False)):
        if language in ("", clip.language):
            by_home.setdefault(clip.path.removesuffix(f"/{clip.name}.wav"), []).append(clip)
    built = Built()
    try:
        for home, clips in by_home.items():
            _home(folder / home, home, clips, _voice(reading.site, home, clips[0].language), built, everything)
    except OSError as error:
        raise SiteError(f"can't write {error.filename or folder}: {error.strerror}") from error
    return built


def _voice(site: Site, home: str, language: str) -> VoiceModel | None:
    """The voice of the tenant whose prompts these are; None: the machine's best."""
    tenant = home.split("/")[1] if home.startswith("tenants/") else "default"
    return site.tenants[tenant].voices.get(language) if tenant in site.tenants else None


def _home(
    folder: Path, home: str, clips: list[WantedClip], named: VoiceModel | None, built: Built, everything: bool
) -> None:
    """One folder of recordings: one tenant's, in one language."""
    before = read_manifest(folder)
    after: Manifest = {}
    language = clips[0].language
    try:
        voice = named or synthesizers.best(language)
        who, version = synthesizers.label(voice, language), synthesizers.of(voice).version()
    except SpeechError as error:
        unsaid = [clip.name for clip in clips if not (folder / f"{clip.name}.wav").exists()]
        built.failed |= {f"{home}/{name}": str(error) for name in unsaid}
        return
    for clip in clips:
        entry, path = before.get(clip.name), folder / f"{clip.name}.wav"
        if _is_own(path, entry):
            built.own.append(f"{home}/{clip.name}")
        elif not everything and path.exists() and entry is not None and _same(entry, clip.text, who, version):
            after[clip.name] = entry
            built.kept += 1
        else:
            try:
                after[clip.name] = _made(path, clip, voice, everything) | {"voice": who, "version": version}
                built.made.append(f"{home}/{clip.name}")
            except SpeechError as error:
                built.failed[f"{home}/{clip.name}"] = str(error)
                after |= {clip.name: entry} if entry is not None else {}
    for name in before.keys() - {clip.name for clip in clips}:
        path = folder / f"{name}.wav"
        if not _is_own(path, before[name]):
            path.unlink(missing_ok=True)
            built.removed.append(f"{home}/{name}")
    built.removed.sort()
    if after != before:
        _write(folder / MANIFEST, HEADER + yaml.safe_dump(dict(sorted(after.items())), allow_unicode=True,
                                                          sort_keys=False, width=1_000))  # fmt: skip


def _same(entry: dict[str, Any], text: str, who: str, version: str) -> bool:
    """Would it be spoken alike? An entry without a version is from a builder that noted none, and stands."""
    return (entry.get("text"), entry.get("voice")) == (text, who) and entry.get("version", version) == version


def _is_own(path: Path, entry: dict[str, Any] | None) -> bool:
    """True when a recording stands there that no builder made."""
    return path.exists() and (entry is None or checksum(path) != entry.get("sha256"))


def _made(path: Path, clip: WantedClip, voice: VoiceModel, everything: bool) -> dict[str, Any]:
    """Speak one clip and put it in its place, whole or not at all; what the manifest says of it. Raises SpeechError."""
    say = spoken.say if everything else spoken.kept_say
    samples = say(clip.text, clip.language, voice)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    write_wav(beside, samples)
    beside.replace(path)
    made = {"rate": RATE, "duration_ms": samples.size * 1_000 // RATE, "sha256": checksum(path), "text": clip.text}
    return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def read_manifest(folder: Path) -> Manifest:
    """name -> what its recording was made from. Raises SiteError for a file that no builder wrote."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SiteError(f"{path} can't be read: delete it, and prompts build speaks everything anew") from error
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise SiteError(f"{path} is no manifest: delete it, and prompts build speaks everything anew")
    return {str(name): entry for name, entry in found.items()}


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""Builds prompts: python -m tools.prompts build (--stock | --site DIR) [--language en] [--all] ; check ... ; music.

A folder of prompts holds `<language>.yaml` (name: text), the masters `<language>/NAME.wav` (8 kHz, telephone band)
and `wideband/<language>/NAME.wav` (16 kHz), and `<language>/manifest.yaml`, which this tool writes. Everything is
spoken offline by Debian's synthesisers (tools/voices.py). A recording that this tool did not make is the admin's own:
it is kept, and has no line in the manifest.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from engine.dialplan.prompts import wanted_clips
from tools import audio, music, voices

ROOT = Path(__file__).resolve().parents[1]
NARROW, WIDE = 8_000, 16_000
NARROW_BAND_HZ = 3_600.0
EXACT_MS = {"ten_seconds": 10_000}  # number 9102 promises ten seconds
HEADER = "# Written by `python -m tools.prompts`; what it is made from is in {source}.\n"


Texts = dict[str, str]  # clip name -> words


def read_texts(home: Path) -> dict[tuple[Path, str], Texts]:
    """What a site's folder (or the repository's, for the stock set) wants spoken, per prompt folder and language.

    Texts with slots are cut by the dialplan's own rules ("You owe $sum." gives the clip NAME#1), so the names agree.
    """
    patterns = ["prompts/*.yaml"]
    if (home / "site.yaml").exists():
        patterns += ["site.yaml", "dialplans/*.yaml"]
        patterns += ["tenants/*/tenant.yaml", "tenants/*/prompts/*.yaml", "tenants/*/dialplans/*.yaml"]
    sources = sorted(path for pattern in patterns for path in home.glob(pattern))
    files = {str(path.relative_to(home)): path.read_bytes() for path in sources}
    found: dict[tuple[Path, str], Texts] = {}
    for clip in wanted_clips(files):
        head = clip.path.split("prompts/")[0]
        if not clip.name.startswith("say-") and f"{head}prompts/{clip.language}.yaml" not in files:
            continue
        folder = home / head / "prompts"
        found.setdefault((folder, clip.language), {})[clip.name] = clip.text
    return found


def read_manifest(folder: Path, language: str) -> dict[str, dict[str, Any]]:
    path = folder / language / "manifest.yaml"
    return yaml.safe_load(path.read_text("utf-8")) or {} if path.exists() else {}


def write_manifest(folder: Path, language: str, entries: dict[str, dict[str, Any]]) -> None:
    text = yaml.safe_dump(dict(sorted(entries.items())), allow_unicode=True, sort_keys=False, width=1000)
    source = f"../{language}.yaml" if language != "music" else "tools/music.py"
    (folder / language).mkdir(parents=True, exist_ok=True)
    (folder / language / "manifest.yaml").write_text(HEADER.format(source=source) + text, "utf-8")


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def masters(folder: Path, language: str, name: str) -> tuple[Path, Path]:
    """Where a prompt's 8 kHz and 16 kHz masters are."""
    return folder / language / f"{name}.wav", folder / "wideband" / language / f"{name}.wav"


def is_own(folder: Path, language: str, name: str, entry: dict[str, Any] | None) -> bool:
    """True when a recording stands there that this tool didn't make."""
    narrow, _ = masters(folder, language, name)
    return narrow.exists() and (entry is None or checksum(narrow) != entry["sha256"])


def finish(spoken: Path, name: str) -> tuple[audio.Signal, audio.Signal]:
    """From the synthesiser's WAV to the two masters' samples (8 kHz, 16 kHz)."""
    signal, rate = audio.read_wav(spoken)
    wide = audio.resample(signal, rate, WIDE)
    wide = audio.level(audio.trim(audio.high_pass(wide, WIDE), WIDE), WIDE)
    if name in EXACT_MS:
        wide = audio.pad_to(wide, WIDE, EXACT_MS[name])
    return audio.resample(wide, WIDE, NARROW, band_hz=NARROW_BAND_HZ), wide


def store(folder: Path, language: str, name: str, narrow: audio.Signal, wide: audio.Signal) -> dict[str, Any]:
    """Write both masters; returns what the manifest says about files."""
    narrow_path, wide_path = masters(folder, language, name)
    audio.write_wav(narrow_path, narrow, NARROW)
    audio.write_wav(wide_path, wide, WIDE)
    return {
        "rate": NARROW,
        "duration_ms": len(narrow) * 1000 // NARROW,
        "sha256": checksum(narrow_path),
        "wideband_sha256": checksum(wide_path),
    }


def build(folder: Path, language: str, texts: Texts, *, everything: bool) -> int:
    """Speak what is new or changed; returns how many prompts were made. voices.Missing, SpeechError."""
    voice = voices.choose(language)
    entries = read_manifest(folder, language)
    kept: dict[str, dict[str, Any]] = {}
    wanted: list[str] = []
    for name, text in texts.items():
        entry = entries.get(name)
        if is_own(folder, language, name, entry):
            print(f"{language}/{name}: own recording, kept")
        elif entry and not everything and (entry["text"], entry["voice"]) == (text, voice.name) and all(
            path.exists() for path in masters(folder, language, name)
        ):
            kept[name] = entry
        else:
            wanted.append(name)
    for name in sorted(entries.keys() - texts.keys()):
        if not is_own(folder, language, name, entries[name]):
            for path in masters(folder, language, name):
                path.unlink(missing_ok=True)
            print(f"{language}/{name}: no longer in the texts, removed")
    with tempfile.TemporaryDirectory() as scratch:
        spoken = {name: Path(scratch) / f"{index}.wav" for index, name in enumerate(wanted)}
        voices.speak(voice, [(texts[name], spoken[name]) for name in wanted])
        for name in wanted:
            kept[name] = store(folder, language, name, *finish(spoken[name], name))
            kept[name] |= {"text": texts[name], "voice": voice.name, "licence": voice.licence}
            print(f"{language}/{name}: {kept[name]['duration_ms']} ms")
    write_manifest(folder, language, kept)
    return len(wanted)


def check(folder: Path, language: str, texts: Texts) -> list[str]:
    """What is wrong between texts, manifest and masters, one line each."""
    entries = read_manifest(folder, language)
    wrong = [f"{language}/{name}: in the manifest, not in the texts" for name in sorted(entries.keys() - texts.keys())]
    for name, text in texts.items():
        entry = entries.get(name)
        narrow, wide = masters(folder, language, name)
        if entry is None:
            if not narrow.exists():
                wrong.append(f"{language}/{name}: no recording")
        elif entry["text"] != text:
            wrong.append(f"{language}/{name}: the text has changed since it was spoken")
        else:
            for path, key in ((narrow, "sha256"), (wide, "wideband_sha256")):
                # a site's own builder (ringdown prompts build) makes no wideband masters
                if key in entry and checksum(path) != entry[key]:
                    wrong.append(f"{language}/{name}: {path.name} is not what the manifest says ({key})")
    return wrong


def build_music(folder: Path) -> None:
    """Hold music, our own piece: prompts/music/default.wav, its wideband master and manifest."""
    wide = audio.level(music.render(WIDE), WIDE, active_dbfs=-24.0)
    narrow = audio.resample_loop(wide, WIDE, NARROW, NARROW_BAND_HZ)
    entry = store(folder, "music", "default", narrow, wide)
    entry |= {"text": "(hold music)", "voice": "tools/music.py", "licence": "CC0-1.0"}
    write_manifest(folder, "music", {"default": entry})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.prompts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("build", "check"):
        sub = commands.add_parser(command)
        where = sub.add_mutually_exclusive_group(required=True)
        where.add_argument("--stock", action="store_true", help="the prompts every site has")
        where.add_argument("--site", type=Path, help="a site's folder; its prompts/ is worked on")
        sub.add_argument("--language", help="only this one")
        if command == "build":
            sub.add_argument("--all", action="store_true", help="speak everything again")
    commands.add_parser("music")
    arguments = parser.parse_args()
    if arguments.command == "music":
        build_music(ROOT / "prompts")
        return 0
    home = ROOT if arguments.stock else arguments.site
    texts = {key: value for key, value in read_texts(home).items() if arguments.language in (None, key[1])}
    if not texts:
        print(f"nothing to speak: no prompts/<language>.yaml with texts in {home}", file=sys.stderr)
        return 2
    if arguments.command == "check":
        wrong = [line for (folder, language), each in texts.items() for line in check(folder, language, each)]
        print("\n".join(wrong) or "prompts: texts, manifests and masters agree")
        return 1 if wrong else 0
    try:
        for (folder, language), each in texts.items():
            print(f"{language}: {build(folder, language, each, everything=arguments.all)} spoken")
    except voices.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

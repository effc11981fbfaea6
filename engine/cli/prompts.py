"""`ringdown prompts`: texts spoken ahead, recordings of others for our prompts, and what recordings were made from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.options import Json

SOUNDS = Path("/usr/share/asterisk/sounds")  # where Debian's packages put them
NOTE = """Recordings from the Debian package {pack} ({folder}), joined, trimmed and levelled.
Whose voice it is, and the licence: the package's file `copyright`.
"""
HEADER = "# Written by `ringdown prompts accept`: what each recording says.\n"
PAUSE_MS = 80  # between two files that are joined


def prompts(
    act: Annotated[str, typer.Argument(help="build | import | accept")],
    pack: Annotated[str, typer.Argument(help="import: asterisk-core-sounds (an installed Debian package).")] = "",
    site: Annotated[Path, typer.Option("--site", help="The site's folder.")] = Path(),
    language: Annotated[str, typer.Option("--language", help="import: of this one (en); build: this one alone.")] = "",
    folder: Annotated[Path | None, typer.Option("--from", help="import: the package's sounds lie here.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="import: also where a recording stands already.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="build: also speak again what is spoken already.")] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """build: speak the texts that nobody has recorded, by the voices of the site. import: map an installed voice
    package onto our prompts. accept: note which words each recording says now."""
    from engine.cli import show
    from engine.errors import UsageError

    if not (site / "site.yaml").is_file():
        raise UsageError(f"{site} is no site: there is no site.yaml in it (--site DIR)")
    if act == "build":
        built(site, language, everything=everything, json=json)
        return
    if act == "accept":
        noted = accept(site)
        text = f"{len(noted)} recordings noted: check tells when their texts change"
        print(show.as_json({"noted": noted}) if json else text)
        return
    if act != "import":
        raise UsageError(f"prompts build | import | accept, not {act!r}")
    language = language or "en"
    written, kept, missing = bring(site, pack, language, folder, replace=replace)
    if json:
        print(show.as_json({"written": written, "kept": kept, "missing": missing}))
        return
    print(f"{len(written)} prompts written into {site / 'prompts' / language}, {len(kept)} recordings kept")
    print(f"{len(missing)} prompts have no counterpart in it, the stock voice says them:")
    for name in missing:
        print(f"  {name}")
    print("`ringdown reload` makes them heard.")


def built(site: Path, language: str, *, everything: bool, json: bool) -> None:
    """Speak what lacks a recording; exit status 1 when something could not be spoken. Raises SiteError."""
    from engine.cli import show
    from engine.runtime import prompt_builder

    result = prompt_builder.build(site, language, everything=everything)
    if json:
        import msgspec

        print(show.as_json(msgspec.to_builtins(result)))
    else:
        for verb, names in (("spoken", result.made), ("removed, no text asks for it", result.removed)):
            for name in names:
                print(f"{name}: {verb}")
        for name, why in result.failed.items():
            print(f"{name}: not spoken: {why}")
        print(f"{len(result.made)} prompts spoken, {result.kept} as they were, {len(result.own)} own recordings kept")
        if result.made:
            print("`ringdown reload` makes them heard.")
    if result.failed:
        raise typer.Exit(1)


def bring(
    site: Path, pack: str, language: str, folder: Path | None, *, replace: bool
) -> tuple[list[str], list[str], list[str]]:
    """(prompts written, kept because a recording stood there, without counterpart). Raises UsageError, SiteError."""
    from engine.dialplan import voice_packs
    from engine.errors import UsageError
    from engine.runtime.site_files import stock_prompts

    known = next((name for name in voice_packs.PACKS if pack == name or pack.startswith(f"{name}-")), "")
    if not known:
        raise UsageError(f"no voice package {pack!r} is known: {', '.join(voice_packs.PACKS)}")
    source = folder or sounds_of(language, known)
    files = {path.relative_to(source).with_suffix("").as_posix(): path for path in sorted(source.rglob("*.wav"))}
    _, stock = stock_prompts()
    ours = [name.partition("/")[2] for name in stock if name.startswith(f"{language}/")]
    if not ours:
        raise UsageError(f"there are no stock prompts in {language!r} to be replaced")
    found, missing = voice_packs.plan(voice_packs.PACKS[known], ours, files)
    if not found:
        raise UsageError(f"{source} holds none of the files of {known} (as WAV): is it the right package and language?")
    home = site / "prompts" / language
    written, kept = [], []
    for name, parts in found.items():
        target = home / f"{name}.wav"
        if target.exists() and not replace:
            kept.append(name)
            continue
        _join([files[part] for part in parts], target)
        written.append(name)
    if written:
        (home / f"{known}.txt").write_text(NOTE.format(pack=known, folder=source.name), "utf-8")
    return written, kept, missing


def sounds_of(language: str, pack: str) -> Path:
    """The installed folder of a language (`en_US_f_Allison`). Raises UsageError."""
    from engine.errors import UsageError

    found = sorted(path for path in SOUNDS.glob(f"{language}*") if path.is_dir() and any(path.rglob("*.wav")))
    if not found:
        hint = f"apt-get install {pack}-{language}-wav, or name --from DIR"
        raise UsageError(f"no sounds in {SOUNDS / language}*: {hint}")
    return found[0]


def _join(parts: list[Path], target: Path) -> None:
    """One prompt from several recordings. Raises SiteError, UsageError."""
    import numpy as np

    from engine.errors import UsageError
    from engine.media import voice
    from engine.runtime import sounds, wav

    samples = []
    for part in parts:
        signal, rate, _ = sounds.decode(part, part.read_bytes())
        pause = np.zeros(voice.RATE * PAUSE_MS // 1_000, np.int16)
        samples += [voice.finish(signal, rate), pause]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        wav.write_wav(target, np.concatenate(samples[:-1]))
    except OSError as error:
        raise UsageError(f"can't write {target}: {error.strerror}") from error


def accept(site: Path) -> list[str]:
    """Note for every recording of the admin's own which words its text has now; returns their paths. UsageError."""
    from engine.dialplan.prompt_use import RECORDED
    from engine.dialplan.prompts import WavInfo
    from engine.errors import UsageError
    from engine.runtime import sounds
    from engine.runtime.site_files import collect

    files = collect(site)
    manifests = [held for path, held in files.items() if path.endswith("/manifest.yaml") and isinstance(held, bytes)]
    made = dict.fromkeys(each for held in manifests for each in sounds.built(held))
    infos = {path.rpartition(".")[0]: info for path, info in files.items() if isinstance(info, WavInfo)}
    noted: list[str] = []
    for path, held in files.items():
        head, found, rest = path.rpartition("prompts/")
        if not found or "/" in rest or not isinstance(held, bytes) or not rest.endswith(".yaml"):
            continue
        home = f"{head}prompts/{rest[:-5]}"
        own = {clip: said for clip, said in _words(held, path).items() if f"{home}/{clip}" in infos}
        own = {clip: said for clip, said in own.items() if infos[f"{home}/{clip}"].sha256 not in made}
        lines = [
            f"{clip}: {{sha256: '{infos[f'{home}/{clip}'].sha256}', text: {_quoted(said)}}}\n"
            for clip, said in own.items()
        ]
        target = site / home / RECORDED
        try:
            if lines:
                target.write_text(HEADER + "".join(lines), "utf-8")
        except OSError as error:
            raise UsageError(f"can't write {target}: {error.strerror}") from error
        noted += [f"{home}/{clip}" for clip in own]
    return noted


def _words(held: bytes, path: str) -> dict[str, str]:
    """Clip -> words, of a file of texts."""
    from engine import marks
    from engine.dialplan.prompts import literal_parts

    root, _ = marks.load(held, path)
    pairs = list(root) if isinstance(root, marks.Mapping) else []
    texts = {key.text: value.text for key, value in pairs if isinstance(value, marks.Scalar)}
    return {clip: said for name, text in texts.items() for clip, said in literal_parts(name, text).items()}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""A site's folder on disk -> the pure reader -> a Site, in this process or (for reloads) in a child.

Only here are a site's files opened. WAV files enter the reader as what it must know of them (`WavInfo`), with absolute
paths, so that the media plane can load the prompts that come out from anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path

import msgspec

from engine.dialplan import profiles, speech_advice
from engine.dialplan.findings import Finding
from engine.dialplan.model import Site
from engine.dialplan.prompts import StockPrompt, WavInfo, read_stock, wav_info
from engine.errors import SiteError
from engine.runtime import profile_files, sounds, speech_check, tls_check, voice_check
from engine.runtime.packaged import package_folder as package_folder
from engine.runtime.versions import Store

files_max = 20_000
text_bytes_max = 4_000_000
wav_bytes_max = 200_000_000
read_s_max = 120.0
_TEXT = (".yaml", ".yml", ".txt", ".csv", ".json", ".md")

Content = bytes | WavInfo


class Order(msgspec.Struct):
    """What the child is asked: `kept` is the site in force, `data` the folder whose versions shall hold what is
    read ('' for none)."""

    folder: str
    kept: Site | None = None
    data: str = ""


class Reading(msgspec.Struct):
    """What reading a folder gave: a site unless `findings` has an error. `files` is how many were read; `waived` what
    the site bears with, each with its reason.

    `difference`: to the site in force, when that was given. `bytes`: of the files, as kept among the versions;
    `unkept`: why they aren't.
    """

    site: Site | None
    findings: list[Finding]
    files: int = 0
    folder: str = ""
    waived: list[Finding] = []
    difference: list[str] = []
    bytes: int = 0
    unkept: str = ""

    def errors(self) -> list[Finding]:
        """The findings that refuse the site."""
        return [finding for finding in self.findings if finding.severity == "error"]


def demo_site() -> Path:
    """The site that runs when none is named."""
    return package_folder("dialplans/demo")


def collect(folder: Path, *, wavs: bool = True) -> dict[str, Content]:
    """Relative path -> content of every file of a folder that the reader may look at, in sorted order.

    Hidden files and folders are left out. A recording that can't be read enters with its fault, which the reader
    reports. Raises SiteError when the folder can't be read or is absurdly large.
    """
    if not folder.is_dir():
        raise SiteError(f"{folder} is no folder: a site is a folder with site.yaml (ringdown serve --site DIR)")
    found: dict[str, Content] = {}
    made: dict[str, None] = {}
    try:
        paths = sorted(_walk(folder))
        for path in paths if wavs else ():
            if path.name == "manifest.yaml" and path.stat().st_size <= text_bytes_max:
                made.update(dict.fromkeys(sounds.built(path.read_bytes())))
        for path in paths:
            if len(found) >= files_max:
                raise SiteError(f"{folder} holds more than {files_max} files: is it really a site?")
            name = path.relative_to(folder).as_posix()
            if sounds.is_sound(path):
                if wavs:
                    found[name] = _sound(path, name, made)
            elif path.suffix.lower() in _TEXT:
                if path.stat().st_size > text_bytes_max:
                    raise SiteError(f"{path}: {path.stat().st_size} bytes are too many for a text file")
                found[name] = path.read_bytes()
        return profile_files.join(found)
    except OSError as error:
        raise SiteError(f"can't read {error.filename or folder}: {error.strerror}") from error


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        found.extend(Path(root) / name for name in files if not name.startswith("."))
    return found


def _wav(path: Path) -> Content:
    if path.stat().st_size > wav_bytes_max:
        raise SiteError(f"{path}: recordings may have at most {wav_bytes_max // 1_000_000} MB")
    data = path.read_bytes()
    try:
        return wav_info(data, str(path.resolve()))
    except SiteError:
        return data[:64]  # the reader parses it again and says what is wrong, at the right place


def _sound(path: Path, name: str, made: dict[str, None]) -> Content:
    """A recording of a site: converted, trimmed and levelled where it needs to be."""
    if path.stat().st_size > wav_bytes_max:
        raise SiteError(f"{path}: recordings may have at most {wav_bytes_max // 1_000_000} MB")
    if "wideband" in name.split("/"):
        return _wav(path)  # masters for later codecs, which nothing plays yet
    try:
        return sounds.take(path.resolve(), path.read_bytes(), music=name.split("/")[-2:-1] == ["music"], made=made)
    except SiteError as error:
        return WavInfo(0, str(path.resolve()), fault=str(error))


def stock_prompts() -> tuple[Path, dict[str, StockPrompt]]:
    """The folder of the stock prompts and what is in it, with absolute paths. Only manifests and music are opened."""
    folder = package_folder("prompts")
    files: dict[str, Content] = {}
    for path in sorted(folder.glob("*/manifest.yaml")):
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
    for path in sorted((folder / "music").glob("*.wav")):
        files[path.relative_to(folder).as_posix()] = _wav(path)
    stock = read_stock(files)
    return folder, {
        name: msgspec.structs.replace(prompt, path=str(folder / prompt.path)) for name, prompt in stock.items()
    }


def _lexicon(language: str) -> speech_advice.Pronouncing | None:
    from engine.runtime.pronouncing import pronouncing  # 130,000 words, only where somebody may speak

    return pronouncing(language)


def read_folder(
    folder: Path, kept: Site | None = None, data: Path | None = None, *, thorough: bool = False
) -> Reading:
    """Read, check and link a site in this process. Raises SiteError only when there is nothing to read.

    `kept` is the site in force: clips that are loaded keep their numbers. `thorough`: see `read_site`. With `data` a
    good site is kept among that data folder's versions; when that fails the site is good all the same, and `unkept`
    says why.
    """
    from engine.dialplan.reader import check_site

    folder = folder.resolve()
    files = collect(folder)
    _, stock = stock_prompts()
    lexicon = _lexicon if thorough else speech_advice.no_lexicon
    checked = check_site(files, stock, kept, int(time.time() * 1_000), thorough, lexicon)
    here: list[Finding] = []
    if checked.site is not None:
        here = voice_check.check(files, checked.site) + speech_check.check(files, checked.site)
        here += tls_check.check(files, checked.site, folder)
    site = None if any(each.severity == "error" for each in here) else checked.site
    own = sum(not name.startswith(profiles.FOLDER) or (folder / name).exists() for name in files)
    reading = Reading(site, checked.findings + here, own, str(folder), checked.waived)
    if site is not None and data is not None:
        try:
            reading.bytes = Store(data).keep(site.version, files, folder)
        except SiteError as error:
            reading.unkept = str(error)
    return reading


# mistakes on the way of a call: every step is whole, so that a caller's way can be walked until it goes wrong
_WALKABLE = ("RD051", "RD052", "RD053", "RD055", "RD056", "RD058", "RD059", "RD072", "RD076")


def read_walkable(folder: Path) -> tuple[Site | None, list[Finding]]:
    """A site to walk through in the terminal, with its errors: also one that is refused, when the mistakes only lie on
    a caller's way, so that they can be heard. None with errors of another kind. Raises SiteError without a folder."""
    from engine.dialplan.reader import check_site

    folder = folder.resolve()
    checked = check_site(collect(folder), stock_prompts()[1], None, int(time.time() * 1_000))
    errors = [finding for finding in checked.findings if finding.severity == "error"]
    return (checked.linked if all(each.code in _WALKABLE for each in errors) else None), errors


def mend_folder(folder: Path) -> tuple[list[str], list[Finding]]:
    """Correct a site's files in place where there is one correction: (files that were written, findings mended).

    Each file is replaced as a whole, with its mode; a link is followed. Raises SiteError when one can't be written:
    those before it are done, it and those behind it are as they were.
    """
    from engine.dialplan.mending import mend

    folder = folder.resolve()
    _, stock = stock_prompts()
    changed, mended = mend(collect(folder), stock, int(time.time() * 1_000))
    for name, content in changed.items():
        path = (folder / name).resolve()
        beside = path.with_name(f".{path.name}.mending")
        try:
            beside.write_bytes(content)
            beside.chmod(path.stat().st_mode & 0o7777)
            beside.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise SiteError(f"can't write {path}: {error.strerror}; the file is as it was") from error
    return list(changed), mended


async def read_in_child(folder: Path, kept: Site | None = None, data: Path | None = None) -> Reading:
    """The same in a child process, with the difference to `kept`: a reload must not hold the serving process's GIL.
    Raises SiteError."""
    given = msgspec.msgpack.encode(Order(str(folder), kept, str(data) if data is not None else ""))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.runtime.site_files",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, stdin=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(child.communicate(given), read_s_max)
    except TimeoutError:
        child.kill()
        await child.wait()
        raise SiteError(f"reading {folder} took longer than {read_s_max:.0f} s") from None
    if child.returncode != 0:
        last = errors.decode("utf-8", "replace").strip().splitlines()
        raise SiteError(last[-1] if last else f"reading {folder} failed with status {child.returncode}")
    return msgspec.msgpack.decode(out, type=Reading)


def main(given: bytes) -> int:
    """The child: an Order on stdin; one msgpack Reading on stdout, or a text and status 1."""
    from engine.dialplan.difference import difference

    order = msgspec.msgpack.decode(given, type=Order)
    try:
        reading = read_folder(Path(order.folder), order.kept, Path(order.data) if order.data else None)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 1
    if reading.site is not None and order.kept is not None:
        reading.difference = difference(order.kept, reading.site)
    sys.stdout.buffer.write(msgspec.msgpack.encode(reading))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read()))

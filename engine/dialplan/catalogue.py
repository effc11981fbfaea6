"""Which clips exist: the tenants' own texts and recordings, the stock set, tones and music.

Order of search: the tenant's own, then what it borrows, then the platform's (the site's root folder, for names of
the stock set), then stock. Full names: "en/welcome" for the root tenant and stock, "press:en/welcome" for another
tenant's own, "music/default", "tone/beep".
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import prompts, values
from engine.dialplan.findings import Report
from engine.dialplan.model import PromptModel
from engine.dialplan.prompts import Fixed, Slot, StockPrompt, WavInfo
from engine.errors import SiteError

ROOT_TENANT = "default"
clipped_ms_min = 3  # a single touch of full scale can't be heard


class Spoken(msgspec.Struct):
    """What a prompt name means in one language: clips and slots; `silent` lists clips without audio."""

    parts: list[str | Slot]
    node: marks.Scalar | None = None
    silent: list[str] = []


class Catalogue:
    """All clips of a site. `clips`: full name -> (text, path, duration in ms, sha256)."""

    def __init__(self, report: Report, stock: Mapping[str, StockPrompt]) -> None:
        self.report = report
        self.clips: dict[str, tuple[str, str, int, str]] = dict.fromkeys(prompts.TONES, ("", "", 0, ""))
        for name, each in stock.items():
            self.clips[name] = (each.text, each.path, each.duration_ms, each.sha256)
        if "music/default" not in self.clips:
            self.clips["music/default"] = ("", "", 10_000, "")
        self.spoken: dict[tuple[str, str], dict[str, Spoken]] = {}
        self.borrowed: dict[tuple[str, str], str] = {}  # (tenant, prompt) -> the tenant who lends it
        self.lent: dict[tuple[str, str], None] = {}  # (tenant, prompt) that others may play
        self.stock_names = {name.partition("/")[2]: None for name in stock}  # the engine itself plays some of them
        self.words: dict[str, dict[str, None]] = {}  # tenant -> every value in its files, see prompt_use

    def load(self, files: Mapping[str, object], trees: Mapping[str, marks.Node | None], tenant: str, home: str) -> None:
        """Take in one tenant's prompts: `home` is "" or "tenants/NAME/"."""
        folder = f"{home}prompts/"
        recorded: dict[str, dict[str, WavInfo]] = {}
        built: dict[str, dict[str, StockPrompt]] = {}
        for path in sorted(files):
            stem = path.rpartition(".")[0] if path.endswith(prompts.AUDIO) else ""
            if stem.startswith(folder):
                language, _, name = stem[len(folder) :].partition("/")
                info = self._recording(files[path], path)
                if info is not None and name and self._alone(recorded.setdefault(language, {}), name, path):
                    recorded[language][name] = info
            elif path.startswith(folder) and path.endswith("/manifest.yaml"):
                language = path[len(folder) : -14]
                content = files[path]
                if "/" not in language and isinstance(content, bytes):
                    built[language] = prompts.read_manifest(content, path, language)
            elif stem.startswith(f"{home}music/"):
                info = self._recording(files[path], path)
                if info is not None:
                    self.clips[self._full(tenant, stem[len(home) :])] = (
                        "",
                        info.path,
                        info.duration_ms,
                        info.sha256,
                    )
        for language in sorted(recorded):
            for name, info in recorded[language].items():
                full = self._full(tenant, f"{language}/{name}")
                self.clips[full] = ("", info.path, info.duration_ms, info.sha256)
                self._known(tenant, language)[name] = Spoken([full])
        for path in sorted(trees):
            if path.startswith(folder) and path.endswith(".yaml") and "/" not in path[len(folder) :]:
                language = path[len(folder) : -5]
                self._texts(trees[path], tenant, language, recorded.get(language, {}), built.get(language, {}))

    def _full(self, tenant: str, name: str) -> str:
        return name if tenant == ROOT_TENANT else f"{tenant}:{name}"

    def _known(self, tenant: str, language: str) -> dict[str, Spoken]:
        return self.spoken.setdefault((tenant, language), {})

    def _alone(self, recorded: Mapping[str, WavInfo], name: str, path: str) -> bool:
        """Is this the only recording of the name? Of two the first in the order of names counts."""
        if name not in recorded:
            return True
        message = f"there is another recording of {name!r}: {recorded[name].path.rpartition('/')[2]}"
        self.report.put("RD242", path, 1, 1, message, "keep one of the two")
        return False

    def _recording(self, content: object, path: str) -> WavInfo | None:
        try:
            info = content if isinstance(content, WavInfo) else None
            if info is None:
                info = prompts.wav_info(content if isinstance(content, bytes) else b"", path)
            elif info.fault:
                raise SiteError(info.fault)
        except SiteError as error:
            hint = "save it as WAV, FLAC, OGG or MP3, best at 16 kHz or more"
            self.report.put("RD093", path, 1, 1, str(error), hint)
            return None
        if info.silent:
            self.report.put("RD241", path, 1, 1, "nothing can be heard in this recording", "record it again")
        elif info.clipped_ms >= clipped_ms_min:
            message = f"this recording is clipped for {info.clipped_ms} ms"
            self.report.put("RD240", path, 1, 1, message, "record it again with less gain")
        return info if info.path else msgspec.structs.replace(info, path=path)

    def _texts(
        self,
        tree: marks.Node | None,
        tenant: str,
        language: str,
        recorded: dict[str, WavInfo],
        built: dict[str, StockPrompt],
    ) -> None:
        for key, value in values.mapping(self.report, tree, "a file of prompts") or ():
            text = values.prose(self.report, value, f"the text of {key.text}")
            if text is None:
                continue
            if not all(values.NAME.fullmatch(word) or word.isdigit() for word in key.text.split("/")):
                hint = "small letters, digits and _, a letter first"
                self.report.add("RD027", key, f"{key.text!r} is not a name for a prompt", hint)
                continue
            spoken = self.cut(text, tenant, language, key.text, recorded, built)
            if spoken is not None:
                self._known(tenant, language)[key.text] = spoken

    def cut(
        self,
        text: marks.Scalar,
        tenant: str,
        language: str,
        name: str,
        recorded: Mapping[str, WavInfo],
        built: Mapping[str, StockPrompt],
    ) -> Spoken | None:
        """Cut a text at its slots and find a recording for every fixed part."""
        try:
            parts = prompts.split_text(text.text)
        except prompts.SlotProblem as problem:
            self.report.add("RD071", text, problem.message, problem.suggestion, at=_inside(text, problem.at), width=1)
            return None
        spoken = Spoken([], text)
        fixed = [part.text for part in parts if isinstance(part, Fixed)]
        number = 0
        for part in prompts.clip_names(name, parts):
            if isinstance(part, Slot):
                spoken.parts.append(part)
                continue
            full = self._full(tenant, f"{language}/{part}")
            spoken.parts.append(full)
            self._clip(text, full, fixed[number], recorded.get(part), built.get(f"{language}/{part}"), spoken)
            number += 1
        return spoken

    def _clip(
        self,
        node: marks.Scalar,
        full: str,
        words: str,
        info: WavInfo | None,
        made: StockPrompt | None,
        spoken: Spoken,
    ) -> None:
        if info is None:
            self.clips[full] = (words, "", prompts.estimate_ms(words), "")
            spoken.silent.append(full)
            hint = "run: ringdown prompts build --site DIR, or put your own WAV there"
            self.report.add("RD091", node, f"no recording for {full!r}", hint)
            return
        self.clips[full] = (words, info.path, info.duration_ms, info.sha256)
        if made is not None and made.text and made.text != words and made.sha256 in ("", info.sha256):
            message = f"{full!r} was recorded with other words: {made.text!r}"
            self.report.add("RD092", node, message, "build the prompts again")

    def inline(self, text: marks.Scalar, tenant: str, language: str) -> Spoken | None:
        """The clips of a `say:` text; its fixed parts are recordings named after their words."""
        name = prompts.inline_name(text.text)
        known = self._known(tenant, language)
        recorded = {
            part: WavInfo(self.clips[full][2], self.clips[full][1], self.clips[full][3])
            for part in [name, *(f"{name}#{number}" for number in range(1, 20))]
            if part in known and (full := self._full(tenant, f"{language}/{part}")) in self.clips
        }
        return self.cut(text, tenant, language, name, recorded, {})

    def find(self, tenant: str, language: str, name: str) -> Spoken | None:
        """What `name` is in `language` for `tenant`, or None."""
        if name.startswith(("tone/", "music/")):
            full = self.full_music(tenant, name)
            return Spoken([full]) if full else None
        own = self.spoken.get((tenant, language), {}).get(name)
        if own is not None:
            return own
        owner = self.borrowed.get((tenant, name))
        theirs = self.spoken.get((owner, language), {}).get(name) if owner is not None else None
        if theirs is not None:
            return theirs
        full = f"{language}/{name}"
        platform = self.spoken.get((ROOT_TENANT, language), {}).get(name)
        # the platform's own prompts are its own, but its recording of a stock name is everybody's
        lent = name in self.stock_names and platform is not None and platform.parts == [full]
        if full in self.clips and (platform is None or (lent and self.clips[full][1])):
            return Spoken([full])
        return None

    def has(self, tenant: str, name: str) -> bool:
        """Has the tenant a prompt of this name, in any language?"""
        return name in self.own_names(tenant)

    def own_names(self, tenant: str) -> list[str]:
        """The names of a tenant's own prompts, each once."""
        held = (names for (owner, _), names in self.spoken.items() if owner == tenant)
        return list(dict.fromkeys(name for names in held for name in names))

    def full_music(self, tenant: str, name: str) -> str:
        """The full name of music or of a tone, or ''."""
        own = self._full(tenant, name)
        if own in self.clips:
            return own
        return name if name in self.clips else ""

    def names(self, tenant: str, language: str) -> list[str]:
        """Every name that `find` would find, for suggestions."""
        own = list(self.spoken.get((tenant, language), {}))
        prefix = f"{language}/"
        return own + [name[len(prefix) :] for name in self.clips if name.startswith(prefix)] + list(prompts.TONES)

    def models(self, languages: tuple[str, ...], kept: Mapping[str, PromptModel]) -> dict[str, PromptModel]:
        """Every clip that the site can play, numbered. A clip keeps its number while its name and recording stay.

        Stock clips of languages that nobody here speaks are left out.
        """
        used = {}
        for name in sorted(self.clips):
            head = name.rpartition(":")[2].partition("/")[0]
            if head in languages or head in ("tone", "music"):
                used[name] = self.clips[name]
        numbers = {}
        for name, (_, path, _, digest) in used.items():
            old = kept.get(name)
            if old is not None and old.sha256 == digest and (digest or old.path == path):  # wherever it lies now
                numbers[name] = old.clip
        free = max((old.clip for old in kept.values()), default=-1) + 1
        models = {}
        for name, (text, path, duration, digest) in used.items():
            clip = numbers.get(name)
            if clip is None:
                clip, free = free, free + 1
            models[name] = PromptModel(clip, name, text, path, duration, digest)
        return models


def _inside(node: marks.Scalar, at: int) -> int:
    """Columns from a scalar's place to the offset `at` of its text (a quote counts as one)."""
    return 0 if node.style in ("|", ">") else at + (1 if node.style else 0)

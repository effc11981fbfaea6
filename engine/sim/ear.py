"""What one phone hears, clip by clip, and how a transcript names it."""

from __future__ import annotations

import msgspec

from engine.sim.phone import Phone
from engine.sim.world import World

CLIP_MS_MIN = 20  # the twin plays nothing shorter
GROUPS = {
    "position": ("you_are_next", "position_first", "position_is", "position_after"),
    "estimate": ("wait_between", "wait_less_than", "wait_longer_than", "wait_to", "wait_minutes"),
}  # what the verbs of a wait list say, by their own names
SOUNDS = ("music", "tone")


class Heard(msgspec.Struct, frozen=True):
    """A clip that began at `at_ms`. `clip` is its full name, "echo", "silence", or what else the row heard."""

    at_ms: int
    clip: str

    @property
    def name(self) -> str:
        """As a transcript names it: "press:en/heard_book#2" is heard_book, "en/digits/1" digits/1.

        A recording from elsewhere is its address."""
        return name_of(self.clip)

    @property
    def value(self) -> bool:
        """A word of a spoken value (a digit, a number, a unit), not a prompt."""
        return not self.sound and "/" in self.name and "://" not in self.name

    @property
    def sound(self) -> bool:
        """Music, a tone, silence, or another person: not words."""
        return "/" not in self.clip or self.clip.split("/", 1)[0].partition(":")[2] in SOUNDS or (
            self.clip.split("/", 1)[0] in SOUNDS
        )  # fmt: skip


def name_of(clip: str) -> str:
    """The prompt of a clip's full name, without tenant, language and the number of its part."""
    if "://" in clip:
        return clip
    head, slash, rest = clip.partition("/")
    if not slash or head.rpartition(":")[2] in SOUNDS:
        return clip.rpartition(":")[2]
    return rest.split("#", 1)[0]


class Ear:
    """Follows the media rows that send to a phone. A clip counts as heard once it has begun."""

    def __init__(self, world: World, phone: Phone) -> None:
        self.world, self.phone = world, phone
        self.heard: list[Heard] = []
        self.read: dict[tuple[int, int], int] = {}  # (row, generation) -> entries of its log that were taken in
        self.coming: list[tuple[int, str]] = []

    def listen(self) -> None:
        """Take in what has been heard up to now."""
        media = self.world.media
        rows = [*media.closed.items(), *(((number, row.generation), row) for number, row in media.rows.items())]
        for key, row in rows:
            if row.far[0] != self.phone.media_host:
                continue
            done = self.read.get(key, 0)
            if done < len(row.log):
                self.read[key] = len(row.log)
                for at, what in row.log[done:]:
                    self._begin(at, what)
        self._pass(self.world.now_ms + 1)

    def next(self) -> int | None:
        """When the next clip of what plays now begins, if nothing comes between."""
        return self.coming[0][0] if self.coming else None

    def _begin(self, at_ms: int, what: str) -> None:
        self._pass(at_ms)
        words = what.split(" #")[0]
        if what == words:  # no play: silence, echo, another row, a mix
            self.coming = [(at_ms, words)]
            return
        self.coming, start = [], at_ms
        prompts = self.world.site.prompts
        for clip in words.split(" "):
            self.coming.append((start, clip))
            prompt = prompts.get(clip)
            start += max(prompt.duration_ms if prompt is not None else 0, CLIP_MS_MIN)

    def _pass(self, before_ms: int) -> None:
        """Clips that began before this moment have been heard."""
        while self.coming and self.coming[0][0] < before_ms:
            at, clip = self.coming.pop(0)
            self.heard.append(Heard(at, clip))

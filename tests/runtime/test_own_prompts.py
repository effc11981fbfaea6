"""Prompts recorded by phone: kept whole, over the site's own, with a clip of their own; reloads keep them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.call.effects import PromptUsed, SiteLoaded, UsePrompt
from engine.dialplan.model import PromptModel, Site, TenantModel
from engine.runtime.own_prompts import OwnPrompts, overlay, place
from engine.runtime.wav import read_wav, write_wav
from tests.runtime.fakes import quiet_log, run, site, until

NEW = "prompts/new/default-bako-0-b-1.wav"
NAME = "en/outage"


def prompted() -> Site:
    prompts = {
        "en/hello": PromptModel(0, "en/hello", "Hello.", "", 900), NAME: PromptModel(1, NAME, "All is well.", "", 700),
    }  # fmt: skip
    tenant = TenantModel("default", "ringdown.test", recordable={"1": NAME})
    return site(tenants={"default": tenant}, prompts=prompts)


def spoken(folder: Path, level: int = 500) -> None:
    path = folder / NEW
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, np.column_stack([np.full(8_000, level, np.int16), np.zeros(8_000, np.int16)]))


class World:
    """What the prompts see of a server."""

    def __init__(self, folder: Path) -> None:
        self.options = SimpleNamespace(data=folder)
        self.site = prompted()
        self.log, self.said = quiet_log()
        self.delivered: list[Any] = []
        self.clips: dict[int, PromptModel] = {}
        self.problems: list[str] = []
        self.plane = SimpleNamespace(load_clips=self.load_clips)

    def load_clips(self, prompts: dict[int, PromptModel]) -> list[str]:
        self.clips.update(prompts)
        return self.problems

    def deliver(self, event: Any) -> None:
        self.delivered.append(event)


def use(world: World, prompt: str = NAME, file: str = NEW) -> PromptUsed:
    async def work() -> None:
        prompts = OwnPrompts(world)  # type: ignore[arg-type]
        count = len(world.delivered)
        prompts.use(UsePrompt(7, prompt, file))
        await until(lambda: any(isinstance(each, PromptUsed) for each in world.delivered[count:]))
        await prompts.close()

    run(work())
    answer = world.delivered[-1]
    assert isinstance(answer, PromptUsed)
    return answer


def test_what_he_said_is_the_prompt_from_now_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    spoken(tmp_path)
    assert use(world) == PromptUsed(7, "")
    model = world.site.prompts[NAME]
    assert (model.clip, model.duration_ms, model.text) == (2, 1_000, "All is well.")
    assert world.clips == {2: model} and model.path == str(place(tmp_path, NAME))
    assert read_wav(Path(model.path)).tolist() == [500] * 8_000 and not (tmp_path / NEW).exists()
    loaded = next(each for each in world.delivered if isinstance(each, SiteLoaded))
    assert loaded.version == world.site.version and loaded.version.startswith("version-1+")
    assert msgspec.msgpack.decode(loaded.site, type=Site).prompts[NAME] == model
    assert world.site.prompts["en/hello"] == prompted().prompts["en/hello"]


def test_the_next_recording_is_another_clip_and_a_reload_keeps_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    spoken(tmp_path)
    use(world)
    first = world.site
    spoken(tmp_path, 900)
    use(world)
    assert world.site.prompts[NAME].clip == 3 and world.site.version != first.version
    again = overlay(prompted(), tmp_path, world.site)
    assert again.prompts[NAME] == world.site.prompts[NAME] and again.version == world.site.version
    fresh = overlay(prompted(), tmp_path)
    assert fresh.prompts[NAME].sha256 == again.prompts[NAME].sha256


def test_a_site_that_names_it_no_more_has_its_own(tmp_path: Path) -> None:
    world = World(tmp_path)
    spoken(tmp_path)
    use(world)
    plain = msgspec.structs.replace(prompted(), tenants={"default": TenantModel("default", "r")})
    assert overlay(plain, tmp_path, world.site) is plain
    place(tmp_path, NAME).write_bytes(b"torn")
    assert overlay(prompted(), tmp_path) == prompted()


@pytest.mark.parametrize(
    ("prompt", "file", "why"),
    [(NAME, "prompts/new/gone.wav", "gone.wav"), (NAME, "../x.wav", "outside"), ("en/nosuch", NEW, "no prompt")],
)  # fmt: skip
def test_what_cannot_be_used_changes_nothing(tmp_path: Path, prompt: str, file: str, why: str) -> None:
    world = World(tmp_path)
    spoken(tmp_path)
    assert why in use(world, prompt, file).detail and world.site == prompted()


def test_a_plane_that_takes_no_clip_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.problems = ["en/outage: audio_bytes"]
    spoken(tmp_path)
    assert use(world).detail == "en/outage: audio_bytes" and world.site == prompted()


def test_another_tenants_prompt_lies_apart(tmp_path: Path) -> None:
    assert place(tmp_path, "acme:en/outage") == tmp_path / "prompts" / "acme" / "en" / "outage.wav"
    assert place(tmp_path, NAME) == tmp_path / "prompts" / "default" / "en" / "outage.wav"

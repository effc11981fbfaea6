"""A version names content: any change of a byte, a path or a recording is another one."""

from __future__ import annotations

from engine.dialplan.prompts import WavInfo
from engine.dialplan.site_version import version_of

FILES = {"site.yaml": b"ringdown: 1\n", "prompts/en/a.wav": WavInfo(500, "/somewhere/a.wav", "0" * 64)}


def test_it_names_content_and_nothing_else() -> None:
    version = version_of(FILES)
    assert len(version) == 20 and int(version, 16) >= 0
    assert version_of(dict(reversed(FILES.items()))) == version
    assert version_of(FILES | {"prompts/en/a.wav": WavInfo(500, "/elsewhere/a.wav", "0" * 64)}) == version


def test_every_change_is_another_version() -> None:
    others = [
        FILES | {"site.yaml": b"ringdown: 1 \n"}, FILES | {"b.yaml": b""}, {"site.yaml": FILES["site.yaml"]},
        FILES | {"prompts/en/a.wav": WavInfo(500, "", "1" * 64)},
        FILES | {"prompts/en/a.wav": WavInfo(501, "", "0" * 64)},
        {"other.yaml" if name == "site.yaml" else name: content for name, content in FILES.items()},
    ]  # fmt: skip
    assert len({version_of(files) for files in [FILES, *others]}) == 7

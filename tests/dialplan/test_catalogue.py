"""Which clip a prompt is."""

from __future__ import annotations

from engine.dialplan.findings import Finding, render
from engine.dialplan.model import Site
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import STOCK, files_with
from tests.dialplan.test_prompts import wav


def read(changes: dict[str, str], **wavs: WavInfo | bytes) -> tuple[Site | None, list[Finding]]:
    files = files_with(changes)
    files.update({path.replace("__", "/") + ".wav": info for path, info in wavs.items()})
    return read_site(files, STOCK)


def good(changes: dict[str, str], **wavs: WavInfo | bytes) -> Site:
    site, findings = read(changes, **wavs)
    assert site is not None, [render(each) for each in findings]
    assert findings == [], [render(each) for each in findings]
    return site


def test_recordings_win_and_wrong_ones_are_told() -> None:
    site = good({"prompts/en.yaml": "hello: Hello.\nchoose: Choose.\n"}, prompts__en__please_hold=WavInfo(1_234))
    assert site.prompts["en/hello"].duration_ms == 900
    # the platform's own recording of a stock name is heard instead of it
    assert site.prompts["en/please_hold"].duration_ms == 1_234
    _, findings = read({}, prompts__en__hello=b"no wave")
    found = [(each.code, each.file) for each in findings]
    assert found == [("RD091", "prompts/en.yaml"), ("RD093", "prompts/en/hello.wav")]
    site = good({}, prompts__en__hello=wav(2))
    assert site.prompts["en/hello"].duration_ms == 2_000


def test_a_changed_text_is_told() -> None:
    manifest = "prompts:\n  hello: {text: Hello there., sha256: '', duration_ms: 900}\n"
    site, findings = read({"prompts/en/manifest.yaml": manifest})
    assert site is not None
    assert [(each.code, each.severity) for each in findings] == [("RD092", "warning")]


def test_a_prompt_that_a_language_lacks_is_heard_in_another() -> None:
    plan = "ringdown: 1\nflows:\n  main:\n    - answer\n    - play: hello\n    - hangup\n"
    site, findings = read({"site.yaml": "ringdown: 1\nlanguages: [zh, en]\n", "dialplans/main.yaml": plan})
    assert [each.code for each in findings] == ["RD090"]
    assert site is not None
    assert site.programs["default/main"].flows["main"][1].data["prompt"] == {"zh": ["en/hello"], "en": ["en/hello"]}


def test_clip_numbers_stay_over_a_reload() -> None:
    first = good({})
    second, _ = read_site(
        {**files_with({"prompts/en.yaml": "apple: Apple.\nhello: Hello.\nchoose: Choose now.\n"}),
         "prompts/en/apple.wav": WavInfo(100), "prompts/en/choose.wav": WavInfo(1_200, sha256="other")},
        STOCK, first,
    )  # fmt: skip
    assert second is not None
    assert second.prompts["en/hello"].clip == first.prompts["en/hello"].clip
    fresh = {second.prompts["en/apple"].clip, second.prompts["en/choose"].clip}
    assert not fresh & {prompt.clip for prompt in first.prompts.values()}
    clips = [prompt.clip for prompt in second.prompts.values()]
    assert len(set(clips)) == len(clips)

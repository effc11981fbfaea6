"""Prompts that nothing plays, and words that changed under their recording."""

from __future__ import annotations

from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from tests.dialplan.site import BASE, STOCK

PLAN = b"ringdown: 1\nflows:\n  main:\n    - answer\n    - play: [hello, choose]\n    - hangup: served\n"


def told(changes: dict[str, bytes | WavInfo], *, thorough: bool = True) -> list[tuple[str, str, int, str]]:
    _, findings = read_site({**BASE, "dialplans/main.yaml": PLAN, **changes}, STOCK, thorough=thorough)
    return [(each.code, each.file, each.line, each.message) for each in findings]


def test_a_prompt_that_nothing_plays() -> None:
    texts = b"hello: Hello.\nchoose: Choose now.\nold: Old.\ngoodbye: Bye.\nreason_tea: tea\n"
    recorded: dict[str, bytes | WavInfo] = {
        f"prompts/en/{name}.wav": WavInfo(1) for name in ("old", "goodbye", "reason_tea", "lonely", "say-1234#1")
    }
    changes = {"prompts/en.yaml": texts, **recorded}
    assert told(changes) == [
        ("RD243", "prompts/en.yaml", 3, "nothing plays the prompt 'old'"),
        ("RD243", "prompts/en/lonely.wav", 1, "nothing plays the prompt 'lonely'"),
    ]
    assert told(changes, thorough=False) == []
    assert told({**changes, "queues.yaml": b"support: {announce: old}\nq: {announce: lonely}\n"}) == []


def test_a_waiver_of_it_is_never_idle_because_nobody_looked() -> None:
    site = b"ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\nallow: {RD243: kept for Christmas}\n"
    changes: dict[str, bytes | WavInfo] = {
        "site.yaml": site, "prompts/en.yaml": b"hello: Hello.\nchoose: Choose now.\nold: Old.\n",
        "prompts/en/old.wav": WavInfo(1),
    }  # fmt: skip
    assert told(changes) == [] == told(changes, thorough=False)


def test_a_tenants_prompts_are_its_own() -> None:
    changes: dict[str, bytes | WavInfo] = {
        "tenants/press/tenant.yaml": b"languages: [en]\n", "tenants/press/prompts/en.yaml": b"hello: Hello.\n",
        "tenants/press/prompts/en/hello.wav": WavInfo(1),
    }  # fmt: skip
    assert [each[:2] for each in told(changes)] == [("RD243", "tenants/press/prompts/en.yaml")]


def test_words_that_changed_under_a_recording() -> None:
    def noted(text: str, digest: str = "aa", name: str = "hello") -> list[tuple[str, str, int, str]]:
        recorded = f"{name}: {{sha256: '{digest}', text: '{text}'}}\n".encode()
        own = {f"prompts/en/{name}.wav": WavInfo(1, sha256="aa"), "prompts/en/recorded.yaml": recorded}
        return told({**own, "prompts/en/hello#1.wav": WavInfo(1, sha256="aa")}, thorough=False)

    assert noted("Hello.") == []
    assert noted("Good day.") == [
        ("RD092", "prompts/en.yaml", 1, "'hello' was recorded with other words: 'Good day.'"),
    ]  # fmt: skip
    assert noted("Good day.", "bb") == []  # recorded again since
    assert noted("Good day.", name="gone") == []


def test_a_recordings_faults_are_told() -> None:
    changes: dict[str, bytes | WavInfo] = {
        "prompts/en/hello.wav": WavInfo(1, clipped_ms=9), "prompts/en/choose.wav": WavInfo(1, silent=True),
        "prompts/en/choose.mp3": WavInfo(1), "music/jazz.ogg": WavInfo(0, fault="it holds no sound"),
    }  # fmt: skip
    assert [each[:2] for each in told(changes)] == [
        ("RD093", "music/jazz.ogg"), ("RD241", "prompts/en/choose.wav"), ("RD242", "prompts/en/choose.wav"),
        ("RD240", "prompts/en/hello.wav"),
    ]  # fmt: skip


def test_the_platforms_recording_of_a_stock_name_is_every_tenants() -> None:
    plan = b"ringdown: 1\nflows:\n  main:\n    - answer\n    - play: [goodbye, hello]\n    - hangup: served\n"
    changes: dict[str, bytes | WavInfo] = {
        "prompts/en/goodbye.wav": WavInfo(7, path="platform.wav"), "tenants/press/tenant.yaml": b"languages: [en]\n",
        "tenants/press/dialplans/main.yaml": plan,
    }  # fmt: skip
    assert [each[0] for each in told(changes)] == ["RD033"]  # hello is the platform's own
    changes["tenants/press/dialplans/main.yaml"] = plan.replace(b", hello", b"")
    site, _ = read_site({**BASE, "dialplans/main.yaml": PLAN, **changes}, STOCK)
    assert site is not None
    assert site.programs["press/main"].flows["main"][1].data["prompt"]["en"] == ["en/goodbye"]
    assert site.prompts["en/goodbye"].path == "platform.wav"

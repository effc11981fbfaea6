"""A small site for tests, and a stock set that has every name without a single file."""

from __future__ import annotations

from collections.abc import Iterable

from engine.dialplan.actions import Action, AnsweredNow, Happening, Note, PlayDone
from engine.dialplan.interpreter import start, step
from engine.dialplan.model import Site
from engine.dialplan.program import Program, Running, Step
from engine.dialplan.prompts import StockPrompt, WavInfo
from engine.dialplan.reader import read_site

DIGITS = [*(str(digit) for digit in range(10)), "star", "hash"]
NUMBERS = {
    "en": [
        *(str(number) for number in range(21)), *(str(number) for number in range(30, 100, 10)),
        "hundred", "thousand", "million", "and", "minus", "point",
    ],
    "zh": [
        *(str(number) for number in range(11)),
        "hundred", "thousand", "ten_thousand", "hundred_million", "liang", "minus", "point",
    ],
}  # fmt: skip
LETTERS = [f"letters/{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
WEEKDAYS = [f"weekdays/{day}" for day in range(1, 8)]
UNITS = [f"unit_{unit}{many}" for unit in ("second", "minute", "hour", "day") for many in ("", "s")]
SAID = {
    "en": [
        *(f"ordinals/{number}" for number in (*range(1, 21), *range(30, 100, 10), "hundred", "thousand", "million")),
        *(f"months/{month}" for month in range(1, 13)), "time/am", "time/pm", "time/oh",
        *(f"money/{coin}" for coin in ("euro euros cent cents pound pounds penny pence dollar dollars yuan yen fen "
                                       "rupee rupees paisa paise franc francs rappen").split()),
    ],
    "zh": [
        "ordinals/di", "date/year", "date/month", "date/day", "time/hour", "time/minute", "time/sharp",
        *(f"money/{coin}" for coin in "yuan jiao fen euro euro_cent dollar cent pound penny yen hk_dollar".split()),
    ],
}  # fmt: skip
WORDS = [
    "please_hold", "position_is", "you_are_next", "invalid_choice", "no_input", "goodbye", "thank_you", "all_busy",
    "one_moment", "try_again", "not_available", "technical_fault", "leave_message", "you_pressed", "ten_seconds",
]  # fmt: skip


def stock() -> dict[str, StockPrompt]:
    found = {}
    for language, numbers in NUMBERS.items():
        names = [*WORDS, *LETTERS, *UNITS, *WEEKDAYS, *SAID[language], *(f"digits/{each}" for each in DIGITS)]
        names += [f"numbers/{each}" for each in numbers]
        for name in names:
            full = f"{language}/{name}"
            found[full] = StockPrompt(full, name, f"{full}.wav", 500, "00")
    found["music/default"] = StockPrompt("music/default", "", "music/default.wav", 30_000, "00")
    return found


STOCK = stock()
BASE: dict[str, bytes | WavInfo] = {
    "site.yaml": b"ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\n",
    "queues.yaml": b"support: {strategy: longest-idle-agent, skills: [power], max_wait: 20min}\n",
    "agents.yaml": b"200: {name: Ana, queues: [support], skills: {power: 2}, team: front}\n",
    "trunks.yaml": b"carrier: {host: sip.example.net, user: x, auth: secret carrier}\n",
    "outbound.yaml": b"00.: {trunk: carrier, strip: 1, caller_id: +442071234567, teams: [front]}\n+.: carrier\n",
    "dialplans/main.yaml": b"ringdown: 1\nflows:\n  main:\n    - answer\n    - hangup: served\n",
    "prompts/en.yaml": b"hello: Hello.\nchoose: Choose now.\n",
    "prompts/en/hello.wav": WavInfo(900),
    "prompts/en/choose.wav": WavInfo(1_200),
}


def files_with(changes: dict[str, str]) -> dict[str, bytes | WavInfo]:
    return {**BASE, **{path: text.encode() for path, text in changes.items()}}


def site_of(dialplan: str, **more: str) -> Site:
    """The base site with this dialplan; fails with the findings when it is refused."""
    changes = {"dialplans/main.yaml": dialplan, **{path.replace("__", "/") + ".yaml": t for path, t in more.items()}}
    site, findings = read_site(files_with(changes), STOCK)
    assert site is not None, findings
    return site


ADVICE = ("RD200", "RD201", "RD202", "RD203")  # what is legal and still bad for a caller: see test_advice


def codes_of(dialplan: str, **more: str) -> list[tuple[str, int]]:
    """(code, line) of each finding, but for advice."""
    changes = {"dialplans/main.yaml": dialplan, **{path.replace("__", "/") + ".yaml": t for path, t in more.items()}}
    _, findings = read_site(files_with(changes), STOCK)
    return [(finding.code, finding.line) for finding in findings if finding.code not in ADVICE]


class Caller:
    """A call through a dialplan: tells happenings, keeps what was asked."""

    def __init__(self, site: Site, program: str = "default/main", *, entry: str = "", language: str = "en") -> None:
        self.site = site
        self.program: Program = site.programs[program]
        self.facts = {"access.caller": "+441", "access.kind": "public", "access.dialled": "100"}
        self.run: Running
        self.run, self.last = start(self.program, self.facts, language, site, 0, entry=entry)
        self.all: list[Action] = list(self.last)

    def tell(self, happening: Happening) -> list[Action]:
        self.last = step(self.run, happening, self.program, self.site)
        self.all.extend(self.last)
        return self.last

    def answered(self) -> list[Action]:
        return self.tell(AnsweredNow(self.run.ticket))

    def played(self) -> list[Action]:
        return self.tell(PlayDone(self.run.ticket))

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.last if not isinstance(each, Note)]

    def one(self, kind: type[Action]) -> Action:
        """The single action of this kind in the last answer."""
        found = [each for each in self.last if isinstance(each, kind)]
        assert len(found) == 1, self.last
        return found[0]

    def path(self) -> list[str]:
        return [each.step for each in self.all if isinstance(each, Note) and each.kind == "step"]

    def notes(self, kind: str) -> list[str]:
        return [each.text for each in self.all if isinstance(each, Note) and each.kind == kind]


def lines(*texts: str) -> str:
    return "\n".join(texts) + "\n"


def names(actions: Iterable[Action]) -> list[str]:
    return [type(each).__name__ for each in actions]


def second_step(text: str, *, head: str = "", **more: str) -> Step:
    """The second step of a dialplan whose first is answer."""
    site = site_of(f"ringdown: 1\n{head}flows:\n  main:\n    - answer\n{text}    - hangup: served\n", **more)
    return site.programs["default/main"].flows["main"][1]

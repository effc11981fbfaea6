"""A call that a person walks through by words: keys, waits, what an agent does. `ringdown try` types and prints it."""

from __future__ import annotations

import re

from engine import marks
from engine.dialplan.findings import Finding, Report, did_you_mean
from engine.dialplan.model import Site
from engine.dialplan.types import TypeProblem, duration_ms
from engine.errors import UsageError
from engine.sim.given_reader import read_forms, read_given
from engine.sim.rehearsal import SETTLE_MS, TOGETHER_MS_MAX, Rehearsal
from engine.sim.saying import Said
from engine.sim.transcript import Given
from engine.sim.transcript_reader import dialplan_of

WORDS = {
    "1234#": "press these keys (star and hash are words too)",
    "“my bill”": "say this, in quotes",
    "_": "no key: go on until something else is heard (or Enter)",
    "10s": "let so long pass",
    "answer": "the agent whose phone rings answers",
    "refuse": "the agent whose phone rings refuses",
    "bye": "the agent hangs up",
    "hangup": "the caller hangs up: the end",
    "?": "where the call is, and its variables",
}
_KEYS = re.compile(r"[0-9*#]+")
_QUOTED = re.compile("""["“'][^"”']*["”']""")
_WORD = re.compile(r"""["“'][^"”']*["”']|\S+""")
RUN_MS_MAX = 60_000  # `_` goes on so long at most: music says nothing new
WAIT_MS_MAX = 3_600_000


class Session:
    """One call. `do` takes a word and returns the new lines of its story."""

    def __init__(self, site: Site, given: Given) -> None:
        self.show = Rehearsal(site, given, steps=True)
        self.printed: list[str] = []
        self.sounded = 0
        self.settle()

    # --- what is seen -----------------------------------------------------------------------------------
    def lines(self) -> list[str]:
        """What has been added to the story; a line that has become longer shows its rest."""
        now = self.show.transcript()
        fresh: list[str] = []
        last = len(self.printed) - 1
        if last >= 0 and now[last] != self.printed[last] and now[last].startswith(self.printed[last]):
            fresh.append(" " * 11 + now[last][len(self.printed[last]) :])
        fresh += now[last + 1 :]
        self.printed = now
        return fresh

    def files(self) -> list[str]:
        """The recordings that have begun to be heard since the last look, in order."""
        heard = self.show.ear.heard[self.sounded :]
        self.sounded = len(self.show.ear.heard)
        prompts = self.show.site.prompts
        return [prompts[each.clip].path for each in heard if each.clip in prompts and prompts[each.clip].path]

    def prompt(self) -> str:
        """`  12.3 s choose/menu(main_menu) > `"""
        steps = self.show.events("call.step")
        step = str(steps[-1].data["step"]) if steps else self.show.given.dialled
        call = self.show.call()
        if call is not None and call.phase not in ("script", "arriving"):
            step += f" [{call.phase}]"
        return f"{self.show.second():7.1f} s  {step} > "

    def variables(self) -> list[str]:
        """Where the call is, what it knows; sensitive values masked."""
        call = self.show.last
        running = call.running if call is not None else None
        if call is None or running is None:
            return [self.show.where()]
        program = self.show.site.programs[call.program]
        found = [self.show.where(), f"language = {running.language}"]
        for name, value in running.variables.items():
            declared = program.variables.get(name)
            found.append(f"{name} = {'····' if declared is not None and declared.sensitive else value}")
        return found

    def over(self) -> bool:
        return self.show.over()

    # --- what is done -----------------------------------------------------------------------------------
    def do(self, word: str) -> list[str]:
        """Do one word. Raises UsageError for a word that means nothing, or that can't be done now."""
        word = {"star": "*", "hash": "#", "": "_"}.get(word, word)
        if word == "?":
            return [" " * 11 + line for line in self.variables()]
        if self.over():
            raise UsageError(f"{word!r}: {self.show.where()}")
        if word == "_":
            self.go_on()
        elif _KEYS.fullmatch(word):
            self.show.press(word)
        elif _QUOTED.fullmatch(word):
            self.say(word[1:-1].strip())
        elif word == "hangup":
            self.show.hang_up()
        elif word in ("answer", "refuse", "bye"):
            self.agent(word)
        else:
            self.wait(word)
        self.settle()
        return self.lines()

    def say(self, text: str) -> None:
        if not text:
            raise UsageError("between the quotes stands what the caller says")
        if not self.show.say(Said(text)):
            raise UsageError(f"nobody listens to words here: {self.show.where()}")

    def wait(self, word: str) -> None:
        try:
            ms = duration_ms(word)
        except TypeProblem:
            raise UsageError(f"{word!r} is nothing that can be done here; there are: {', '.join(WORDS)}") from None
        self.show.wait(min(ms, WAIT_MS_MAX))

    def agent(self, word: str) -> None:
        show = self.show
        if word == "bye":
            key = show.talking()
            if not key:
                raise UsageError("no agent talks to the caller")
            show.tell(f"agent {key} hangs up")
            show.agents[key].hang_up(show.world.now_ms)
            show.wait(SETTLE_MS)
            return
        key = show.ringing()
        if not key:
            raise UsageError("no agent's phone rings; say who is there by --agents, as in --agents support:1")
        show.tell(f"agent {key} {word}s")
        show.agents[key].behave(200 if word == "answer" else 486)
        show.agents[key].pick_up(show.world.now_ms)
        show.wait(SETTLE_MS)
        if word == "answer":
            show.until(lambda: show.together(key) or self.over(), TOGETHER_MS_MAX)

    def go_on(self) -> None:
        """Until words are heard that haven't been, or the call is over."""
        known = len(self.show.ear.heard)
        self.show.until(
            lambda: self.over() or any(not each.sound for each in self.show.ear.heard[known:]), RUN_MS_MAX
        )  # fmt: skip

    def settle(self) -> None:
        """To where the caller could do something, at most as long as prompts last."""
        self.show.until(lambda: self.show.listening() or self.over(), RUN_MS_MAX)


def words_of(text: str) -> list[str]:
    """What `--keys` or a line says, one act each; what stands in quotes is one."""
    return _WORD.findall(text)


def given_of(site: Site, plan: str, wishes: dict[str, str]) -> tuple[Given | None, list[Finding]]:
    """The call that `plan` means: a number, a dialplan ("utility", "chess/school"), its file, or '' for the site's
    first number. `wishes`: at, caller, agents ("support: 1, 201: talking") as in a test's `given`; '' isn't wished.

    None after findings about these words. Raises UsageError for a plan that the site hasn't.
    """
    lines = [f"{key}: {text}" for key, text in wishes.items() if text and key != "agents"]
    if wishes.get("agents"):
        lines.append("agents: {" + re.sub(r":\s*", ": ", wishes["agents"]) + "}")
    dialplan = plan
    if plan in site.numbers or re.fullmatch(r"\+?[0-9]+", plan):
        lines.append(f"dialled: {plan}")
        dialplan = site.numbers[plan].dialplan if plan in site.numbers else ""
    elif not plan and site.numbers:
        dialplan = next(iter(site.numbers.values())).dialplan
    elif plan.endswith(".yaml"):
        dialplan = dialplan_of(plan)
    elif "/" not in plan:
        named = [name for name in site.programs if name.partition("/")[2] == plan]
        dialplan = next(iter(named), f"default/{plan}")
    if dialplan and dialplan not in site.programs:
        known = [name.removeprefix("default/") for name in site.programs]
        raise UsageError(f"no dialplan {plan!r} here; {did_you_mean(plan, known) or 'ringdown check names what is'}")
    data = "\n".join(lines or ["{}"]).encode()
    report = Report()
    root, faults = marks.load(data, "options")
    for fault in faults:
        report.fault(fault)
    place = root if root is not None else marks.Scalar("", "options", 1, 1)
    given = read_given(report, site, read_forms(report, place, root), dialplan) if not report.errors else None
    return given, report.finished({"options": data})

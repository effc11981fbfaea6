"""Short words for tests of the test runner: a small site, and tests written as an admin would write them."""

from __future__ import annotations

from engine.dialplan.findings import Finding, render
from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.sim.expecting import Result, play
from engine.sim.rehearsal import Rehearsal
from engine.sim.transcript import Cases, Given
from engine.sim.transcript_reader import read
from tests.scenarios.sites import stock

FILE = "dialplans/main.test.yaml"
SITE = """
ringdown: 1
time_zone: Europe/London
languages: [en]
numbers:
  100: {dialplan: main, public: yes}
  101: {dialplan: main, entry: support, public: yes}
  600: main
"""
MAIN = """
ringdown: 1
variables:
  code: digits 4
  pin: digits 4 sensitive
always:
  0: support
flows:
  main:
    - answer
    - play: hello
    - menu:
        prompt: choose
        again: choose_short
        timeout: 5s
        tries: 2
        choices:
          1: support
          2: enter
          star: again
        failed: bye
  enter:
    - gather: {into: code, prompt: ask_code, tries: 2, failed: bye}
    - gather: {into: pin, prompt: ask_pin, tries: 2, failed: bye}
    - play: your_code
    - tag: code $code
    - hangup: served
  support:
    - answer
    - queue:
        name: support
        max_wait: 2min
        whisper: about_support
        needs: {language: 1}
        full: bye
        no_agents: bye
        timeout: bye
    - play: thanks
    - hangup: served
  bye:
    - play: goodbye
    - hangup: {outcome: failed, cause: 17}
"""
PROMPTS = """
hello: Hello.
choose: Press 1 or 2.
choose_short: 1 or 2.
ask_code: Your code?
ask_pin: Your PIN?
your_code: Your code is ${code as digits}, thank you.
about_support: A call.
thanks: Thanks.
"""
TRUNKS = "carrier: {host: 203.0.113.9, addresses: [203.0.113.0/28]}\n"
AGENTS = """
201: {name: Ana, queues: [support], skills: {en: 2}}
202: {name: Ben, queues: [support], skills: {en: 1}}
"""


def files(**more: str) -> dict[str, bytes]:
    found = {
        "site.yaml": SITE, "dialplans/main.yaml": MAIN, "prompts/en.yaml": PROMPTS, "agents.yaml": AGENTS,
        "trunks.yaml": TRUNKS, "queues.yaml": "support: {ring: 10s, wrap_up: 5s}\n", **more,
    }  # fmt: skip
    return {name: text.encode() for name, text in found.items()}


def site(**more: str) -> Site:
    made, findings = read_site(files(**more), stock())
    assert made is not None, "\n".join(map(render, findings))
    return made


def written(text: str, *, given: str = "agents: {support: 1}", of: Site | None = None) -> tuple[Site, Cases]:
    """A file with one test, `it`, whose lines are `text`."""
    made = of or site()
    head = f"ringdown: 1\ngiven:\n  dialled: 100\n  {given}\ntests:\n  it:\n"
    body = "".join(f"    {line}\n" for line in text.strip().split("\n"))
    tests, findings = read((head + body).encode(), FILE, made)
    assert tests is not None, "\n".join(map(render, findings))
    return made, tests


def played(text: str, *, given: str = "agents: {support: 1}", of: Site | None = None) -> Result:
    made, tests = written(text, given=given, of=of)
    return play(made, tests.tests[0])


def good(text: str, *, given: str = "agents: {support: 1}", of: Site | None = None) -> Result:
    result = played(text, given=given, of=of)
    assert result.failure is None, (result.failure, "\n".join(result.story))
    return result


def differs(text: str, *, given: str = "agents: {support: 1}", of: Site | None = None) -> tuple[int, str, str]:
    """(line, expected, found) of a test that must fail; lines count from the test's first."""
    failure = played(text, given=given, of=of).failure
    assert failure is not None
    return failure.place.line - 6, failure.expected, failure.found


def refused(text: str, *, of: Site | None = None) -> list[Finding]:
    """The findings of a file that must not be accepted."""
    tests, findings = read(text.encode(), FILE, of or site())
    assert tests is None and findings
    return findings


def show(given: str = "agents: {support: 1}", *, of: Site | None = None) -> Rehearsal:
    made, tests = written("- wait: 1s", given=given, of=of)
    return Rehearsal(made, tests.tests[0].given)


def given_of(text: str) -> Given:
    return written("- wait: 1s", given=text)[1].tests[0].given

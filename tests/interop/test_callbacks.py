"""A callback with real softphones: asked for by keys, rung through a trunk, confirmed, and heard on both sides."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import listening
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.server import Engine
from test_first_call import hears, prompts

CUSTOMER, AGENT = listening.chirps(111, 60), listening.chirps(112, 60)
NUMBER = "0301234"
DIALPLAN = """\
ringdown: 1
about: 8710 waits in the support queue; 1 asks for a callback.
entry: wait
flows:
  wait:
    - answer
    - queue: {name: support, waiting: hold, full: over, no_agents: over, timeout: over}
    - hangup: served
  back:
    - callback: {queue: support, failed: over}
    - play: callback_booked
    - hangup: booked
  over:
    - hangup: failed
waits:
  hold:
    - menu: {prompt: please_hold, choices: {1: back}, failed: continue}
    - music: 30s
"""
QUEUE = """\
support:
  callback:
    mode: {mode}
    allow: ['0']
    ring: 15s
    lead: 5s
"""


@pytest.fixture(params=["agent-first", "customer-first"])
def calling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Baresip]]:
    """An engine whose carrier is the customer's baresip, which speaks without pause and answers by itself."""
    edits = {
        "site.yaml": ("numbers:\n", "numbers:\n  8710: {dialplan: interop, entry: wait, public: yes}\n"),
        "queues.yaml": ("support:\n", QUEUE.format(mode=request.param)),
    }
    engine = Engine(edits=edits, extra=DIALPLAN)
    with Baresip(tmp_path, engine.address, NUMBER, microphone=CUSTOMER, register=False, auto_answer=True) as customer:
        trunk = f"carrier: {{host: 127.0.0.1, port: {customer.port}, addresses: ['127.0.0.1:{customer.port}']}}\n"
        (engine.site / "trunks.yaml").write_text(trunk)
        (engine.site / "outbound.yaml").write_text("0.: carrier\n")
        with engine:
            yield engine, customer


def told(heard: listening.Samples, prompt: str) -> bool:
    """Are at least two loud half seconds of what was heard this prompt? (A loaded machine may tear the rest.)"""
    sound = prompts()[prompt]
    cuts = [heard[at : at + 4_000] for at in range(0, heard.size - 3_999, 2_000)]
    return sum(listening.align(cut, sound).score > 0.85 for cut in cuts if abs(cut).max() > 500) >= 2


def test_a_customer_is_called_back_and_both_hear_each_other(calling: tuple[Engine, Baresip], tmp_path: Path) -> None:
    engine, customer = calling
    began = time.monotonic()
    customer.wait_event("CALL_ESTABLISHED", after=customer.dial("8710"))
    until(lambda: any(call["queue"] for call in engine.ask("calls")), 5, what="the customer waits in the queue")
    customer.press("1")  # leaves the queue; his place is kept
    time.sleep(1.5)
    place = len(customer.events)
    customer.press("1")  # yes, call me back
    customer.wait_event("CALL_CLOSED", 12, after=place)
    (row,) = engine.ask("callbacks")["callbacks"]
    assert (row["number"], row["position"]) == (NUMBER, 1)
    engine.wait_idle()

    place = len(customer.events)
    with Baresip(
        tmp_path, engine.address, "200", engine.passwords()["200"], microphone=AGENT, auto_answer=True
    ) as agent:
        agent.registered()
        engine.login("200")
        customer.wait_event("CALL_ESTABLISHED", 15, after=place)
        marked = customer.mark()
        time.sleep(5)  # the whole prompt
        assert told(customer.heard()[marked:], "callback_is_here"), "the customer isn't told what this call is"
        customer.press("1")
        engine.wait_agent("200", "talking", seconds=8)
        time.sleep(3)  # the whisper
        assert hears(agent, CUSTOMER) >= 0.6, "the agent doesn't hear the customer"
        assert hears(customer, AGENT) >= 0.6, "the customer doesn't hear the agent"
        agent.command("hangup")
        customer.wait_event("CALL_CLOSED", 5, after=place)
        engine.wait_idle()
        engine.logout("200")
    assert time.monotonic() - began < 60
    found = engine.ask("callbacks")
    assert found["callbacks"] == [] and found["queues"][0]["served"] == found["queues"][0]["kept"] == 1

    def words() -> list[str]:
        return [line[4] for line in engine.queue_log() if line[1] == row["call"]]

    until(lambda: len(words()) >= 3, 3, what="the last line of queue_log")  # written a batch at a time
    assert words() == ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]
    printed = engine.command("callbacks").stdout
    assert printed.startswith("none\n") and "default/support" in printed

"""A bank's self-service on a real phone: account, PIN, balance; a bad server; and what the disk holds of it all.

baresip is the caller: its person types by RFC 4733 and hears the balance. The bank is an HTTP server of this test.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import listening
import msgspec
import numpy as np
import pytest
from harness.baresip import Baresip
from harness.children import until
from harness.rtp import Ear
from harness.server import ROOT, Engine

ACCOUNT, PIN, BALANCE, TOKEN = "40718293", "82571364", 7_316_942, "tok-5b1e9c77"
HUGE = json.dumps({"balance": "7" * 10_000_000}).encode()  # made beforehand, so that it does not come late
NUMBERS = """\
numbers:
  8800: {dialplan: interop, public: yes}
  8801: {dialplan: interop, entry: balance, public: yes}
"""
DIALPLAN = """\
ringdown: 1
variables:
  account: digits 8 = 40718293
  pin: digits 8 sensitive
entry: main
flows:
  main:
    - answer
    - gather: {into: account, prompt: you_pressed, failed: down, confirm: you_pressed, regex: '[1-9]x{7}'}
    - pin: {into: pin, prompt: please_hold, verify: check_pin, wrong: try_again, busy: one_moment, failed: down}
    - goto: balance
  balance:
    - answer
    - lookup: {name: bank, busy: one_moment, failed: down}
    - say: $bank.balance
    - tag: account $account
    - silence: 20s
    - hangup: served
  down:
    - play: technical_fault
    - hangup: down
"""
LOOKUPS = """\
check_pin:
  post: http://127.0.0.1:PORT/pin
  send: {account: $account, pin: $pin}
  auth: secret bank
  returns: {ok: flag = no}
bank:
  get: http://127.0.0.1:PORT/accounts/$account
  auth: secret bank
  timeout: 1500ms
  returns: {balance: number sensitive}
"""


class Bank(ThreadingHTTPServer):
    """Knows one account; `mood` is how it answers about it: well, hangs, huge (tests/runtime has the others)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.mood = "well"
        self.asked: list[tuple[str, str, str]] = []
        self.over = threading.Event()


class Desk(BaseHTTPRequestHandler):
    server: Bank
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, str(self.headers["Authorization"]), body))
        self.tell({"ok": json.loads(body) == {"account": ACCOUNT, "pin": PIN}})

    def do_GET(self) -> None:
        self.server.asked.append((self.path, str(self.headers["Authorization"]), ""))
        mood = self.server.mood
        if mood == "well":
            self.tell({"balance": BALANCE})
        elif mood == "hangs":
            self.server.over.wait(30)
        elif mood == "huge":
            self.send(HUGE)

    def tell(self, tree: object) -> None:
        self.send(json.dumps(tree).encode())

    def send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def bank() -> Iterator[Bank]:
    server = Bank()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def branch(bank: Bank) -> Iterator[Engine]:
    """An engine whose site asks this bank; the secret lies where an operator puts it."""
    engine = Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN)
    (engine.site / "lookups.yaml").write_text(LOOKUPS.replace("PORT", str(bank.server_port)))
    engine.data.mkdir(mode=0o700)
    (engine.data / "secrets.json").write_text(json.dumps({"lookups": {"bank": TOKEN}}))
    with engine:
        with engine.phone("stranger", secret=False) as caller, Ear() as ear:  # its client is loaded with the first one
            dialog = caller.call("8801", media=ear.port)
            until(lambda: bank.asked, 20, what="the first look-up")
            dialog.bye()
        engine.wait_idle()
        bank.asked.clear()
        yield engine


def sound(*names: str) -> listening.Samples:
    return np.concatenate([listening.read_wav(ROOT / "prompts" / "en" / f"{name}.wav") for name in names])


SPOKEN = [f"numbers/{word}" for word in
          ("7", "million", "3", "hundred", "and", "16", "thousand", "9", "hundred", "and", "40", "2")]  # fmt: skip


def held_in(folder: Path, words: dict[str, bytes]) -> dict[str, list[str]]:
    """Which words every byte of every file below `folder` holds, with the files' names."""
    files = [(path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert sum(len(data) for _, data in files) > 100_000
    return {name: [path.name for path, data in files if word in data] for name, word in words.items()}


SECRETS = {
    "the PIN": PIN.encode(), "the wrong PIN": b"82571365", "the balance": str(BALANCE).encode(),
    "the balance in msgpack": msgspec.msgpack.encode(BALANCE),
}  # fmt: skip


def test_a_balance_is_heard_and_the_disk_never_learns_it(branch: Engine, bank: Bank, tmp_path: Path) -> None:
    with Baresip(tmp_path, branch.address, "caller", register=False) as phone:
        place = phone.dial("8800")
        phone.wait_event("CALL_ESTABLISHED", 8, after=place)
        time.sleep(0.5)
        phone.press(ACCOUNT)
        phone.press("1")  # that's right
        phone.press("82571365")
        until(lambda: len(bank.asked) == 1, 8, what="the first PIN is looked up")
        time.sleep(0.3)
        assert not any(held_in(branch.data, SECRETS).values())
        phone.press(PIN)
        heard = sound(*SPOKEN)
        until(lambda: listening.share_heard(heard, phone.heard(), score=0.8) > 0.7, 25, every=0.5, what="the balance")
        # the engine dies with the secrets in its memory: what it leaves behind for its next life is sealed
        branch.kill()
        assert not any(held_in(branch.data, SECRETS).values())
        branch.start()
        phone.command("hangup")
    branch.wait_idle()
    assert [auth for _, auth, _ in bank.asked] == [f"Bearer {TOKEN}"] * 3
    assert [path for path, _, _ in bank.asked] == ["/pin", "/pin", f"/accounts/{ACCOUNT}"]

    call = str(branch.last_call(dialled="8800")["call"])
    events = branch.events(call)
    kinds = {kind: [each["data"] for each in events if each["kind"] == kind]
             for kind in ("call.digit", "call.prompt", "call.gathered", "call.lookup")}  # fmt: skip
    assert "".join(each["digit"] for each in kinds["call.digit"]) == ACCOUNT + "1" + "·" * 2 * len(PIN)
    assert [each["clips"] for each in kinds["call.prompt"]][-1] == "·"
    assert {each["variable"]: each["value"] for each in kinds["call.gathered"]} == {
        "account": ACCOUNT, "pin": "····", "check_pin.ok": "yes", "bank.balance": "····",
    }  # fmt: skip
    assert [(each["lookup"], each["result"]) for each in kinds["call.lookup"]] == [
        ("check_pin", "ok"), ("check_pin", "ok"), ("bank", "ok"),
    ]  # fmt: skip

    found = held_in(branch.data, {**SECRETS, "the account": ACCOUNT.encode(), "the token": TOKEN.encode()})
    assert found.pop("the account"), "the search finds what is there"
    assert found.pop("the token") == [], "it was put there in clear, and is sealed"
    assert not any(found.values()), found
    output = branch.output() + branch.command("calls").stdout
    assert PIN not in output and str(BALANCE) not in output and TOKEN not in output


@pytest.mark.parametrize(
    ("mood", "reason"),
    [("hangs", "no whole answer within 1500 ms"), ("huge", "the answer is longer than 131072 bytes")],
)
def test_a_bad_server_costs_its_timeout_and_the_fallback_is_heard(
    branch: Engine, bank: Bank, mood: str, reason: str
) -> None:
    bank.mood = mood
    fallback, moment = sound("technical_fault"), sound("one_moment")
    with branch.phone("stranger", secret=False) as caller, Ear() as ear:
        dialog = caller.call("8801", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        began = time.monotonic()
        dialog.expect_bye(12)
        took = time.monotonic() - began
        heard = ear.heard()
    assert listening.share_heard(fallback, heard, score=0.85) > 0.8
    assert (listening.align(moment, heard).score > 0.8) == (mood == "hangs")
    spoken = len(fallback) / listening.RATE
    assert took < spoken + (1.5 if mood == "hangs" else 0) + 1.5, f"{took:.1f} s"
    call = str(branch.last_call(dialled="8801")["call"])
    lookups = [each["data"] for each in branch.events(call) if each["kind"] == "call.lookup"]
    assert [(each["result"], each["reason"]) for each in lookups] == [("failed", reason)]
    assert f"the lookup bank failed: {reason}" in branch.output()

"""Lookups over HTTP against a server that behaves, and one that does everything else."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from engine import limits
from engine.call.effects import LookupDone, LookupWanted
from engine.dialplan.lookups import LookupField, LookupModel
from engine.dialplan.types import Value
from engine.errors import SiteError
from engine.runtime import lookups as lookups_room
from engine.runtime.lookups import Lookups, reason_of
from engine.runtime.secrets import Secrets
from tests.runtime.certificates import certificate
from tests.runtime.fakes import quiet_log, run, site, until

FIELDS = (LookupField("customer.tier", ("tier",), "choice standard vip"), LookupField("customer.n", ("n",), "number"))
GOOD = json.dumps({"tier": "vip", "n": 71}).encode()
VALUES: dict[str, Value] = {"account": "9071", "pin": "8071"}
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = GOOD, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    """Says what `said` holds for a path: bytes, or a coroutine that writes. Keeps the requests as text."""

    def __init__(self) -> None:
        self.said: dict[str, bytes | Act] = {}
        self.got: list[str] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self, trust: ssl.SSLContext | None = None) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=trust)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode()
                length = next((int(line[15:]) for line in text.split("\r\n") if line[:15] == "Content-Length:"), 0)
                self.got.append(text + (await reader.readexactly(length)).decode())
                path = text.split(" ", 2)[1].split("?")[0]
                said = self.said.get(path, answer(b"{}", "404 Not Found"))
                if isinstance(said, bytes):
                    writer.write(said)
                    await writer.drain()
                else:
                    await said(writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Asking:
    """A client with what it has been told."""

    def __init__(self, secrets: dict[str, str] | None = None) -> None:
        self.done: list[LookupDone] = []
        self.loop = asyncio.get_running_loop()
        self.log, self.lines = quiet_log()
        self.lookups = Lookups(self.loop, self.done.append, (secrets or {}).get, self.log)  # type: ignore[arg-type]

    async def ask(self, model: LookupModel, values: dict[str, Value] | None = None) -> LookupDone:
        await self.lookups._open()  # its import is not a matter of the server's
        before = len(self.done)
        self.lookups.ask(LookupWanted(4, 7, "bako-0", model, VALUES if values is None else values))
        assert len(self.done) == before, "told from within ask"
        await until(lambda: len(self.done) > before, 15)
        return self.done[-1]


def model(server: Server, path: str = "/", timeout_ms: int = 5_000, /, **fields: object) -> LookupModel:
    url = f"http://127.0.0.1:{server.port}{path}"
    base = LookupModel("default", "customer", "GET", (("text", url),), timeout_ms=timeout_ms, fields=FIELDS)
    return msgspec.structs.replace(base, **fields)


def one(said: bytes | Act, timeout_ms: int = 500) -> tuple[LookupDone, float]:
    """What a server's answer comes to, and how long that took (s)."""

    async def ask() -> tuple[LookupDone, float]:
        server, asking = await Server().open(), Asking()
        server.said["/"] = said
        await asking.lookups._open()
        began = asking.loop.time()
        found = await asking.ask(model(server, "/", timeout_ms))
        took = asking.loop.time() - began
        await asking.lookups.close()
        await server.close()
        return found, took

    return run(ask(), 20)


# --- a server that behaves ------------------------------------------------------------------------------------
def test_a_good_answer_and_what_was_asked() -> None:
    async def ask() -> None:
        server, asking = await Server().open(), Asking({"crm": "s3cret"})
        server.said.update({"/a/9071": answer(), "/pin": answer()})
        url = (("text", f"http://127.0.0.1:{server.port}/a/"), ("value", "account"))
        found = await asking.ask(model(server, url=url, secret="crm"))
        assert found == LookupDone(4, 7, "ok", {"customer.tier": "vip", "customer.n": 71}, "", found.ms)
        send = {"pin": (("value", "pin"),)}
        post = model(server, "/pin", method="POST", send=send, secret="crm", header="X-Api-Key")
        assert (await asking.ask(post)).result == "ok"
        basic = model(server, "/pin", secret="crm", scheme="basic")
        assert (await asking.ask(basic)).result == "ok"
        first, second, third = server.got
        assert first.startswith("GET /a/9071 HTTP/1.1") and "Authorization: Bearer s3cret" in first
        assert "Accept-Encoding: identity" in first and "User-Agent: ringdown/" in first
        assert second.startswith("POST /pin") and "X-Api-Key: s3cret" in second and second.endswith('{"pin":"8071"}')
        assert "Authorization: Basic czNjcmV0" in third
        assert server.connections == 1, "the connection is kept"
        await asking.lookups.close()
        await server.close()

    run(ask())


def test_loading_our_client_is_not_the_other_sides_time(monkeypatch: pytest.MonkeyPatch) -> None:
    load = lookups_room._load
    monkeypatch.setattr(lookups_room, "_load", lambda: (time.sleep(0.6), load())[1])

    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        server.said["/"] = answer()
        asking.lookups.ask(LookupWanted(4, 7, "bako-0", model(server, "/", 500), VALUES))
        await until(lambda: len(asking.done) == 1, 15)
        assert asking.done[0].result == "ok" and asking.done[0].ms >= 600
        await asking.lookups.close()
        await server.close()

    run(ask())


def test_answers_are_kept_for_their_time_and_their_question() -> None:
    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        server.said.update({"/a/1": answer(), "/a/2": answer(b"{}")})
        url = (("text", f"http://127.0.0.1:{server.port}/a/"), ("value", "account"))
        kept = model(server, url=url, cache_ms=200)
        assert [(await asking.ask(kept, {"account": 1})).reason for _ in range(3)] == ["", "kept", "kept"]
        assert (await asking.ask(msgspec.structs.replace(kept, name="other"), {"account": 1})).reason == ""
        assert [(await asking.ask(kept, {"account": 2})).result for _ in range(2)] == ["failed", "failed"]
        assert len(server.got) == 4, "failures are not kept, nor another lookup's answer"
        await asyncio.sleep(0.25)
        assert (await asking.ask(kept, {"account": 1})).reason == ""
        await asking.lookups.close()
        await server.close()

    run(ask())


def test_the_cache_is_bounded_and_holds_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "lookup_cache_entries_max", 3)

    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        server.said["/"] = answer()
        kept = model(server, cache_ms=60_000, send={"n": (("value", "account"),)})
        for number in range(6):
            await asking.ask(kept, {"account": f"90{number}"})
        assert len(asking.lookups._cache) == 3 and b"905" not in b"".join(asking.lookups._cache)
        assert (await asking.ask(kept, {"account": "905"})).reason == "kept"
        assert (await asking.ask(kept, {"account": "900"})).reason == ""
        asking.lookups.forget()
        assert (await asking.ask(kept, {"account": "900"})).reason == ""
        await asking.lookups.close()
        await server.close()

    run(ask())


def test_a_missing_secret_and_a_missing_value_ask_nobody() -> None:
    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        found = await asking.ask(model(server, secret="crm"))
        assert (found.result, found.reason) == ("failed", "the secret crm is missing")
        url = (("text", f"http://127.0.0.1:{server.port}/"), ("value", "account"))
        found = await asking.ask(model(server, url=url), {"account": ".."})
        assert found.result == "failed" and "can't stand in an address" in found.reason
        asking.lookups._secret = lambda name: "a\nEvil: 1"
        found = await asking.ask(model(server, secret="crm"))
        assert (found.result, found.reason) == ("failed", "the secret crm holds what no header can")
        assert server.got == []
        await asking.lookups.close()
        await server.close()

    run(ask())


def test_what_a_site_needs_is_said_when_it_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def load() -> None:
        asking, secrets = Asking(), Secrets(tmp_path)
        asking.lookups.prepare(site(), secrets)
        assert asking.lookups._opening is None, "a site without lookups needs no client"
        server = await Server().open()
        models = {each.key: each for each in (model(server, secret="crm-token"), model(server, name="b", secret="e"))}
        monkeypatch.setenv("RINGDOWN_LOOKUP_E", "from the environment")
        asking.lookups.prepare(site(lookups=models), secrets)
        text = asking.lines.getvalue()
        assert "the secret crm-token of the lookups default/customer is missing" in text and "secret e " not in text
        assert "RINGDOWN_LOOKUP_CRM_TOKEN" in text and secrets.lookup("e") == "from the environment"
        secrets.path.write_text('{"lookups": {"crm-token": "x"}}')
        asking.lookups.prepare(site(lookups=models), secrets)
        assert secrets.lookup("crm-token") == "x" and asking.lines.getvalue() == text
        secrets.path.write_text("{")
        asking.lookups.prepare(site(lookups=models), secrets)
        assert "can't read" in asking.lines.getvalue()
        with pytest.raises(SiteError):
            secrets.lookup("crm-token")
        await asking.lookups.close()
        await server.close()

    run(load())


# --- a server that doesn't ---------------------------------------------------------------------------------------
async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte a second: each read succeeds, the whole never comes."""
    for byte in answer():
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(answer(b"", length=1_000))
    for _ in range(100):
        writer.write(b" ")
        await asyncio.sleep(0.1)


async def vanish(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def endless(writer: asyncio.StreamWriter) -> None:
    """Ten megabytes, in chunks that never end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(160):
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(20_000):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 500))
        await writer.drain()


LATE = "no whole answer within 500 ms"
MISBEHAVIOUR: list[tuple[str, bytes | Act, str]] = [
    ("hangs", hang, LATE),
    ("drips", drip, LATE),
    ("drips a body", drip_body, LATE),
    ("closes", vanish, "the server closed the connection"),
    ("resets", reset, "the server closed the connection|no connection"),
    ("says too little", answer(GOOD, length=len(GOOD) + 50), LATE),
    ("says too much", answer(GOOD, length=4), "not JSON|not HTTP"),
    ("10 MB declared", answer(b" " * 100, length=10_000_000), "longer than 131072 bytes"),
    ("10 MB undeclared", endless, "longer than 131072 bytes"),
    ("garbage", b"\x00\xff\x17garbage\r\n\r\n" * 50, "not HTTP|broke off|closed"),
    ("another protocol", b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "not HTTP"),
    ("garbage in the body", answer(b"\x00\xff\xfe"), "not JSON"),
    ("negative length", answer(GOOD, length=-5), "not HTTP|broke off"),
    ("endless headers", endless_headers, "not HTTP|request failed|closed"),
    ("bad chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off|not HTTP"),
    ("html", answer(b"<html>71</html>"), "not JSON"),
    ("empty", answer(b""), "not JSON"),
    ("a list", answer(b"[71]"), "a JSON list, not an object"),
    ("a wrong type", answer(b'{"tier": "vip", "n": "71x"}'), "customer.n is a JSON text that is no number"),
    ("a wrong word", answer(b'{"tier": "gold71", "n": 1}'), "customer.tier is a JSON text that is no choice"),
    ("a value missing", answer(b'{"tier": "vip"}'), "no customer.n, which has no default"),
    ("deep", answer(b'{"n":' * 20_000 + b"1" + b"}" * 20_000), "not JSON"),
    ("compressed", answer(GOOD, "200 OK", "Content-Encoding: gzip"), "compressed"),
    ("500", answer(b"{}", "500 Internal Server Error"), "status 500"),
    ("401", answer(b"{}", "401 Unauthorized"), "status 401"),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", "not JSON"),
    ("redirects to itself", answer(b"", "302 Found", "Location: /"), "status 302: redirects are not followed"),
    ("redirects elsewhere", answer(b"", "301 Moved", "Location: http://127.0.0.1:1/"), "status 301"),
]


@pytest.mark.parametrize(("said", "why"), [row[1:] for row in MISBEHAVIOUR], ids=[row[0] for row in MISBEHAVIOUR])
def test_whatever_a_server_does_the_question_ends_in_time_with_a_reason(said: bytes | Act, why: str) -> None:
    found, took = one(said)
    assert found.result == "failed" and found.values == {}
    assert any(words in found.reason for words in why.split("|")), found.reason
    assert took < 1.5, f"{took:.2f} s"
    assert "71" not in found.reason.replace("131072", "") and "127.0.0.1" not in found.reason


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_not_found_is_no_failure(status: str) -> None:
    found, _ = one(answer(b"{}", status))
    assert (found.result, found.reason) == ("not_found", f"status {status[:3]}")


def test_nobody_there_and_no_such_name() -> None:
    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        gone = model(server)
        await server.close()
        assert "no connection: Connect" in (await asking.ask(gone)).reason
        nowhere = model(server, url=(("text", "http://nowhere.invalid/x"),), timeout_ms=3_000)
        found = await asking.ask(nowhere)
        assert found.result == "failed" and ("no connection" in found.reason or "no whole answer" in found.reason)
        await asking.lookups.close()

    run(ask())


def test_questions_under_way_are_bounded_and_given_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "lookups_under_way_max", 3)

    async def ask() -> None:
        server, asking = await Server().open(), Asking()
        server.said["/"] = hang
        for _ in range(5):
            asking.lookups.ask(LookupWanted(4, 7, "bako-0", model(server, "/", 10_000), {}))
        await until(lambda: len(asking.done) == 2)
        assert {each.reason for each in asking.done} == {"3 lookups are under way already"}
        await asking.lookups.close()
        await asyncio.sleep(0)
        assert len(asking.done) == 2 and not asking.lookups._running
        await server.close()

    run(ask())


@pytest.mark.parametrize(
    ("days", "trusted", "result", "why"),
    [
        (30, True, "ok", ""), (30, False, "failed", "the server's certificate is not valid: self"),
        (0, True, "failed", "the server's certificate is not valid: certificate has expired"),
    ],
)  # fmt: skip
def test_tls_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, trusted: bool, result: str, why: str
) -> None:
    context = certificate(tmp_path, days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))

    async def ask() -> None:
        server, asking = await Server().open(context), Asking()
        server.said["/"] = answer()
        found = await asking.ask(model(server, url=(("text", f"https://127.0.0.1:{server.port}/"),)))
        assert found.result == result and found.reason.startswith(why), found
        plain = await Server().open()
        found = await asking.ask(model(server, url=(("text", f"https://127.0.0.1:{plain.port}/"),)))
        assert found.result == "failed" and not server.got[1:] and not plain.got
        await asking.lookups.close()
        await server.close()
        await plain.close()

    run(ask())


def test_an_unknown_fault_is_named_by_its_kind_alone() -> None:
    assert reason_of(ValueError("pin 8071")) == "the request failed (ValueError)"

"""Lookups over HTTP: what a dialplan wants to know of a server elsewhere, asked off the call path.

One client for the engine. Whatever the far end does, each question ends within its own timeout and is told to the
Switch as LookupDone; the reason of a failure is for the operators and never holds a value. No redirect is followed, no
cookie kept, no proxy taken from the environment, no compressed answer read (a small one may be a large one), and no
more than `lookup_bytes_max` of it. TLS is verified by the system's certificates (or those of SSL_CERT_FILE).
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from base64 import b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from engine import __version__, limits
from engine.call.effects import LookupDone, LookupWanted
from engine.dialplan.lookups import LookupModel, LookupProblem, Request, answered, request
from engine.dialplan.types import Value
from engine.errors import SiteError

if TYPE_CHECKING:
    import aiohttp

    from engine.dialplan.model import Site
    from engine.runtime.log import Log
    from engine.runtime.secrets import Secrets

connections_max = 64
NOT_FOUND = (404, 410)
_Found = tuple[str, dict[str, Value], str]  # as LookupDone's result, values, reason


class Lookups:
    """`ask` a question; `deliver` gets a LookupDone for each, from the loop and never from within `ask`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[LookupDone], None], secret: Callable[[str], str],
        log: Log,
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._secret = secret
        self._log = log
        self._session: aiohttp.ClientSession | None = None
        self._opening: asyncio.Task[Any] | None = None
        self._running: dict[asyncio.Task[None], None] = {}
        self._cache: dict[bytes, tuple[float, dict[str, Value]]] = {}

    def prepare(self, site: Site, secrets: Secrets) -> None:
        """Make ready for a site's lookups: a client, and a warning for each secret that is missing."""
        if not site.lookups:
            return
        for name in dict.fromkeys(model.secret for model in site.lookups.values() if model.secret):
            try:
                missing = not secrets.lookup(name)
            except SiteError as error:
                self._log.warning(str(error))
                break
            if missing:
                users = ", ".join(key for key, model in sorted(site.lookups.items()) if model.secret == name)
                self._log.warning(
                    f"the secret {name} of the lookups {users} is missing: they will fail; put it there by "
                    f"`ringdown secret set {name}`, or into RINGDOWN_LOOKUP_{name.upper().replace('-', '_')}"
                )
        self._open()

    async def client(self) -> aiohttp.ClientSession:
        """The client itself, for what else is fetched by its rules."""
        return await asyncio.shield(self._open())

    def _open(self) -> asyncio.Task[aiohttp.ClientSession]:
        if self._opening is None:
            self._opening = self._loop.create_task(self._client())
        return self._opening

    async def _client(self) -> aiohttp.ClientSession:
        """The one client; what takes long (its package, the system's certificates) is not loaded on the loop."""
        http, trust = await self._loop.run_in_executor(None, _load)
        self._session = http.ClientSession(
            connector=http.TCPConnector(limit=connections_max, ttl_dns_cache=60, ssl=trust),
            cookie_jar=http.DummyCookieJar(), auto_decompress=False, trust_env=False,
            timeout=http.ClientTimeout(total=None),  # each request has its own, by the clock of the whole
            headers={"User-Agent": f"ringdown/{__version__}", "Accept": "application/json",
                     "Accept-Encoding": "identity"},
        )  # fmt: skip
        return self._session

    # --- one question ------------------------------------------------------------------------------------------
    def ask(self, wanted: LookupWanted) -> None:
        """Ask; at most `lookups_under_way_max` at a time, the next one fails at once."""
        began = self._loop.time()
        try:
            asked = request(wanted.model, wanted.values)
        except LookupProblem as problem:
            self._done(wanted, ("failed", {}, str(problem)), began)
            return
        key = _key(wanted.model, asked) if wanted.model.cache_ms else b""
        kept = self._cache.get(key)
        if kept is not None and kept[0] > began:
            self._done(wanted, ("ok", kept[1], "kept"), began)
        elif len(self._running) >= limits.lookups_under_way_max:
            why = f"{limits.lookups_under_way_max} lookups are under way already"
            self._done(wanted, ("failed", {}, why), began)
        else:
            task = self._loop.create_task(self._run(wanted, asked, key, began))
            self._running[task] = None
            task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)

    def _done(self, wanted: LookupWanted, found: _Found, began: float) -> None:
        result, values, reason = found
        ms = round((self._loop.time() - began) * 1_000)
        self._loop.call_soon(self._deliver, LookupDone(wanted.call, wanted.ticket, result, values, reason, ms))

    async def _run(self, wanted: LookupWanted, asked: Request, key: bytes, began: float) -> None:
        model = wanted.model
        try:
            await self.client()  # loaded since the start: what is left of that is not the other side's time
            async with asyncio.timeout(model.timeout_ms / 1_000):
                found = await self._fetch(model, asked)
        except TimeoutError:
            found = ("failed", {}, f"no whole answer within {model.timeout_ms} ms")
        except LookupProblem as problem:
            found = ("failed", {}, str(problem))
        except Exception as error:
            found = ("failed", {}, reason_of(error))
        if key and found[0] == "ok":
            self._keep(key, model, found[1])
        self._done(wanted, found, began)

    async def _fetch(self, model: LookupModel, asked: Request) -> _Found:
        """One request and its answer. Raises LookupProblem, and what the client raises."""
        yarl: Any = importlib.import_module("yarl")
        session = await self.client()
        response = await session.request(
            asked.method, yarl.URL(asked.url, encoded=True), data=asked.body or None, headers=self._headers(model),
            allow_redirects=False,
        )  # fmt: skip
        try:
            status = response.status
            if status in NOT_FOUND:
                return "not_found", {}, f"status {status}"
            if 300 <= status < 400:
                return "failed", {}, f"status {status}: redirects are not followed"
            if not 200 <= status < 300:
                return "failed", {}, f"status {status}"
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                return "failed", {}, "the answer is compressed, which was not asked for"
            return "ok", answered(model, await _body(response)), ""
        finally:
            response.close()  # the rest of an answer that nobody wants is not read; a whole one's connection is kept

    def _headers(self, model: LookupModel) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if model.method == "POST" else {}
        if not model.secret:
            return headers
        try:
            secret = self._secret(model.secret)
        except SiteError as error:
            raise LookupProblem(f"the secret {model.secret} can't be read") from error
        if not secret:
            raise LookupProblem(f"the secret {model.secret} is missing")
        if not (secret.isascii() and secret.isprintable()):
            raise LookupProblem(f"the secret {model.secret} holds what no header can")
        if model.header:
            return {**headers, model.header: secret}
        if model.scheme == "basic":
            return {**headers, "Authorization": f"Basic {b64encode(secret.encode()).decode()}"}
        return {**headers, "Authorization": f"Bearer {secret}"}

    def _keep(self, key: bytes, model: LookupModel, values: dict[str, Value]) -> None:
        self._cache.pop(key, None)
        while len(self._cache) >= limits.lookup_cache_entries_max:
            del self._cache[next(iter(self._cache))]
        self._cache[key] = (self._loop.time() + model.cache_ms / 1_000, values)

    def forget(self) -> None:
        """Drop every answer that is kept: whose they are can't be told, and a caller shall be forgotten."""
        self._cache.clear()

    async def close(self) -> None:
        """Give up what is under way; nobody is told any more."""
        tasks = [*self._running, *([self._opening] if self._opening is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _load() -> tuple[Any, ssl.SSLContext]:
    return importlib.import_module("aiohttp"), ssl.create_default_context()


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The answer, as far as it may be long. Raises LookupProblem."""
    too_long = f"the answer is longer than {limits.lookup_bytes_max} bytes"
    if (response.content_length or 0) > limits.lookup_bytes_max:
        raise LookupProblem(too_long)
    parts: list[bytes] = []
    size = 0
    while chunk := await response.content.readany():
        size += len(chunk)
        if size > limits.lookup_bytes_max:
            raise LookupProblem(too_long)
        parts.append(chunk)
    return b"".join(parts)


def _key(model: LookupModel, asked: Request) -> bytes:
    """What an answer is kept under: everything that was asked, unreadable."""
    return blake2b(msgspec.msgpack.encode((model, asked)), digest_size=16).digest()


def reason_of(error: BaseException) -> str:
    """A fault of the client's in words that hold neither an address nor a value."""
    name = type(error).__name__
    for cause in (error.__cause__, getattr(error, "os_error", None)):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not valid: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'no reason given'}"
    inner = getattr(error, "os_error", None) or error
    if isinstance(inner, OSError):
        return f"no connection: {inner.strerror or name}"
    words = {
        "ServerDisconnectedError": "the server closed the connection",
        "ClientPayloadError": "the answer broke off or is not what it says it is",
        "ClientResponseError": "the answer is not HTTP",
    }
    return words.get(name, f"the request failed ({name})")

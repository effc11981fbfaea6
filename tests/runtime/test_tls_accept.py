"""TLS connections, both roles: limits before the handshake, reasons in words, the certificate in force."""

from __future__ import annotations

import asyncio
import errno
import io
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.dialplan.tls import TlsModel
from engine.runtime import tls_accept
from engine.runtime.log import Log
from engine.runtime.net import open_tcp
from engine.runtime.tcp import Flows
from engine.runtime.tls import Certificates
from engine.sip.events import Path as SipPath
from tests.runtime.authority import Authority
from tests.runtime.fakes import run, site, until
from tests.runtime.test_tcp import MESSAGE, Owner

MODEL = TlsModel("sip.pem", "sip.key", "ca.pem")


def flows_of(folder: Path, model: TlsModel = MODEL) -> tuple[Owner, Flows]:
    certificates = Certificates(Log(stream=io.StringIO()))
    certificates.use(site(tls=model, advertise="sip.example.net"), folder)
    owner = Owner()
    return owner, Flows(asyncio.get_running_loop(), owner, certificates)


def trusting(folder: Path, stem: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if stem:
        context.load_cert_chain(folder / f"{stem}.pem", folder / f"{stem}.key")
    return context


def served(
    folder: Path, work: Callable[[Owner, Flows, int], Awaitable[None]], model: TlsModel = MODEL
) -> None:
    async def whole() -> None:
        owner, flows = flows_of(folder, model)
        sock = open_tcp("127.0.0.1", 0)
        port = sock.getsockname()[1]
        await flows.listen(sock, "tls")
        try:
            await work(owner, flows, port)
        finally:
            await flows.close()

    run(whole())


def test_messages_pass_and_new_connections_take_the_new_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("sip", "127.0.0.1")

    async def work(owner: Owner, flows: Flows, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path))
        writer.write(b"\r\n\r\n" + MESSAGE)
        assert await reader.readexactly(2) == b"\r\n"
        await until(lambda: "data" in owner.kinds())
        flow = owner.heard[0][1]
        assert flows.flows[flow].path.transport == "tls" and flows.local(flow) == ("127.0.0.1", port)
        first = writer.get_extra_info("ssl_object").getpeercert(True)
        authority.issue("sip", "127.0.0.1")
        flows.certificates.use(site(tls=MODEL), tmp_path)
        _, other = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path))
        assert other.get_extra_info("ssl_object").getpeercert(True) != first
        assert flows.send(flow, b"still here") and await reader.readexactly(10) == b"still here"
        assert flows.hand_over() == []  # keys can't be handed over
        for each in (writer, other):
            each.close()

    served(tmp_path, work)


def test_faults_of_theirs_are_said_in_words(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("sip", "127.0.0.1")

    async def attempt(port: int, context: ssl.SSLContext) -> None:
        with pytest.raises((OSError, ssl.SSLError)):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.close()

    async def work(owner: Owner, flows: Flows, port: int) -> None:
        def said(text: str) -> Callable[[], bool]:
            return lambda: any(each[0] == "refused" and text in each[2] for each in owner.heard)

        _, plain = await asyncio.open_connection("127.0.0.1", port)
        plain.write(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
        await until(said("doesn't speak TLS"))
        plain.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        await attempt(port, old)
        await until(said("older than 1.2"))
        weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        weak.check_hostname, weak.verify_mode = False, ssl.CERT_NONE
        weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA")
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        await attempt(port, weak)
        await until(said("none of our ciphers"))
        def distrust() -> None:  # in a thread: asyncio's client hangs up without the alert that phones send
            context = ssl.create_default_context()
            context.check_hostname = False
            with socket.create_connection(("127.0.0.1", port)) as sock, pytest.raises(ssl.SSLError):
                context.wrap_socket(sock)

        await asyncio.to_thread(distrust)
        await until(said("refuses our certificate"))
        assert flows.flows == {}

    served(tmp_path, work)


def test_mutual_tls(tmp_path: Path) -> None:
    authority, strange = Authority(tmp_path), Authority(tmp_path / "strange")
    authority.issue("sip", "127.0.0.1")
    authority.issue("phone", "phone.example.net")
    strange.issue("phone", "phone.example.net")

    async def work(owner: Owner, flows: Flows, port: int) -> None:
        def said(text: str) -> Callable[[], bool]:
            return lambda: any(each[0] == "refused" and text in each[2] for each in owner.heard)

        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path, "phone"))
        writer.write(MESSAGE)
        await until(lambda: "data" in owner.kinds())
        _, bare = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path))
        await until(said("it shows no certificate"))
        context = trusting(tmp_path)
        context.load_cert_chain(tmp_path / "strange" / "phone.pem", tmp_path / "strange" / "phone.key")
        _, other = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        await until(said("isn't trusted here"))
        assert len(flows.flows) == 1
        for each in (writer, bare, other):
            each.close()

    served(tmp_path, work, TlsModel("sip.pem", "sip.key", clients="ca.pem"))


def test_limits_hold_before_a_handshake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_accept, "handshakes_per_host_max", 3)
    monkeypatch.setattr(tls_accept, "handshake_s_max", 0.3)
    Authority(tmp_path).issue("sip", "127.0.0.1")

    async def work(owner: Owner, flows: Flows, port: int) -> None:
        mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        await until(lambda: flows.handshakes.turned_away == 2)
        assert ("refused", "tls", "too many handshakes at once") in owner.heard
        await until(lambda: sum("isn't set up in time" in str(each[2]) for each in owner.heard) == 3)
        for sock in mute:
            sock.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path))
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        writer.close()

    served(tmp_path, work)


def test_the_lists_are_asked_before_a_handshake_is_begun(tmp_path: Path) -> None:
    Authority(tmp_path).issue("sip", "127.0.0.1")

    async def work() -> None:
        certificates = Certificates(Log(stream=io.StringIO()))
        certificates.use(site(tls=MODEL, advertise="sip.example.net"), tmp_path)
        owner, asked = Owner(), list[tuple[str, int]]()

        def lets_in(path: SipPath, local: tuple[str, int]) -> bool:
            asked.append((f"{path.transport} {path.host}", local[1]))
            return False

        flows = Flows(asyncio.get_running_loop(), owner, certificates, lets_in)
        begun: list[object] = []
        flows.handshakes._begin = lambda *given: begun.append(given)  # type: ignore[method-assign,assignment]
        sock = open_tcp("127.0.0.1", 0)
        port = sock.getsockname()[1]
        await flows.listen(sock, "tls")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(1) == b""
        assert asked == [("tls 127.0.0.1", port)] and not begun and owner.heard == []
        writer.close()
        await flows.close()

    run(work())


def test_without_descriptors_it_rests_says_so_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_accept, "rest_s", 0.05)
    Authority(tmp_path).issue("sip", "127.0.0.1")

    async def work(owner: Owner, flows: Flows, port: int) -> None:
        (sock,) = flows.handshakes._listening
        tries: list[int] = []

        class Starved(socket.socket):
            def accept(self) -> tuple[socket.socket, tuple[str, int]]:
                tries.append(1)
                if len(tries) <= 2:
                    raise OSError(errno.EMFILE, "Too many open files")
                return super().accept()

        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        poor = Starved(fileno=sock.detach())
        flows.handshakes._listening.clear()
        flows.handshakes.listen(poor, lambda: flows.certificates.server, lambda host, more: True)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(tmp_path))
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        said = [each for each in owner.heard if each[0] == "refused"]
        assert len(said) == 2, "once for each rest, not for each wake-up"
        assert said[0][1] == "starved" and "Too many open files" in said[0][2] and "LimitNOFILE" in said[0][2]
        writer.close()

    served(tmp_path, work)


def test_nobody_is_let_in_without_a_certificate(tmp_path: Path) -> None:
    async def work(owner: Owner, flows: Flows, port: int) -> None:
        with pytest.raises(OSError):
            reader, _ = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read(1) == b""
            raise ConnectionResetError
        assert any("no certificate is in force" in str(each[2]) for each in owner.heard)

    served(tmp_path, work)


@pytest.mark.parametrize(("stem", "name", "words"), [
    ("sip", "sip.example.net", ""), ("other", "sip.example.net", "is for other.org, not for sip.example.net"),
    ("old", "sip.example.net", "has expired: its owner must renew it"), ("strange/sip", "sip.example.net", "trusted"),
    ("plain", "sip.example.net", "doesn't speak TLS there"),
])  # fmt: skip
def test_whom_we_connect_to(tmp_path: Path, stem: str, name: str, words: str) -> None:
    """Our role as a client: its certificate must hold, be trusted, and be for the name; nothing is said before that."""
    authority, strange = Authority(tmp_path), Authority(tmp_path / "strange")
    authority.issue("sip", "sip.example.net")
    authority.issue("other", "other.org")
    authority.issue("old", "sip.example.net", days=-1, age_days=9)
    strange.issue("sip", "sip.example.net")
    heard = bytearray()

    async def far(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(1_000))
        writer.write(b"SIP/2.0 400 No\r\n\r\n" if stem == "plain" else MESSAGE)

    async def work() -> None:
        context = None
        if stem != "plain":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / f"{stem}.pem", tmp_path / f"{stem}.key")
        server = await asyncio.start_server(far, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        owner, flows = flows_of(tmp_path)
        flows.connect(1_001, "127.0.0.1", port, "tls", name)
        if words:
            await until(lambda: "closed" in owner.kinds())
            assert "opened" not in owner.kinds() and flows.flows == {}
            assert any(each[0] == "refused" and words in each[2] for each in owner.heard), owner.heard
            assert MESSAGE not in heard
        else:
            await until(lambda: "opened" in owner.kinds())
            assert flows.flows[1_001].path.name == name
            assert flows.send(1_001, MESSAGE)
            await until(lambda: "data" in owner.kinds())
            assert bytes(heard) == MESSAGE
        await flows.close()
        server.close()

    run(work())

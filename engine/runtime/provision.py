"""A phone's account as a QR code: a page that is served a few times, on the LAN address, under an unguessable path.

Linphone's scanner takes the address of a provisioning file (its remote provisioning XML), nothing else; so
`serve --lan` answers exactly that one GET, for ten minutes. There is no other HTTP here.
"""

from __future__ import annotations

import asyncio
import secrets as chance
from contextlib import suppress
from xml.sax.saxutils import escape

import msgspec

served_max = 3
served_s_max = 600.0
request_s_max = 5.0


class Account(msgspec.Struct, frozen=True):
    """What a phone needs. `host`, `port`: our SIP address on the LAN."""

    host: str
    port: int
    user: str
    password: str
    realm: str
    display: str = ""
    transport: str = "udp"
    srtp: str = ""  # off | optional | required; '' says nothing of it


def linphone_xml(account: Account) -> bytes:
    """Linphone's remote provisioning file for one account, as its default account."""
    identity = f"sip:{account.user}@{account.host}"
    if account.display:
        identity = f'"{account.display}" <{identity}>'
    server = f"<sip:{account.host}:{account.port};transport={account.transport}>"
    media: dict[str, str] = {}
    if account.srtp:
        media = {"media_encryption": "none" if account.srtp == "off" else "srtp",
                 "media_encryption_mandatory": str(int(account.srtp == "required"))}  # fmt: skip
    sections = {
        "sip": {"default_proxy": "0", **media},
        "auth_info_0": {
            "username": account.user, "passwd": account.password, "realm": account.realm, "domain": account.host,
        },
        "proxy_0": {
            "reg_proxy": server, "reg_identity": identity, "reg_expires": "300", "reg_sendregister": "1",
            "realm": account.realm,
        },
    }
    body = "".join(
        f'<section name="{name}">'
        + "".join(f'<entry name="{key}" overwrite="true">{escape(value)}</entry>' for key, value in entries.items())
        + "</section>"
        for name, entries in sections.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">{body}</config>'
    ).encode()


class Provisioner:
    """Serves one account's file. `url` is what goes into the QR code."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.url = ""
        self.served = 0
        self._path = f"/{chance.token_urlsafe(18)}.xml"
        self._server: asyncio.Server | None = None
        self._closer: asyncio.TimerHandle | None = None

    async def start(self, host: str) -> None:
        """Listen on a free port of `host`; closes itself after ten minutes or three downloads."""
        self._server = await asyncio.start_server(self._serve, host, 0, limit=8_192)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{host}:{port}{self._path}"
        self._closer = asyncio.get_running_loop().call_later(served_s_max, self.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), request_s_max)
            writer.write(self._answer(head))
            await asyncio.wait_for(writer.drain(), request_s_max)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a scanner or a browser that went away
        finally:
            with suppress(OSError):
                writer.close()
        if self.served >= served_max:
            self.close()

    def _answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        asked = words[1] if len(words) == 3 and words[0] == b"GET" else b""
        if not chance.compare_digest(asked, self._path.encode()):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self.served += 1
        body = linphone_xml(self.account)
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nCache-Control: no-store\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def close(self) -> None:
        """Stop serving; safe to call twice."""
        if self._closer is not None:
            self._closer.cancel()
        if self._server is not None:
            self._server.close()
            self._server = None


def welcome(account: Account, url: str) -> str:
    """The text for the terminal: server, user, password, and the QR code of `url`."""
    import io

    import segno

    picture = io.StringIO()
    segno.make(url, error="l").terminal(out=picture, compact=True)
    return (
        f"A softphone in this network registers with\n"
        f"  server    {account.host}:{account.port} ({account.transport})\n"
        f"  user      {account.user}\n"
        f"  password  {account.password}   (shown once; `ringdown agent {account.user} password` makes a new one)\n"
        f"  realm     {account.realm}\n"
        f"Linphone: scan this (valid ten minutes, {url})\n{picture.getvalue()}"
    )

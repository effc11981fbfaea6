"""A phone's account for one scan: right XML, unguessable path, a few downloads and then nothing."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as tree

from engine.runtime import provision as room
from engine.runtime.provision import Account, Provisioner, linphone_xml, welcome
from tests.runtime.fakes import run

ACCOUNT = Account("192.168.1.9", 5060, "200", "ab<&-cd", "ringdown.test", "Ann & Bob")


def test_the_file_names_server_user_and_password() -> None:
    root = tree.fromstring(linphone_xml(ACCOUNT))
    entries = {f"{section.get('name')}/{entry.get('name')}": entry.text for section in root for entry in section}
    assert entries["auth_info_0/passwd"] == "ab<&-cd" and entries["auth_info_0/username"] == "200"
    assert entries["auth_info_0/realm"] == "ringdown.test"
    assert entries["proxy_0/reg_proxy"] == "<sip:192.168.1.9:5060;transport=udp>"
    assert entries["proxy_0/reg_identity"] == '"Ann & Bob" <sip:200@192.168.1.9>'
    assert entries["sip/default_proxy"] == "0"


async def fetch(url: str, line: str = "") -> bytes:
    host, _, port = url.split("/")[2].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{line or 'GET /' + url.split('/', 3)[3] + ' HTTP/1.1'}\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


def test_served_a_few_times_to_who_knows_the_path() -> None:
    async def work() -> None:
        provisioner = Provisioner(ACCOUNT)
        await provisioner.start("127.0.0.1")
        url = provisioner.url
        for wrong in ("GET / HTTP/1.1", "GET /x.xml HTTP/1.1", "POST /x HTTP/1.1", "garbage"):
            assert (await fetch(url, wrong)).startswith(b"HTTP/1.1 404")
        assert provisioner.served == 0
        for _ in range(room.served_max):
            answer = await fetch(url)
            assert answer.startswith(b"HTTP/1.1 200") and b"no-store" in answer and b"ab&lt;&amp;-cd" in answer
        await asyncio.sleep(0)
        try:
            await fetch(url)
            raise AssertionError("still served")
        except ConnectionError:
            pass
        provisioner.close()

    run(work())


def test_two_paths_differ() -> None:
    assert Provisioner(ACCOUNT)._path != Provisioner(ACCOUNT)._path


def test_the_welcome_says_it_in_words_too() -> None:
    text = welcome(ACCOUNT, "http://192.168.1.9:1234/abc.xml")
    for part in ("192.168.1.9:5060", "200", "ab<&-cd", "ringdown.test", "http://192.168.1.9:1234/abc.xml"):
        assert part in text
    assert "█" in text or "▀" in text or "\x1b[" in text

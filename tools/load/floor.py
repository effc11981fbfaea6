"""The floor under every SIP server in Python: the least that answers INVITE and BYE, on uvloop.

`python -m tools.load.floor PORT` serves udp:127.0.0.1:PORT until it is ended. No transactions, no dialogs, no
records: what a call costs here is the price of sockets, the interpreter and the machine, and figures of a real
server are read against it, since machines differ by several times.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n"
COPIED = (b"via", b"from", b"call-id", b"cseq")


class Floor(asyncio.DatagramProtocol):
    """Answers INVITE with 100 and 200, BYE with 200, and ignores the rest."""

    transport: Any

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        method = data[:4]
        if method not in (b"INVI", b"BYE "):
            return
        copied, to = [], b""
        for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            if name in COPIED:
                copied.append(line)
            elif name == b"to":
                to = b"To:" + value + (b"" if b"tag=" in value else b";tag=floor")
        head = b"\r\n".join([*copied, to])
        if method == b"BYE ":
            self.transport.sendto(b"SIP/2.0 200 OK\r\n" + head + b"\r\nContent-Length: 0\r\n\r\n", addr)
            return
        self.transport.sendto(b"SIP/2.0 100 Trying\r\n" + head + b"\r\nContent-Length: 0\r\n\r\n", addr)
        host, port = self.transport.get_extra_info("sockname")[:2]
        contact = b"\r\nContact: <sip:floor@%s:%d>" % (host.encode(), port)
        body = b"\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(SDP) + SDP
        self.transport.sendto(b"SIP/2.0 200 OK\r\n" + head + contact + body, addr)


async def serve(port: int) -> None:
    """Until the process is ended."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Floor, local_addr=("127.0.0.1", port))
    print("ready", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))

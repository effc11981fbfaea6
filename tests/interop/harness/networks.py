"""Network namespaces with wires and address translation between them. For a process that may make some: root, or
whoever runs under `unshare -rn`."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

CLONE_NEWNET = 0x4000_0000
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # nft and ip, for whoever isn't root


def do(*words: str) -> None:
    """Run a command; CalledProcessError with its words when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"PATH": PATH})
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


class Network:
    """A namespace of its own, alive until `close`."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "300"])
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-n"]
        for _ in range(200):  # until it is in a namespace of its own
            if Path(f"/proc/{self.holder.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink():
                break
            time.sleep(0.02)
        self.do("ip", "link", "set", "lo", "up")

    def do(self, *words: str) -> None:
        """Run a command inside."""
        do(*self.enter, *words)

    def connect(self, host: str, port: int) -> socket.socket:
        """A TCP connection from inside: a socket stays in the namespace that it was made in."""
        found: list[socket.socket | OSError] = []

        def inside() -> None:
            try:
                with Path(f"/proc/{self.holder.pid}/ns/net").open("rb") as file:
                    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                found.append(socket.create_connection((host, port), timeout=1))
            except OSError as error:
                found.append(error)

        thread = threading.Thread(target=inside)  # the namespace is the thread's own, and ends with it
        thread.start()
        thread.join(3)
        if not found or isinstance(found[0], OSError):
            raise found[0] if found and isinstance(found[0], OSError) else TimeoutError("no connection")
        return found[0]

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait(5)


def wire(near: Network | None, near_address: str, far: Network, far_address: str, name: str) -> None:
    """A wire between two namespaces (None: this process's), an address at each end; the ends are NAME0 and NAME1."""
    run = near.do if near is not None else do
    run("ip", "link", "add", f"{name}0", "type", "veth", "peer", "name", f"{name}1", "netns", str(far.holder.pid))
    run("ip", "addr", "add", near_address, "dev", f"{name}0")
    run("ip", "link", "set", f"{name}0", "up")
    far.do("ip", "addr", "add", far_address, "dev", f"{name}1")
    far.do("ip", "link", "set", f"{name}1", "up")


MASQUERADE = """\
table ip translation {{
  chain out {{ type nat hook postrouting priority 100; oifname "{outside}" masquerade fully-random; }}
  chain pass {{
    type filter hook forward priority 0; policy drop;
    oifname "{outside}" accept
    iifname "{outside}" ct state established,related accept
  }}
}}
"""


def translate(router: Network, outside: str) -> None:
    """What home routers do: addresses and ports are other ones outside, and nobody gets in who wasn't spoken to."""
    router.do("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    done = subprocess.run([*router.enter, "nft", "-f", "-"], input=MASQUERADE.format(outside=outside),
                          capture_output=True, text=True, env=os.environ | {"PATH": PATH})  # fmt: skip
    assert done.returncode == 0, done.stderr

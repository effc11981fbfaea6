"""hardware/network/ringdown.nft: loaded in a network namespace of its own, with real packets from both sides of it.

Two namespaces and a wire between them: the rules stand in one, the other sends from an address of the phones' network,
from a trunk's, and from a stranger's. Nothing of it touches this machine's own rules or network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "hardware" / "network" / "ringdown.nft"
ENV = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}  # nft and ip, for whoever isn't root

# run by `unshare -rn`: sets the wire up, sends, prints what came as JSON
SCENE = r"""
import json, os, socket, subprocess, sys, time
rules, program = sys.argv[1], sys.executable

def do(*words):
    subprocess.run(words, check=True, capture_output=True)

other = subprocess.Popen(["unshare", "-n", "sleep", "30"])
try:
    inside = ["nsenter", "-t", str(other.pid), "-n"]
    for _ in range(100):  # until it is in a namespace of its own
        if os.readlink(f"/proc/{other.pid}/ns/net") != os.readlink("/proc/self/ns/net"):
            break
        time.sleep(0.02)
    do("ip", "link", "add", "host0", "type", "veth", "peer", "name", "far0", "netns", str(other.pid))
    do("ip", "addr", "add", "198.51.100.1/24", "dev", "host0")
    do("ip", "link", "set", "host0", "up")
    do("ip", "link", "set", "lo", "up")
    for address in ("198.51.100.2/24", "192.168.7.7/32", "192.0.2.9/32"):
        do(*inside, "ip", "addr", "add", address, "dev", "far0")
    do(*inside, "ip", "link", "set", "far0", "up")
    for network in ("192.168.7.7", "192.0.2.9"):
        do("ip", "route", "add", network, "dev", "host0")
    do("nft", "-f", rules)
    ears = {}
    for port in (5060, 5061, 16384, 32766, 4000, 8090):
        ears[port] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ears[port].bind(("198.51.100.1", port))
        ears[port].setblocking(False)
    tcp = {}
    for port in (22, 8080, 8090, 3306):
        tcp[port] = socket.create_server(("198.51.100.1", port))
    send = '''
import json, socket, sys
source, many = sys.argv[1], int(sys.argv[2])
for port in (5060, 5061, 16384, 32766, 4000, 8090):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        for _ in range(many if port == 5060 else 1):
            sock.sendto(source.encode(), ("198.51.100.1", port))
opened = []
for port in (22, 8080, 8090, 3306):
    with socket.socket() as sock:
        sock.settimeout(0.4)
        sock.bind((source, 0))
        try:
            sock.connect(("198.51.100.1", port))
            opened.append(port)
        except OSError:
            pass
print(json.dumps(opened))
'''
    found = {}
    for source, many in (("192.168.7.7", 200), ("192.0.2.9", 200), ("198.51.100.2", 200)):
        said = subprocess.run([*inside, program, "-c", send, source, str(many)], capture_output=True, text=True)
        assert said.returncode == 0, said.stderr
        time.sleep(0.1)
        came = {}
        for port, ear in ears.items():
            count = 0
            try:
                while True:
                    ear.recv(100)
                    count += 1
            except BlockingIOError:
                came[port] = count
        found[source] = {"udp": came, "tcp": json.loads(said.stdout)}
    print(json.dumps(found))
finally:
    other.kill()
    other.wait()
"""


def test_the_rules_are_understood() -> None:
    command = ["unshare", "-rn", "nft", "-c", "-f", str(RULES)]
    checked = subprocess.run(command, capture_output=True, text=True, env=ENV)
    assert checked.returncode == 0, checked.stderr


def test_phones_and_trunks_come_through_strangers_are_slowed_and_nothing_else_is_open() -> None:
    ran = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", SCENE, str(RULES)], capture_output=True, text=True, timeout=30, env=ENV
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    phone, trunk, stranger = (found[each] for each in ("192.168.7.7", "192.0.2.9", "198.51.100.2"))
    for known in (phone, trunk):
        assert known["udp"]["5060"] == 200 and known["udp"]["5061"] == 1, known
    assert 20 <= stranger["udp"]["5060"] <= 80, "a burst of 40, then 20 a second"
    for each in (phone, trunk, stranger):
        assert each["udp"]["16384"] == each["udp"]["32766"] == 1, "audio comes from anywhere"
        assert each["udp"]["4000"] == each["udp"]["8090"] == 0
    assert phone["tcp"] == [22, 8080, 8090]
    assert trunk["tcp"] == stranger["tcp"] == []

"""Sockets through exec: the environment carries their numbers, the kernel the rest."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime import handover as room
from engine.runtime.handover import VARIABLE, Inherited, Stream

ROOT = Path(__file__).parents[2]
PROGRAM = """
import socket, sys
from engine.runtime import handover
found = handover.taken()
if found is None:
    sock = socket.create_server(("127.0.0.1", 0))
    print(sock.getsockname()[1], flush=True)
    sys.stdin.readline()
    rest = handover.half_read(b"half a mess")
    handover.replace(handover.Inherited({2: handover.keep(sock)}, [handover.Stream(7, handover.keep(sock), rest)]))
sock = handover.sock_of(found.listening[2])
sock.setblocking(True)
print("after", sys.argv[1:], handover.rest_of(found.streams[0]), sock.getsockname()[1], flush=True)
stranger, _ = sock.accept()
print(stranger.recv(100), handover.taken(), flush=True)
"""


def test_a_program_replaces_itself_and_a_caller_who_rang_between_the_two_is_served() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "one", "--two"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=ROOT,
    )
    try:
        assert child.stdin is not None and child.stdout is not None
        port = int(child.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), 10) as caller:
            caller.sendall(b"ring")
            child.stdin.write("now\n")
            child.stdin.close()
            assert child.stdout.readline().strip() == f"after ['one', '--two'] b'half a mess' {port}"
            assert child.stdout.readline().strip() == "b'ring' None"  # asked for once
        assert child.wait(10) == 0
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_an_ordinary_start_and_bad_text_are_no_handover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert room.taken() is None
    for text in ("{", "[1]", '{"listening": {"x": 1}}', '{"streams": [[1]]}'):
        monkeypatch.setenv(VARIABLE, text)
        assert room.taken() is None and VARIABLE not in os.environ


def test_what_was_taken_is_not_inherited_by_children(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = socket.socketpair()
    kept = room.keep(one)
    assert os.get_inheritable(kept) and kept != one.fileno()
    monkeypatch.setenv(VARIABLE, f'{{"listening": {{"1": {kept}}}, "streams": [[5, 1023, ""]]}}')
    found = room.taken()
    assert found == Inherited({1: kept}, [Stream(5, 1_023)]) and not os.get_inheritable(kept)
    os.close(kept)
    one.close()
    two.close()


def test_a_descriptor_that_is_no_socket_is_none() -> None:
    reader, writer = os.pipe()
    assert room.sock_of(1_023) is None and room.sock_of(reader) is None
    os.close(reader)
    os.close(writer)


def test_an_exec_that_fails_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.sys, "executable", "/nowhere/python")
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(OSError):
        room.replace(Inherited())

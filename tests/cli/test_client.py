"""One request, one answer, or a stream; whoever is missing is named."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from engine.cli import client
from tests.cli.engine_double import engine, refused


def test_asking(tmp_path: Path) -> None:
    with engine(tmp_path, {"agents": [1, 2]}) as asked:
        assert client.ask(tmp_path, "agents", x="y") == [1, 2]
    assert asked == [{"verb": "agents", "arguments": {"x": "y"}}]


def test_refusals_carry_their_data(tmp_path: Path) -> None:
    answers = {"reload": refused("the site has errors", {"findings": ["f"]})}
    with engine(tmp_path, answers), pytest.raises(client.Refused, match="the site has errors") as caught:
        client.ask(tmp_path, "reload")
    assert caught.value.data == {"findings": ["f"]}


def test_streaming(tmp_path: Path) -> None:
    with engine(tmp_path, {"tail": "tail"}, stream=[{"event": 1}, {"event": 2}]):
        assert list(client.stream(tmp_path, "tail", sip="no")) == [{"event": 1}, {"event": 2}]
    (tmp_path / "ringdown.sock").unlink()
    with engine(tmp_path, {}), pytest.raises(client.Refused, match="no command"):
        list(client.stream(tmp_path, "tail"))


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(client.NotRunning, match=f"{tmp_path}.*ringdown serve"):
        client.ask(tmp_path, "agents")


def test_an_engine_that_hangs_up(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "ringdown.sock"))
    listener.listen()

    def hang_up() -> None:
        sock, _ = listener.accept()
        sock.recv(1_000)
        sock.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    with pytest.raises(client.Refused, match="without an answer"):
        client.ask(tmp_path, "agents")
    thread.join()
    listener.close()

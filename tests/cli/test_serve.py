"""`ringdown serve`: wrong use is said before anything starts; --lan never guesses."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from engine.cli import serve as room
from engine.cli.app import run
from engine.errors import UsageError
from engine.runtime import net
from tests.runtime.test_site_files import broken_site


@pytest.mark.parametrize("arguments", [
    ["--listen", "nonsense"], ["--listen", "udp:localhost:5060"], ["--lan", "--listen", "udp:127.0.0.1:0"],
    ["--log", "loud"], ["--lan-address", "8.8.8.8"],
])
def test_wrong_use(arguments: list[str], tmp_path: Path) -> None:
    assert run(["serve", "--data", str(tmp_path), *arguments]) == 2


def test_a_wrong_site_is_status_1_with_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--data", str(tmp_path / "d"), "--site", str(broken_site(tmp_path / "s"))]) == 1
    error = capsys.readouterr().err
    assert "dialplans/main.yaml:4:" in error and "is refused" in error


def addresses(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    monkeypatch.setattr(net, "private_addresses", lambda: [(f"eth{n}", each) for n, each in enumerate(found)])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_lan_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses(monkeypatch, "192.168.1.9")
    assert room.choose_lan("") == "192.168.1.9"
    addresses(monkeypatch, "192.168.1.9", "10.0.0.3")
    assert room.choose_lan("10.0.0.3") == "10.0.0.3"
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(UsageError, match=r"192\.168\.1\.9 \| 10\.0\.0\.3"):
        room.choose_lan("")
    monkeypatch.setattr("sys.stdin", Terminal("2\n"))
    assert room.choose_lan("") == "10.0.0.3"
    monkeypatch.setattr("sys.stdin", Terminal("7\n"))
    with pytest.raises(UsageError, match="none of 1 to 2"):
        room.choose_lan("")
    addresses(monkeypatch)
    with pytest.raises(UsageError, match="no private address"):
        room.choose_lan("")

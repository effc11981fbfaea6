"""The certificates in force: taken when their files change, and kept when the new ones are wrong."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.dialplan.tls import TlsModel
from engine.errors import SiteError
from engine.runtime import tls as room
from engine.runtime import tls_files
from engine.runtime.log import Log
from engine.runtime.tls import Certificates
from tests.runtime.authority import Authority
from tests.runtime.fakes import run, site, until


def kept(folder: Path, out: io.StringIO) -> Certificates:
    made = Certificates(Log(stream=out))
    made.use(site(tls=TlsModel("sip.pem", "sip.key"), advertise="sip.example.net"), folder)
    return made


def test_a_changed_file_is_taken_and_a_wrong_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "look_s", 0.0)

    async def work() -> None:
        authority, out = Authority(tmp_path), io.StringIO()
        authority.issue("sip", "sip.example.net")
        made = kept(tmp_path, out)
        first = made.server
        assert first is not None and made.taken == 1
        made.look()
        made.look()
        await asyncio.sleep(0.05)
        assert made.taken == 1
        authority.issue("sip", "sip.example.net")
        made.look()  # sees it change, and waits for it to be still
        assert made.taken == 1
        made.look()
        await until(lambda: made.taken == 2 and made._taking is None)
        assert made.server is not first
        second = made.server
        (tmp_path / "sip.key").write_text("gone wrong")
        made.look()
        made.look()
        await until(lambda: "holds no private key" in out.getvalue() and made._taking is None)
        assert "the certificate of before stays" in out.getvalue()
        assert made.server is second
        os.utime(tmp_path / "sip.pem")
        authority.issue("sip", "sip.example.net", days=3)
        made.look()
        made.look()
        await until(lambda: made.taken == 3)
        await until(lambda: "in 2 days" in out.getvalue())
        await made.close()

    run(work())


def test_a_site_whose_files_are_missing_and_one_without_tls(tmp_path: Path) -> None:
    out = io.StringIO()
    made = kept(tmp_path, out)
    assert made.server is None and "nobody can connect with TLS" in out.getvalue()
    with pytest.raises(SiteError, match=r"sip\.pem is not there"):
        made.client()
    made.use(site(), tmp_path)
    assert made.server is None and made.client() is made.client()
    made.look()


def test_what_runs_out_is_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "look_s", 0.0)
    monkeypatch.setattr(room, "remind_s", 0.0)
    threads: list[str] = []
    problems = tls_files.problems

    def noted(*arguments: Any) -> list[tls_files.Problem]:
        threads.append(threading.current_thread().name)
        return problems(*arguments)

    monkeypatch.setattr(tls_files, "problems", noted)

    async def work() -> None:
        Authority(tmp_path).issue("sip", "sip.example.net", days=-1, age_days=20)
        out = io.StringIO()
        made = kept(tmp_path, out)
        assert made.server is not None  # who doesn't look may still call
        for count in (1, 2):
            made.look()
            await until(lambda count=count: out.getvalue().count("has expired on") == count)
            await until(lambda: made._reminding is None)
        assert len(threads) == 2 and threading.main_thread().name not in threads, "files are read off the loop"
        await made.close()

    run(work())


def test_what_only_the_stricter_reader_refuses_is_said_and_costs_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "look_s", 0.0)

    async def work() -> None:
        Authority(tmp_path).issue("sip", "sip.example.net")
        text = (tmp_path / "sip.pem").read_text()
        (tmp_path / "sip.pem").write_text(text.replace(" CERTIFICATE-", " TRUSTED CERTIFICATE-"))
        out = io.StringIO()
        made = kept(tmp_path, out)
        made.look()
        await until(lambda: "can't be read in full" in out.getvalue())
        assert made.server is not None and "have it issued anew" in out.getvalue()
        await made.close()

    run(work())


def test_a_site_that_is_loaded_while_files_are_taken_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "look_s", 0.0)

    async def work() -> None:
        authority, out = Authority(tmp_path), io.StringIO()
        authority.issue("sip", "sip.example.net")
        made = kept(tmp_path, out)
        begun, going_on, build = threading.Event(), threading.Event(), made._made

        def slow() -> Any:
            found = build()
            begun.set()
            assert going_on.wait(5)
            return found

        authority.issue("sip", "sip.example.net")
        monkeypatch.setattr(made, "_made", slow)
        made.look()
        made.look()
        await until(begun.is_set)
        monkeypatch.setattr(made, "_made", build)
        made.use(site(tls=TlsModel("sip.pem", "sip.key")), tmp_path)
        newest = made.server
        going_on.set()
        await until(lambda: made._taking is None)
        assert made.server is newest
        await made.close()

    run(work())


def test_it_knows_which_of_our_names_it_is_for(tmp_path: Path) -> None:
    Authority(tmp_path).issue("sip", "sip.example.net")
    made = kept(tmp_path, io.StringIO())
    assert made.name_for(("192.0.2.1", "sip.example.net")) == "sip.example.net" and made.name_for(("x",)) == ""
    made.use(site(), tmp_path)
    assert made.name_for(("sip.example.net",)) == "", "no certificate, no name"

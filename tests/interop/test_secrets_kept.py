"""A whole life of an engine with secrets, and then every byte that it left behind: the secrets are in none of them."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

from harness.children import until
from harness.kamailio import Kamailio
from harness.ports import free_port
from harness.server import DEMO, ROOT, Engine
from harness.sipp import Sipp

from engine.sip.digest import ha1

PASSWORD, TOKEN, BROKERS = (secrets.token_hex(12) for _ in range(3))
TRUNKS = """\
first:
  host: 127.0.0.1
  port: PORT
  user: '4412'
  auth: secret carrier
  addresses: [127.0.0.99]
  register: {domain: carrier.test, expires: 1min}
"""
LOOKUPS = "crm: {get: 'http://127.0.0.1:9/crm', auth: secret crm, returns: {tier: text}}\n"


def set_secret(engine: Engine, name: str, text: str) -> str:
    """`ringdown secret set NAME`, as an operator pipes it in."""
    command = [sys.executable, "-m", "engine", "secret", "set", name, "--data", str(engine.data)]
    done = subprocess.run(command, cwd=ROOT, input=text + "\n", capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


def registration(engine: Engine) -> str:
    (row,) = engine.ask("trunks")
    return str(row["registration"]["state"]) if row["registration"] else ""


def holders(folder: Path, words: dict[str, str]) -> dict[str, list[str]]:
    """Word -> the files below the folder that hold it, as it is or in base64."""
    files = [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert sum(len(data) for _, data in files) > 100_000
    found = {}
    for name, word in words.items():
        forms = (word.encode(), b64encode(word.encode()).rstrip(b"="))
        found[name] = [file for file, data in files if any(form in data for form in forms)]
    return found


def test_secrets_are_in_nothing_that_an_engine_leaves(tmp_path: Path) -> None:
    far_end = Sipp(tmp_path, "uas_answer.xml", calls=1, seconds=60)
    with far_end as far, Kamailio(tmp_path, far.port, PASSWORD) as carrier:
        site = tmp_path / "site"
        shutil.copytree(DEMO, site)
        (site / "trunks.yaml").write_text(TRUNKS.replace("PORT", str(carrier.port)))
        (site / "lookups.yaml").write_text(LOOKUPS)
        (site / "outbound.yaml").unlink(missing_ok=True)
        bus = f"bus: {{broker: '127.0.0.1:{free_port()}', user: u, password: secret broker}}\nnumbers:\n"
        engine = Engine(site, edits={"site.yaml": ("numbers:\n", bus)}, arguments=("--log", "debug"))
        engine.data.mkdir(mode=0o700)
        (engine.data / "secrets.json").write_text(json.dumps({"lookups": {"crm": TOKEN}, "bus": BROKERS}))
        with engine:
            assert "in clear in" in engine.output() and "was open to others" in engine.output()
            assert set_secret(engine, "carrier", PASSWORD) == "secret carrier: kept; used by trunk first\n"
            until(lambda: registration(engine) == "registered", 6, what="registered with the secret that was just set")
            with engine.phone("200") as phone:
                phone.register()
            listed = engine.command("secret", "list").stdout
            told = json.dumps(engine.ask("ladder", since_ms="0", raw="yes")) + listed
            assert "WWW-Authenticate: Digest" in told and "xxxxxxxx" in told
            capture = str(engine.folder / "whole.pcapng")
            assert engine.command("tail", "--pcap", capture, "--since", "10m").returncode == 0
            key = (engine.data / "secrets.key").read_text().strip()
            assert engine.command("backup", str(engine.folder / "backup.db"), "--secrets").returncode == 0
            engine.kill()
            engine.start()
            until(lambda: registration(engine) == "renewed", 8, what="registered again after the crash")
            agent = engine.passwords()["200"]
            realm = json.loads((engine.data / "secrets.json").read_text())["agents"]["default/200"]["realm"]
            digests = ha1("200", realm, agent)
            words = {
                "carrier": PASSWORD, "crm": TOKEN, "broker": BROKERS, "key": key, "agent": agent,
                "carrier's HA1": ha1("4412", "carrier.test", PASSWORD)["MD5"], "HA1": digests["MD5"],
                "HA1 by SHA-256": digests["SHA-256"],
            }  # fmt: skip
            found = holders(engine.folder, words)
            for line in (f"/proc/{engine.pid}/cmdline", f"/proc/{engine.pid}/environ"):
                told += Path(line).read_text()
    assert found.pop("key") == ["secrets.key"]
    assert found.pop("agent") == ["stderr.txt"], "shown once, to the person who started it"
    for name in ("HA1", "HA1 by SHA-256"):
        assert found.pop(name) == ["backup.db", "secrets.json"], name
    assert not any(found.values()), found
    assert "carrier" in listed and "trunk first" in listed
    assert not [name for name, word in words.items() if word in told]

"""What hardware/ promises to a service manager, a container engine and Prometheus, as far as a file can be held to it.

`systemd-analyze` and `promtool` look at the same files in tests/interop/test_running.py; nothing here builds an image.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import yaml

from engine import limits
from engine.dialplan.model import Site
from tests.house.source import ROOT

UNIT = (ROOT / "hardware/systemd/ringdown.service").read_text("utf-8")
CONTAINER = (ROOT / "hardware/container/Containerfile").read_text("utf-8")
HARDWARE = (ROOT / "hardware/README.md").read_text("utf-8")
INSTRUCTIONS = frozenset(
    "FROM RUN WORKDIR COPY ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD ARG LABEL".split()
)


def settings(unit: str) -> dict[str, list[str]]:
    """Key -> values of a unit file, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        if line and line[0] not in "#[;":
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def instructions(text: str) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Containerfile; lines that are continued are joined."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(word, rest) for line in lines if line.strip() for word, _, rest in [line.strip().partition(" ")]]


def faults(text: str, root: Path = ROOT) -> list[str]:
    """What is wrong with a Containerfile of this house."""
    parts = instructions(text)
    found = [f"{word} is no instruction" for word, _ in parts if word not in INSTRUCTIONS]
    if not parts or parts[0][0] != "FROM":
        found.append("it doesn't begin with FROM")
    stages = [rest.split()[-1] for word, rest in parts if word == "FROM" and " AS " in rest]
    for word, rest in parts:
        if word != "COPY":
            continue
        stage = re.match(r"--from=(\S+) ", rest)
        if stage:
            found += [f"no stage {stage[1]}"] if stage[1] not in stages else []
            continue
        found += [f"COPY of {name}, which is not there" for name in rest.split()[:-1] if not (root / name).exists()]
    last = parts[max(place for place, (word, _) in enumerate(parts) if word == "FROM") :] if stages else parts
    users = [rest for word, rest in last if word == "USER"]
    if not users or users[-1] in ("root", "0"):
        found.append("it runs as root")
    found += [f"no {word}" for word in ("VOLUME", "EXPOSE", "ENTRYPOINT", "HEALTHCHECK") if word not in dict(last)]
    found += [f"a host: {each}" for each in re.findall(r"https?://(?!127\.0\.0\.1)[^\s'\"]+", text)]
    return found


def test_the_container_recipe_is_whole() -> None:
    assert not faults(CONTAINER)
    parts = instructions(CONTAINER)
    assert [rest.split()[0] for word, rest in parts if word == "FROM"] == ["debian:12-slim"] * 2
    assert json.loads(dict(parts)["ENTRYPOINT"]) == ["ringdown"]
    volumes, command = json.loads(dict(parts)["VOLUME"]), json.loads(dict(parts)["CMD"])
    assert command[command.index("--data") + 1] in volumes
    ports = dict(parts)["EXPOSE"].split()
    assert {"5060/udp", "5060/tcp", "8080/tcp", f"{limits.rtp_port_first}-{limits.rtp_port_last + 1}/udp"} == set(ports)
    installs = [rest for word, rest in parts if word == "RUN" and "pip install" in rest]
    assert "--require-hashes" in installs[0] and "requirements.txt" in installs[0]
    unlocked = [part for line in installs for part in line.split("&&") if "pip install" in part]
    assert [part.split()[-1] for part in unlocked if "--require-hashes" not in part] == ["."], "not from a lock"
    awk = re.search(r"awk '(.*?)' requirements-test.txt", installs[0])
    assert awk
    command = ["awk", awk[1], str(ROOT / "requirements-test.txt")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("setuptools==") and "--hash=sha256:" in found.stdout
    assert len(re.findall(r"^[a-z]", found.stdout, re.MULTILINE)) == 1


def test_the_check_sees_faults(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    text = "FROM debian:12-slim AS a\nCOPY engine gone ./\nFROM x AS b\nCOPY --from=c /y /z\nUSER root\nRAN x\n"
    found = faults(text + "RUN curl https://example.org/x\n", tmp_path)
    for part in ("RAN is no", "gone, which", "no stage c", "as root", "no VOLUME", "no EXPOSE", "a host: https://ex"):
        assert any(part in each for each in found), part
    assert faults("COPY a b\n", tmp_path)


def test_the_unit_says_what_the_engine_does() -> None:
    unit = settings(UNIT)
    assert unit["Type"] == ["notify"] and unit["NotifyAccess"] == ["main"] and int(unit["WatchdogSec"][0]) <= 30
    start = unit["ExecStart"][0]
    assert "ringdown serve" in start and "--data %S/ringdown" in start and unit["StateDirectory"] == ["ringdown"]
    assert "RINGDOWN_CACHE=%C/ringdown" in unit["Environment"][0] and unit["CacheDirectory"] == ["ringdown"]
    assert unit["ExecReload"][0].endswith("ringdown reload --data %S/ringdown")
    assert unit["LoadCredential"] == ["trunk:/etc/ringdown/trunks"]
    assert unit["User"] == ["ringdown"] and unit["ProtectSystem"] == ["strict"] and unit["NoNewPrivileges"] == ["yes"]
    assert unit["CapabilityBoundingSet"] == [""] and unit["LimitNICE"] == ["-15"]


def test_numba_may_make_its_code_executable_and_the_unit_says_why() -> None:
    assert settings(UNIT)["MemoryDenyWriteExecute"] == ["no"]
    assert "numba" in UNIT.split("MemoryDenyWriteExecute")[0].rsplit("\n\n", 1)[-1]


def test_a_container_is_given_as_long_as_a_drain_may_take() -> None:
    stop_s = int(re.findall(r"--stop-timeout (\d+)", CONTAINER)[0])
    usual = Site.__struct_defaults__[Site.__struct_fields__.index("drain_ms_max") - len(Site.__struct_fields__)]
    assert usual == limits.drain_ms_default and stop_s * 1_000 >= usual + limits.drain_farewell_ms_max + 15_000


def test_alarms_are_complete() -> None:
    groups = yaml.safe_load((ROOT / "hardware/prometheus/ringdown-alerts.yaml").read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == 5
    for rule in rules:
        assert {"alert", "expr", "for", "labels", "annotations"} <= rule.keys()
        assert {"summary", "action"} <= rule["annotations"].keys() and rule["labels"]["severity"] in ("page", "ticket")
        assert rule["alert"] in HARDWARE


STEP = re.compile(r"^(\d+)\. (.+)$", re.M)
PROOF = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def unproven(page: str) -> list[str]:
    """Steps of the way to the first call that name neither an existing test nor say *by hand*."""
    way = page.split("## From an analogue gateway to the first call")[1].split("\n## ")[0]
    steps = STEP.findall(way)
    found = [] if [int(number) for number, _ in steps] == list(range(1, len(steps) + 1)) else ["not counted from 1"]
    found += ["more than 12 steps"] if not 0 < len(steps) <= 12 else []
    for number, text in steps:
        proofs = PROOF.findall(text)
        if not proofs and "*by hand.*" not in text.lower():
            found.append(f"step {number} is marked by nothing")
        for path, test in proofs:
            there = (ROOT / path).exists() and (not test or f"def {test}(" in (ROOT / path).read_text("utf-8"))
            found += [] if there else [f"step {number}: no {path}::{test}"]
    return found


def test_every_step_to_the_first_call_is_proven_or_by_hand() -> None:
    assert not unproven(HARDWARE)


def test_the_check_sees_an_unproven_step() -> None:
    title = "## From an analogue gateway to the first call\n"
    assert unproven(title + "1. Do it.\n") == ["step 1 is marked by nothing"]
    assert unproven(title + "1. Do it. `tests/no/test_such.py`\n") == ["step 1: no tests/no/test_such.py::"]
    assert unproven(title + "2. Do it. *By hand.*\n") == ["not counted from 1"]
    assert unproven(title + "".join(f"{n}. x *By hand.*\n" for n in range(1, 14))) == ["more than 12 steps"]


def test_every_test_that_the_page_names_exists() -> None:
    for path, test in PROOF.findall(HARDWARE):
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8"), test


def test_the_page_lists_every_profile() -> None:
    folders = (ROOT / "hardware").glob("gateways/*.yaml"), (ROOT / "hardware").glob("phones/*.yaml")
    shipped = {path.stem for folder in folders for path in folder}
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \| .* \| .* \|$", HARDWARE.split("## Profiles")[1], re.M))
    assert shipped == listed - {"profile"}


def test_the_page_names_every_file() -> None:
    for name in ("network/ringdown.nft", "mqtt/mosquitto.conf", "mqtt/agents.acl", "systemd/ringdown.service",
                 "container/Containerfile", "prometheus/scrape.yaml", "prometheus/ringdown-alerts.yaml"):
        assert f"]({name})" in HARDWARE, name

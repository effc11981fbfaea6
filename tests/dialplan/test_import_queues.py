"""queues.conf -> queues and agents."""

from __future__ import annotations

from engine.dialplan import import_queues
from engine.dialplan.imported import Imported

TEXT = """\
[general]
autofill = yes
monitor-type = MixMonitor
shared = x
[base](!)
timeout = 15
wrapuptime=0
[sales](base)
strategy = rrmemory
member => SIP/201,0,Ana Smith
member => PJSIP/202,3
member => Local/203@agents/n
joinempty = strict
leavewhenempty = yes
maxlen = 20
weight = 5
servicelevel = 30
announce-frequency = 45
musicclass = default
[support]
strategy = clairvoyant
member => SIP/201,1
member => SIP/ana
member => SIP/ana,2
member => Agent/5
periodic-announce = thanks
ringinuse = yes
ringinuse = no
timeout = never
"""


def converted() -> Imported:
    site = Imported("test")
    import_queues.add(site, "queues.conf", TEXT)
    return site


def test_what_has_a_counterpart() -> None:
    assert converted().queues == {
        "sales": {
            "ring": "15s", "strategy": "rrmemory", "join_empty": "no", "leave_when_empty": "yes", "length": 20,
            "weight": 5, "service_level": "80% in 30s", "position": "45s", "music": "default",
        },
        "support": {},
    }  # fmt: skip


def test_members_become_agents_and_penalties_levels() -> None:
    assert converted().agents == {
        "201": ("Ana Smith", {"sales": 1, "support": 2}), "202": ("202", {"sales": 4}), "203": ("203", {"sales": 1}),
        "200": ("ana", {"support": 3}),
    }  # fmt: skip


def test_the_rest_is_listed_with_its_line() -> None:
    assert [(note.line, note.text) for note in converted().notes] == [
        (4, "shared = x"), (17, "servicelevel = 30"), (21, "strategy = clairvoyant"), (23, "SIP/ana"), (25, "Agent/5"),
        (26, "periodic-announce = thanks"), (27, "ringinuse = yes"), (29, "timeout = never"),
    ]  # fmt: skip


def test_files_are_told_apart() -> None:
    assert import_queues.is_queues(TEXT)
    assert not import_queues.is_queues("[a]\nexten => 1,1,Answer\nmember => x\n")
    assert not import_queues.is_queues("")

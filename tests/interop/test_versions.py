"""Versions under load: SIPp keeps calling while the site is reloaded, refused and rolled back, and loses no call."""

from __future__ import annotations

import json
from pathlib import Path

from harness.children import until
from harness.server import Engine
from harness.sipp import Sipp

MENU = ("          1: support\n", "          1: say_digits\n")
RING = ("  ring: 20s\n", "  ring: 33s\n")
CALLS_MAX, RATE = 1_000, 8  # they come until the last version is in force


def with_tests(*kept: str) -> Engine:
    """An engine whose site has these of the demo's tests only: they are run at every reload."""
    engine = Engine()
    for path in engine.site.rglob("*.test.yaml"):
        if path.name not in kept:
            path.unlink()
    return engine


def test_reloads_under_load_drop_no_call(tmp_path: Path) -> None:
    """8 calls a second, and 3 callers who stay: two reloads, two refusals and a rollback meanwhile."""
    with with_tests("main.test.yaml") as engine:
        until(lambda: "in force" in engine.command("versions").stdout, 10, what="the first version kept")
        stays = Sipp(tmp_path, "uac_stays.xml", server=engine.address, number="9664", calls=3, rate=20, seconds=180)
        with stays, Sipp(tmp_path, "uac_call.xml", server=engine.address, number="9100", calls=CALLS_MAX, rate=RATE,
                         at_once=50, seconds=120) as load:  # fmt: skip
            until(lambda: engine.calls_now() >= 6, 15, what="calls")
            engine.edit("dialplans/main.yaml", *MENU)
            said = engine.command("diff")
            assert said.returncode == 1 and "key 1 of main_menu now leads to say_digits (was: support)" in said.stdout
            failing = engine.command("reload")
            assert failing.returncode == 1 and "support answers" in failing.stdout, failing
            assert "a test fails" in failing.stdout and "--untested REASON" in failing.stdout, failing
            first = engine.command("reload", "--untested", "the storm is here")
            assert first.returncode == 0 and "loaded all the same: the storm is here" in first.stdout, first
            assert "key 1 of main_menu now leads to say_digits (was: support)" in first.stdout
            assert "(undo: ringdown rollback " in first.stdout and " calls finish on " in first.stdout
            finishing = int(first.stdout.rpartition("; ")[2].split()[0])
            assert finishing >= 3, first.stdout
            versions = json.loads(engine.command("status", "--json").stdout)["switch"]["calls_by_version"]
            assert len(versions) == 2, "the calls of before are still on their version"
            engine.edit("queues.yaml", *RING)
            second = engine.command("reload", "--untested", "still here")
            assert second.returncode == 0 and "queue support rings 33 s instead of 20 s" in second.stdout, second
            engine.edit("dialplans/main.yaml", "    - menu:", "    - mneu:")
            wrong = engine.command("reload")
            assert wrong.returncode == 1 and "mneu" in wrong.stdout and "running site stays" in wrong.stdout, wrong
            back = engine.command("rollback")
            assert back.returncode == 0 and "queue support rings 20 s instead of 33 s" in back.stdout, back
            load.finish()
            done = load.wait()
            done.check(done.succeeded)
            assert done.succeeded > 5 * RATE, "they came all the while"
            assert engine.calls_now() == 3
            until(lambda: len(json.loads(engine.command("status", "--json").stdout)["switch"]["calls_by_version"]) == 1,
                  5, what="short calls of other versions to end")  # fmt: skip
        sites = [event for event in engine.events() if event["kind"] == "operator.site"]
        assert [event["data"]["act"] for event in sites] == ["reload", "reload", "rollback"]
        assert [event["data"]["reason"] for event in sites] == ["the storm is here", "still here", ""]
        assert "untested: the storm is here" in engine.command("versions").stdout
        ended = [event for event in engine.events() if event["kind"] == "call.ended"]
        assert sum(event["data"]["outcome"] == "failed" for event in ended) == 0


def test_what_was_rolled_back_stays_so_over_a_restart(tmp_path: Path) -> None:
    with with_tests() as engine:
        until(lambda: "in force" in engine.command("versions").stdout, 10, what="the first version kept")
        engine.edit("dialplans/main.yaml", *MENU)
        engine.edit("queues.yaml", *RING)
        assert engine.command("reload").returncode == 0
        before = json.loads(engine.command("versions", "--json").stdout)
        assert engine.command("rollback").returncode == 0
        engine.stop()
        engine.start()
        until(lambda: "ready" in engine.output(), 5, what="ready")
        after = json.loads(engine.command("versions", "--json").stdout)
        assert after["active"] != before["active"] and after["held"] == [before["active"]]
        assert json.loads(engine.command("status", "--json").stdout)["site"]["version"] == after["active"]
        assert "which was rolled back" in engine.output()
        said = engine.command("diff")
        assert said.returncode == 1 and "rings 33 s instead of 20 s" in said.stdout, said


def test_a_share_of_callers_and_its_withdrawal_by_the_guard(tmp_path: Path) -> None:
    """Callers, 40 % of them on a version whose calls end as `broken`: the guard takes it back, nobody is cut off."""
    with with_tests() as engine:
        until(lambda: "in force" in engine.command("versions").stdout, 10, what="the first version kept")
        engine.edit("dialplans/diagnostics.yaml", "    - answer\n    - play: {prompt: tone/milliwatt, for: 10min}\n"
                    "    - hangup: served", "    - answer\n    - play: {prompt: tone/milliwatt, for: 500ms}\n"
                    "    - hangup: broken")  # fmt: skip
        said = engine.command("reload", "--share", "40%", "--guard", "broken<=5%")
        assert said.returncode == 0 and "40% of new calls run on " in said.stdout, said
        assert "share    40% of new calls on " in engine.command("status").stdout
        callers = [engine.phone(f"55{number:03}", secret=False) for number in range(16)]
        drawn = 0
        try:
            for phone in callers:
                dialog = phone.call("9197")
                if engine.ask("status")["switch"]["share"] is None:
                    dialog.bye()
                    break
                runs_on = engine.ask("status")["switch"]["calls_by_version"]
                if len(runs_on) == 1 and engine.ask("status")["site"]["version"] in runs_on:
                    dialog.bye()
                else:
                    dialog.expect_bye(6)
                    drawn += 1
        finally:
            for phone in callers:
                phone.close()
        until(lambda: engine.ask("status")["share"] is None, 5, what="the withdrawal")
        assert drawn == 2, "two bad ones of at most twenty are more than 5 %"
        until(lambda: "withdrawn" in str(engine.events()), 5, what="its event")
        events = engine.events()
        sites = [event["data"] for event in events if event["kind"] == "operator.site"]
        assert [each["act"] for each in sites] == ["share", "withdrawn"] and "broken<=5%" in sites[1]["reason"]
        assert sum(event["kind"] == "call.shared" for event in events) == drawn
        assert engine.ask("status")["switch"]["versions_in_use"] == [engine.ask("status")["site"]["version"]]

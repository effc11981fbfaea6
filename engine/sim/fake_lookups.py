"""What lookups answer in a test: values as `returns:` declares them, or a server that hangs, fails or knows nobody.

    given:
      lookups:
        customer: {tier: vip, after: 2s}
        check_pin: hangs
"""

from __future__ import annotations

from engine import limits, marks
from engine.call.effects import LookupDone, LookupWanted
from engine.dialplan import values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.lookups import LookupProblem, faked
from engine.dialplan.model import Site
from engine.sim.transcript import Fake

WORDS = {"hangs": "hangs", "fails": "failed", "not_found": "not_found"}
ANSWER_MS = 50
AFTER = "after"


def read_lookups(
    report: Report, site: Site, forms: dict[str, tuple[marks.Scalar, marks.Node]], tenant: str
) -> dict[str, Fake]:
    """By full name ("default/customer")."""
    found: dict[str, Fake] = {}
    for key, node in forms.values():
        full = key.text if "/" in key.text else f"{tenant}/{key.text}"
        model = site.lookups.get(full)
        if model is None:
            known = [name.partition("/")[2] for name in site.lookups if name.startswith(f"{tenant}/")]
            report.add("RD140", key, f"no lookup {key.text!r}", did_you_mean(key.text, known))
        elif isinstance(node, marks.Mapping):
            texts = {name.text: each for name, each in node if name.text != AFTER}
            fields = {name: each.text for name, each in texts.items() if isinstance(each, marks.Scalar)}
            for name, each in texts.items():
                values.scalar(report, each, name)
            after = values.duration(report, node.entries.get(AFTER), AFTER, 0, limits.call_ms_max)
            try:
                found[full] = Fake("ok", faked(model, fields), ANSWER_MS if after is None else after)
            except LookupProblem as problem:
                report.add("RD233", key, f"{problem}", "write the fields as lookups.yaml's returns: names them")
        else:
            word = values.choice(report, node, f"what {key.text} does", WORDS)
            if word is not None:
                found[full] = Fake(WORDS[word])
    return found


def answer(fakes: dict[str, Fake], wanted: LookupWanted) -> tuple[int, LookupDone] | None:
    """(ms until it comes, the answer); None when none comes. A lookup that isn't given fails and says so."""
    fake = fakes.get(wanted.model.key)
    if fake is None:
        reason = f"the test gives no answer of {wanted.model.name}"
        return ANSWER_MS, LookupDone(wanted.call, wanted.ticket, "failed", {}, reason, ANSWER_MS)
    if fake.result == "hangs":
        return None
    reason = "" if fake.result == "ok" else f"the test says so: {fake.result}"
    done = LookupDone(wanted.call, wanted.ticket, fake.result, dict(fake.values), reason, fake.after_ms)
    return fake.after_ms, done

"""`recording: {utterances: …}`: by whose leave, for how long, where; and never of a secret."""

from __future__ import annotations

import pytest

from engine.dialplan.model import Site
from engine.dialplan.reader import read_site
from engine.dialplan.utterance_model import ANNOUNCED, GIVEN, UtteranceRule, rule_of
from tests.dialplan.site import STOCK, files_with

KEPT = "retention: {utterances: 30d}\n"
CONTRACT = '"our contract, section 4"'
PLAN = """\
ringdown: 1
variables: {code: digits 4 sensitive, account: digits 8}
person: desk
flows:
  main:
    - answer
    - goto: code
  code:
    - gather: {into: code, prompt: choose, listen: [keys, speech], failed: desk}
    - goto: account
  account:
    - gather: {into: account, prompt: choose, listen: [keys, speech], failed: desk}
    - hangup: served
  desk:
    - play: hello
    - hangup: desk
"""


def read(utterances: str, *, more: str = KEPT, above: str = "", **files: str) -> tuple[Site | None, list[str]]:
    head = "ringdown: 1\nlanguages: [en]\nnumbers: {100: main}\nrecording:\n"
    site = f"{head}{above}  utterances: {utterances}\n{more}"
    files = {path.replace("__", "/") + ".yaml": text for path, text in files.items()}
    found, findings = read_site(files_with({"site.yaml": site, "dialplans/main.yaml": PLAN, **files}), STOCK)
    advice = ("RD094", "RD200")  # beside the point here
    return found, [each.code for each in findings if each.code not in advice]


def test_consent_that_was_given_elsewhere_says_where() -> None:
    site, findings = read(f"{{consent: {CONTRACT}, at: [main/account]}}")
    assert findings == [] and site is not None
    rule = rule_of(site, "default")
    assert rule == UtteranceRule(GIVEN, "our contract, section 4", ("main/account",))
    assert rule.holds_at("main/account/gather(choose)") and not rule.holds_at("main/accounts/gather(choose)")
    assert site.retention_days == {"utterances": 30}


@pytest.mark.parametrize(("utterances", "more", "codes"), [
    ("{at: [main]}", KEPT, ["RD244"]),
    ("yes", KEPT, ["RD244"]),
    ("{consent: yes}", KEPT, ["RD244"]),
    (f"{{consent: {CONTRACT}}}", "", ["RD244"]),  # for ever
    ("{consent: announced}", KEPT, ["RD244"]),  # nobody is told
    (f"{{consent: {CONTRACT}, at: [main/code]}}", KEPT, ["RD245"]),
    (f"{{consent: {CONTRACT}, at: [main/account, main/code]}}", KEPT, ["RD245"]),
    (f"{{consent: {CONTRACT}, at: [main/desk]}}", KEPT, ["RD246"]),
    (f"{{consent: {CONTRACT}, days: 3}}", KEPT, ["RD021"]),
    ("[announced]", KEPT, ["RD023"]),
    ("no", "", []),
    (f"{{consent: {CONTRACT}, at: main}}", KEPT, []),  # a dialplan: what isn't sensitive in it
])  # fmt: skip
def test_what_is_wrong_is_told(utterances: str, more: str, codes: list[str]) -> None:
    assert read(utterances, more=more)[1] == codes


def test_a_tenant_may_keep_none_or_by_other_leave() -> None:
    above = "  incoming: {announce: hello, opt_out: star}\n"
    none = "recording: {utterances: no}\n"
    others = {"tenants__press__tenant": none, "tenants__quiet__tenant": "{}\n"}
    site, findings = read("{consent: announced}", above=above, **others)
    assert site is not None, findings
    assert rule_of(site, "press") is None
    assert rule_of(site, "quiet") == rule_of(site, "default") == UtteranceRule(ANNOUNCED)
    own = f"recording:\n  utterances: {{consent: {CONTRACT}}}\nretention: {{utterances: 3d}}\n"
    site, findings = read("{consent: announced}", above=above, tenants__press__tenant=own)
    assert site is not None, findings
    assert rule_of(site, "press") == UtteranceRule(GIVEN, "our contract, section 4")

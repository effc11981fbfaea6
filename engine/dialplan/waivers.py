"""`allow:` of a site's files: findings that the site bears with, each for a reason.

```
allow:
  RD201: the line stays open until the caller hangs up      # in this whole file
  hold_music:
    RD201: it is there to listen to                         # in this flow only
```
In site.yaml and tenant.yaml a waiver covers every file of that folder. Only warnings can be waived: with an error the
site doesn't run. A waiver that no finding meets is itself a finding.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from engine import marks
from engine.dialplan import values
from engine.dialplan.findings import CODES, WARNING, Finding, Report, did_you_mean

_OWN = ("RD212",)  # what is said about waivers themselves


class Waiver(msgspec.Struct):
    """One line of `allow`. It covers `file` from `first` to `last` (lines), or with `file` "" the folder `home`."""

    code: str
    reason: str
    key: marks.Scalar
    file: str = ""
    home: str = ""
    first: int = 1
    last: int = 1 << 30
    used: int = 0

    def covers(self, finding: Finding) -> bool:
        """Does it waive this finding?"""
        if finding.code != self.code:
            return False
        if self.file:
            return finding.file == self.file and self.first <= finding.line <= self.last
        return finding.file.startswith(self.home) and (bool(self.home) or not finding.file.startswith("tenants/"))


def read(report: Report, trees: Mapping[str, marks.Node | None]) -> list[Waiver]:
    """Every waiver of a site's files (path -> root node), in file order."""
    found: list[Waiver] = []
    for path, root in trees.items():
        if not isinstance(root, marks.Mapping) or "allow" not in root.entries:
            continue
        home, _, name = path.rpartition("/")
        if name in ("site.yaml", "tenant.yaml"):
            found += _lines(report, root.entries["allow"], Waiver("", "", root.keys["allow"], home=home and home + "/"))
        elif home == "dialplans" or home.endswith("/dialplans"):
            found += _dialplan(report, root, path)
    return found


def _dialplan(report: Report, root: marks.Mapping, path: str) -> list[Waiver]:
    form = values.mapping(report, root.entries["allow"], "allow")
    spans = _spans(root)
    found: list[Waiver] = []
    for key, value in form or ():
        if not isinstance(value, marks.Mapping):
            found += _line(report, key, value, Waiver("", "", key, file=path))
        elif key.text in spans:
            first, last = spans[key.text]
            found += _lines(report, value, Waiver("", "", key, file=path, first=first, last=last))
        else:
            hint = did_you_mean(key.text, spans)
            report.add("RD210", key, f"allow names a code or a flow of this file, not {key.text!r}", hint)
    return found


def _spans(root: marks.Mapping) -> dict[str, tuple[int, int]]:
    """Flow or wait list -> its first and last line."""
    starts: list[tuple[int, str]] = [(key.line, "") for key in root.keys.values()]
    for section in ("flows", "waits"):
        node = root.entries.get(section)
        if isinstance(node, marks.Mapping):
            starts += [(key.line, key.text) for key in node.keys.values()]
    starts.sort()
    ends = [line - 1 for line, _ in starts[1:]] + [1 << 30]
    return {name: (line, end) for (line, name), end in zip(starts, ends, strict=True) if name}


def _lines(report: Report, node: marks.Node, area: Waiver) -> list[Waiver]:
    found: list[Waiver] = []
    for key, value in values.mapping(report, node, "allow") or ():
        found += _line(report, key, value, area)
    return found


def _line(report: Report, key: marks.Scalar, value: marks.Node, area: Waiver) -> list[Waiver]:
    if key.text not in CODES or key.text in _OWN:
        hint = did_you_mean(key.text, CODES, otherwise="the code that check prints, as in RD201")
        report.add("RD210", key, f"no finding has the code {key.text!r}", hint)
        return []
    if CODES[key.text][0] != WARNING:
        message = f"{key.text} ({CODES[key.text][1]}) is an error: with it the site doesn't run"
        report.add("RD210", key, message, "correct it; only warnings can be waived")
        return []
    reason = values.prose(report, value, f"the reason for {key.text}")
    if reason is None:
        return []
    if not any(letter.isalpha() for letter in reason.text):
        report.add("RD211", reason, f"{key.text} is waived without a reason", "say why, for whoever reads it next")
        return []
    return [msgspec.structs.replace(area, code=key.text, reason=" ".join(reason.text.split()), key=key)]


def apply(report: Report, waivers: list[Waiver]) -> list[Finding]:
    """Take the waived findings out of the report and return them; report each waiver that nothing met.

    While there are errors not everything has been looked at, so that a waiver may only seem to be unused.
    """
    kept: list[Finding] = []
    waived: list[Finding] = []
    for finding in report.findings:
        waiver = next((each for each in waivers if each.covers(finding)), None)
        if waiver is None:
            kept.append(finding)
            continue
        waiver.used += 1
        waived.append(msgspec.structs.replace(finding, waived=waiver.reason))
    report.findings = kept
    for each in waivers:
        if not each.used and not report.errors:
            message = f"{each.code} is waived, but nothing here gives it"
            report.add("RD212", each.key, message, "remove the line: ringdown check --fix does it")
    return sorted(waived, key=lambda each: (each.file, each.line, each.column))

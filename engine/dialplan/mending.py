"""`check --fix`: corrections that have only one meaning, made in the text itself.

A fix is an edit of a line or two; comments, order, indentation and line ends stay. Every one is tried first: it is
kept only when the finding is gone and nothing else on these lines is wrong. What could be meant in two ways (which
flow, which queue, was the # a comment?) is left to the admin. Mending what has been mended changes nothing.

A file of an older format is migrated on the way: see `_format`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from engine.dialplan.findings import Finding
from engine.dialplan.prompts import StockPrompt, WavInfo
from engine.dialplan.reader import FORMAT, check_site

rounds_max = 300
_LINE = re.compile(r"(\r\n|\r|\n)")
_VALUE = re.compile(r"^(?P<head>\s*(?:- +)*(?:[^\s:#'\"{\[-][^:#'\"{\[]*:\s+)?)(?P<text>\S.*?)(?P<tail>\s+#.*|\s*)$")
_SWAPPED = re.compile(
    r"^(?P<head>\s*(?:- +)?(?:if|value)\s*:\s*)(?P<text>'[^']*'|\"[^\"]*\")\s*(?P<sign>!?=)\s*"
    r"(?P<name>[a-z_][a-z0-9_.]*)(?P<tail>\s*(?:#.*)?)$"
)
_FIRST = re.compile(r"first in line ([0-9]+)")
_OLDER = ("0", "0.1", "0.9", "1.0", "v1", "V1")  # how format 1 was written, or called, before it was fixed as `1`
_UNITS = {"m": "min", "minute": "min", "mins": "min", "second": "s", "sec": "s", "hour": "h", "hr": "h", "day": "d"}
_KEYS = {"pound": "hash", "hashtag": "hash", "sharp": "hash", "asterisk": "star"}
# `RD201: reason` in a line of its own, or the only one in brackets
_WAIVED = re.compile(
    r"\s*RD[0-9]{3}\s*:[^{\[]*"
    r"|\s*[a-z][a-z0-9_-]*\s*:\s*\{\s*(?:[a-z][a-z0-9_-]*\s*:\s*\{)?\s*RD[0-9]{3}\s*:[^,{}]*\}+\s*(?:#.*)?"
)
_TEXT = tuple(f"RD{number:03d}" for number in range(1, 18))  # the file could not be read: later stages were silent


class Text:
    """A file's lines with their own ends, and edits that give new contents."""

    def __init__(self, data: bytes) -> None:
        parts = _LINE.split(data.decode("utf-8"))
        self.lines = parts[0::2]
        self.ends = [*parts[1::2], ""]

    def line(self, number: int) -> str:
        """Line `number`, from 1; a byte order mark is no part of it. "" beyond the end."""
        found = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        return found.removeprefix("\ufeff") if number == 1 else found

    def replaced(self, number: int, line: str | None) -> bytes:
        """The file with another line there, or without it (None)."""
        lines, ends = list(self.lines), list(self.ends)
        if line is None:
            del lines[number - 1], ends[number - 1]
        else:
            mark = "\ufeff" if number == 1 and lines[0].startswith("\ufeff") else ""
            lines[number - 1] = mark + line
        return self.joined(lines, ends)

    def joined(self, lines: list[str], ends: list[str]) -> bytes:
        return "".join(line + end for line, end in zip(lines, ends, strict=True)).encode()


Propose = Callable[[Text, Finding], Iterator[bytes]]


def mend(
    files: Mapping[str, bytes | WavInfo], stock: Mapping[str, StockPrompt] | None = None, wall_ms: int = 0
) -> tuple[dict[str, bytes], list[Finding]]:
    """(path -> new content of each file that changed, the findings that were mended).

    `files` as for `read_site`; WAV files are never touched.
    """
    current = dict(files)
    changed: dict[str, bytes] = {}
    mended: list[Finding] = []
    findings = check_site(current, stock, None, wall_ms).findings
    tried: dict[tuple[str, str, int, int, str], None] = {}
    for _ in range(rounds_max):
        found = _first_fix(current, stock, wall_ms, findings, tried)
        if found is None:
            break
        finding, content, findings = found
        mended.append(finding)
        current[finding.file] = changed[finding.file] = content
    return changed, mended


def _first_fix(
    files: dict[str, bytes | WavInfo],
    stock: Mapping[str, StockPrompt] | None,
    wall_ms: int,
    findings: list[Finding],
    tried: dict[tuple[str, str, int, int, str], None],
) -> tuple[Finding, bytes, list[Finding]] | None:
    """The first finding that can be mended, its file's new content, and what is found then."""
    for finding in findings:
        key = (finding.file, finding.code, finding.line, finding.column, finding.message)
        content = files.get(finding.file)
        propose = _FIXES.get(finding.code)
        if propose is None or key in tried or not isinstance(content, bytes):
            continue
        tried[key] = None
        try:
            text = Text(content)
        except UnicodeDecodeError:
            continue
        for candidate in propose(text, finding):
            after = check_site({**files, finding.file: candidate}, stock, None, wall_ms).findings
            if candidate != content and _better(finding, findings, after, content, candidate):
                tried.clear()
                return finding, candidate, after
    return None


def _better(finding: Finding, before: list[Finding], after: list[Finding], old: bytes, new: bytes) -> bool:
    """Is this one gone, and is nothing new wrong in the lines that changed? Findings further on may come to light, for
    what cannot be read hides them."""
    moved = new.count(b"\n") - old.count(b"\n")
    known = {(each.file, each.code, each.message): 0 for each in before}
    for each in before:
        known[each.file, each.code, each.message] += 1
    del known[finding.file, finding.code, finding.message]
    lines = (finding.line, finding.line + moved)
    for each in after:
        key = (each.file, each.code, each.message)
        if key == (finding.file, finding.code, finding.message) and each.line in lines:
            return False
        if each.file != finding.file or key in known:
            continue
        if each.line in lines or (each.code in _TEXT and each.line <= finding.line + max(1, moved)):
            return False
    return True


# --- proposals ---------------------------------------------------------------------------------------------
def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quote_value(text: Text, finding: Finding) -> Iterator[bytes]:
    """`key: Line 5: north` -> `key: 'Line 5: north'`."""
    match = _VALUE.match(text.line(finding.line))
    if match is not None and match["text"][0] not in "'\"[{|>":
        yield text.replaced(finding.line, match["head"] + _quoted(match["text"]) + match["tail"])


def _syntax(text: Text, finding: Finding) -> Iterator[bytes]:
    if "second ': '" in finding.message or "for itself" in finding.message:
        yield from _quote_value(text, finding)


def _character(text: Text, finding: Finding) -> Iterator[bytes]:
    """A control character goes; an invisible line break becomes a space."""
    line, at = text.line(finding.line), finding.column - 1
    if at < len(line) and not line[at].isprintable():
        space = " " if line[at] in "\x85\u2028\u2029" and line[at + 1 :].strip() else ""
        yield text.replaced(finding.line, line[:at] + space + line[at + 1 :])


def _tab(text: Text, finding: Finding) -> Iterator[bytes]:
    line, at = text.line(finding.line), finding.column - 1
    if line[:at].strip():
        yield text.replaced(finding.line, line[:at] + " " + line[at:].lstrip("\t"))
        return
    for width in (2, 4, 8):  # the whole file was indented by the same key
        lines = []
        for each in text.lines:
            rest = each.lstrip(" \t")
            lines.append(each[: len(each) - len(rest)].replace("\t", " " * width) + rest)
        yield text.joined(lines, text.ends)


def _word(text: Text, finding: Finding, word: str) -> bytes:
    """The word at the finding's place replaced by another."""
    line, at = text.line(finding.line), finding.column - 1
    return text.replaced(finding.line, line[:at] + word + line[at + finding.width :])


def _key_name(name: str) -> Propose:
    """A key that YAML cannot carry: `*:` is star, `#:` is hash."""

    def propose(text: Text, finding: Finding) -> Iterator[bytes]:
        line, at = text.line(finding.line), finding.column - 1
        if line[at : at + 2] in ("*:", "#:"):
            yield text.replaced(finding.line, line[:at] + name + line[at + 1 :])

    return propose


def _alias(text: Text, finding: Finding) -> Iterator[bytes]:
    """A code that YAML takes for an alias: `*51` -> `'*51'`."""
    line, at = text.line(finding.line), finding.column - 1
    match = re.compile(r"\*[0-9*#]+").match(line, at)
    if match is not None:
        yield text.replaced(finding.line, line[:at] + _quoted(match[0]) + line[match.end() :])


def _multiline(text: Text, finding: Finding) -> Iterator[bytes]:
    """Plain text over several lines -> one quoted line; YAML joins them by spaces too."""
    match = _VALUE.match(text.line(finding.line))
    if match is None or match["tail"].strip():
        return
    words, last = [match["text"]], finding.line
    first = text.line(finding.line)
    indent = len(first) - len(first.lstrip(" "))
    for number in range(finding.line + 1, len(text.lines) + 1):
        line = text.line(number)
        words.append(line.strip())
        last = number
        if not words[-1] or "#" in words[-1] or len(line) - len(line.lstrip(" ")) <= indent:
            return
        lines = [*text.lines[: finding.line - 1], match["head"] + _quoted(" ".join(words)), *text.lines[last:]]
        yield text.joined(lines, [*text.ends[: finding.line - 1], *text.ends[last - 1 :]])


def _swapped(text: Text, finding: Finding) -> Iterator[bytes]:
    """`if: 'vip' = tier` -> `if: tier = 'vip'`."""
    match = _SWAPPED.match(text.line(finding.line))
    if match is not None:
        line = f"{match['head']}{match['name']} {match['sign']} {match['text']}{match['tail']}"
        yield text.replaced(finding.line, line)


def _same_twice(text: Text, finding: Finding) -> Iterator[bytes]:
    """The very same line twice: the second goes."""
    first = _FIRST.search(finding.message)
    line = text.line(finding.line)
    if first is not None and line.strip() == text.line(int(first[1])).strip() and not line.rstrip().endswith(":"):
        yield text.replaced(finding.line, None)


def _format(text: Text, finding: Finding) -> Iterator[bytes]:
    """Files written before the format line was required, and those that spell it otherwise, become format 1."""
    line, at = text.line(finding.line), finding.column - 1
    if "missing" not in finding.message:
        if line[at : at + finding.width].strip("'\"") in _OLDER:
            yield _word(text, finding, str(FORMAT))
        return
    for number in range(1, len(text.lines) + 1):
        line = text.line(number)
        if line.strip() and not line.lstrip().startswith("#") and line.strip() != "---":
            end = next((each for each in text.ends if each), "\n")
            yield text.replaced(number, f"ringdown: {FORMAT}{end}{line}")
            return


def _spelling(text: Text, finding: Finding) -> Iterator[bytes]:
    """A key or verb that is misspelt by a letter or two."""
    line, at = text.line(finding.line), finding.column - 1
    word = line[at : at + finding.width]
    meant = re.fullmatch(r"did you mean '(\S+)'\?", finding.suggestion)
    if meant is not None and get_close_matches(word.lower(), [meant[1]], cutoff=0.79):
        yield _word(text, finding, meant[1])


def _phone_key(text: Text, finding: Finding) -> Iterator[bytes]:
    line, at = text.line(finding.line), finding.column - 1
    word = line[at : at + finding.width].strip("'\"").lower()
    if word in _KEYS:
        yield _word(text, finding, _KEYS[word])
    else:
        yield from _spelling(text, finding)


def _sign(text: Text, finding: Finding) -> Iterator[bytes]:
    """`==` -> `=`, `&&` -> `and`, `$tier` -> `tier`, `"vip"` -> `'vip'`: what the expression's own message offers."""
    line, at = text.line(finding.line), finding.column - 1
    if line[at : at + 1] == "$":
        yield text.replaced(finding.line, line[:at] + line[at + 1 :])
    if line[at : at + 1] == '"' and (match := re.compile(r'"([^"\'\\]*)"').match(line, at)) is not None:
        yield text.replaced(finding.line, line[:at] + _quoted(match[1]) + line[match.end() :])
    ours = re.fullmatch(r"write '(\S+)'", finding.suggestion)
    if ours is not None and "is not written here" in finding.message:
        yield _word(text, finding, f" {ours[1]} " if ours[1].isalpha() else ours[1])


def _duration(text: Text, finding: Finding) -> Iterator[bytes]:
    """`30 seconds` -> `30s`, `5m` -> `5min`."""
    line, at = text.line(finding.line), finding.column - 1
    written = line[at : at + finding.width]
    match = re.fullmatch(r"([0-9]+)\s*([A-Za-z]+)", written.strip("'\""))
    unit = "" if match is None else _UNITS.get(match[2].lower(), _UNITS.get(match[2].lower().removesuffix("s"), ""))
    if match is not None and unit and "is not a duration" in finding.message:
        yield _word(text, finding, match[1] + unit)


def _waiver(text: Text, finding: Finding) -> Iterator[bytes]:
    """A waiver that nothing meets any more goes, with the heading that would be empty."""
    line = text.line(finding.line)
    if _WAIVED.fullmatch(line) is None:
        return
    yield text.replaced(finding.line, None)
    lines, ends = list(text.lines), list(text.ends)
    number = finding.line - 1
    del lines[number], ends[number]
    while number > 0 and re.fullmatch(r"\s*[a-z][a-z0-9_-]*\s*:\s*(?:#.*)?", lines[number - 1]):
        number -= 1
        del lines[number], ends[number]
        yield text.joined(lines, ends)


_FIXES: dict[str, Propose] = {
    "RD001": _syntax, "RD002": _character, "RD003": _tab, "RD004": _key_name("hash"), "RD005": _key_name("star"),
    "RD006": _alias, "RD008": _quote_value, "RD009": _same_twice, "RD015": _multiline, "RD016": _swapped,
    "RD020": _format, "RD021": _spelling, "RD024": _duration, "RD030": _spelling, "RD063": _phone_key,
    "RD071": _sign, "RD212": _waiver,
}  # fmt: skip
MENDABLE = tuple(_FIXES)

"""surveys.yaml: what a caller is asked when his call is over, each answer one key.

after_call:
  intro: survey_intro
  questions:
    satisfaction: {prompt: ask_satisfaction, keys: 1-5}
    solved: {prompt: ask_solved, keys: [1, 2]}
  thanks: survey_thanks
  timeout: 5s
  tries: 2
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine import marks
from engine.dialplan import values
from engine.dialplan.flow_reader import read_key

if TYPE_CHECKING:
    from engine.dialplan.findings import Report
    from engine.dialplan.options import Context

KEYS = ("about", "intro", "questions", "thanks", "timeout", "tries")
QUESTIONS_MAX = 10
TIMEOUT_MS, TRIES = 5_000, 2
_RANGE = re.compile(r"([0-9])-([0-9])")


def read(report: Report, root: marks.Node | None) -> dict[str, marks.Mapping]:
    """Name -> its node; what it holds is resolved by `survey` for each dialplan's languages."""
    found: dict[str, marks.Mapping] = {}
    for key, value in values.mapping(report, root, "surveys.yaml") or ():
        form = values.mapping(report, value, f"the survey {key.text}")
        if values.name(report, key, "a survey") is not None and form is not None:
            found[key.text] = form
    return found


def survey(context: Context, form: marks.Mapping) -> dict[str, Any]:
    """{intro, thanks: prompts; questions: [[name, prompt, keys]]; timeout: ms; tries}."""
    from engine.dialplan import options
    from engine.dialplan.verbs.shape import PROMPT

    report, entries = context.report, form.entries
    values.known_keys(report, form, "a survey", KEYS)
    data: dict[str, Any] = {"questions": []}
    for name in ("intro", "thanks"):
        if name in entries:
            data[name] = options.prompt(context, entries[name], PROMPT, name)
    data["timeout"] = values.duration(report, entries.get("timeout"), "timeout", 1_000, 60_000) or TIMEOUT_MS
    data["tries"] = values.number(report, entries.get("tries"), "tries", 1, 5) or TRIES
    asked = values.mapping(report, entries.get("questions"), "questions")
    if asked is None or not asked.entries:
        if "questions" not in entries:
            report.add("RD022", form, "a survey asks something", "add questions: and below it NAME: {prompt: …}")
        return data
    if len(asked.entries) > QUESTIONS_MAX:
        report.add("RD024", asked, f"a survey has at most {QUESTIONS_MAX} questions", "nobody answers so many")
    for key, value in asked:
        each = values.mapping(report, value, f"the question {key.text}")
        if values.name(report, key, "a question") is None or each is None:
            continue
        values.known_keys(report, each, "a question", ("prompt", "keys"))
        if "prompt" not in each.entries:
            report.add("RD022", key, f"the question {key.text} has no prompt", "add prompt: NAME")
            continue
        heard = options.prompt(context, each.entries["prompt"], PROMPT, "prompt")
        data["questions"].append([key.text, heard or {}, _keys(report, key, each.entries.get("keys"))])
    return data


def _keys(report: Report, key: marks.Scalar, node: marks.Node | None) -> str:
    """The keys that are an answer: `1-5`, or a list of them; 1 to 5 where nothing is said."""
    if node is None:
        return "12345"
    if isinstance(node, marks.Scalar):
        match = _RANGE.fullmatch(node.text)
        if match is not None and match.group(1) < match.group(2):
            return "".join(str(each) for each in range(int(match.group(1)), int(match.group(2)) + 1))
    pressed = [read_key(report, each) or "" for each in values.scalars(report, node, "keys")]
    if any(len(each) > 1 for each in pressed):
        report.add("RD063", node, f"an answer to {key.text} is a single key", "as in keys: 1-5, or keys: [1, 2]")
    return "".join(each for each in pressed if len(each) == 1)

"""`recording: {utterances: …}` -> UtteranceRule, and what of it can't be: no leave, no end, or the sound of a secret.

    recording:
      incoming: {announce: this_is_recorded, opt_out: star}
      utterances: {consent: announced, at: [front/choose]}
    retention: {utterances: 30d}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine import marks
from engine.dialplan import corpus_places, recording_model, values
from engine.dialplan.findings import Report, did_you_mean
from engine.dialplan.model import Site, retention_days
from engine.dialplan.program import Program, Step
from engine.dialplan.utterance_model import ANNOUNCED, GIVEN, KIND, NONE, UtteranceRule, names, place_of

KEYS = ("consent", "at")


def read(report: Report, node: marks.Node | None) -> UtteranceRule | None:
    """`no`, or `{consent: announced | a reason, at: [dialplan/flow]}`."""
    if isinstance(node, marks.Scalar):
        if values.flag(report, node, KIND) is True:
            report.add("RD244", node, "by whose leave is what callers say kept?", "as in {consent: announced}")
        return UtteranceRule(NONE)
    form = values.mapping(report, node, KIND)
    if form is None:
        return None
    values.known_keys(report, form, KIND, KEYS)
    given = values.prose(report, form.entries.get("consent"), "consent")
    at = tuple(each.text for each in values.scalars(report, form.entries.get("at"), "at"))
    if given is None:
        if "consent" not in form.entries:
            hint = "consent: announced, or the reason why callers have given it"
            report.add("RD244", form, "by whose leave is what callers say kept?", hint)
        return None
    if given.text == ANNOUNCED:
        return UtteranceRule(ANNOUNCED, at=at)
    reason = " ".join(given.text.split())
    if " " not in reason:
        hint = "consent: announced, or a sentence, as in consent: our contract, section 4"
        report.add("RD244", given, f"{reason!r} doesn't say why callers have consented", hint)
    return UtteranceRule(GIVEN, reason, at)


def check(report: Report, site: Site, roots: Mapping[str, marks.Node | None]) -> None:
    """What only the whole site can say. `roots`: tenant -> its site.yaml or tenant.yaml."""
    for name, tenant in site.tenants.items():
        rule = tenant.recording.utterances if tenant.recording is not None else None
        form = _form(roots.get(name))
        if rule is None or rule.consent == NONE or form is None:
            continue
        if not retention_days(site, KIND, name):
            message = "what callers say would be kept for ever"
            report.add("RD244", form, message, "add retention: {utterances: 30d}")
        said = recording_model.rule_of(site, name)
        if rule.consent == ANNOUNCED and (said is None or not said.notice):
            hint = "add recording: {incoming: {announce: PROMPT, opt_out: star}}"
            report.add("RD244", form, "nobody is told that what he says is kept", hint)
        programs = [each for each in site.programs.values() if each.name.startswith(f"{name}/")]
        for each in values.scalars(Report(), form.entries.get("at"), "at"):
            _place(report, each, programs)


def _form(root: marks.Node | None) -> marks.Mapping | None:
    recording = root.entries.get("recording") if isinstance(root, marks.Mapping) else None
    form = recording.entries.get(KIND) if isinstance(recording, marks.Mapping) else None
    return form if isinstance(form, marks.Mapping) else None


def _place(report: Report, node: marks.Scalar, programs: Iterable[Program]) -> None:
    """Does somebody listen there, to what may be kept?"""
    known = {place_of(program.name, step.id): step for program in programs
             for step in corpus_places.listening_steps(program)}  # fmt: skip
    meant: list[Step] = [step for place, step in known.items() if names(node.text, place)]
    if not meant:
        hint = did_you_mean(node.text, known, otherwise="a dialplan, dialplan/flow or dialplan/flow/step that listens")
        report.add("RD246", node, f"nobody listens to words at {node.text!r}", hint)
    elif all(step.data.get("sensitive") for step in meant):
        message = f"what is said at {node.text!r} is sensitive: neither its sound nor its words are ever kept"
        report.add("RD245", node, message, "take it out of at:")

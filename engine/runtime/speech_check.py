"""Are the models that a site needs on this machine, and whole? The reader, which opens nothing, can't know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine import marks, speech
from engine.dialplan.findings import Finding, Report
from engine.dialplan.model import Site
from engine.dialplan.speech_model import EMBEDDED, SpeechModel, recognizer_of, ships
from engine.errors import SpeechError
from engine.runtime import model_files, tenant_entries

MODELS = Path(speech.__file__).parent / "models"
CODE = "RD324"


def check(files: Mapping[str, object], site: Site) -> list[Finding]:
    """An error, at its place, for each folder that holds no model which could be used, and for a broken one of ours."""
    report = Report()
    listened = list(dict.fromkeys(grammar.language for grammar in site.grammars.values()))
    for each in tenant_entries.of(files, site, lambda tenant: tenant.speech or listened):
        said = each.tenant.speech
        for key, value in each.under("speech"):
            model = said.get(key.text)
            if model is not None and model.folder and isinstance(value, marks.Mapping):
                _folder(report, Path(model.folder), value.entries.get("folder") or value)
        entries = each.root.entries
        place = entries.get("speech") or entries.get("languages") or each.root
        for language in listened:
            _shipped(report, recognizer_of(said, language), language, place)
    return report.finished(files)


def _folder(report: Report, folder: Path, place: marks.Node) -> None:
    """One of the admin's."""
    from engine.runtime import graph_shelf, model_trial  # loads numpy, which a site without such a folder needn't

    why = graph_shelf.problem(folder)
    if not why and not (folder / "manifest.yaml").is_file():
        why = model_trial.trial(folder)
    if why:
        report.add(CODE, place, why, "put a vosk model there, or write: none")


def _shipped(report: Report, model: SpeechModel, language: str, place: marks.Node) -> None:
    """The one that came with the engine, where somebody listens with it."""
    if model.kind == EMBEDDED and ships(language):
        try:
            model_files.check(MODELS / language.partition("-")[0])
        except SpeechError as error:
            report.add(CODE, place, str(error), f"or write {language}: none under speech:, for keys alone")

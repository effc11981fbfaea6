"""Measures a speech model on voices, people and noises that never trained it, and prints the table with the goals.

    python -m tools.speech_table [--model DIR] [--cache DIR] [--stamps DIR] [--language zh] [--only TEXT] [--json FILE]

The engine's own recogniser decodes, with the costs, the calibration and the threshold that the model ships with:
`right` is what was understood and accepted (confidence at least 0.5), with its 95 % interval; `heard` counts what would
have been right, however sure; `rejected` what was rightly not accepted. Some minutes on one core, the first time some
more: the voices have to speak.

Needs Debian's espeak-ng, flite, festival with festvox-kdlpc16k and festvox-us-slt-hts, and asterisk-core-sounds-en-wav
for the person; for the rows with accents what the trainer needs (tools/train/README.md) and KOKORO_STYLES; `--stamps`
is the folder of tuxpaint-stamps-default, an amateur's words. A row that can't be measured is named, and why.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.train import evaluate, judged, texts
from tools.train.evaluate import ACCEPTED, Judge, Row
from tools.train.speakers import STYLES

ROOT = Path(__file__).resolve().parents[1]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tools.speech_table", description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--model", type=Path, default=ROOT / "engine" / "speech" / "models" / "en")
    options.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "ringdown-speech-table")
    options.add_argument("--stamps", type=Path)
    options.add_argument("--language", choices=["en", "zh"], default="en", help="of the model")
    options.add_argument("--only", default="", help="rows whose name holds this text")
    options.add_argument("--json", type=Path)
    return options


def measured(judge: Judge, row: Row) -> dict[str, dict[str, Any]]:
    """Figures by condition, printed as they come."""
    found: dict[str, dict[str, Any]] = {}
    clean = 0.0
    for at, least in zip(row.conditions, row.least, strict=True):
        outcomes = judge.outcomes(row.cases(at))
        sure = [each.sure(judge.calibration) >= ACCEPTED for each in outcomes]
        if row.foreign:
            hits = sure.count(False)
        else:
            hits = sum(good and each.right for good, each in zip(sure, outcomes, strict=True))
        share = 100 * hits / len(outcomes)
        low, high = evaluate.wilson(hits, len(outcomes))
        clean = clean or share
        goal = clean - least if row.loss else least
        figures: dict[str, Any] = {"share": round(share, 1), "interval": [round(low, 1), round(high, 1)],
                                   "goal": round(goal, 1), "of": len(outcomes)}  # fmt: skip
        told = f"{share:5.1f} % ({low:.1f} … {high:.1f}) of {len(outcomes)}"
        if not row.foreign:
            heard = 100 * sum(each.right for each in outcomes) / len(outcomes)
            figures["heard"] = round(heard, 1)
            told += f", heard {heard:.1f}"
        if goal:
            told += f"; goal {goal:.1f}{'' if share >= goal else ': missed'}"
        print(f"    {evaluate.label(at):14} {'rejected' if row.foreign else 'right'} {told}", flush=True)
        found[evaluate.label(at)] = figures
    return found


def main() -> int:
    arguments = parser().parse_args()
    mandarin = arguments.language == "zh"
    if not mandarin and not judged.PERSON.is_dir():
        print(f"{judged.PERSON} is missing: apt-get install asterisk-core-sounds-en-wav", file=sys.stderr)
        return 2
    held, abroad = judged.Held(arguments.cache / "voices"), bool(os.environ.get(STYLES))
    judge = Judge(arguments.model, arguments.cache / "graphs")
    report: dict[str, Any] = {}
    if mandarin:
        table = evaluate.mandarin_rows(held)
    else:
        words = texts.read_words(arguments.model / "words.txt.xz")
        table = evaluate.rows(held, arguments.stamps, words.__contains__, abroad)
    for row in table:
        if arguments.only in row.name:
            print(row.name)
            report[row.name] = measured(judge, row)
    if not abroad and not mandarin:
        print(f"synthetic accents: not measured, {STYLES} is not set (tools/train/README.md)")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

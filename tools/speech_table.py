"""Measures a speech model on voices, people and noises that never trained it, and prints the table with the goals.

    python -m tools.speech_table [--model DIR] [--cache DIR] [--stamps DIR] [--only TEXT] [--reject 98] [--json FILE]

The engine's own recogniser decodes with grammars that it compiles. Needs Debian's espeak-ng, flite, festival with
festvox-kdlpc16k and festvox-us-slt-hts, and asterisk-core-sounds-en-wav for the person; `--stamps` is the folder of
tuxpaint-stamps-default, an amateur's words. `right` counts what was understood and whose margin before the garbage path
is above the threshold that rejects `--reject` per cent of the sentences outside the grammar; `heard` doesn't ask for
the margin.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.train import evaluate, judged, texts

ROOT = Path(__file__).resolve().parents[1]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m tools.speech_table", description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    options.add_argument("--model", type=Path, default=ROOT / "engine" / "speech" / "models" / "en")
    options.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "ringdown-speech-table")
    options.add_argument("--stamps", type=Path)
    options.add_argument("--only", default="", help="rows whose name holds this text")
    options.add_argument("--reject", type=float, default=98.0)
    options.add_argument("--json", type=Path)
    return options


def main() -> int:
    arguments = parser().parse_args()
    if not judged.PERSON.is_dir():
        print(f"{judged.PERSON} is missing: apt-get install asterisk-core-sounds-en-wav", file=sys.stderr)
        return 2
    words = texts.read_words(arguments.model / "words.txt.xz")
    held = judged.Held(arguments.cache / "voices")
    judge = evaluate.Judge(arguments.model, arguments.cache)
    table = [row for row in evaluate.rows(held, arguments.stamps, words.__contains__) if arguments.only in row.name]
    found = {row.name: [judge.outcomes(row.cases(at)) for at in row.conditions] for row in table}
    foreign = [each for row in table if row.foreign for outcomes in found[row.name] for each in outcomes]
    least = evaluate.threshold(foreign, arguments.reject) if foreign else 0.0
    report: dict[str, Any] = {"threshold": least, "rows": {}}
    for row in table:
        print(f"{row.name} (goal {row.goal})")
        for at, outcomes in zip(row.conditions, found[row.name], strict=True):
            if row.foreign:
                figures = {"rejected": round(evaluate.rejected(outcomes, least), 1)}
            else:
                right, heard = (evaluate.accepted_right(outcomes, least), evaluate.accepted_right(outcomes, -1e9))
                figures = {"heard": round(heard, 1), "right": round(right, 1)}
            report["rows"].setdefault(row.name, {})[evaluate.label(at)] = {**figures, "of": len(outcomes)}
            told = ", ".join(f"{name} {figure}" for name, figure in figures.items())
            print(f"    {evaluate.label(at):14} {told} % of {len(outcomes)}", flush=True)
    print(f"margin at which {arguments.reject} % are rejected: {least:.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

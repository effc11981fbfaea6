"""`voices:` of site.yaml and tenant.yaml -> VoiceModel by language. Whether a program is installed the runtime says."""

from __future__ import annotations

import re
import shlex
from typing import Any

from engine import marks
from engine.dialplan import by_language, values
from engine.dialplan.findings import Report
from engine.dialplan.voice_model import COMMAND, ENGINES, PLACES, SKIP, SPELL, VoiceModel

WAIT_MS_MIN, WAIT_MS_MAX = 100, 10_000
COMMAND_WORDS_MAX = 64
_KEYS = ("engine", "voice", "command", "version", "wait", "otherwise")
_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+./-]{0,63}")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SHELL = ("|", ">", ">>", "<", "&&", "||", ";", "&")


def read(
    report: Report, node: marks.Node | None, languages: tuple[str, ...], inherited: dict[str, VoiceModel]
) -> dict[str, VoiceModel]:
    """language -> voice; what isn't named is as in site.yaml. `languages`: those of the tenant."""
    return by_language.read(report, node, "voices", languages, inherited, "RD331", _voice)


def _voice(report: Report, key: marks.Scalar, node: marks.Node) -> VoiceModel | None:
    """`espeak-ng`, `{engine: festival, voice: kal_diphone}` or `{command: piper …}`; None after a finding."""
    before = report.errors
    if isinstance(node, marks.Scalar):
        engine = values.choice(report, node, f"the voice of {key.text}", ENGINES, "RD330")
        return VoiceModel(engine) if engine is not None else None
    form = values.mapping(report, node, f"the voice of {key.text}")
    if form is None:
        return None
    values.known_keys(report, form, "a voice", _KEYS)
    entries = form.entries
    engine = values.choice(report, entries.get("engine"), "engine", ENGINES, "RD330")
    line = values.scalar(report, entries.get("command"), "command")
    if ("engine" in entries) == ("command" in entries):
        report.add("RD022", form, f"the voice of {key.text} names an engine or a command", "as in engine: espeak-ng")
    changes: dict[str, Any] = {}
    voice = values.scalar(report, entries.get("voice"), "voice")
    if voice is not None:
        changes["voice"] = voice.text
        if _VOICE.fullmatch(voice.text) is None:
            report.add("RD024", voice, f"{voice.text!r} is not the name of a voice", "letters, digits and _ + . / -")
    if line is not None:
        changes["command"] = _command(report, line)
    version = values.scalar(report, entries.get("version"), "version")
    if version is not None:
        changes["version"] = version.text
    wait = values.duration(report, entries.get("wait"), "wait", WAIT_MS_MIN, WAIT_MS_MAX)
    if wait is not None:
        changes["wait_ms"] = wait
    otherwise = values.choice(report, entries.get("otherwise"), "otherwise", (SPELL, SKIP))
    if otherwise is not None:
        changes["otherwise"] = otherwise
    return VoiceModel(engine or COMMAND, **changes) if report.errors == before else None


def _command(report: Report, line: marks.Scalar) -> tuple[str, ...]:
    """A command's words, as a shell would cut them; () after a finding."""
    try:
        words = tuple(shlex.split(line.text))
    except ValueError as problem:
        report.add("RD332", line, f"the command can't be cut into words: {str(problem).lower()}", "close the quote")
        return ()
    fault = ""
    unknown = next((name for word in words for name in _PLACE.findall(word) if name not in PLACES), None)
    if not words or _PLACE.search(words[0]) or words[0].startswith("-"):
        fault, hint = "the command names no program", "the program comes first, as in piper --model en.onnx"
    elif len(words) > COMMAND_WORDS_MAX:
        fault, hint = f"the command has {len(words)} words; {COMMAND_WORDS_MAX} are the most", "put them into a script"
    elif unknown is not None:
        fault, hint = f"nothing is put in for {{{unknown}}}", f"known here: {', '.join(f'{{{p}}}' for p in PLACES)}"
    elif any(word in _SHELL for word in words):
        sign = next(word for word in words if word in _SHELL)
        fault, hint = f"no shell reads the command: {sign!r} would be an argument", "put the line into a script"
    if fault:
        report.add("RD332", line, fault, hint)
        return ()
    return words

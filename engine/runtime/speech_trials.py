"""A speech corpus through the recogniser, in child processes: each speaks its trials, puts them on a line with noise
around, and listens as a recogniser child does for a call.

A child that dies or hangs costs the trial that it was at; another one goes on behind it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np

from engine.dialplan.corpus import Said
from engine.dialplan.corpus_score import Result, Trial
from engine.dialplan.model import Site
from engine.dialplan.program import Program
from engine.dialplan.speech_model import recognizer_of
from engine.dialplan.voice_model import VoiceModel
from engine.errors import SiteError, SpeechError
from engine.media import g711
from engine.media.resample import resample
from engine.runtime import recognizer_wire as wire
from engine.runtime import sounds, spoken, synthesizers
from engine.runtime.graph_shelf import shipped
from engine.runtime.hearers import Hearers
from engine.runtime.one_utterance import OneUtterance
from engine.runtime.recognizer_child import MakeEndpoint, endpointing
from engine.runtime.recognizers import engine_of
from engine.speech import line
from engine.speech.grammar import Grammar
from engine.speech.ports import FAILED, FRAME_SAMPLES, NO_INPUT, RATE_HZ, Listening, Samples, Utterance

MODULE = "engine.runtime.speech_trials"
niceness = 10
trial_s_max = 90.0  # the first of a grammar compiles it
recording_ms_max = 60_000
silence_ms = 2_000  # how long nobody speaks
_REMOTE_TURN, _REMOTE_TURN_S = 10, 0.02  # frames between looks at what a remote recogniser says, and how long
_FAILED = Utterance(FAILED)
VOICES = {
    "en": ("festival cmu_us_slt_arctic_hts", "flite slt", "flite rms", "flite awb", "espeak-ng en-us+f3",
           "espeak-ng en-gb+m3"),
    "zh": ("espeak-ng cmn-latn-pinyin+f2", "espeak-ng cmn-latn-pinyin+m3"),
}  # fmt: skip


class Order(msgspec.Struct):
    """What a child is asked. `folder`: of the site; `listenings`: of each of `said`; `engines`: language -> who
    understands it there."""

    folder: str
    said: tuple[Said, ...]
    listenings: tuple[Listening, ...]
    trials: list[tuple[int, Trial]]
    grammars: dict[str, Grammar]
    engines: dict[str, wire.Engine]


def voice_of(text: str) -> VoiceModel:
    """`flite slt` as a voice."""
    engine, _, name = text.partition(" ")
    return VoiceModel(engine, name.strip())


def voices(language: str) -> list[str]:
    """Those of a language that are installed here, the most natural first."""
    base = language.partition("-")[0]
    known = VOICES.get(base, (f"espeak-ng {base}+f2", f"espeak-ng {base}+m3"))
    return [each for each in known if not synthesizers.missing(voice_of(each))]


def engine(site: Site, program: Program, language: str) -> wire.Engine:
    """The recogniser that the site chose for a dialplan's tenant and language, as its calls have it. Raises SpeechError
    when there is none."""
    tenant = site.tenants.get(program.name.partition("/")[0])
    found = engine_of(recognizer_of(tenant.speech if tenant is not None else {}, language), language)
    if found is None:
        raise SpeechError(f"no recogniser serves {language} in {program.name}: name a model in site.yaml under speech:")
    return found


def named(engine: wire.Engine, language: str) -> str:
    """A recogniser as a report names it: the same words only for the same files, or the same addresses."""
    if engine.addresses:
        return f"{language} {engine.kind} {' '.join(engine.addresses)}"
    digest = blake2b(digest_size=4)
    for path in sorted(Path(engine.folder).rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    chosen = f"{engine.folder} " if engine.folder != str(shipped(language)) else ""
    return f"{language} {chosen}{digest.hexdigest()}"


def stood_in(results: Sequence[Result]) -> list[str]:
    """Of a remote recogniser that didn't answer: who heard how much instead."""
    counts: dict[str, int] = {}
    for result in results:
        name, sign, _ = result.utterance.engine.partition(" (stands in")
        if sign:
            counts[name] = counts.get(name, 0) + 1
    return [f"{count} of {len(results)} heard by {name}, which stands in" for name, count in counts.items()]


# --- one trial, in a child ---------------------------------------------------------------------------------
def sound(folder: Path, said: Said, trial: Trial) -> Samples:
    """What arrives at our end of the line: µ-law as linear samples, 8 kHz. Raises SpeechError, SiteError."""
    if trial.text:
        voice = spoken.kept_say(trial.text, said.language, voice_of(trial.voice)).astype(np.float32)
    elif said.recording:
        voice = recorded(folder / said.recording)
    else:
        voice = np.zeros(silence_ms * RATE_HZ // 1_000, np.float32)
    condition = trial.condition
    carried = line.carried(voice, trial.level_dbfs, condition.noise, condition.below_db, trial.seed)
    octets = g711.encode_tables()[g711.MU_LAW][carried.astype(np.uint16)]
    return np.asarray(g711.decode_tables()[g711.MU_LAW][octets])


def recorded(path: Path) -> line.Sound:
    """A recording at 8 kHz. Raises SiteError: it isn't there, or can't be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SiteError(f"can't read {path.name}: {error.strerror}") from error
    signal, rate = sounds.decode_bounded(content, recording_ms_max)
    samples = np.clip(np.rint(signal * 32_768), -32_768, 32_767).astype(np.int16)
    return resample(samples, rate, RATE_HZ).astype(np.float32)


class Ears(msgspec.Struct, frozen=True):
    """What a child listens with: its recognisers, and what makes the endpointer of each utterance."""

    hearers: Hearers
    endpoint: MakeEndpoint


async def listen(
    samples: Samples, listening: Listening, grammar: Grammar, engine: wire.Engine, ears: Ears
) -> Utterance:
    """What comes of listening to a line, as in a call. Raises SpeechError.

    Where the noise is so loud that the end of speech isn't found, the line goes on as it sounds at its end.
    """
    utterance = OneUtterance(listening, ears.endpoint(listening, None), lambda ms: None)
    hearer = ears.hearers.at_once(engine, grammar, listening, _complain)
    if hearer is None:
        hearer = await ears.hearers.hearer(engine, grammar, listening)
    utterance.serve(hearer)
    quiet = np.zeros(FRAME_SAMPLES, np.int16)
    frames = samples[: samples.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    tail = frames[-line.TAIL_MS // 40 :]
    number = 0
    while not utterance.over and (number < len(frames) or utterance.begun):
        at = number - len(frames)
        utterance.frame(number, frames[number] if at < 0 else tail[at % len(tail)], quiet)
        number += 1
        if engine.addresses and number % _REMOTE_TURN == 0:
            await asyncio.sleep(_REMOTE_TURN_S)  # what another machine answers is heard as in a call: while he speaks
    if not utterance.over:
        utterance.cancel()
        return Utterance(NO_INPUT, engine=hearer.name)
    return await utterance.conclude()


def _complain(text: str) -> None:
    """Of a remote recogniser that doesn't answer: who stands in for it is told with the result."""
    print(text, file=sys.stderr)


async def attempt(order: Order, trial: Trial, ears: Ears) -> Result:
    """A trial from words to verdict."""
    said, listening = order.said[trial.said], order.listenings[trial.said]
    try:
        samples = sound(Path(order.folder), said, trial)
        began_ns = time.process_time_ns()
        told = await listen(samples, listening, order.grammars[said.grammar], order.engines[said.language], ears)
    except (SpeechError, SiteError) as error:
        return Result(trial, _FAILED, fault=str(error))
    fault = told.detail or "the recogniser failed" if told.result == FAILED else ""
    cpu_ms = (time.process_time_ns() - began_ns) // 1_000_000
    return Result(trial, told, samples.size * 1_000 // RATE_HZ, cpu_ms, fault)


def main() -> int:
    """A child: an Order on stdin; on stdout a line of JSON for each trial, in their order."""
    os.setpriority(os.PRIO_PROCESS, 0, niceness)
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    asyncio.run(_attempts(order))
    return 0


async def _attempts(order: Order) -> None:
    ears = Ears(Hearers(), endpointing())
    for number, trial in order.trials:
        sys.stdout.buffer.write(msgspec.json.encode((number, await attempt(order, trial, ears))) + b"\n")
        sys.stdout.buffer.flush()
    await ears.hearers.close()


# --- all of them, in the parent -----------------------------------------------------------------------------
async def run(order: Order, told: Callable[[Result], None], children: int = 0) -> list[Result]:
    """The results of an order's trials, in their order; `told` of each as it comes. `children` 0: one a processor."""
    found: dict[int, Result] = {}
    count = children or os.cpu_count() or 1
    # what shares words and voice stays together, so that no two children speak the same
    groups: dict[tuple[str, str], int] = {}
    shares: list[list[tuple[int, Trial]]] = [[] for _ in range(count)]
    for number, trial in order.trials:
        group = groups.setdefault((trial.text, trial.voice), len(groups))
        shares[group % count].append((number, trial))

    def answered(number: int, result: Result) -> None:
        found[number] = result
        told(result)

    await asyncio.gather(*(_share(order, share, answered) for share in shares if share))
    return [found[number] for number, _ in order.trials]


async def _share(order: Order, share: Sequence[tuple[int, Trial]], answered: Callable[[int, Result], None]) -> None:
    """One child's trials, by as many children as it takes."""
    left = list(share)
    while left:
        why = await _child(msgspec.structs.replace(order, trials=left), left, answered)
        if left:
            number, trial = left.pop(0)
            answered(number, Result(trial, _FAILED, fault=why))


async def _child(order: Order, left: list[tuple[int, Trial]], answered: Callable[[int, Result], None]) -> str:
    """Why it ended; what it has answered is no longer left."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, limit=1 << 22,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    said = asyncio.ensure_future(child.stderr.read())
    why = ""
    try:
        child.stdin.write(msgspec.msgpack.encode(order))
        child.stdin.close()
        while left:
            text = await asyncio.wait_for(child.stdout.readline(), trial_s_max)
            if not text.endswith(b"\n"):
                break
            number, result = msgspec.json.decode(text, type=tuple[int, Result])
            left.pop(0)
            answered(number, result)
    except TimeoutError:
        why = f"the recogniser hung for {trial_s_max:.0f} s"
    except (ConnectionError, BrokenPipeError):
        why = ""
    finally:
        if left and child.returncode is None:
            child.kill()
        await child.wait()
    last = (await said).decode("utf-8", "replace").strip().splitlines()
    return why or f"the recogniser died ({last[-1][:200] if last else f'status {child.returncode}'})"


if __name__ == "__main__":
    sys.exit(main())

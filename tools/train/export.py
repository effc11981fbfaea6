"""Writes a model folder that Vosk reads: Kaldi's transition model and nnet3 network in their binary format.

No Kaldi is needed. Every phone has the chain topology: one state whose first frame and later frames have scores of
their own, a frame being 30 ms. Phones that stand in a word exist four times (_B, _I, _E, _S: begin, inside, end,
single) and share their scores; silence and the noise phone exist once.
"""

from __future__ import annotations

import lzma
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SHORTCUT = 0.66  # of a block's input that is added to its output
POSITIONS = "BIES"
SILENCE, NOISE = "SIL", "NSN"

MFCC_CONF = """--use-energy=false
--sample-frequency=8000
--num-mel-bins=32
--num-ceps=32
--low-freq=100
--high-freq=-300
--dither=0
--allow-downsample=true
--allow-upsample=true
"""
# Vosk's own end-pointing is switched off (rules that can't come true): the engine's end-pointer decides.
# Lattices are made deterministic by words alone: by phones, the garbage path's many ways of saying one sound cost
# thirty times the time and fifty megabytes.
MODEL_CONF = """--min-active=200
--max-active=3000
--beam=16.0
--lattice-beam=4
--phone-determinize=false
--acoustic-scale=1.0
--frame-subsampling-factor=3
--endpoint.silence-phones=1:2
--endpoint.rule1.min-trailing-silence=600
--endpoint.rule2.min-trailing-silence=600
--endpoint.rule3.min-trailing-silence=600
--endpoint.rule4.min-trailing-silence=600
--endpoint.rule5.min-utterance-length=600
"""


@dataclass(frozen=True)
class Affine:
    """weight (outputs, offsets · inputs) on the inputs at `offsets` frames, end to end, plus bias (outputs,)."""

    offsets: tuple[int, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """Affines in a row; `rectify` after the last; `shortcut` adds SHORTCUT times the layer's own input."""

    name: str
    affines: list[Affine]
    rectify: bool
    shortcut: bool


def phone_names(phones: Sequence[str]) -> list[str]:
    """Names by phone number − 1 for `phones` in the manifest's order, which starts with SIL and NSN."""
    if list(phones[:2]) != [SILENCE, NOISE]:
        raise ValueError(f"phones start with {SILENCE}, {NOISE}; found {', '.join(phones[:2])}")
    return [SILENCE, NOISE, *(f"{phone}_{position}" for phone in phones[2:] for position in POSITIONS)]


class Writer:
    """Kaldi's binary stream: tokens end in a space, numbers carry their size in front."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        file.write(b"\0B")

    def tokens(self, *names: str) -> None:
        for name in names:
            self.file.write(name.encode("ascii") + b" ")

    def text(self, lines: str) -> None:
        self.file.write(lines.encode("ascii"))

    def int32(self, *values: int) -> None:
        for value in values:
            self.file.write(b"\4" + struct.pack("<i", value))

    def float32(self, value: float) -> None:
        self.file.write(b"\4" + struct.pack("<f", value))

    def float64(self, value: float) -> None:
        self.file.write(b"\x08" + struct.pack("<d", value))

    def vector(self, values: NDArray[np.float32] | Sequence[float]) -> None:
        data = np.asarray(values, "<f4")
        self.tokens("FV")
        self.int32(len(data))
        self.file.write(data.tobytes())

    def matrix(self, values: NDArray[np.float32]) -> None:
        data = np.ascontiguousarray(values, "<f4")
        self.tokens("FM")
        self.int32(*data.shape)
        self.file.write(data.tobytes())

    def integers(self, values: Sequence[int]) -> None:
        self.file.write(b"\4" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes())


def _transitions(out: Writer, phones: Sequence[str]) -> None:
    """The transition model: one topology for all phones, states by phone, chances of one half."""
    names = phone_names(phones)
    out.tokens("<TransitionModel>", "<Topology>")
    out.integers(list(range(1, len(names) + 1)))
    out.integers([-1] + [0] * len(names))
    out.int32(-1)  # announces a topology whose first and later frames differ
    out.int32(1, 2)  # one entry, of two states: the emitting one and the end
    out.int32(0, 1, 2)  # scores of the first and of later frames; two ways on
    out.int32(0)
    out.float32(0.5)
    out.int32(1)
    out.float32(0.5)
    out.int32(-1, -1, 0)
    out.tokens("</Topology>", "<Tuples>")
    out.int32(len(names))
    numbers = {phone: number for number, phone in enumerate(phones)}
    for number, name in enumerate(names, 1):
        base = numbers[name if name in (SILENCE, NOISE) else name.rpartition("_")[0]]
        out.int32(number, 0, 2 * base, 2 * base + 1)
    out.tokens("</Tuples>", "<LogProbs>")
    out.vector([0.0] + [math.log(0.5)] * (2 * len(names)))
    out.tokens("</LogProbs>", "</TransitionModel>")


def _spliced(name: str, offsets: Sequence[int]) -> str:
    parts = [name if offset == 0 else f"Offset({name}, {offset})" for offset in offsets]
    return parts[0] if len(parts) == 1 else f"Append({', '.join(parts)})"


@dataclass(frozen=True)
class _Component:
    name: str
    kind: str
    affine: Affine | None = None
    units: int = 0


def _plan(layers: Sequence[Layer], inputs: int) -> tuple[str, list[_Component]]:
    """Kaldi's description of the network, and its components in order."""
    lines, parts, at = [f"input-node name=input dim={inputs}"], list[_Component](), "input"

    def add(part: _Component, source: str) -> str:
        parts.append(part)
        lines.append(f"component-node name={part.name} component={part.name} input={source}")
        return part.name

    for layer in layers:
        came_from = at
        for number, affine in enumerate(layer.affines):
            at = add(
                _Component(f"{layer.name}.affine{number}", "FixedAffineComponent", affine), _spliced(at, affine.offsets)
            )
        units = len(layer.affines[-1].bias)
        if layer.rectify:
            at = add(_Component(f"{layer.name}.relu", "RectifiedLinearComponent", units=units), at)
        if layer.shortcut:
            total = f"Sum(Scale({SHORTCUT}, {came_from}), {at})"
            at = add(_Component(f"{layer.name}.sum", "NoOpComponent", units=units), total)
    lines.append(f"output-node name=output input={at} objective=linear")
    return "\n".join(lines), parts


def _component(out: Writer, part: _Component) -> None:
    out.tokens("<ComponentName>", part.name, f"<{part.kind}>")
    if part.affine is not None:
        out.tokens("<LinearParams>")
        out.matrix(part.affine.weight)
        out.tokens("<BiasParams>")
        out.vector(part.affine.bias)
    else:
        out.tokens("<Dim>")
        out.int32(part.units)
        if part.kind == "RectifiedLinearComponent":  # statistics of a training that Kaldi did not do
            for name in ("<ValueAvg>", "<DerivAvg>"):
                out.tokens(name)
                out.vector([])
            for name in ("<Count>", "<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
                out.tokens(name)
                out.float64(0.0)
        elif part.kind == "NoOpComponent":
            out.tokens("<BackpropScale>")
            out.float32(1.0)
    out.tokens(f"</{part.kind}>")


def context(layers: Sequence[Layer]) -> tuple[int, int]:
    """Frames that the network sees before and after the one it scores."""
    before = -sum(min(affine.offsets) for layer in layers for affine in layer.affines)
    after = sum(max(affine.offsets) for layer in layers for affine in layer.affines)
    return before, after


def write_model(path: Path, phones: Sequence[str], layers: Sequence[Layer], inputs: int) -> None:
    """`am/final.mdl`. Raises ValueError where the last layer does not score exactly two states per phone."""
    outputs = len(layers[-1].affines[-1].bias)
    if outputs != 2 * len(phones):
        raise ValueError(f"the network scores {outputs} states, {len(phones)} phones have {2 * len(phones)}")
    description, parts = _plan(layers, inputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        out = Writer(file)
        _transitions(out, phones)
        out.tokens("<Nnet3>")
        out.text(f"\n{description}\n\n")
        out.tokens("<NumComponents>")
        out.int32(len(parts))
        for part in parts:
            _component(out, part)
        out.tokens("</Nnet3>")
        before, after = context(layers)
        out.tokens("<LeftContext>")
        out.int32(before)
        out.tokens("<RightContext>")
        out.int32(after)
        out.tokens("<Priors>")
        out.vector([])


def write_folder(folder: Path, phones: Sequence[str], layers: Sequence[Layer], inputs: int) -> None:
    """The acoustic model, its settings and its phones: everything of a model but the manifest and the word list."""
    write_model(folder / "am" / "final.mdl", phones, layers, inputs)
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf" / "mfcc.conf").write_text(MFCC_CONF)
    (folder / "conf" / "model.conf").write_text(MODEL_CONF)
    names = ["<eps>", *phone_names(phones)]
    (folder / "phones.txt").write_text("".join(f"{name} {number}\n" for number, name in enumerate(names)))


def write_words(folder: Path, words: Mapping[str, Sequence[tuple[str, ...]]]) -> None:
    """`words.txt.xz`: a line for each pronunciation, sorted by word, in the order given within one."""
    lines = [f"{word}\t{' '.join(way)}\n" for word in sorted(words) for way in words[word]]
    (folder / "words.txt.xz").write_bytes(lzma.compress("".join(lines).encode("utf-8")))

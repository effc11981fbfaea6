"""The exporter: Vosk reads what it writes, and computes what numpy computes from the same layers."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

from engine.runtime.vosk_library import Decoder, Model
from tools.train import export
from tools.train.export import SHORTCUT, Affine, Layer

PHONES = ["SIL", "NSN", "A", "B"]
BANDS, WIDTH, NECK = 32, 12, 5


def affine(offsets: tuple[int, ...], inputs: int, outputs: int, seed: int, size: float = 1.0) -> Affine:
    chance = np.random.default_rng(seed)
    weight = chance.normal(0, size / np.sqrt(inputs * len(offsets)), (outputs, inputs * len(offsets)))
    return Affine(offsets, weight.astype(np.float32), chance.normal(0, 0.1, outputs).astype(np.float32))


def layers(output: Affine | None = None) -> list[Layer]:
    return [
        Layer("front", [affine((-2, -1, 0, 1, 2), BANDS, WIDTH, 1)], True, False),
        Layer("third", [affine((-1, 0, 1), WIDTH, WIDTH, 2)], True, False),
        Layer("block0", [affine((-3, 0), WIDTH, NECK, 3), affine((0, 3), NECK, WIDTH, 4)], True, True),
        Layer("output", [output or affine((0,), WIDTH, 2 * len(PHONES), 5, 0.01)], False, False),
    ]


def write_graph(folder: Path, words: dict[str, str]) -> None:
    """A decoding graph for one phone per word, said once: from the start into its phone, which goes on and ends."""
    names = ["<eps>", *export.phone_names(PHONES)]
    arcs: list[list[tuple[int, int, float, int]]] = [[]]
    for number, phone in enumerate(words.values(), 1):
        at = names.index(phone)
        arcs[0].append((2 * at, number, 0.0, number))
        arcs.append([(2 * at - 1, 0, 0.0, number)])
    out = [struct.pack("<i", 2125659606), struct.pack("<i", 6), b"vector", struct.pack("<i", 8), b"standard"]
    out.append(struct.pack("<iiQqqq", 2, 0, 3, 0, len(arcs), sum(map(len, arcs))))
    for state, leaving in enumerate(arcs):
        out.append(struct.pack("<fq", math.inf if state == 0 else 0.0, len(leaving)))
        out += [struct.pack("<iifi", label, word, cost, target) for label, word, cost, target in leaving]
    (folder / "graph" / "phones").mkdir(parents=True)
    (folder / "graph" / "HCLG.fst").write_bytes(b"".join(out))
    table = ["<eps>", *words]
    (folder / "graph" / "words.txt").write_text("".join(f"{word} {number}\n" for number, word in enumerate(table)))
    kinds = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}
    lines = [f"{n} {'nonword' if n < 3 else kinds[name[-1]]}\n" for n, name in enumerate(names) if n]
    (folder / "graph" / "phones" / "word_boundary.int").write_text("".join(lines))


def heard(folder: Path, sound: np.ndarray) -> list[tuple[str, float]]:
    decoder = Decoder(Model(folder), (), 5)
    decoder.feed(sound.astype(np.int16))
    return [(each.words, each.score) for each in decoder.final()]


def computed(given: list[Layer], sound: np.ndarray) -> np.ndarray:
    """(frames of 30 ms, states) of the layers, by numpy; beyond its ends the sound's first and last frame repeat."""
    from tools.train import features

    cepstra = features.cepstra(features.log_mel(sound.astype(np.float32) / 32768))

    def at(frame: int, depth: int) -> np.ndarray:
        if depth < 0:
            return cepstra[min(max(frame, 0), len(cepstra) - 1)].astype(np.float64)
        layer = given[depth]

        def part(index: int, where: int) -> np.ndarray:
            if index < 0:
                return at(where, depth - 1)
            each = layer.affines[index]
            spliced = np.concatenate([part(index - 1, where + offset) for offset in each.offsets])
            return each.weight @ spliced + each.bias

        result = part(len(layer.affines) - 1, frame)
        result = np.maximum(result, 0) if layer.rectify else result
        return result + SHORTCUT * at(frame, depth - 1) if layer.shortcut else result

    return np.stack([at(frame, len(given) - 1) for frame in range(0, len(cepstra), 3)])


def test_vosk_computes_what_the_layers_say(tmp_path: Path) -> None:
    export.write_folder(tmp_path, PHONES, layers(), BANDS)
    words = {"aye": "A_S", "bee": "B_S"}
    write_graph(tmp_path, words)
    sound = np.random.default_rng(8).normal(0, 2000, 2000)
    scores = computed(layers(), np.clip(np.round(sound), -32768, 32767))
    # one phone from end to end: its first state once, its later one for all other frames
    total = {word: scores[0, 2 * at] + scores[1:, 2 * at + 1].sum() for word, at in zip(words, (2, 3), strict=True)}
    found = heard(tmp_path, np.clip(np.round(sound), -32768, 32767))
    assert [word for word, _ in found] == sorted(total, key=lambda word: -total[word])
    assert found[0][1] - found[1][1] == pytest.approx(abs(total["aye"] - total["bee"]), abs=0.01)


def test_the_last_layer_must_score_two_states_per_phone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scores 6 states, 4 phones have 8"):
        export.write_folder(tmp_path, PHONES, layers(affine((0,), WIDTH, 6, 1)), BANDS)


def test_phones_begin_with_silence_and_noise() -> None:
    assert export.phone_names(PHONES)[:4] == ["SIL", "NSN", "A_B", "A_I"]
    with pytest.raises(ValueError, match="start with SIL, NSN"):
        export.phone_names(["A", "B"])


def test_context_is_what_the_offsets_add_up_to() -> None:
    assert export.context(layers()) == (6, 6)

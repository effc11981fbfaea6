"""Texts, speakers, the stored corpus, and the batches cut from it; no synthesiser is needed."""

from __future__ import annotations

import io
import json
import lzma
import random
import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tools.train import batches, corpus, features, manifest, noises, recipe, rooms, speakers, texts

MODEL = Path(__file__).resolve().parents[2] / "engine" / "speech" / "models" / "en"


@pytest.fixture(scope="module")
def words() -> dict[str, list[tuple[str, ...]]]:
    return texts.read_words(MODEL / "words.txt.xz")


def test_the_dictionary_has_its_words_and_the_models_phones(words: dict[str, list[tuple[str, ...]]]) -> None:
    assert len(words) > 120_000
    assert ("S", "EH", "V", "AH", "N") in words["seven"]
    said = {phone for ways in words.values() for way in ways for phone in way}
    listed = re.search(r"^phones: \[(.*)\]$", (MODEL / "manifest.yaml").read_text("utf-8"), re.MULTILINE)
    assert listed and said == set(listed[1].split(", ")) - {"SIL", "NSN"}
    assert all(word in words for text in texts.PHRASES for word in text.split())


def test_a_broken_dictionary_says_where(tmp_path: Path) -> None:
    (tmp_path / "words.txt.xz").write_bytes(lzma.compress(b"one\tW AH N\ntwo T UW\n"))
    with pytest.raises(ValueError, match=r"words.txt.xz:2: expected WORD<TAB>PHONES"):
        texts.read_words(tmp_path / "words.txt.xz")


def test_texts_are_drawn_from_the_seed_and_known(words: dict[str, list[tuple[str, ...]]]) -> None:
    def some(seed: int) -> list[str]:
        source = texts.Texts(words, ["the", "of", "cat", "nosuchwordatall"], seed)
        return [source.draw() for _ in range(400)]

    assert some(3) == some(3) != some(4)
    drawn = some(3)
    assert all(word in words for text in drawn for word in text.split())
    strings = [text for text in drawn if len(text.split()) > 1 and set(text.split()) <= set(texts.SPOKEN_DIGITS)]
    assert len(strings) > 40 and max(len(text.split()) for text in strings) >= 8


def test_digit_strings_have_their_length() -> None:
    chance = random.Random(1)
    for _ in range(100):
        said = texts.digit_string(chance, 4, 6).split()
        assert 4 <= len(said) <= 7 and said[-1] not in ("double", "triple")


def test_held_out_voices_are_never_drawn() -> None:
    held = {speaker.name for speaker in speakers.HELD_OUT}
    variants = {speaker.voice.partition("+")[2] for speaker in speakers.HELD_OUT if speaker.family == "espeak"}
    chance = random.Random(1)
    for family in speakers.FAMILIES:
        for _ in range(500):
            drawn = speakers.draw(family, chance)
            assert drawn.name not in held
            assert drawn.family != "espeak" or drawn.voice.partition("+")[2] not in variants
    with pytest.raises(ValueError, match="no family"):
        speakers.draw("parrot", chance)


def test_an_accent_is_a_habit() -> None:
    table = [("θ", ["s"]), ("w", ["v"])]
    said = {speakers.accented("θɪŋ wɪθ wɔtəɹ", table, seed) for seed in range(40)}
    assert said == {"θɪŋ wɪθ wɔtəɹ", "sɪŋ wɪs wɔtəɹ", "θɪŋ vɪθ vɔtəɹ", "sɪŋ vɪs vɔtəɹ"}, "everywhere or nowhere"
    assert speakers.accented("θɪŋ", speakers.NEURAL_ACCENTS, 7) == speakers.accented("θɪŋ", speakers.NEURAL_ACCENTS, 7)


def test_a_wave_with_a_wrong_length_is_read_to_its_end() -> None:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.arange(400, dtype="<i2").tobytes())
    raw = bytearray(data.getvalue())
    raw[40:44] = (0x7FFFFFF0).to_bytes(4, "little")  # what espeak-ng writes to a pipe
    assert speakers.read_wave(bytes(raw)) == pytest.approx(np.arange(400) / 32768)


@pytest.fixture
def voices(tmp_path: Path) -> Iterator[corpus.Corpus]:
    chance = np.random.default_rng(1)
    for family, count in (("espeak", 30), ("flite", 10)):
        said = [(chance.normal(0, 1500, int(chance.integers(4000, 30000)))).astype(np.int16) for _ in range(count)]
        np.save(tmp_path / f"{family}.npy", np.concatenate(said))
        meta = {
            "texts": [("yes", "no", "qqq")[number % 3] for number in range(count)],
            "speakers": [f"{family} someone"] * count,
            "offsets": np.cumsum([0, *map(len, said)]).tolist(),
        }
        (tmp_path / f"{family}.json").write_text(json.dumps(meta))
    assert batches.folder_families(tmp_path) == ["espeak", "flite"]
    yield corpus.load(tmp_path, ["espeak", "flite"])


def test_families_are_joined_end_to_end(voices: corpus.Corpus) -> None:
    assert len(voices) == 40 and len(voices.offsets) == 41
    assert voices.speakers[29:31] == ["espeak someone", "flite someone"]
    assert sum(len(voices.utterance(number)) for number in range(40)) == len(voices.samples)
    assert batches.usable(voices, {"yes": [], "no": []}) == [n for n in range(40) if voices.texts[n] != "qqq"]


def test_a_plan_holds_every_utterance_once_and_noise_in_each_batch(voices: corpus.Corpus) -> None:
    lengths = np.diff(voices.offsets)
    planned = batches.plan(lengths, range(40), 8, epoch=2, seed=1)
    assert sorted(number for batch in planned for number in batch if number >= 0) == list(range(40))
    assert all(batch.count(-1) == 1 for batch in planned)
    assert (
        planned
        == batches.plan(lengths, range(40), 8, epoch=2, seed=1)
        != batches.plan(lengths, range(40), 8, epoch=3, seed=1)
    )


def test_a_batch_is_a_function_of_seed_epoch_and_number(voices: corpus.Corpus) -> None:
    takes = {kind: np.stack([noises.make(kind, 16000, np.random.default_rng(1))]) for kind in ("pink", "clatter")}
    bank = rooms.Noises({"pink": takes["pink"]}, {"clatter": takes["clatter"]})
    maker = batches.Maker(voices, bank, context=21, seed=9)
    batch = maker.batch(1, 5, [0, 4, 31, -1, -1, -1])
    assert batch.texts == ["yes", "no", "no", "", "", ""] or batch.texts[:3] == [voices.texts[n] for n in (0, 4, 31)]
    assert batch.cepstra.shape == (6, 3 * batch.lengths.max() - 2 + 42, features.BANDS)
    assert np.array_equal(batch.cepstra[:, 0], batch.cepstra[:, 21]), "the first frame repeats before the utterance"
    again, other = maker.batch(1, 5, [0, 4, 31, -1, -1, -1]), maker.batch(2, 5, [0, 4, 31, -1, -1, -1])
    assert np.array_equal(batch.cepstra, again.cepstra)
    assert batch.cepstra.shape != other.cepstra.shape or not np.array_equal(batch.cepstra, other.cepstra)


def test_judged_seeds_do_not_train(voices: corpus.Corpus) -> None:
    with pytest.raises(ValueError, match="kept for judging"):
        batches.noise_bank(voices, noises.JUDGED_SEED)
    assert recipe.Recipe().seed < noises.JUDGED_SEED


def test_a_manifest_is_sealed(tmp_path: Path) -> None:
    for name in manifest.SEALED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"model")
    listed = "".join(f"  {name}: {'0' * 64}\n" for name in manifest.SEALED)
    before = f"language: en\nsha256:\n{listed}licences: none\n"
    (tmp_path / "manifest.yaml").write_text(before)
    manifest.seal(tmp_path)
    text = (tmp_path / "manifest.yaml").read_text()
    sealed = text.count("9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4")
    assert sealed == len(manifest.SEALED) and "0" * 64 not in text
    assert text.startswith("language: en\n") and text.endswith("licences: none\n")
    for name in ("am/final.mdl", "phones.txt"):
        (tmp_path / "manifest.yaml").write_text(before.replace(name, "other"))
        with pytest.raises(ValueError, match=f"no line for {name}"):
            manifest.seal(tmp_path)

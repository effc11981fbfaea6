"""How words that no dictionary holds are probably said: espeak-ng is asked, where it is installed. Blocking: for child
processes and commands, never on the event loop."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from engine.speech import grammar_net, guesses, words
from engine.speech.grammar import Grammar
from engine.speech.lexicon import Lexicon, unknown_words

PROGRAM = "espeak-ng"
guess_s_max = 10.0
guessed_max = 5_000  # words at once
_VOICES = {"en": "en-us"}  # the languages whose phonemes are translated


def guess(unknown: Sequence[str], language: str) -> dict[str, tuple[str, ...]]:
    """Word -> its pronunciation, of those that could be guessed. Without espeak-ng, or for a language that is not
    translated, there are none: whoever asked then says which words nobody knows."""
    voice = _VOICES.get(words.base(language))
    asked = list(unknown)[:guessed_max]
    if voice is None or not asked:
        return {}
    # every word is a paragraph, or espeak-ng would join them to one sentence
    text = "".join(f"{word}\n\n" for word in asked)
    command = (PROGRAM, "-q", "--ipa", "-v", voice, "--stdin")
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=guess_s_max, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    if len(lines) != len(asked):  # it split one of them, and nobody knows which
        half = len(asked) // 2
        return guess(asked[:half], language) | guess(asked[half:], language) if half else {}
    said = ((word, guesses.from_ipa(line)) for word, line in zip(asked, lines, strict=True))
    return {word: (phones,) for word, phones in said if phones}


def completed(lexicon: Lexicon, grammar: Grammar) -> Lexicon:
    """The lexicon with guesses for the words of a grammar that it lacks, as far as there are any: espeak-ng's, or else
    what follows from words that are known. Raises SpeechError for a grammar that can't be built."""
    own = Lexicon(lexicon.dictionary, {**lexicon.own, **grammar.words}, lexicon.guesses)
    unknown = unknown_words(grammar_net.build(grammar), own)
    if not unknown:
        return lexicon
    found = guess(unknown, grammar.language)
    for word in unknown:
        if word not in found and words.base(grammar.language) == "en":
            found[word] = guesses.derived(word, own.of)
    return Lexicon(lexicon.dictionary, lexicon.own, {**lexicon.guesses, **found})

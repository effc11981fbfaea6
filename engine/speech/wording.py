"""Words as a synthesiser must see them so that it says what they mean: spellings, letters, Mandarin's syllables."""

from __future__ import annotations

import re
from typing import Any

from engine.errors import SpeechError

# How a word must be spelt for the synthesiser so that it says what the text means.
RESPELT = {
    "en": {"Ringdown": "Ring down", "voicemail": "voice mail"},
    "zh": {"Ringdown": "铃当", **dict(zip("0123456789", "零一二三四五六七八九", strict=True))},
}

# Words whose characters pypinyin reads in another sense.
_PHRASES = {"重听": [["chóng"], ["tīng"]], "拨打的": [["bō"], ["dǎ"], ["de"]]}

# 一 changes its tone before a measure word; the dictionary of pypinyin misses these.
_YI_SECOND_TONE = "次个下段会样位路切定"

# A lone letter would be read as a word ("A" as an article), so letters are written as they sound.
_SOUNDS = (
    "ay bee see dee ee eff gee H eye jay kay ell em en oh pea queue are ess tea you vee double-you ex why zee"
).split()
LETTERS = {chr(ord("A") + index): sound for index, sound in enumerate(_SOUNDS)}

TEXT_LETTERS_MAX = 2_000
# what a synthesiser would take for more than words: control characters, [[phonemes]], <marks>, quotes of a script
_NO_WORDS = re.compile(r'[\x00-\x1f\x7f-\x9f\\"<>\[\]{}|]+')
_SPOKEN = re.compile(r"\w")


def clean(text: str) -> str:
    """The words of a text, on one line, with nothing in them that a synthesiser reads as an order. Raises SpeechError
    for one without a letter or digit, or longer than TEXT_LETTERS_MAX."""
    words = " ".join(_NO_WORDS.sub(" ", text).split())
    if not _SPOKEN.search(words):
        raise SpeechError("there is nothing to say: the text has neither a letter nor a digit")
    if len(words) > TEXT_LETTERS_MAX:
        raise SpeechError(f"the text has {len(words)} letters; {TEXT_LETTERS_MAX} are the most at once")
    return words


def spoken(text: str, language: str) -> str:
    """The text as the synthesiser must see it. Raises SpeechError where Mandarin can't be put into syllables."""
    base = language.partition("-")[0]
    if base == "en" and text.strip() in LETTERS:
        return LETTERS[text.strip()]
    for written, sounds in RESPELT.get(base, {}).items():
        text = text.replace(written, sounds)
    return pinyin(text) if base == "zh" else text


def pinyin(text: str) -> str:
    """Mandarin as numbered pinyin with tone sandhi: "请稍等" -> "qing3 shao1 deng3".

    Debian's espeak-ng has no Chinese dictionary (it spells characters out in English), but speaks pinyin. Raises
    SpeechError without the package pypinyin, which is optional.
    """
    lazy_pinyin, style = _reader()
    text = re.sub(r"\s+", "", text)
    syllables = lazy_pinyin(
        list(text) if len(text) == 1 else text, style=style, neutral_tone_with_five=True, tone_sandhi=True
    )
    joined = " ".join(syllables)
    for follower in _YI_SECOND_TONE:
        after = lazy_pinyin(follower, style=style, neutral_tone_with_five=True)[0]
        if f"一{follower}" in text:
            joined = re.sub(rf"\byi[14] {after}\b", f"yi2 {after}", joined)
    return joined


def _reader() -> tuple[Any, Any]:
    try:
        from pypinyin import Style, lazy_pinyin, load_phrases_dict
    except ImportError as error:
        raise SpeechError("to speak Mandarin the package pypinyin is needed: install ringdown[prompts]") from error
    load_phrases_dict(_PHRASES)
    return lazy_pinyin, Style.TONE3

"""Words that only a call knows, in the middle of a prompt: spoken by the runtime, then the whole prompt is played.

asked (SpeakWanted) --SoundDone--> played with them | --failed, or too late--> played with what the voice says otherwise
(letter by letter, or nothing). Keys, another prompt and the call's end drop what is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import limits
from engine.call import leg as legs
from engine.call import own_clips
from engine.call.call import Words
from engine.call.effects import SpeakWanted
from engine.dialplan.actions import PlayDone
from engine.dialplan.speaking import clips_for, is_words, words_of
from engine.dialplan.voice_model import SPELL, VoiceModel

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.effects import SoundDone
    from engine.call.room import Room
    from engine.dialplan.actions import PlayPrompts


def begin(room: Room, call: Call, wish: PlayPrompts, now_ms: int) -> bool:
    """Have the first words of a prompt spoken; True: it is played when they are. Only one text of a prompt is spoken,
    as a call has one clip of its own; and none while that clip is another's (play_url)."""
    drop(room, call)
    name = next((clip for clip in wish.clips if is_words(clip)), "")
    if not name:
        return False
    language, text = words_of(name)
    held = own_clips.clip_of(room, call)
    clip = own_clips.take(room, call) if held < 0 else -1
    call.words = Words(wish.ticket, wish.clips, wish.loop, clip)
    if clip < 0:
        _play(room, call, "")
        return True
    voice = _voice(room, call, language)
    room.clip_serial += 1
    wait_ms = voice.wait_ms if voice is not None else VoiceModel("").wait_ms
    secret = name in wish.hidden
    room.out.append(
        SpeakWanted(call.id, wish.ticket, clip, room.clip_serial, text, language, voice, wait_ms, secret)
    )
    room.deadlines.arm(("words", call.id), now_ms + wait_ms + limits.lookup_grace_ms)
    return True


def sound_done(room: Room, call: Call, event: SoundDone) -> bool:
    """The runtime's answer, when it is to one of these wishes."""
    if call.words is None or call.words.ticket != event.ticket:
        return False
    if event.detail:
        room.log("warning", f"{call.name}: words of a prompt were not spoken: {event.detail}", "words")
    name = next(clip for clip in call.words.clips if is_words(clip))
    _play(room, call, "" if event.detail else name)
    return True


def due(room: Room, call: Call, now_ms: int) -> None:
    """No answer came: the prompt is played without."""
    if call.words is not None and call.words.ticket:
        room.log("warning", f"{call.name}: words of a prompt were not spoken in time", "words")
        _play(room, call, "")


def drop(room: Room, call: Call) -> None:
    """Nobody waits any more."""
    if call.words is not None:
        room.deadlines.cancel(("words", call.id))
        if call.words.clip >= 0:
            own_clips.drop(room, call)
        call.words = None


def _play(room: Room, call: Call, spoken: str) -> None:
    """The prompt, with the words that are in the call's clip (`spoken`), or with what is heard otherwise."""
    words, site, leg = call.words, room.site_of(call), room.legs[call.leg]
    assert words is not None
    numbers: list[int] = []
    for name in words.clips:
        if name == spoken and words.clip >= 0:
            numbers.append(words.clip)
            continue
        if not is_words(name):
            numbers += room.clips(site, (name,))
            continue
        language, text = words_of(name)
        voice = _voice(room, call, language)
        if voice is None or voice.otherwise == SPELL:
            numbers += room.clips(site, clips_for("spelled", text, language, site, call.tenant))
    if not spoken:
        drop(room, call)
    else:
        room.deadlines.cancel(("words", call.id))
        call.words = Words(0, (), False, words.clip)  # it is heard now; the clip is given back with the next prompt
    if numbers and leg.row >= 0:
        legs.play(room, leg, f"step:{words.ticket}", tuple(numbers), loop=words.loop)
    elif not words.loop:
        room.happen(call, PlayDone(words.ticket))


def _voice(room: Room, call: Call, language: str) -> VoiceModel | None:
    tenant = room.site_of(call).tenants.get(call.tenant)
    return tenant.voices.get(language) if tenant is not None else None

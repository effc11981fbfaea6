"""When a caller begins to speak, and when he has finished: gates in order of their price, over frames of 20 ms.

A frame counts as voice when it isn't the prompt's echo (`echo`), is louder than the line (`levels`), is no tone
(`tones`) and either sings (`voicing`) or a detector of voices says so (WebRTC's, given in as a callable: this room does
no I/O and loads nothing). Speech has begun with three such frames of six, of which two sing and don't fade as what was
struck does. To cut a prompt short all three must, because what is no voice must not; an optional second opinion may
still say no, and where there is one, two are enough there, too. Speech has ended when nothing more was said for as long
as the grammar makes right: short once what was said is complete and can't go on, longer otherwise.

Times are milliseconds from the first frame on; a frame's own are those of its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from engine import jit
from engine.speech import echo, hush, levels, tones, voicing
from engine.speech.hush import LOUD_DBFS, OVER_FLOOR_DB
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples

FRAME_MS = 20
PRE_ROLL_FRAMES = 15
ASKED_FRAMES = 8  # the newest, of which a second opinion is asked
END, TOO_LONG = "end", "too_long"

_OVER_ECHO_DB = -9.0  # what is left of an echo isn't taken for somebody, unless it is louder than this
_OVER_ECHO_THAT_MOVED_DB = 2.0  # … and one that the filter has lost is awaited this far over what it was
_SOFT_CALLER_DBFS = -35.0  # … but nobody need be louder than this for it
_UNDER_SPEECH_DB = 22.0  # softer than the talker's own speech by more: somebody else, or the room
_UNDER_CALLER_DB = 14.0  # the same for cutting a prompt short, of what is known from earlier in the call
_START, _OF = 3, 6
_SINGING, _SINGING_OVER_PROMPT = 2, 3  # of these; the latter two in a row: noise holds no pitch for 40 ms
_FADING_DB = (3.0, 4.0)  # softer by more than the frame before, than the one before that: it was struck
_ASK_AGAIN = 3  # frames after a second opinion that was no: one costs some hundred times the rest, so …
_ASKS_MAX, _ASKS_A_FRAME = 8.0, 0.08  # … so many may be asked at once, and four a second for long
_STAYS, _OF_LAST = 3, 10
_TONES_RESET = 3  # tone frames in a row: what stood before them was the tone's own beginning

Detector = Callable[[bytes], bool]  # 20 ms of 16 bits at 8 kHz: a voice?
SecondOpinion = Callable[[Samples], bool]  # the last 200 ms or so: really a voice?


class Gates(msgspec.Struct, array_like=True):
    """What was found out of one frame, for plots and figures. Levels in dBFS."""

    level: float
    floor: float
    echo: float
    tone: bool
    voice: bool


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What a frame has changed. `feed`: frames for the recogniser, oldest first; `started`: speech has begun;
    `ended`: '' | end | too_long."""

    feed: tuple[Samples, ...] = ()
    started: bool = False
    ended: str = ""


NOTHING = Step()
_NEWEST = max(tones.SIZE, voicing.SIZE)


def warm() -> None:
    """Compile every kernel of this module's gates, for frames as we make them and as they come from elsewhere: none may
    be met for the first time when somebody speaks."""
    echo.warm()
    quiet = np.zeros(FRAME_SAMPLES, np.int16)
    noise = (np.arange(FRAME_SAMPLES) * 199 % 3_001).astype(np.int16)
    listener = Endpointer(Listening("", ""), lambda frame: True)
    for writeable in (True, False):
        quiet.setflags(write=writeable)
        noise.setflags(write=writeable)
        for sent in (quiet, noise, quiet, quiet):
            listener.hear(noise, sent)
            hush.take_in(listener._levels, listener._raw, *listener._echo.memory, noise, sent)
            listener._echo.hear(noise, sent, loud=True)
        levels.level_dbfs(listener._raw, noise)
    levels.learn(listener._levels, -30.0, True)
    levels.learn_speech(listener._levels, -30.0)
    tones.is_tone(listener._whole, listener._scratch, 0.5)
    voicing.sings(listener._newest, listener._low)


class Endpointer:
    """One wish to listen on one leg.

    `detector`: WebRTC's of mode 3, one of its own per call (it learns the line's noise). `before`: the endpointer of
    the wish before in this call; its line's noise and echo and its caller's level are taken over.
    """

    def __init__(
        self, listening: Listening, detector: Detector, second_opinion: SecondOpinion | None = None,
        before: Endpointer | None = None,
    ) -> None:
        self._listening = listening
        self._detector, self._second_opinion = detector, second_opinion
        self._known_dbfs = before.caller_dbfs if before is not None else levels.SILENT_DBFS
        self._levels, self._raw = np.zeros(levels.FIELDS), np.zeros(levels.FIELDS)  # without and with the echo
        self._echo = echo.EchoFilter()
        levels.begin(self._levels, levels.SILENT_DBFS)
        if before is not None:
            self._levels[:], self._raw[:], self._echo = before._levels, before._raw, before._echo
            self._levels[levels.SPEECH] = levels.SILENT_DBFS
        self._scratch, self._low = tones.scratch(), voicing.scratch()
        self._whole, self._newest = np.zeros(tones.SIZE), np.zeros(_NEWEST)  # the last samples with and without echo
        self._before: deque[Samples] = deque(maxlen=PRE_ROLL_FRAMES + _OF)
        self._behind = False  # the windows of samples lack the newest of these
        self._voices: deque[bool] = deque([False] * _OF_LAST, maxlen=_OF_LAST)
        self._singing: deque[bool] = deque([False] * _OF, maxlen=_OF)
        self._loudness = (levels.SILENT_DBFS, levels.SILENT_DBFS)  # of the frame before, and of the one before that
        self._tones = self._frames = self._prompt_frames = self._last_voice = 0
        self._asked, self._asks = -_ASK_AGAIN, _ASKS_MAX
        self._complete, self._continues = False, True
        self._over = False
        self.gates = Gates(levels.SILENT_DBFS, levels.SILENT_DBFS, levels.SILENT_DBFS, False, False)
        self.speech_start_ms = self.speech_end_ms = -1
        self.voiced_ms = 0  # since speech began: a cough has little
        self.barged_in = False

    @property
    def now_ms(self) -> int:
        """The end of the last frame."""
        return self._frames * FRAME_MS

    @property
    def caller_dbfs(self) -> float:
        """How loud this caller speaks, SILENT_DBFS while unknown."""
        own = float(self._levels[levels.SPEECH])
        return own if own > levels.SILENT_DBFS else self._known_dbfs

    @property
    def detector(self) -> Detector:
        """It has learnt this line's noise: give it to the call's next endpointer, together with this one."""
        return self._detector

    def understood(self, *, complete: bool, continues: bool) -> None:
        """What the recogniser has so far: is the grammar content with it, and could it go on?"""
        self._complete, self._continues = complete, continues

    def hear(
        self, said: Samples, sent: Samples, *, playing: bool = False, key: bool = False, silent: bool = False
    ) -> Step:
        """One frame of both sides (int16[160]). `playing`: a prompt is being played; `key`: a key is down; `silent`:
        nothing came, the samples are zeros."""
        if self._over:
            return NOTHING
        self._frames += 1
        self._prompt_frames += playing
        self._asks = min(self._asks + _ASKS_A_FRAME, _ASKS_MAX)
        if self.speech_start_ms < 0 and True not in self._voices and self._hushed(said, sent):
            return NOTHING
        frame, voice = self._judge(said, sent, key or silent)
        self._voices.append(voice)
        if self.speech_start_ms < 0:
            return self._wait(frame, playing)
        if voice:
            levels.learn_speech(self._levels, self.gates.level)
            self.voiced_ms += FRAME_MS
            if sum(self._voices) >= _STAYS:
                self._last_voice = self._frames
        return Step((frame,), False, self._end())

    # --- one frame -------------------------------------------------------------------------------------------
    def _hushed(self, said: Samples, sent: Samples) -> bool:
        """Nothing stands out: the same as `_judge` and `_wait` would have made of it, at a fifth of the price."""
        level = hush.take_in(self._levels, self._raw, *self._echo.memory, said, sent)
        if level == hush.STANDS_OUT:
            return False
        self._detector(said.tobytes())
        self._before.append(said.copy())
        self._behind = True
        self._loudness = (level, self._loudness[0])
        self.gates = Gates(level, float(self._levels[levels.FLOOR]), levels.SILENT_DBFS, False, False)
        return True

    def _judge(self, said: Samples, sent: Samples, mute: bool) -> tuple[Samples, bool]:
        """The frame without its echo, and whether it is a voice."""
        line_gate = max(float(self._levels[levels.FLOOR]) + OVER_FLOOR_DB, LOUD_DBFS)
        level = float(levels.level_dbfs(self._raw, said))
        noise = 10 ** ((float(self._levels[levels.FLOOR]) - level) / 10)
        if self._behind:  # a frame is longer than what stays of a window when the next one enters
            _append(self._whole, self._before[-1])
            _append(self._newest, self._before[-1])
            self._behind = False
        _append(self._whole, said)
        # before the echo: any tone can be made out of a prompt by filtering, and what is left of it is none
        tone = level > line_gate and bool(tones.is_tone(self._whole, self._scratch, noise))
        rest = self._echo.hear(said, sent, loud=level > line_gate and not tone)
        frame = said.copy() if rest is None else np.clip(np.rint(rest), -32_768, 32_767).astype(np.int16)
        _append(self._newest, frame)
        heard = self._detector(frame.tobytes())  # always: it learns from all of them
        speaking = self.speech_start_ms >= 0
        level = float(levels.level_dbfs(self._levels, frame))
        floor = float(levels.learn(self._levels, level, speaking))
        gate = max(floor + OVER_FLOOR_DB, LOUD_DBFS, self._echo.echo_dbfs + _OVER_ECHO_DB,
                   min(self._echo.may_be_dbfs + _OVER_ECHO_THAT_MOVED_DB, _SOFT_CALLER_DBFS))  # fmt: skip
        if speaking:
            gate = max(gate, float(self._levels[levels.SPEECH]) - _UNDER_SPEECH_DB)
        loud = level > gate and not mute and not tone
        if loud and rest is not None:
            tone = bool(tones.is_tone(self._newest[-tones.SIZE :], self._scratch, noise))
            loud = not tone
        sings = loud and not speaking and bool(voicing.sings(self._newest, self._low))
        voice = loud and (heard or sings)
        self._tones = self._tones + 1 if tone else 0 if voice else self._tones
        lasts = all(level > before - fading for before, fading in zip(self._loudness, _FADING_DB, strict=True))
        self._singing.append(sings and lasts)
        self._loudness = (level, self._loudness[0])
        self.gates = Gates(level, floor, self._echo.echo_dbfs, tone, voice)
        return frame, voice

    # --- the beginning ---------------------------------------------------------------------------------------
    def _wait(self, frame: Samples, playing: bool) -> Step:
        self._before.append(frame)
        if self._tones >= _TONES_RESET or not self._may_start(playing):
            self._voices.extend([False] * _OF_LAST)
            self._singing.extend([False] * _OF)
            return NOTHING
        last = list(self._voices)[-_OF:]
        alone = playing and self._second_opinion is None
        if sum(last) < _START or sum(self._singing) < (_SINGING_OVER_PROMPT if alone else _SINGING):
            return NOTHING
        if alone and not any(one and other for one, other in pairwise(self._singing)):
            return NOTHING
        if playing and self.gates.level < self._known_dbfs - _UNDER_CALLER_DB:
            return NOTHING
        if not self._confirmed():
            return NOTHING
        first = self._frames - _OF + last.index(True)
        self.speech_start_ms = max(0, first * FRAME_MS)
        self.barged_in = playing
        self._last_voice = self._frames
        self.voiced_ms = sum(last) * FRAME_MS
        levels.learn_speech(self._levels, self.gates.level)
        feed = tuple(self._before)
        self._before.clear()
        return Step(feed, True, "")

    def _confirmed(self) -> bool:
        """Does the second opinion, where there is one and it may be asked now, say that it is a voice?"""
        if self._second_opinion is None:
            return True
        if self._frames < self._asked + _ASK_AGAIN or self._asks < 1.0:
            return False
        self._asked, self._asks = self._frames, self._asks - 1.0
        return self._second_opinion(np.concatenate(list(self._before)[-ASKED_FRAMES:]))

    def _may_start(self, playing: bool) -> bool:
        """Does speech count now, the prompt being played?"""
        if not playing or self._listening.barge_in == "on":
            return True
        late = self._prompt_frames * FRAME_MS >= self._listening.barge_in_ms
        return self._listening.barge_in == "after_first" and late

    # --- the end ---------------------------------------------------------------------------------------------
    def _end(self) -> str:
        listening = self._listening
        patience_ms = listening.pause_ms
        if self._complete:
            patience_ms = listening.phrase_ms if self._continues else listening.complete_ms
        over = ""
        if (self._frames - self._last_voice) * FRAME_MS >= patience_ms:
            over = END
        elif self.now_ms - self.speech_start_ms >= listening.utterance_ms_max:
            over = TOO_LONG
        if over:
            self._over = True
            self.speech_end_ms = self._last_voice * FRAME_MS
        return over


def _append(window: npt.NDArray[np.float64], frame: Samples) -> None:
    window[:-FRAME_SAMPLES] = window[FRAME_SAMPLES:]
    window[-FRAME_SAMPLES:] = frame


jit.on_warm("endpointing", warm)

"""When a caller begins to speak, and when he has finished: gates in order of their price, over frames of 20 ms.

A frame counts as voice when it isn't the prompt's echo (`echo`), is louder than the line (`levels`), is no tone
(`tones`) and a detector of voices says so (WebRTC's, given in as a callable: this room does no I/O and loads nothing).
Speech has begun with four such frames of six, one of which repeats itself as a voice does (breath, hiss and
clatter don't); an optional second opinion may then still say no. It has ended when nothing more was said for as long as
the grammar makes right: short once what was said is complete and can't go on, longer otherwise.

Times are milliseconds from the first frame on; a frame's own are those of its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from engine import jit
from engine.speech import echo, levels, tones
from engine.speech.ports import FRAME_SAMPLES, Listening, Samples

FRAME_MS = 20
PRE_ROLL_FRAMES = 15
END, TOO_LONG = "end", "too_long"

_OVER_FLOOR_DB = 6.0
_LOUD_DBFS = -55.0
_OVER_ECHO_DB = -9.0  # what is left of an echo isn't taken for somebody, unless it is louder than this
_UNDER_SPEECH_DB = 22.0  # softer than the talker's own speech by more: somebody else, or the room
_UNDER_CALLER_DB = 14.0  # the same for cutting a prompt short, of what is known from earlier in the call
_START, _OF = 4, 6
_STAYS, _OF_LAST = 3, 10
_PERIODIC = 0.55
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


def warm() -> None:
    """Compile every kernel of this module's gates."""
    quiet, noise = np.zeros(FRAME_SAMPLES, np.int16), np.arange(FRAME_SAMPLES, dtype=np.int16) * 199 % 3_001
    listener = Endpointer(Listening("", ""), lambda frame: True)
    for sent in (quiet, noise.astype(np.int16), quiet, quiet):
        listener.hear(noise.astype(np.int16), sent)


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
        self._scratch = tones.scratch()
        self._whole, self._newest = np.zeros(tones.SIZE), np.zeros(tones.SIZE)  # the last samples with and without echo
        self._before: deque[Samples] = deque(maxlen=PRE_ROLL_FRAMES + _OF)
        self._voices: deque[bool] = deque([False] * _OF_LAST, maxlen=_OF_LAST)
        self._periodic: deque[bool] = deque([False] * _OF, maxlen=_OF)
        self._tones = self._frames = self._prompt_frames = self._last_voice = 0
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
    def _judge(self, said: Samples, sent: Samples, mute: bool) -> tuple[Samples, bool]:
        """The frame without its echo, and whether it is a voice."""
        line_gate = max(float(self._levels[levels.FLOOR]) + _OVER_FLOOR_DB, _LOUD_DBFS)
        level = float(levels.level_dbfs(self._raw, said))
        noise = 10 ** ((float(self._levels[levels.FLOOR]) - level) / 10)
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
        gate = max(floor + _OVER_FLOOR_DB, _LOUD_DBFS, self._echo.echo_dbfs + _OVER_ECHO_DB)
        if speaking:
            gate = max(gate, float(self._levels[levels.SPEECH]) - _UNDER_SPEECH_DB)
        voice = level > gate and heard and not mute and not tone
        if voice and rest is not None:
            tone = bool(tones.is_tone(self._newest, self._scratch, noise))
            voice = not tone
        self._tones = self._tones + 1 if tone else 0 if voice else self._tones
        self._periodic.append(voice and not speaking and float(tones.periodicity(self._newest)) > _PERIODIC)
        self.gates = Gates(level, floor, self._echo.echo_dbfs, tone, voice)
        return frame, voice

    # --- the beginning ---------------------------------------------------------------------------------------
    def _wait(self, frame: Samples, playing: bool) -> Step:
        self._before.append(frame)
        if self._tones >= _TONES_RESET or not self._may_start(playing):
            self._voices.extend([False] * _OF_LAST)
            return NOTHING
        last = list(self._voices)[-_OF:]
        if sum(last) < _START or not any(self._periodic):
            return NOTHING
        if playing and self.gates.level < self._known_dbfs - _UNDER_CALLER_DB:
            return NOTHING
        if self._second_opinion is not None:
            recent = list(self._before)[-2 * _OF :]
            if not self._second_opinion(np.concatenate(recent)):
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

"""Callers who are listened to: from the Switch's wish over the ears of the media plane to a recogniser, and back.

Every 20 ms all ears are drained with one kernel call, and what they heard goes to the recogniser children in one write
each; nothing here waits for anything. As long as no dialplan of the site listens for speech, no child runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from engine.call.listening import ListenEnded, ListenWanted, SpeechDone, SpeechStarted
from engine.dialplan.speech_model import FOLDER, NONE, REMOTE, SpeechModel, recognizer_of
from engine.runtime import recognizer_wire as wire
from engine.runtime import second_opinion, warming
from engine.runtime.kept_sound import Missing
from engine.runtime.recognizer_pool import Figures, Pool
from engine.speech.ports import FAILED, Utterance

if TYPE_CHECKING:
    from engine.dialplan.model import Site
    from engine.runtime.server import Server

drain_s = 0.02
children_max = 2
_NUMBERS = 1 << 31


class _Listening(msgspec.Struct):
    """One wish that stands. `ear`: -1 once it has ended."""

    call: int
    ticket: int
    ear: int


class Recognizers:
    """`use` a site, `listen` and `end` for the Switch, `await close()`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._pool: Pool | None = None
        self._hearing: Any = None  # engine.runtime.ears.Hearing, from the first wish on
        self._standing: dict[int, _Listening] = {}  # by number
        self._numbers: dict[tuple[int, int], int] = {}  # (call, ticket) -> number
        self._of_ear: dict[int, int] = {}
        self._number = 0
        self._ticking = False
        self._due_s = 0.0
        self.late_ticks = 0

    @property
    def figures(self) -> Figures:
        """What the children have done; all zero while none runs."""
        return self._pool.figures if self._pool is not None else Figures()

    def use(self, site: Site) -> None:
        """Its grammars are what can be listened for; each is made ready for the recognisers that will need it."""
        if not site.grammars and self._pool is None:
            return
        if self._pool is None:
            self._pool = Pool(self.server.log, self._began, self._done, size=children_max)
            self._pool.tell_unkept = Missing(self.server).tell
            self.server.log.info(f"recognisers: {second_opinion.told()}")
        early: dict[tuple[str, str], None] = {}
        remote = False
        for tenant in site.tenants.values():
            for key, grammar in site.grammars.items():
                engine = engine_of(recognizer_of(tenant.speech, grammar.language), grammar.language)
                if engine is not None:
                    early[key, engine.folder] = None
                    remote |= engine.kind == REMOTE
        self._pool.learn(site.grammars, list(early), remote)
        self._pool.start()

    async def early(self, site: Site | None, warm: Callable[[], None]) -> None:
        """Run `warm`, while the children load, too: they need longer, and whoever calls first shall not wait for them.
        Where there is something to compile they come later, and find it done."""
        if site is not None and warming.whole():
            self.use(site)
            await asyncio.sleep(0)  # the processes begin, and need nothing of us for a while
        warm()

    # --- the Switch's wishes
    def listen(self, wanted: ListenWanted) -> None:
        """Answered by SpeechDone, whatever happens, unless it is ended before."""
        language, site = wanted.listening.language, self.server.site
        tenant = site.tenants.get(wanted.tenant)
        engine = engine_of(recognizer_of(tenant.speech if tenant is not None else {}, language), language)
        if engine is None or self._pool is None:
            why = f"no recogniser for {language}" if engine is None else "no grammar of the site is known"
            self._answer(wanted.call, wanted.ticket, Utterance(FAILED, detail=why))
            return
        self._number = self._number % _NUMBERS + 1
        number = self._number
        if self._hearing is None:
            self._hearing = self.server.plane.ears.hearing(self._ear_ended)
        ear = self._hearing.start(wanted.row, wanted.generation, number)
        if ear < 0:
            full = Utterance(FAILED, detail="too many callers are listened to at once")
            self._answer(wanted.call, wanted.ticket, full)
            return
        self._standing[number] = _Listening(wanted.call, wanted.ticket, ear)
        self._numbers[wanted.call, wanted.ticket] = number
        self._of_ear[ear] = number
        keep = str(self.server.options.data.resolve() / wanted.keep) if wanted.keep else ""
        self._pool.listen(number, wanted.listening, engine, wanted.call, keep)
        if not self._ticking:
            self._ticking = True
            self._due_s = self.server.loop.time() + drain_s
            self.server.loop.call_at(self._due_s, self._tick)

    def end(self, ended: ListenEnded) -> None:
        """Nobody waits any more."""
        number = self._numbers.get((ended.call, ended.ticket))
        if number is not None and self._pool is not None:
            self._forget(number)
            self._pool.leave(number)

    def _answer(self, call: int, ticket: int, utterance: Utterance) -> None:
        """From the loop, never from within the Switch's own turn."""
        self.server.loop.call_soon(self.server.deliver, SpeechDone(call, ticket, utterance))

    def _forget(self, number: int) -> _Listening | None:
        standing = self._standing.pop(number, None)
        if standing is not None:
            del self._numbers[standing.call, standing.ticket]
            self._hearing.stop(standing.ear)
        return standing

    # --- sound
    def _tick(self) -> None:
        frames = self._hearing.drain()
        if len(frames) and self._pool is not None:
            self._pool.sound(frames.view(wire.FRAME).reshape(-1))
        if not len(self._hearing):
            self._ticking = False
            return
        loop = self.server.loop
        self._due_s += drain_s
        if self._due_s < loop.time():  # the loop was held up: no burst of ticks makes up for it
            self.late_ticks += 1
            self._due_s = loop.time() + drain_s
        loop.call_at(self._due_s, self._tick)

    def _ear_ended(self, ear: int) -> None:
        """Its last frame has been drained: we stopped it, or its leg is gone."""
        number = self._of_ear.pop(ear, 0)
        standing = self._standing.get(number)
        if standing is not None and standing.ear == ear and self._pool is not None:
            self._forget(number)
            self._pool.leave(number)
            self._answer(standing.call, standing.ticket, Utterance(FAILED, detail="the leg is gone"))

    # --- what the children say
    def _began(self, number: int, ms: int) -> None:
        standing = self._standing.get(number)
        if standing is not None:
            self.server.deliver(SpeechStarted(standing.call, standing.ticket, ms))

    def _done(self, number: int, utterance: Utterance) -> None:
        standing = self._forget(number)
        if standing is not None:
            self.server.deliver(SpeechDone(standing.call, standing.ticket, utterance))

    async def close(self) -> None:
        """No more listening: the children end."""
        if self._pool is not None:
            await self._pool.close()


def engine_of(model: SpeechModel, language: str) -> wire.Engine | None:
    """A site's recogniser as a child is told it; None for none."""
    from engine.runtime import graph_shelf

    if model.kind == NONE:
        return None
    own = graph_shelf.shipped(language)
    folder = model.folder or (str(own) if own is not None else "")
    if model.kind == REMOTE:
        return wire.Engine(REMOTE, folder, model.addresses, model.timeout_ms)
    if not folder:
        return None
    return wire.Engine(FOLDER if model.folder else model.kind, folder)

"""The pages about one call: why he waited, and the SIP ladder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.console import capture, sound, story
from engine.console.ladder_view import Columns, message, names_of, parties
from engine.console.link import Gone, Refused
from engine.records.events import Event

if TYPE_CHECKING:
    from engine.console.app import Console

again_s = 2.0


def desk(screen: Screen[Any]) -> Console:
    """The app, as the pages know it."""
    return screen.app  # type: ignore[return-value]


class CallPage(Screen[None]):
    """Everything about one call in words, and keys to act on it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", ""), Binding("q", "back", ""), Binding("s", "ladder", ""),
        Binding("h", "hang_up", ""), Binding("t", "transfer", ""),
    ]  # fmt: skip

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call
        self.shown: list[str] = []
        self.heard: list[str] = []  # how a living call sounds

    def compose(self) -> ComposeResult:
        yield Static(f"call {self.call}", id="head", markup=False)
        with VerticalScroll(id="story"):
            yield Static("reading …", id="text", markup=False)
        yield Static("", id="message", markup=False)
        yield Static("Esc back  s SIP ladder  h hang up  t transfer  ↑↓ scroll", id="help", markup=False)

    def on_mount(self) -> None:
        self.query_one("#story").focus()
        self.set_interval(again_s, self.read)
        self.set_interval(again_s, self.listen)
        self.call_after_refresh(self.read)
        self.call_after_refresh(self.listen)

    async def listen(self) -> None:
        """How its legs sound now, from the engine; of a call that is over the records tell."""
        try:
            legs = (await desk(self).link.ask("sound", call=self.call))["legs"]
        except (Gone, Refused):
            legs = []
        self.heard = [line for leg in legs for line in sound.whole(sound.of_event(leg))]
        self.read()

    def read(self) -> None:
        """Again from the records: a living call grows."""
        app = desk(self)
        events = app.store_events(self.call)
        over = any(event.kind == "call.ended" for event in events)
        now_ms = 0 if over else app.now_ms()
        lines = story.tell(events, self._before(events), now_ms=now_ms, during=app.store_during(events))
        if self.heard and not over:
            lines += ["", "How it sounds now:", *(f"  {line}" for line in self.heard)]
        if lines != self.shown:
            self.shown = lines
            self.query_one("#text", Static).update("\n".join(lines))

    def _before(self, events: list[Event]) -> dict[str, str]:
        """What the agents of his (first) queue did when he joined."""
        joined = next((event for event in events if event.kind == "queue.joined"), None)
        if joined is None:
            return {}
        app = desk(self)
        mine = [key for key, queues in app.seats.items() if joined.data["queue"] in queues]
        return story.at_that_moment(app.states_before(joined), mine)

    def say(self, text: str) -> None:
        self.query_one("#message", Static).update(text)

    def action_back(self) -> None:
        self.dismiss(None)

    def action_ladder(self) -> None:
        desk(self).open_ladder(self.call)

    def action_hang_up(self) -> None:
        desk(self).hang_up(self.call)

    def action_transfer(self) -> None:
        desk(self).transfer(self.call)


class LadderPage(Screen[None]):
    """Columns per party, arrows, the chosen message below; Enter gives it the whole page."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", ""), Binding("q", "leave", ""), Binding("enter", "whole", "", priority=True),
        Binding("left", "move(-1)", "", priority=True), Binding("right", "move(1)", "", priority=True),
        Binding("w", "write", ""),
    ]  # fmt: skip

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call
        self.hops: list[dict[str, Any]] = []
        self.first = 0
        self.reading = False

    def compose(self) -> ComposeResult:
        yield Static(f"SIP of call {self.call}", id="head", markup=False)
        yield Static("", id="parties", markup=False)
        yield OptionList(id="ladder", markup=False, compact=True)
        with VerticalScroll(id="message-box"):
            yield Static("reading …", id="whole", markup=False)
        yield Static("", id="message", markup=False)
        yield Static("Esc back  ↑↓ message  Enter read it whole  ←→ parties  w write capture", id="help", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self.set_interval(again_s, self.read)
        self.call_after_refresh(self.read)

    async def read(self) -> None:
        """The kept signalling; what is new is added below."""
        app = desk(self)
        try:
            hops = await app.link.ladder(self.call)
        except (Gone, Refused) as error:
            if not self.hops:
                self.query_one("#whole", Static).update(str(error))
            self.say(str(error))
            return
        if len(hops) != len(self.hops) or not self.hops:
            self.hops = hops
            self.draw()

    def draw(self) -> None:
        """The ladder at this width, from the chosen first party on."""
        app = desk(self)
        columns = Columns(parties(self.hops), self.size.width - 2, self.first)
        self.first = columns.first
        names = names_of(self.hops, app.dialogs(self.call))
        heads = columns.heads(names)
        self.query_one("#parties", Static).update("\n".join(f" {line}" for line in heads))
        ladder = self.query_one(OptionList)
        chosen = ladder.highlighted
        ladder.clear_options()
        ladder.add_options([Option(columns.line(hop)) for hop in self.hops])
        if self.hops:
            ladder.highlighted = min(chosen or 0, len(self.hops) - 1)
        more = f", {columns.hidden} parties more: ←→" if columns.hidden else ""
        head = f"SIP of call {self.call}: {len(self.hops)} messages, secrets removed{more}"
        self.query_one("#head", Static).update(head)

    def on_resize(self) -> None:
        if self.hops:
            self.draw()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if 0 <= event.option_index < len(self.hops):
            self.query_one("#whole", Static).update(message(self.hops[event.option_index]))
            self.query_one("#message-box", VerticalScroll).scroll_home(animate=False)

    def say(self, text: str) -> None:
        self.query_one("#message", Static).update(text)

    def action_back(self) -> None:
        if self.reading:
            self.action_whole()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_whole(self) -> None:
        """The message alone, or the ladder above it again."""
        self.reading = not self.reading
        self.set_class(self.reading, "whole")
        self.query_one("#message-box" if self.reading else "#ladder").focus()

    def action_move(self, by: int) -> None:
        if self.hops and not self.reading:
            self.first = max(0, self.first + by)
            self.draw()

    async def action_write(self) -> None:
        """A capture for the carrier, in the folder where the console was started."""
        path = Path(f"{self.call}.pcapng").absolute()
        try:
            hops = await desk(self).link.ladder(self.call, raw=True)
            path.write_bytes(capture.pcapng(capture.messages(hops), f"call {self.call}"))
        except (Gone, Refused) as error:
            self.say(str(error))
        except OSError as error:
            self.say(f"can't write {path}: {error.strerror}")
        else:
            self.say(f"{len(hops)} messages written to {path}")

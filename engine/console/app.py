"""The operators' desk in the terminal: calls, queues, agents, trunks, events; a call's story and ladder; keys to act.

A process of its own. It asks the engine for snapshots of what is on the screen, every two seconds, follows the event
stream only while the events are on the screen, and reads a call's past from the record store: an engine that nobody
looks at pays nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Input, RichLog, Static

from engine.console import tables
from engine.console.dialogs import Ask, Confirm, Help
from engine.console.format import clock
from engine.console.link import Gone, Link, Refused
from engine.console.screens import CallPage, LadderPage
from engine.console.store import Store
from engine.console.words import TailText
from engine.errors import SiteError
from engine.records.events import Event
from engine.records.kpi_board import board

VIEWS = ("calls", "queues", "agents", "trunks", "events")
KEYS = {
    "calls": "Enter why  s SIP  h hang up  t transfer",
    "queues": "c close  o open",
    "agents": "r ready  n not ready  i log in  x log out",
    "trunks": "",
    "events": "Enter the latest call",
}
LIST_ACTIONS = frozenset(
    "view next filter clear ladder hang_up transfer close_queue open_queue ready not_ready log_in log_out story".split()
)
look_s = 2.0
status_looks = 3  # a status for so many looks
events_kept_max = 2_000
events_first = 200
caught_up_s = 1.0  # by then the store holds what had happened when the stream began
drawn_s = 0.25  # events are drawn together, four times a second at most

STYLE = """
Screen { layers: base top; }
#head { height: 1; background: $primary; color: $text; text-style: bold; }
#views { height: 1; color: $text-muted; }
#message { height: 1; color: $warning; }
#help { height: 1; background: $panel; color: $text-muted; }
#filter { display: none; height: 1; }
#filter.asked { display: block; }
DataTable, RichLog { height: 1fr; display: none; scrollbar-size-horizontal: 0; }
DataTable.seen, RichLog.seen { display: block; }
#story { height: 1fr; padding: 0 1; }
#parties { height: 2; color: $accent; }
#ladder { height: 1fr; border: none; padding: 0 1; }
#message-box { height: 40%; border-top: solid $primary; padding: 0 1; }
LadderPage.whole #ladder, LadderPage.whole #parties { display: none; }
LadderPage.whole #message-box { height: 1fr; border: none; }
Confirm, Ask, Help { align: center middle; }
.dialog { width: 66; max-width: 100%; height: auto; border: round $warning; background: $surface; padding: 0 1; }
.page { width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $primary; background: $surface; }
.quiet { color: $text-muted; }
"""


class Plain:
    """A cell of a list: shown letter by letter. (A str would be read as markup, and callers choose their names.)"""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Console(App[None]):
    """See the module's docstring. `link` and `now_ms` are replaced where the console is drawn from a recording."""

    CSS = STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"view('{view}')", "") for number, view in enumerate(VIEWS, 1)),
        Binding("tab", "next", "", priority=True), Binding("slash", "filter", ""), Binding("escape", "clear", ""),
        Binding("question_mark", "help", ""), Binding("q", "quit", ""), Binding("s", "ladder", ""),
        Binding("h", "hang_up", ""), Binding("t", "transfer", ""), Binding("c", "close_queue", ""),
        Binding("o", "open_queue", ""), Binding("r", "ready", ""), Binding("n", "not_ready", ""),
        Binding("i", "log_in", ""), Binding("x", "log_out", ""), Binding("enter", "story", ""),
    ]  # fmt: skip

    def __init__(
        self, folder: Path, view: str = "calls", *, link: Link | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.link = link or Link(folder)
        self.now_ms = now_ms or (lambda: int(time.time() * 1000))
        self.view = view
        self.words = ""  # of the filter
        self.gone = ""
        self.rows: list[tuple[str, tables.Cells]] = []
        self.status: dict[str, Any] = {}
        self.seats: dict[str, list[str]] = {}  # agent -> his queues
        self.events: deque[Event] = deque(maxlen=events_kept_max)
        self._seen: dict[tuple[str, int], bool] = {}
        self._looks = 0
        self._looking = False
        self._undrawn: list[Event] = []
        self._tail_text = TailText()
        self._said_at = 0.0

    def compose(self) -> ComposeResult:
        yield Static("", id="head", markup=False)
        yield Static("", id="views", markup=False)
        for view in VIEWS[:-1]:
            table: DataTable[Plain] = DataTable(id=view, cursor_type="row", zebra_stripes=False)
            for heading, width in tables.COLUMNS[view]:
                table.add_column(heading, width=width, key=heading)
            yield table
        yield RichLog(id="events", max_lines=events_kept_max, wrap=False, markup=False, auto_scroll=True)
        yield Static("", id="message", markup=False)
        yield Input(id="filter", placeholder="words; Enter keeps, Esc shows all again", compact=True)
        yield Static("", id="help", markup=False)

    def on_mount(self) -> None:
        self.action_view(self.view)
        self.set_interval(look_s, self.look)
        self.set_interval(drawn_s, self._draw_events)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the lists do nothing while a page stands in front of them."""
        return action not in LIST_ACTIONS or len(self.screen_stack) == 1

    # --- looking ---------------------------------------------------------------------------------------------
    async def look(self) -> None:
        """Fetch what is on the screen. One look at a time; an engine that is gone is said and looked for again.

        Behind a page about one call the lists wait; whether the engine is there is asked all the same.
        """
        if self._looking:
            return
        self._looking = True
        view, front = self.view, len(self.screen_stack) == 1
        try:
            rows = await self._fetch(view) if front else []
            if self._looks % status_looks == 0:
                self.status = await self.link.ask("status")
            self._looks += 1
        except Gone as gone:
            self.gone = self.gone or clock(self.now_ms())[:8]
            self._looks = 0
            self.say(f"{gone}; looking again every {look_s:.0f} s")
        except Refused as refused:
            self.say(str(refused))
        else:
            if self.gone:
                self.say(f"the engine answers again (gone since {self.gone})")
                self.gone = ""
                if view == "events":
                    self._follow()
            if front and view == self.view and self.lists.query(f"#{view}"):
                self.rows = rows
                self.draw()
        finally:
            self._looking = False
            self._draw_head()

    async def _fetch(self, view: str) -> list[tuple[str, tables.Cells]]:
        if view == "queues":
            rows = await self.link.ask("queues")
            closed = {row["name"]: bool(row.get("closed")) for row in rows}
            return [tables.queue(each, closed[each.queue]) for each in board(rows)]
        if view == "events":
            return []
        rows = await self.link.all_calls() if view == "calls" else await self.link.ask(view)
        if view == "agents":
            self.seats = {f"{row['tenant']}/{row['agent']}": row.get("queues") or [] for row in rows}
        return [tables.ROWS[view](row) for row in rows]

    def draw(self) -> None:
        """The list on the screen: changed cells are written, the cursor stays on its row."""
        if self.view == "events":
            return
        table: DataTable[Plain] = self.lists.query_one(f"#{self.view}", DataTable)
        rows = tables.matching(self.rows, self.words)
        keys = [key for key, _ in rows]
        known = [str(key.value) for key in table.rows]
        if known != keys:
            chosen = self.chosen()
            wanted = dict.fromkeys(keys)
            stay = [key for key in known if key in wanted]
            if keys[: len(stay)] == stay:
                for key in known:
                    if key not in wanted:
                        table.remove_row(key)
            else:
                table.clear()
            have = {str(key.value) for key in table.rows}
            for key, cells in rows:
                if key not in have:
                    table.add_row(*map(Plain, cells), key=key)
            if chosen in keys:
                table.move_cursor(row=keys.index(chosen))
        columns = tables.COLUMNS[self.view]
        for key, cells in rows:
            old = table.get_row(key)
            for (heading, _), cell, was in zip(columns, cells, old, strict=True):
                if str(was) != cell:
                    table.update_cell(key, heading, Plain(cell))
        if not rows:
            self.say_quietly("nothing matches the filter" if self.rows else f"no {self.view}")

    def _draw_head(self) -> None:
        switch = self.status.get("switch") or {}
        head = "ringdown"
        if self.status:
            off = len(switch.get("switches") or ()) + bool(self.status.get("draining"))
            head += (
                f" {self.status['version']}  calls {switch.get('calls', '?')}  waiting {switch.get('waiting', '?')}"
                + (f"  switches off default {off}" if off else "") + ("  DRAINING" if self.status["draining"] else "")
            )
        if self.gone:
            head = f"NO ENGINE since {self.gone}, looking again; below is what was"
        self._put("#head", f" {head}")
        views = "  ".join(f"[{n} {view}]" if view == self.view else f" {n} {view} " for n, view in enumerate(VIEWS, 1))
        shown = views + (f"   filter: {self.words}" if self.words else "")
        self._put("#views", shown)
        keys = "  ".join(part for part in (KEYS[self.view], "/ filter  ? help  q quit") if part)
        self._put("#help", f" {keys}")

    def _put(self, where: str, text: str) -> None:
        """Text for a line of the lists' page; while the console closes there is none any more."""
        for line in self.lists.query(where).results(Static) if self.screen_stack else ():
            line.update(text)

    @property
    def lists(self) -> Screen[Any]:
        """The page with the views, whatever stands in front of it."""
        return self.screen_stack[0]

    def say(self, text: str) -> None:
        """One line for the operator, on whatever page he is."""
        self._said_at = time.monotonic()
        for line in self.screen.query("#message").results(Static):  # the page in front, if it has such a line
            line.update(f" {text}")
        self._put("#message", f" {text}")

    def say_quietly(self, text: str) -> None:
        """Only where nothing more important was said lately."""
        if time.monotonic() - self._said_at > 5 * look_s or not self._said_at:
            self._put("#message", f" {text}")

    def chosen(self) -> str:
        """The key of the row under the cursor, '' without one."""
        if self.view == "events":
            return next((event.call for event in reversed(self.events) if event.call), "")
        table = self.lists.query_one(f"#{self.view}", DataTable)
        if not table.row_count:
            return ""
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    # --- events --------------------------------------------------------------------------------------------------
    def _follow(self) -> None:
        """Show what was, then follow; only as long as the events are on the screen."""
        self.events.clear()
        self._undrawn.clear()
        self.lists.query_one("#events", RichLog).clear()
        self.run_worker(self._events(), group="events", exclusive=True, exit_on_error=False)

    async def _events(self) -> None:
        """The store's latest, then the engine's own stream. Records are written in batches: what was on its way into
        the store when the stream began is read a second later."""
        seen: dict[tuple[str, int], bool] = {}
        self._seen = seen

        def take(event: Event) -> None:
            if (event.boot, event.n) not in seen:
                seen[event.boot, event.n] = True
                self._undrawn.append(event)
                if len(seen) > 2 * events_kept_max:
                    del seen[next(iter(seen))]

        def catch_up() -> None:
            if self.view == "events" and self._seen is seen:
                for event in self._read(lambda store: store.latest(events_first)):
                    take(event)

        try:
            for event in self._read(lambda store: store.latest(events_first)):
                take(event)
            self.set_timer(caught_up_s, catch_up)
            async for item in self.link.tail():
                take(msgspec.convert(item["event"], Event))
        except (Gone, Refused) as error:
            self.gone = self.gone or clock(self.now_ms())[:8]
            self.say(str(error))

    def _draw_events(self) -> None:
        if not self._undrawn:
            return
        events, self._undrawn = self._undrawn, []
        log = self.lists.query_one("#events", RichLog)
        follows = log.is_vertical_scroll_end  # asked once: while a batch is drawn, its first lines push the end away
        for event in events[-events_kept_max:]:
            self.events.append(event)
            self._write(log, event)
        if follows:
            self.call_after_refresh(log.scroll_end, animate=False)  # what was drawn has a height only then

    def _write(self, log: RichLog, event: Event) -> None:
        wanted = self.words.lower().split()
        for line in self._tail_text.lines(event):
            if all(word in line.lower() for word in wanted):
                log.write(line)

    # --- the record store ------------------------------------------------------------------------------------------
    def _read(self, work: Callable[[Store], Any]) -> Any:
        """Ask the record store; what it can't answer is said, and is empty."""
        try:
            store = Store(self.folder / "ringdown.db")
            try:
                return work(store)
            finally:
                store.close()
        except SiteError as error:
            self.say(str(error))
            return []

    def store_events(self, call: str) -> list[Event]:
        """Everything recorded of a call."""
        found: list[Event] = self._read(lambda store: store.of_call(call))
        return found

    def states_before(self, event: Event) -> dict[str, Event]:
        """agent -> his last change of state before an event."""
        found = self._read(lambda store: store.agents_before(event))
        return found or {}

    def store_during(self, events: list[Event]) -> list[Event]:
        """What happened around a call while it waited."""
        return self._read(lambda store: store.during(events)) or []

    def dialogs(self, call: str) -> dict[str, str]:
        """Call-ID -> whose dialog it is."""
        found = {}
        for event in self.store_events(call):
            if event.kind == "call.started":
                found[str(event.data["sip"])] = f"caller {event.data['caller']}"
            elif event.kind == "call.leg":
                found[str(event.data["sip"])] = str(event.data["leg"])
        return found

    # --- views -----------------------------------------------------------------------------------------------------
    def action_view(self, view: str) -> None:
        self.view = view
        for each in VIEWS:
            self.lists.query_one(f"#{each}").set_class(each == view, "seen")
        self.lists.query_one(f"#{view}").focus()
        self.rows = []
        self.lists.query_one("#message", Static).update("")
        if view == "events":
            self._follow()
        else:
            self.workers.cancel_group(self, "events")
        self._draw_head()
        self.call_after_refresh(self.look)

    def action_next(self) -> None:
        self.action_view(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def action_filter(self) -> None:
        field = self.lists.query_one("#filter", Input)
        field.set_class(True, "asked")
        field.value = self.words
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter":
            self.words = event.value
            self._filtered()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "filter":
            self.lists.query_one("#filter").set_class(False, "asked")
            self.lists.query_one(f"#{self.view}").focus()

    def action_clear(self) -> None:
        """Esc: no filter any more."""
        self.words = ""
        field = self.lists.query_one("#filter", Input)
        field.value = ""
        field.set_class(False, "asked")
        self.lists.query_one(f"#{self.view}").focus()
        self._filtered()

    def _filtered(self) -> None:
        if self.view == "events":
            log = self.lists.query_one("#events", RichLog)
            log.clear()
            for event in self.events:
                self._write(log, event)
        else:
            self.draw()
        self._draw_head()

    def action_help(self) -> None:
        self.push_screen(Help())

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_story()

    def action_story(self) -> None:
        call = self.chosen() if self.view in ("calls", "events") else ""
        if call:
            self.push_screen(CallPage(call))

    def action_ladder(self) -> None:
        call = self.chosen() if self.view in ("calls", "events") else ""
        if call:
            self.open_ladder(call)

    def open_ladder(self, call: str) -> None:
        """The SIP ladder of a call, over whatever is shown."""
        self.push_screen(LadderPage(call))

    # --- acts ------------------------------------------------------------------------------------------------------
    def act(self, verb: str, **arguments: str) -> None:
        """Send a command; its effect and its undo are said."""
        self.run_worker(self._act(verb, arguments), group="acts", exit_on_error=False)

    async def _act(self, verb: str, arguments: dict[str, str]) -> None:
        try:
            result = await self.link.ask(verb, **arguments)
        except (Gone, Refused) as error:
            self.say(str(error))
            return
        what = result.get("call") or result.get("queue") or result.get("agent") or ""
        self.say(f"{what}: {result['done']}   (undo: {result['undo']})")
        await self.look()

    def confirm(self, question: str, verb: str, **arguments: str) -> None:
        """Ask first, because it hurts somebody."""

        def done(yes: bool | None) -> None:
            if yes:
                self.act(verb, **arguments)

        self.push_screen(Confirm(question), done)

    def hang_up(self, call: str) -> None:
        """End a call, after a yes."""
        self.confirm(f"Hang up call {call}? The caller can only ring again.", "call.hangup", call=call)

    def transfer(self, call: str) -> None:
        """Send a call elsewhere, after the operator said where."""

        def done(to: str | None) -> None:
            if to:
                self.act("call.transfer", call=call, to=to)

        self.push_screen(Ask(f"Transfer call {call} to which number or agent?"), done)

    def action_hang_up(self) -> None:
        call = self.chosen() if self.view == "calls" else ""
        if call:
            self.hang_up(call)

    def action_transfer(self) -> None:
        call = self.chosen() if self.view == "calls" else ""
        if call:
            self.transfer(call)

    def action_close_queue(self) -> None:
        queue = self.chosen() if self.view == "queues" else ""
        if queue:
            question = f"Close queue {queue} for new callers? Who waits is still served."
            self.confirm(question, "queue.close", queue=queue)

    def action_open_queue(self) -> None:
        queue = self.chosen() if self.view == "queues" else ""
        if queue:
            self.act("queue.open", queue=queue)

    def _agent(self) -> str:
        return self.chosen() if self.view == "agents" else ""

    def action_ready(self) -> None:
        if agent := self._agent():
            self.act("agent.ready", agent=agent)

    def action_not_ready(self) -> None:
        agent = self._agent()

        def done(reason: str | None) -> None:
            if reason:
                self.act("agent.not_ready", agent=agent, reason=reason)

        if agent:
            self.push_screen(Ask(f"Agent {agent} not ready: why?", "break"), done)

    def action_log_in(self) -> None:
        if agent := self._agent():
            self.act("agent.login", agent=agent)

    def action_log_out(self) -> None:
        if agent := self._agent():
            self.confirm(f"Log agent {agent} out? No calls are offered to him any more.", "agent.logout", agent=agent)

"""What the console asks before it acts: a yes where it hurts, a word where one is needed, and the help page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

HELP = """\
1 calls   2 queues   3 agents   4 trunks   5 events   Tab next view
/ filter by words (Esc: all again)   ↑↓ PgUp PgDn Home End move   q quit

calls    Enter why he waited, everything that happened   s SIP ladder
         h hang up   t transfer to a number, agent or outside number
queues   c close for new callers   o open again
agents   r ready   n not ready, with a reason   i log in   x log out
events   Enter the call of the latest line
ladder   ↑↓ message   Enter read it whole   ←→ further parties   w write a capture

Every act is printed with its undo, and recorded with your name.
What hurts a caller is asked first. Signs and words say what colours say.

Press any key."""


class Confirm(ModalScreen[bool]):
    """One question; y does it, everything else doesn't."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.question, markup=False)
            yield Static("y yes   any other key: no", classes="quiet", markup=False)

    def on_key(self, event: object) -> None:
        key = getattr(event, "key", "")
        getattr(event, "stop", lambda: None)()
        self.dismiss(key == "y")


class Ask(ModalScreen[str]):
    """One line of text; '' when it was given up."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "give_up", "")]

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self.question, self.value = question, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self.question, markup=False)
            yield Input(self.value, compact=True, id="answer")
            yield Static("Enter does it   Esc: nothing", classes="quiet", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())

    def action_give_up(self) -> None:
        self.dismiss("")


class Help(ModalScreen[None]):
    """All keys on one page."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="page"):
            yield Static(HELP, markup=False)

    def on_key(self, event: object) -> None:
        getattr(event, "stop", lambda: None)()
        self.dismiss(None)

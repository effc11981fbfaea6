"""The SIP ladder of a call as text: a column per party, an arrow per message, in 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.console.format import clock, cut, fit

US = "ringdown"
TIME_CELLS = 13
GAP_CELLS_MIN = 20  # between two columns: room for "407 Proxy Authentication…"
GAP_CELLS_MAX = 34


def parties(hops: Sequence[Mapping[str, Any]]) -> list[str]:
    """Far ends (host:port) in the order in which they appear."""
    return list(dict.fromkeys(str(hop["far_end"]) for hop in hops))


def names_of(hops: Sequence[Mapping[str, Any]], dialogs: Mapping[str, str]) -> dict[str, str]:
    """far end -> who that is, where a dialog's Call-ID tells ("caller 5551", "agent 201")."""
    found: dict[str, str] = {}
    for hop in hops:
        who = dialogs.get(str(hop["call_id"]))
        if who:
            found.setdefault(str(hop["far_end"]), who)
    return found


def method_of(text: str) -> str:
    """The method that an answer belongs to, from its CSeq."""
    for line in text.split("\r\n\r\n", 1)[0].splitlines():
        if line[:5].lower() == "cseq:":
            return line.split()[-1]
    return ""


def label(hop: Mapping[str, Any]) -> str:
    """ "INVITE SDP", "200 OK SDP" (to an INVITE), "200 OK BYE"."""
    text = str(hop["text"])
    first = text.partition("\r\n")[0]
    if first.startswith("SIP/2.0 "):
        method = method_of(text)
        what = first[8:] if method == "INVITE" else f"{first[8:]} {method}".rstrip()
    else:
        what = first.partition(" ")[0]
    return what + (" SDP" if "\nm=audio " in text else "")


class Columns:
    """Which parties are seen, and where: the caller's side left of us, everybody else right."""

    def __init__(self, far: Sequence[str], width: int, first: int = 0) -> None:
        room = width - TIME_CELLS
        most = max(1, room // GAP_CELLS_MIN)  # far ends that fit beside us
        self.far = list(far)
        self.first = max(0, min(first, len(self.far) - most))
        self.seen = self.far[self.first : self.first + most]
        self.hidden = len(self.far) - len(self.seen)
        self.order = [*self.seen[:1], US, *self.seen[1:]]
        gap = min(GAP_CELLS_MAX, (room - 1) // len(self.order))
        self.gap = gap
        self.at = {party: TIME_CELLS + gap // 2 + place * gap for place, party in enumerate(self.order)}
        self.width = width

    def heads(self, names: Mapping[str, str]) -> list[str]:
        """Two lines: who, and at which address."""
        who, where = [" "] * self.width, [" "] * self.width
        for party in self.order:
            middle = self.at[party]
            name = US if party == US else names.get(party, "")
            _write(who, middle, cut(name, self.gap - 1))
            _write(where, middle, cut("" if party == US else party, self.gap - 1))
        return ["".join(who).rstrip(), "".join(where).rstrip()]

    def line(self, hop: Mapping[str, Any]) -> str:
        """One message: its time, the lifelines, and the arrow with what it says."""
        cells = [" "] * self.width
        cells[: TIME_CELLS - 1] = fit(clock(int(hop["at_ms"])), TIME_CELLS - 1)
        for column in self.at.values():
            if column < self.width:
                cells[column] = "│"
        far = str(hop["far_end"])
        incoming = hop["way"] == "in"
        if far not in self.at:
            text = f"{'◀' if incoming else '▶'} {far} {label(hop)}"
            column = self.at[US] + 2
            cells[column:] = fit(text, self.width - column)
            return "".join(cells).rstrip()
        left, right = sorted((self.at[far], self.at[US]))
        rightward = incoming == (self.at[far] < self.at[US])
        inner = right - left - 1
        text = cut(label(hop), inner - 4)
        shaft = f" {text} ".center(inner - 1, "─")
        cells[left + 1 : right] = f"{shaft}▶" if rightward else f"◀{shaft}"
        return "".join(cells).rstrip()


def _write(cells: list[str], middle: int, text: str) -> None:
    start = max(0, min(middle - len(text) // 2, len(cells) - len(text)))
    cells[start : start + len(text)] = text


def message(hop: Mapping[str, Any]) -> str:
    """One whole message to read, with where it went."""
    way = f"{hop['far_end']} → {US}" if hop["way"] == "in" else f"{US} → {hop['far_end']}"
    here = f" ({hop['here']})" if hop.get("here") else ""
    text = str(hop["text"]).replace("\r\n", "\n").rstrip()
    return f"{clock(int(hop['at_ms']))}  {way}{here}  {hop['transport']}\n\n{text}"

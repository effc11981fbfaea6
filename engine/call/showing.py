"""What an agent's phone shows and how it rings: the display name of the INVITE, Alert-Info, answering by itself."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine import limits
from engine.call import signatures

if TYPE_CHECKING:
    from engine.call.call import Call
    from engine.call.room import Room
    from engine.dialplan.model import QueueModel

DISPLAY_CHARACTERS_MAX = 30
SHOWN = "X-Ringdown-Show"
DISPLAY = "[{tenant} {queue}] {caller}"
# letters that decompose into nothing: as their own languages write them where they have no such key
_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "–": "-", "—": "-", "‘": "'", "’": "'",
    "“": '"', "”": '"', "…": "...", "\u00a0": " ",
}  # fmt: skip


def ascii_text(text: str) -> str:
    """`text` in printable ASCII: accents go, letters with a spelling of their own are spelt, the rest is left out."""
    spelt = "".join(_LETTERS.get(letter, letter) for letter in text)
    plain = unicodedata.normalize("NFKD", spelt)
    return "".join(letter for letter in plain if " " <= letter <= "~")


def display_name(call: Call, queue: QueueModel | None) -> str:
    """The queue's template filled in: at most 30 characters of ASCII, what the agent reads before he answers.

    Who has no name, or none that ASCII can say, is shown by his number. The tenant `default` isn't named.
    """
    name = _name(call.caller_name)
    number = ascii_text(call.caller)
    words = {
        "tenant": "" if queue is None or queue.tenant == "default" else queue.tenant,
        "queue": queue.name if queue is not None else "",
        "caller": name or number or "anonymous", "name": name, "number": number, "dialled": ascii_text(call.dialled),
        "verified": signatures.shown(call.identity),
    }  # fmt: skip
    template = (queue.display if queue is not None else "") or DISPLAY
    text = re.sub(r"\{([a-z]+)\}", lambda match: words.get(match.group(1), ""), template)
    text = ascii_text(text)  # the template's own words
    text = re.sub(r" {2,}", " ", text).replace("[ ", "[").replace(" ]", "]").replace("[]", "")
    return text.strip()[:DISPLAY_CHARACTERS_MAX].rstrip()


def _name(text: str) -> str:
    """A name in ASCII, '' when most of its letters can't be said there."""
    plain = ascii_text(text).strip()
    letters = sum(1 for letter in text if letter.isalnum())
    said = sum(1 for letter in plain if letter.isalnum())
    return plain if 2 * said >= letters else ""


def offer_headers(call: Call, queue: QueueModel | None) -> tuple[tuple[str, str], ...]:
    """What the INVITE of an offer says beside the display name."""
    alert = queue.alert_info if queue is not None else ""
    alert = alert or f"<urn:alert:source:{'queue-' + queue.name if queue is not None else 'internal'}>"
    headers = [("Alert-Info", alert), ("X-Ringdown-Call", call.name)]
    if call.caller and call.caller.isascii() and call.caller.replace("+", "").isalnum():
        headers.append(("P-Asserted-Identity", f"<sip:{call.caller}@ringdown.invalid>"))
    return (*headers, *signatures.headers(call.identity), *shown_headers(call))


def shown_headers(call: Call) -> tuple[tuple[str, str], ...]:
    """What the dialplan's `show` has for the agent, by a queue's offer or by `dial`; a trunk is told none of it."""
    return tuple((SHOWN, f"{name}={quote(text, safe=' ')}") for name, text in call.shown.items())


def show(room: Room, call: Call, values: dict[str, str]) -> None:
    """The dialplan's `show`: kept for the offers to come, told to whoever watches now. Too long a text is cut."""
    told = {name: text[: limits.shown_characters_max] for name, text in values.items()}
    for name, text in told.items():
        if name in call.shown or len(call.shown) < limits.shown_values_max:
            call.shown[name] = text
    words = "; ".join(f"{name}={text}" for name, text in told.items())
    room.emit("call.shown", call.tenant, call.name, values=words)


def answer_headers(way: str) -> list[tuple[str, str]]:
    """How a phone is asked to answer by itself: `way` of its profile, or its queue's; '' not at all (RFC 5373)."""
    if way == "call-info":
        return [("Call-Info", "<sip:ringdown>;answer-after=0")]
    if way == "alert-info":
        return [("Alert-Info", "<http://ringdown>;info=alert-autoanswer;delay=0")]
    if way == "answer-mode":
        return [("Answer-Mode", "Auto")]
    return []

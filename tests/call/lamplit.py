"""Lamp keys for tests: a phone that watches somebody, and what its key shows."""

from __future__ import annotations

from xml.etree import ElementTree

from engine.sim.phone import Phone
from engine.sim.world import World
from engine.sip import digest
from tests.call.calls import agent, said
from tests.call.test_lamps import shows, subscribe
from tests.sip.dialog_schema import NS, faults


def watcher(w: World, user: str = "203", *watched: str, **habit: object) -> Phone:
    """An agent's phone (not logged in) with a lamp key for each of `watched`."""
    phone = agent(w, user, login=False, **habit)
    shows(w, phone)
    for each in watched:
        watch(w, phone, each)
    return phone


def watch(w: World, phone: Phone, watched: str, *, expires: int = 600) -> str:
    """Subscribe as a phone does, by password; the final status line."""
    call_id = f"key{phone.user}{watched.strip('*')}{w.now_ms}"
    subscribe(w, phone, watched=watched, call_id=call_id, event="dialog", expires=expires)
    challenge = _last(w, call_id)
    value = next(line for line in challenge.split("\r\n") if line.lower().startswith("www-authenticate"))
    answer = digest.respond(
        [value.partition(": ")[2]], phone.user, phone.password, "SUBSCRIBE", "sip:ringdown", w.switch.room.tokens
    )
    subscribe(w, phone, watched=watched, call_id=call_id, event="dialog", expires=expires, authorization=answer, cseq=2)
    return _last(w, call_id).partition("\r\n")[0].removeprefix("SIP/2.0 ")


def _last(w: World, call_id: str) -> str:
    texts = (data.decode() for data in reversed(w.wire))
    return next(text for text in texts if text.startswith("SIP/2.0 ") and call_id in text and "SUBSCRIBE" in text)


def documents(phone: Phone, watched: str) -> list[ElementTree.Element]:
    """All that its key has been told, each valid and one higher than the one before."""
    found = []
    for text in said(phone, "NOTIFY"):
        root = ElementTree.fromstring(text.partition("\r\n\r\n")[2])
        assert faults(root) == []
        if root.get("entity") == f"sip:{watched}@ringdown":
            found.append(root)
    assert [int(root.get("version", "")) for root in found] == list(range(len(found)))
    return found


def dialogs(phone: Phone, watched: str) -> list[ElementTree.Element]:
    """Those of the latest document."""
    return list(documents(phone, watched)[-1])


def states(phone: Phone, watched: str) -> list[str]:
    """What its key has shown, one word for each document: the states in it, joined by +."""
    return [
        "+".join(each.findtext(f"{NS}state", "") for each in root) for root in documents(phone, watched)
    ]  # fmt: skip


def remote(dialog: ElementTree.Element) -> str:
    """The other side's address in a dialog, '' when it isn't told."""
    return dialog.findtext(f"{NS}remote/{NS}identity", "")


def replaces(dialog: ElementTree.Element) -> tuple[str, str]:
    """The header by which the watcher takes the call: the caller's side of the watched dialog (RFC 5359 §2.16)."""
    tags = f"to-tag={dialog.get('remote-tag')};from-tag={dialog.get('local-tag')}"
    return "Replaces", f"{dialog.get('call-id')};{tags}"

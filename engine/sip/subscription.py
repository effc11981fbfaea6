"""Their SUBSCRIBEs, told by NOTIFY (RFC 6665): who has messages waiting (RFC 3842), who is in which dialog (RFC 4235).

A SUBSCRIBE outside a dialog waits for the verdict of the rooms above (`SubscribeRequest`), like a REGISTER. Accepted,
it makes a dialog of its own: 200, a NOTIFY at once (§4.2.1.2), one more whenever what it tells changes, one at a time
and, for dialogs, one a second at most (RFC 4235 §3.10). It ends when it runs out, by Expires: 0, when a NOTIFY is
refused or not answered (§4.2.2), or when the rooms above take it back.
"""

from __future__ import annotations

import msgspec

from engine.sip import dialog_info, digest, writer
from engine.sip.answers import Headers, challenge_headers, reply_now
from engine.sip.binding import Registration, Subscription
from engine.sip.core import Core
from engine.sip.dialog import as_server, refresh_target
from engine.sip.events import Path, SubscribeRequest
from engine.sip.message import Message
from engine.sip.requests import ask, contact_value
from engine.sip.timers import GIVE_UP_MS
from engine.sip.transaction import Kind, State, Transaction
from engine.sip.transaction_layer import reply, start_server


class Package(msgspec.Struct, frozen=True):
    """An event package. `held_max`: subscriptions that one watcher may have, on all his phones together."""

    body: str
    held_max: int
    gap_ms: int = 0  # from one NOTIFY to the next, for changes


PACKAGE = "message-summary"
BODY = "application/simple-message-summary"
PACKAGES = {PACKAGE: Package(BODY, 10), dialog_info.PACKAGE: Package(dialog_info.BODY, 160, 1_000)}
EXPIRES_S_DEFAULT = 3_600  # RFC 3842 §3.4, RFC 4235 §3.4
EXPIRES_S_MAX = 3_600
EXPIRES_S_MIN = 60
Key = tuple[str, ...]


# --- asking for one -----------------------------------------------------------------------------------------
def on_subscribe(core: Core, message: Message, key: Key, path: Path, now_ms: int) -> None:
    """A SUBSCRIBE outside a dialog. Raises ProtocolError for a bad Contact."""
    name = _package(message)
    if name not in PACKAGES:
        return reply_now(core, message, path, 489, headers=(("allow-events", ", ".join(PACKAGES)),))
    body = PACKAGES[name].body
    accept = message.index.get("accept", body).lower()
    if body not in accept and "*/*" not in accept and "application/*" not in accept:
        return reply_now(core, message, path, 406)
    if 0 < _asked_s(message) < EXPIRES_S_MIN:
        return reply_now(core, message, path, 423, headers=(("min-expires", str(EXPIRES_S_MIN)),))
    as_server(message, "-", path)  # what would not make a dialog is refused before anybody is asked
    value = message.index.get("authorization")
    credentials = digest.parse_credentials(value, "SUBSCRIBE") if value is not None else None
    number, to = core.fresh_id(), message.to
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "subscribe", number, now_ms)
    core.subscribing[number] = Registration(number, tx.id)
    core.deadlines.arm(("subscribe", number), now_ms + GIVE_UP_MS)
    core.events.append(SubscribeRequest(number, path, to.user, to.host, credentials, message.uri, name))
    return None


def _package(message: Message) -> str:
    return message.index.get("event", "").partition(";")[0].strip().lower()


def _asked_s(message: Message) -> int:
    return EXPIRES_S_DEFAULT if message.expires is None else min(message.expires, EXPIRES_S_MAX)


def _take(core: Core, number: int) -> tuple[Transaction, Message] | None:
    waiting = core.subscribing.pop(number, None)
    if waiting is None:
        return None
    core.deadlines.cancel(("subscribe", number))
    tx = core.transactions.get(waiting.transaction)
    return None if tx is None or tx.request is None else (tx, tx.request)


def _answer(core: Core, tx: Transaction, message: Message, status: int, now_ms: int, headers: Headers = (),
            tag: str = "") -> None:  # fmt: skip
    data = writer.response(
        message, status, "", tag or core.tokens.hex(12), (*headers, ("server", core.user_agent))
    )
    reply(core, tx, status, data, now_ms)


def challenge(core: Core, number: int, realm: str, now_ms: int, *, stale: bool) -> None:
    """401 with a fresh nonce."""
    taken = _take(core, number)
    if taken is not None:
        _answer(core, *taken, 401, now_ms, challenge_headers(core, realm, now_ms, stale=stale))


def refuse(core: Core, number: int, status: int, now_ms: int) -> None:
    """A final refusal."""
    taken = _take(core, number)
    if taken is not None:
        _answer(core, *taken, status, now_ms)


def on_subscribe_timer(core: Core, number: int, now_ms: int) -> None:
    """Nobody decided (law 6)."""
    refuse(core, number, 500, now_ms)


def accept(core: Core, number: int, owner: str, body: bytes, now_ms: int, *, watcher: str = "") -> None:
    """200, and what it tells as it is now. Of too many of one `watcher` (else the owner) the oldest gives way."""
    taken = _take(core, number)
    if taken is None:
        return
    tx, message = taken
    seconds, tag, name, watcher = _asked_s(message), core.tokens.hex(12), _package(message), watcher or owner
    others = (each for each in core.subscriptions.values() if each.package == name)
    held = [each for each in others if (each.watcher or each.owner) == watcher]
    if len(held) >= PACKAGES[name].held_max:
        _end(core, held[0], "rejected", now_ms)
    made = Subscription(
        core.fresh_id(), owner, as_server(message, tag, tx.path), contact_value(core, tx.path, message.to.user),
        message.index["event"].strip(), now_ms + 1_000 * seconds, body, package=name, watcher=watcher,
        host=message.to.host,
    )  # fmt: skip
    headers = (("contact", made.contact), ("expires", str(seconds)))
    _answer(core, tx, message, 200, now_ms, headers, tag)
    core.subscriptions[made.id] = made
    core.watched.setdefault(owner, []).append(made.id)
    if seconds:
        core.deadlines.arm(("subscription", made.id), made.expires_at_ms)
        _notify(core, made, now_ms)
    else:
        _end(core, made, "timeout", now_ms)  # §4.4.3: fetched once


# --- its life -------------------------------------------------------------------------------------------------
def on_refresh(core: Core, message: Message, key: Key, path: Path, now_ms: int) -> None:
    """SUBSCRIBE in a dialog: refreshed (with a NOTIFY, §4.2.1.2), or ended by Expires: 0."""
    found = next((each for each in core.subscriptions.values() if _is_its(each, message)), None)
    if found is None:
        return reply_now(core, message, path, 481)
    dialog = found.dialog
    if message.cseq[0] <= dialog.remote_cseq:
        return reply_now(core, message, path, 500, "CSeq Out of Order")
    seconds = _asked_s(message)
    if 0 < seconds < EXPIRES_S_MIN:
        return reply_now(core, message, path, 423, headers=(("min-expires", str(EXPIRES_S_MIN)),))
    dialog.remote_cseq, dialog.path = message.cseq[0], path
    refresh_target(dialog, message)
    tx = start_server(core, Kind.NON_INVITE_SERVER, message, key, path, "", found.id, now_ms)
    headers = (("contact", found.contact), ("expires", str(seconds)), ("server", core.user_agent))
    reply(core, tx, 200, writer.response(message, 200, headers=headers), now_ms)
    found.expires_at_ms = now_ms + 1_000 * seconds
    if seconds:
        core.deadlines.arm(("subscription", found.id), found.expires_at_ms)
        _notify(core, found, now_ms)
    else:
        _end(core, found, "timeout", now_ms)
    return None


def _is_its(subscription: Subscription, message: Message) -> bool:
    dialog = subscription.dialog
    return (dialog.call_id, dialog.local_tag, dialog.remote_tag) == (
        message.call_id, message.to.tag, message.from_.tag,
    )  # fmt: skip


def changed(core: Core, owner: str, body: bytes, now_ms: int) -> int:
    """Tell all subscriptions of an owner; how many there are. One that knows it already isn't told again."""
    held = [core.subscriptions[number] for number in core.watched.get(owner, ())]
    for each in held:
        if each.body == body:
            continue
        each.body = body
        soonest_ms = each.told_ms + PACKAGES[each.package].gap_ms
        if now_ms < soonest_ms:
            core.deadlines.arm(("lamp", each.id), soonest_ms)
        else:
            _notify(core, each, now_ms)
    return len(held)


def on_gap_timer(core: Core, number: int, now_ms: int) -> None:
    """What has changed too soon after the last NOTIFY is told now."""
    subscription = core.subscriptions.get(number)
    if subscription is not None:
        _notify(core, subscription, now_ms)


def _notify(core: Core, subscription: Subscription, now_ms: int, ended: str = "") -> None:
    """One NOTIFY at a time; what changes meanwhile follows when it is answered. The last one waits for nobody."""
    if subscription.asking and not ended:
        subscription.again = True
        return
    left_s = max(subscription.expires_at_ms - now_ms, 0) // 1_000
    state = f"terminated;reason={ended}" if ended else f"active;expires={left_s}"
    headers = (("event", subscription.event), ("subscription-state", state))
    number, body, kind = 0 if ended else subscription.id, subscription.body, PACKAGES[subscription.package].body
    if body and subscription.package == dialog_info.PACKAGE:
        body = dialog_info.addressed(body, subscription.version, subscription.host)
        subscription.version += 1
    tx = ask(core, subscription, "NOTIFY", "summary", number, now_ms, headers, body, kind)
    subscription.again, subscription.told_ms = False, now_ms
    core.deadlines.cancel(("lamp", subscription.id))
    if tx is None or tx.state == State.TERMINATED:
        _drop(core, subscription)
    elif not ended:
        subscription.asking = tx.id


def on_result(core: Core, number: int, response: Message | None, now_ms: int) -> None:
    """The answer to a NOTIFY; None: there was none. Anything but 2xx ends the subscription (§4.2.2)."""
    subscription = core.subscriptions.get(number)
    if subscription is None or (response is not None and response.status < 200):
        return
    subscription.asking = 0
    if response is None or response.status >= 300:
        _drop(core, subscription)
    elif subscription.again:
        _notify(core, subscription, now_ms)


def on_subscription_timer(core: Core, number: int, now_ms: int) -> None:
    """It has run out without a refresh (§4.2.2)."""
    subscription = core.subscriptions.get(number)
    if subscription is not None:
        _end(core, subscription, "timeout", now_ms)


def end(core: Core, number: int, reason: str, now_ms: int) -> None:
    """The rooms above take it back; `reason` is one of §4.1.3, and says whether the phone may ask anew."""
    subscription = core.subscriptions.get(number)
    if subscription is not None:
        subscription.body = b""  # what has happened since is no longer his to know
        _end(core, subscription, reason, now_ms)


def _end(core: Core, subscription: Subscription, reason: str, now_ms: int) -> None:
    _notify(core, subscription, now_ms, reason)
    _drop(core, subscription)


def _drop(core: Core, subscription: Subscription) -> None:
    core.subscriptions.pop(subscription.id, None)
    for kind in ("subscription", "lamp"):
        core.deadlines.cancel((kind, subscription.id))
    others = core.watched.get(subscription.owner, [])
    if subscription.id in others:
        others.remove(subscription.id)
    if not others:
        core.watched.pop(subscription.owner, None)


def index(core: Core) -> None:
    """Who is watched, for a state that an engine before has left without."""
    if not core.watched:
        for each in core.subscriptions.values():
            core.watched.setdefault(each.owner, []).append(each.id)

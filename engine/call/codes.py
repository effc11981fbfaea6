"""Feature codes: dialled ones change an agent's state and say so; keyed ones act on the call he is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call import (
    agents,
    bridge,
    conference,
    ending,
    mailbox,
    menus,
    overrides,
    own_state,
    parking,
    pauses,
    prompting,
    recording,
    talking,
    telling,
    transfer,
    wrapping,
)
from engine.call import leg as legs
from engine.call.call import Call

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.leg import Leg
    from engine.call.room import Room
    from engine.dialplan.model import TenantModel

STATE_CODES = ("login", "logout", "not_ready", "ready", "status", "wrap_code", "extend", "switch", *menus.WORDS)
WITH_DIGITS = {  # `*52` or `*521`: a reason, a code, a box's number may follow, of so many digits at most
    "not_ready": 2, "wrap_code": 2, "switch": 2,
    mailbox.WORD: mailbox.DIGITS_MAX, prompting.WORD: prompting.KEY_DIGITS_MAX,
}  # fmt: skip
CALL_CODES = ("transfer", "hold", "record_pause", "wrap_up", "conference", "release", "park")
SPOKEN = {
    "login": "agent_logged_in", "logout": "agent_logged_out", "not_ready": "agent_not_ready", "ready": "agent_ready",
}  # fmt: skip
KEY_GAP_MS_MAX = 2_000  # between the keys of a code; then what was typed goes to the caller
NUMBER_GAP_MS_MAX = 4_000
NUMBER_DIGITS_MAX = 24
WRAP_DIGITS_MAX = 2
NUMBER, GUEST, WRAP = "T:", "C:", "W:"  # what `leg.codes` begins with while more is typed: whom to, who joins, a code
CODE_MS_MAX = 10_000  # should the plane never tell the end of what is said, beside its length
REFUSED = "R:"  # in `Leg.codes` while an agent hears that he can't transfer
REFUSED_MS_MAX = 10_000


def meant(tenant: TenantModel, dialled: str) -> tuple[str, str]:
    """(word, digits behind it) of a dialled feature code that acts on the agent's state; ("", "") for other numbers."""
    word = tenant.codes.get(dialled, "")
    if word in STATE_CODES:
        return word, ""
    for code, word in tenant.codes.items():
        rest = dialled.removeprefix(code)
        if rest != dialled and rest.isascii() and rest.isdigit() and len(rest) <= WITH_DIGITS.get(word, 0):
            return word, rest
    return "", ""


def dialled(room: Room, call: Call, word: str, digits: str, now_ms: int) -> None:
    """`*50` and friends: act, say what is now, hang up."""
    if word in menus.WORDS:
        menus.dialled(room, call, word, digits, now_ms)
        return
    row = room.agents[call.agent]
    site = room.site_of(call)
    tenant = site.tenants.get(call.tenant)
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    said = act(room, row, word, digits, now_ms)
    call.phase, call.outcome = "code", "served"
    call.path.append(f"{word} {digits}".strip())
    if not talking.answer_caller(room, call, now_ms):
        return
    names = (
        own_state.clips(room, row, site, language, now_ms)
        if word == "status"
        else tuple(clip for each in said for clip in own_state.words(site, call.tenant, language, each))
    )
    clips = room.clips(site, names)
    if clips:
        legs.play(room, room.legs[call.leg], "code", clips)
        ms = sum(site.prompts[name].duration_ms for name in names if name in site.prompts)
        room.deadlines.arm(("tone", call.id), now_ms + ms + CODE_MS_MAX)
    else:
        ending.hang_up(room, call, "system", "served", 16, now_ms)


def act(room: Room, row: AgentRow, word: str, digits: str, now_ms: int) -> tuple[str, ...]:
    """Carry a dialled code out; the prompts that tell what came of it."""
    if word == "switch":
        return overrides.by_phone(room, row, digits, now_ms) or ("invalid_choice",)
    return (change(room, row, word, digits, now_ms),)


def change(room: Room, row: AgentRow, word: str, digits: str, now_ms: int) -> str:
    """Carry a dialled code out; the prompt that tells what came of it."""
    if word == "status":
        return ""
    if word == "login":
        agents.login(room, row, "phone", now_ms)
    elif word == "logout":
        agents.logout(room, row, "phone", now_ms)
    elif word == "wrap_code":
        return f"agent_{wrapping.code(room, row, digits, 'phone').word}"
    elif word == "extend":
        return f"agent_{wrapping.extend(room, row, 'phone', now_ms).word}"
    else:
        if not row.logged_in:
            return "agent_logged_out"
        reason = pauses.named(room, row, digits) if digits else "phone"
        if reason is None or (digits and reason == digits):
            return "invalid_choice"
        if word == "ready":
            agents.ready(room, row)
        else:
            agents.not_ready(room, row, reason)
        kept = wrapping.kept(room, row, now_ms)
        if kept is not None:
            return f"agent_{kept.word}"
    return SPOKEN[word]


def keyed(room: Room, call: Call, leg: Leg, digit: str, duration_ms: int, now_ms: int) -> None:
    """A key of an agent in conversation: part of a code (swallowed), or the caller's to hear."""
    if leg.codes == REFUSED:
        return  # he is being told that his transfer is refused
    if leg.codes.startswith((NUMBER, GUEST, WRAP)):
        _number_key(room, call, leg, digit, now_ms)
        return
    site = room.site_of(call)
    tenant = site.tenants.get(leg.agent.split("/")[0])
    known = {c: w for c, w in tenant.codes.items() if w in CALL_CODES} if tenant is not None else {}
    if not leg.nail:  # everybody else hangs up, and his `*0` is the caller's to hear
        known = {c: w for c, w in known.items() if w != "release"}
    typed, his = leg.codes + digit, 0
    while his < len(typed) and not any(code.startswith(typed[his:]) for code in known):
        his += 1  # no code begins here: this key was for the caller
    _relay(room, leg, typed[:his], duration_ms, now_ms)
    typed = typed[his:]
    if typed and typed not in known:
        leg.codes = typed
        room.deadlines.arm(("code", leg.id), now_ms + KEY_GAP_MS_MAX)
        return
    leg.codes = ""
    room.deadlines.cancel(("code", leg.id))
    if typed:
        _act(room, call, leg, known[typed], now_ms)


def _relay(room: Room, leg: Leg, digits: str, duration_ms: int, now_ms: int) -> None:
    partner = room.legs.get(leg.partner)
    if partner is not None:
        for digit in digits:
            legs.send_digit(room, partner, digit, duration_ms, now_ms)


def _act(room: Room, call: Call, leg: Leg, word: str, now_ms: int) -> None:
    if word == "hold":
        leg.key_hold = not leg.key_hold
        bridge.hold_changed(room, call, leg, leg.key_hold or bridge.sdp_hold(leg), now_ms)
    elif word == "record_pause":
        recording.pause(room, call, not call.recording_paused)
    elif word == "release":
        leg.released = True
        talking.leg_over(room, leg, "agent", 16, now_ms)
    elif word == "park":
        parking.keyed(room, call, leg, now_ms)
    elif word == "wrap_up":
        leg.codes = WRAP
        room.deadlines.arm(("code", leg.id), now_ms + KEY_GAP_MS_MAX)
    else:
        leg.codes, leg.key_hold = NUMBER if word == "transfer" else GUEST, True
        bridge.hold_changed(room, call, leg, True, now_ms)
        room.deadlines.arm(("code", leg.id), now_ms + 2 * NUMBER_GAP_MS_MAX)


def _number_key(room: Room, call: Call, leg: Leg, digit: str, now_ms: int) -> None:
    if digit == "#":
        gap(room, call, leg, now_ms)
        return
    if leg.codes.startswith(WRAP):
        leg.codes += digit
        room.deadlines.arm(("code", leg.id), now_ms + KEY_GAP_MS_MAX)
        if len(leg.codes) >= len(WRAP) + WRAP_DIGITS_MAX:
            gap(room, call, leg, now_ms)
        return
    if len(leg.codes) < NUMBER_DIGITS_MAX:
        leg.codes += digit
    room.deadlines.arm(("code", leg.id), now_ms + NUMBER_GAP_MS_MAX)


def gap(room: Room, call: Call, leg: Leg, now_ms: int) -> None:
    """The pause after the last key (or `#`): a number is complete, an unfinished code was meant for the caller."""
    typed, leg.codes = leg.codes, ""
    room.deadlines.cancel(("code", leg.id))
    if typed == REFUSED:
        leg.key_hold = False
        bridge.hold_changed(room, call, leg, bridge.sdp_hold(leg), now_ms)
        return
    if typed.startswith(WRAP):
        _wrap_up(room, leg, typed.removeprefix(WRAP), now_ms)
        return
    if not typed.startswith((NUMBER, GUEST)):
        _relay(room, leg, typed, 100, now_ms)
        return
    if typed.startswith(GUEST):
        leg.key_hold = False
        bridge.hold_changed(room, call, leg, bridge.sdp_hold(leg), now_ms)
        conference.invite(room, call, leg, typed[2:], now_ms)
        return
    refusal = "nowhere" if len(typed) == 2 else transfer.blind(room, call, leg, typed[2:], now_ms, by_key=True)
    if refusal == "over_budget" and _told_so(room, call, leg, now_ms):
        return
    if refusal:
        leg.key_hold = False
        bridge.hold_changed(room, call, leg, bridge.sdp_hold(leg), now_ms)


def _wrap_up(room: Room, leg: Leg, digits: str, now_ms: int) -> None:
    """Keyed while he talks: a wrap-up shall follow, or (with digits) the call's code. He is told what came of it."""
    row = room.agents.get(leg.agent)
    if row is None:
        return
    said = wrapping.code(room, row, digits, "phone") if digits else wrapping.ask(room, row, now_ms)
    telling.send(room, row, said.detail, now_ms)


def _told_so(room: Room, call: Call, leg: Leg, now_ms: int) -> bool:
    """He hears that there is no transfer, while the caller still hears the music; False: there is no such clip."""
    site = room.site_of(call)
    tenant = site.tenants.get(leg.agent.split("/")[0])
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    clips = room.clips(site, (f"{language}/transfer_failed",))
    if clips:
        leg.codes = REFUSED
        legs.play(room, leg, "refused", clips)
        room.deadlines.arm(("code", leg.id), now_ms + REFUSED_MS_MAX)
    return bool(clips)

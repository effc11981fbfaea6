"""Telling an agent what the engine has done to his state: one line by SIP MESSAGE to each of his registered phones.

What he did himself at his phone he has heard there already, so nothing is sent; the same for the plain course of a
call. Everything else (missed calls, a supervisor's word, the end of a rest, a budget that is used up) is told in the
same step in which it happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd.commands import AgentChanged
from engine.call import wrapping

if TYPE_CHECKING:
    from engine.call.agents import AgentRow
    from engine.call.room import Room

OWN_WAYS = ("phone", "registration", "site")  # what he or his phone did, or what his site says he is
TOLD = ("ready", "not_ready", "resting", "logged_out", "wrap_up")

# language -> key -> text. A language without texts is told in English.
TEXTS = {
    "en": {
        "ready": "Ready: {why}.", "not_ready": "Not ready: {why}. To be ready again dial {ready}.",
        "resting": "No calls for {seconds} s: {why}.", "logged_out": "Logged out: {why}. To log in dial {login}.",
        "wrap_up": "Wrap-up, at most {seconds} s.", "codes": " Code by {wrap_code} and: {codes}.",
        "required": " It is required.", "over_budget": "Your {reason} is over its {minutes} min for this shift.",
    },
    "zh": {
        "ready": "可接来电：{why}。", "not_ready": "暂停接听：{why}。恢复请拨 {ready}。",
        "resting": "{seconds} 秒内不派来电：{why}。", "logged_out": "已签出：{why}。签入请拨 {login}。",
        "wrap_up": "话后处理，最多 {seconds} 秒。", "codes": "请拨 {wrap_code} 加代码：{codes}。",
        "required": "必须填写。", "over_budget": "{reason} 已超过本班 {minutes} 分钟的额度。",
    },
}  # fmt: skip
WHYS = {  # language -> the distributor's reason -> text; other reasons are the site's own words
    "en": {
        "missed": "calls rang unanswered", "on_demand": "one call at a time", "wrap_up_over": "wrap-up is over",
        "rest_over": "your rest is over", "other_call_overdue": "your other call is over", "overdue": "time is over",
        "no_answer": "a call rang unanswered", "busy": "your phone was busy", "rejected": "you rejected a call",
        "do_not_disturb": "your phone says do not disturb", "forwarded": "your phone forwards calls",
        "unreachable": "your phone could not be reached", "error": "a call failed", "reload": "the site was reloaded",
        "restored": "as before the restart", "removed": "you are not in the site any more",
        "logout": "by the engine", "login": "by the engine", "by": "by {who}",
        "occupancy": "you have been busy for your share", "long_talk": "you have talked for long",
        "new_agent": "calls come slowly while you are new", "between_calls": "a pause after a call",
        "caller_waits": "a caller has waited for too long",
    },
    "zh": {
        "missed": "来电多次无人接听", "on_demand": "每次只接一个来电", "wrap_up_over": "话后处理结束",
        "rest_over": "休息结束", "other_call_overdue": "其他通话已结束", "overdue": "时间已到",
        "no_answer": "来电无人接听", "busy": "话机占线", "rejected": "来电被拒接",
        "do_not_disturb": "话机免打扰", "forwarded": "话机已转移", "unreachable": "话机无法接通",
        "error": "呼叫失败", "reload": "站点已重载", "restored": "与重启前相同", "removed": "已不在站点中",
        "logout": "由系统", "login": "由系统", "by": "由 {who}",
        "occupancy": "已达忙碌比例上限", "long_talk": "通话时间较长", "new_agent": "新人来电逐步增加",
        "between_calls": "通话间休息", "caller_waits": "有来电等候过久",
    },
}  # fmt: skip


def changed(room: Room, row: AgentRow, command: AgentChanged, now_ms: int) -> None:
    """The distributor has changed his state; `row.by` says whose word it was, '' the engine's own."""
    new, old, by = command.new, command.old, row.by
    if new != "wrap_up":  # what he said while he talked takes effect after his wrap-up
        row.by = ""
    if new not in TOLD or by in OWN_WAYS or (old == "alerting" and new == "ready"):
        return
    if new == "wrap_up":
        found = wrapping.rules(room, row)
        if found is None or not found.codes or row.wrap_code:
            return  # he has just hung up and knows what comes
    elif new == "ready" and old == "talking":
        return
    send(room, row, _text(room, row, command, by, now_ms), now_ms)


def over_budget(room: Room, row: AgentRow, budget_ms: int, now_ms: int) -> None:
    """He is longer away than his shift has time for."""
    text = _texts(room, row)["over_budget"].format(reason=row.reason, minutes=budget_ms // 60_000 or "<1")
    send(room, row, text, now_ms)


def send(room: Room, row: AgentRow, text: str, now_ms: int) -> int:
    """One line to each of his registered phones; how many were sent it."""
    tenant, _, number = row.key.partition("/")
    index = room.index()
    model = index.agent(tenant, number)
    if tenant not in index.site.tenants or (model is not None and not model.messages):
        return 0
    bindings = room.endpoint.bindings(index.site.tenants[tenant].realm, number)
    sent = sum(room.endpoint.tell(binding, text, now_ms) for binding in bindings if binding.reachable)
    if sent:
        room.emit("agent.told", tenant, "", agent=row.key, text=text, phones=sent)
    return sent


def _language(room: Room, row: AgentRow) -> str:
    tenant = room.index().site.tenants.get(row.key.split("/")[0])
    language = tenant.languages[0] if tenant is not None and tenant.languages else "en"
    return language if language in TEXTS else "en"


def _texts(room: Room, row: AgentRow) -> dict[str, str]:
    return TEXTS[_language(room, row)]


def _codes(room: Room, row: AgentRow) -> dict[str, str]:
    """What he dials: word -> code."""
    tenant = room.index().site.tenants.get(row.key.split("/")[0])
    return {word: code for code, word in tenant.codes.items()} if tenant is not None else {}


def _text(room: Room, row: AgentRow, command: AgentChanged, by: str, now_ms: int) -> str:
    texts, codes, whys = _texts(room, row), _codes(room, row), WHYS[_language(room, row)]
    why = whys.get(command.reason, command.reason)
    if by in whys:
        why = whys[by]
    elif by:
        who = whys["by"].format(who=by.removeprefix("operator "))
        why = f"{why}, {who}" if command.new == "not_ready" else who
    left = room.acd.left_ms(row.id, now_ms)
    text = texts[command.new].format(
        why=why, seconds=-(-left // 1_000), ready=codes.get("ready", "-"), login=codes.get("login", "-")
    )
    found = wrapping.rules(room, row)
    if command.new == "wrap_up" and found is not None:
        text += texts["codes"].format(wrap_code=codes.get("wrap_code", "-"), codes=wrapping.listed(found.codes))
        text += texts["required"] if found.required else ""
    return text

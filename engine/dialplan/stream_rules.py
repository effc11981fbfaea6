"""The rules of the verb `stream` (see `options`), and what holds between its options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine import marks
from engine.dialplan import address_rules, values
from engine.dialplan.drafts import Draft, DraftStep
from engine.dialplan.findings import did_you_mean
from engine.dialplan.options import Context, Rule
from engine.dialplan.verbs.table import Option

if TYPE_CHECKING:
    from engine.dialplan.linker import Linked, Linker

BOT = address_rules.Kind(
    ("ws", "wss"), "RD300", "a bot", "as in wss://bot.example/calls; quote it", "write secret: NAME"
)
AUTHS = ("bearer", "signature")
FORKS = ("caller", "both")
LOCAL = ("127.0.0.1", "localhost", "::1")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,64}")


def address(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The address of a bot: literal, ws or wss, without a password. In clear only within this machine."""
    read = address_rules.address(context, node, what, BOT)
    if read is None:
        return None
    found, split = read
    if split.scheme == "ws" and split.hostname not in LOCAL:
        hint = "use wss, which is verified by the system's certificates"
        context.report.add("RD301", found, "what is said here, and the secret, go over the network in clear", hint)
        return None
    return found.text


def secret(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The name of a secret of the data folder."""
    found = values.scalar(context.report, node, what)
    if found is None or values.computed(context.report, found, "a secret's name"):
        return None
    name = found.text.removeprefix("secret ").strip()
    if _SECRET.fullmatch(name) is None:
        hint = "write secret: NAME, and put the secret itself into the data folder by `ringdown secret set NAME`"
        context.report.add("RD302", found, "this is not the name of a secret", hint)
        return None
    return name


def auth(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.choice(context.report, node, what, AUTHS)


def fork(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    return values.choice(context.report, node, what, FORKS)


def sets(context: Context, node: marks.Node, option: Option, what: str) -> Any:
    """The variables that the bot may fill. It may leave any of them out, so they count as perhaps unset."""
    names: list[str] = []
    for word in values.scalars(context.report, node, what):
        if values.computed(context.report, word, "a variable"):
            continue
        if word.text not in context.types or "." in word.text:
            known = [name for name in context.types if "." not in name]
            hint = did_you_mean(word.text, known, otherwise="declare it under variables:")
            context.report.add("RD034", word, f"no variable {word.text!r}", hint)
        elif word.text not in names:
            names.append(word.text)
            context.all_writes[word.text] = None
    return names


def _stream(
    linker: Linker, step: DraftStep, home: Draft, prefix: str, data: dict[str, Any], outs: dict[str, str], info: Linked
) -> None:
    report, forks = linker.report, "fork" in step.options
    if "url" not in step.options:
        return  # it has been told that the address is missing
    if not forks:
        if "failed" not in step.outs:
            message = "stream doesn't say what happens when the bot fails: it may be gone, or stop in mid-call"
            report.add("RD052", step.key, message, "add failed: with a flow or a list of steps")
        if "person" not in step.outs:
            hint = "add person: with a flow; the key 0 and the bot's own wish lead there"
            report.add("RD304", step.key, "from this bot no person can be reached", hint)
        return
    for name in (*step.outs, *(["sets"] if "sets" in step.options else ())):
        node = step.options.get(name) or step.node
        message = f"a fork runs beside the call, so {name}: would never happen"
        report.add("RD303", node, message, f"remove {name}:, or fork: to hand the caller over")


RULES: dict[str, Rule] = {
    "stream_address": address, "stream_secret": secret, "stream_auth": auth, "stream_fork": fork, "stream_sets": sets,
}  # fmt: skip
FINISH = {"stream": _stream}

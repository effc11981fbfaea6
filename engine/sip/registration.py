"""Our registrations with carriers: REGISTER and its answers, renewals, tries again (RFC 3261 §10.2, RFC 5626 §4.5).

The life of each is `account.TABLE`. The Contact carries a `line` parameter that nobody can guess. The registrar sends
calls to it as it was given (§16.5), so that a call is known as this account's whatever the addresses on its way;
`account_of` looks it up.
"""

from __future__ import annotations

from engine import limits
from engine.errors import LocalError, ProtocolError
from engine.sip import outbound
from engine.sip.account import TABLE, UP, Account, Act, Life, Turn
from engine.sip.core import Core
from engine.sip.events import Enrolled, Path
from engine.sip.message import Message, delta_seconds
from engine.sip.requests import answer_challenge, contact_value, write
from engine.sip.transaction import Kind, State
from engine.sip.transaction_layer import start_client
from engine.sip.uri import escape_user, format_host, parse_uri

REFUSALS = (401, 403, 404, 407)  # the carrier knows us, or not, and says no: asking again soon only angers it
RETIMES_MAX = 3
BACK_MS = 500  # a lost flow is opened again soon; each failure after that takes its time (`back_off_ms`)
LINE_DIGITS = 24


def open_account(
    core: Core, token: str, registrar: str, aor: str, user: str, secret: tuple[str, str] | None,
    paths: tuple[Path, ...], wanted_s: int,
) -> Account:
    """A new account, still IDLE. Raises ProtocolError for a registrar or address that is no URI."""
    parse_uri(registrar)
    parse_uri(aor)
    account = Account(
        core.fresh_id(), token, registrar, aor, user, secret, paths, wanted_s,
        core.tokens.hex(LINE_DIGITS), core.tokens.hex(32), core.tokens.hex(12), cseq=core.tokens.number(1_000_000),
    )  # fmt: skip
    core.accounts[account.id] = account
    return account


def account_of(core: Core, uri: str) -> Account | None:
    """Whose registered contact a Request-URI is: it holds the account's `line` (RFC 3261 §16.5)."""
    if not core.accounts or ";line=" not in uri:
        return None
    try:
        line = parse_uri(uri).params.get("line", "")
    except ProtocolError:
        return None
    return next((each for each in core.accounts.values() if each.line == line), None)


# --- its life -------------------------------------------------------------------------------------------------
def move(core: Core, account: Account, turn: Turn, now_ms: int) -> None:
    """One row of the table."""
    before = account.life
    account.life, acts = TABLE[before, turn]
    for act in acts:
        _ACTS[act](core, account, now_ms)
    if account.unwanted and account.life == Life.IDLE:
        core.accounts.pop(account.id, None)
    if turn in (Turn.STOP, Turn.LAPSED) and before in UP and account.life not in UP:
        word = "left" if turn == Turn.STOP else "lapsed"
        core.events.append(Enrolled(account.token, word, account.status, account.phrase))


def start(core: Core, account: Account, now_ms: int) -> None:
    """Register, or renew at once."""
    account.tried, account.unwanted = 0, False
    move(core, account, Turn.START, now_ms)


def stop(core: Core, account: Account, now_ms: int, *, forget: bool = False) -> None:
    """Take the contact away; `account.life` is IDLE when the registrar has said so or can't be asked."""
    account.unwanted = forget
    move(core, account, Turn.STOP, now_ms)


def on_due(core: Core, number: int, now_ms: int) -> None:
    """Time to renew, or to try again."""
    account = core.accounts.get(number)
    if account is not None:
        account.tried = 0
        move(core, account, Turn.DUE, now_ms)


def on_lapse(core: Core, number: int, now_ms: int) -> None:
    """What was granted is over, and no renewal has been accepted."""
    account = core.accounts.get(number)
    if account is not None:
        move(core, account, Turn.LAPSED, now_ms)


def flow_lost(core: Core, flow: int, now_ms: int) -> None:
    """The stream under a registration has closed (RFC 5626 §4.4): nobody can call in until there is another one.

    Only one that is held comes back at once. Who rests after a failure goes on resting (§4.5): a carrier whose
    connections come and go would be asked twice a second otherwise, by each of its customers."""
    for account in core.accounts.values():
        if account.flow == flow:
            account.flow, account.outbound = 0, False
            if account.life == Life.HELD:
                core.deadlines.arm(("enrol", account.id), now_ms + BACK_MS + core.tokens.number(BACK_MS))


def _send(core: Core, account: Account, now_ms: int) -> None:
    account.challenged = account.retimed = 0
    account.credentials = ("", "")
    _say(core, account, max(account.wanted_s, account.min_s), now_ms)


def _leave(core: Core, account: Account, now_ms: int) -> None:
    _quiet(core, account, now_ms)
    account.challenged = account.retimed = 0
    account.credentials = ("", "")
    _say(core, account, 0, now_ms)


def _say(core: Core, account: Account, expires_s: int, now_ms: int) -> None:
    """One REGISTER; what can't even be sent has failed."""
    path = core.flows.way_out(account.paths[account.turn % len(account.paths)]) if account.paths else None
    if path is None or core.full(False):
        _failed(core, account, 503, "no way to the registrar", now_ms)
        return
    account.cseq += 1
    contact = contact_value(core, path, account.user).replace(";ob>", ">")[:-1] + f";line={account.line}>"
    account.flow = path.flow if path.transport != "udp" else 0
    flows = account.flow and not account.plain  # RFC 5626 §4.2: on a stream we name ourselves and the flow
    if flows:
        own = outbound.our_instance(f"{account.registrar} {account.aor} {core.flows.own_address(path)[0]}")
        contact += f';+sip.instance="<{own}>";reg-id=1'
    headers = [
        ("max-forwards", "70"), ("from", f"<{account.aor}>;tag={account.tag}"), ("to", f"<{account.aor}>"),
        ("call-id", account.call_id), ("cseq", f"{account.cseq} REGISTER"), ("contact", contact),
        ("expires", str(expires_s)), ("user-agent", core.user_agent),
    ]  # fmt: skip
    if flows:
        headers.append(("supported", "path, outbound"))
    if account.credentials[0]:
        headers.append(account.credentials)
    try:
        data, branch, path = write(core, "REGISTER", account.registrar, path, headers)
    except (LocalError, ProtocolError) as error:
        _failed(core, account, 400, f"our REGISTER can't be written: {error}", now_ms)
        return
    kind = Kind.NON_INVITE_CLIENT
    tx = start_client(core, kind, "REGISTER", branch, data, path, "enrol", account.id, now_ms)
    account.transaction = tx.id
    if tx.state == State.TERMINATED:
        _failed(core, account, 503, "transport failed", now_ms)


# --- what the registrar says -------------------------------------------------------------------------------------
def on_result(core: Core, number: int, transaction: int, response: Message | None, now_ms: int) -> None:
    """A response to its REGISTER; None: none came in 64·T1, or the transport broke."""
    account = core.accounts.get(number)
    if account is None or account.transaction != transaction or (response is not None and response.status < 200):
        return
    account.transaction = 0
    if response is None:
        _failed(core, account, 408, "no answer", now_ms)
    elif response.status < 300:
        _accepted(core, account, response, now_ms)
    elif not _said_again(core, account, response, now_ms):
        wait_s = delta_seconds(response.index.get("retry-after", "").partition("(")[0]) or 0  # a comment may follow
        _failed(core, account, response.status, response.phrase, now_ms, wait_s)


def _said_again(core: Core, account: Account, response: Message, now_ms: int) -> bool:
    """What a refusal asks for and we can give: credentials, or a longer time."""
    if response.status in (401, 407):
        return _with_credentials(core, account, response, now_ms)
    if response.status == outbound.FIRST_HOP_LACKS_OUTBOUND and not account.plain:
        account.plain = True  # §11.6: somebody between us can't keep flows; without one, then
        _say(core, account, max(account.wanted_s, account.min_s), now_ms)
        return True
    return response.status == 423 and _with_longer_time(core, account, response, now_ms)


def _with_credentials(core: Core, account: Account, response: Message, now_ms: int) -> bool:
    found = answer_challenge(core, response, account.secret, "REGISTER", account.registrar, account.challenged)
    if found is None:
        return False
    account.challenged += 1
    account.credentials = found
    leaving = account.life in (Life.LEAVING, Life.RETURNING)
    _say(core, account, 0 if leaving else max(account.wanted_s, account.min_s), now_ms)
    return True


def _with_longer_time(core: Core, account: Account, response: Message, now_ms: int) -> bool:
    """§10.2.8: not so often. Its least time is kept for later renewals."""
    wanted_s = delta_seconds(response.index.get("min-expires"))
    asked_s = max(account.wanted_s, account.min_s)
    if wanted_s is None or not asked_s < wanted_s <= limits.enrol_s_max or account.retimed >= RETIMES_MAX:
        return False
    account.retimed += 1
    account.min_s = wanted_s
    account.challenged, account.credentials = 0, ("", "")
    _say(core, account, wanted_s, now_ms)
    return True


def _accepted(core: Core, account: Account, response: Message, now_ms: int) -> None:
    account.failures = account.tried = account.status = 0
    account.phrase = ""
    account.outbound = response.has_option("require", "outbound")
    was = account.life
    if was not in (Life.LEAVING, Life.RETURNING):
        account.granted_s = granted(account, response)
        account.expires_at_ms = now_ms + 1_000 * account.granted_s
    move(core, account, Turn.OK, now_ms)
    if account.life == Life.HELD:
        word = "renewed" if was == Life.RENEWING else "registered"
        core.events.append(Enrolled(account.token, word, response.status, "", account.granted_s))


def granted(account: Account, response: Message) -> int:
    """Seconds that the registrar gives our contact (§10.2.4). Of the contacts that it lists those of others count for
    nothing: ours is the one with our `line`, else the only one of its user; without one the Expires header speaks."""
    asked_s = max(account.wanted_s, account.min_s)
    try:
        contacts = response.contacts if "contact" in response.index else []
    except ProtocolError:
        contacts = []
    ours = [each for each in contacts if each.parts is not None and each.parts.params.get("line") == account.line]
    if not ours:
        ours = [each for each in contacts if each.user == account.user]
    said = delta_seconds(ours[0].params.get("expires")) if len(ours) == 1 else None
    if said is None:
        said = response.expires
    return min(asked_s if said is None else max(said, limits.enrol_s_min), limits.enrol_s_max)


def margin_ms(granted_s: int) -> int:
    """How long before its end a registration is renewed: a fifth of it, at least 40 s (a REGISTER without an answer
    takes 32), but never more than its half."""
    return min(max(granted_s * 200, 40_000), granted_s * 500)


def _keep(core: Core, account: Account, now_ms: int) -> None:
    early_ms = margin_ms(account.granted_s)
    at_ms = account.expires_at_ms - early_ms - core.tokens.number(early_ms // 8 + 1)  # a hundred trunks, not at once
    core.deadlines.arm(("enrol", account.id), at_ms)
    core.deadlines.arm(("lapse", account.id), account.expires_at_ms)


def back_off_ms(core: Core, failures: int) -> int:
    """RFC 5626 §4.5: between half and all of base · 2^failures, at most half an hour."""
    most_ms = min(limits.enrol_retry_ms_max, limits.enrol_retry_ms_base << min(failures, 16))
    return most_ms // 2 + core.tokens.number(most_ms // 2 + 1)


def _failed(core: Core, account: Account, status: int, phrase: str, now_ms: int, wait_s: int = 0) -> None:
    """This REGISTER came to nothing. Another address of the registrar is tried at once (RFC 3263 §4.3), but nobody who
    refuses us is asked elsewhere; then it rests, longer each time."""
    account.status, account.phrase = status, " ".join(phrase.split())[:120]
    refused = status in REFUSALS
    account.tried += 1
    leaving = account.life in (Life.LEAVING, Life.RETURNING, Life.ENDING)
    if not refused and not leaving and account.tried < len(account.paths):
        account.turn = (account.turn + 1) % len(account.paths)
        _send(core, account, now_ms)
        return
    account.turn = (account.turn + 1) % len(account.paths) if account.paths and not refused else account.turn
    account.failures += 1
    wanted = account.life in (Life.ASKING, Life.RENEWING)
    move(core, account, Turn.FAILED, now_ms)
    if not wanted:
        return
    due_ms = core.deadlines.at(("enrol", account.id)) or now_ms
    if wait_s and now_ms + 1_000 * wait_s > due_ms:  # §20.33; a carrier that says "in a week" is asked in an hour
        due_ms = now_ms + min(1_000 * wait_s, limits.enrol_refused_ms_max)
        core.deadlines.arm(("enrol", account.id), due_ms)
    word = "refused" if refused else "failed"
    core.events.append(Enrolled(account.token, word, status, account.phrase, next_ms=due_ms - now_ms))


def _rest(core: Core, account: Account, now_ms: int) -> None:
    if account.status in REFUSALS:
        wait_ms = limits.enrol_refused_ms_max // 2 + core.tokens.number(limits.enrol_refused_ms_max // 2 + 1)
    else:
        wait_ms = back_off_ms(core, account.failures)
    core.deadlines.arm(("enrol", account.id), now_ms + wait_ms)


def _quiet(core: Core, account: Account, now_ms: int) -> None:
    core.deadlines.cancel(("enrol", account.id))
    core.deadlines.cancel(("lapse", account.id))


_ACTS = {Act.SEND: _send, Act.LEAVE: _leave, Act.KEEP: _keep, Act.REST: _rest, Act.QUIET: _quiet}


def address_of(user: str, host: str) -> str:
    """The address of record of a user at a domain."""
    return f"sip:{escape_user(user)}@{format_host(host)}"

"""Session timers (RFC 4028): a lost BYE is found.

They run when the far end has shown that it knows them (Supported: timer, or a Session-Expires). A far end that has not
is left alone: it might not survive an unexpected re-INVITE, and the media plane's OPTIONS probe finds it gone sooner.
The refresher sends a re-INVITE with unchanged SDP at half the interval; the other side says BYE shortly before the end.
"""

from __future__ import annotations

from engine import limits
from engine.sip.core import Core
from engine.sip.headers import parse_params
from engine.sip.message import Message, delta_seconds
from engine.sip.session import Session

MIN_SE_S = limits.session_expires_s_min
DEFAULT_S = limits.session_expires_s_default
MAX_S = 86_400

Headers = tuple[tuple[str, str], ...]


def too_brief(message: Message) -> Headers:
    """The Min-SE header of a 422 when their interval is below ours and they understand 422 (§9); else nothing."""
    asked = delta_seconds(message.index.get("session-expires"))
    if asked is not None and asked < MIN_SE_S and message.has_option("supported", "timer"):
        return (("min-se", str(MIN_SE_S)),)
    return ()


def note_request(session: Session, message: Message) -> None:
    """Remember what their INVITE or re-INVITE says about timers."""
    index = message.index
    session.far_timer = message.has_option("supported", "timer")
    value = index.get("session-expires")
    session.far_asked_s = delta_seconds(value) or 0
    session.far_refresher = _refresher(value)
    session.far_min_se_s = min(max(delta_seconds(index.get("min-se")) or MIN_SE_S, MIN_SE_S), MAX_S)


def decide_as_server(session: Session) -> None:
    """Interval and refresher of our 2xx (§9, table 2). Without a wish of theirs the roles stay as they were."""
    if not session.far_timer and not session.far_asked_s:
        session.timer_s = 0
        return
    wished = min(session.far_asked_s, DEFAULT_S) if session.far_asked_s else DEFAULT_S
    session.timer_s = max(wished, session.far_min_se_s, MIN_SE_S)
    if not session.far_timer:
        session.we_refresh = True  # a proxy asked: only we can refresh
    elif session.far_refresher:
        session.we_refresh = session.far_refresher == "uas"


def answer_headers(session: Session) -> Headers:
    """Session-Expires (and Require, when they refresh) for our 2xx (§9)."""
    if not session.timer_s:
        return ()
    if session.we_refresh:
        return (("session-expires", f"{session.timer_s};refresher=uas"),)
    return (("session-expires", f"{session.timer_s};refresher=uac"), ("require", "timer"))


def first_headers(interval_s: int, min_se_s: int) -> Headers:
    """What our first INVITE says (§7.1); an interval of 0 asks for no timer."""
    if not interval_s:
        return ()
    return (("session-expires", str(max(interval_s, min_se_s))), ("min-se", str(min_se_s)))


def refresh_headers(session: Session) -> Headers:
    """What our re-INVITE says: the roles stay (§7.4)."""
    if not session.timer_s:
        return ()
    role = "uac" if session.we_refresh else "uas"
    return (("session-expires", f"{session.timer_s};refresher={role}"), ("min-se", str(session.far_min_se_s)))


def take_answer(session: Session, response: Message) -> None:
    """Their 2xx decides (§7.2): without Session-Expires there is no timer; a missing refresher means us."""
    value = response.index.get("session-expires")
    interval = delta_seconds(value) or 0
    session.timer_s = min(max(interval, MIN_SE_S), MAX_S) if interval else 0
    session.we_refresh = _refresher(value) != "uas"


def start(core: Core, session: Session, now_ms: int) -> None:
    """(Re)arm after each 2xx: refresh at half the interval, or give up a little before its end (§10)."""
    armed = core.deadlines.armed
    armed.pop(("refresh", session.id), None)
    armed.pop(("expiry", session.id), None)
    if not session.timer_s:
        return
    whole = session.timer_s * 1_000
    if session.we_refresh:
        core.deadlines.arm(("refresh", session.id), now_ms + whole // 2)
        core.deadlines.arm(("expiry", session.id), now_ms + whole)
    else:
        core.deadlines.arm(("expiry", session.id), now_ms + whole - min(32_000, whole // 3))


def _refresher(value: str | None) -> str:
    """`uac`, `uas` or ''. Raises ProtocolError when the header can't be read."""
    if value is None or ";" not in value:
        return ""
    return parse_params(value.partition(";")[2]).get("refresher", "").lower()

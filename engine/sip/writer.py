"""Messages to bytes: strict out (RFC 3261 §7, §8.2.6).

Nothing that a caller passes in can begin a new header line: a CR or LF in a value is a LocalError. Headers copied
from a request have passed the parser, which never lets a line end through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.errors import LocalError
from engine.sip.headers import is_token
from engine.sip.message import PRETTY, Message

PHRASES = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 417: "Unknown Resource-Priority",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
    428: "Use Identity Header", 429: "Provide Referrer Identity", 430: "Flow Failed", 433: "Anonymity Disallowed",
    436: "Bad Identity Info", 437: "Unsupported Credential", 438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support", 440: "Max-Breadth Exceeded", 469: "Bad Info Package",
    470: "Consent Needed", 480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist",
    482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    493: "Undecipherable", 494: "Security Agreement Required", 500: "Server Internal Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large", 555: "Push Notification Service Not Supported", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted",
    608: "Rejected",
}
_FORBIDDEN = re.compile(r'[\x00-\x20<>"\x7f]').search


def response(
    request: Message,
    status: int,
    phrase: str = "",
    to_tag: str = "",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "",
    source: tuple[str, int] | None = None,
) -> bytes:
    """A response to `request`. `to_tag` is added to To unless the request has one there (§8.2.6.2).

    Via, From, Call-ID and CSeq are the request's own text; Record-Route is copied into 101–299 of requests that make
    dialogs. `source` (host, port) stamps the top Via once (`Message.stamp`). Raises LocalError for values that would
    break the message.
    """
    if source is not None:
        request.stamp(*source)
    to = request.index.get("to", "")
    if to_tag and not is_token(to_tag):
        raise LocalError(f"tag {to_tag!r}")
    if to_tag and not _has_tag(request):
        to = f"{to};tag={to_tag}"
    copied = request.reply_head + (f"To: {to}\r\n" if to else "")
    if 100 < status < 300 and "record-route" in request.index:
        copied += "".join([f"Record-Route: {value}\r\n" for name, value in request.headers if name == "record-route"])
    if not 100 <= status <= 699:
        raise LocalError(f"status {status}")
    phrase = phrase or PHRASES.get(status) or PHRASES.get(status // 100 * 100, "Unknown")
    own = _own_lines(f"SIP/2.0 {status} {phrase}\r\n", headers, body, content_type)
    first, _, rest = own.partition("\r\n")
    if request.charset == "utf-8":
        return f"{first}\r\n{copied}{rest}".encode() + body
    return b"".join([first.encode(), b"\r\n", copied.encode(request.charset, "replace"), rest.encode(), body])


def _has_tag(request: Message) -> bool:
    to = request.__dict__.get("to")
    if to is not None:
        return "tag" in to.params
    return "tag=" in request.index.get("to", "")  # salvaged: To may not parse


def request(
    method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes = b"", content_type: str = ""
) -> bytes:
    """A request with these headers in this order; Content-Type (when there is a body) and Content-Length are added."""
    if not is_token(method):
        raise LocalError(f"method {method!r}")
    if not uri or _FORBIDDEN(uri):
        raise LocalError(f"Request-URI {uri!r}")
    return _own_lines(f"{method} {uri} SIP/2.0\r\n", headers, body, content_type).encode() + body


def message(what: Message) -> bytes:
    """Write a whole Message again: equal to what was parsed, with a Content-Length that fits."""
    headers = [(name, value) for name, value in what.headers if name != "content-length"]
    if what.is_request:
        head = f"{what.method} {what.uri} SIP/2.0\r\n"
    else:
        head = f"SIP/2.0 {what.status} {what.phrase}\r\n"
    return _own_lines(head, headers, what.body, "").encode(what.charset) + what.body


def _own_lines(first: str, headers: Sequence[tuple[str, str]], body: bytes, content_type: str) -> str:
    """First line, headers, Content-Type, Content-Length and the empty line; refuses what would break the framing."""
    lines = [first]
    for name, value in headers:
        pretty = PRETTY.get(name)
        if pretty is None and not is_token(name):
            raise LocalError(f"header name {name!r}")
        lines.append(f"{pretty or name}: {value}\r\n")
    if body and content_type:
        lines.append(f"Content-Type: {content_type}\r\n")
    expected = len(lines) + 2
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    text = "".join(lines)
    if text.count("\r") != expected or text.count("\n") != expected:
        raise LocalError(f"line end inside a value: {_culprit(first, headers, content_type)}")
    return text


def _culprit(first: str, headers: Sequence[tuple[str, str]], content_type: str) -> str:
    for name, value in (*headers, ("Content-Type", content_type)):
        if "\r" in value or "\n" in value:
            return f"{name}: {value[:80]!r}"
    return repr(first[:80])

"""One SIP message: its first line, its headers in order, its body; typed views are made when first read.

Names are lower case and long ("v" is "via"), values unfolded and without outer blanks. Messages are data: encodable by
msgspec, compared by content; the typed views are derived and kept aside.
"""

from __future__ import annotations

import msgspec

from engine.errors import ProtocolError
from engine.sip.headers import NameAddr, Via, lazy, parse_name_addr, parse_via, split_list

METHODS = frozenset((
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "INFO", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE",
    "UPDATE", "PRACK", "PUBLISH",
))
# Spelling on the wire; the key for everything else is its lower-case form.
_SPELLINGS = (
    "Via From To Call-ID CSeq Contact Max-Forwards Route Record-Route Content-Type Content-Length Content-Encoding "
    "Content-Disposition Content-Language User-Agent Server Allow Supported Require Proxy-Require Unsupported Accept "
    "Accept-Encoding Accept-Language Expires Min-Expires Session-Expires Min-SE Authorization Proxy-Authorization "
    "WWW-Authenticate Proxy-Authenticate Authentication-Info Reason Retry-After Refer-To Referred-By Replaces Event "
    "Allow-Events Subscription-State P-Asserted-Identity P-Preferred-Identity P-Charging-Vector Privacy Diversion "
    "History-Info Remote-Party-ID Alert-Info Call-Info Subject Date Timestamp Warning RSeq RAck SIP-ETag SIP-If-Match "
    "Organization Path Service-Route In-Reply-To Priority Reply-To Error-Info MIME-Version Join Target-Dialog "
    "X-Asterisk-HangupCause X-Asterisk-HangupCauseCode Answer-Mode Geolocation Geolocation-Routing Identity"
)
PRETTY = {name.lower(): name for name in _SPELLINGS.split()}
COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
    "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
    "n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
    "x": "session-expires", "y": "identity",
}
# Headers whose values are comma lists (§7.3.1 and the defining RFCs). Authentication headers are not.
_LISTS = (
    "accept accept-contact accept-encoding accept-language alert-info allow allow-events call-info contact "
    "content-encoding content-language diversion error-info history-info in-reply-to p-asserted-identity "
    "p-preferred-identity path proxy-require reason reject-contact record-route require route service-route supported "
    "unsupported via warning"
)
LISTS = frozenset(_LISTS.split())
_COPIED = tuple((name, PRETTY[name]) for name in ("from", "call-id", "cseq"))
_NUMBER_MAX = 2**32 - 1


class Message(msgspec.Struct, dict=True):
    """A request (`method`, `uri`) or a response (`status`, `phrase`; `method` is that of its CSeq).

    After `parser.parse` the views via, from_, to, call_id and cseq never raise; contacts, vias, routes and
    record_routes raise ProtocolError when the peer wrote nonsense there. `charset` is how the head was decoded
    (utf-8, or latin-1 when it isn't UTF-8), so that copied headers go back byte for byte.
    """

    is_request: bool
    method: str
    uri: str = ""
    status: int = 0
    phrase: str = ""
    headers: list[tuple[str, str]] = []
    body: bytes = b""
    charset: str = "utf-8"

    @lazy
    def index(self) -> dict[str, str]:
        """First value by name."""
        return dict(reversed(self.headers))

    def get(self, name: str) -> str | None:
        """First raw value of the header with this lower-case long name, or None."""
        return self.index.get(name)

    def all(self, name: str) -> list[str]:
        """Every value, in order; comma lists are split when the header is one."""
        values = [value for key, value in self.headers if key == name]
        if name not in LISTS:
            return values
        if len(values) == 1:
            return split_list(values[0])
        return [part for value in values for part in split_list(value)]

    def has_option(self, name: str, option: str) -> bool:
        """True when a list header such as supported or require holds this tag (case-insensitive)."""
        return name in self.index and option in [value.lower() for value in self.all(name)]

    @lazy
    def via(self) -> Via:
        """The topmost Via."""
        return parse_via(_first_value(self._need("via")))

    @lazy
    def vias(self) -> list[Via]:
        """All Via values, topmost first."""
        return [parse_via(value) for value in self.all("via")]

    @lazy
    def from_(self) -> NameAddr:
        """The From header."""
        return parse_name_addr(self._need("from"))

    @lazy
    def to(self) -> NameAddr:
        """The To header."""
        return parse_name_addr(self._need("to"))

    @lazy
    def call_id(self) -> str:
        """The Call-ID, '' when missing (only possible in a salvaged message)."""
        return self.index.get("call-id", "")

    @lazy
    def cseq(self) -> tuple[int, str]:
        """(number, method)."""
        return parse_cseq(self._need("cseq"))

    @lazy
    def contacts(self) -> list[NameAddr]:
        """All Contact values; `*` is a NameAddr with `is_star`."""
        return self._addresses("contact")

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact or None."""
        contacts = self.contacts
        return contacts[0] if contacts else None

    @lazy
    def routes(self) -> list[NameAddr]:
        """Route values, topmost first."""
        return self._addresses("route")

    @lazy
    def record_routes(self) -> list[NameAddr]:
        """Record-Route values, topmost first."""
        return self._addresses("record-route")

    @lazy
    def expires(self) -> int | None:
        """The Expires header in seconds, at most 2**32 - 1; None when missing or not a number."""
        return delta_seconds(self.index.get("expires"))

    @lazy
    def max_forwards(self) -> int | None:
        """Max-Forwards; None when missing or not a number, 255 for anything above (§20.22)."""
        hops = delta_seconds(self.index.get("max-forwards"))
        return hops if hops is None else min(hops, 255)

    @lazy
    def content_type(self) -> str:
        """The media type in lower case without parameters, '' when there is none."""
        return self.index.get("content-type", "").partition(";")[0].strip(" \t").lower()

    @lazy
    def reply_head(self) -> str:
        """The lines that every response copies from this request: Via, From, Call-ID, CSeq (§8.2.6.2). To is apart."""
        index = self.index
        lines = [f"Via: {value}\r\n" for name, value in self.headers if name == "via"]
        for name, pretty in _COPIED:
            if name in index:
                lines.append(f"{pretty}: {index[name]}\r\n")
        return "".join(lines)

    def stamp(self, host: str, port: int) -> None:
        """Write received/rport into the top Via, once, on reception; every response then carries them (§18.2.1)."""
        via = self.via
        via.stamp(host, port)
        for place, (name, value) in enumerate(self.headers):
            if name == "via":
                stamped = ", ".join([str(via), *split_list(value)[1:]]) if "," in value else str(via)
                self.headers[place] = ("via", stamped)
                self.index["via"] = stamped
                break
        views = self.__dict__
        views.pop("vias", None)
        views.pop("reply_head", None)

    def _need(self, name: str) -> str:
        value = self.index.get(name)
        if value is None:
            raise ProtocolError(f"{PRETTY[name]} is missing", section="RFC 3261 §8.1.1")
        return value

    def _addresses(self, name: str) -> list[NameAddr]:
        return [parse_name_addr(value) for value in self.all(name)] if name in self.index else []


def _first_value(value: str) -> str:
    return split_list(value)[0] if "," in value and split_list(value) else value


def parse_cseq(value: str) -> tuple[int, str]:
    """`314159 INVITE` -> (number below 2**31, method). Raises ProtocolError."""
    digits, _, method = value.partition(" ")
    if method not in METHODS and not method.isalpha():  # not the usual form: blanks doubled, or an unusual method
        fields = value.split()
        digits, method = fields if len(fields) == 2 else ("", "")
    number = int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= 20 else 2**31
    if number >= 2**31 or not method:
        raise ProtocolError(f"bad CSeq: {value[:80]!r}", section="RFC 3261 §8.1.1.5")
    return number, method


def delta_seconds(value: str | None) -> int | None:
    """A count such as Expires: None when missing or not a number; parameters after `;` are ignored."""
    if value is None:
        return None
    digits = value.partition(";")[0].strip(" \t")
    if not (digits.isdecimal() and digits.isascii()):
        return None
    return min(int(digits), _NUMBER_MAX) if len(digits) <= 20 else _NUMBER_MAX

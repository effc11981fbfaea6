"""The configuration file of a box or phone, from what it is told, in the form its maker documents. No I/O.

What a form is believed to be, and from where, stands in the profile (hardware/gateways, hardware/phones). Every value
is written so that no name or number can end its place and begin another setting: XML is escaped, a line break in a
text of lines becomes a space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

import msgspec

from engine.runtime.provision import Account, linphone_xml

XML = "application/xml; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_PAYLOADS = {"PCMU": 0, "PCMA": 8}
_TRANSPORTS = {"udp": 0, "tcp": 1, "tls": 2}  # as Grandstream and Yealink count them
_SRTP = {"off": 0, "optional": 1, "required": 2}  # both again
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Facts(msgspec.Struct, frozen=True):
    """What a device is told. `host`, `port`, `transport`: our SIP address; `user`, `password`, `realm`: its account,
    password and realm '' for a gateway, which is known by its address. `line`: the number that calls from a line ask
    for; `lines`: how many it has; `codecs`: of G.711, the preferred one first. `srtp` is written where its form is
    known."""

    mac: str
    host: str
    port: int
    user: str
    transport: str = "udp"
    password: str = ""
    realm: str = ""
    display: str = ""
    line: str = ""
    lines: int = 1
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    srtp: str = "off"  # off | optional | required


class File(msgspec.Struct, frozen=True):
    """One file. `secret`: it holds the password, so it is served once."""

    name: str
    kind: str
    body: bytes
    secret: bool = True


def files(template: str, name: str, facts: Facts) -> list[File]:
    """The files of a device, its own first. `name` as in a profile, `{mac}` or `{MAC}` in it."""
    own = name.format(mac=facts.mac, MAC=facts.mac.upper())
    plain = {each: line_of(getattr(facts, each)) for each in ("user", "display", "line", "realm")}
    return _TEMPLATES[template](own, msgspec.structs.replace(facts, **plain))


def _xml(name: str, text: str, *, secret: bool = True) -> list[File]:
    return [File(name, XML, ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode(), secret)]


def _elements(pairs: list[tuple[str, object]], indent: str = "  ") -> str:
    return "".join(f"{indent}<{key}>{escape(str(value))}</{key}>\n" for key, value in pairs)


def line_of(text: object) -> str:
    """A value for a file of lines: control characters, line breaks among them, become one space."""
    return _CONTROL.sub(" ", str(text)).strip()


def _where(facts: Facts) -> str:
    host = f"[{facts.host}]" if ":" in facts.host else facts.host
    return f"{host}:{facts.port}"


# --- Grandstream: P-values in XML ----------------------------------------------------------------------------
def _grandstream(name: str, facts: Facts, pairs: list[tuple[str, object]]) -> list[File]:
    text = f'<gs_provision version="1">\n<mac>{facts.mac}</mac>\n<config version="1">\n{_elements(pairs)}'
    return _xml(name, f"{text}</config>\n</gs_provision>\n")


def _grandstream_phone(name: str, facts: Facts) -> list[File]:
    pairs: list[tuple[str, object]] = [
        ("P271", 1), ("P270", facts.display or facts.user), ("P47", _where(facts)), ("P35", facts.user),
        ("P36", facts.user), ("P34", facts.password), ("P3", facts.display or facts.user),
        ("P130", _TRANSPORTS[facts.transport]), ("P183", _SRTP[facts.srtp]), ("P2301", 0), ("P2302", 0), ("P2303", 1),
    ]  # fmt: skip
    pairs += [(f"P{57 + place}", _PAYLOADS[codec]) for place, codec in enumerate(facts.codecs)]
    return _grandstream(name, facts, pairs)


def _grandstream_fxo(name: str, facts: Facts) -> list[File]:
    """The FXO port of a box with one telephone and one line: dials at once (one stage), passes faxes through G.711."""
    pairs: list[tuple[str, object]] = [
        ("P401", 1), ("P747", _where(facts)), ("P830", _TRANSPORTS[facts.transport]), ("P735", facts.user),
        ("P736", facts.user), ("P703", facts.user), ("P731", 0), ("P813", 1), ("P740", 5062), ("P860", 101),
        *((f"P{757 + place}", _PAYLOADS[codec]) for place, codec in enumerate(facts.codecs)),
        ("P750", 0), ("P710", 1), ("P443", _SRTP[facts.srtp]), ("P839", 0), ("P893", 1), ("P798", 2), ("P842", 0),
        ("P3303", 0), ("P3304", 1),
    ]  # fmt: skip
    if facts.line:
        pairs += [("P3305", facts.line), ("P3306", facts.host), ("P3307", facts.port)]
    return _grandstream(name, facts, pairs)


def _grandstream_gxw(name: str, facts: Facts) -> list[File]:
    """FXO ports with one text for all of them, `ch1-4:value;`, and the SIP server in profile 1."""
    count = min(facts.lines, 8)
    every = f"ch1-{count}" if count > 1 else "ch1"
    ports: list[tuple[int, object]] = [
        (3404, 2), (3409, 1 + _SRTP[facts.srtp]), (3402, "N"), (3602, "mode=2,rate=9600,ecm=1"), (3603, "Y"),
        (3599, 2), (3601, 1), (3303, "N"), (3304, 1), (3306, "p1"), (3307, facts.port),
    ]  # fmt: skip
    if facts.line:
        ports.append((3607, facts.line))
    return _grandstream(name, facts, [
        ("P271", 1), ("P270", facts.user), ("P47", _where(facts)), ("P31", 0),
        ("P130", 2 if facts.transport == "tcp" else 1),
        *((f"P{57 + place}", _PAYLOADS[codec]) for place, codec in enumerate(facts.codecs)),
        *((f"P{number}", f"{every}:{value};") for number, value in sorted(ports)),
        ("P3407", f"rr:1-{count};" if count > 1 else "rr:1;"),
    ])  # fmt: skip


# --- texts of lines ------------------------------------------------------------------------------------------
def _yealink(name: str, facts: Facts) -> list[File]:
    pairs: list[tuple[str, object]] = [
        ("enable", 1), ("label", facts.display or facts.user), ("display_name", facts.display or facts.user),
        ("auth_name", facts.user), ("user_name", facts.user), ("password", facts.password),
        ("sip_server.1.address", facts.host), ("sip_server.1.port", facts.port),
        ("sip_server.1.transport_type", _TRANSPORTS[facts.transport]), ("sip_server.1.expires", 300),
        ("srtp_encryption", _SRTP[facts.srtp]), ("dtmf.type", 1),
    ]  # fmt: skip
    for place, codec in enumerate(facts.codecs, 1):
        pairs += [(f"codec.{codec.lower()}.enable", 1), (f"codec.{codec.lower()}.priority", place)]
    text = "#!version:1.0.0.1\n" + "".join(f"account.1.{key} = {line_of(value)}\n" for key, value in pairs)
    return [File(name, TEXT, text.encode())]


_CODERS = {"PCMU": "g711Ulaw64k", "PCMA": "g711Alaw64k"}


def _audiocodes(name: str, facts: Facts) -> list[File]:
    coders = "".join(f"CodersGroup0 {place} = {_CODERS[codec]}, 20, 0, 255, 0;\r\n"
                     for place, codec in enumerate(facts.codecs))  # fmt: skip
    transport = 1 if facts.transport == "tcp" else 0
    text = (
        "; calls come and go by address: there is no password in here\r\n"
        "IsProxyUsed = 1\r\nIsRegisterNeeded = 0\r\nIsTwoStageDial = 0\r\n"
        "FirstTxDTMFOption = 4\r\nRxDTMFOption = 3\r\n"
        "DisconnectOnBusyTone = 1\r\nEnableCurrentDisconnect = 1\r\n\r\n"
        "[ ProxyIp ]\r\nFORMAT ProxyIp_Index = ProxyIp_IpAddress, ProxyIp_TransportType, ProxyIp_ProxySetId;\r\n"
        f'ProxyIp 0 = "{line_of(_where(facts))}", {transport}, 0;\r\n[ \\ProxyIp ]\r\n\r\n'
        "[ CodersGroup0 ]\r\nFORMAT CodersGroup0_Index = CodersGroup0_Name, CodersGroup0_pTime, CodersGroup0_rate, "
        f"CodersGroup0_PayloadType, CodersGroup0_Sce;\r\n{coders}[ \\CodersGroup0 ]\r\n"
    )
    return [File(name, TEXT, text.encode(), secret=False)]


def _patton(name: str, facts: Facts) -> list[File]:
    parts = ["cli version 3.20", "", "profile voip RINGDOWN"]
    parts += [f"  codec {place} {_CODERS[codec].lower()} rx-length 20 tx-length 20"
              for place, codec in enumerate(facts.codecs, 1)]  # fmt: skip
    parts += ["  dtmf-relay rtp", "", "context cs switch"]
    for number in range(1, facts.lines + 1):
        parts += [
            f"  interface sip IF_SIP_{number}", f"    bind context sip-gateway GW_SIP_{number}", "    early-disconnect",
            f"    route call dest-interface IF_FXO_{number}", f"    remote {facts.host} {facts.port}",
            f"    address-translation outgoing-call request-uri user-part fix {line_of(facts.line or facts.user)} "
            "host-part to-header target-param none",
            f"  interface fxo IF_FXO_{number}", f"    route call dest-interface IF_SIP_{number}",
            "    ring-number on-caller-id", "    disconnect-signal loop-break", "    disconnect-signal busy-tone",
        ]  # fmt: skip
    parts += ["context cs switch", "  no shutdown", ""]
    for number in range(1, facts.lines + 1):
        parts += [
            f"context sip-gateway GW_SIP_{number}", "  interface LAN",
            f"    bind interface IF_IP_LAN context router port {5058 + 2 * number}",
            f"context sip-gateway GW_SIP_{number}", "  no shutdown",
            f"port fxo 0 {number - 1}", "  encapsulation cc-fxo", f"  bind interface IF_FXO_{number} switch",
            "  no shutdown", "",
        ]  # fmt: skip
    return [File(name, TEXT, "\n".join(parts).encode(), secret=False)]


# --- XML of others ---------------------------------------------------------------------------------------------
def _cisco(name: str, facts: Facts) -> list[File]:
    """Line 1 of an adapter for telephones, the PSTN line (2) of one with a telephone line."""
    n = 1 if facts.realm else 2
    preferred = "G711a" if facts.codecs[0] == "PCMA" else "G711u"
    pairs: list[tuple[str, object]] = [
        (f"Line_Enable_{n}_", "Yes"), (f"Proxy_{n}_", _where(facts)), (f"User_ID_{n}_", facts.user),
        (f"Display_Name_{n}_", facts.display or facts.user), (f"Preferred_Codec_{n}_", preferred),
        (f"DTMF_Tx_Method_{n}_", "AVT"), (f"SIP_Transport_{n}_", facts.transport.upper()),
    ]  # fmt: skip
    if facts.realm:
        pairs += [(f"Register_{n}_", "Yes"), (f"Password_{n}_", facts.password)]
    else:
        pairs += [(f"Register_{n}_", "No"), (f"Make_Call_Without_Reg_{n}_", "Yes"),
                  (f"Ans_Call_Without_Reg_{n}_", "Yes")]  # fmt: skip
    return _xml(name, f"<flat-profile>\n{_elements(pairs)}</flat-profile>\n", secret=bool(facts.realm))


def _snom(name: str, facts: Facts) -> list[File]:
    codecs = ",".join((*(codec.lower() for codec in facts.codecs), "telephone-event"))
    savp = {"off": "off", "optional": "optional", "required": "mandatory"}[facts.srtp]
    pairs = [
        ("user_active", "on"), ("user_realname", facts.display or facts.user), ("user_name", facts.user),
        ("user_pname", facts.user), ("user_pass", facts.password), ("user_host", facts.host),
        ("user_outbound", f"{_where(facts)};transport={facts.transport}"), ("user_dtmf_info", "off"),
        ("user_srtp", "off" if facts.srtp == "off" else "on"), ("user_savp", savp), ("codec_priority_list", codecs),
    ]  # fmt: skip
    inner = "".join(f'    <{key} idx="1" perm="R">{escape(value)}</{key}>\n' for key, value in pairs)
    return _xml(name, f"<settings>\n  <phone-settings>\n{inner}  </phone-settings>\n</settings>\n")


def _poly(name: str, facts: Facts) -> list[File]:
    """The master that the phone asks for names a second file, which holds the account."""
    account = f"{facts.mac}-account.cfg"
    master = f'<APPLICATION CONFIG_FILES={quoteattr(account)} APP_FILE_PATH="" MISC_FILES=""/>\n'
    transport = {"udp": "UDPOnly", "tcp": "TCPOnly", "tls": "TLS"}[facts.transport]
    secret = int(facts.srtp != "off")
    preferred = {"PCMU": "G711_Mu", "PCMA": "G711_A"}
    pairs: list[tuple[str, object]] = [
        ("reg.1.displayName", facts.display or facts.user), ("reg.1.label", facts.user), ("reg.1.address", facts.user),
        ("reg.1.auth.userId", facts.user), ("reg.1.auth.password", facts.password),
        ("reg.1.server.1.address", facts.host), ("reg.1.server.1.port", facts.port),
        ("reg.1.server.1.transport", transport), ("reg.1.server.1.expires", 300), ("reg.1.server.1.register", 1),
        ("sec.srtp.enable", secret), ("sec.srtp.offer", secret), ("sec.srtp.require", int(facts.srtp == "required")),
        ("tone.dtmf.viaRtp", 1), ("tone.dtmf.rfc2833Control", 1),
        *((f"voice.codecPref.{preferred[codec]}", place) for place, codec in enumerate(facts.codecs, 1)),
    ]  # fmt: skip
    body = "<polycomConfig\n" + "".join(f"  {key}={quoteattr(str(value))}\n" for key, value in pairs) + "/>\n"
    return _xml(name, master, secret=False) + _xml(account, body)


def _fanvil(name: str, facts: Facts) -> list[File]:
    pairs: list[tuple[str, object]] = [
        ("PhoneNumber", facts.user), ("DisplayName", facts.display or facts.user), ("RegisterAddr", facts.host),
        ("RegisterPort", facts.port), ("RegisterUser", facts.user), ("RegisterPswd", facts.password),
        ("RegisterTTL", 300), ("EnableReg", 1), ("Transport", {"udp": 0, "tcp": 1, "tls": 3}[facts.transport]),
        ("ProxyAddr", facts.host), ("ProxyPort", facts.port), ("ProxyUser", facts.user), ("ProxyPswd", facts.password),
    ]  # fmt: skip
    inner = _elements(pairs, "      ")
    return _xml(name, "<sysConf>\n  <Version>2.0002</Version>\n  <sip>\n    <SIPPort>5060</SIPPort>\n"
                      f'    <line index="1">\n{inner}    </line>\n  </sip>\n</sysConf>\n')  # fmt: skip


def _linphone(name: str, facts: Facts) -> list[File]:
    account = Account(facts.host, facts.port, facts.user, facts.password, facts.realm, facts.display, facts.transport,
                      facts.srtp)  # fmt: skip
    return [File(name, XML, linphone_xml(account))]


_TEMPLATES: dict[str, Callable[[str, Facts], list[File]]] = {
    "grandstream-phone": _grandstream_phone, "grandstream-fxo": _grandstream_fxo, "grandstream-gxw": _grandstream_gxw,
    "yealink": _yealink, "cisco-spa": _cisco, "audiocodes": _audiocodes, "patton": _patton, "snom": _snom,
    "poly": _poly, "fanvil": _fanvil, "linphone": _linphone,
}  # fmt: skip

# what no file sets, because nobody could look up how: entered by hand, {line} {host} {port} {user} put in
_BY_HAND = {
    "grandstream-fxo": (
        "FXO PORT: PSTN Disconnect Tone and AC Termination Model as in your country",
        "look: BASIC SETTINGS, Unconditional Call Forward to VOIP has User ID {line}, Sip Server {host}, port {port}",
        "look: FXO PORT has SIP Registration No, Number of Rings 2, Stage Method 1, Wait for Dial-Tone No",
    ),
    "grandstream-gxw": (
        "FXO Lines: AC Termination Impedance and Caller ID Scheme as in your country",
        "FXO Lines: Enable Tone Disconnect, with your country's busy and reorder tones (Channels, Call Progress Tones)",
        "look: FXO Lines, Unconditional Call Forward to VOIP has {line} for each channel",
    ),
    "cisco-spa-line": (
        "PSTN Line: Dial Plan 8 (S0<:{line}>), PSTN Caller Default DP 8, PSTN CID For VoIP CID yes",
        "PSTN Line: Disconnect Tone as in your country, Detect Long Silence no",
    ),
    "audiocodes": (
        "Automatic Dialing: each port dials {line}",
        "Call Progress Tones file of your country; EnableReversalPolarity 1 if the line reverses its polarity",
    ),
    "patton": ("tones and the FXO profile of your country; the name of the LAN interface if it isn't IF_IP_LAN",),
}


def by_hand(template: str, facts: Facts) -> list[str]:
    """What is left to enter in the box's own pages."""
    key = "cisco-spa-line" if template == "cisco-spa" and not facts.realm else template
    shown = {"line": facts.line or "the number that callers shall reach", "host": facts.host, "port": facts.port,
             "user": facts.user}  # fmt: skip
    found = [text.format(**shown) for text in _BY_HAND.get(key, ())]
    if facts.transport == "tls":
        found.append("trusted certificates: that of whoever signed the engine's, unless a public authority did")
    return found

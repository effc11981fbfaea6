"""Each template: what its maker's form asks for, and no value that can break out of its place."""

from __future__ import annotations

import configparser
import re
import xml.etree.ElementTree as tree

import msgspec
import pytest

from engine.dialplan.profiles import TEMPLATES
from engine.runtime.provisioning_files import _TEMPLATES, Facts, by_hand, files, line_of

PHONE = Facts("805ec0112233", "192.168.1.9", 5060, "201", "udp", "x7kd-p2mq-9hta", "ringdown", "Ben <&> \"Okoro\"")
BOX = Facts("000b821a2b3c", "192.168.1.9", 5060, "office", line="100", lines=2, codecs=("PCMA", "PCMU"))


def one(template: str, name: str, facts: Facts) -> str:
    made = files(template, name, facts)
    assert len(made) == 1
    return made[0].body.decode()


def test_every_template_of_a_profile_exists() -> None:
    assert set(TEMPLATES) == set(_TEMPLATES)


def test_grandstream_phone_is_gs_provision_with_p_values() -> None:
    root = tree.fromstring(one("grandstream-phone", "cfg{mac}.xml", PHONE))
    assert root.tag == "gs_provision" and root.get("version") == "1"
    assert root.findtext("mac") == "805ec0112233"
    config = root.find("config")
    assert config is not None and config.get("version") == "1"
    values = {each.tag: each.text for each in config}
    assert all(re.fullmatch(r"P[0-9]+", tag) for tag in values)
    assert (values["P47"], values["P35"], values["P36"]) == ("192.168.1.9:5060", "201", "201")
    assert values["P34"] == "x7kd-p2mq-9hta" and values["P270"] == "Ben <&> \"Okoro\""
    assert (values["P57"], values["P58"], values["P130"], values["P2303"]) == ("0", "8", "0", "1")
    assert files("grandstream-phone", "cfg{mac}.xml", PHONE)[0].name == "cfg805ec0112233.xml"


def p_values(text: str) -> dict[str, str | None]:
    """The settings of a gs_provision file, whose tags are P and a number."""
    root = tree.fromstring(text)
    assert root.tag == "gs_provision" and root.get("version") == "1"
    config = root.find("config")
    assert config is not None and all(re.fullmatch(r"P[0-9]+", each.tag) for each in config)
    assert len({each.tag for each in config}) == len(config), "each once"
    return {each.tag: each.text for each in config}


# What the maker's lists of settings allow (see `sources` of the profiles): number -> expression
HT503 = {
    "P401": "[01]", "P747": r"\S+", "P830": "[012]", "P735": r"\S+", "P736": r"\S+", "P703": ".+", "P731": "[01]",
    "P813": "[01]", "P740": "[0-9]+", "P860": "10[012]", "P757": "0|8", "P758": "0|8", "P750": "[01]", "P710": "[01]",
    "P443": "[012]", "P839": "[0123]", "P893": "[01]", "P798": "[1-9]|10", "P842": "[01]", "P3303": "[01]",
    "P3304": "[12]", "P3305": ".+", "P3306": r"\S+", "P3307": "[0-9]+",
}  # fmt: skip
GXW410X = {
    "P271": "[01]", "P270": ".+", "P47": r"\S+", "P31": "[01]", "P130": "[12]", "P57": "0|3|4|8|18",
    "P58": "0|3|4|8|18", "P3402": "[YN]", "P3602": "mode=[12],rate=[0-9]+,ecm=[01]", "P3603": "[YN]", "P3303": "[YN]",
    "P3304": "[12]", "P3404": "[1-7]", "P3409": "[123]", "P3599": "[0-9]+", "P3601": "[1-4]",
    "P3306": "p[123]", "P3307": "[0-9]+", "P3607": ".+", "P3407": ".+",
}  # fmt: skip


def test_grandstream_fxo_registers_nowhere_and_has_no_secret() -> None:
    values = p_values(one("grandstream-fxo", "cfg{mac}.xml", BOX))
    assert values.keys() == HT503.keys()
    assert all(re.fullmatch(HT503[key], str(value)) for key, value in values.items()), values
    assert (values["P747"], values["P735"], values["P731"]) == ("192.168.1.9:5060", "office", "0")
    assert (values["P860"], values["P757"], values["P3304"], values["P798"]) == ("101", "8", "1", "2")
    assert (values["P3305"], values["P3306"], values["P3307"]) == ("100", "192.168.1.9", "5060")
    assert "P734" not in values, "the password's number"
    assert values["P710"] == "1", "pass through: T.38 isn't spoken here"
    nowhere = p_values(one("grandstream-fxo", "x", Facts("000b821a2b3c", "192.168.1.9", 5060, "office")))
    assert not {"P3305", "P3306", "P3307"} & nowhere.keys(), "nobody said which number callers shall reach"
    hand = by_hand("grandstream-fxo", BOX)
    assert "as in your country" in hand[0] and "User ID 100, Sip Server 192.168.1.9, port 5060" in hand[1]


def test_grandstream_gxw_says_it_for_all_its_ports_at_once() -> None:
    """One text a setting: `ch1-4:value;`. Each value is one that the maker's list allows."""
    four = Facts("000b821a2b3c", "192.168.1.9", 5060, "office", line="100", lines=4, codecs=("PCMA", "PCMU"))
    values = p_values(one("grandstream-gxw", "cfg{mac}.xml", four))
    assert values.keys() == GXW410X.keys()
    ported = {key: str(value) for key, value in values.items() if str(value).startswith("ch")}
    assert all(value.startswith("ch1-4:") and value.endswith(";") for value in ported.values())
    shown = {key: str(value).removeprefix("ch1-4:").rstrip(";") for key, value in values.items()}
    assert all(re.fullmatch(GXW410X[key], value) for key, value in shown.items()), shown
    assert len(ported) == 12 and values["P3607"] == "ch1-4:100;" and values["P3404"] == "ch1-4:2;"
    assert (values["P47"], values["P31"], values["P57"], values["P3407"]) == ("192.168.1.9:5060", "0", "8", "rr:1-4;")
    eight = p_values(one("grandstream-gxw", "x", msgspec.structs.replace(four, lines=8, transport="tcp")))
    assert eight["P3304"] == "ch1-8:1;" and eight["P130"] == "2"
    single = p_values(one("grandstream-gxw", "x", msgspec.structs.replace(four, lines=1, line="")))
    assert single["P3304"] == "ch1:1;" and "P3607" not in single
    assert by_hand("grandstream-gxw", four)[-1].endswith("has 100 for each channel")


# template -> what its file says for TLS with SRTP required, for SRTP optional over UDP, for neither
ENCRYPTED = {
    "grandstream-phone": (("<P130>2<", "<P183>2<"), ("<P130>0<", "<P183>1<"), ("<P130>0<", "<P183>0<")),
    "grandstream-fxo": (("<P830>2<", "<P443>2<"), ("<P830>0<", "<P443>1<"), ("<P830>0<", "<P443>0<")),
    "grandstream-gxw": (("<P3409>ch1:3;",), ("<P130>1<", "<P3409>ch1:2;"), ("<P130>1<", "<P3409>ch1:1;")),
    "yealink": (("1.transport_type = 2\n", "1.srtp_encryption = 2\n"),
                ("1.transport_type = 0\n", "1.srtp_encryption = 1\n"),
                ("1.transport_type = 0\n", "1.srtp_encryption = 0\n")),
    "snom": ((";transport=tls<", 'user_srtp idx="1" perm="R">on<', ">mandatory</user_savp>"),
             (";transport=udp<", 'user_srtp idx="1" perm="R">on<', ">optional</user_savp>"),
             (";transport=udp<", 'user_srtp idx="1" perm="R">off<', ">off</user_savp>")),
    "poly": (('server.1.transport="TLS"', 'srtp.enable="1"', 'srtp.offer="1"', 'srtp.require="1"'),
             ('server.1.transport="UDPOnly"', 'srtp.enable="1"', 'srtp.offer="1"', 'srtp.require="0"'),
             ('server.1.transport="UDPOnly"', 'srtp.enable="0"', 'srtp.offer="0"', 'srtp.require="0"')),
    "fanvil": (("<Transport>3<",), ("<Transport>0<",), ("<Transport>0<",)),
    "linphone": ((";transport=tls&gt;", '"media_encryption" overwrite="true">srtp<', 'mandatory" overwrite="true">1<'),
                 (";transport=udp&gt;", '"media_encryption" overwrite="true">srtp<', 'mandatory" overwrite="true">0<'),
                 (";transport=udp&gt;", '"media_encryption" overwrite="true">none<')),
}  # fmt: skip


@pytest.mark.parametrize("template", sorted(ENCRYPTED))
def test_tls_and_srtp_are_written_as_the_maker_says_them(template: str) -> None:
    for (transport, srtp), wanted in zip(
        (("tls", "required"), ("udp", "optional"), ("udp", "off")), ENCRYPTED[template], strict=True
    ):  # fmt: skip
        facts = msgspec.structs.replace(PHONE, transport=transport, srtp=srtp)
        text = files(template, "{mac}.x", facts)[-1].body.decode()
        assert not [each for each in wanted if each not in text], (transport, srtp, text)


def test_who_goes_by_tls_is_told_to_trust_our_certificate() -> None:
    facts = msgspec.structs.replace(PHONE, transport="tls")
    assert by_hand("yealink", PHONE) == [] and "whoever signed the engine's" in by_hand("yealink", facts)[-1]


def test_yealink_begins_with_its_header_and_is_key_equals_value() -> None:
    text = one("yealink", "{mac}.cfg", PHONE)
    first, _, rest = text.partition("\n")
    assert first == "#!version:1.0.0.1"
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string("[all]\n" + rest)
    found = parser["all"]
    assert found["account.1.password"] == "x7kd-p2mq-9hta" and found["account.1.enable"] == "1"
    assert found["account.1.sip_server.1.address"] == "192.168.1.9"
    assert found["account.1.sip_server.1.port"] == "5060"
    assert found["account.1.codec.pcmu.priority"] == "1" and found["account.1.codec.pcma.priority"] == "2"


def test_cisco_is_a_flat_profile_for_line_1_or_the_telephone_line() -> None:
    phone = {each.tag: each.text for each in tree.fromstring(one("cisco-spa", "spa{mac}.xml", PHONE))}
    assert (phone["Proxy_1_"], phone["User_ID_1_"], phone["Password_1_"]) == ("192.168.1.9:5060", "201", PHONE.password)
    assert phone["Register_1_"] == "Yes" and phone["DTMF_Tx_Method_1_"] == "AVT"
    text = one("cisco-spa", "spa{mac}.xml", BOX)
    root = tree.fromstring(text)
    line = {each.tag: each.text for each in root}
    assert root.tag == "flat-profile" and line["Preferred_Codec_2_"] == "G711a"
    assert (line["Register_2_"], line["Ans_Call_Without_Reg_2_"]) == ("No", "Yes")
    assert "Password" not in text
    assert by_hand("cisco-spa", PHONE) == [] and "(S0<:100>)" in by_hand("cisco-spa", BOX)[0]


def test_audiocodes_keeps_the_rules_of_ini_files() -> None:
    made = files("audiocodes", "config{mac}.ini", BOX)[0]
    text = made.body.decode()
    assert not made.secret and "-" not in made.name and " " not in made.name, "8.1.3: no hyphen, no space"
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    for table in ("ProxyIp", "CodersGroup0"):
        block = text.split(f"[ {table} ]\r\n")[1].split(f"[ \\{table} ]")[0]
        head, *rows = block.strip().split("\r\n")
        assert head.startswith(f"FORMAT {table}_Index = ") and rows
        fields = head.partition(" = ")[2].rstrip(";").split(", ")
        for row in rows:
            assert row.endswith(";") and len(row.partition(" = ")[2].rstrip(";").split(", ")) == len(fields), row
    assert 'ProxyIp 0 = "192.168.1.9:5060", 0, 0;' in text
    assert "CodersGroup0 0 = g711Alaw64k, 20, 0, 255, 0;" in text
    assert "IsRegisterNeeded = 0" in text and "IsTwoStageDial = 0" in text


def test_patton_binds_an_interface_for_each_line() -> None:
    text = one("patton", "{mac}.cfg", BOX)
    assert text.startswith("cli version ")
    for number in (1, 2):
        assert f"interface sip IF_SIP_{number}" in text and f"interface fxo IF_FXO_{number}" in text
        assert f"port fxo 0 {number - 1}" in text
    assert "IF_FXO_3" not in text
    assert text.count("remote 192.168.1.9 5060") == 2 and text.count("user-part fix 100 ") == 2
    assert text.count("disconnect-signal busy-tone") == text.count("disconnect-signal loop-break") == 2


def test_snom_is_settings_with_phone_settings_of_identity_1() -> None:
    made = files("snom", "{MAC}.htm", PHONE)[0]
    assert made.name == "805EC0112233.htm"
    root = tree.fromstring(made.body)
    assert root.tag == "settings" and [each.tag for each in root] == ["phone-settings"]
    values = {each.tag: each.text for each in root[0]}
    assert all(each.get("idx") == "1" and each.get("perm") == "R" for each in root[0])
    assert (values["user_name"], values["user_pass"], values["user_host"]) == ("201", PHONE.password, "192.168.1.9")
    assert values["user_outbound"] == "192.168.1.9:5060;transport=udp"
    assert values["codec_priority_list"] == "pcmu,pcma,telephone-event"


def test_poly_asks_for_a_master_that_names_the_account() -> None:
    master, account = files("poly", "{mac}.cfg", PHONE)
    named = tree.fromstring(master.body)
    assert named.tag == "APPLICATION" and named.get("CONFIG_FILES") == account.name == "805ec0112233-account.cfg"
    assert not master.secret and account.secret and PHONE.password.encode() not in master.body
    root = tree.fromstring(account.body)
    assert root.tag == "polycomConfig" and root.get("reg.1.auth.password") == PHONE.password
    assert root.get("reg.1.displayName") == PHONE.display and root.get("tone.dtmf.rfc2833Control") == "1"


def test_fanvil_is_sysconf_with_one_line() -> None:
    root = tree.fromstring(one("fanvil", "{mac}.cfg", PHONE))
    line = root.find("sip/line")
    assert root.tag == "sysConf" and line is not None and line.get("index") == "1"
    assert line.findtext("RegisterPswd") == PHONE.password and line.findtext("EnableReg") == "1"
    assert line.findtext("RegisterAddr") == "192.168.1.9"


def test_linphone_is_an_lpconfig() -> None:
    root = tree.fromstring(one("linphone", "{mac}.xml", PHONE))
    assert root.tag.endswith("}config") and len(root) == 3


EVIL = Facts("805ec0112233", "192.168.1.9", 5060, "201", password="p", realm="r",
             display="a\naccount.1.password = stolen\r\n]]><P2>x</P2>\u2028\x00")  # fmt: skip


@pytest.mark.parametrize("template", sorted(_TEMPLATES))
def test_no_name_can_begin_another_setting(template: str) -> None:
    clean = EVIL.__class__(EVIL.mac, EVIL.host, EVIL.port, EVIL.user, password="p", realm="r", display="plain")
    for evil, plain in zip(files(template, "{mac}.x", EVIL), files(template, "{mac}.x", clean), strict=True):
        assert evil.body.count(b"\n") == plain.body.count(b"\n")
        if plain.body.startswith(b"<?xml"):
            assert len(list(tree.fromstring(evil.body).iter())) == len(list(tree.fromstring(plain.body).iter()))
            assert b"<P2>" not in evil.body
        else:
            assert len(re.findall(rb"^account.1.password", evil.body, re.M)) <= 1


def test_a_value_of_a_line_stays_on_its_line() -> None:
    assert line_of("a\r\nb\x00c\u2028d ") == "a b c d"


def test_an_ipv6_address_is_bracketed_where_a_port_follows() -> None:
    facts = Facts("805ec0112233", "fd00::1", 5060, "201", password="p", realm="r")
    assert b"<P47>[fd00::1]:5060</P47>" in files("grandstream-phone", "cfg{mac}.xml", facts)[0].body

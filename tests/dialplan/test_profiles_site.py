"""A site's trunks and phones take a profile's values under their own, and devices.yaml says whose file is written."""

from __future__ import annotations

import pytest

from engine.dialplan.model import Site
from engine.dialplan.profiles_site import Origin, origins
from engine.dialplan.prompts import WavInfo
from engine.dialplan.reader import read_site
from engine.runtime.profile_files import shipped
from tests.dialplan.site import BASE, STOCK

Files = dict[str, bytes | WavInfo]


def site(files: dict[str, str], profiles: dict[str, bytes] | None = None) -> tuple[Site | None, list[str]]:
    both: Files = {**BASE, **(shipped() if profiles is None else profiles)}
    both |= {name: text.encode() for name, text in files.items()}
    found, findings = read_site(both, STOCK)
    return found, [f"{each.code} {each.file}:{each.line}:{each.column} {each.message}" for each in findings]


def test_a_trunk_takes_what_it_does_not_say_itself() -> None:
    found, findings = site({"trunks.yaml": "carrier: {host: 192.0.2.20, profile: grandstream-ht813}\n"})
    assert found is not None and not findings
    trunk = found.trunks["carrier"]
    assert (trunk.port, trunk.dtmf, trunk.calls_max) == (5062, "rfc4733", 1)


def test_what_the_site_says_goes_before() -> None:
    text = "carrier: {host: 192.0.2.20, profile: grandstream-ht813, port: 5080, dtmf: info}\n"
    found, findings = site({"trunks.yaml": text})
    assert found is not None and not findings
    trunk = found.trunks["carrier"]
    assert (trunk.port, trunk.dtmf, trunk.calls_max) == (5080, "info", 1)


def test_an_agents_phone_takes_its_profiles_digits_and_never_answers_by_itself() -> None:
    found, findings = site({"agents.yaml": "200: {name: Ana, team: front, profile: snom}\n201: {name: Ben}\n"})
    assert found is not None and not findings
    assert found.agents["default/200"].dtmf == "rfc4733" and found.agents["default/200"].auto_answer == ""
    assert found.agents["default/201"].dtmf == "auto"
    said = "200: {name: Ana, team: front, profile: snom, phone: {dtmf: info}}\n"
    found, _ = site({"agents.yaml": said})
    assert found is not None and found.agents["default/200"].dtmf == "info"


def test_what_nobody_could_look_up_is_not_applied() -> None:
    text = "carrier: {host: 192.0.2.20, profile: cisco-spa3102}\n201: {host: 192.0.2.21, profile: yeastar-tg}\n"
    found, findings = site({"trunks.yaml": text.replace("201", "mobile")})
    assert found is not None and not findings
    assert (found.trunks["carrier"].port, found.trunks["carrier"].dtmf) == (5060, "auto")
    assert found.trunks["mobile"].dtmf == "auto"
    found, _ = site({"agents.yaml": "200: {name: Ana, team: front, profile: yealink}\n"})
    assert found is not None and found.agents["default/200"].dtmf == "auto"


def test_a_lent_value_that_is_wrong_is_told_at_the_profiles_line() -> None:
    text = shipped()["profiles/grandstream-ht813.yaml"].replace(b'{says: "5062",', b'{says: "99999",')
    files = {"trunks.yaml": "carrier: {host: 192.0.2.20, profile: grandstream-ht813}\n"}
    found, findings = site(files, {"profiles/grandstream-ht813.yaml": text})
    assert found is None
    assert any("profiles/grandstream-ht813.yaml:46:16 port" in each for each in findings), findings
    assert len(findings) == 1, "whoever names a broken profile isn't accused as well"


def test_an_unknown_profile_is_told_with_the_nearest() -> None:
    both: Files = {**BASE, **shipped(), "trunks.yaml": b"carrier: {host: h, profile: grandsteam-ht813}\n"}
    finding = next(each for each in read_site(both, STOCK)[1] if each.code == "RD380")
    assert (finding.line, finding.column) == (1, 29)
    assert finding.suggestion == "did you mean 'grandstream-ht813'?"


def test_a_phones_profile_is_no_gateways() -> None:
    _, findings = site({"trunks.yaml": "carrier: {host: 192.0.2.20, profile: yealink}\n"})
    assert "RD384 trunks.yaml:1:38 yealink is a phone's profile" in findings
    _, findings = site({"agents.yaml": "200: {name: Ana, profile: grandstream-ht813}\n"})
    assert "RD384 agents.yaml:1:27 grandstream-ht813 is a gateway's profile" in findings
    found, findings = site({"agents.yaml": "200: {name: Ana, team: front, profile: cisco-spa112}\n"})
    assert found is not None and not findings, "a box for telephones stands for an agent's phone"


DEVICES = """\
00:0B:82:1a:2b:3c: {profile: grandstream-ht813, trunk: carrier, line: 100}
805ec0112233: {profile: yealink, agent: 200}
"""


def test_devices_are_read() -> None:
    found, findings = site({"devices.yaml": DEVICES})
    assert found is not None and not findings
    box, phone = found.devices["000b821a2b3c"], found.devices["805ec0112233"]
    assert (box.trunk, box.line, box.template, box.agent) == ("carrier", "100", "grandstream-fxo", "")
    assert (phone.agent, phone.file, phone.codecs) == ("default/200", "{mac}.cfg", ("PCMU", "PCMA"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("805ec011223: {profile: yealink, agent: 200}", "RD382 devices.yaml:1:1"),
        ("805ec0112233: {profile: yealink, agent: 200}\n80:5e:c0:11:22:33: {profile: yealink, agent: 201}",
         "RD382 devices.yaml:2:1"),
        ("805ec0112233: {profile: yealink, agent: 200, trunk: carrier}", "RD383 devices.yaml:1:46"),
        ("805ec0112233: {profile: yealink}", "RD383 devices.yaml:1:1"),
        ("805ec0112233: {agent: 200}", "RD022 devices.yaml:1:1"),
        ("805ec0112233: {profile: yealink, agent: 999}", "RD035 devices.yaml:1:41"),
        ("805ec0112233: {profile: yealink, trunk: carrier}", "RD384 devices.yaml:1:25"),
        ("805ec0112233: {profile: grandstream-ht813, trunk: nobody}", "RD036 devices.yaml:1:51"),
        ("805ec0112233: {profile: yeastar-tg, trunk: carrier}", "RD385 devices.yaml:1:1"),
        ("805ec0112233: {profile: yealink, agent: 200, line: 100}", "RD024 devices.yaml:1:52"),
        ("805ec0112233: {profile: yealink, agent: 200, colour: red}", "RD021 devices.yaml:1:46"),
        ("805ec0112233: {profile: yealink, agent: 200, transport: sctp}", "RD024 devices.yaml:1:57"),
        ("805ec0112233: {profile: yealink, agent: 200, transport: tls}", "RD366 devices.yaml:1:57"),
        ("805ec0112233: {profile: cisco-spa112, agent: 200, transport: tls}", "RD366 devices.yaml:1:62"),
        ("00a0ba112233: {profile: patton-smartnode, trunk: carrier, transport: tls}", "RD024 devices.yaml:1:59"),
    ],
)
def test_a_device_that_is_wrong_is_told_at_its_place(text: str, code: str) -> None:
    found, findings = site({"devices.yaml": text + "\n"})
    assert found is None
    assert [each for each in findings if each.startswith(code)], findings


SECURE = "ringdown: 1\nlanguages: [en]\nnumbers:\n  100: main\nlisten: ['udp:192.0.2.1:5060', 'tls:192.0.2.1:5061']\n"
SECURE += "tls: {certificate: tls/sip.pem}\n"


def encrypted(device: str, srtp: str, more: str = "") -> tuple[Site | None, list[str]]:
    """A site that listens on UDP and TLS, one device, and an agent whose media are `srtp`."""
    agents = f"200: {{name: Ana, team: front, phone: {{srtp: {srtp}}}}}\n"
    return site({"site.yaml": SECURE + more, "agents.yaml": agents, "devices.yaml": device + "\n"})


def test_a_phone_goes_by_tls_when_it_is_said_or_its_media_must_be_encrypted() -> None:
    phone = "805ec0112233: {profile: yealink, agent: 200"
    for device, srtp, way in (
        (phone + "}", "off", ""), (phone + "}", "optional", ""), (phone + "}", "required", "tls"),
        (phone + ", transport: tls}", "off", "tls"), (phone + ", transport: udp}", "required", "udp"),
    ):  # fmt: skip
        found, findings = encrypted(device, srtp)
        assert found is not None and not findings, (device, findings)
        assert found.devices["805ec0112233"].transport == way, (device, srtp)
    found, findings = encrypted(phone + ", transport: tcp}", "off")
    assert found is None
    assert findings == ["RD366 devices.yaml:1:57 nothing listens on tcp: the phone would never register"]


def test_encryption_that_a_file_cannot_turn_on_is_a_warning() -> None:
    found, findings = encrypted("0c383e112233: {profile: fanvil, agent: 200}", "required")
    assert found is not None and found.devices["0c383e112233"].transport == "tls"
    assert findings == ["RD367 devices.yaml:1:1 its file can't turn on SRTP, which default/200 requires"]
    box = "00:0b:82:1a:2b:3c: {profile: NAME, trunk: carrier}\n"
    trunk = {"site.yaml": SECURE, "trunks.yaml": "carrier: {host: 192.0.2.20, transport: tls, srtp: required}\n"}
    for name, codes in (("grandstream-ht813", 0), ("grandstream-gxw410x", 1), ("patton-smartnode", 1)):
        found, findings = site({**trunk, "devices.yaml": box.replace("NAME", name)})
        assert found is not None, findings
        assert [each[:22] for each in findings] == ["RD367 devices.yaml:1:1"] * codes, name


def test_origins_say_which_line_a_value_came_from() -> None:
    trunks = b"carrier: {host: 192.0.2.20, profile: grandstream-ht813, dtmf: info}\nother: {host: h}\n"
    agents = b"200: {name: Ana, profile: snom}\n"
    found = {(each.of, each.key): each for each in origins({**shipped(), "trunks.yaml": trunks, "agents.yaml": agents})}
    assert found[("trunk carrier", "dtmf")] == Origin("trunk carrier", "dtmf", "info", "trunks.yaml:1")
    port = found[("trunk carrier", "port")]
    assert (port.value, port.where) == ("5062", "profiles/grandstream-ht813.yaml:46")
    assert port.because.endswith("Local SIP Port (FXO PORT)")
    because = found[("agent 200", "dtmf")].because
    assert because.startswith("configuration template of D7 phones (settings, phone-settings), codec_priority_list")
    assert not [each for each in found if each[0] == "trunk other"]

"""A step as people read it: two columns that fit, every input and command in words, and nothing secret."""

from __future__ import annotations

import msgspec
import pytest

from engine.call import effects, stream_wall
from engine.call.edge_wall import Judged
from engine.call.listening import ListenEnded, ListenWanted, SpeechDone
from engine.call.signature_wall import SignatureWanted
from engine.cli import replay_text as room
from engine.cli.show import width
from engine.dialplan.lookups import LookupModel
from engine.media import commands as media
from engine.records.events import Event
from engine.runtime.stepping import Beside, Party, Step
from engine.sip.events import CloseFlow, Connect, Path, Send
from engine.speech.utterance import Heard, Listening, Utterance

PATH = Path(1, "10.0.0.9", 5060)
INVITE = (
    b"INVITE sip:100@h SIP/2.0\r\nCall-ID: c1\r\nAuthorization: Digest username=\"201\", response=\"deadbeef\"\r\n\r\n"
    b"v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n"
)
INFO = b"INFO sip:100@h SIP/2.0\r\nCall-ID: c1\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal= 7\r\n"
BOT = stream_wall.StreamWanted(
    1, 2, "c", "t", 0, 1, "wss://bot.example/x?key=4711", "travel", "bearer", 1, 1, send={"account": "deadbeef"}
)
LEG = Party("5551234", "up", 0, "en/welcome", False)


def step(event: effects.Input, *outputs: effects.Output, hidden: bool = False, beside: Beside | None = None) -> Step:
    return Step(7, 10_000, 1_700_000_000_000, event, hidden, ("call script",), outputs,
                beside or Beside("queue", "main/queue", "queue", "default/support", 2, (("default/201", "alerting"),),
                                 (LEG,)), {3: "en/welcome"})


@pytest.mark.parametrize(("event", "said"), [
    (effects.Received(PATH, INVITE), "10.0.0.9:5060 ──▶ INVITE sip:100@h  audio 10.0.0.9:4000"),
    (effects.Received(PATH, b"SIP/2.0 486 Busy Here\r\nCSeq: 2 INVITE\r\n\r\n"), "──▶ 486 Busy Here  (INVITE)"),
    (effects.Deadline(), "timer: call script"),
    (effects.Operator(1, "ops", "agent.login", {"agent": "201", "password": "hush"}), "ops: agent.login agent=201"),
    (effects.Resumed(1_500, "crash", 9), "back after 1.5 s (crash)"), (effects.FlowClosed(4, "reset"), "4 is gone"),
    (effects.SiteLoaded("abcdef", b""), "site abcdef is loaded"), (effects.StorageState("ok", "", 0), "records: ok"),
    (effects.Entropy(b"r" * 9), "fresh random bytes"), (effects.SecretsLoaded({}), "passwords are loaded"),
])
def test_inputs(event: effects.Input, said: str) -> None:
    assert said in room.input_words(step(event))


MEDIA_EVENTS: list[media.MediaEvent] = [
    media.PlayEnded(0, 1, 1), media.DigitStarted(0, 1, "5"), media.DigitHeard(0, 1, "5", 100, "rfc4733"),
    media.Latched(0, 1, "h", 1), media.MediaMissing(0, 1, 3_000), media.MediaBack(0, 1), media.LegFailed(0, 1, "taken"),
    media.PortMoved(0, 1, 9), media.KeysLost(0, 1), media.FaxHeard(0, 1, "cng"),
    media.TapEnded(0, 1, 1, "r.wav", 5, ""), media.LegClosed(0, 1, *range(10)),
]
COMMANDS: list[media.MediaCommand] = [
    media.OpenLeg(0, 1, "h", 4, 1, 1, 1), media.SetLeg(0, 1, "h", 4, 0, 0, (), -1, -1, 20, True, False),
    media.Play(0, 1, 1, (3, 9), True), media.Stop(0, 1), media.Echo(0, 1), media.Bridge(0, 1, 2, 1),
    media.Hear(0, 1, 2, 1), media.Mix(0, (media.MixParty(0, 1, (1,)), media.MixParty(1, 1))), media.Mix(0),
    media.SendDigits(0, 1, "4711"), media.StartTap(0, 1, 1, "r.wav"),
    media.PauseTap(0, 1, 1, True), media.StopTap(0, 1, 1), media.CloseLeg(0, 1),
]


def test_every_word_of_the_plane_has_a_sentence() -> None:
    assert {type(each) for each in MEDIA_EVENTS} == set(media.MediaEvent.__args__)
    assert {type(each) for each in COMMANDS} == set(media.MediaCommand.__args__)
    said = [room.input_words(step(effects.MediaHappened(each))) for each in MEDIA_EVENTS]
    said += [room.output_words(effects.Media(each), {3: "en/welcome"}) for each in COMMANDS]
    assert len(set(said)) == len(said) and all("row" in each for each in said)
    assert any("plays en/welcome clip 9 for ever" in each for each in said)


def test_every_kind_of_output_has_a_sentence() -> None:
    outputs: list[effects.Output] = [
        Send(PATH, INVITE), Connect(5, "tcp", "h", 5_060), CloseFlow(5, "idle"), effects.Media(COMMANDS[0]),
        effects.Emit(Event(1, "b", 1, 1, "call.bridged", "t", "c", {"with": "agent 201", "kind": "queue"})),
        effects.Reply(3, False, b"null", "no such agent"), effects.Drained(), effects.LogLine("error", "oh"),
        effects.LookupWanted(1, 2, "c", LookupModel("default", "customer", "GET", ()), {"pin": "4711"}),
        effects.ResolveWanted(1, "sip.example.net", 5_060, "udp", "naptr"),
        effects.RemoveFile("voicemail/x.wav"), effects.LoadClip(1, 5, "voicemail/x.wav"),
        effects.UsePrompt(1, "en/x", "prompts/new/x.wav"),
        effects.FetchWanted(1, 2, 16_320, 3, "https://news.example/today.mp3?key=4711", 3_000, 0),
        ListenWanted(1, 2, "c", 0, 1, "t", Listening("0badcafe", "en", lists={"who": ("4711",)})), ListenEnded(1, 2),
        BOT, stream_wall.StreamUnwanted(1, 2), stream_wall.StreamPressed(1, 2, "4"),
        stream_wall.StreamHushed(1, 2, True),
        effects.SpeakWanted(1, 2, 16_320, 3, "4711", "en", None, 1_500, True),
        SignatureWanted(7, "https://cert.example/a.pem", b"x", b"y"),
        Judged("10.0.0.9", 5_060, "bad", "201"),
    ]
    assert {type(each) for each in outputs} == set(effects.Output.__args__)
    said = [room.output_words(each, {}) for each in outputs]
    assert said[0].startswith("10.0.0.9:5060 ◀── INVITE") and said[4] == "* talks with agent 201"
    assert len(set(said)) == len(said) and all(said)


@pytest.mark.parametrize("event", [
    effects.Received(PATH, INVITE), effects.Received(PATH, INFO), effects.SecretsLoaded({"a": {"MD5": "deadbeef"}}),
    effects.Operator(1, "ops", "x", {"password": "deadbeef"}), effects.Entropy(b"deadbeef"),
    effects.LookupDone(1, 2, "ok", {"customer.balance": "deadbeef"}),
    SpeechDone(1, 2, Utterance("match", (Heard("deadbeef", "", {"code": "4711"}),))),
    stream_wall.StreamDone(1, 2, "done", "", {"destination": "deadbeef"}),
])
def test_nothing_secret_leaves(event: effects.Input) -> None:
    outputs = (Send(PATH, INVITE), Send(PATH, INFO), effects.Media(media.SendDigits(0, 1, "4711")),
               effects.LookupWanted(1, 2, "c", LookupModel("default", "customer", "GET", ()), {"pin": "4711"}),
               effects.FetchWanted(1, 2, 16_320, 3, "https://news.example/today.mp3?key=4711", 3_000, 0),
               ListenWanted(1, 2, "c", 0, 1, "t", Listening("0bad", "en", lists={"who": ("4711",)})),
               BOT, stream_wall.StreamPressed(1, 2, "4711"),
               effects.SpeakWanted(1, 2, 16_320, 3, "4711", "en", None, 1_500, True))
    made = step(event, *outputs)
    for text in ("\n".join(room.columns(made, 0)), msgspec.json.encode(room.as_data(made)).decode()):
        for secret in ("deadbeef", "c2VjcmV0", "4711", "Signal= 7"):
            assert secret not in text
    assert "INVITE" in msgspec.json.encode(room.as_data(made)).decode()


def test_a_hidden_digit_is_a_dot() -> None:
    for event in (media.DigitHeard(0, 1, "5", 100, "rfc4733"), media.DigitStarted(0, 1, "5")):
        assert "key 5" in room.input_words(step(effects.MediaHappened(event)))
        for text in (room.input_words(step(effects.MediaHappened(event), hidden=True)),
                     str(room.as_data(step(effects.MediaHappened(event), hidden=True)))):
            assert "key ·" in text and "key 5" not in text and "'5'" not in text


@pytest.mark.parametrize("wide", [40, 80, 81, 132, 200])
def test_two_columns_fit(wide: int) -> None:
    made = step(effects.Received(PATH, INVITE), *[effects.Media(each) for each in COMMANDS],
                effects.LogLine("error", "x" * 300),
                beside=Beside("talking", "s" * 90, "digits", legs=(Party("agent 爱丽丝 201", "up", 1, "row 0", True),)))
    lines = room.columns(made, 8_766, wide)
    assert all(width(line) <= max(wide, 80) for line in lines)
    assert lines[0].startswith("--- input 7  ") and "+1.234 s" in lines[0]
    bars = {width(line[: line.index(" | ")]) for line in lines[1:] if " | " in line}
    assert len(bars) == 1
    assert "on hold, row 1 hears row 0" in " ".join(line.partition(" | ")[2].strip() for line in lines)


def test_the_state_in_words() -> None:
    assert room.beside_words(Beside()) == ["over    the call has ended"]
    assert room.beside_words(step(effects.Deadline()).beside) == [
        "phase   queue", "step    main/queue", "waits   for queue", "queue   default/support, number 2",
        "agent   default/201 alerting", "leg     5551234: up, row 0 hears en/welcome",
    ]


def test_as_data() -> None:
    found = room.as_data(step(effects.Received(PATH, INVITE), effects.Media(COMMANDS[0])))
    assert (found["input"], found["kind"], found["call_id"]) == (7, "Received", "c1")
    assert found["text"].startswith("INVITE sip:100@h") and found["state"]["position"] == 2
    assert found["outputs"] == [{"kind": "Media", "what": "+ row 0: opens at h:4"}]

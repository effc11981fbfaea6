"""Media Streams as text: what a bot is told, and what it may say."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from engine import limits
from engine.runtime import stream_messages as room
from engine.runtime.stream_messages import Audio, BotProblem, Clear, Done, Mark, Teller, read


def told(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_what_a_bot_is_told_in_order() -> None:
    teller = Teller("MZ1", "bako-0", "chess", "")
    assert told(teller.connected()) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    start = told(teller.start({"account": "47\"11"}))
    assert (start["event"], start["sequenceNumber"], start["streamSid"]) == ("start", "1", "MZ1")
    assert start["start"] == {
        "streamSid": "MZ1", "accountSid": "chess", "callSid": "bako-0", "tracks": ["inbound"],
        "customParameters": {"account": "47\"11"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
    }  # fmt: skip
    audio = bytes(range(160))
    assert told(teller.media("inbound", audio, 40)) == {
        "event": "media", "sequenceNumber": "2", "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "40", "payload": b64encode(audio).decode()},
    }  # fmt: skip
    assert told(teller.dtmf("#"))["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert told(teller.mark("a \u00fc \n"))["mark"] == {"name": "a \u00fc \n"}
    assert told(teller.media("inbound", audio, 60))["media"]["chunk"] == "2"
    stop = told(teller.stop())
    assert stop["sequenceNumber"] == "6" and stop["stop"] == {"accountSid": "chess", "callSid": "bako-0"}


def test_both_tracks_count_by_themselves() -> None:
    teller = Teller("MZ1", "bako-0", "chess", "both")
    assert told(teller.start({}))["start"]["tracks"] == ["inbound", "outbound"]
    chunks = [told(teller.media(track, b"", 0))["media"]["chunk"] for track in ("inbound", "outbound", "inbound")]
    assert chunks == ["1", "1", "2"]


def test_the_signature_is_that_of_twilios_description() -> None:
    # computed apart: printf %s ADDRESS | openssl dgst -sha1 -hmac KEY -binary | base64
    assert room.signature("12345", "wss://bot.example/calls?v=1") == "H83kuJwTUyowaR2EubDUgQvLhig="


@pytest.mark.parametrize(("text", "said"), [
    ('{"event":"media","streamSid":"MZ1","media":{"payload":"//9/"}}', Audio(b"\xff\xff\x7f")),
    ('{"event":"media","media":{"payload":""}}', Audio(b"")),
    ('{"event":"mark","streamSid":"x","mark":{"name":"end"},"more":[1]}', Mark("end")),
    ('{"event":"clear","streamSid":"x"}', Clear()), ('{"event":"heartbeat"}', None), ('{"event":"done"}', Done({}, "")),
    ('{"event":"done","values":{"a":"x","n":3,"yes":true,"no":false,"f":1.5,"none":null},"next":"person"}',
     Done({"a": "x", "n": "3", "yes": "yes", "no": "no", "f": "1.5"}, "person")),
])  # fmt: skip
def test_what_it_says(text: str, said: room.Said) -> None:
    assert read(text) == said


@pytest.mark.parametrize("text", [
    "", "hello", "[]", "3", "{}", '{"event":3}', '{"event":"media"}', '{"event":"media","media":{}}',
    '{"event":"media","media":{"payload":3}}', '{"event":"media","media":{"payload":"not base64!"}}',
    '{"event":"media","media":{"payload":"abc"}}', '{"event":"mark"}', '{"event":"mark","mark":{"name":7}}',
    '{"event":"mark","mark":{"name":"' + "x" * 129 + '"}}', '{"event":"done","values":{"a":[1]}}',
    '{"event":"done","values":{"a":"' + "x" * 1_001 + '"}}', '{"event":"done","values":{"a":"x\\u0000"}}',
    '{"event":"done","values":{"' + "x" * 129 + '":1}}', '{"event":"done","values":[]}', '{"event":"done","next":1}',
    "{\"event\":" + "[" * 100_000, '{"event":"\ud800"}',
])  # fmt: skip
def test_what_it_can_not_mean(text: str) -> None:
    with pytest.raises(BotProblem) as problem:
        read(text)
    assert "xx" not in str(problem.value)


def test_as_many_values_as_may_be() -> None:
    values = {f"v{number}": number for number in range(limits.stream_values_max)}
    said = read(json.dumps({"event": "done", "values": values}))
    assert isinstance(said, Done) and len(said.values) == limits.stream_values_max
    with pytest.raises(BotProblem, match="more than 32 values"):
        read(json.dumps({"event": "done", "values": {**values, "one": 1}}))

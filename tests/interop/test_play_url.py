"""A recording on a server elsewhere, heard by a phone; and what it hears when that server is gone."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import listening
import numpy as np
import pytest
import soundfile
from harness.rtp import Ear
from harness.server import ROOT, Engine

NUMBERS = "numbers:\n  8810: {dialplan: interop, public: yes}\n"
DIALPLAN = """\
ringdown: 1
entry: main
flows:
  main:
    - answer
    - play_url: {url: 'http://127.0.0.1:PORT/today.flac?key=7', timeout: 5s, failed: down}
    - hangup: served
  down:
    - play: technical_fault
    - hangup: down
"""
SECONDS = 3.0


def tune() -> listening.Samples:
    """Tones of its own, at the rate of a CD: nothing of ours sounds like it."""
    at = np.arange(int(SECONDS * 44_100)) / 44_100
    return 0.3 * np.sin(2 * np.pi * (400 + 250 * at) * at)


class News(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.asked: list[str] = []
        file = io.BytesIO()
        soundfile.write(file, tune(), 44_100, format="FLAC")
        self.content = file.getvalue()


class Desk(BaseHTTPRequestHandler):
    server: News

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content)


@pytest.fixture
def news() -> Iterator[News]:
    server = News()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def station(news: News) -> Iterator[Engine]:
    made = Engine(edits={"site.yaml": ("numbers:\n", NUMBERS)}, extra=DIALPLAN.replace("PORT", str(news.server_port)))
    with made:
        yield made


def called(engine: Engine) -> tuple[listening.Samples, dict[str, object]]:
    """What a caller hears until the engine hangs up, and the record of what was fetched."""
    with engine.phone("stranger", secret=False) as caller, Ear() as ear:
        dialog = caller.call("8810", media=ear.port)
        ear.start(dialog.media.host, dialog.media.port)
        dialog.expect_bye(20)
        heard = ear.heard()
    call = str(engine.last_call(dialled="8810")["call"])
    (fetched,) = [each["data"] for each in engine.events(call) if each["kind"] == "call.fetch"]
    return heard, fetched


def test_the_news_is_heard_and_then_its_server_is_gone(station: Engine, news: News) -> None:
    url = f"http://127.0.0.1:{news.server_port}/today.flac"
    at = np.arange(int(SECONDS * listening.RATE)) / listening.RATE
    sent = 0.3 * 32_767 * np.sin(2 * np.pi * (400 + 250 * at) * at)
    heard, fetched = called(station)
    assert listening.share_heard(sent, heard, score=0.85) > 0.9
    assert (fetched["url"], fetched["result"], fetched["reason"]) == (url, "ok", "")
    assert news.asked == ["/today.flac?key=7"]

    news.shutdown()
    news.server_close()
    heard, fetched = called(station)
    fallback = listening.read_wav(ROOT / "prompts" / "en" / "technical_fault.wav")
    assert listening.share_heard(fallback, heard, score=0.85) > 0.8
    assert listening.share_heard(sent, heard, score=0.85) < 0.2
    assert fetched["result"] == "failed" and str(fetched["reason"]).startswith("no connection")
    assert f"{url} could not be played: no connection" in station.output()

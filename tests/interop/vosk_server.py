"""A recogniser as a vosk server is one: vosk's own Python classes behind a WebSocket, nothing of ours.

vosk_server.py MODEL [PORT]. vosk-server itself, an example program around these classes, is in no package registry.
So every result here is the library's own text; the loop around them follows its documented protocol.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import websockets
from vosk import KaldiRecognizer, Model

EOF = '{"eof" : 1}'  # to the letter: a vosk server compares texts


def answer(recognizer: Any, message: str | bytes) -> str:
    """One message of a client, through the library."""
    if message == EOF:
        return str(recognizer.FinalResult())
    return str(recognizer.Result() if recognizer.AcceptWaveform(message) else recognizer.PartialResult())


async def serve(model: Any, connection: Any) -> None:
    """One utterance, or several until the client ends them."""
    told: dict[str, Any] = {"sample_rate": 8_000}
    recognizer: Any = None
    print("connected", flush=True)
    async for message in connection:
        if isinstance(message, str) and "config" in message:
            told |= json.loads(message)["config"]
            continue
        if recognizer is None:
            listed = [json.dumps(told["phrase_list"])] if told.get("phrase_list") else []
            recognizer = KaldiRecognizer(model, float(told["sample_rate"]), *listed)
            recognizer.SetWords(True)
        result = await asyncio.to_thread(answer, recognizer, message)
        print(" ".join(result.split()), flush=True)
        await connection.send(result)
        if message == EOF:
            return


async def main() -> None:
    model = Model(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    async with websockets.serve(lambda connection: serve(model, connection), "127.0.0.1", port) as server:
        print(f"listening {server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())

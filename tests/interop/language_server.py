"""yaml-language-server over stdio, as an editor drives it: open a text, get its diagnostics, ask for completion."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

from tools.node_packages import folder

SETTINGS = {
    "validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}, "schemas": {},
    "kubernetesCRDStore": {"enable": False},
}  # fmt: skip
answer_s_max = 20.0


class LanguageServer:
    """One server for one workspace. Positions are (line, column) from 0, as the protocol has them."""

    def __init__(self, workspace: Path, schemas: dict[str, str] | None = None) -> None:
        node = shutil.which("node")
        script = folder() / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
        assert node and script.exists(), "missing: node, or python -m tools.node_packages (tools/test does both)"
        self.workspace = workspace
        self.settings = {**SETTINGS, "schemas": schemas or {}}
        self._process = subprocess.Popen(
            [node, str(script), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._said: Queue[dict[str, Any]] = Queue()
        self._kept: list[dict[str, Any]] = []
        self._number = 0
        threading.Thread(target=self._listen, daemon=True).start()
        self.ask("initialize", {
            "processId": None, "rootUri": workspace.as_uri(),
            "workspaceFolders": [{"uri": workspace.as_uri(), "name": "site"}],
            "capabilities": {
                "workspace": {"configuration": True, "workspaceFolders": True},
                "textDocument": {
                    "completion": {"completionItem": {"snippetSupport": True}}, "publishDiagnostics": {},
                    "hover": {"contentFormat": ["markdown"]},
                },
            },
        })  # fmt: skip
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"yaml": self.settings}}})

    def __enter__(self) -> LanguageServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def uri(self, path: str) -> str:
        return (self.workspace / path).as_uri()

    def open(self, path: str, text: str) -> list[dict[str, Any]]:
        """The diagnostics of a text under this path (which need not exist on disk)."""
        self._number += 1
        uri, version = self.uri(path), self._number
        item = {"uri": uri, "languageId": "yaml", "version": version, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        found: list[dict[str, Any]] = self._wait(
            lambda each: each.get("method") == "textDocument/publishDiagnostics" and each["params"]["uri"] == uri
        )["params"]["diagnostics"]
        return found

    def close(self, path: str) -> None:
        self._send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": self.uri(path)}}})
        self._wait(lambda each: each.get("method") == "textDocument/publishDiagnostics")

    def completion(self, path: str, line: int, column: int) -> list[str]:
        """What is offered there, in the order of the list."""
        found = self.ask("textDocument/completion", self._at(path, line, column))
        return [each["label"] for each in (found["items"] if isinstance(found, dict) else found)]

    def hover(self, path: str, line: int, column: int) -> str:
        found = self.ask("textDocument/hover", self._at(path, line, column))
        return str(found["contents"]["value"]) if found else ""

    def _at(self, path: str, line: int, column: int) -> dict[str, Any]:
        return {"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": column}}

    # --- the protocol
    def ask(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        answer = self._wait(lambda each: each.get("id") == number and "method" not in each)
        assert "error" not in answer, answer
        return answer["result"]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _wait(self, wanted: Any) -> dict[str, Any]:
        until = time.monotonic() + answer_s_max
        while True:
            for message in self._kept:
                if wanted(message):
                    self._kept.remove(message)
                    return message
            try:
                message = self._said.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                raise AssertionError(f"the language server did not answer in {answer_s_max} s") from None
            if "method" in message and "id" in message:
                asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
                result = [self.settings if each.get("section") == "yaml" else None for each in asked]
                self._send({"id": message["id"], "result": result or None})
            else:
                self._kept.append(message)

    def _listen(self) -> None:
        out = self._process.stdout
        assert out
        while True:
            length = 0
            while line := out.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not length:
                return
            self._said.put(json.loads(out.read(length)))

"""Letters about messages in boxes: a spool in the data folder, which outlives restarts, and tries again.

A letter is a small JSON file below `mail/`, one for each address, that names its message; the sound is read when it is
sent. One child at a time hands them in (`mail_child`). What a server refuses is tried again, after one minute, then
two, four … up to an hour, for three days; then the letter is put aside as `.failed`, and ops are told.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from engine.records.events import Event
from engine.runtime.mail_child import Job

if TYPE_CHECKING:
    from engine.runtime.server import Server

FOLDER = "mail"
FAILED = ".failed"
retry_s_first = 60.0
retry_s_max = 3_600.0
age_s_max = 3 * 86_400.0
child_s_max = 90.0
letters_max = 10_000
TEXTS = {
    "en": ("Message from {who} in the box {box}", "{who} left a message of {seconds} s for {dialled} in the box {box}, "
           "{when}. Call {call}.\n"),
    "zh": ("信箱 {box}：{who} 的留言",
           "{who} 于 {when} 拨打 {dialled}，在信箱 {box} 留言 {seconds} 秒。通话 {call}。\n"),
}  # fmt: skip
WITHHELD = {"en": "a withheld number", "zh": "未知号码"}


class Letter(msgspec.Struct):
    """One letter that waits. Times are Unix ms."""

    id: str
    box: str
    message: str
    to: str
    caller: str
    name: str
    dialled: str
    call: str
    left_ms: int
    duration_ms: int
    attempts: int = 0
    next_ms: int = 0
    error: str = ""


def pause_s(attempts: int) -> float:
    """How long to wait after so many attempts."""
    return min(retry_s_max, retry_s_first * 2.0 ** max(0, attempts - 1))


class Mail:
    """`start()` in a running loop, `note(event)` for each `voicemail.left`, `await close()`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.folder = server.options.data / FOLDER
        self.waiting: dict[str, Letter] = {}
        self._unkept: dict[str, bool] = {}  # letters that the disk wouldn't take: only in memory
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._writes: list[asyncio.Task[None]] = []

    # --- the spool
    def start(self) -> None:
        """Go on with what waited when the last engine ended."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                letter = msgspec.json.decode(path.read_bytes(), type=Letter)
            except (OSError, msgspec.MsgspecError) as error:
                self.server.log.warning(f"mail: {path} can't be read ({error}); move it away", "mail spool")
                continue
            self.waiting[letter.id] = letter
        self._task = asyncio.get_running_loop().create_task(self._for_ever())

    def note(self, event: Event) -> None:
        """A message lies in a box: a letter for each of its addresses."""
        data = event.data
        box = self.server.site.boxes.get(str(data["box"]))
        for to in box.mail if box is not None else ():
            if len(self.waiting) >= letters_max:
                self.server.log.error(f"mail: {letters_max} letters wait; no more are taken", "mail spool")
                return
            message = str(data["message"])
            number = blake2b(f"{message}\0{to}".encode(), digest_size=9).hexdigest()
            letter = Letter(
                number, str(data["box"]), message, to, str(data["caller"] or ""), str(data["name"] or ""),
                str(data["dialled"] or ""), event.call, event.at_ms, int(data["duration_ms"] or 0),
            )  # fmt: skip
            self._later(letter)

    def _later(self, letter: Letter) -> None:
        self._writes = [each for each in self._writes if not each.done()]
        self._writes.append(asyncio.get_running_loop().create_task(self._keep_then_send(letter)))

    async def _keep_then_send(self, letter: Letter) -> None:
        await self._keep(letter)
        self.waiting[letter.id] = letter
        self._wake.set()

    async def _keep(self, letter: Letter) -> None:
        """Its file, whole or not at all; a disk that refuses is told, and the letter stays in memory."""
        try:
            await asyncio.to_thread(_write, self._path(letter), msgspec.json.encode(letter))
            self._unkept.pop(letter.id, None)
        except OSError as error:
            self._unkept[letter.id] = True
            self.server.log.error(f"mail: can't write {self.folder}: {error.strerror}", "mail spool")

    def _path(self, letter: Letter) -> Path:
        return self.folder / f"{letter.id}.json"

    # --- sending
    async def _for_ever(self) -> None:
        while True:
            self._wake.clear()
            now_ms = time.time() * 1000
            due = min(self.waiting.values(), key=lambda each: (each.next_ms, each.left_ms), default=None)
            if due is not None and due.next_ms <= now_ms:
                await self._send(due)
                continue
            wait_s = (due.next_ms - now_ms) / 1000 if due is not None else None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _send(self, letter: Letter) -> None:
        if not await asyncio.to_thread(self._still_wanted, letter):
            await self._done(letter, "gone")
            return
        letter.attempts += 1
        letter.error = await self._hand_in(letter)
        if not letter.error:
            await self._done(letter, "sent")
            return
        now_ms = int(time.time() * 1000)
        if now_ms - letter.left_ms > age_s_max * 1000:
            await self._done(letter, "failed")
            return
        wait_s = pause_s(letter.attempts)
        letter.next_ms = now_ms + int(wait_s * 1000)
        if await asyncio.to_thread(self._is_in_spool, letter):
            await self._keep(letter)
        else:
            self.waiting.pop(letter.id, None)
        self.server.log.warning(
            f"mail for box {letter.box}: {letter.error}; attempt {letter.attempts + 1} in {wait_s:.0f} s", "mail"
        )

    def _is_in_spool(self, letter: Letter) -> bool:
        """An eraser may have taken it out meanwhile."""
        return letter.id in self._unkept or self._path(letter).exists()

    def _still_wanted(self, letter: Letter) -> bool:
        """Its message is still there, and so is the letter."""
        return self._is_in_spool(letter) and (self.server.options.data / letter.message).exists()

    async def _hand_in(self, letter: Letter) -> str:
        """'' when the server has it, else why not."""
        mail = self.server.site.mail
        if mail is None:
            return "the site names no mail server any more"
        password = self.server.secrets.mail_password(mail.secret) if mail.user else ""
        if mail.user and not password:
            here = f"RINGDOWN_SECRET_{mail.secret.upper()}, or ringdown secret set {mail.secret}"
            return f"no password for {mail.user}: {here}"
        subject, text = words(self.server, letter)
        domain = mail.sender.rpartition("@")[2]
        job = Job(
            mail.host, mail.port, mail.security, mail.sender, letter.to, subject, text, f"<{letter.id}@{domain}>",
            letter.left_ms, str(self.server.options.data / letter.message), mail.user, password,
        )  # fmt: skip
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine.runtime.mail_child", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd="/",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            _, errors = await asyncio.wait_for(child.communicate(msgspec.msgpack.encode(job)), child_s_max)
        except TimeoutError:
            return f"{mail.host}:{mail.port} didn't take it within {child_s_max:.0f} s"
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode == 0:
            return ""
        return (errors.decode("utf-8", "replace").strip().splitlines() or [f"status {child.returncode}"])[-1][:300]

    async def _done(self, letter: Letter, result: str) -> None:
        """Out of the spool: sent, without its message, or given up."""
        self.waiting.pop(letter.id, None)
        path = self._path(letter)
        with suppress(OSError):
            if result == "failed":
                path.rename(path.with_name(path.name + FAILED))
                self.server.log.error(f"mail for box {letter.box} given up: {letter.error}; kept as {path}{FAILED}")
            else:
                path.unlink(missing_ok=True)
        told = {"box": letter.box, "message": letter.message, "result": result, "attempts": str(letter.attempts)}
        with suppress(TimeoutError):
            await self.server.ask("mail", "voicemail_mailed", told)

    async def close(self) -> None:
        """Every letter is on disk; one that is being handed in is sent again by the next engine."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*self._writes, return_exceptions=True)


def words(server: Server, letter: Letter) -> tuple[str, str]:
    """(subject, text) in the tenant's language, its time in the tenant's zone."""
    tenant, _, box = letter.box.partition("/")
    model = server.site.tenants.get(tenant)
    language = next((each for each in (model.languages if model is not None else ()) if each in TEXTS), "en")
    try:
        zone = ZoneInfo(model.time_zone if model is not None else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    when = datetime.fromtimestamp(letter.left_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")
    who = " ".join(each for each in (letter.name, letter.caller) if each) or WITHHELD[language]
    subject, text = TEXTS[language]
    said = {"who": who, "box": box, "dialled": letter.dialled, "when": when, "call": letter.call,
            "seconds": round(letter.duration_ms / 1000)}  # fmt: skip
    return subject.format(**said), text.format(**said)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)

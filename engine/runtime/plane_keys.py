"""SRTP keys on their way from the vault into the media thread, and back out of the vault when a leg ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from engine.media import columns as c
from engine.media import commands as m
from engine.media import control
from engine.media.image import Indices
from engine.rtp import srtp

if TYPE_CHECKING:
    from engine.runtime.key_vault import KeyVault

_NO_KEY = -1  # a suite that the plane can't begin: the leg drops what comes and sends nothing


class Secured(msgspec.Struct):
    """What a leg's two directions run under; a handle is '' when its key wasn't to be had."""

    generation: int
    suite: int
    handles: list[str]


class PlaneKeys:
    """The legs that are secured. `push` gives a record to the media thread, before the SET_LEG that it belongs to."""

    def __init__(self, vault: KeyVault | None, push: Callable[[tuple[int, ...]], None]) -> None:
        """`vault`: None where nobody's media is encrypted."""
        self.vault = vault
        self._push = push
        self._secured: dict[int, Secured] = {}

    def agree(self, command: m.SetLeg, dead: Indices | None = None, *, restoring: bool = False) -> bool:
        """Give the leg the keys that were agreed, those it hasn't got already. False when one of them is lost.

        `restoring`: the leg goes on in a new plane, from where `dead` says that the packets of the old one had come to.
        Without that no key is used again: a packet number must never have two packets under one key.
        """
        if not command.suite and command.row not in self._secured:
            return True
        known = self._secured.get(command.row)
        if known is not None and known.generation != command.generation:
            self.ended(command.row)
            known = None
        if not command.suite:
            self.ended(command.row)
            self._push((control.SET_KEY, command.row, command.generation, srtp.PLAIN))
            return True
        before = known.handles if known is not None and known.suite == command.suite else ["", ""]
        handles = ["", ""]
        for side, handle in ((c.INBOUND, command.key_in), (c.OUTBOUND, command.key_out)):
            if handle == before[side] != "":
                handles[side] = handle
                continue
            key = self._key(handle, make=not restoring, lost=restoring and dead is None)
            if key is None or self.vault is None or len(key) != _master_bytes(command.suite) or not srtp.AVAILABLE:
                self._push((control.SET_KEY, command.row, command.generation, _NO_KEY, side))
                continue
            self.vault.hold(handle)
            handles[side] = handle
            self._push(_record(command, side, key, dead))
        if known is not None:
            for side in range(2):
                if not handles[side] == before[side] != "":  # under another suite the same one has been held anew
                    self._release(known.handles[side])
        self._secured[command.row] = Secured(command.generation, command.suite, handles)
        return all(handles)

    def ended(self, row: int) -> None:
        """The leg is gone: so are its keys."""
        known = self._secured.pop(row, None)
        for handle in known.handles if known is not None else ():
            self._release(handle)

    def _release(self, handle: str) -> None:
        if handle and self.vault is not None:
            self.vault.release(handle)

    def refuse(self, command: m.SetLeg) -> None:
        """There is no such leg: its keys go, unless another one uses them."""
        for handle in (command.key_in, command.key_out):
            self._give_up(handle)

    def _give_up(self, handle: str) -> None:
        """Wipe a key that no leg uses."""
        if handle and self.vault is not None:
            self.vault.hold(handle)
            self.vault.release(handle)

    def _key(self, handle: str, *, make: bool, lost: bool) -> bytes | None:
        if lost:
            self._give_up(handle)
            return None
        return self.vault.key(handle, make=make) if self.vault is not None else None


def _master_bytes(suite: int) -> int:
    return srtp.MASTER_BYTES[suite] if 0 < suite < len(srtp.MASTER_BYTES) else 0


def _record(command: m.SetLeg, side: int, key: bytes, dead: Indices | None) -> tuple[int, ...]:
    """SET_KEY's record (`media.secure`)."""
    octets = key.ljust(32, b"\0")
    words = [int.from_bytes(octets[at : at + 8], "little", signed=True) for at in range(0, 32, 8)]
    streams = (dead.inbound, dead.outbound)[side] if dead is not None else ()
    flat = [word for stream in streams for word in stream]
    return (control.SET_KEY, command.row, command.generation, command.suite, side, *words, len(streams), *flat)

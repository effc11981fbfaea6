"""A seeded network of datagrams: latency, jitter, loss, duplication and reordering, in virtual milliseconds."""

from __future__ import annotations

from heapq import heappop, heappush

import msgspec

Address = tuple[str, int]


class Weather(msgspec.Struct, frozen=True):
    """How bad the line is. Shares are per mille; a reordered datagram is late by `reorder_ms`."""

    latency_ms: int = 5
    jitter_ms: int = 0
    loss: int = 0
    duplicate: int = 0
    reorder: int = 0
    reorder_ms: int = 60


class Dice:
    """A small seeded generator (xorshift64*): chance as an argument, the same on every machine."""

    def __init__(self, seed: int) -> None:
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & ((1 << 64) - 1) or 1

    def below(self, bound: int) -> int:
        """An integer in [0, bound)."""
        x = self.state
        x ^= x >> 12
        x = (x ^ (x << 25)) & ((1 << 64) - 1)
        x ^= x >> 27
        self.state = x
        return ((x * 0x2545F4914F6CDD1D) & ((1 << 64) - 1)) % bound if bound > 0 else 0

    def chance(self, per_mille: int) -> bool:
        return per_mille > 0 and self.below(1_000) < per_mille


class Network:
    """Datagrams under way. Ties arrive in the order in which they were sent."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        self.dice = Dice(seed)
        self.weather = weather or Weather()
        self.flying: list[tuple[int, int, Address, Address, bytes]] = []
        self.serial = 0
        self.sent = self.lost = 0
        self.dark: dict[str, bool] = {}  # hosts that neither send nor hear any more

    def send(self, source: Address, target: Address, data: bytes, now_ms: int) -> None:
        weather, dice = self.weather, self.dice
        self.sent += 1
        if self.dark.get(source[0]) or self.dark.get(target[0]) or dice.chance(weather.loss):
            self.lost += 1
            return
        for _ in range(2 if dice.chance(weather.duplicate) else 1):
            at = now_ms + weather.latency_ms + dice.below(weather.jitter_ms + 1)
            if dice.chance(weather.reorder):
                at += weather.reorder_ms
            self.serial += 1
            heappush(self.flying, (at, self.serial, source, target, data))

    def next(self) -> int | None:
        return self.flying[0][0] if self.flying else None

    def arrive(self, now_ms: int) -> tuple[Address, Address, bytes] | None:
        """The next datagram that is due: (source, target, data), or None."""
        while self.flying and self.flying[0][0] <= now_ms:
            _, _, source, target, data = heappop(self.flying)
            if not self.dark.get(target[0]):
                return source, target, data
        return None

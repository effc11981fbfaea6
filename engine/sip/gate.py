"""Who is heard: address lists, a budget of messages for each source, and blocks for those who guess and probe.

It stands before the endpoint, so that what it drops costs no parsing, no journal and no answer: a scanner learns
nothing. It is fed with the endpoint's verdicts (`judged`) and knows by them:
- *proven* phones, (address, port) from which the right password came: no block ever holds them up;
- *heat* of a source: asked for a password and not proving it, wrong passwords, numbers that nobody has. It is forgotten
  with time and taken back by right passwords, so that an office behind one address may have one phone with a wrong one.
  Who was asked has a while to prove himself before it counts: all phones of that office may start at once.
- *taken* callers, (address, port) whose call a public number took: their dialogs go on.
A hot source is *blocked*, minute by minute as long as it goes on: the ports of it from which the faults came, and all
of it when they are many. What comes from there and has proven nothing is dropped but for a trickle, shared fairly among
ports: a good phone behind the same address registers by its repeats while the guesser starves. Nothing is ever held
against an account, so nobody can lock one. All times are ms.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

import msgspec

from engine import limits
from engine.sip.access import admitted, longest, plain, source
from engine.sip.events import Path

SCANNERS = (
    b"friendly-scanner", b"friendly-request", b"sipvicious", b"sipsak", b"sip-scan", b"sundayddr", b"sipcli",
    b"vaxsipuseragent", b"pplsip", b"siparmyknife", b"sipbrute",
)  # as they name themselves; whoever hides his name is known by what he does
ASKS = (b"REGISTER", b"SUBSCRIBE", b"OPTIONS", b"MESSAGE", b"PUBLISH", b"REFER", b"NOTIFY")
HEAT = {"asked": 1, "bad": 2, "unknown": 2, "good": -3}
BROKEN_COSTS = 4  # messages of the budget: garbage guesses nothing, but is dear to read
WORDS = {
    "guessing": "wrong passwords", "probing": "asks for what it never proves, or that nobody has",
    "scanner": "names itself a scanner", "flood": "more messages than a phone could mean",
}  # fmt: skip
FORGOTTEN_MS = 2_000  # one of heat
PATIENCE_MS = 5_000  # for an answer to a challenge: a phone repeats what was lost for about as long
PATIENT_MAX = 200  # challenges of one source that are waited for; beyond these the oldest counts at once
MILLI = 1_000
PORTS_BLOCKED_MAX = 4  # more of one source, and all of it is blocked
PORTS_MAX = 512  # of one blocked source that are told apart
TRICKLE_PORT, TRICKLE_SOURCE = 6, 24  # messages that may come at once
TAKEN_MS = 600_000  # renewed by its next call
PROVEN_MS = 2 * 1_000 * limits.register_expires_s_max
NAMES_MAX = 8
TRIED_MASK = 1_023


class Rules(msgspec.Struct, frozen=True):
    """What a site says. `listeners`: flow -> (allow, deny), beside the site's own lists."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    listeners: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    trusted: tuple[str, ...] = ()
    scanners: tuple[bytes, ...] = SCANNERS  # (): they are answered like anybody
    per_second: int = limits.source_messages_per_second


class Source(msgspec.Struct):
    """What is known of one source. Budgets in thousandths of a message."""

    key: str
    trusted: bool
    heard_ms: int
    any_left: int
    asks_left: int
    heat: int = 0
    heat_ms: int = 0
    bad: int = 0  # of its heat, by wrong passwords
    faults: dict[int, int] = {}  # of its heat, by port
    over: int = 0  # messages beyond its budget since it last had some left
    tried: int = 0  # a bit for each number and account, by its hash
    names: list[str] = []  # accounts and numbers that it tried, the first few
    asked: list[tuple[int, int, str]] = []  # until when an answer is waited for, port and name, the oldest first


class Block(msgspec.Struct):
    """A source that is held off: its ports in `bad`, or all of it (`wide`).

    `ports`: port -> [thousandths of a message left, of when].
    """

    key: str
    kind: str
    detail: str
    since_ms: int
    until_ms: int
    dropped: int = 0
    passed: int = 0
    before: int = 0  # of `dropped`, when the present minute began
    left: int = TRICKLE_SOURCE * MILLI
    left_ms: int = 0
    ports: dict[int, list[int]] = {}
    bad: dict[int, bool] = {}
    wide: bool = False


class News(msgspec.Struct, frozen=True):
    """A block began or is over; `by` is who lifted it, '' time."""

    began: bool
    source: str
    kind: str
    detail: str
    dropped: int = 0
    by: str = ""


class Kept(msgspec.Struct, array_like=True):
    """A block as it outlives the process; times are Unix ms. `proven`, `taken`: (address, port, until when)."""

    source: str
    kind: str
    detail: str
    since_ms: int
    until_ms: int
    dropped: int
    passed: int
    ports: list[int]
    wide: bool
    proven: list[tuple[str, int, int]] = []
    taken: list[tuple[str, int, int]] = []


class Gate:
    """`admits` for each message, `judged` for each verdict, `sweep` about once a second."""

    def __init__(self) -> None:
        self.rules = Rules()
        self.dropped = {"denied": 0, "scanner": 0, "blocked": 0, "flood": 0}
        self.blocks: dict[str, Block] = {}
        self.news: list[News] = []
        self._young: dict[str, Source] = {}  # two generations: bounded, and nobody who still comes is forgotten
        self._old: dict[str, Source] = {}
        self._proven: dict[tuple[str, int], int] = {}  # -> until when
        self._taken: dict[tuple[str, int], int] = {}
        self._hosts: dict[str, None] = {}  # trusted beside the rules: where names of trunks lead
        self._trusted: dict[str, None] = {}  # sources of both, by their keys
        self._networks: tuple[str, ...] = ()

    def use(self, rules: Rules) -> None:
        """Another site. Blocks stand, but for whom it trusts."""
        self.rules = rules
        self._know()
        self._young, self._old = {}, {}
        for key in [key for key in self.blocks if self._trusts(key)]:
            self._over(key, "the site")

    def trust(self, hosts: Iterable[str]) -> None:
        """Where trunks are found now; said again whenever it may have changed."""
        fresh = dict.fromkeys(hosts)
        if fresh != self._hosts:
            self._hosts = fresh
            self._know()
            for found in (*self._young.values(), *self._old.values()):
                found.trusted = self._trusts(found.key)
            for key in [key for key in self.blocks if self._trusts(key)]:
                self._over(key, "the site")

    # --- each message -------------------------------------------------------------------------------------
    def admits(self, path: Path, data: bytes, now_ms: int) -> bool:
        """Shall this message be heard? False: it is dropped without a word."""
        rules, host = self.rules, path.host
        if not self.lets_in(path.flow, host):
            return self._drop("denied")
        found = self._source(host, now_ms)
        if found.trusted:
            return True
        lane = (host, path.port)
        proven = self._proven.get(lane, 0) > now_ms or self._taken.get(lane, 0) > now_ms
        if rules.scanners and not proven and (name := _scanner(data, rules.scanners)):
            self._blame(found, [path.port], "scanner", f"User-Agent: {name}", now_ms)
            return self._drop("scanner", found.key)
        block = self.blocks.get(found.key)
        if block is not None and not proven and (block.wide or path.port in block.bad):
            return self._trickle(block, path.port, now_ms) or self._drop("blocked", found.key)
        return self._within(found, path.port, data, proven, now_ms)

    def lets_in(self, flow: int, host: str) -> bool:
        """Do the address lists of the site and of this listener let him in? Trunks' addresses are no exception."""
        rules = self.rules
        if not admitted(host, rules.allow, rules.deny):
            return False
        own = rules.listeners.get(flow)
        return own is None or admitted(host, *own)

    def _within(self, found: Source, port: int, data: bytes, proven: bool, now_ms: int) -> bool:
        """Its budget: of messages, and of questions by who has proven nothing."""
        passed, found.heard_ms = now_ms - found.heard_ms, now_ms
        most, asks = self.rules.per_second, limits.source_asks_per_second
        found.any_left = min(MILLI * most * limits.source_burst_s, found.any_left + passed * most)
        found.asks_left = min(MILLI * asks * limits.source_burst_s, found.asks_left + passed * asks)
        asking = not proven and data.startswith(ASKS)
        if found.any_left < MILLI or (asking and found.asks_left < MILLI):
            found.over += 1
            if found.over > most * limits.source_burst_s:
                self._blame(found, [port], "flood", f"over {found.over} messages too many", now_ms)
            return self._drop("flood", found.key)
        found.over = found.over if found.any_left < 2 * MILLI or found.asks_left < 2 * MILLI else 0
        found.any_left -= MILLI
        if asking:
            found.asks_left -= MILLI
        return True

    def _trickle(self, block: Block, port: int, now_ms: int) -> bool:
        """Each port of a blocked source has its own few messages, all together not many more."""
        own = block.ports.get(port)
        if own is None:
            if len(block.ports) >= PORTS_MAX:
                del block.ports[next(iter(block.ports))]
            own = block.ports[port] = [TRICKLE_PORT * MILLI, now_ms]
        own[0] = min(TRICKLE_PORT * MILLI, own[0] + (now_ms - own[1]) * MILLI // limits.blocked_port_ms)
        own[1] = now_ms
        passed_ms, block.left_ms = now_ms - block.left_ms, now_ms
        block.left = min(TRICKLE_SOURCE * MILLI, block.left + passed_ms * MILLI // limits.blocked_source_ms)
        if own[0] < MILLI or block.left < MILLI:
            return False
        own[0] -= MILLI
        block.left -= MILLI
        block.passed += 1
        return True

    def _drop(self, why: str, key: str = "") -> bool:
        self.dropped[why] += 1
        block = self.blocks.get(key)
        if block is not None:
            block.dropped += 1
        return False

    # --- what became of it -----------------------------------------------------------------------------------
    def judged(self, host: str, port: int, verdict: str, name: str, now_ms: int) -> None:
        """The endpoint's verdict on a message of this source: good | taken | asked | bad | unknown | broken.

        `name`: the account or number that it meant.
        """
        found = self._source(host, now_ms)
        if found.trusted:
            return
        self._lane((host, port), verdict, found.key in self.blocks, now_ms)
        if verdict == "taken":
            return
        if verdict == "broken":
            found.any_left -= BROKEN_COSTS * MILLI
            return
        if verdict == "good":
            found.asked = [each for each in found.asked if each[1] != port]
        elif verdict == "asked":
            found.asked.append((now_ms + PATIENCE_MS, port, name))
        while found.asked and (found.asked[0][0] <= now_ms or len(found.asked) > PATIENT_MAX):
            _, first, who = found.asked.pop(0)
            self._warm(found, first, "asked", who, now_ms)
        if verdict != "asked":
            self._warm(found, port, verdict, name, now_ms)

    def _warm(self, found: Source, port: int, verdict: str, name: str, now_ms: int) -> None:
        """Its heat, and a block when it is too much."""
        cooled = (now_ms - found.heat_ms) // FORGOTTEN_MS
        if cooled > 0:
            found.heat, found.heat_ms = max(0, found.heat - cooled), found.heat_ms + cooled * FORGOTTEN_MS
        if not found.heat:
            found.bad, found.names, found.tried, found.faults, found.heat_ms = 0, [], 0, {}, now_ms
        bit = 1 << (crc32(name.encode("utf-8", "replace")) & TRIED_MASK)
        if verdict == "unknown" and found.tried & bit:
            return  # the same number again is a mistake, ever another one is a search
        found.tried |= bit
        found.heat = max(0, found.heat + HEAT[verdict])
        found.bad += verdict == "bad"
        if verdict != "good" and (port in found.faults or len(found.faults) < PORTS_MAX):
            found.faults[port] = found.faults.get(port, 0) + HEAT[verdict]
        if verdict != "good" and name and name not in found.names and len(found.names) < NAMES_MAX:
            found.names.append(name[:64])
        if found.heat >= limits.source_faults_max:
            tried = f"{', '.join(found.names)}{' …' if len(found.names) == NAMES_MAX else ''}"
            kind = "guessing" if found.bad else "probing"
            least = limits.source_faults_max // PORTS_BLOCKED_MAX
            ports = [each for each, count in found.faults.items() if count >= least]
            self._blame(found, ports, kind, f"{WORDS[kind]}; tried {tried}" if tried else WORDS[kind], now_ms)

    def _lane(self, lane: tuple[str, int], verdict: str, blocked: bool, now_ms: int) -> None:
        """What a port has proven; who then goes on with wrong passwords from it has proven nothing."""
        kept, lasts_ms = (self._proven, PROVEN_MS) if verdict == "good" else (self._taken, TAKEN_MS)
        if verdict in ("good", "taken"):
            kept.pop(lane, None)
            if len(kept) >= limits.proven_phones_max:
                del kept[next(iter(kept))]
            kept[lane] = now_ms + lasts_ms
            return
        self._taken.pop(lane, None)
        if blocked and verdict in ("bad", "unknown"):
            self._proven.pop(lane, None)

    def _blame(self, found: Source, ports: list[int], kind: str, detail: str, now_ms: int) -> None:
        """Block these ports of the source; all of it where the faults came from no few of them."""
        found.heat, found.bad, found.over, found.faults = 0, 0, 0, {}
        block = self.blocks.get(found.key)
        if block is not None:
            block.bad.update(dict.fromkeys(ports, True))
            block.wide = block.wide or not ports or len(block.bad) > PORTS_BLOCKED_MAX
            return
        if len(self.blocks) >= limits.blocks_max:
            self._over(next(iter(self.blocks)), "the limit blocks_max")
        self.blocks[found.key] = Block(
            found.key, kind, detail, now_ms, now_ms + limits.source_block_ms, left_ms=now_ms,
            bad=dict.fromkeys(ports, True), wide=not ports,
        )  # fmt: skip
        self.news.append(News(True, found.key, kind, detail))

    # --- operators ----------------------------------------------------------------------------------------------
    def sweep(self, now_ms: int) -> None:
        """A block lasts another minute if it was needed in this one, else it is over."""
        for key, block in list(self.blocks.items()):
            if block.until_ms > now_ms:
                continue
            if block.dropped - block.before > limits.source_faults_max:
                block.before, block.until_ms = block.dropped, now_ms + limits.source_block_ms
            else:
                self._over(key, "")

    def lift(self, what: str, by: str) -> list[str]:
        """End the block of a source ("192.0.2.7", "2001:db8::/64", an address in it), or all; who was blocked."""
        keys = list(self.blocks) if what == "all" else [source(what) if what not in self.blocks else what]
        keys = [key for key in keys if key in self.blocks]
        for key in keys:
            self._over(key, by)
        return keys

    def _over(self, key: str, by: str) -> None:
        block = self.blocks.pop(key)
        self.news.append(News(False, key, block.kind, block.detail, block.dropped, by))

    # --- over a restart -----------------------------------------------------------------------------------------
    def marks(self) -> tuple[tuple[str, int, bool, int], ...]:
        """By what a block differs from itself a while ago, what it drops apart."""
        return tuple((key, each.until_ms, each.wide, len(each.bad)) for key, each in self.blocks.items())

    def keep(self, offset_ms: int) -> list[Kept]:
        """Every block, with the phones behind it that it doesn't hold up; `offset_ms` makes Unix time."""
        lanes = (self._of_blocked(self._proven, offset_ms), self._of_blocked(self._taken, offset_ms))
        return [
            Kept(key, each.kind, each.detail, each.since_ms + offset_ms, each.until_ms + offset_ms, each.dropped,
                 each.passed, list(each.bad), each.wide, *(found.get(key, []) for found in lanes))
            for key, each in self.blocks.items()
        ]  # fmt: skip

    def _of_blocked(self, lanes: dict[tuple[str, int], int], offset_ms: int) -> dict[str, list[tuple[str, int, int]]]:
        found: dict[str, list[tuple[str, int, int]]] = {}
        for (host, port), until_ms in lanes.items() if self.blocks else ():
            key = host if host in self.blocks else source(host) if ":" in host else ""
            if key in self.blocks:
                found.setdefault(key, []).append((host, port, until_ms + offset_ms))
        return found

    def restore(self, kept: Iterable[Kept], now_ms: int, offset_ms: int) -> None:
        """Blocks of the process before, for the rest of their time and never longer than a new one: one whose time is
        over ends, and is told, with the next sweep. Whom the rules trust isn't blocked."""
        for each in kept:
            if len(self.blocks) >= limits.blocks_max:
                return
            if each.kind not in WORDS or self._trusts(each.source):
                continue
            until_ms = min(each.until_ms - offset_ms, now_ms + limits.source_block_ms)
            self.blocks[each.source] = Block(
                each.source, each.kind, each.detail, min(each.since_ms - offset_ms, now_ms), until_ms, each.dropped,
                each.passed, each.dropped, left_ms=now_ms, bad=dict.fromkeys(each.ports[:PORTS_MAX], True),
                wide=each.wide,
            )  # fmt: skip
            for lanes, given, most_ms in (
                (self._proven, each.proven, PROVEN_MS), (self._taken, each.taken, TAKEN_MS)
            ):  # fmt: skip
                for host, port, end_ms in given:
                    if len(lanes) < limits.proven_phones_max:
                        lanes[host, port] = min(end_ms - offset_ms, now_ms + most_ms)

    # --- sources ------------------------------------------------------------------------------------------------
    def _source(self, host: str, now_ms: int) -> Source:
        found = self._young.get(host)
        if found is not None:
            return found
        key = source(host)
        found = self._young.get(key) or self._old.get(key)
        if found is None:
            budget = MILLI * limits.source_burst_s
            found = Source(
                key, self._trusts(key), now_ms, budget * self.rules.per_second,
                budget * limits.source_asks_per_second, heat_ms=now_ms,
            )  # fmt: skip
        if len(self._young) >= limits.sources_max:
            self._old, self._young = self._young, {}
        self._young[key] = found
        if key != host and not key.endswith("/64"):
            self._young[host] = found
        return found

    def _trusts(self, key: str) -> bool:
        """Of an IPv6 source one trusted address is enough: who else is in its /64 is the same site."""
        return key in self._trusted or longest(self._networks, plain(key.partition("/")[0])) >= 0

    def _know(self) -> None:
        """Whom the site trusts, as it is looked up for each new source."""
        single = (each for each in self.rules.trusted if "/" not in each)
        self._trusted = dict.fromkeys(source(each) for each in (*self._hosts, *single))
        self._networks = tuple(each for each in self.rules.trusted if "/" in each)


def _scanner(data: bytes, words: tuple[bytes, ...]) -> str:
    """The word by which a request's User-Agent betrays a scanner, '' for none."""
    if data.startswith(b"SIP/"):
        return ""
    lowered = data[:4_096].lower()
    at = lowered.find(b"\nuser-agent:")
    if at < 0:
        return ""
    end = lowered.find(b"\n", at + 1)
    line = lowered[at + 12 : end if end > 0 else None]
    return next((word.decode("ascii", "replace").strip() for word in words if word in line), "")

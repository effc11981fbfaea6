"""Media rows and RTP ports as data: who owns a row, and which bound ports the runtime has put ready.

The runtime binds ports ahead and tells of them (`PortsReady`), so that no call is answered with a port that another
program holds; it also lets a freed port rest before it is offered again (DESIGN §2: 60 s).
"""

from __future__ import annotations

import msgspec

from engine.errors import LimitExceeded


class Rows(msgspec.Struct):
    """`rows_max` rows, each with a generation that grows at every use.

    `ready`: per local address, the bound ports in turn.
    """

    rows_max: int = 1_024
    fresh_row: int = 0
    free_rows: list[int] = []
    generations: list[int] = []
    ready: dict[str, list[int]] = {}
    used: int = 0

    def prepared(self, host: str, ports: tuple[int, ...]) -> None:
        """More ports of `host` are bound and rested."""
        self.ready.setdefault(host, []).extend(ports)

    def take(self, host: str) -> tuple[int, int, int]:
        """(row, generation, port) for a new leg at `host`. Raises LimitExceeded when every row or port is taken."""
        ports = self.ready.get(host)
        if not ports:
            raise LimitExceeded("rtp_port_last", 0)
        if self.free_rows:
            row = self.free_rows.pop()
        elif self.fresh_row < self.rows_max:
            row = self.fresh_row
            self.fresh_row += 1
            self.generations.append(0)
        else:
            raise LimitExceeded("legs_max", self.rows_max)
        self.generations[row] += 1
        self.used += 1
        return row, self.generations[row], ports.pop(0)

    def give_back(self, row: int) -> None:
        """The plane has closed the leg: the row is free."""
        self.free_rows.append(row)
        self.used -= 1

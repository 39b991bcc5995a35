"""The node of an operator, simulated: a folder in which each liquidation is a trade of two fills, one line a block.

Between them are blocks without a liquidation, and blocks in which somebody who had gained was closed, which is none either.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from collectors.simulator.liquidation import Liquidation
from collectors.simulator.plain import Pushed
from collectors.simulator.truth import Truth

CHANNEL = "node_fills_by_block"
OTHERS, DELEVERAGED, BACKSTOP = 0.5, 0.1, 0.1
ADDRESSES = 5000


def address(number: int) -> str:
    """Return an account's address."""
    return f"0x{number:040x}"


class Node:
    """Writes the files; `data` is the folder that an operator would name. It is gone with this object."""

    def __init__(self, seed: int, truth: Truth) -> None:
        self._kept = TemporaryDirectory(prefix="liq-node-")
        self._random = random.Random(f"{seed}/node")
        self._truth = truth
        self._number = 0
        self.data = Path(self._kept.name)

    def write(self, happened: Sequence[Liquidation], now: int) -> Iterator[Pushed]:
        """Write a block a liquidation, and others beside them; nothing is pushed to anybody."""
        for one in happened:
            self._block(now, self._sides(one))
            shown = self._truth.show(one, now)
            shown.receivers = self._truth.wrote("hyperliquid", CHANNEL, 1)
            if self._random.random() < OTHERS:
                self._block(now, self._sides(one, liquidation=None))
            if self._random.random() < DELEVERAGED:
                self._block(now, self._sides(one, dir="Auto-Deleveraging"))
        yield from ()

    def _sides(self, one: Liquidation, **other: Any) -> list[tuple[str, dict[str, Any]]]:
        """Return both parties' fills of a trade, in any order."""
        self._number += 1
        liquidated, maker = (address(self._random.randrange(1, ADDRESSES)) for _ in range(2))
        is_handed_over = self._random.random() < BACKSTOP
        method, closes = ("backstop", "Liquidated Cross") if is_handed_over else ("market", "Close")
        side = one.position.capitalize()
        both = {
            "coin": one.contract.symbol, "px": one.fill, "sz": one.qty, "time": one.ts, "startPosition": "0.0",
            "closedPnl": "0.0", "hash": "0x" + "0" * 64, "oid": self._number, "crossed": True, "fee": "0.0",
            "tid": self._number, "feeToken": "USDC", "twapId": None,
            "liquidation": {"liquidatedUser": liquidated, "markPx": one.mark, "method": method},
        }  # fmt: skip
        own = {"side": "A" if one.position == "long" else "B", "dir": f"{closes} {side}"}
        against = {"side": "B" if own["side"] == "A" else "A"}
        against["dir"] = own["dir"] if is_handed_over else f"Open {side}"
        fills = [(liquidated, both | own | other), (maker, both | against | other)]
        for _, fill in fills:
            if fill["liquidation"] is None:
                del fill["liquidation"]
        return fills if self._random.random() < 0.5 else fills[::-1]

    def _block(self, now: int, events: list[tuple[str, dict[str, Any]]]) -> None:
        at = datetime.fromtimestamp(now / 1000, UTC)
        file = self.data / CHANNEL / "hourly" / f"{at:%Y%m%d}" / str(at.hour)
        file.parent.mkdir(parents=True, exist_ok=True)
        time = f"{at:%Y-%m-%dT%H:%M:%S.%f}000"
        block = {"local_time": time, "block_time": time, "block_number": self._number, "events": events}
        with file.open("ab") as written:
            written.write(orjson.dumps(block) + b"\n")

"""Every side and form of every venue's liquidations, read by a reading of their documents that is not the parsers' own, through
the path that reads many at once and the one that reads one by one."""

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.envelope import RawFrame
from pipelines.columns.contracts.instruments import Instruments
from pipelines.columns.normalise import normalise, parse_frames
from pipelines.facts import Liquidation
from pipelines.reading import blocks
from pipelines.reading.blocks import FEWEST, parse_batch
from pipelines.reading.parse import DEAD, Parsed
from pipelines.venues import BULKS

NOW_MS = 1_790_000_000_000
KINDS = {venue: (venue, transport, channel) for venue, transport, channel in BULKS}
WHOSE = {"sell": "long", "buy": "short"}  # an order that closes a long sells


class Told(NamedTuple):
    """What a frame says by the documents (exchanges/*.md §2), of its one liquidation; `order` None: it contradicts itself."""

    payload: dict[str, Any]
    order: str | None
    contract: str
    unit: str
    price: float
    kind: str
    qty: float
    limit: float | None = None


def _binance() -> Iterator[Told]:
    forms = itertools.product(
        ("BUY", "SELL"), ("bare", "combined"), ("BTCUSDT", "BTCUSD_PERP", "BTCUSDT_261225", "BTCUSD_261225", "ETHBTC"),
        ((None, None), (1, None), (2, None), (None, 1), (None, 2), (1, 2), (2, 1), (0, 2), (3, None)),
        (("7", "6.5"), ("0", "6.5"), ("", "6.5"), ("7", ""), ("7", "0")), ("FILLED", "NEW", None),
    )  # fmt: skip
    for side, form, symbol, (inner, outer), (ap, p), status in forms:
        order = {
            "s": symbol,
            "S": side,
            "o": "LIMIT",
            "f": "IOC",
            "q": "9",
            "p": p,
            "ap": ap,
            "l": "1",
            "z": "3",
            "T": NOW_MS,
        }
        order |= {"X": status} if status else {}
        order |= {"st": inner} if inner is not None else {}
        event = {"e": "forceOrder", "E": NOW_MS + 1, "o": order} | ({"st": outer} if outer is not None else {})
        universe = inner or outer
        coin = universe == 2 if universe in (1, 2) else symbol.startswith("BTCUSD_")
        limit, filled = float(p or 0) or None, float(ap or 0)
        yield Told(
            event if form == "bare" else {"stream": "!forceOrder@arr", "data": event}, side.lower(),
            "inverse" if coin else "linear", "contract" if coin else "base", filled or limit or 0.0,
            "fill_average" if filled else "order_limit", 3.0, limit,
        )  # fmt: skip


def _bybit() -> Iterator[Told]:
    symbols = {"BTCUSDT": False, "BTCPERP": False, "BTCUSD": True, "BTCUSDZ26": True, "BTC-25DEC26": False, "?": False}
    for side, (symbol, inverse), qty in itertools.product(("Buy", "Sell"), symbols.items(), ("0.5", "20000", "1e3")):
        item = {"T": NOW_MS, "s": symbol, "S": side, "v": qty, "p": "7"}
        yield Told(
            {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": NOW_MS + 2, "data": [item]},
            "sell" if side == "Buy" else "buy",  # the side is the position's
            "inverse" if inverse else "linear", "usd" if inverse else "base", 7.0, "bankruptcy", float(qty),
        )  # fmt: skip


def _okx() -> Iterator[Told]:
    kinds = {"BTC-USDT-SWAP": "linear", "BTC-USD-SWAP": "inverse", "BTC-USD-261225": "inverse",
             "BTC-USD_UM_XPERP-310404": "linear"}  # fmt: skip
    for side, whose, (symbol, contract) in itertools.product(("buy", "sell"), ("long", "short", "net"), kinds.items()):
        detail = {"bkLoss": "0", "bkPx": "7", "ccy": "", "posSide": whose, "side": side, "sz": "2", "ts": str(NOW_MS)}
        item = {"details": [detail], "instId": symbol, "instType": "SWAP" if symbol.endswith("SWAP") else "FUTURES"}
        agrees = whose in ("net", WHOSE[side])
        yield Told(
            {"arg": {"channel": "liquidation-orders"}, "data": [item]}, side if agrees else None, contract, "contract", 7.0,
            "okx_bkPx", 2.0,
        )  # fmt: skip


CHANGES = [
    (b'"7"', b'"-7"'), (b'"7"', b'" 7"'), (b'"2"', b'"0"'), (b"17900", b"18900"), (b'"3"', b'"nan"'), (b"BTC", b"\\u0000"),
    (b"SELL", b"sell"), (b"Buy", b"BUY"),
]  # fmt: skip
FORMS = {"binance": list(_binance()), "bybit": list(_bybit()), "okx": list(_okx())}


def _frames(venue: str, payloads: list[bytes]) -> list[RawFrame]:
    name, transport, channel = KINDS[venue]
    own = f"{venue}-x-1-aaaa", "x", "live"
    return [
        RawFrame(name, channel, "*", transport, NOW_MS * 1_000_000, *own, n, payload, "raw.x", n % 3, n)  # type: ignore[arg-type]
        for n, payload in enumerate(payloads)
    ]


def _facts(parsed: Parsed) -> dict[int, tuple[Any, ...]]:
    """Return what is said of each frame's one liquidation, read either way."""
    facts = parsed.facts[Liquidation]
    found: dict[int, tuple[Any, ...]] = {}
    names = ("order_side", "position_side", "contract", "unit", "price", "price_kind", "qty", "order_price")
    for row, n in zip(facts.rows, facts.frames, strict=True):
        found[n] = tuple(getattr(row, name) for name in names)
    for block in facts.blocks:
        found |= {row[0]: row[1:] for row in block.select("frame", *names).iter_rows()}
    return found


@pytest.mark.parametrize("read", [parse_frames, parse_batch])
@pytest.mark.parametrize("venue", FORMS)
def test_every_side_and_form_says_whose_position_was_closed_by_which_order(venue: str, read: Any) -> None:
    forms = FORMS[venue]
    forms = forms * (1 + FEWEST // len(forms))
    parsed = read(_frames(venue, [json.dumps(form.payload).encode() for form in forms]), {})
    expected = {
        n: (form.order, WHOSE[form.order], form.contract, form.unit, form.price, form.kind, form.qty, form.limit)
        for n, form in enumerate(forms)
        if form.order
    }
    assert _facts(parsed) == expected
    assert [n for n, outcome in enumerate(parsed.outcomes) if outcome == DEAD] == [
        n for n, form in enumerate(forms) if not form.order
    ]
    if read is parse_batch:
        assert len(forms) >= FEWEST
        assert parsed.facts[Liquidation].rows == [], "each of them is read by column"


@pytest.mark.parametrize("venue", FORMS)
def test_a_batch_of_every_form_gives_the_rows_its_frames_give(venue: str) -> None:
    payloads = [json.dumps(form.payload).encode() for form in FORMS[venue]] * 2
    frames = _frames(venue, payloads * (1 + FEWEST // len(payloads)))
    assert _everything(parse_batch(frames, {})) == _everything(parse_frames(frames, {}))


@st.composite
def batches(draw: st.DrawFn) -> tuple[str, list[bytes]]:
    """More frames of one venue than FEWEST, most of them ordinary, of a few forms joined into frames of several items."""
    venue = draw(st.sampled_from(sorted(FORMS)))
    forms = draw(st.lists(st.sampled_from(FORMS[venue]), min_size=1, max_size=6))
    payloads = [json.dumps(form.payload).encode() for form in forms]
    if venue != "binance" and draw(st.booleans()):
        joined = [item for form in forms for item in form.payload["data"]]
        payloads.append(json.dumps({"data": joined + joined[:1]}).encode())
    for odd in draw(st.lists(st.sampled_from([b"{", b"[]", b'{"data":[]}', b"\xff"]), max_size=2)):
        payloads.insert(draw(st.integers(0, len(payloads))), odd)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(payloads) - 1))
        old, new = draw(st.sampled_from(CHANGES))
        payloads[at] = payloads[at].replace(old, new)
    return venue, payloads * (1 + FEWEST // len(payloads))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(batches())
def test_batches_large_enough_to_be_read_by_column_say_what_their_frames_say(
    monkeypatch: pytest.MonkeyPatch, batch: tuple[str, list[bytes]]
) -> None:
    venue, payloads = batch
    read: list[int] = []
    real = blocks._read
    with monkeypatch.context() as patched:
        patched.setattr(
            blocks,
            "_read",
            lambda bulk, frames, positions: read.append(len(positions)) or real(bulk, frames, positions),
        )
        frames = _frames(venue, payloads)
        parsed = parse_batch(frames, {})
    assert read == [len(payloads)], "the batch went the way that reads many at once"
    plain = parse_frames(frames, {})
    assert _everything(parsed) == _everything(plain)
    by_column = sum(block.height for block in parsed.facts[Liquidation].blocks) if Liquidation in parsed.facts else 0
    ordinary = {json.dumps(form.payload).encode() for form in FORMS[venue] if form.order}
    assert by_column >= sum(payload in ordinary for payload in payloads)


def _everything(parsed: Parsed) -> tuple[Any, ...]:
    tables = normalise(parsed, Instruments(), grid_s=0).tables
    rows = {
        name: table.sort("kafka_offset", maintain_order=True).rows() for name, table in tables.items() if table.height
    }
    return rows, bytes(parsed.outcomes), dict(parsed.reasons)


def test_the_side_of_a_row_is_that_of_its_frame_in_the_table_too() -> None:
    for venue, forms in FORMS.items():
        frames = _frames(venue, [json.dumps(form.payload).encode() for form in forms] * (1 + FEWEST // len(forms)))
        table = normalise(parse_batch(frames, {}), Instruments()).tables["liquidations"]
        expected = [form.order for form in forms if form.order] * (1 + FEWEST // len(forms))
        assert table["order_side"].to_list() == expected
        assert table["position_side"].to_list() == [WHOSE[side] for side in expected]
        assert table.select((pl.col("order_side") == "sell") == (pl.col("position_side") == "long")).to_series().all()

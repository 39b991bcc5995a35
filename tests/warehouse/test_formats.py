"""Every type of DuckDB's in every format: a value, or one clear line; never a traceback."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.warehouse.made import copied
from warehouse import lake
from warehouse.errors import QueryError
from warehouse.formats import HELD, Format, write
from warehouse.query import query, run

VALUES = {
    "BOOLEAN": ("true", "true", True),
    "UBIGINT": ("18446744073709551615", "18446744073709551615", 18446744073709551615),
    "HUGEINT": ("170141183460469231731687303715884105727", *[str(2**127 - 1), 2**127 - 1]),
    "UHUGEINT": ("340282366920938463463374607431768211455", *[str(2**128 - 1)] * 2),
    "BIGNUM": ("'1234567890123456789012345678901234567890123'", *["1234567890123456789012345678901234567890123"] * 2),
    "DOUBLE": ("'nan'", "NaN", None),
    "FLOAT": ("'-infinity'", "-inf", None),
    "DECIMAL(4, 2)": ("1.25", "1.25", 1.25),
    "DECIMAL(38, 0)": ("'99999999999999999999999999999999999999'", "9" * 38, int("9" * 38)),
    "VARCHAR": ("'é\n\",'", '"é\n"","', 'é\n",'),
    "JSON": ("'{\"a\":1}'", '"{""a"":1}"', '{"a":1}'),
    "BLOB": ("'\\xff'", "ff", "ff"),
    "BIT": ("'0101'", "0101", "0101"),
    "UUID": ("'f945e1c1-d882-4883-bf39-07430715e3ff'", *["f945e1c1-d882-4883-bf39-07430715e3ff"] * 2),
    "ENUM('a', 'b')": ("'b'", "b", "b"),
    "DATE": ("'2026-01-31'", "2026-01-31", "2026-01-31"),
    "TIME": ("'12:00:00.5'", "12:00:00.500000000", "12:00:00.500"),
    "TIME_NS": ("'12:00:00.123456789'", *["12:00:00.123456789"] * 2),
    "TIMETZ": ("'12:00:00+02'", *["12:00:00+02"] * 2),
    "TIMESTAMP": ("'2026-01-31 12:00:00'", *["2026-01-31T12:00:00.000000Z"] * 2),
    "TIMESTAMP_S": ("'2026-01-31 12:00:00'", *["2026-01-31T12:00:00.000Z"] * 2),
    "TIMESTAMP_NS": ("'2026-01-31 12:00:00.123456789'", *["2026-01-31T12:00:00.123456789Z"] * 2),
    "TIMESTAMPTZ": ("'2026-01-31 12:00:00+02'", *["2026-01-31T10:00:00.000000Z"] * 2),
    "INTERVAL": ("'1 month 2 days 3 seconds'", *["1 month 2 days 00:00:03"] * 2),
    "INTEGER[]": ("[1, 2]", None, [1, 2]),
    "INTEGER[2]": ("[1, 2]", None, [1, 2]),
    "INTERVAL[]": ("[INTERVAL 1 DAY]", None, ["1 day"]),
    "TIMESTAMP[]": ("['infinity']", None, ["infinity"]),
    "BLOB[]": ("['a']", None, ["a"]),
    "UHUGEINT[2][]": ("[[1, 2]]", None, [["1", "2"]]),
    'STRUCT("a b" INTERVAL, b STRUCT(c DATE[]))': (
        "{'a b': INTERVAL 1 DAY, 'b': {'c': [DATE '2026-01-31']}}", None, {"a b": "1 day", "b": {"c": ["2026-01-31"]}}),
    "MAP(VARCHAR, INTERVAL)": ("MAP {'a': INTERVAL 1 DAY}", None, {"a": "1 day"}),
    "UNION(n INTEGER, s VARCHAR)": ("1", "1", "1"),
    "VARIANT": ("{'a': 1}", "{'a': 1}", "{'a': 1}"),
    "GEOMETRY": ("'POINT (1 2)'", *["POINT (1 2)"] * 2),
}  # fmt: skip
"""By type: an expression of it, what csv shows (None: it cannot) and what json does."""

FAR = {
    "DATE": ("infinity", "-infinity", "290000-01-01", "4714-01-01 (BC)"),
    "TIMESTAMP": ("infinity", "-infinity", "290000-01-01 00:00:00", "0044-03-15 (BC) 00:00:00"),
    "TIMESTAMP_S": ("infinity", "-infinity"),
    "TIMESTAMP_MS": ("infinity", "-infinity"),
    "TIMESTAMP_NS": ("infinity", "-infinity"),
    "TIMESTAMPTZ": ("infinity", "-infinity", "290000-01-01 00:00:00+00"),
}


@pytest.fixture(scope="module")
def reader(made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lake.Lake]:
    with lake.open(copied(made_once, tmp_path_factory.mktemp("read"))) as opened:
        yield opened


def _written(reader: lake.Lake, sql: str, kind: Format, path: Path) -> bytes:
    write(run(reader, sql, held=HELD[kind]), kind, path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_of_every_type_is_written_in_every_format(reader: lake.Lake, tmp_path: Path, kind: str) -> None:
    text, csv, value = VALUES[kind]
    sql = f"SELECT ({text})::{kind} AS v UNION ALL SELECT NULL"
    lines = _written(reader, sql, Format.JSONL, tmp_path / "jsonl").decode().splitlines()
    whole = json.loads(_written(reader, sql, Format.JSON, tmp_path / "json"))
    for rows in (whole, [json.loads(line) for line in lines]):
        assert sorted((row["v"] for row in rows), key=repr) == sorted([value, None], key=repr)
    if csv is None:
        with pytest.raises(QueryError, match="csv cannot hold lists or structs"):
            _written(reader, sql, Format.CSV, tmp_path / "csv")
    else:
        assert csv in _written(reader, sql, Format.CSV, tmp_path / "csv").decode()
    assert "2 rows" in _written(reader, sql, Format.TABLE, tmp_path / "table").decode()
    parquet = pq.read_table(io.BytesIO(_written(reader, sql, Format.PARQUET, tmp_path / "parquet")))
    arrow = pa.ipc.open_file(_written(reader, sql, Format.ARROW, tmp_path / "arrow")).read_all()
    stream = pa.ipc.open_stream(_written(reader, sql, Format.ARROWS, tmp_path / "arrows")).read_all()
    assert (parquet.num_rows, parquet.column("v").null_count, arrow.num_rows) == (2, 1, 2)
    assert (stream.schema, stream.num_rows) == (arrow.schema, arrow.num_rows)


@pytest.mark.parametrize("kind", FAR)
def test_infinity_and_years_beyond_the_calendar_are_written_as_duckdb_does(
    reader: lake.Lake, tmp_path: Path, kind: str
) -> None:
    near = "2026-01-31"
    values = ", ".join(f"('{text}'::{kind})" for text in (*FAR[kind], near))
    sql = f"SELECT v FROM (VALUES {values}, (NULL)) AS t(v)"
    shown = [row["v"] for row in json.loads(_written(reader, sql, Format.JSON, tmp_path / "json"))]
    assert shown[:-2] == list(FAR[kind])
    assert shown[-2].startswith(near)
    assert shown[-1] is None
    for form in (Format.CSV, Format.TABLE):
        assert all(text in _written(reader, sql, form, tmp_path / form).decode() for text in FAR[kind])
    assert _written(reader, sql, Format.ARROW, tmp_path / "arrow")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (f"'{2**127 - 1}'::HUGEINT", str(2**127 - 1)),
        ("[1, 2]::INTEGER[2]", "[1, 2]"),
        ("{'a': ['f945e1c1-d882-4883-bf39-07430715e3ff'::UUID]}", "{'a': ['f945e1c1-d882-4883-bf39-07430715e3ff']}"),
        ("MAP {'a': [1]}", "{'a': [1]}"),
        ("MAP {[1]: 2}", "{'key': [[1]], 'value': [2]}"),
        ("'24:00:00'::TIME", "24:00:00"),
        ("'9999-12-31'::DATE", "9999-12-31"),
        ("['\\xff'::BLOB]", "['\\\\xFF']"),
    ],
)
def test_a_table_shows_a_value_whole(reader: lake.Lake, tmp_path: Path, value: str, cell: str) -> None:
    told = _written(reader, f"SELECT {value} AS v", Format.TABLE, tmp_path / "table").decode()
    assert told.splitlines()[2].strip() == cell


def test_each_of_duckdbs_own_test_types_gives_rows_or_one_line(reader: lake.Lake, tmp_path: Path) -> None:
    with duckdb.connect() as plain:
        names = [row[0] for row in plain.execute("DESCRIBE FROM test_all_types()").fetchall()]
    assert len(names) > 50
    told = []
    for name in names:
        for kind in Format:
            try:
                assert _written(reader, f'SELECT "{name}" FROM test_all_types()', kind, tmp_path / "out")
            except QueryError as error:
                told.append(str(error))
    assert [line for line in told if "\n" in line or "cannot hold" not in line] == []


def test_one_odd_column_leaves_the_order_and_the_other_columns_as_they_are(reader: lake.Lake, tmp_path: Path) -> None:
    sql = "SELECT i, to_days((i % 7)::INTEGER) AS age, i::TIMESTAMP_S AS t FROM range(300_000) AS t(i) ORDER BY hash(i) -- x"
    sql = sql.replace("i::TIMESTAMP_S", "to_timestamp(i)::TIMESTAMP")
    frame = pl.read_parquet(io.BytesIO(_written(reader, sql, Format.PARQUET, tmp_path / "parquet")))
    assert frame.schema == pl.Schema({"i": pl.Int64(), "age": pl.String(), "t": pl.Datetime("us")})
    assert frame["i"].equals(query("SELECT i FROM range(300_000) AS t(i) ORDER BY hash(i)", reader.world)["i"])


def test_names_that_come_twice_get_a_number(reader: lake.Lake, tmp_path: Path) -> None:
    sql = "SELECT 1 AS v, 2 AS v, 3 AS v_1, INTERVAL 1 DAY AS v"
    assert _written(reader, sql, Format.CSV, tmp_path / "csv") == b"v,v_1,v_1_1,v_2\n1,2,3,1 day\n"
    assert query("SELECT 1 AS v, 2 AS v", reader.world).columns == ["v", "v_1"]


def test_a_type_that_polars_has_not_is_told_in_one_line(reader: lake.Lake) -> None:
    for odd in ("INTERVAL 1 DAY", "1::VARIANT", "union_value(a := 1)"):
        with pytest.raises(QueryError) as raised:
            query(f"SELECT {odd} AS v", reader.world)
        assert "\n" not in str(raised.value)


def test_a_full_disk_is_told_with_the_path_and_the_free_bytes(reader: lake.Lake) -> None:
    full = Path("/dev/full")
    for kind in Format:
        with pytest.raises(
            QueryError, match=r"cannot write /dev/full: No space left on device \(/dev/full: [\d,]+ bytes"
        ):
            write(run(reader, "FROM range(100_000)"), kind, full, limit=100_000)

"""What a commit of ingest claims in a catalogue that others write to as well, and whether what they committed contradicts it.

Each commit of ingest has its claim as the extra information of its DuckLake snapshot: its name, the offsets of each partition,
and the snapshot that it must follow. A trigger in the catalogue's database refuses a commit that follows another one.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from warehouse.beside import Beside
from warehouse.commits import Made
from warehouse.errors import FencedError
from warehouse.keeping.files import NAMED
from warehouse.place import Place

AUTHOR = "liq ingest"
TRIGGER = "liq_in_turn"
INSTALL = f"""
CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $liq$
BEGIN
    IF NEW.author = '{AUTHOR}' AND (NEW.commit_extra_info::json ->> 'after')::bigint <> NEW.snapshot_id - 1 THEN
        RAISE EXCEPTION 'liq: snapshot % was to follow %', NEW.snapshot_id, NEW.commit_extra_info::json ->> 'after';
    END IF;
    RETURN NEW;
END $liq$;
CREATE OR REPLACE TRIGGER {TRIGGER} BEFORE INSERT ON ducklake_snapshot_changes
    FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()
"""
COMMITS = """
SELECT c.snapshot_id, coalesce(c.author, '') AS author, coalesce(c.commit_extra_info, '') AS told,
    (SELECT min(snapshot_id) FROM ducklake_snapshot_changes) AS oldest
FROM ducklake_snapshot_changes AS c WHERE c.snapshot_id >= {since} ORDER BY c.snapshot_id
"""

MADE = """
SELECT count(*) AS files, coalesce(sum(file_size_bytes), 0)::bigint AS size,
    (SELECT count(*) FROM ducklake_snapshot) AS snapshots
FROM ducklake_data_file WHERE begin_snapshot = {snapshot}
"""
NEW_FILES = (
    f"SELECT table_name, path FROM ({NAMED.format(tables='')}) AS made WHERE deletes_from = '' AND begin_snapshot > "
)


class Claim(NamedTuple):
    """A commit's own `name`; `seen`: the snapshot up to which everything is known; `parts`: by partition the offsets
    [from, next) that it takes in, or None: it says anew from where the partition is read."""

    name: str
    seen: int
    parts: Mapping[str, tuple[int, int] | None]

    def told(self, after: int) -> str:
        """Return what the snapshot says of it; `after`: the snapshot that it follows."""
        return json.dumps({"after": after, "name": self.name, "parts": self.parts})


def made_by(session: Beside, snapshot: int) -> Made:
    """Return what the commit of a snapshot made. Raises duckdb.Error."""
    return Made(*session.rows(MADE.format(snapshot=snapshot))[0])


class Others(NamedTuple):
    """What others committed after a snapshot: the newest snapshot, whether all of it is commits of ingest, and whether the
    claim's own commit is among them."""

    latest: int
    only_ingest: bool
    has_own: bool


def others(session: Beside, claim: Claim, begun: int | None = None) -> Others:
    """Return what was committed after `begun` (None: after all that the claim knows). The caller holds the write lock.

    Raises FencedError where another one has committed records that are claimed, or where that is not known any more, and
    duckdb.Error.
    """
    rows = session.rows(COMMITS.format(since=claim.seen))
    if not rows or rows[0][3] > claim.seen:
        raise FencedError("nothing was committed here for so long that others' commits have expired")
    told = [(number, json.loads(text)) for number, author, text, _ in rows if author == AUTHOR and number > claim.seen]
    if any(each["name"] == claim.name for _, each in told):
        return Others(rows[-1][0], True, True)
    for number, each in told:
        for at, (start, _) in ((at, part) for at, part in claim.parts.items() if part):
            if at in each["parts"] and (each["parts"][at] is None or each["parts"][at][1] > start):
                raise FencedError(f"{at}: another ingest has committed records from {start} on, in snapshot {number}")
    after = claim.seen if begun is None else begun
    return Others(rows[-1][0], all(author == AUTHOR for number, author, *_ in rows if number > after), False)


def files_since(session: Beside, place: Place, snapshot: int) -> dict[str, list[str]]:
    """Return the data files made after a snapshot, by table. Raises duckdb.Error."""
    found: dict[str, list[str]] = {}
    for table, path in session.rows(f"{NEW_FILES}{snapshot}"):
        found.setdefault(table, []).append(path if path.startswith("/") or "://" in path else place.files + path)
    return found

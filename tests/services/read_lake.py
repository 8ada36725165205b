"""Reads the tables of a data folder as other programs do: deltalake for Python, and DuckDB over it.

usage: read_lake.py DATA

For each kind of record: the keys of the image are unique, the image is the newest version of each key, and a
filter on the image finds the same rows through the log as without it. Exit code 0 if all holds, else 1.
"""

import sys
from datetime import datetime, timezone
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from pyarrow.compute import field

KINDS = [("dossiers", "dossier_versions"), ("postal_items", "postal_item_versions")]
# Which version of a key is the newest: by the source's change time where it has one, else the later pull, page and row.
ORDER = "source_updated_at DESC NULLS LAST, run DESC, page DESC, row DESC"
KEY = "source, source_key"


def dataset(data: Path, table: str):
    return DeltaTable(str(data / "lake" / table)).to_pyarrow_dataset()


def number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return db.execute(query).fetchall()[0][0]


def check_kind(db: duckdb.DuckDBPyConnection, data: Path, image: str, versions: str) -> list[str]:
    # Whole tables in memory: what is compared must not depend on how filters are pushed down.
    for table in (image, versions):
        db.register(table, dataset(data, table).to_table())
    rows = number(db, f"SELECT count(*) FROM {image}")
    keys = number(db, f"SELECT count(*) FROM (SELECT DISTINCT {KEY} FROM {image})")
    accepted = number(db, f"SELECT count(*) FROM {versions}")
    print(f"{image}: {rows} rows, {keys} keys, {accepted} versions")
    faults = []
    if rows != keys:
        faults.append(f"{image}: {rows} rows for {keys} keys")
    newest = (
        f"SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER (PARTITION BY {KEY} ORDER BY {ORDER}) AS place "
        f"FROM {versions}) WHERE place = 1"
    )
    # `part` is the version's own in the versions and the key's for good in the image, which also has derived columns.
    compared = ", ".join(
        name
        for (name,) in db.execute(f"SELECT column_name FROM (DESCRIBE {versions})").fetchall()
        if name != "part"
    )
    for left, right, what in [
        (image, f"({newest})", "that are no newest version"),
        (f"({newest})", image, "missing, though newest"),
    ]:
        differing = number(db, f"SELECT count(*) FROM (SELECT {compared} FROM {left} EXCEPT SELECT {compared} FROM {right})")
        if differing:
            faults.append(f"{image}: {differing} rows {what}")
    return faults + check_filters(data, image)


def check_filters(data: Path, table: str) -> list[str]:
    """Ranges in the log that are wrong or half would hide rows from every reader that trusts them."""
    date, status = ("received_at", "returned") if table.startswith("dossier") else ("accepted_at", "delivered")
    faults = []
    for condition in [
        field("status") == status,
        field(date) >= datetime(2000, 1, 1, tzinfo=timezone.utc),
    ]:
        rows = dataset(data, table)
        through, whole = rows.count_rows(filter=condition), rows.to_table().filter(condition).num_rows
        if through != whole:
            faults.append(f"{table}: {through} of {whole} rows found where {condition}")
    return faults


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 1
    db = duckdb.connect()
    faults = []
    for image, versions in KINDS:
        faults.extend(check_kind(db, Path(arguments[0]), image, versions))
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

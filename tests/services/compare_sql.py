"""Runs scripts of `motcua sql` with DuckDB and compares their rows with the figures of `motcua report`.

usage: compare_sql.py LAKE SCRIPT FIGURES [SCRIPT FIGURES]...

Each SCRIPT was printed with `--no-views`: LAKE's tables (Delta, or one Parquet file each) are named here, and Delta is read
by deltalake, so that DuckDB needs no extension. FIGURES are those of `motcua report --format csv` under the same rule sets;
of indicators that the script does not have they are left out. Prints for each script the number of equal cells and the first
ten that differ. Exit code 0 if all are equal and every script has any, else 1.
"""

import csv
import sys
import time
from pathlib import Path

import duckdb
from deltalake import DeltaTable

COUNTS = ("numerator", "denominator", "unknown", "undecided")
KEY = ("indicator", "rules", "agency", "tier", "period")


def connected(lake: Path) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    # The session's time zone must not matter.
    db.execute("SET TimeZone = 'America/New_York'")
    for table in sorted(lake.iterdir()):
        if table.suffix == ".parquet":
            db.execute(f"CREATE VIEW motcua_{table.stem} AS SELECT * FROM read_parquet('{table}')")
        elif (table / "_delta_log").is_dir():
            db.register(f"motcua_{table.name}", DeltaTable(str(table)).to_pyarrow_dataset().to_table())
    return db


def rows_of_script(db: duckdb.DuckDBPyConnection, script: Path) -> dict:
    cursor = db.execute(script.read_text(encoding="utf-8"))
    names = [column[0] for column in cursor.description]
    rows = {}
    for values in cursor.fetchall():
        row = dict(zip(names, values))
        key = tuple(row[name] or "" for name in KEY)
        if key in rows:
            raise SystemExit(f"two rows of {key}")
        rows[key] = tuple(row[name] for name in COUNTS)
    return rows


def rows_of_report(figures: Path) -> dict:
    with figures.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    count = lambda text: int(text) if text else None
    return {tuple(row[name] for name in KEY): tuple(count(row[name]) for name in COUNTS) for row in rows}


def compare(db: duckdb.DuckDBPyConnection, script: Path, figures: Path) -> bool:
    start = time.process_time()
    found = rows_of_script(db, script)
    seconds = time.process_time() - start
    indicators = {key[0] for key in found}
    expected = {key: counts for key, counts in rows_of_report(figures).items() if key[0] in indicators}
    different = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    for key in sorted(different)[:10]:
        print(f"{key}: published {expected.get(key)}, by the script {found.get(key)}")
    equal = len({**expected, **found}) - len(different)
    print(f"{script.name}: {equal} equal, {len(different)} different, {len(indicators)} indicators, {seconds:.1f} CPU-s")
    return bool(found) and not different


def main(lake: str, *pairs: str) -> int:
    db = connected(Path(lake))
    results = [compare(db, Path(script), Path(figures)) for script, figures in zip(pairs[::2], pairs[1::2])]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

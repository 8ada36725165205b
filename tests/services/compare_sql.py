"""Runs scripts of `motcua sql` with DuckDB or Spark and compares their rows with the figures of `motcua report`.

usage: compare_sql.py duckdb LAKE SCRIPT FIGURES [SCRIPT FIGURES]...
       compare_sql.py spark LAKE SCRIPT FIGURES [SCRIPT FIGURES]...

Scripts for DuckDB were printed with `--no-views`: LAKE's tables (Delta, or one Parquet file each) are named here, and Delta is
read by deltalake, so that DuckDB needs no extension. Scripts for Spark name Delta tables themselves, and Parquet files are named
here; they run over Spark Connect in a server of Sail that is started here, so that no JVM is needed. FIGURES are those of `motcua report --format csv` under the
same indicators and rule sets. Prints for each script the number of equal cells
and the first ten that differ. Exit code 0 if all are equal and every script has any, else 1.
"""

import csv
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

COUNTS = ("numerator", "denominator", "unknown", "undecided")
KEY = ("indicator", "rules", "agency", "tier", "period")


def duckdb_session(lake: Path, _: str):
    import duckdb
    from deltalake import DeltaTable

    db = duckdb.connect()
    # The session's time zone must not matter.
    db.execute("SET TimeZone = 'America/New_York'")
    for table in sorted(lake.iterdir()):
        if table.suffix == ".parquet":
            db.execute(f"CREATE VIEW motcua_{table.stem} AS SELECT * FROM read_parquet('{table}')")
        elif (table / "_delta_log").is_dir():
            db.register(f"motcua_{table.name}", DeltaTable(str(table)).to_pyarrow_dataset().to_table())

    def rows_of(script: str) -> list[dict]:
        cursor = db.execute(script)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values)) for values in cursor.fetchall()]

    return rows_of


def spark_session(lake: Path, warehouse: str):
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    # The server writes tables to the folder that it is started in.
    os.chdir(warehouse)
    server = SparkConnectServer()
    server.start()
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    for table in sorted(lake.glob("*.parquet")):
        spark.read.parquet(str(table)).createOrReplaceTempView(f"motcua_{table.stem}")

    def rows_of(script: str) -> list[dict]:
        # The texts of a script have no line breaks.
        statements = [statement for statement in script.split(";\n") if statement.strip()]
        for statement in statements[:-1]:
            spark.sql(statement)
        return [row.asDict() for row in spark.sql(statements[-1].rstrip().removesuffix(";")).collect()]

    # The server ends with its last reference.
    rows_of.server = server
    return rows_of


def counts_by_key(rows: list[dict]) -> dict:
    counts = {}
    for row in rows:
        key = tuple(row[name] or "" for name in KEY)
        if key in counts:
            raise SystemExit(f"two rows of {key}")
        counts[key] = tuple(row[name] for name in COUNTS)
    return counts


def rows_of_report(figures: Path) -> dict:
    with figures.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    count = lambda text: int(text) if text else None
    return {tuple(row[name] for name in KEY): tuple(count(row[name]) for name in COUNTS) for row in rows}


def compare(rows_of, script: Path, figures: Path) -> bool:
    start = time.monotonic()
    found = counts_by_key(rows_of(script.read_text(encoding="utf-8")))
    seconds = time.monotonic() - start
    expected = rows_of_report(figures)
    indicators = {key[0] for key in expected}
    different = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
    for key in sorted(different)[:10]:
        print(f"{key}: published {expected.get(key)}, by the script {found.get(key)}")
    equal = len({**expected, **found}) - len(different)
    print(f"{script.name}: {equal} equal, {len(different)} different, {len(indicators)} indicators, {seconds:.1f} s", flush=True)
    return bool(found) and not different


def main(engine: str, lake: str, *pairs: str) -> int:
    lake, *pairs = [Path(path).absolute() for path in (lake, *pairs)]
    with tempfile.TemporaryDirectory() as warehouse:
        rows_of = {"duckdb": duckdb_session, "spark": spark_session}[engine](lake, warehouse)
        results = [compare(rows_of, script, figures) for script, figures in zip(pairs[::2], pairs[1::2])]
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    code = 1
    try:
        code = main(*sys.argv[1:])
    except Exception:
        traceback.print_exc(file=sys.stdout)
    sys.stdout.flush()
    # Sail's server waits for its clients when Python ends in the usual way.
    os._exit(code)

"""Times DuckDB on the script of all figures, over the tables that `cargo bench -- figures DOSSIERS FOLDER` left.

    python3 -m venv venv && venv/bin/pip install deltalake duckdb pyarrow
    venv/bin/python benches/peers/figures_duckdb.py FOLDER [THREADS]

The script is that of `motcua sql` over the same indicators and rule sets. Prints the figures that have something to count, the CPU-seconds and the wall time of the script, reading included, and the
peak memory above that of Python with the libraries loaded.
"""

import resource
import sys
import time
from pathlib import Path

import duckdb
from deltalake import DeltaTable


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(folder: str, threads: str = "2") -> None:
    folder = Path(folder)
    db = duckdb.connect()
    db.execute(f"SET threads = {int(threads)}")
    # Spilling would trade memory for time.
    db.execute("SET preserve_insertion_order = false")
    script = (folder / "figures.sql").read_text(encoding="utf-8")
    for table in sorted((folder / "lake").iterdir()):
        if (table / "_delta_log").is_dir():
            files = DeltaTable(str(table)).file_uris()
            if files:
                db.execute(f"CREATE VIEW motcua_{table.name} AS SELECT * FROM read_parquet({files!r}, hive_partitioning = true)")
            else:
                db.register(f"motcua_{table.name}", DeltaTable(str(table)).to_pyarrow_dataset())
    cpu, start, above = cpu_seconds(), time.monotonic(), peak_mib()
    (counted,) = db.execute(f"SELECT count(*) FROM ({script.strip().removesuffix(';')}) WHERE coalesce(denominator, numerator) > 0").fetchone()
    wall, cpu, peak = time.monotonic() - start, cpu_seconds() - cpu, peak_mib() - above
    print(f"DuckDB {duckdb.__version__}, {threads} threads: {counted} figures; {cpu:.2f} CPU-s, {wall:.2f} s; peak {peak:.0f} MiB above start")


main(*sys.argv[1:])

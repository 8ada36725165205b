"""Runs a source of dlt into DuckDB and prints the number of records, the CPU-seconds of this process and its children, and the
peak memory."""

import os
import resource
import tempfile
import time

import dlt


def cpu_secs() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def run_measured(source, table: str, what: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        pipeline = dlt.pipeline(
            "peer",
            destination=dlt.destinations.duckdb(os.path.join(folder, "peer.duckdb")),
            dataset_name="statistics",
            pipelines_dir=folder,
        )
        before, started = cpu_secs(), time.monotonic()
        pipeline.run(source)
        spent, wall = cpu_secs() - before, time.monotonic() - started
        with pipeline.sql_client() as client:
            rows = client.execute_sql(f"SELECT COUNT(*) FROM {table}")[0][0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"dlt {dlt.__version__}{what}: {rows} records; {spent:.2f} CPU-s, {wall:.2f} s; {rows / spent:.0f} records per CPU-s; peak {peak} MiB")

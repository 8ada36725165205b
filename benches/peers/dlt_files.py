"""The program that `cargo bench -- csv|xlsx|ndjson|xml` is compared with: dlt reads the same lists into DuckDB, merged by key.

    cargo bench -- write xml /tmp/lists 200000
    python3 -m venv venv && venv/bin/pip install 'dlt[duckdb]' openpyxl
    venv/bin/python benches/peers/dlt_files.py xml /tmp/lists

Python's own readers give the rows: `csv`, `json`, `xml.etree`, and openpyxl for workbooks. Prints the number of records, the
CPU-seconds of this process and its children, and the peak memory.
"""

import csv
import json
import os
import resource
import sys
import tempfile
import time
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path

import dlt

KEY = "Mã vận đơn"


def of_csv(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        next(file)  # the title
        for row in csv.DictReader(file, delimiter=";"):
            if row[KEY]:
                yield row


def of_lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def of_xml(path: Path) -> Iterator[dict]:
    for _, element in xml.etree.ElementTree.iterparse(path):
        if element.tag == "BuuGui":
            yield {child.tag.replace("_", " "): child.text for child in element}
            element.clear()


def of_xlsx(path: Path) -> Iterator[dict]:
    import openpyxl

    rows = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    headings = next(row for row in rows if KEY in row)
    for row in rows:
        record = dict(zip(headings, row))
        if record[KEY]:
            yield record


READERS = {"csv": of_csv, "ndjson": of_lines, "xml": of_xml, "xlsx": of_xlsx}


def cpu_secs() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])

    @dlt.resource(name="items", primary_key=KEY, write_disposition="merge")
    def items() -> Iterator[dict]:
        for path in sorted(folder.glob(f"*.{kind}")):
            yield from READERS[kind](path)

    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DLT_DATA_DIR"] = scratch
        pipeline = dlt.pipeline(
            "peer",
            destination=dlt.destinations.duckdb(os.path.join(scratch, "peer.duckdb")),
            dataset_name="statistics",
            pipelines_dir=scratch,
        )
        before, started = cpu_secs(), time.monotonic()
        pipeline.run(items())
        spent, wall = cpu_secs() - before, time.monotonic() - started
        with pipeline.sql_client() as client:
            rows = client.execute_sql("SELECT COUNT(*) FROM items")[0][0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"dlt {dlt.__version__}, {kind}: {rows} records; {spent:.2f} CPU-s, {wall:.2f} s; {rows / spent:.0f} records per CPU-s; peak {peak} MiB")


main()

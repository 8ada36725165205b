"""The program that `cargo bench -- csv|xlsx|ndjson|xml` is compared with: dlt reads the same lists into DuckDB, merged by key.

    cargo bench -- write xml /tmp/lists 200000
    python3 -m venv venv && venv/bin/pip install 'dlt[duckdb]' openpyxl
    venv/bin/python benches/peers/dlt_files.py xml /tmp/lists

Python's own readers give the rows: `csv`, `json`, `xml.etree`, and openpyxl for workbooks.
"""

import csv
import json
import sys
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path

import dlt
from dlt_measured import run_measured

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


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])

    @dlt.resource(name="items", primary_key=KEY, write_disposition="merge")
    def items() -> Iterator[dict]:
        for path in sorted(folder.glob(f"*.{kind}")):
            yield from READERS[kind](path)

    run_measured(items(), "items", f", {kind}")


main()

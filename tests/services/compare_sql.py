"""Runs the script of `motcua sql` with DuckDB and compares its rows with the figures of `motcua report`.

usage: compare_sql.py LAKE SCRIPT FIGURES

SCRIPT reads the tables with `delta_scan`; here they are read by deltalake, so that DuckDB needs no extension. FIGURES are
those of `motcua report --format json`. Figures of indicators that the script does not have are left out. Prints the number
of equal cells and the first ten that differ. Exit code 0 if all are equal and there are any, else 1.
"""

import json
import re
import sys
from pathlib import Path

import duckdb
from deltalake import DeltaTable

COUNTS = ("numerator", "denominator", "unknown", "undecided")


def rows_of_script(lake: Path, script: str) -> dict:
    db = duckdb.connect()
    # The session's time zone must not matter.
    db.execute("SET TimeZone = 'America/New_York'")

    def name_of(match: re.Match) -> str:
        table = Path(match.group(1)).name
        db.register(f"lake_{table}", DeltaTable(str(lake / table)).to_pyarrow_dataset().to_table())
        return f"lake_{table}"

    query = re.sub(r"delta_scan\('([^']*)'\)", name_of, script)
    names = [column[0] for column in db.execute(query).description]
    rows = [dict(zip(names, row)) for row in db.fetchall()]
    return {key(row): tuple(row[name] for name in COUNTS) for row in rows}


def key(row: dict) -> tuple:
    return row["indicator"], row["rules"], row["agency"], row["tier"], row["period"]


def main(lake: str, script: str, figures: str) -> int:
    found = rows_of_script(Path(lake), Path(script).read_text(encoding="utf-8"))
    indicators = {one[0] for one in found}
    published = json.loads(Path(figures).read_text(encoding="utf-8"))
    expected = {key(row): tuple(row[name] for name in COUNTS) for row in published if row["indicator"] in indicators}
    different = [one for one in {**expected, **found} if expected.get(one) != found.get(one)]
    for one in sorted(different, key=str)[:10]:
        print(f"{one}: published {expected.get(one)}, by the script {found.get(one)}")
    print(f"{len(expected) - len(different)} equal, {len(different)} different, {len(indicators)} indicators")
    return 0 if found and not different else 1


sys.exit(main(*sys.argv[1:]))

"""Computes the shipped ratios a second time with DuckDB, from the same predicates and the same Delta tables, and compares.

    motcua --data data demo --dossiers 3000
    motcua --data data report --format json > figures.json
    python3 -m venv venv && venv/bin/pip install deltalake duckdb pyarrow
    venv/bin/python benches/peers/facts_duckdb.py data figures.json
    venv/bin/python benches/peers/facts_duckdb.py data --only-time --now 2026-11-01T00:00+07:00

The predicates are read from config/indicators. The columns that they name and the choices of the rule sets are written in SQL
(facts_sql.py). Every ratio over dossiers is compared: for the province, each tier and each agency, in every named period. A
figure that only one side has is a difference too; a published 0 of 0 does not count as a figure. Registries, calendar,
indicators and rule sets are those of config/, not those that the night kept.

Not compared: figures that are no ratios over dossiers (feedback, measures, procedures, agencies, counts, stocks, means,
medians), and ratios over states under a rule set that reads them at each period's end (qd766-2.1). Of a figure only numerator
and denominator are compared. Not supported, and refused: another view than the competent agency's, statutory times in calendar
days, and two agencies of the same name or two equal offers on the same day.

Prints how many figures are equal and different, the first ten differences, and the CPU-seconds of DuckDB's part, including the
reading of files; with --only-time also the peak memory. The exit code is 1 if a figure differs or if none was compared.
"""

import argparse
import csv
import json
import resource
import sys
import tomllib
import unicodedata
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow
from deltalake import DeltaTable

from facts_sql import AGENCY, MACROS, facts

ROOT = Path(__file__).parents[2]
TYPES = {"string": "VARCHAR", "long": "BIGINT", "boolean": "BOOLEAN", "timestamp": "TIMESTAMPTZ"}
STATES = ("is_ended", "is_on_time", "is_late", "is_overdue", "is_pending")


def registry(name: str) -> list[dict]:
    lines = (line for line in open(ROOT / "config" / name, encoding="utf-8") if not line.startswith("#"))
    return list(csv.DictReader(lines))


def toml_files(folder: str) -> list[dict]:
    return [tomllib.load(open(file, "rb")) for file in sorted((ROOT / "config" / folder).glob("*.toml"))]


def ratios(rules: dict) -> list[dict]:
    """The indicators of a rule set that are compared."""
    every = [one for file in toml_files("indicators") for one in file["indicator"]]
    of_dossiers = [one for one in every if one["kind"] == "ratio" and "over" not in one and one["rules"] == rules["id"]]
    if rules["as_of"] == "now":
        return of_dossiers
    # A dossier that ended in a period has also ended at the period's end, so its state can be compared.
    by_state = lambda one: any(word in one["population"] + one["denominator"] + one["numerator"] for word in STATES)
    return [one for one in of_dossiers if one["period"] == "ended_at" or not by_state(one)]


def span(row: dict) -> tuple[date, date]:
    day = lambda name, other: date.fromisoformat(row[name]) if row[name] else other
    return day("valid_from", date(1, 1, 1)), day("valid_to", date(9999, 12, 31))


def refuse_overlaps(spans: dict) -> None:
    for what, held in spans.items():
        held.sort(key=lambda one: one[:2])
        if any(after[0] <= before[1] for before, after in zip(held, held[1:])):
            sys.exit(f"{what}: two are valid on the same day, which is not supported")


def name_key(text: str) -> str:
    """Key by which names are compared: without regard to case, spaces, Unicode form and the place of the tone mark."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    syllables = unicodedata.normalize("NFD", text).lower().split()
    return " ".join("".join(sorted(syllable, key=lambda letter: letter in tones)) for syllable in syllables)


def register(db: duckdb.DuckDBPyConnection, name: str, rows: list[tuple], columns: str) -> None:
    """Creates a small table from rows. Columns are given as `name TYPE, …`."""
    names = [column.split()[0] for column in columns.split(", ")]
    table = pyarrow.table(dict(zip(names, map(list, zip(*rows)))))
    db.register("given", table)
    db.execute(f"CREATE TABLE {name} ({columns})")
    db.execute(f"INSERT INTO {name} SELECT * FROM given")
    db.unregister("given")


def lake(db: duckdb.DuckDBPyConnection, data: Path) -> None:
    """Creates views of the lake's tables over the files that the Delta logs name."""
    for table in ("dossiers", "postal_items", "dossier_notes", "procedures"):
        delta = DeltaTable(str(data / table))
        if files := delta.file_uris():
            db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet({files}, union_by_name = true)")
        else:
            columns = [f"NULL::{TYPES[field.type.type]} AS {field.name}" for field in delta.schema().fields]
            db.execute(f"CREATE VIEW {table} AS SELECT {', '.join(columns)} WHERE false")


def registries(db: duckdb.DuckDBPyConnection, now: datetime) -> None:
    agencies = registry("agencies.csv")
    columns = "agency TEXT, agency_kind TEXT, agency_tier TEXT, agency_vertical BOOLEAN"
    register(db, "agencies", [(r["code"], r["kind"], r["tier"], r["vertical"] == "true") for r in agencies], columns)

    procedures = {r["code"]: r for r in registry("procedures.csv")}
    time = lambda r: int(r["statutory_time"]) if r["statutory_time"] else None
    rows = [(code, r["sector"], time(r), r["unit"], r["cut_off"], r["immediate"] == "true",
             r["certification"] == "true", r["vertical"] == "true")
            for code, r in procedures.items()]
    columns = "code TEXT, sector TEXT, allowed INT, unit TEXT, cut_off TIME, immediate BOOLEAN, certification BOOLEAN, procedure_vertical BOOLEAN"
    register(db, "known_procedures", rows, columns)
    # Procedures of a catalogue that was pulled are added if the file does not have them.
    db.execute("""
        INSERT INTO known_procedures
        SELECT DISTINCT ON (procedure_code)
               procedure_code, sector_code, statutory_time, coalesce(unit, 'working_days'), '15:00', false, false, false
        FROM procedures WHERE NOT coalesce(deleted, false) AND procedure_code NOT IN (SELECT code FROM known_procedures)
        ORDER BY procedure_code, source, source_key""")
    units = "SELECT 1 FROM known_procedures WHERE allowed IS NOT NULL AND unit NOT IN ('working_days', 'hours')"
    if db.sql(units).fetchall():
        sys.exit("statutory times in other units than working days and hours are not supported")

    spans = defaultdict(list)
    for r in registry("procedure_offers.csv"):
        offered = (r["online_level"] or None, r["postal_submission"] == "true", r["postal_return"] == "true")
        spans[r["procedure"], r["offered_by"]].append((*span(r), *offered))
    refuse_overlaps(spans)
    columns = "procedure TEXT, offerer TEXT, first DATE, last DATE, level TEXT, submission BOOLEAN, return BOOLEAN"
    register(db, "offers", [(*key, *one) for key, held in spans.items() for one in held], columns)

    register(db, "exceptions", [(date.fromisoformat(r["date"]), r["kind"] == "working") for r in registry("calendar.csv")],
             "day DATE, works BOOLEAN")
    # `worked` is the number of the working day; a day off has the number of the last working day before it.
    db.execute(f"""
        CREATE TABLE calendar AS
        SELECT day, works, CAST(sum(CAST(works AS INT)) OVER (ORDER BY day) AS INT) AS worked
        FROM (SELECT CAST(range AS DATE) AS day, coalesce(e.works, isodow(range) < 6) AS works
              FROM range(TIMESTAMP '1990-01-01', TIMESTAMP '{now.year + 5}-01-01', INTERVAL 1 DAY) r
              LEFT JOIN exceptions e ON e.day = CAST(range AS DATE))""")
    # A statutory month runs from the 15th of the month before to the 14th.
    db.execute("""
        CREATE TABLE periods AS
        SELECT * FROM (
            SELECT day, unnest([y, y || '-' || strftime(of, '%m'), y || '-Q' || quarter(of), y || '-H' || ((month(of) + 5) // 6),
                                CASE WHEN month(of) < 10 THEN y || '-9M' END]) || mark AS period
            FROM (SELECT day, of, mark, CAST(year(of) AS TEXT) AS y
                  FROM (SELECT day, day AS of, '' AS mark FROM calendar UNION ALL
                        SELECT day, day + to_months(CAST(day(day) >= 15 AS INT)), 's' FROM calendar)))
        WHERE period IS NOT NULL""")


def agency_names(db: duckdb.DuckDBPyConnection) -> None:
    """Creates the table of the agencies that each text means, with the days on which it does."""
    by_name = defaultdict(dict)
    for row in registry("agencies.csv"):
        for name in [row["code"], row["name"], *row["other_codes"].split(";"), *row["aliases"].split(";")]:
            if name.strip():
                by_name[name_key(name)][row["code"]] = span(row)
    spans = defaultdict(list)
    for (text,) in db.sql(f"SELECT DISTINCT {AGENCY} FROM dossiers d").fetchall():
        of_text = by_name[name_key(text)]
        always = (date(1, 1, 1), date(9999, 12, 31))
        spans[text] = [(*(days if len(of_text) > 1 else always), code) for code, days in of_text.items()]
    refuse_overlaps(spans)
    register(db, "meanings", [(text, *one) for text, held in spans.items() for one in held],
             "text TEXT, first DATE, last DATE, agency TEXT")


def count(db: duckdb.DuckDBPyConnection, rules: dict, now: str) -> list[tuple[str, list[str]]]:
    """Counts the ratios of a rule set. Returns the tables of counts, each with its ratios: id, and the columns of denominator
    (`whole`) and numerator (`part`)."""
    wanted = ratios(rules)
    columns = ["agency", "agency_tier", "coalesce(procedure_code, '') AS procedure",
               *dict.fromkeys(f"filed_{one['period']}" for one in wanted)]
    for place, one in enumerate(wanted):
        whole = f"coalesce(({one['population']}) AND ({one['denominator']}), false)"
        columns += [f"{whole} AS whole{place}", f"{whole} AND coalesce({one['numerator']}, false) AS part{place}"]
        if "having" in one:
            columns.append(f"coalesce(({one['population']}) AND ({one['having']}), false) AS having{place}")
    db.execute(f"CREATE OR REPLACE TABLE counted AS {facts(rules, now)} SELECT {', '.join(columns)} FROM filed")
    groups = defaultdict(list)
    for place, one in enumerate(wanted):
        groups[one["period"], place if "having" in one else None].append(place)
    found = []
    for (period, having), places in groups.items():
        table = f"sums_{rules['id']}_{len(found)}".replace("-", "_")
        day = f"filed_{period}"
        names = [f"{what}{place}" for place in places for what in ("whole", "part")]
        # The procedures that had such a dossier in the calendar year, province-wide.
        with_one = f"SELECT (procedure, year({day})) FROM counted WHERE having{having} AND {day} IS NOT NULL"
        only = "" if having is None else f"AND (procedure, year({day})) IN ({with_one})"
        db.execute(f"""
            CREATE TABLE {table} AS
            WITH days AS (
                SELECT agency, agency_tier, {day} AS day, {', '.join(f'count(*) FILTER ({name}) AS {name}' for name in names)}
                FROM counted WHERE {day} IS NOT NULL {only} GROUP BY ALL),
            of_agencies AS (
                SELECT agency, agency_tier, period, {', '.join(f'sum({name}) AS {name}' for name in names)}
                FROM days JOIN periods USING (day) GROUP BY ALL)
            SELECT GROUPING(agency, agency_tier) AS scope, agency, agency_tier, period,
                   {', '.join(f'CAST(sum({name}) AS BIGINT) AS {name}' for name in names)}
            FROM of_agencies GROUP BY GROUPING SETS ((agency, agency_tier, period), (agency_tier, period), (period))""")
        # Agencies without a tier do not form one.
        db.execute(f"DELETE FROM {table} WHERE scope = 2 AND agency_tier IS NULL")
        found.append((table, [(wanted[place]["id"], f"whole{place}", f"part{place}") for place in places]))
    db.execute("DROP TABLE counted")
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", type=Path, help="a data folder, or the folder of its tables")
    options.add_argument("figures", nargs="?", help="the output of `motcua report --format json`")
    options.add_argument("--only-time", action="store_true", help="compare nothing")
    options.add_argument("--now", help="the moment of the night, with offset; that of the figures if absent")
    options.add_argument("--threads", type=int, default=1)
    given = options.parse_args()
    if given.only_time != (given.figures is None) or given.only_time and not given.now:
        options.error("give figures to compare, or --only-time and --now")
    published = [] if given.only_time else json.load(open(given.figures, encoding="utf-8"))
    now = datetime.fromisoformat(given.now or published[0]["as_of"])
    data = given.data / "lake" if (given.data / "lake").is_dir() else given.data

    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute(f"SET threads = {given.threads}")
    db.execute(MACROS)
    lake(db, data)
    before = resource.getrusage(resource.RUSAGE_SELF)
    registries(db, now)
    agency_names(db)
    tables = [table for rules in toml_files("rules") for table in count(db, rules, f"here(TIMESTAMPTZ '{now.isoformat()}')")]
    after = resource.getrusage(resource.RUSAGE_SELF)
    dossiers = db.sql("SELECT count(*) FROM dossiers").fetchall()[0][0]
    figures = sum(db.sql(f"SELECT count(*) FROM {table} WHERE {whole} > 0").fetchall()[0][0]
                  for table, members in tables for _, whole, _ in members)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{sum(len(members) for _, members in tables)} ratios over {dossiers} dossiers, {figures} figures: "
          f"{spent:.2f} CPU-s of DuckDB with threads = {given.threads}")
    if given.only_time:
        print(f"peak {after.ru_maxrss // 1024} MiB, {(after.ru_maxrss - before.ru_maxrss) // 1024} above start")
    else:
        sys.exit(compare(db, tables, published))


def compare(db: duckdb.DuckDBPyConnection, tables: list, published: list[dict]) -> int:
    compared = {id for _, members in tables for id, _, _ in members}
    whom = lambda f: f["agency"] or (f"tier:{f['tier']}" if f["tier"] else "province")
    ours = {(f["indicator"], whom(f), f["period"]): (f["numerator"], f["denominator"])
            for f in published if f["indicator"] in compared and f["denominator"]}
    theirs = {}
    for table, members in tables:
        for id, whole, part in members:
            counts = f"SELECT scope, agency, agency_tier, period, {part}, {whole} FROM {table} WHERE {whole} > 0"
            for scope, agency, tier, period, *figure in db.sql(counts).fetchall():
                theirs[id, {0: agency, 2: f"tier:{tier}", 3: "province"}[scope], period] = tuple(figure)
    every = ours.keys() | theirs.keys()
    different = sorted(key for key in every if ours.get(key) != theirs.get(key))
    without = sorted(compared - {id for id, _, _ in every})
    print(f"{len(every)} figures compared, {len(every) - len(different)} equal, {len(different)} different; "
          f"without any dossier: {', '.join(without) or 'none'}")
    for key in different[:10]:
        print(*key, "published:", ours.get(key), "DuckDB:", theirs.get(key))
    return int(bool(different) or not theirs)


if __name__ == "__main__":
    main()

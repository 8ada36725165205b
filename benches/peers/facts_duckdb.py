"""The shipped predicates as DuckDB reads them: the same texts from config/indicators, over the same Delta table.

    motcua --data data demo --dossiers 20000
    motcua --data data report --by month --format json > figures.json
    python3 -m venv venv && venv/bin/pip install deltalake duckdb pyarrow
    venv/bin/python benches/peers/facts_duckdb.py data figures.json

The facts of rule set seed-2639 are written here again in SQL, without what stands in for a missing due date (those
dossiers are counted, and the on-time ratios of agencies that have any are left out). Compares every agency and month of the
plain ratios over dossiers, and prints how many are equal and the CPU-seconds of DuckDB's part. Exit 1 where one differs.
"""

import csv
import json
import resource
import sys
import tomllib
from pathlib import Path

import duckdb
from deltalake import DeltaTable

ROOT = Path(__file__).parents[2]


def registry(name: str) -> list[dict]:
    lines = (line for line in open(ROOT / "config" / name, encoding="utf-8") if not line.startswith("#"))
    return list(csv.DictReader(lines))


def plain_ratios() -> list[dict]:
    found = []
    for file in sorted((ROOT / "config/indicators").glob("*.toml")):
        found += tomllib.load(open(file, "rb"))["indicator"]
    is_plain = lambda one: one["rules"] == "seed-2639" and "having" not in one and "over" not in one
    return [one for one in found if is_plain(one) and one["period"] == "received_at"]


def tables(db: duckdb.DuckDBPyConnection, data: Path) -> None:
    for table in ("dossiers", "postal_items"):
        db.register(table, DeltaTable(str(data / "lake" / table)).to_pyarrow_table())
    agencies = []
    for row in registry("agencies.csv"):
        names = [row["code"], row["name"], *row["other_codes"].split(";"), *row["aliases"].split(";")]
        for name in {name.strip().lower() for name in names if name.strip()}:
            agencies.append((name, row["code"], row["kind"], row["tier"], row["vertical"] == "true"))
    db.execute("CREATE TABLE agencies (name TEXT, code TEXT, kind TEXT, tier TEXT, vertical BOOLEAN)")
    db.executemany("INSERT INTO agencies VALUES (?, ?, ?, ?, ?)", agencies)
    db.execute("CREATE TABLE procedures (code TEXT, vertical BOOLEAN)")
    db.executemany("INSERT INTO procedures VALUES (?, ?)", [(r["code"], r["vertical"] == "true") for r in registry("procedures.csv")])
    offers = [
        (r["procedure"], r["offered_by"], r["online_level"] or None, r["postal_submission"] == "true",
         r["postal_return"] == "true", r["valid_from"] or "0001-01-01", r["valid_to"] or "9999-12-31")
        for r in registry("procedure_offers.csv")
    ]
    db.execute("CREATE TABLE offers (procedure TEXT, offerer TEXT, level TEXT, submission BOOLEAN, return BOOLEAN, first DATE, last DATE)")
    db.executemany("INSERT INTO offers VALUES (?, ?, ?, ?, ?, ?, ?)", offers)


# Names of the columns are those that predicates use (docs/INDICATORS.md).
FACTS = """
CREATE TABLE facts AS
WITH post AS (
    SELECT dossier_code, bool_or(direction = 'submission') AS came, bool_or(direction = 'return') AS went
    FROM postal_items
    WHERE NOT coalesce(deleted, false) AND withdrawn_at IS NULL AND coalesce(status, '') <> 'withdrawn'
      AND accepted_at <= TIMESTAMPTZ '{now}'
    GROUP BY dossier_code),
named AS (
    SELECT d.*, a.code AS agency_code, a.kind AS agency_kind, a.tier AS agency_tier, coalesce(a.vertical, false) AS agency_vertical,
           coalesce(p.vertical, false) AS procedure_vertical, CAST(d.received_at AS DATE) AS day,
           count(*) OVER (PARTITION BY d.source, d.source_key) AS bearers,
           coalesce(d.completed_at, d.withdrawn_at, d.refused_at, d.stopped_at) AS ends_at,
           CASE WHEN d.due_at = d.apology_new_due_at THEN coalesce(d.first_due_at, d.due_at) ELSE d.due_at END AS stated
    FROM dossiers d
    LEFT JOIN agencies a ON a.name = lower(coalesce(d.lead_agency, d.competent_agency, '?'))
    LEFT JOIN procedures p ON p.code = d.procedure_code),
dated AS (
    SELECT *, CASE WHEN stated = date_trunc('day', stated) THEN stated + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND ELSE stated END AS due
    FROM named),
states AS (
    SELECT *, coalesce(ends_at <= TIMESTAMPTZ '{now}', status IN ('refused', 'withdrawn', 'stopped', 'completed', 'returned'), false) AS is_ended,
           coalesce(ends_at <= due, false) AS good
    FROM dated)
SELECT s.*, s.received_at <= TIMESTAMPTZ '{now}' AND NOT coalesce(s.deleted, false) AND s.parent_code IS NULL AS is_received,
       is_ended AND good AS is_on_time, is_ended AND NOT good AS is_late, NOT is_ended AND coalesce(due < TIMESTAMPTZ '{now}', false) AS is_overdue,
       s.submission_channel = 'online' AS is_online,
       coalesce(s.submission_channel = 'postal', false) OR coalesce(post.came, false) OR coalesce(other.came, false) AS is_postal_submission,
       coalesce(own.level, tiers.level, s.service_level) AS offered_level,
       coalesce(own.submission, tiers.submission, false) AS offers_postal_submission,
       s.apology_at IS NOT NULL AS has_apology
FROM states s
LEFT JOIN post ON post.dossier_code = s.dossier_code
LEFT JOIN post other ON other.dossier_code = s.national_code
LEFT JOIN offers own ON own.procedure = s.procedure_code AND own.offerer = s.agency_code AND s.day BETWEEN own.first AND own.last
LEFT JOIN offers tiers ON tiers.procedure = s.procedure_code AND tiers.offerer = 'tier:' || s.agency_tier AND s.day BETWEEN tiers.first AND tiers.last
"""


def main() -> None:
    data, figures = Path(sys.argv[1]), json.load(open(sys.argv[2], encoding="utf-8"))
    ours = {(f["indicator"], f["agency"], f["period"]): (f["numerator"], f["denominator"]) for f in figures if f["agency"]}
    db = duckdb.connect()
    db.execute("SET TimeZone = 'Asia/Ho_Chi_Minh'")
    db.execute("SET threads = 1")
    tables(db, data)
    before = resource.getrusage(resource.RUSAGE_SELF)
    db.execute(FACTS.format(now=figures[0]["as_of"]))
    # A name that several bore is read by the day: that is not written here again.
    unlike = {row[0] for row in db.sql("SELECT DISTINCT agency_code FROM facts WHERE bearers > 1").fetchall()}
    no_due = {tuple(row) for row in db.sql("SELECT DISTINCT agency_code, strftime(day, '%Y-%m') FROM facts WHERE due IS NULL").fetchall()}
    equal, different, left_out = 0, [], 0
    for one in plain_ratios():
        rows = db.sql(f"""
            SELECT agency_code, strftime(day, '%Y-%m'), count(*) FILTER ({one['numerator']}), count(*)
            FROM facts WHERE agency_code IS NOT NULL AND ({one['population']}) AND ({one['denominator']}) GROUP BY ALL""").fetchall()
        by_state = any(word in one["numerator"] + one["population"] for word in ("is_on_time", "is_late", "is_overdue"))
        for agency, period, part, whole in rows:
            if agency in unlike or by_state and (agency, period) in no_due:
                left_out += 1
            elif ours.get((one["id"], agency, period)) == (part, whole):
                equal += 1
            else:
                different.append((one["id"], agency, period, (part, whole), ours.get((one["id"], agency, period))))
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    rows = db.sql("SELECT count(*) FROM facts").fetchall()[0][0]
    print(f"{len(plain_ratios())} ratios over {rows} dossiers: {equal} agency-months equal, {len(different)} different, "
          f"{left_out} left out; {spent:.2f} CPU-s")
    for row in different[:10]:
        print(*row)
    sys.exit(bool(different) or not equal)


if __name__ == "__main__":
    main()

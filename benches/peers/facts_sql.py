"""The fact columns that predicates use, as SQL for DuckDB, under a rule set.

Written from the meanings in docs/INDICATORS.md and config/rules. Moments are in local time; an unknown flag is false. Needs the
views of the lake and the small tables that facts_duckdb.py creates: `agencies`, `meanings`, `known_procedures`, `offers` and
`calendar`.
"""

import sys

AGENCY = "coalesce(d.lead_agency, d.competent_agency, '?')"

# Viet Nam is seven hours ahead of UTC. `late` is the last moment of a moment's day.
MACROS = """
CREATE MACRO here(moment) AS make_timestamp(epoch_us(moment) + 7 * 3600000000);
CREATE MACRO late(moment) AS CAST(CAST(moment AS DATE) + 1 AS TIMESTAMP) - INTERVAL 1 MICROSECOND;
CREATE MACRO hours(count) AS CAST(count * 3600000000 AS BIGINT);
CREATE MACRO clamped(amount, most) AS least(greatest(amount, 0), most);
"""

# Facts that every rule set reads alike.
KNOWN = f"""
WITH said AS (
    SELECT dossier_code,
           last(late_cause ORDER BY apology_at NULLS FIRST, run) FILTER (late_cause IS NOT NULL) AS said_cause,
           last(apology_at ORDER BY apology_at NULLS FIRST, run) FILTER (apology_at IS NOT NULL) AS said_apology,
           last(apology_new_due_at ORDER BY apology_at NULLS FIRST, run) FILTER (apology_new_due_at IS NOT NULL) AS said_new_due
    FROM dossier_notes
    WHERE NOT coalesce(deleted, false) AND coalesce(here(apology_at) <= {{now}}, true)
    GROUP BY dossier_code),
post AS (
    SELECT dossier_code, bool_or(direction = 'submission') AS came, bool_or(direction = 'return') AS went,
           min(here(accepted_at)) FILTER (direction = 'return') AS went_at
    FROM postal_items
    WHERE NOT coalesce(deleted, false) AND withdrawn_at IS NULL AND coalesce(status, '') <> 'withdrawn'
      AND here(accepted_at) <= {{now}}
    GROUP BY dossier_code),
dated AS (
    SELECT d.dossier_code, d.national_code, d.parent_code, d.procedure_code, d.source, d.status, d.submission_channel,
           d.service_level, d.returned_by, d.supplement_requests, coalesce(d.deleted, false) AS deleted, {AGENCY} AS agency_text,
           d.sector_code AS own_sector, d.late_cause AS own_cause,
           d.certification AS own_certification, coalesce(d.non_territorial, false) AS non_territorial,
           coalesce(d.result_electronic, false) AS result_electronic,
           here(d.received_at) AS received_at, here(d.due_at) AS due_at, here(d.first_due_at) AS first_due_at,
           here(d.completed_at) AS completed_at, here(d.returned_at) AS returned_at, here(d.withdrawn_at) AS withdrawn_at,
           here(d.refused_at) AS refused_at, here(d.stopped_at) AS stopped_at,
           here(d.supplement_requested_at) AS supplement_requested_at,
           here(d.supplement_received_at) AS supplement_received_at,
           d.apology_at AS own_apology, d.apology_new_due_at AS own_new_due
    FROM dossiers d),
known AS (
    SELECT d.*, CAST(d.received_at AS DATE) AS day,
           coalesce(said_cause, own_cause) AS late_cause, coalesce(said_apology, own_apology) IS NOT NULL AS has_apology,
           here(coalesce(said_new_due, own_new_due)) AS apology_new_due_at,
           d.due_at IS NOT NULL AS has_due_date, coalesce(d.submission_channel = 'online', false) AS is_online,
           coalesce(own.came, false) OR coalesce(national.came, false) AS post_came,
           coalesce(own.went, false) OR coalesce(national.went, false) AS post_went,
           least(own.went_at, national.went_at) AS post_went_at,
           p.code IS NOT NULL AS procedure_known, coalesce(p.procedure_vertical, false) AS procedure_vertical,
           coalesce(p.sector, own_sector) AS sector_code, p.allowed, p.unit,
           coalesce(p.cut_off, TIME '15:00') AS cut_off, coalesce(p.immediate, false) AS immediate,
           coalesce(own_certification, p.certification, false) AS certification
    FROM dated d
    LEFT JOIN said ON said.dossier_code = d.dossier_code
    LEFT JOIN post own ON own.dossier_code = d.dossier_code
    LEFT JOIN post national ON national.dossier_code = d.national_code
    LEFT JOIN known_procedures p ON p.code = d.procedure_code),
named AS (
    SELECT k.*, coalesce(m.agency, agency_text) AS agency, a.agency IS NOT NULL AS agency_known, a.agency_kind, a.agency_tier,
           coalesce(a.agency_vertical, false) AS agency_vertical
    FROM known k
    LEFT JOIN meanings m ON m.text = k.agency_text AND k.day BETWEEN m.first AND m.last
    LEFT JOIN agencies a ON a.agency = m.agency),
offered AS (
    SELECT n.*, coalesce(own.level, tiers.level, n.service_level) AS offered_level,
           coalesce(own.submission, tiers.submission, false) AS offers_postal_submission,
           coalesce(own.return, tiers.return, false) AS offers_postal_return
    FROM named n
    LEFT JOIN offers own ON own.procedure = n.procedure_code AND own.offerer = n.agency
                        AND n.day BETWEEN own.first AND own.last
    LEFT JOIN offers tiers ON tiers.procedure = n.procedure_code AND tiers.offerer = 'tier:' || n.agency_tier
                          AND n.day BETWEEN tiers.first AND tiers.last)"""

# The statutory due date. `nth` is the number of the working day on which the statutory time ends. For times in hours, `until` is
# the working time in microseconds from the first day of the calendar to that moment. Working hours: 07:00–11:30, 13:30–17:00.
LAW = """,
clocked AS (
    SELECT o.*, c.works, c.worked, epoch_us(CAST({begins} AS TIME)) AS time, epoch_us(o.cut_off) AS closes
    FROM offered o LEFT JOIN calendar c ON c.day = CAST({begins} AS DATE)),
begun AS (
    SELECT *, {at_once} AND (immediate OR certification AND allowed IS NULL) AS is_at_once, works AND time >= closes AS after_cut_off,
           CASE WHEN NOT works OR {cut_off} AND time >= closes THEN hours(8) * worked
                ELSE hours(8) * (worked - 1) + clamped(time - hours(7), hours(4.5)) + clamped(time - hours(13.5), hours(3.5))
           END + hours(allowed) AS until
    FROM clocked),
numbered AS (
    SELECT *, CASE WHEN NOT {wanted} THEN NULL
                   WHEN is_at_once THEN worked + CAST(NOT works OR after_cut_off AS INT)
                   WHEN NOT {statutory} OR allowed IS NULL THEN NULL
                   WHEN unit = 'hours' THEN CAST(ceil(until / hours(8)) AS INT)
                   WHEN allowed = 0 THEN worked + CAST({cut_off} AND after_cut_off OR NOT works AS INT)
                   ELSE worked + CAST({cut_off} AND after_cut_off AS INT) + allowed
              END AS nth
    FROM begun),
lawful AS (
    SELECT n.*, CASE WHEN n.is_at_once OR n.unit <> 'hours' THEN late(w.day)
                     ELSE w.day + to_microseconds(hours(7) + rest + CASE WHEN rest > hours(4.5) THEN hours(2) ELSE 0 END)
                END AS lawful_due
    FROM (SELECT *, until - (nth - 1) * hours(8) AS rest FROM numbered) n LEFT JOIN calendar w ON w.worked = n.nth AND w.works)"""

STATE = """,
due AS (
    SELECT *, {due} AS due, {ends_at} AS ends_at, coalesce(returned_at, post_went_at) AS given_at
    FROM (SELECT * REPLACE (CASE WHEN returned_at <= {now} THEN returned_at END AS returned_at), returned_at AS end_returned_at
          FROM lawful)),
judged AS (
    SELECT *, coalesce(ends_at <= {now}, coalesce(status IN ({ended_statuses}), false)) AS is_ended,
           CASE WHEN ends_at IS NULL THEN coalesce(status IN ({forgiven_statuses}), false)
                ELSE ({forgiven} OR coalesce(ends_at <= due, {without})) AND NOT {impossible} END AS good,
           NOT coalesce(status IN ({clock_stopped}), false) AND coalesce(due < {now}, false) AS past_due,
           NOT deleted AND parent_code IS NULL AND NOT coalesce(status IN ({not_received}), false) AS is_whole
    FROM due),
facts AS (
    SELECT *, is_whole AND coalesce(received_at <= {now}, false) AS is_received, is_whole AND given_at IS NOT NULL AS is_returned,
           is_ended AND good OR {open_counts} AND NOT is_ended AND NOT past_due AND (due IS NOT NULL OR {without}) AS is_on_time,
           is_ended AND NOT good AS is_late, NOT is_ended AND past_due AS is_overdue, NOT is_ended AND NOT past_due AS is_pending,
           coalesce(CAST(ends_at AS DATE) < CAST(due AS DATE), false) AS ends_early,
           {postal_submission} AS is_postal_submission, {postal_return} AS is_postal_return
    FROM judged),
filed AS (
    SELECT *, CASE WHEN is_received THEN day END AS filed_received_at,
           CASE WHEN is_returned THEN CAST(given_at AS DATE) END AS filed_returned_at,
           CASE WHEN is_ended AND is_received THEN CAST(coalesce(ends_at, received_at) AS DATE) END AS filed_ended_at
    FROM facts)"""


def facts(rules: dict, now: str) -> str:
    """SQL for one row per dossier with the columns that predicates use, under a rule set."""
    if rules["agency"] != "competent":
        sys.exit(f"{rules['id']}: the view of the {rules['agency']} agency is not supported")
    sql = lambda truth: "true" if truth else "false"
    texts = lambda words: ", ".join(f"'{word}'" for word in words) or "NULL"
    dates = {end: "end_returned_at" if end == "returned" else f"{end}_at" for end in rules["ends"]}
    statuses = lambda ends: [s for end in ends for s in (["completed", "returned"] if end == "completed" else [end])]

    own = {
        "after": "due_at",
        "before": "CASE WHEN due_at = apology_new_due_at THEN coalesce(first_due_at, due_at) ELSE due_at END",
    }[rules["apology"]]
    moment = f"({own}) - INTERVAL 1 MICROSECOND" if rules["compare"] == "instant_strict" else own
    if rules["midnight_due"] == "end_of_day":
        own = f"CASE WHEN ({own}) = date_trunc('day', {own}) THEN late({own}) ELSE {moment} END"
    else:
        own = moment
    due = {
        "portal": f"coalesce({own}, lawful_due)",
        "statutory": f"coalesce(lawful_due, {own})",
        "earlier": f"least({own}, lawful_due)",
    }[rules["due"]]
    pauses = rules["supplement"] == "pause"
    if pauses:
        pause = "supplement_received_at - supplement_requested_at"
        due = f"{due} + coalesce(greatest({pause}, INTERVAL 0 HOUR), INTERVAL 0 HOUR)"
    if rules["compare"] == "date":
        due = f"late({due})"
    again = "coalesce(supplement_requests > 1, false)"
    if rules["second_supplement_is_late"]:
        due = f"CASE WHEN {again} THEN received_at - INTERVAL 1 MICROSECOND ELSE {due} END"

    ends = list(dates.values())
    # An end before the reception is never on time; at midnight it is a date.
    end = f"coalesce({', '.join(ends)})"
    of_the_day = f"{end} = date_trunc('day', {end}) AND CAST({end} AS DATE) = CAST(received_at AS DATE)"
    impossible = f"coalesce({end} < received_at AND NOT ({of_the_day}), false)"
    if pauses:
        ends.append(f"CASE WHEN status = 'supplement' AND NOT {again} THEN supplement_requested_at END")
    forgiven = []
    for end in rules["on_time_ends"]:
        earlier = rules["ends"][: rules["ends"].index(end)]
        forgiven.append(" AND ".join([f"{dates[end]} IS NOT NULL", *(f"{dates[one]} IS NULL" for one in earlier)]))
    evidence = {"either": "({0} OR {1})", "both": "({0} AND {1})", "portal": "{0}", "post": "{1}"}[rules["postal_evidence"]]
    always = rules["due"] != "portal"
    words = {
        "now": now,
        "begins": "coalesce(supplement_received_at, received_at)" if not pauses else "received_at",
        "at_once": sql(always or "cut_off" in rules["missing_due"]),
        "statutory": sql(always or "statutory" in rules["missing_due"]),
        "cut_off": sql(rules["cut_off"] == "every"),
        "wanted": sql(always) if always or not rules["missing_due"] else "(due_at IS NULL)",
        "due": due,
        "impossible": impossible,
        "ends_at": f"coalesce({', '.join([*ends, 'NULL'])})",
        "ended_statuses": texts(statuses(rules["ends"])),
        "forgiven": f"({' OR '.join(forgiven) or 'false'})",
        "forgiven_statuses": texts(statuses(rules["on_time_ends"])),
        "without": sql(rules["without_due"] == "on_time"),
        "clock_stopped": texts(rules["clock_stopped"]),
        "not_received": texts(rules["not_received"]),
        "open_counts": sql(rules["open_in_time_counts"]),
        "postal_submission": evidence.format("coalesce(submission_channel = 'postal', false)", "post_came"),
        "postal_return": evidence.format("coalesce(returned_at IS NOT NULL AND returned_by = 'postal', false)", "post_went"),
    }
    return (KNOWN + LAW + STATE).format(**words)

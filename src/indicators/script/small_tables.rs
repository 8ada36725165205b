//! The registries and the calendar as tables inside a script.

use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::calendar::{FIRST_DAY, LAST_DAY, WorkingCalendar, day_number};
use crate::indicators::agencies::Agencies;
use crate::indicators::periods::Periods;
use crate::indicators::registry_lookups::{micros_of_day, offer_pieces};
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::subquery::Subquery;
use crate::model::agency::{AgencyKind, Tier};
use crate::model::instant::local;
use crate::model::period::{PeriodKind, half_month_of};
use crate::model::predicate::FactType;
use crate::model::procedure::{Offer, Procedure};

/// A day before and one after all days of dossiers.
const EVER: [i64; 2] = [-100_000_000, 100_000_000];

/// The day from which something is valid; without one it always was.
pub(super) fn since(day: Option<Date>) -> String {
    day.map_or(EVER[0], |day| day_number(day).into()).to_string()
}

/// The last day on which something is valid; without one it always will be.
pub(super) fn until(day: Option<Date>) -> String {
    day.map_or(EVER[1], |day| day_number(day).into()).to_string()
}

/// A value of a table inside the script.
pub(super) fn text(sql: SqlDialect, value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| sql.text(value))
}

fn number<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

/// One table: its columns with their types, and its rows.
pub(super) fn table(sql: SqlDialect, name: &str, columns: &[(&str, FactType)], rows: &[Vec<String>]) -> Subquery {
    let names: Vec<String> = columns.iter().map(|(name, _)| sql.quoted(name)).collect();
    let typed = |value: &dyn Fn(&str) -> String| {
        let cast = |(name, of): &(&str, FactType)| {
            format!("CAST({} AS {}) AS {}", value(name), sql.type_of(*of), sql.quoted(name))
        };
        columns.iter().map(cast).collect::<Vec<_>>().join(", ")
    };
    if rows.is_empty() {
        return Subquery::new(name, format!("SELECT {} WHERE FALSE", typed(&|_| "NULL".to_owned())));
    }
    let mut text = format!("SELECT {} FROM (VALUES", typed(&|name| sql.quoted(name)));
    for (place, row) in rows.iter().enumerate() {
        let _ = write!(text, "{}\n    ({})", if place == 0 { "" } else { "," }, row.join(", "));
    }
    let _ = write!(text, "\n  ) AS rows_of({})", names.join(", "));
    Subquery::shared(name, text)
}

/// `PREFIX_texts`: the agency that each text means from a day to another; `PREFIX_agencies`: what each agency is, and the
/// code and tier under which its rows count.
pub(super) fn agencies(sql: SqlDialect, prefix: &str, agencies: &Agencies) -> [Subquery; 2] {
    let mut texts: Vec<Vec<String>> = Vec::new();
    let epochs = agencies.changes.len() + 1;
    for meanings in agencies.meanings.chunks(epochs) {
        let mut first = EVER[0];
        for (place, (of, _, agency)) in meanings.iter().enumerate() {
            let next = meanings.get(place + 1);
            if next.is_some_and(|(.., next)| next == agency) {
                continue;
            }
            let last = next.map_or(EVER[1], |_| i64::from(day_number(agencies.changes[place])) - 1);
            texts.push(vec![sql.text(of), first.to_string(), last.to_string(), agency.to_string()]);
            first = last + 1;
        }
    }
    let known = agencies.known.iter().enumerate().map(|(place, known)| {
        let number = u32::try_from(place).expect("agencies are counted in thousands");
        let counts_for = &agencies.known[agencies.attributed_to(number) as usize];
        vec![
            place.to_string(),
            sql.text(&known.code),
            text(sql, known.kind.map(AgencyKind::name)),
            text(sql, known.tier.map(Tier::name)),
            known.vertical.to_string(),
            known.is_registered.to_string(),
            sql.text(&counts_for.code),
            text(sql, counts_for.tier.map(Tier::name)),
        ]
    });
    [
        table(
            sql,
            &format!("{prefix}_texts"),
            &[
                ("agency_text", FactType::Text),
                ("first_day", FactType::Number),
                ("last_day", FactType::Number),
                ("agency", FactType::Number),
            ],
            &texts,
        ),
        table(
            sql,
            &format!("{prefix}_agencies"),
            &[
                ("agency", FactType::Number),
                ("code", FactType::Text),
                ("kind", FactType::Text),
                ("tier", FactType::Text),
                ("vertical", FactType::Flag),
                ("known", FactType::Flag),
                ("counted_code", FactType::Text),
                ("counted_tier", FactType::Text),
            ],
            &known.collect::<Vec<_>>(),
        ),
    ]
}

pub(super) fn procedures(sql: SqlDialect, procedures: &[Procedure]) -> Subquery {
    let by_code: std::collections::BTreeMap<&str, &Procedure> =
        procedures.iter().map(|procedure| (procedure.code.as_str(), procedure)).collect();
    let rows = by_code.values().map(|one| {
        vec![
            sql.text(&one.code),
            sql.text(&one.sector),
            one.certification.to_string(),
            one.vertical.to_string(),
            number(one.statutory_time),
            sql.text(one.unit.name()),
            micros_of_day(one.cut_off).to_string(),
            one.immediate.to_string(),
        ]
    });
    table(
        sql,
        "procedures",
        &[
            ("code", FactType::Text),
            ("sector", FactType::Text),
            ("certification", FactType::Flag),
            ("vertical", FactType::Flag),
            ("statutory_time", FactType::Number),
            ("unit", FactType::Text),
            ("cut_off", FactType::Number),
            ("immediate", FactType::Flag),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// What is offered of a procedure from a day to another, by an agency (`agency:CODE`) or by every agency of a tier
/// (`tier:TIER`). Times of one procedure and offerer do not overlap.
pub(super) fn offers(sql: SqlDialect, offers: &[Offer], procedures: &[Procedure]) -> Subquery {
    let known: std::collections::HashSet<&str> = procedures.iter().map(|one| one.code.as_str()).collect();
    let rows =
        offer_pieces(offers).into_iter().filter(|piece| known.contains(piece.offer.procedure.as_str())).map(|piece| {
            vec![
                sql.text(&piece.offer.procedure),
                sql.text(&piece.offerer),
                since(piece.first),
                until(piece.last),
                text(sql, piece.offer.online_level.as_deref()),
                piece.offer.postal_submission.to_string(),
                piece.offer.postal_return.to_string(),
            ]
        });
    table(
        sql,
        "offers",
        &[
            ("code", FactType::Text),
            ("offerer", FactType::Text),
            ("first_day", FactType::Number),
            ("last_day", FactType::Number),
            ("level", FactType::Text),
            ("submission", FactType::Flag),
            ("return", FactType::Flag),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// `days`: every day of the calendar, with whether it works, the number of working days up to it (`ordinal`), the next
/// working day and its half-month; `worked`: the working days by their ordinals.
pub(super) fn calendar(sql: SqlDialect, calendar: &WorkingCalendar) -> [Subquery; 4] {
    let days = FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY);
    let is_weekday = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let other: Vec<Vec<String>> = days
        .filter(|day| calendar.is_working(*day) != is_weekday(day))
        .map(|day| vec![day_number(day).to_string(), calendar.is_working(day).to_string()])
        .collect();
    let exceptions = table(sql, "other_days", &[("day", FactType::Number), ("works", FactType::Flag)], &other);
    let [first, last] = [FIRST_DAY, LAST_DAY].map(|day| day_number(day).to_string());
    // 1970-01-01 was a Thursday.
    let numbered = format!(
        "SELECT day, works, CAST(sum(CASE WHEN works THEN 1 ELSE 0 END) OVER (ORDER BY day) AS \
         BIGINT) AS ordinal FROM (\n    SELECT n.day, coalesce(o.works, (n.day + 3) % 7 < 5) AS works FROM (SELECT {} AS day) AS \
         n\n    LEFT JOIN other_days AS o ON o.day = n.day) AS d",
        sql.numbers(&first, &last)
    );
    let worked = "SELECT ordinal, day FROM numbered_days WHERE works";
    let [year, month, day] = sql.year_month_day("d.day");
    let days = format!(
        "SELECT d.day, d.works, d.ordinal, w.day AS next, CAST(({year} * 12 + {month} - 1) * 2 + CASE \
         WHEN {day} >= 15 THEN 1 ELSE 0 END AS BIGINT) AS half\n  FROM numbered_days AS d LEFT JOIN worked AS w ON w.ordinal = \
         d.ordinal + 1"
    );
    [
        exceptions,
        Subquery::shared("numbered_days", numbered),
        Subquery::shared("worked", worked),
        Subquery::shared("days", days),
    ]
}

/// `periods`: every named period from the first day of the calendar until now, numbered within its kind, with its
/// half-months and days; `period_halves`: one row for each half-month.
pub(super) fn periods(sql: SqlDialect, now: i64) -> [Subquery; 2] {
    let periods = Periods::named(half_month_of(FIRST_DAY), half_month_of(local(now).date()));
    let mut counts = [0; PeriodKind::NAMED.len()];
    let rows = periods.all.iter().enumerate().map(|(index, period)| {
        let kind = periods.kind_number(index);
        counts[kind] += 1;
        let (first, last) = period.half_months().expect("named periods consist of half-months");
        vec![
            sql.text(&period.to_string()),
            kind.to_string(),
            counts[kind].to_string(),
            first.to_string(),
            last.to_string(),
            day_number(period.start()).to_string(),
            day_number(period.end()).to_string(),
        ]
    });
    let listed = table(
        sql,
        "periods",
        &[
            ("period", FactType::Text),
            ("kind", FactType::Number),
            ("number", FactType::Number),
            ("first_half", FactType::Number),
            ("last_half", FactType::Number),
            ("first_day", FactType::Number),
            ("last_day", FactType::Number),
        ],
        &rows.collect::<Vec<_>>(),
    );
    let halves =
        format!("SELECT kind, number, last_half, {} AS half FROM periods", sql.numbers("first_half", "last_half"));
    [listed, Subquery::shared("period_halves", halves)]
}

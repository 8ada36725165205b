//! The registries and the calendar as tables inside a script.

use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::calendar::{FIRST_DAY, LAST_DAY, WorkingCalendar, day_number};
use crate::indicators::agencies::Agencies;
use crate::indicators::periods::Periods;
use crate::indicators::registry_lookups::{micros_of_day, offer_pieces};
use crate::indicators::script::dialect::SqlDialect;
use crate::indicators::script::render::quoted_text;
use crate::model::agency::{AgencyKind, Tier};
use crate::model::instant::local;
use crate::model::period::half_month_of;
use crate::model::procedure::{Offer, Procedure};

/// A day before and one after all days of dossiers.
const EVER: [i64; 2] = [-100_000_000, 100_000_000];

/// A value of a table inside the script.
fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), quoted_text)
}

fn number<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

/// One table: its columns with their types, and its rows.
fn table(name: &str, columns: &[(&str, &str)], rows: &[Vec<String>]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let typed = |value: &dyn Fn(&str) -> String| {
        let cast = |(name, of): &(&str, &str)| format!("CAST({} AS {of}) AS {name}", value(name));
        columns.iter().map(cast).collect::<Vec<_>>().join(", ")
    };
    if rows.is_empty() {
        return format!("{name} AS (SELECT {} WHERE FALSE)", typed(&|_| "NULL".to_owned()));
    }
    let mut text = format!("{name} AS (\n  SELECT {} FROM (VALUES", typed(&str::to_owned));
    for (place, row) in rows.iter().enumerate() {
        let _ = write!(text, "{}\n    ({})", if place == 0 { "" } else { "," }, row.join(", "));
    }
    let _ = write!(text, "\n  ) AS rows_of({}))", names.join(", "));
    text
}

/// `PREFIX_texts`: the agency that each text means from a day to another; `PREFIX_agencies`: what each agency is, and the
/// code and tier under which its rows count.
pub(super) fn agencies(prefix: &str, agencies: &Agencies) -> [String; 2] {
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
            texts.push(vec![quoted_text(of), first.to_string(), last.to_string(), agency.to_string()]);
            first = last + 1;
        }
    }
    let known = agencies.known.iter().enumerate().map(|(place, known)| {
        let number = u32::try_from(place).expect("agencies are counted in thousands");
        let counts_for = &agencies.known[agencies.attributed_to(number) as usize];
        vec![
            place.to_string(),
            quoted_text(&known.code),
            text(known.kind.map(AgencyKind::name)),
            text(known.tier.map(Tier::name)),
            known.vertical.to_string(),
            known.is_registered.to_string(),
            quoted_text(&counts_for.code),
            text(counts_for.tier.map(Tier::name)),
        ]
    });
    [
        table(
            &format!("{prefix}_texts"),
            &[("agency_text", "STRING"), ("first_day", "BIGINT"), ("last_day", "BIGINT"), ("agency", "BIGINT")],
            &texts,
        ),
        table(
            &format!("{prefix}_agencies"),
            &[
                ("agency", "BIGINT"),
                ("code", "STRING"),
                ("kind", "STRING"),
                ("tier", "STRING"),
                ("vertical", "BOOLEAN"),
                ("known", "BOOLEAN"),
                ("counted_code", "STRING"),
                ("counted_tier", "STRING"),
            ],
            &known.collect::<Vec<_>>(),
        ),
    ]
}

pub(super) fn procedures(procedures: &[Procedure]) -> String {
    let by_code: std::collections::BTreeMap<&str, &Procedure> =
        procedures.iter().map(|procedure| (procedure.code.as_str(), procedure)).collect();
    let rows = by_code.values().map(|one| {
        vec![
            quoted_text(&one.code),
            quoted_text(&one.sector),
            one.certification.to_string(),
            one.vertical.to_string(),
            number(one.statutory_time),
            quoted_text(one.unit.name()),
            micros_of_day(one.cut_off).to_string(),
            one.immediate.to_string(),
        ]
    });
    table(
        "procedures",
        &[
            ("code", "STRING"),
            ("sector", "STRING"),
            ("certification", "BOOLEAN"),
            ("vertical", "BOOLEAN"),
            ("statutory_time", "BIGINT"),
            ("unit", "STRING"),
            ("cut_off", "BIGINT"),
            ("immediate", "BOOLEAN"),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// What is offered of a procedure from a day to another, by an agency (`agency:CODE`) or by every agency of a tier
/// (`tier:TIER`). Times of one procedure and offerer do not overlap.
pub(super) fn offers(offers: &[Offer], procedures: &[Procedure]) -> String {
    let known: std::collections::HashSet<&str> = procedures.iter().map(|one| one.code.as_str()).collect();
    let days = |day: Option<Date>, ever: i64| day.map_or(ever, |day| i64::from(day_number(day)));
    let rows =
        offer_pieces(offers).into_iter().filter(|piece| known.contains(piece.offer.procedure.as_str())).map(|piece| {
            vec![
                quoted_text(&piece.offer.procedure),
                quoted_text(&piece.offerer),
                days(piece.first, EVER[0]).to_string(),
                days(piece.last, EVER[1]).to_string(),
                text(piece.offer.online_level.as_deref()),
                piece.offer.postal_submission.to_string(),
                piece.offer.postal_return.to_string(),
            ]
        });
    table(
        "offers",
        &[
            ("code", "STRING"),
            ("offerer", "STRING"),
            ("first_day", "BIGINT"),
            ("last_day", "BIGINT"),
            ("level", "STRING"),
            ("submission", "BOOLEAN"),
            ("return_by_post", "BOOLEAN"),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// `calendar`: one row with the lists that working time is counted by.
pub(super) fn calendar(calendar: &WorkingCalendar, dialect: SqlDialect) -> [String; 3] {
    let days = FIRST_DAY.series(1.day()).take_while(|day| *day <= LAST_DAY);
    let is_weekday = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let other: Vec<Vec<String>> = days
        .filter(|day| calendar.is_working(*day) != is_weekday(day))
        .map(|day| vec![day_number(day).to_string(), calendar.is_working(day).to_string()])
        .collect();
    let exceptions = table("days_off", &[("day", "BIGINT"), ("works", "BOOLEAN")], &other);
    let (first, last) = (i64::from(day_number(FIRST_DAY)), i64::from(day_number(LAST_DAY)));
    // 1970-01-01 was a Thursday.
    let days = format!(
        "days AS (SELECT day, works, sum(CASE WHEN works THEN 1 ELSE 0 END) OVER (ORDER BY day) AS ordinal FROM (\n  \
         SELECT n.day, coalesce(o.works, (n.day + 3) % 7 < 5) AS works FROM {} AS n LEFT JOIN days_off AS o ON o.day = n.day) AS d)",
        dialect.numbers(first, last)
    );
    let lists = format!(
        "calendar AS (SELECT a.working_days, a.ordinals, w.worked FROM (\n  SELECT {} AS working_days, {} AS ordinals FROM \
         days) AS a CROSS JOIN (SELECT {} AS worked FROM days WHERE works) AS w)",
        dialect.list("works", "day"),
        dialect.list("CAST(ordinal AS BIGINT)", "day"),
        dialect.list("CAST(day AS BIGINT)", "day"),
    );
    [exceptions, days, lists]
}

/// Number of the kind of calendar years in the table of periods.
pub(super) const YEAR_KIND: usize = 4;

/// Every named period from the first day of the calendar until now, numbered within its kind.
pub(super) fn periods(now: i64) -> String {
    let periods = Periods::named(half_month_of(FIRST_DAY), half_month_of(local(now).date()));
    let mut counts = [0; 10];
    let rows = periods.all.iter().enumerate().map(|(index, period)| {
        let kind = periods.kind_number(index);
        counts[kind] += 1;
        let day = |day| day_number(day).to_string();
        vec![
            quoted_text(&period.to_string()),
            kind.to_string(),
            counts[kind].to_string(),
            day(period.start()),
            day(period.end()),
        ]
    });
    table(
        "periods",
        &[
            ("period", "STRING"),
            ("kind", "BIGINT"),
            ("number", "BIGINT"),
            ("first_day", "BIGINT"),
            ("last_day", "BIGINT"),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

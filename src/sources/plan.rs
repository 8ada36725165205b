//! Plans which time slices a pull reads: each pass of `[[window.passes]]`, cut into slices. Pure: `now` is an argument.

use std::collections::BTreeMap;

use crate::fields::DateFormat;
use crate::model::connector::{Pass, Start, Window};
use crate::model::instant::{self, DAY_MICROS};
use crate::model::pull::{Cursor, SliceRef};
use crate::sources::error::{ErrorKind, SourceError};

/// A part of a pass. One page chain reads it: the query is limited to its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSlice {
    pub reference: SliceRef,
    pub since_param: Option<String>,
    pub until_param: Option<String>,
    /// Start and end in the pass's `format`. Sources treat both as inclusive, so neighbouring slices share an instant:
    /// a record received twice is a duplicate, but a record between two slices would be lost.
    pub since: String,
    pub until: String,
    /// First and last day for logs, `2026-01-01..2026-01-31`.
    pub days: String,
    /// Year and month in which it begins.
    pub year: i16,
    pub month: i8,
    /// The period that it is, as `Period::parse` reads it; `None` without `slice`.
    pub period: Option<String>,
}

/// The slices of a pull in reading order; empty if the connector has no passes.
///
/// `oldest_open` maps a canonical column to the oldest instant of a dossier that has not ended. A pass with
/// `start = "oldest_open"` begins at the cursor if its column is absent there. The pass named `whole_pass` begins at
/// its `first_date`.
///
/// # Errors
/// `misconfigured` if a pass has an invalid `format` or `first_date`.
pub fn plan_slices(
    window: &Window,
    now: i64,
    cursor: &Cursor,
    oldest_open: &BTreeMap<String, i64>,
    whole_pass: Option<&str>,
) -> Result<Vec<TimeSlice>, SourceError> {
    let mut slices = Vec::new();
    for pass in &window.passes {
        let wrong = |message: String| wrong(pass, &message);
        let format = DateFormat::compile(&pass.format).map_err(wrong)?;
        let first = first_instant(&pass.first_date)
            .ok_or_else(|| wrong(format!("`first_date` is `{}`, not a day `yyyy-MM-dd`", pass.first_date)))?;
        let is_whole = whole_pass == Some(pass.name.as_str());
        let start = if is_whole { first } else { start_of(pass, first, cursor, oldest_open) };
        slices.extend(cut(pass, start, now).into_iter().map(|(since, until)| slice(pass, &format, since, until)));
    }
    Ok(slices)
}

/// Cuts a time into the parts that a pass reads by itself: of `slice_days`, or whole calendar periods, the first and last
/// of which may reach beyond the time.
#[must_use]
pub fn cut(pass: &Pass, from: i64, to: i64) -> Vec<(i64, i64)> {
    let after = |since: i64| match pass.slice {
        Some(unit) => instant::from_local(unit.next(instant::local(since).date()).into()),
        None => (since + i64::from(pass.slice_days.max(1)) * DAY_MICROS).min(to),
    };
    let mut since = match pass.slice {
        Some(unit) if from < to => instant::from_local(unit.start(instant::local(from).date()).into()),
        _ => from,
    };
    let mut parts = Vec::new();
    while since < to {
        let until = after(since);
        parts.push((since, until));
        since = until;
    }
    parts
}

/// The slices that `wanted` names, in its order. The cursor is not used.
///
/// # Errors
/// `plan_changed` if the connector has no such pass; `misconfigured` if its `format` is invalid.
pub fn chosen_slices(window: &Window, wanted: &[SliceRef]) -> Result<Vec<TimeSlice>, SourceError> {
    let slices = wanted.iter().map(|wanted| {
        let pass = window.passes.iter().find(|pass| pass.name == wanted.pass).ok_or_else(|| {
            SourceError::new(ErrorKind::PlanChanged, format!("the connector has no pass `{}`", wanted.pass))
        })?;
        let format = DateFormat::compile(&pass.format).map_err(|message| wrong(pass, &message))?;
        Ok(slice(pass, &format, wanted.since_micros, wanted.until_micros))
    });
    slices.collect()
}

fn slice(pass: &Pass, format: &DateFormat, since: i64, until: i64) -> TimeSlice {
    let first = instant::local(since).date();
    // A period is asked for by its days, and its last one is inside, up to its last moment.
    let last = match (pass.slice, format.has_time()) {
        (None, _) => until,
        (Some(_), true) => until - 1,
        (Some(_), false) => instant::from_local(instant::local(until - 1).date().into()),
    };
    TimeSlice {
        reference: SliceRef { pass: pass.name.clone(), since_micros: since, until_micros: until },
        since_param: pass.since_param.clone(),
        until_param: pass.until_param.clone(),
        since: format.write(since),
        until: format.write(last),
        days: format!("{first}..{}", instant::local(until - 1).date()),
        year: first.year(),
        month: first.month(),
        period: pass.slice.map(|unit| unit.period(first).to_string()),
    }
}

fn wrong(pass: &Pass, message: &str) -> SourceError {
    SourceError::new(ErrorKind::Misconfigured, format!("pass `{}`: {message}", pass.name))
}

/// Start of a pass: local midnight of the day its `start` names, less the overlap, never before `first`.
fn start_of(pass: &Pass, first: i64, cursor: &Cursor, oldest_open: &BTreeMap<String, i64>) -> i64 {
    let Some(read_until) = cursor.read_until else { return first };
    let from = match pass.start {
        Start::Cursor => read_until,
        Start::OldestOpen => match pass.open_column.as_ref().and_then(|column| oldest_open.get(column)) {
            Some(&oldest) => oldest.min(read_until),
            None => read_until,
        },
    };
    let day = instant::from_local(instant::local(from).date().into());
    (day - i64::from(pass.overlap_days) * DAY_MICROS).max(first)
}

fn first_instant(text: &str) -> Option<i64> {
    DateFormat::compile("yyyy-MM-dd").ok()?.read(text, &instant::zone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connector::SliceUnit;

    fn pass(start: Start) -> Pass {
        Pass {
            name: "accepted".to_owned(),
            since_param: Some("accepted-from".to_owned()),
            until_param: Some("accepted-to".to_owned()),
            format: "yyyy-MM-ddTHH:mm:ss.SZ".to_owned(),
            start,
            open_column: Some("received_at".to_owned()),
            first_date: "2026-01-01".to_owned(),
            overlap_days: 1,
            slice_days: 31,
            slice: None,
        }
    }

    fn at(text: &str) -> i64 {
        let format = DateFormat::compile("yyyy-MM-dd[ HH:mm]").expect("the pattern is valid");
        format.read(text, &instant::zone()).expect("the text is a date")
    }

    fn days(start: Start, now: &str, read_until: Option<&str>, oldest: Option<&str>) -> Vec<String> {
        let cursor = Cursor { read_until: read_until.map(at), ..Cursor::default() };
        let open = oldest.map(|text| ("received_at".to_owned(), at(text))).into_iter().collect();
        let window = Window { passes: vec![pass(start)] };
        let slices = plan_slices(&window, at(now), &cursor, &open, None).expect("the pass is valid");
        slices.into_iter().map(|slice| slice.days).collect()
    }

    #[test]
    fn a_pass_starts_at_its_first_date_the_cursor_or_the_oldest_open_dossier() {
        let first = ["2026-01-01..2026-01-31", "2026-02-01..2026-02-10"];
        for (start, read_until, oldest, expected) in [
            (Start::Cursor, None, None, first.as_slice()),
            (Start::Cursor, Some("2026-02-09 01:30"), Some("2026-01-20"), &["2026-02-08..2026-02-10"]),
            (Start::Cursor, Some("2026-01-01 12:00"), None, &first),
            (Start::OldestOpen, None, Some("2026-02-01"), &first),
            (Start::OldestOpen, Some("2026-02-09"), None, &["2026-02-08..2026-02-10"]),
            (Start::OldestOpen, Some("2026-02-09"), Some("2026-02-05 10:00"), &["2026-02-04..2026-02-10"]),
            (Start::OldestOpen, Some("2026-02-09"), Some("2026-02-10"), &["2026-02-08..2026-02-10"]),
        ] {
            let found = days(start, "2026-02-10 01:30", read_until, oldest);
            assert_eq!(found, expected, "{start:?} {read_until:?} {oldest:?}");
        }
    }

    #[test]
    fn slices_touch_and_the_last_ends_now() {
        let window = Window { passes: vec![pass(Start::Cursor)] };
        let slices =
            plan_slices(&window, at("2026-02-10 01:30"), &Cursor::default(), &BTreeMap::new(), None).expect("valid");
        let ends: Vec<_> = slices.iter().map(|slice| (slice.since.as_str(), slice.until.as_str())).collect();
        assert_eq!(
            ends,
            [
                ("2026-01-01T00:00:00.000+0700", "2026-02-01T00:00:00.000+0700"),
                ("2026-02-01T00:00:00.000+0700", "2026-02-10T01:30:00.000+0700"),
            ]
        );
    }

    #[test]
    fn a_calendar_period_has_all_of_its_days() {
        for (format, expected) in [
            ("yyyy-MM-dd", ["2026-01-01..2026-01-31", "2026-02-01..2026-02-28"]),
            (
                "yyyy-MM-ddTHH:mm:ss",
                ["2026-01-01T00:00:00..2026-01-31T23:59:59", "2026-02-01T00:00:00..2026-02-28T23:59:59"],
            ),
            ("epoch_seconds", ["1767200400..1769878799", "1769878800..1772297999"]),
        ] {
            let month = Pass { format: format.to_owned(), slice: Some(SliceUnit::Month), ..pass(Start::Cursor) };
            let window = Window { passes: vec![Pass { first_date: "2026-01-20".to_owned(), ..month }] };
            let slices = plan_slices(&window, at("2026-02-10 01:30"), &Cursor::default(), &BTreeMap::new(), None)
                .expect("valid");
            let ends: Vec<String> = slices.iter().map(|slice| format!("{}..{}", slice.since, slice.until)).collect();
            assert_eq!(ends, expected, "{format}");
            assert_eq!((slices[1].year, slices[1].month), (2026, 2));
        }
    }

    #[test]
    fn chosen_slices_equal_planned_ones() {
        let window = Window { passes: vec![pass(Start::Cursor)] };
        let slices =
            plan_slices(&window, at("2026-02-10 01:30"), &Cursor::default(), &BTreeMap::new(), None).expect("valid");
        let second = slices[1].reference.clone();
        assert_eq!(chosen_slices(&window, std::slice::from_ref(&second)), Ok(vec![slices[1].clone()]));
        let other = SliceRef { pass: "applied".to_owned(), ..second };
        assert_eq!(chosen_slices(&window, &[other]).map_err(|error| error.kind), Err(ErrorKind::PlanChanged));
    }

    #[test]
    fn a_future_first_date_or_no_pass_gives_no_slice() {
        assert!(days(Start::Cursor, "2025-12-01", None, None).is_empty());
        let none = plan_slices(&Window::default(), 0, &Cursor::default(), &BTreeMap::new(), None);
        assert_eq!(none, Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_format_or_first_date_is_named() {
        let wrong = [
            Pass { format: "qq".to_owned(), ..pass(Start::Cursor) },
            Pass { first_date: "01/01/2026".to_owned(), ..pass(Start::Cursor) },
        ];
        for pass in wrong {
            let error = plan_slices(&Window { passes: vec![pass] }, 0, &Cursor::default(), &BTreeMap::new(), None);
            assert_eq!(error.map_err(|error| error.kind), Err(ErrorKind::Misconfigured));
        }
    }
}

//! The worklists that the program brings (`facts/worklists.toml`), and the settings that they name.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::calendar::WorkingCalendar;
use crate::expressions::{Expression, SettingValue, Settings, parse};
use crate::model::instant::{DAY_MICROS, from_local, local};
use crate::model::worklist::WorklistSettings;

/// A list of dossiers that an agency acts on.
#[derive(Debug)]
pub struct Worklist {
    pub name: String,
    /// Titles; `{x}` stands for a setting.
    vi: String,
    en: String,
    pub(super) only: Expression,
    pub(super) since: Expression,
    /// What the moment is by which the list is ordered, in Vietnamese and English.
    pub since_meaning: [String; 2],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    worklist: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    vi: String,
    en: String,
    r#where: String,
    since: String,
    since_vi: String,
    since_en: String,
}

/// Name of the list of agencies that have received nothing for days. It has no dossiers.
pub const SILENT: &str = "silent";
/// Its title in Vietnamese and English.
const SILENT_TITLE: [&str; 2] = [
    "Cơ quan không tiếp nhận hồ sơ nào trong {silent_days} ngày làm việc",
    "Agencies that have received no dossier for {silent_days} working days",
];

/// The worklists of dossiers, in the order in which they are shown.
#[must_use]
pub fn worklists() -> &'static [Worklist] {
    static LISTS: LazyLock<Vec<Worklist>> = LazyLock::new(|| {
        read(include_str!("../../../facts/worklists.toml"))
            .unwrap_or_else(|problem| unreachable!("the shipped worklists are tested: {problem}"))
    });
    &LISTS
}

fn read(text: &str) -> Result<Vec<Worklist>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let list = |entry: Entry| {
        let read = |text: &str| parse(text).map_err(|message| format!("`{}`: {message}", entry.name));
        Ok(Worklist {
            only: read(&entry.r#where)?,
            since: read(&entry.since)?,
            name: entry.name,
            vi: entry.vi,
            en: entry.en,
            since_meaning: [entry.since_vi, entry.since_en],
        })
    };
    file.worklist.into_iter().map(list).collect()
}

impl Worklist {
    /// Its title in Vietnamese and English.
    #[must_use]
    pub fn title(&self, settings: &WorklistSettings) -> [String; 2] {
        [&self.vi, &self.en].map(|title| with_settings(title, settings))
    }
}

/// Title of [`SILENT`] in Vietnamese and English.
#[must_use]
pub fn silent_title(settings: &WorklistSettings) -> [String; 2] {
    SILENT_TITLE.map(|title| with_settings(title, settings))
}

fn with_settings(title: &str, settings: &WorklistSettings) -> String {
    settings
        .values()
        .iter()
        .fold(title.to_owned(), |title, (name, value)| title.replace(&format!("{{{name}}}"), &value.to_string()))
}

/// Adds the settings that worklists name. `now`: the moment at which somebody asks, microseconds UTC.
pub(super) fn with_worklist_settings(
    settings: Settings,
    of: &WorklistSettings,
    calendar: &WorkingCalendar,
    now: i64,
) -> Settings {
    let today = local(now).date();
    let number = |number: i64| SettingValue::Number(number);
    settings
        .with("worklist.due_until", number(end_of(calendar.add_working_days(today, of.due_days))))
        .with("worklist.today_end", number(end_of(today)))
        .with("worklist.next_working_day_end", number(end_of(calendar.add_working_days(today, 1))))
        .with("worklist.year_start", number(from_local(today.first_of_year().into())))
        .with("worklist.acceptance_hours", number(i64::from(of.acceptance_hours)))
        .with("worklist.supplement_since", number(days_before(calendar, today, of.supplement_days)))
}

/// The beginning of the first of the last `days` working days before today.
fn days_before(calendar: &WorkingCalendar, today: Date, days: u32) -> i64 {
    let yesterday = today.yesterday().unwrap_or(today);
    from_local(calendar.back_working_days(yesterday, days).into())
}

fn end_of(day: Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::expressions::{check_condition, dossier_facts, fold, type_of};
    use crate::model::predicate::FactType;

    #[test]
    fn the_shipped_worklists_have_no_mistake() {
        let lists = read(include_str!("../../../facts/worklists.toml")).expect("they are read");
        assert_eq!(lists.len(), 7);
        let columns = |name: &str| match name {
            "awaits_acceptance" => Ok(FactType::Flag),
            "undelivered_since" => Ok(FactType::Instant),
            name => dossier_facts().type_of(name).ok_or_else(|| format!("there is no `{name}`")),
        };
        let settings = WorklistSettings::default();
        let now = from_local(date(2026, 3, 20).at(9, 0, 0, 0));
        for list in lists {
            check_condition(&list.only, &columns).unwrap_or_else(|problem| panic!("{}: {problem}", list.name));
            assert_eq!(type_of(&list.since, &columns), Ok(Some(FactType::Instant)), "{}", list.name);
            let all = Settings::default().with("night.now", SettingValue::Number(now));
            let folded = fold(&list.only, &with_worklist_settings(all, &settings, &WorkingCalendar::default(), now));
            assert!(!folded.to_string().contains("worklist."), "{folded}");
            assert!(list.title(&settings).iter().all(|title| !title.contains('{')), "{:?}", list.title(&settings));
        }
        assert!(silent_title(&settings)[0].contains("10"));
    }

    #[test]
    fn the_days_of_settings_are_working_days() {
        // Friday 2026-03-20.
        let now = from_local(date(2026, 3, 20).at(9, 0, 0, 0));
        let settings = with_worklist_settings(
            Settings::default(),
            &WorklistSettings { due_days: 3, supplement_days: 2, ..WorklistSettings::default() },
            &WorkingCalendar::default(),
            now,
        );
        let of = |name: &str| fold(&Expression::Setting(name.to_owned()), &settings);
        let end = |day: Date| Expression::Number(end_of(day));
        assert_eq!(of("worklist.due_until"), end(date(2026, 3, 25)));
        assert_eq!(of("worklist.today_end"), end(date(2026, 3, 20)));
        assert_eq!(of("worklist.next_working_day_end"), end(date(2026, 3, 23)));
        assert_eq!(of("worklist.supplement_since"), Expression::Number(from_local(date(2026, 3, 18).into())));
        assert_eq!(of("worklist.year_start"), Expression::Number(from_local(date(2026, 1, 1).into())));
    }
}

//! Reads the registries and the calendar: CSV with a header row, `#` for comments, `;` between values in a cell.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::civil::{Date, Time, time};
use strum::VariantNames;

use crate::config::definition_texts::DefinitionTexts;
use crate::config::problem::Problems;
use crate::config::registry_checks::{self, NumberedRows};
use crate::config::settings::Settings;
use crate::model::agency::{Agency, Succession, Tier};
use crate::model::day::CalendarDay;
use crate::model::procedure::{Offer, Offerer, Procedure};
use crate::model::table::{INTERLINKS, ROLES, SERVICE_LEVELS};
use crate::model::text::plain;

/// All registries. Each may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registries {
    pub agencies: Vec<Agency>,
    pub successions: Vec<Succession>,
    pub procedures: Vec<Procedure>,
    pub offers: Vec<Offer>,
    /// Name of each sector (lĩnh vực) by its code.
    pub sectors: BTreeMap<String, String>,
    pub calendar: Vec<CalendarDay>,
}

pub(crate) fn load(
    settings: &Settings,
    texts: &DefinitionTexts<'_>,
    used_texts: &mut BTreeMap<String, String>,
    problems: &mut Problems,
) -> Registries {
    let mut registries = Registries::default();
    let mut references = References::default();
    let is_checked = texts.are_on_disk();
    let mut read = |name: &str, file: Option<&Path>, problems: &mut Problems, take: &mut dyn FnMut(&mut Row<'_>)| {
        let Some(file) = file else { return };
        let name = format!("registries/{name}.csv");
        let Some(text) = texts.file(&name, file, problems) else { return };
        if is_checked {
            check_header(file, &text, problems);
        }
        rows(file, &text, problems, take);
        used_texts.insert(name, text);
    };
    let (mut agencies, mut successions) = (NumberedRows::new(), NumberedRows::new());
    read("agencies", settings.agencies.as_deref(), problems, &mut |row| {
        references.add_agency(row);
        agencies.extend(agency(row).map(|agency| (row.line, agency)));
    });
    read("successions", settings.successions.as_deref(), problems, &mut |row| {
        references.refers_to_agency(row, &["from", "to"]);
        successions.extend(succession(row).map(|succession| (row.line, succession)));
    });
    let mut procedure_codes = HashSet::new();
    read("procedures", settings.procedures.as_deref(), problems, &mut |row| {
        if let Some(code) = row.text("code")
            && !procedure_codes.insert(code.clone())
        {
            let advice = "write one row for each code; validity dates of offers belong into `procedure_offers.csv`";
            row.problem("code", format!("procedure `{code}` is listed twice: {advice}"));
        }
        registries.procedures.extend(procedure(row));
    });
    let (mut offers, mut sectors, mut calendar) = (NumberedRows::new(), NumberedRows::new(), NumberedRows::new());
    read("procedure_offers", settings.procedure_offers.as_deref(), problems, &mut |row| {
        references.refers_to_agency(row, &["offered_by"]);
        offers.extend(offer(row).map(|offer| (row.line, offer)));
    });
    read("sectors", settings.sectors.as_deref(), problems, &mut |row| {
        let (code, name) = (row.required("code"), row.required("name"));
        sectors.extend(code.zip(name).map(|sector| (row.line, sector)));
    });
    read("calendar", settings.calendar.as_deref(), problems, &mut |row| {
        calendar.extend(calendar_day(row).map(|day| (row.line, day)));
    });
    if is_checked {
        check(settings.agencies.as_deref(), &agencies, registry_checks::agencies, problems);
        check(settings.successions.as_deref(), &successions, registry_checks::successions, problems);
        check(settings.procedure_offers.as_deref(), &offers, registry_checks::offers, problems);
        check(settings.sectors.as_deref(), &sectors, registry_checks::sectors, problems);
        check(settings.calendar.as_deref(), &calendar, registry_checks::calendar, problems);
    }
    // Rows that cannot be read may contain the agencies that other rows refer to.
    if settings.agencies.as_deref().is_none_or(|file| !problems.has_unreadable(file)) {
        references.check(problems);
    }
    Registries {
        agencies: without_lines(agencies),
        successions: without_lines(successions),
        offers: without_lines(offers),
        sectors: without_lines(sectors),
        calendar: without_lines(calendar),
        ..registries
    }
}

/// Compares the rows of a file with each other.
fn check<T>(
    file: Option<&Path>,
    rows: &NumberedRows<T>,
    compare: fn(&Path, &NumberedRows<T>, &mut Problems),
    problems: &mut Problems,
) {
    if let Some(file) = file {
        compare(file, rows, problems);
    }
}

fn without_lines<T, Rows: FromIterator<T>>(rows: NumberedRows<T>) -> Rows {
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The agencies that exist, and the references to them. A row with another mistake still counts as its agency's row.
#[derive(Default)]
struct References {
    agencies: HashSet<String>,
    /// File, line, column and code of each reference.
    used: Vec<(PathBuf, usize, &'static str, String)>,
}

impl References {
    fn add_agency(&mut self, row: &mut Row<'_>) {
        self.refers_to_agency(row, &["parent"]);
        if let Some(code) = row.text("code")
            && !self.agencies.insert(code.clone())
        {
            row.problem("code", format!("agency `{code}` is listed twice"));
        }
    }

    fn refers_to_agency(&mut self, row: &Row<'_>, columns: &[&'static str]) {
        for &column in columns {
            if let Some(code) = row.text(column).filter(|code| !code.starts_with("tier:")) {
                self.used.push((row.file.to_owned(), row.line, column, code));
            }
        }
    }

    fn check(self, problems: &mut Problems) {
        for (file, line, column, code) in self.used {
            if !self.agencies.contains(&code) {
                problems.add(&file, line, column, format!("agency `{code}` is not in the agency registry"));
            }
        }
    }
}

/// One row with its file and line. Mistakes in it are added to `problems`.
struct Row<'a> {
    file: &'a Path,
    line: usize,
    header: &'a csv::StringRecord,
    record: &'a csv::StringRecord,
    problems: &'a mut Problems,
}

fn rows(file: &Path, text: &str, problems: &mut Problems, take: &mut dyn FnMut(&mut Row<'_>)) {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = reader(text);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return problems.add(file, 1, "", format!("the header row cannot be read: {error}")),
    };
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
                let line = past_comments(text, line);
                take(&mut Row { file, line, header: &header, record: &record, problems });
            }
            Err(error) => {
                let line = error.position().map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
                problems.add(file, line, "", format!("the row cannot be read: {error}"));
            }
        }
    }
}

/// Adds a problem for each column that the header row has twice: only the first would be read.
fn check_header(file: &Path, text: &str, problems: &mut Problems) {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = reader(text);
    // A header row that cannot be read is reported where the rows are read.
    let Ok(header) = reader.headers() else { return };
    for (index, name) in header.iter().enumerate() {
        if !name.is_empty() && header.iter().take(index).any(|earlier| earlier == name) {
            problems.add(file, past_comments(text, 1), name, "the header row has this column twice");
        }
    }
}

/// Reads a registry: `#` begins a comment.
fn reader(text: &str) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes())
}

/// Line of a row. The reader's position is where it started to look for the row, before comments and empty lines.
fn past_comments(text: &str, line: usize) -> usize {
    let passed = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    line + text.lines().skip(line.saturating_sub(1)).take_while(passed).count()
}

impl Row<'_> {
    fn problem(&mut self, column: &str, message: impl Into<String>) {
        self.problems.add(self.file, self.line, column, message);
    }

    /// The cell; `None` if it is empty or the file has no such column.
    fn text(&self, column: &str) -> Option<String> {
        let index = self.header.iter().position(|name| name == column)?;
        let cell = plain(self.record.get(index)?);
        let cell = cell.trim();
        (!cell.is_empty()).then(|| cell.to_owned())
    }

    fn required(&mut self, column: &str) -> Option<String> {
        let found = self.text(column);
        if found.is_none() {
            self.problem(column, "missing");
        }
        found
    }

    fn several(&self, column: &str) -> Vec<String> {
        let cell = self.text(column).unwrap_or_default();
        cell.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    fn parsed<T: FromStr>(&mut self, column: &str, expected: &str) -> Option<T> {
        let text = self.text(column)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(column, format!("`{text}` must be {expected}"));
        }
        parsed
    }

    fn date(&mut self, column: &str) -> Option<Date> {
        self.parsed(column, "a date (yyyy-MM-dd)")
    }

    fn flag(&mut self, column: &str) -> bool {
        self.parsed(column, "`true` or `false`").unwrap_or(false)
    }

    /// Required text that is one of `words`.
    fn one_of(&mut self, column: &str, words: &[&str]) -> Option<String> {
        let text = self.required(column)?;
        let is_known = words.contains(&text.as_str());
        if !is_known {
            self.problem(column, format!("`{text}` must be one of {}", words.join(", ")));
        }
        is_known.then_some(text)
    }

    /// Required word of an enum.
    fn variant<T: FromStr + VariantNames>(&mut self, column: &str) -> Option<T> {
        self.one_of(column, T::VARIANTS)?.parse().ok()
    }

    /// One of `words`; `None` if the cell is empty.
    fn word(&mut self, column: &str, words: &[&str]) -> Option<String> {
        self.text(column)?;
        self.one_of(column, words)
    }
}

fn agency(row: &mut Row<'_>) -> Option<Agency> {
    let (code, name) = (row.required("code"), row.required("name"));
    let (kind, tier) = (row.variant("kind"), row.variant("tier"));
    let (valid_from, valid_to, vertical) = (row.date("valid_from"), row.date("valid_to"), row.flag("vertical"));
    Some(Agency {
        code: code?,
        other_codes: row.several("other_codes"),
        name: name?,
        aliases: row.several("aliases"),
        kind: kind?,
        tier: tier?,
        vertical,
        parent: row.text("parent"),
        valid_from,
        valid_to,
    })
}

fn succession(row: &mut Row<'_>) -> Option<Succession> {
    let (from, to, date) = (row.required("from"), row.required("to"), row.date("date"));
    Some(Succession { from: from?, to: to?, date: date?, document: row.text("document").unwrap_or_default() })
}

fn procedure(row: &mut Row<'_>) -> Option<Procedure> {
    let (code, name) = (row.required("code"), row.required("name"));
    let unit = row.variant("unit");
    let cut_off: Time = row.parsed("cut_off", "a time (HH:mm)").unwrap_or(time(15, 0, 0, 0));
    let statutory_time = row.parsed("statutory_time", "a whole number");
    let (immediate, certification, vertical) = (row.flag("immediate"), row.flag("certification"), row.flag("vertical"));
    let (valid_from, valid_to) = (row.date("valid_from"), row.date("valid_to"));
    Some(Procedure {
        code: code?,
        name: name?,
        sector: row.text("sector").unwrap_or_default(),
        statutory_time,
        unit: unit?,
        cut_off,
        immediate,
        certification,
        vertical,
        valid_from,
        valid_to,
    })
}

fn offer(row: &mut Row<'_>) -> Option<Offer> {
    let (procedure, offered_by) = (row.required("procedure"), row.required("offered_by"));
    let (online_level, interlinked) = (row.word("online_level", SERVICE_LEVELS), row.word("interlinked", INTERLINKS));
    let (postal_submission, postal_return) = (row.flag("postal_submission"), row.flag("postal_return"));
    let role = row.word("role", ROLES);
    let (at_one_stop, one_stop_exempt, list_1291) =
        (row.flag("at_one_stop"), row.flag("one_stop_exempt"), row.flag("list_1291"));
    let (valid_from, valid_to) = (row.date("valid_from"), row.date("valid_to"));
    let offered_by = offered_by?;
    let offerer = match offered_by.strip_prefix("tier:") {
        None => Offerer::Agency(offered_by),
        Some(tier) => {
            let Ok(tier) = tier.parse::<Tier>() else {
                row.problem("offered_by", format!("`{tier}` is not a tier"));
                return None;
            };
            Offerer::Tier(tier)
        }
    };
    Some(Offer {
        procedure: procedure?,
        offerer,
        role,
        at_one_stop,
        one_stop_exempt,
        list_1291,
        online_level,
        postal_submission,
        postal_return,
        interlinked,
        group_code: row.text("group_code"),
        valid_from,
        valid_to,
    })
}

fn calendar_day(row: &mut Row<'_>) -> Option<CalendarDay> {
    let (date, kind) = (row.date("date"), row.variant("kind"));
    if row.text("date").is_none() {
        row.problem("date", "missing");
    }
    Some(CalendarDay { date: date?, kind: kind? })
}

#[cfg(test)]
#[path = "registry_checks_tests.rs"]
mod tests;

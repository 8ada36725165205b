//! Completes the registry file from the procedure catalogues: procedures that it lacks, and names of sectors.
//!
//! If the file has a row for a code, the whole row comes from the file (docs/decisions/0008). The table of procedures
//! is read as of the night that is computed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, time};
use polars::prelude::*;
use strum::IntoEnumIterator as _;

use crate::config::Registries;
use crate::model::procedure::{Procedure, TimeUnit};
use crate::model::table::RecordKind;

/// Most codes that the log names.
const NAMED: usize = 10;

/// The procedures of all catalogues, by code. If several catalogues have a code, the first connector by name counts.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    procedures: BTreeMap<String, Procedure>,
    /// Name of each sector by its code.
    sectors: BTreeMap<String, String>,
}

/// Procedure codes for which registry file and catalogue differ, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// Both state a statutory time, but different ones.
    pub(super) other_time: Vec<String>,
    /// The file lacks the code.
    pub(super) not_in_file: Vec<String>,
}

impl Catalogue {
    /// Reads the catalogue from the tables in the order of [`RecordKind`]. Blocks.
    pub(super) fn among(tables: &[LazyFrame]) -> Result<Self, PolarsError> {
        let place = RecordKind::iter().position(|kind| kind == RecordKind::Procedures);
        place.and_then(|place| tables.get(place)).map_or_else(|| Ok(Self::default()), |table| Self::read(table.clone()))
    }

    /// Reads the table of procedures. Blocks.
    pub(super) fn read(table: LazyFrame) -> Result<Self, PolarsError> {
        let texts = ["procedure_code", "name", "sector_code", "sector_name", "unit"];
        let columns: Vec<Expr> = texts.into_iter().chain(["statutory_time"]).map(col).collect();
        let rows = table
            .filter(col("deleted").fill_null(lit(false)).not())
            .sort(["source", "source_key"], SortMultipleOptions::default())
            .select(columns)
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let text = |name: &str| rows.column(name)?.str();
        let (codes, names, sectors) = (text("procedure_code")?, text("name")?, text("sector_code")?);
        let (sector_names, units) = (text("sector_name")?, text("unit")?);
        let times = rows.column("statutory_time")?.i64()?;
        let mut catalogue = Self::default();
        for row in 0..rows.height() {
            let Some(code) = codes.get(row) else { continue };
            let sector = sectors.get(row).unwrap_or_default();
            if let Some(name) = sector_names.get(row).filter(|_| !sector.is_empty()) {
                catalogue.sectors.entry(sector.to_owned()).or_insert_with(|| name.to_owned());
            }
            catalogue.procedures.entry(code.to_owned()).or_insert_with(|| Procedure {
                code: code.to_owned(),
                name: names.get(row).unwrap_or(code).to_owned(),
                sector: sector.to_owned(),
                statutory_time: times.get(row).and_then(|time| u32::try_from(time).ok()),
                unit: match units.get(row) {
                    Some("hours") => TimeUnit::Hours,
                    Some("calendar_days") => TimeUnit::CalendarDays,
                    _ => TimeUnit::WorkingDays,
                },
                // NĐ 61/2018/NĐ-CP art. 18(2); the catalogue does not state it.
                cut_off: time(15, 0, 0, 0),
                immediate: false,
                certification: false,
                vertical: false,
                valid_from: None,
                valid_to: None,
            });
        }
        Ok(catalogue)
    }

    /// The registries, completed with the procedures and sectors that only the catalogue has.
    pub(super) fn completed(&self, registries: &Registries) -> Registries {
        let mut completed = registries.clone();
        let known: BTreeSet<&str> = registries.procedures.iter().map(|procedure| procedure.code.as_str()).collect();
        let new = self.procedures.values().filter(|procedure| !known.contains(procedure.code.as_str()));
        completed.procedures.extend(new.cloned());
        completed.sectors = self.sectors_beside(&registries.sectors);
        completed
    }

    /// Names of sectors: those given, completed with those that only the catalogue has.
    pub(super) fn sectors_beside(&self, given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut sectors = self.sectors.clone();
        sectors.extend(given.clone());
        sectors
    }

    /// Differences between file and catalogue on a day. If the file has several rows for a code, those valid on that
    /// day count; one that agrees is enough.
    pub(super) fn differences(&self, registries: &Registries, day: Date) -> Differences {
        let mut differences = Differences::default();
        for (code, stated) in &self.procedures {
            let mut rows = registries.procedures.iter().filter(|row| row.code == *code).peekable();
            if rows.peek().is_none() {
                differences.not_in_file.push(code.clone());
                continue;
            }
            let valid = rows
                .filter(|row| row.valid_from.is_none_or(|from| from <= day) && row.valid_to.is_none_or(|to| day <= to));
            let times: Vec<_> = valid.filter_map(|row| Some((row.statutory_time?, row.unit))).collect();
            let stated = stated.statutory_time.map(|time| (time, stated.unit));
            if stated.is_some_and(|stated| !times.is_empty() && !times.contains(&stated)) {
                differences.other_time.push(code.clone());
            }
        }
        differences
    }
}

impl Differences {
    /// Logs the differences of a night in one line; nothing if there are none.
    pub(super) fn log(&self, run: i64) {
        if *self == Self::default() {
            return;
        }
        let named: Vec<&str> = self.other_time.iter().take(NAMED).map(String::as_str).collect();
        let new: Vec<&str> = self.not_in_file.iter().take(NAMED - named.len()).map(String::as_str).collect();
        tracing::warn!(
            run,
            other_time = self.other_time.len(),
            not_in_file = self.not_in_file.len(),
            other_time_of = named.join(" "),
            only_in_catalogue = new.join(" "),
            "registry file and procedure catalogue differ: the file's statutory times count, procedures that it lacks come from the catalogue"
        );
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;

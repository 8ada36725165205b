//! Reads the instants of one field: its formats, its zone, its calendar, and the time of day from a field of its own.

use jiff::tz::{Offset, TimeZone};

use crate::fields::date_format::{CELL_FORMAT, DateFormat};
use crate::model::connector::{FieldMap, FieldType};
use crate::model::instant;
use crate::model::reporting_zone::USUAL_ZONE;

/// Years by which the Buddhist Era of Thailand and Laos is ahead.
const BUDDHIST_YEARS_AHEAD: i16 = 543;

/// How the instants of one field are written.
#[derive(Debug, Clone)]
pub(super) struct DateReading {
    /// Tried in order.
    formats: Vec<DateFormat>,
    /// Of the dates of workbook cells, which are tried last, in the calendar of everyone.
    cells: Option<DateFormat>,
    zone: TimeZone,
    buddhist_years: bool,
    midnight_is_date: bool,
}

/// A text as one format reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateRead {
    /// Year, month and day as written; they need not be a date.
    pub(super) written_day: (i16, i8, i8),
    pub(super) has_offset: bool,
    /// Microseconds UTC; `None` if there is no such date.
    pub(super) instant: Option<i64>,
}

impl DateReading {
    /// Compiles the keys of a `[map.COLUMN]` table.
    ///
    /// # Errors
    /// The key that is wrong, and the reason.
    pub(super) fn compile(map: &FieldMap) -> Result<Self, (&'static str, String)> {
        let formats = map
            .formats
            .iter()
            .map(|format| DateFormat::compile(format))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| ("formats", error))?;
        if map.field_type == FieldType::Instant && formats.is_empty() {
            return Err(("formats", "an instant needs at least one format".to_owned()));
        }
        if map.time.is_some() && !formats.iter().any(DateFormat::may_lack_time) {
            let message =
                "with `time`, the time of day must be optional, as in `dd/MM/yyyy[ HH:mm]`: its field may be empty";
            return Err(("formats", message.to_owned()));
        }
        if map.buddhist_years && formats.iter().any(DateFormat::has_no_era) {
            let message =
                "with `buddhist_years`, the year has four digits: a number and `yy` count in the other calendar";
            return Err(("formats", message.to_owned()));
        }
        let zone = match map.zone.as_deref() {
            None => instant::zone(),
            Some(name) if name == instant::zone_name() => instant::zone(),
            // Not as it was before 1975.
            Some(USUAL_ZONE) => TimeZone::fixed(Offset::constant(7)),
            Some(name) => TimeZone::get(name).map_err(|_| ("zone", format!("`{name}` is no IANA time zone")))?,
        };
        Ok(Self {
            formats,
            cells: None,
            zone,
            buddhist_years: map.buddhist_years,
            midnight_is_date: map.midnight_is_date,
        })
    }

    pub(super) fn formats(&self) -> &[DateFormat] {
        &self.formats
    }

    /// Reads the dates of workbook cells besides the declared formats.
    pub(super) fn add_cell_format(&mut self) {
        self.cells = Some(DateFormat::compile(CELL_FORMAT).expect("the format is a constant"));
    }

    /// What each format that the whole text matches reads in it, in the order of the formats.
    pub(super) fn read(&self, text: &str) -> impl Iterator<Item = DateRead> {
        let declared = self.formats.iter().map(|format| (format, self.buddhist_years));
        let formats = declared.chain(self.cells.iter().map(|format| (format, false)));
        formats.filter_map(|(format, is_buddhist)| Some((format.parse(text)?, is_buddhist))).map(
            |(mut parts, is_buddhist)| {
                let written_day = parts.day();
                if is_buddhist {
                    parts.year -= BUDDHIST_YEARS_AHEAD;
                }
                if self.midnight_is_date && parts.is_midnight() {
                    parts.offset_secs = None;
                }
                DateRead { written_day, has_offset: parts.has_offset(), instant: parts.instant(&self.zone) }
            },
        )
    }
}

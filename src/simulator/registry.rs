//! The simulator's own reader of the registries: agencies, procedures, offers, calendar.
//!
//! Reads the text of the four CSV files: comma, header row, columns by name, comment lines with `#`. Errors name the
//! file and line. A code may be on several rows with different validity.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, time};

use crate::model::agency::{Agency, AgencyKind};
use crate::model::procedure::{Offer, Offerer, Procedure, TimeUnit};
use crate::simulator::SimulatorError;
use crate::simulator::working_days::{Day, WorkingDays, day_number};

/// Text of the four registry files.
#[derive(Debug, Clone, Copy)]
pub struct RegistryTexts<'text> {
    pub agencies: &'text str,
    pub procedures: &'text str,
    pub offers: &'text str,
    pub calendar: &'text str,
}

/// First and last day on which a row is valid, both inclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) from: Day,
    pub(super) to: Day,
}

impl Validity {
    fn new(from: Option<Date>, to: Option<Date>) -> Self {
        Self { from: from.map_or(Day::MIN, day_number), to: to.map_or(Day::MAX, day_number) }
    }

    pub(super) fn contains(self, day: Day) -> bool {
        self.from <= day && day <= self.to
    }
}

/// The registries. Rows keep the order of their files.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) agencies: Vec<Agency>,
    pub(super) agency_validity: Vec<Validity>,
    /// Number of each row's code; rows with the same code share it.
    pub(super) agency_group: Vec<usize>,
    pub(super) procedures: Vec<Procedure>,
    pub(super) procedure_validity: Vec<Validity>,
    pub(super) procedure_group: Vec<usize>,
    pub(super) offers: Vec<Offer>,
    pub(super) offer_validity: Vec<Validity>,
    /// Rows of `offers`, by the procedure's group.
    pub(super) offers_of: Vec<Vec<usize>>,
    pub(super) working_days: WorkingDays,
}

impl Registry {
    pub(super) fn read(text: &RegistryTexts<'_>) -> Result<Self, SimulatorError> {
        let agencies = rows("agencies.csv", text.agencies, agency)?;
        let procedures = rows("procedures.csv", text.procedures, procedure)?;
        let mut offers = rows("procedure_offers.csv", text.offers, offer)?;
        let exceptions = rows("calendar.csv", text.calendar, exception)?;
        let (agency_group, _) = groups(agencies.iter().map(|agency| agency.code.as_str()));
        let (procedure_group, by_code) = groups(procedures.iter().map(|procedure| procedure.code.as_str()));
        // Offers of unknown procedures are ignored.
        offers.retain(|offer| by_code.contains_key(offer.procedure.as_str()));
        let mut offers_of = vec![Vec::new(); by_code.len()];
        for (row, offer) in offers.iter().enumerate() {
            offers_of[by_code[offer.procedure.as_str()]].push(row);
        }
        Ok(Self {
            agency_validity: agencies.iter().map(|row| Validity::new(row.valid_from, row.valid_to)).collect(),
            procedure_validity: procedures.iter().map(|row| Validity::new(row.valid_from, row.valid_to)).collect(),
            offer_validity: offers.iter().map(|row| Validity::new(row.valid_from, row.valid_to)).collect(),
            agency_group,
            procedure_group,
            offers_of,
            agencies,
            procedures,
            offers,
            working_days: WorkingDays::new(&exceptions),
        })
    }

    /// An agency's offer of a procedure on a day: under its own code, else its tier's.
    pub(super) fn offer_on(&self, agency: usize, procedure: usize, day: Day) -> Option<&Offer> {
        let rows = &self.offers_of[self.procedure_group[procedure]];
        let valid = || rows.iter().copied().filter(|&row| self.offer_validity[row].contains(day));
        let who = &self.agencies[agency];
        let own = valid().find(|&row| matches!(&self.offers[row].offerer, Offerer::Agency(code) if *code == who.code));
        let row = own.or_else(|| valid().find(|&row| self.offers[row].offerer == Offerer::Tier(who.tier)))?;
        Some(&self.offers[row])
    }
}

/// Numbers the codes in the order of their first row.
fn groups<'text>(codes: impl Iterator<Item = &'text str>) -> (Vec<usize>, BTreeMap<&'text str, usize>) {
    let mut by_code = BTreeMap::new();
    let numbers = codes
        .map(|code| {
            let next = by_code.len();
            *by_code.entry(code).or_insert(next)
        })
        .collect();
    (numbers, by_code)
}

/// One row and its header.
struct Row<'row> {
    columns: &'row BTreeMap<String, usize>,
    fields: &'row csv::StringRecord,
}

impl<'row> Row<'row> {
    fn text(&self, column: &str) -> Result<&'row str, String> {
        let at = self.columns.get(column).ok_or_else(|| format!("column `{column}` is missing"))?;
        Ok(self.fields.get(*at).unwrap_or_default().trim())
    }

    fn filled(&self, column: &str) -> Result<&'row str, String> {
        let text = self.text(column)?;
        if text.is_empty() { Err(format!("`{column}` is empty")) } else { Ok(text) }
    }

    fn list(&self, column: &str) -> Result<Vec<String>, String> {
        let parts = self.text(column)?.split(';').map(str::trim);
        Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    fn flag(&self, column: &str) -> Result<bool, String> {
        match self.text(column)? {
            "true" | "1" | "yes" => Ok(true),
            "" | "false" | "0" | "no" => Ok(false),
            other => Err(format!("`{column}` is `{other}`, but must be true or false")),
        }
    }

    fn day(&self, column: &str) -> Result<Option<Date>, String> {
        self.read(column)
    }

    fn read<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, String> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| format!("`{column}` cannot be read from `{text}`"))
    }
}

fn rows<T>(
    file: &'static str,
    text: &str,
    read: impl Fn(&Row<'_>) -> Result<T, String>,
) -> Result<Vec<T>, SimulatorError> {
    let refuse = |line: u64, reason: String| SimulatorError::Registry { file, line, reason };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| refuse(1, error.to_string()))?;
    let columns = header.iter().enumerate().map(|(at, name)| (name.trim().to_owned(), at)).collect();
    let mut found = Vec::new();
    for fields in reader.records() {
        let fields =
            fields.map_err(|error| refuse(error.position().map_or(0, csv::Position::line), error.to_string()))?;
        let line = fields.position().map_or(0, csv::Position::line);
        found.push(read(&Row { columns: &columns, fields: &fields }).map_err(|reason| refuse(line, reason))?);
    }
    Ok(found)
}

fn agency(row: &Row<'_>) -> Result<Agency, String> {
    let kinds = [
        AgencyKind::Specialised,
        AgencyKind::ServiceCentre,
        AgencyKind::District,
        AgencyKind::Commune,
        AgencyKind::Other,
    ];
    let kind = row.filled("kind")?;
    let tier = row.filled("tier")?;
    Ok(Agency {
        code: row.filled("code")?.to_owned(),
        other_codes: row.list("other_codes")?,
        name: row.filled("name")?.to_owned(),
        aliases: row.list("aliases")?,
        kind: kinds.into_iter().find(|known| known.name() == kind).ok_or_else(|| format!("unknown kind `{kind}`"))?,
        tier: tier.parse().map_err(|_| format!("unknown tier `{tier}`"))?,
        vertical: row.flag("vertical")?,
        parent: Some(row.text("parent")?).filter(|code| !code.is_empty()).map(str::to_owned),
        valid_from: row.day("valid_from")?,
        valid_to: row.day("valid_to")?,
    })
}

fn procedure(row: &Row<'_>) -> Result<Procedure, String> {
    Ok(Procedure {
        code: row.filled("code")?.to_owned(),
        name: row.filled("name")?.to_owned(),
        sector: row.text("sector")?.to_owned(),
        statutory_time: row.read("statutory_time")?,
        unit: match row.text("unit")? {
            "" | "working_days" => TimeUnit::WorkingDays,
            "hours" => TimeUnit::Hours,
            "calendar_days" => TimeUnit::CalendarDays,
            other => return Err(format!("unknown unit `{other}`")),
        },
        // NĐ 61/2018 art. 18(2).
        cut_off: cut_off(row.text("cut_off")?)?.unwrap_or(time(15, 0, 0, 0)),
        immediate: row.flag("immediate")?,
        // Older files do not have this column. Errors in it are reported by the configuration.
        certification: row.flag("certification").unwrap_or(false),
        vertical: row.flag("vertical")?,
        valid_from: row.day("valid_from")?,
        valid_to: row.day("valid_to")?,
    })
}

fn cut_off(text: &str) -> Result<Option<Time>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("`cut_off` cannot be read from `{text}`"))
}

fn offer(row: &Row<'_>) -> Result<Offer, String> {
    let by = row.filled("offered_by")?;
    let offerer = match by.strip_prefix("tier:") {
        Some(tier) => Offerer::Tier(tier.parse().map_err(|_| format!("unknown tier `{tier}`"))?),
        None => Offerer::Agency(by.to_owned()),
    };
    Ok(Offer {
        procedure: row.filled("procedure")?.to_owned(),
        offerer,
        online_level: Some(row.text("online_level")?).filter(|level| !level.is_empty()).map(str::to_owned),
        postal_submission: row.flag("postal_submission")?,
        postal_return: row.flag("postal_return")?,
        interlinked: None,
        group_code: None,
        role: None,
        at_one_stop: false,
        one_stop_exempt: false,
        list_1291: false,
        valid_from: row.day("valid_from")?,
        valid_to: row.day("valid_to")?,
    })
}

fn exception(row: &Row<'_>) -> Result<(Date, bool), String> {
    let date = row.day("date")?.ok_or("`date` is empty")?;
    match row.text("kind")? {
        "working" => Ok((date, true)),
        "holiday" | "compensation" => Ok((date, false)),
        other => Err(format!("unknown kind `{other}`")),
    }
}

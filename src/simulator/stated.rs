#![expect(clippy::disallowed_methods, reason = "edge: the simulated agencies fill in their sheet")]
//! Measures: what departments state each quarter of their electronic documents, and the sheet that it stands in.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

use crate::model::agency::AgencyKind;
use crate::simulator::Province;
use crate::simulator::truth::{Scope, TruthFigure};
use crate::simulator::working_days::day_number;

/// The indicator that the departments state.
pub(super) const INDICATOR: &str = "par-7.1.2";

/// First year of which they state it.
const FIRST: i32 = 2025;

/// What one department states of a quarter.
struct Measure<'a> {
    agency: &'a str,
    quarter: String,
    counts: [u64; 2],
}

impl Province {
    /// Of every quarter from [`FIRST`] that was over on a day, what each department of its last day states. A later day states the
    /// same of it again.
    fn stated(&self, day: Date) -> Vec<Measure<'_>> {
        let registry = &self.registry;
        let this = i32::from(day.year()) * 4 + (i32::from(day.month()) - 1) / 3;
        let mut found = Vec::new();
        for (age, quarter) in (0_u64..).zip(FIRST * 4..this) {
            let last_month = i8::try_from(quarter.rem_euclid(4) * 3 + 3).expect("a month");
            let year = i16::try_from(quarter.div_euclid(4)).expect("simulated years have four digits");
            let last = day_number(date(year, last_month, 1).last_of_month());
            for (number, (agency, validity)) in (0_u64..).zip(registry.agencies.iter().zip(&registry.agency_validity)) {
                if agency.kind != AgencyKind::Specialised || agency.vertical || !validity.holds(last) {
                    continue;
                }
                let whole = 180 + 37 * number + 11 * age;
                let counts = [whole - (number * 5 + age * 3) % 40, whole];
                found.push(Measure { agency: &agency.code, quarter: format!("{year}-Q{}", last_month / 3), counts });
            }
        }
        found
    }

    /// Writes the sheet of measures as of a day into `folder`, which must exist: `so-lieu-YYYY-MM-DD.csv`.
    pub fn write_measures(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let mut text = "Chỉ tiêu;Đơn vị;Kỳ;Tử số;Mẫu số;Số văn bản;Ngày nhập\r\n".to_owned();
        let entered = day.strftime("%d/%m/%Y");
        let rows = self.stated(day);
        for Measure { agency, quarter, counts: [part, whole] } in &rows {
            writeln!(text, "{INDICATOR};{agency};{quarter};{part};{whole};12/BC-MP;{entered}\r")
                .map_err(io::Error::other)?;
        }
        writeln!(text, "Tổng cộng;;{};;;;\r", rows.len()).map_err(io::Error::other)?;
        let path = folder.join(format!("so-lieu-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// The figures of what was stated: each department's, and their sums for the tier and the province.
    pub(super) fn stated_figures(&self, day: Date) -> Vec<TruthFigure> {
        let mut figures: Vec<TruthFigure> = Vec::new();
        for Measure { agency, quarter, counts: [part, whole] } in self.stated(day) {
            for scope in [Scope::Province, Scope::Tier("province"), Scope::Agency(agency.to_owned())] {
                let held = figures.iter_mut().find(|one| one.scope == scope && one.period == quarter);
                match held {
                    Some(one) => {
                        one.numerator += part;
                        one.denominator += whole;
                    }
                    None => figures.push(TruthFigure {
                        indicator: INDICATOR,
                        scope,
                        period: quarter.clone(),
                        numerator: part,
                        denominator: whole,
                    }),
                }
            }
        }
        figures
    }
}

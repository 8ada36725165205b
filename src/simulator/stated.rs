#![expect(clippy::disallowed_methods, reason = "edge: the simulated agencies fill in their sheet")]
//! Measures: what departments state each quarter of their electronic documents, and the sheet that it stands in.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::model::agency::AgencyKind;
use crate::simulator::Province;
use crate::simulator::truth::{Scope, TruthFigure};
use crate::simulator::working_days::day_number;

/// The indicator that the departments state.
pub(super) const INDICATOR: &str = "par-7.1.2";

/// What one department states of a quarter.
struct Measure<'a> {
    agency: &'a str,
    quarter: String,
    counts: [u64; 2],
}

impl Province {
    /// Of the last four quarters that were over on a day, what each department of that day states.
    fn stated(&self, day: Date) -> Vec<Measure<'_>> {
        let registry = &self.registry;
        let departments = registry.agencies.iter().zip(&registry.agency_validity).filter(|(agency, validity)| {
            agency.kind == AgencyKind::Specialised && !agency.vertical && validity.holds(day_number(day))
        });
        let this = i32::from(day.year()) * 4 + (i32::from(day.month()) - 1) / 3;
        let mut found = Vec::new();
        for (number, (agency, _)) in (0_u64..).zip(departments) {
            for (age, quarter) in (0_u64..).zip((this - 4..this).rev()) {
                let whole = 180 + 37 * number + 11 * age;
                let counts = [whole - (number * 5 + age * 3) % 40, whole];
                let quarter = format!("{}-Q{}", quarter.div_euclid(4), quarter.rem_euclid(4) + 1);
                found.push(Measure { agency: &agency.code, quarter, counts });
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

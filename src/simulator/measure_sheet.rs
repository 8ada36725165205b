#![expect(clippy::disallowed_methods, reason = "edge: the simulated agencies write their sheet")]
//! Measures: figures that departments state themselves each quarter (electronic documents, published procedures, survey
//! answers, inspections, online payments), and the sheet that lists them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};

use crate::model::agency::AgencyKind;
use crate::simulator::Province;
use crate::simulator::truth_counts::{MEASURES, TruthFigure, TruthScope};
use crate::simulator::working_days::day_number;

/// First year with measures.
const FIRST_YEAR: i32 = 2025;

/// These indicators count agencies: each department states 1 of 1, or 0 of 1.
const COUNT_AGENCIES: [&str; 2] = ["par-3.2.4", "par-3.2.6"];

/// The indicators of the survey, and what its report calls them.
const FACTORS: [(&str, &str); 5] = [
    ("sipas-1", "Tiếp cận dịch vụ"),
    ("sipas-2", "Tổ chức giải quyết TTHC"),
    ("sipas-3", "Công chức giải quyết TTHC"),
    ("sipas-4", "Kết quả giải quyết TTHC"),
    ("sipas-5", "Tiếp nhận, xử lý phản ánh, kiến nghị"),
];

/// One measure of a department for a quarter.
struct MeasureRow<'a> {
    indicator: &'static str,
    agency: &'a str,
    quarter: String,
    counts: [u64; 2],
}

impl Province {
    /// Measures of all quarters from [`FIRST_YEAR`] that had ended by a day, for each department that existed on the
    /// quarter's last day. They are the same on every later day.
    fn measures(&self, day: Date) -> Vec<MeasureRow<'_>> {
        let registry = &self.registry;
        let current = i32::from(day.year()) * 4 + (i32::from(day.month()) - 1) / 3;
        let mut found = Vec::new();
        for (age, quarter) in (0_u64..).zip(FIRST_YEAR * 4..current) {
            let last_month = i8::try_from(quarter.rem_euclid(4) * 3 + 3).expect("a month");
            let year = i16::try_from(quarter.div_euclid(4)).expect("simulated years have four digits");
            let last = day_number(date(year, last_month, 1).last_of_month());
            for (number, (agency, validity)) in (0_u64..).zip(registry.agencies.iter().zip(&registry.agency_validity)) {
                if agency.kind != AgencyKind::Specialised || agency.vertical || !validity.contains(last) {
                    continue;
                }
                for (place, &indicator) in (0_u64..).zip(MEASURES) {
                    let whole = 180 + 37 * number + 11 * age + 13 * place;
                    let counts = if COUNT_AGENCIES.contains(&indicator) {
                        [u64::from(!(number + age).is_multiple_of(4)), 1]
                    } else {
                        [whole - (number * 5 + age * 3 + place * 7) % 40, whole]
                    };
                    let quarter = format!("{year}-Q{}", last_month / 3);
                    found.push(MeasureRow { indicator, agency: &agency.code, quarter, counts });
                }
            }
        }
        found
    }

    /// Writes the sheet of measures as of a day to `so-lieu-YYYY-MM-DD.csv` in `folder`, which must exist.
    pub fn write_measures(&self, folder: &Path, day: Date) -> io::Result<PathBuf> {
        let day = day.min(self.today());
        let mut text = "Chỉ tiêu;Đơn vị;Kỳ;Tử số;Mẫu số;Số văn bản;Ngày nhập\r\n".to_owned();
        let entered = day.strftime("%d/%m/%Y");
        let rows = self.measures(day);
        for MeasureRow { indicator, agency, quarter, counts: [part, whole] } in &rows {
            writeln!(text, "{indicator};{agency};{quarter};{part};{whole};12/BC-MP;{entered}\r")
                .map_err(io::Error::other)?;
        }
        writeln!(text, "Tổng cộng;;{};;;;\r", rows.len()).map_err(io::Error::other)?;
        let path = folder.join(format!("so-lieu-{day}.csv"));
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Writes the list of documents and the report of the survey as of a day into `folder`, which must exist: the measures of
    /// 7.1.2 and of Annex 2 in lists of their own.
    pub fn write_documents_and_survey(&self, folder: &Path, day: Date) -> io::Result<[PathBuf; 2]> {
        let day = day.min(self.today());
        let entered = day.strftime("%d/%m/%Y");
        let mut documents = "Đơn vị;Kỳ;Văn bản đi;Gửi điện tử;Số báo cáo;Ngày báo cáo\r\n".to_owned();
        let mut survey = "Yếu tố;Đơn vị;Kỳ;Câu trả lời hài lòng;Câu trả lời;Số văn bản;Ngày văn bản\r\n".to_owned();
        let (mut sheets, mut answers) = (0, 0);
        for MeasureRow { indicator, agency, quarter, counts: [part, whole] } in self.measures(day) {
            if indicator == "par-7.1.2" {
                sheets += 1;
                writeln!(documents, "{agency};{quarter};{whole};{part};12/BC-MP;{entered}\r")
                    .map_err(io::Error::other)?;
            } else if let Some(factor) = FACTORS.iter().find(|(id, _)| *id == indicator).map(|(_, name)| name) {
                answers += 1;
                writeln!(survey, "{factor};{agency};{quarter};{part};{whole};12/BC-MP;{entered}\r")
                    .map_err(io::Error::other)?;
            }
        }
        writeln!(documents, "Tổng cộng;{sheets};;;;\r").map_err(io::Error::other)?;
        writeln!(survey, "Tổng cộng;;{answers};;;;\r").map_err(io::Error::other)?;
        let paths = ["van-ban", "sipas"].map(|name| folder.join(format!("{name}-{day}.csv")));
        std::fs::write(&paths[0], documents)?;
        std::fs::write(&paths[1], survey)?;
        Ok(paths)
    }

    /// Figures from measures: those of each department, and their sums for the tier and the province.
    pub(super) fn measure_figures(&self, day: Date) -> Vec<TruthFigure> {
        let mut sums: BTreeMap<(&'static str, TruthScope, String), [u64; 2]> = BTreeMap::new();
        for MeasureRow { indicator, agency, quarter, counts: [part, whole] } in self.measures(day) {
            for scope in [TruthScope::Province, TruthScope::Tier("province"), TruthScope::Agency(agency.to_owned())] {
                let sum = sums.entry((indicator, scope, quarter.clone())).or_default();
                sum[0] += part;
                sum[1] += whole;
            }
        }
        sums.into_iter()
            .map(|((indicator, scope, period), [numerator, denominator])| TruthFigure {
                indicator,
                scope,
                period,
                numerator,
                denominator,
                unknown: 0,
                undecided: 0,
            })
            .collect()
    }
}

//! `report --integrity`: later changes that make a ratio look better.

use std::process::ExitCode;

use strum::IntoEnumIterator as _;

use super::FigureFilter;
use crate::cli::language::{self, language, text};
use crate::cli::output::{self, OutputFormat, number, percent, print};
use crate::cli::{Failure, list_output};
use crate::config::Configuration;
use crate::indicators::{IntegrityKind, IntegrityRow, integrity_problem};
use crate::lists;
use crate::locale::{Initial, moment};
use crate::model::figure::{Night, ratio};
use crate::run;

pub(super) async fn show(
    config: &Configuration,
    night: &Night,
    filter: &FigureFilter<'_>,
) -> Result<ExitCode, Failure> {
    let [indicator] = filter.arguments.indicators.as_slice() else {
        let message = language::of("`--integrity` cần một chỉ số", "`--integrity` takes one indicator");
        return Err(Failure::usage(message).with_hint(language::of("ví dụ `par-3.4.1`", "for example `par-3.4.1`")));
    };
    let known = config.indicators.iter().find(|known| known.definition.id == *indicator);
    let definition = &known.expect("the filter has checked it").definition;
    if let Some(problem) = integrity_problem(definition) {
        let message = text!("`{indicator}` không dùng được cho `--integrity` ({problem})", "`{indicator}` {problem}");
        return Err(Failure::usage(message).with_hint(language::of(
            "ví dụ `motcua report par-3.4.1 --period 2026 --integrity`",
            "for example `motcua report par-3.4.1 --period 2026 --integrity`",
        )));
    }
    let period = filter.period.expect("the command line requires it");
    let mut rows = run::integrity(config, night, indicator, period, ()).await?;
    rows.retain(|row| {
        filter.agency.as_deref().is_none_or(|agency| *row.agency == *agency)
            && (filter.tier.is_none() || row.tier == filter.tier)
    });
    let list = lists::integrity_list(&rows);
    let text = match filter.arguments.format {
        OutputFormat::Json => list_output::json(&list.to_json())?,
        OutputFormat::Csv => list_output::csv(&list)?,
        OutputFormat::Table => {
            let title = language::of(&definition.title.vi, &definition.title.en);
            let mut text = format!("{indicator} · {title} ({})\n", language().period(period, Initial::Lower));
            if rows.is_empty() {
                text.push_str(language::of(
                    "Không có hồ sơ nào bị sửa theo cách làm tỷ lệ đẹp hơn.\n",
                    "No dossier was changed later so that the ratio looks better.\n",
                ));
            } else {
                let mut headings = vec![language::of("Cơ quan", "Agency")];
                headings.extend(IntegrityKind::iter().map(|kind| language::one(kind.meaning())));
                headings.extend([
                    language::of("Tỷ lệ", "Ratio"),
                    language::of("Chưa rõ", "Unknown"),
                    language::of("Nếu không tính đạt", "Without them in the numerator"),
                ]);
                text.push_str(&output::table(&headings, rows.iter().map(cells).collect()));
            }
            let (as_of, run) = (moment(night.as_of), night.run);
            text.push_str(&text!("\nTính lúc {as_of}; lượt {run}.\n", "\nAs of {as_of}; run {run}.\n"));
            text
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: &IntegrityRow) -> Vec<String> {
    let share = |numerator: u64| ratio(numerator, row.denominator).map_or_else(String::new, percent);
    let mut cells = vec![row.agency_name.to_string()];
    cells.extend(row.dossiers.iter().map(|dossiers| number(*dossiers)));
    let counts = |numerator: u64| format!("{} / {} = {}", number(numerator), number(row.denominator), share(numerator));
    cells.extend([counts(row.numerator), number(row.unknown), counts(row.numerator_without)]);
    cells
}

//! `report --integrity`: later changes that make a ratio look better.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator as _;

use super::FigureFilter;
use crate::cli::Failure;
use crate::cli::output::{self, LANGUAGE, OutputFormat, csv_lines, csv_value, number, percent, print};
use crate::config::Configuration;
use crate::indicators::{IntegrityKind, IntegrityRow};
use crate::locale::{Initial, moment};
use crate::model::agency::Tier;
use crate::model::figure::{Night, ratio};
use crate::run;

pub(super) async fn show(
    config: &Configuration,
    night: &Night,
    filter: &FigureFilter<'_>,
) -> Result<ExitCode, Failure> {
    let [indicator] = filter.arguments.indicators.as_slice() else {
        return Err(Failure::usage("`--integrity` takes one indicator").with_hint("for example `par-3.4.1`"));
    };
    let known = config.indicators.iter().find(|known| known.definition.id == *indicator);
    let definition = &known.expect("the filter has checked it").definition;
    if !run::has_integrity(definition) {
        let message = format!("`{indicator}` is no ratio that counts dossiers one by one");
        return Err(
            Failure::usage(message).with_hint("for example `motcua report par-3.4.1 --period 2026 --integrity`")
        );
    }
    let period = filter.period.expect("the command line requires it");
    let mut rows = run::integrity(config, night, indicator, period, ()).await?;
    rows.retain(|row| {
        filter.agency.as_deref().is_none_or(|agency| *row.agency == *agency)
            && (filter.tier.is_none() || row.tier == filter.tier)
    });
    let text = match filter.arguments.format {
        OutputFormat::Json => {
            format!("{:#}\n", Value::Array(rows.iter().map(|row| Value::Object(fields(row))).collect()))
        }
        OutputFormat::Csv => {
            let headings: Vec<&str> = names().collect();
            let cells = rows.iter().map(|row| fields(row).values().map(csv_value).collect());
            csv_lines(&headings, cells)?
        }
        OutputFormat::Table => {
            let mut text =
                format!("{indicator} · {} ({})\n", definition.title.vi, LANGUAGE.period(period, Initial::Lower));
            if rows.is_empty() {
                text.push_str("Không có hồ sơ nào bị sửa theo cách làm tỷ lệ đẹp hơn.\n");
            } else {
                let mut headings = vec!["Cơ quan"];
                headings.extend(IntegrityKind::iter().map(|kind| kind.meaning()[0]));
                headings.extend(["Tỷ lệ", "Nếu không tính đạt"]);
                text.push_str(&output::table(&headings, rows.iter().map(cells).collect()));
            }
            let _ = writeln!(text, "\nTính lúc {}; lượt {}.", moment(night.as_of), night.run);
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
    cells.extend([
        format!("{} / {} = {}", number(row.numerator), number(row.denominator), share(row.numerator)),
        share(row.numerator_without),
    ]);
    cells
}

fn names() -> impl Iterator<Item = &'static str> {
    let kinds = IntegrityKind::iter().map(IntegrityKind::name);
    let counts = ["any", "numerator", "denominator", "numerator_without"];
    ["agency", "agency_name", "tier"].into_iter().chain(kinds).chain(counts)
}

fn fields(row: &IntegrityRow) -> Map<String, Value> {
    let mut values = vec![json!(row.agency), json!(row.agency_name), json!(row.tier.map(Tier::name))];
    values.extend(row.dossiers.iter().map(|dossiers| json!(dossiers)));
    values.extend([row.any, row.numerator, row.denominator, row.numerator_without].map(|count| json!(count)));
    names().map(str::to_owned).zip(values).collect()
}

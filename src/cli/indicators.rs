//! `indicators list|show`: the defined indicators.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::language::{self, language, text};
use crate::cli::output::{self, OutputFormat, percent, print};
use crate::cli::{Failure, GlobalOptions, typed};
use crate::config::{Configuration, DefinedIndicator};
use crate::indicators::{ListedOffer, list_offers};
use crate::locale::Language;
use crate::model::agency::Tier;
use crate::model::indicator::{CountedUnit, IndicatorFile, Target};
use crate::model::procedure::Offerer;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  motcua indicators show par-3.4.1\n  motcua indicators offers par-3.3.3 --period 2026 --format csv"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the indicators, one line each.
    List {
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
    /// Print the complete definition of one indicator and its rule set as TOML.
    Show {
        /// Identifier, for example `par-3.4.1`.
        id: String,
    },
    /// List the procedures that an indicator counts by the registry, with lead and cooperating agencies.
    Offers {
        /// Identifier of an indicator over procedures, for example `par-3.3.3`.
        id: String,
        /// Only offers valid on a day of this period, for example `2026`.
        #[arg(long)]
        period: Option<String>,
        /// Only procedures that this agency offers, or its tier.
        #[arg(long)]
        agency: Option<String>,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        format: OutputFormat,
    },
}

#[derive(Debug, Serialize)]
struct Row {
    indicator: String,
    definition: String,
    kind: &'static str,
    document: String,
    place: String,
    rules: String,
    target: Option<f64>,
    target_period: Option<&'static str>,
    title_vi: String,
    title_en: String,
}

pub(super) fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = options.load_readable()?;
    let text = match &arguments.verb {
        Verb::List { format } => {
            let rows: Vec<Row> = config.indicators.iter().map(row).collect();
            match format {
                OutputFormat::Json => output::json(&rows)?,
                OutputFormat::Csv => output::csv(&rows)?,
                OutputFormat::Table => table(rows),
            }
        }
        Verb::Offers { id, period, agency, format } => {
            offers(&config, id, period.as_deref(), agency.as_deref(), *format)?
        }
        Verb::Show { id } => {
            let indicator = find(&config, id)?;
            let file = IndicatorFile { indicator: vec![indicator.definition.clone()] };
            let failed = |error: toml::ser::Error| Failure::internal(error.to_string());
            let rules = &config.rules[&indicator.definition.rules];
            format!(
                "# definition {}\n{}\n# rule set\n{}",
                indicator.digest,
                toml::to_string_pretty(&file).map_err(failed)?,
                toml::to_string_pretty(rules).map_err(failed)?
            )
        }
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn find<'c>(config: &'c Configuration, id: &str) -> Result<&'c DefinedIndicator, Failure> {
    config
        .indicators
        .iter()
        .find(|indicator| indicator.definition.id == *id)
        .ok_or_else(|| Failure::no_indicator(id, config))
}

/// A row of the list of procedures behind an indicator.
#[derive(Debug, Serialize)]
struct OfferRow<'a> {
    group_code: Option<&'a str>,
    procedure: &'a str,
    name: Option<&'a str>,
    /// Code of the agency, or `tier:` and the tier.
    offered_by: String,
    agency_name: Option<&'a str>,
    role: Option<&'a str>,
    interlinked: Option<&'a str>,
    at_one_stop: bool,
    valid_from: Option<String>,
    valid_to: Option<String>,
    /// Whether this offer is counted; else it belongs to a procedure that another one brings into the list.
    counted: bool,
}

fn offers(
    config: &Configuration,
    id: &str,
    period: Option<&str>,
    agency: Option<&str>,
    format: OutputFormat,
) -> Result<String, Failure> {
    let definition = &find(config, id)?.definition;
    if definition.over != CountedUnit::Procedures {
        let message = text!("`{id}` không đếm thủ tục", "`{id}` does not count procedures");
        return Err(Failure::usage(message).with_hint(language::of(
            "ví dụ `motcua indicators offers par-3.3.3`",
            "for example `motcua indicators offers par-3.3.3`",
        )));
    }
    let period = period.map(typed::period).transpose()?;
    let registries = &config.registries;
    let agency = match agency {
        None => None,
        Some(text) => {
            let code = typed::agency(config, &[], text)?;
            registries.agencies.iter().find(|known| known.code == code)
        }
    };
    let registries = (&registries.agencies[..], &registries.procedures[..], &registries.offers[..]);
    let listed = list_offers(registries, definition, period, agency);
    let listed = listed.map_err(|error| Failure::internal(error.to_string()))?;
    let rows: Vec<OfferRow<'_>> = listed.iter().map(offer_row).collect();
    match format {
        OutputFormat::Json => output::json(&rows),
        OutputFormat::Csv => output::csv(&rows),
        OutputFormat::Table => Ok(offer_table(rows)),
    }
}

fn offer_row<'a>(ListedOffer { offer, name, agency_name, is_counted }: &ListedOffer<'a>) -> OfferRow<'a> {
    OfferRow {
        group_code: offer.group_code.as_deref(),
        procedure: &offer.procedure,
        name: *name,
        offered_by: match &offer.offerer {
            Offerer::Agency(code) => code.clone(),
            Offerer::Tier(tier) => format!("tier:{}", tier.name()),
        },
        agency_name: *agency_name,
        role: offer.role.as_deref(),
        interlinked: offer.interlinked.as_deref(),
        at_one_stop: offer.at_one_stop,
        valid_from: offer.valid_from.map(|day| day.to_string()),
        valid_to: offer.valid_to.map(|day| day.to_string()),
        counted: *is_counted,
    }
}

fn offer_table(rows: Vec<OfferRow<'_>>) -> String {
    let headings = match language() {
        Language::Vietnamese => {
            ["Nhóm", "Mã TTHC", "Tên TTHC", "Cơ quan", "Vai trò", "Từ ngày", "Đến ngày", "Được tính"]
        }
        Language::English => ["Group", "Procedure", "Name", "Agency", "Role", "From", "To", "Counted"],
    };
    let cells = rows.into_iter().map(|row| {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let agency = match (row.agency_name, row.offered_by.strip_prefix("tier:")) {
            (Some(name), _) => format!("{name} ({})", row.offered_by),
            (None, Some(tier)) => {
                tier.parse().map_or_else(|_| tier.to_owned(), |tier: Tier| language().tier(tier).to_owned())
            }
            (None, None) => row.offered_by.clone(),
        };
        let role = match row.role {
            Some("lead") => language::of("chủ trì", "lead"),
            Some("cooperating") => language::of("phối hợp", "cooperating"),
            _ => "",
        };
        vec![
            text(row.group_code),
            row.procedure.to_owned(),
            text(row.name),
            agency,
            role.to_owned(),
            row.valid_from.unwrap_or_default(),
            row.valid_to.unwrap_or_default(),
            if row.counted { language::of("có", "yes") } else { "" }.to_owned(),
        ]
    });
    output::table(&headings, cells.collect())
}

fn row(indicator: &DefinedIndicator) -> Row {
    let definition = &indicator.definition;
    Row {
        indicator: definition.id.clone(),
        definition: indicator.digest.clone(),
        kind: definition.kind.name(),
        document: definition.legal.document.clone(),
        place: definition.legal.place.clone(),
        rules: definition.rules.clone(),
        target: definition.target.map(|target| target.at_least),
        target_period: definition.target.and_then(Target::annual_name),
        title_vi: definition.title.vi.clone(),
        title_en: definition.title.en.clone(),
    }
}

fn table(rows: Vec<Row>) -> String {
    let headings = match language() {
        Language::Vietnamese => ["Mã", "Chỉ số", "Căn cứ", "Bộ quy tắc", "Chỉ tiêu"],
        Language::English => ["Id", "Indicator", "Legal source", "Rule set", "Target"],
    };
    let cells = rows.into_iter().map(|row| {
        let mut target = match (row.target, row.kind) {
            (None, _) => String::new(),
            (Some(target), "ratio") => format!("≥ {}", percent(target)),
            (Some(target), _) => format!("≥ {target}"),
        };
        if row.target_period.is_some() {
            target.push_str(language::of(" (chỉ tiêu năm)", " (a year)"));
        }
        let title = language::of(&row.title_vi, &row.title_en).to_owned();
        vec![row.indicator, title, format!("{}, {}", row.document, row.place), row.rules, target]
    });
    output::table(&headings, cells.collect())
}

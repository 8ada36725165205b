//! `report --diff`: the figures that differ between two nights, and the dossiers that moved.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use super::{Arguments, FigureFilter};
use crate::cli::language::{self, language, text};
use crate::cli::nights::{DefinitionSource, night_named};
use crate::cli::output::{self, OutputFormat, number, print, print_message};
use crate::cli::{Failure, audit, list_output};
use crate::config::Configuration;
use crate::indicators::{FigureOf, Side, Standing, unexplained};
use crate::lists::{ChangeRow, DifferenceAnswer, FigureChange, figure_changes};
use crate::locale::{Initial, Language, UnitSpace, moment};
use crate::model::figure::{Figure, Night};
use crate::model::period::PeriodKind;
use crate::run::{self, ComparedFigure, MovedDossier, NightOf};

pub(super) async fn compare(
    config: Configuration,
    arguments: &Arguments,
    [before, after]: [&String; 2],
) -> Result<ExitCode, Failure> {
    let mut nights = [night_named(&config, before).await?, night_named(&config, after).await?];
    // Causes lead from the earlier night to the later one.
    nights.sort_by_key(|(record, _)| record.night.run);
    let [(old, old_figures), (new, new_figures)] = nights;
    let old_config = DefinitionSource::Night.of(config.clone(), &old)?;
    let config = DefinitionSource::Night.of(config, &new)?;
    let mut filter = FigureFilter::new(arguments, &config)?;
    if let Some(period) = filter.periods.iter().find(|period| !PeriodKind::NAMED.contains(&period.kind())) {
        return Err(Failure::usage(text!(
            "không đêm nào lưu số liệu của kỳ `{period}`",
            "no night stores figures of `{period}`"
        ))
        .with_hint(language::of(
            "nêu một năm, 6 tháng, 9 tháng, quý hoặc tháng",
            "give a year, a half-year, nine months, a quarter or a month",
        )));
    }
    filter.find_agency(&new_figures, &config)?;
    let (old_figures, new_figures) =
        (filter.select(&old_figures, &old_config).0, filter.select(&new_figures, &config).0);
    let compared = new_figures.len().max(old_figures.len());
    let changes = figure_changes(&old_figures, &new_figures);
    let moved = match compared_figure(&filter, [&old_config, &config]) {
        // Dossiers can move while the counts stay: one leaves, another one comes.
        Some(figure) => {
            let (first, second) = (old.night.run, new.night.run);
            let of = figure.figure.name();
            let what = format!("report --diff {} {} {of} {first} {second}", figure.indicator, figure.period);
            audit::log_read(&config.settings.data, &what).await?;
            let (before, after) =
                (NightOf { config: &old_config, night: &old.night }, NightOf { config: &config, night: &new.night });
            Some(run::moved_dossiers(before, after, &figure).await?)
        }
        None => None,
    };
    let nights = [&old.night, &new.night];
    match arguments.format {
        OutputFormat::Csv => print(&output::csv(&changes.iter().map(ChangeRow::of).collect::<Vec<_>>())?)?,
        OutputFormat::Json => {
            let figures = (changes.as_slice(), changes.len() as u64);
            let dossiers = moved.as_deref().map(|moved| (moved, moved.len() as u64));
            print(&list_output::json(&DifferenceAnswer::new(nights, figures, dossiers))?)?;
        }
        OutputFormat::Table => {
            let mut text = table(nights, &changes, compared, &config);
            text.push_str(&moved.as_deref().map_or_else(String::new, moved_table));
            print(&text)?;
            if moved.is_none() && !changes.is_empty() {
                print_message(language::of(
                    "nêu một chỉ số và `--period` để liệt kê các hồ sơ thay đổi, và vì sao",
                    "name one indicator and `--period` to list the dossiers that moved, and why",
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The figure whose dossiers are compared; `None` if the arguments select several, or one that has no dossiers.
fn compared_figure(filter: &FigureFilter<'_>, configs: [&Configuration; 2]) -> Option<ComparedFigure> {
    let ([indicator], Some(period)) = (filter.arguments.indicators.as_slice(), filter.period) else { return None };
    let has_dossiers = configs.iter().all(|config| {
        let known = config.indicators.iter().find(|known| known.definition.id == *indicator);
        known.is_some_and(|known| unexplained(&known.definition).is_none())
    });
    let figure = match (&filter.agency, filter.tier) {
        (Some(agency), _) => FigureOf::Agency(agency.clone()),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    };
    has_dossiers.then(|| ComparedFigure { indicator: indicator.clone(), period, figure })
}

fn table(nights: [&Night; 2], changes: &[FigureChange<'_>], compared: usize, config: &Configuration) -> String {
    let [before, after] = nights.map(|night| {
        let (run, as_of, state) = (night.run, moment(night.as_of), output::completeness(night));
        text!("lượt {run} ({as_of}, {state})", "run {run} ({as_of}, {state})")
    });
    let count = number(changes.len() as u64);
    let of = number(compared as u64);
    let mut text = text!(
        "Từ {before} đến {after}: {count} trong {of} số liệu thay đổi.\n",
        "From {before} to {after}: {count} of {of} figures changed.\n"
    );
    let value = |figure: Option<&Figure>| match figure {
        None => "–".to_owned(),
        Some(figure) => {
            let value = language().value(figure, UnitSpace::Plain);
            language().counts(figure).map_or_else(|| value.clone(), |counts| format!("{counts} = {value}"))
        }
    };
    let headings = match language() {
        Language::Vietnamese => ["Đơn vị", "Kỳ", "Trước", "Sau", "Ghi chú"],
        Language::English => ["Agency", "Period", "Before", "After", "Note"],
    };
    let mut at = 0;
    while let Some(first) = changes.get(at).map(|change| Arc::clone(&change.of_either().indicator)) {
        let rest = &changes[at..];
        let of_indicator = rest.iter().take_while(|change| change.of_either().indicator == first).count();
        let rows = rest[..of_indicator].iter().map(|change| {
            let figure = change.of_either();
            vec![
                language().scope(figure, &config.settings.province.name),
                language().period(figure.period, Initial::Lower),
                value(change.before),
                value(change.after),
                if change.definition_changed() {
                    language::of("định nghĩa đã đổi", "the definition changed").to_owned()
                } else {
                    String::new()
                },
            ]
        });
        let known = config.indicators.iter().find(|known| *known.definition.id == *first);
        let title = known.map(|known| &known.definition.title).map(|title| language::of(&title.vi, &title.en));
        let title = title.unwrap_or_default();
        let _ = writeln!(text, "\n{first} · {title}");
        text.push_str(&output::table(&headings, rows.collect()));
        at += of_indicator;
    }
    text
}

fn moved_table(moved: &[MovedDossier]) -> String {
    let standing = |standing: &Option<Standing>| match standing {
        None => language::one(Side::Excluded.meaning()).to_owned(),
        Some(one) => format!("{} ({})", language::one(one.side.meaning()), one.agency),
    };
    let rows = moved.iter().map(|one| {
        vec![
            one.dossier_code.clone().unwrap_or_else(|| one.moved.source_key.clone()),
            standing(&one.moved.before),
            standing(&one.moved.after),
            language::one(one.cause.meaning()).to_owned(),
            one.run.map(|run| run.to_string()).unwrap_or_default(),
        ]
    });
    let headings = match language() {
        Language::Vietnamese => ["Hồ sơ", "Trước", "Sau", "Vì sao", "Lượt của bản mới nhất"],
        Language::English => ["Dossier", "Before", "After", "Why", "Run of the newest version"],
    };
    let (count, table) = (number(moved.len() as u64), output::table(&headings, rows.collect()));
    text!("\n{count} hồ sơ thay đổi:\n{table}", "\n{count} dossiers moved:\n{table}")
}

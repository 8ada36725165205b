//! `reconcile --national`: our counts beside those of the national portal. They are published figures, and no dossier is read.

use std::process::ExitCode;

use crate::cli::Failure;
use crate::cli::language::{self, language, text};
use crate::cli::list_output::{ListOutput, WorkbookHead};
use crate::cli::output::{self, hint_line, number};
use crate::config::Configuration;
use crate::indicators::{FigureOf, NationalPair, NationalReconciliation, NationalRow, compare_national};
use crate::lists::{self, NationalAnswer};
use crate::locale::Initial;
use crate::model::figure::Figure;
use crate::model::period::Period;

/// Title of the workbook.
pub(super) const TITLE: &str = "Đối chiếu với Cổng Dịch vụ công quốc gia";

/// Prints or writes what a night has. `page`: rows to pass over, and most to list. That nothing is connected is no error.
pub(super) fn give(
    config: &Configuration,
    figures: &[Figure],
    (of, period): (&FigureOf, Period),
    page: (u32, u32),
    (output, head): (&ListOutput, WorkbookHead<'_>),
) -> Result<ExitCode, Failure> {
    let pairs = NationalPair::all(config.indicators.iter().map(|known| &known.definition));
    let figures_of = |id: &str| -> Vec<&Figure> { figures.iter().filter(|figure| &*figure.indicator == id).collect() };
    let found = compare_national(&pairs, figures_of, of, period);
    let list = lists::national_list(&found, page);
    let answer = NationalAnswer::new(&found, &list, period, head.night);
    if !output.is_table()
        && let Some(notice) = lists::national_notice(language(), &found)
    {
        output::print_message(notice);
    }
    output.give(&list, head, &answer, || table(&found, &pairs, period, page))?;
    Ok(ExitCode::SUCCESS)
}

fn table(
    found: &NationalReconciliation,
    pairs: &[NationalPair],
    period: Period,
    (offset, limit): (u32, u32),
) -> String {
    let lang = language();
    if let Some(notice) = lists::national_notice(lang, found) {
        return match hint(found, pairs) {
            Some(hint) => format!("{notice}\n{}\n", hint_line(hint)),
            None => format!("{notice}\n"),
        };
    }
    let of_period = lang.period(period, Initial::Lower);
    let headings = [
        language::of("Kỳ", "Period"),
        language::of("Chỉ số", "Indicator"),
        language::of("Cơ quan", "Agency"),
        language::of("Của tỉnh", "Ours"),
        language::of("Chưa rõ", "Unknown"),
        language::of("Chưa rõ có thuộc phạm vi", "May belong"),
        language::of("Cổng quốc gia", "National portal"),
        language::of("Chênh lệch", "Difference"),
        language::of("Kết quả", "Result"),
    ];
    let above_zero = |count: Option<u64>| count.filter(|count| *count > 0).map(number).unwrap_or_default();
    let row = |one: &NationalRow| {
        vec![
            lang.period(one.period, Initial::Upper),
            one.pair.local.to_string(),
            lists::national_scope(lang, one),
            lists::national_counts(lang, one.ours).unwrap_or_default(),
            above_zero(one.ours.map(|ours| ours.unknown)),
            above_zero(one.ours.map(|ours| ours.undecided)),
            lists::national_counts(lang, one.theirs).unwrap_or_default(),
            lists::national_difference(lang, one).unwrap_or_default(),
            language::one(one.class().meaning()).to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = found.rows.iter().skip(offset as usize).take(limit as usize).map(row).collect();
    let cut = lists::cut_note(lang, rows.len() as u64, found.rows.len() as u64);
    let table = output::table(&headings, rows);
    let cut = cut.map(|cut| text!("{cut} dòng\n", "{cut} rows\n")).unwrap_or_default();
    text!(
        "Đối chiếu với Cổng Dịch vụ công quốc gia, {of_period}\n{table}{cut}",
        "Our counts against the national portal, {of_period}\n{table}{cut}"
    )
}

/// What connects the national evaluation.
fn hint(found: &NationalReconciliation, pairs: &[NationalPair]) -> Option<&'static str> {
    if found.is_connected {
        return None;
    }
    Some(if pairs.is_empty() {
        language::of(
            "ghi `reconcile_with` vào các chỉ số của Cổng quốc gia trong `config/indicators`, như trong cấu hình mà `motcua init` tạo",
            "write `reconcile_with` into the indicators of the national portal in `config/indicators`, as `motcua init` has them",
        )
    } else {
        language::of(
            "`motcua connectors add national-evaluation`, đặt các biến mà README của kết nối nêu, rồi `motcua run`",
            "`motcua connectors add national-evaluation`, set the variables that its README names, then `motcua run`",
        )
    })
}

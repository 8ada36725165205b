//! Lists as the command line gives them: printed, or written as a workbook.
#![expect(clippy::disallowed_methods, reason = "edge: writes the workbook")]

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::Failure;
use crate::cli::language::{self, language, text};
use crate::cli::output::{print, print_message};
use crate::lists;
use crate::locale::moment;
use crate::model::figure::Night;
use crate::model::list::{List, ListCell};

/// How a list is printed or written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    #[default]
    Table,
    Json,
    Csv,
    Xlsx,
}

/// Format and file of a list.
#[derive(Debug, clap::Args)]
pub(super) struct ListOutput {
    /// Output format. `xlsx` is written to the file that `--output` names.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ListFormat,
    /// Path of the workbook (XLSX).
    #[arg(short, long, value_name = "FILE", required_if_eq("format", "xlsx"))]
    output: Option<PathBuf>,
}

/// What stands above the list in a workbook, which is in Vietnamese whatever the language of the command line is.
pub(super) struct WorkbookHead<'a> {
    pub(super) title: &'a str,
    /// Name of what the list is of, and its text.
    pub(super) about: Vec<(&'static str, String)>,
    pub(super) night: &'a Night,
}

impl ListOutput {
    pub(super) fn is_table(&self) -> bool {
        self.format == ListFormat::Table
    }

    /// Most rows to list: as asked for, else all but in a table.
    pub(super) fn limit(&self, given: Option<u32>, of_table: u32) -> u32 {
        given.unwrap_or(if self.is_table() { of_table } else { u32::MAX })
    }

    /// Refuses `--output` with a format that is printed.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.output.is_none() || self.format == ListFormat::Xlsx {
            return Ok(());
        }
        let message = language::of("`--output` chỉ dùng cho tệp Excel", "`--output` is for workbooks");
        Err(Failure::usage(message).with_hint(language::of(
            "thêm `--format xlsx`, hoặc chuyển hướng những gì được in",
            "add `--format xlsx`, or redirect what is printed",
        )))
    }

    /// Prints or writes a list. `table`: as a terminal shows it; `answer`: as JSON.
    pub(super) fn give(
        &self,
        list: &List,
        head: WorkbookHead<'_>,
        answer: &impl Serialize,
        table: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.format {
            ListFormat::Table => print(&table()),
            ListFormat::Json => print(&json(answer)?),
            ListFormat::Csv => print(&csv(list)?),
            ListFormat::Xlsx => self.write(list, head),
        }
    }

    fn write(&self, list: &List, head: WorkbookHead<'_>) -> Result<(), Failure> {
        let file = self.output.as_ref().expect("the command line requires it");
        let night = head.night;
        let mut about = head.about;
        let state = if night.complete { "đủ nguồn" } else { "CHƯA ĐỦ NGUỒN, số liệu tạm thời" };
        about.push(("Tính lúc", format!("{}; lượt {}; {state}", moment(night.as_of), night.run)));
        // Where the workbook is written, its rows can be written.
        let scratch = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut bytes = Vec::new();
        let written = lists::workbook(list, (head.title, &about), night.as_of, (scratch, &mut bytes));
        written.map_err(|error| match error {
            lists::WorkbookError::TooManyRows(_) => Failure::usage(error.to_string()).with_hint(language::of(
                "dùng `--limit`, một cơ quan, hoặc `--format csv`",
                "take `--limit`, one agency, or `--format csv`",
            )),
            lists::WorkbookError::Scratch(error) => Failure::not_written(file, &error),
            lists::WorkbookError::Xlsx(_) => Failure::internal(error.to_string()),
        })?;
        std::fs::write(file, bytes).map_err(|error| Failure::not_written(file, &error))?;
        let rows = list.rows.len();
        print_message(&text!("đã ghi {rows} dòng vào `{}`", "wrote {rows} rows to `{}`", file.display()));
        Ok(())
    }
}

/// A value as JSON on several lines.
pub(super) fn json(answer: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(answer).map_err(|error| Failure::internal(error.to_string()))?;
    Ok(format!("{text}\n"))
}

/// A list as CSV with a header.
pub(super) fn csv(list: &List) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    lists::csv(list, &mut bytes).map_err(|error| Failure::internal(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Failure::internal(error.to_string()))
}

/// The cells of some columns of a row, as a person reads them.
pub(super) fn shown_cells(list: &List, row: &[ListCell], columns: &[usize]) -> Vec<String> {
    columns.iter().map(|&at| lists::shown(language(), &list.columns[at], &row[at])).collect()
}

/// The headings of some columns of a list.
pub(super) fn headings(list: &List, columns: &[usize]) -> Vec<&'static str> {
    columns.iter().map(|&at| language::of(list.columns[at].vi, list.columns[at].en)).collect()
}

/// The positions of columns, in their order in the list.
pub(super) fn places_of(list: &List, names: &[&str]) -> Vec<usize> {
    (0..list.columns.len()).filter(|&at| names.contains(&list.columns[at].name)).collect()
}

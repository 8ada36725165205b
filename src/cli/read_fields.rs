//! What `check` says of each field: how many texts were read, and which were not, by their shape.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::language::text;
use crate::cli::output::moment;
use crate::fields::{FieldReader, Readers, shape};
use crate::model::page::Page;
use crate::model::record::Value;

/// Shapes of a field that are shown, the most frequent first.
const SHOWN_SHAPES: usize = 5;
/// Rows that are named beside a shape.
const SHOWN_ROWS: usize = 3;

/// The texts of one field.
#[derive(Debug, Default)]
struct FieldTexts {
    read: usize,
    empty: usize,
    /// Earliest and latest instant that was read.
    range: Option<(i64, i64)>,
    /// Reason and shape → rows.
    refused: BTreeMap<(&'static str, String), Vec<u32>>,
}

/// One line for each field with texts that were not read, or for every field; each begins with a line end.
pub(super) fn lines(readers: &Readers, page: &Page, is_every_field: bool) -> String {
    let cells = readers.cells(page);
    let mut text = String::new();
    for (number, reader) in readers.all().enumerate() {
        // Readers of partial rows follow those of whole rows.
        let (prefix, number) = match number.checked_sub(readers.readers.len()) {
            Some(number) => ("partial ", number),
            None => ("", number),
        };
        let mut texts = FieldTexts::default();
        for index in (0..page.len()).filter(|index| page.row(*index).1.is_none()) {
            let row = readers.of_row(page, index, &cells);
            if row.is_partial == prefix.is_empty() {
                continue;
            }
            let cells = &row.cells[number];
            match reader.first(page, index, cells).map(|first| (first.value, first.text)) {
                Some((Ok(value), _)) if value != Value::Null => {
                    texts.read += 1;
                    if let Value::Instant(at) = value {
                        let (first, last) = texts.range.unwrap_or((at, at));
                        texts.range = Some((first.min(at), last.max(at)));
                    }
                }
                Some((Err(reason), refused)) => {
                    // The name of a procedure is public, and must be looked for in the registry.
                    let is_name = FieldReader::is_unresolved_name(&refused, reason);
                    let shown = if is_name { refused.trim().to_owned() } else { shape(&refused) };
                    let rows = texts.refused.entry((reason.code(), shown)).or_default();
                    rows.push(page.row(index).0);
                }
                _ => texts.empty += 1,
            }
        }
        if is_every_field || !texts.refused.is_empty() {
            let _ = write!(text, "\n  {prefix}{}", line(reader, &texts));
        }
    }
    text
}

fn line(reader: &FieldReader, texts: &FieldTexts) -> String {
    let (column, read, empty) = (&reader.column, texts.read, texts.empty);
    let mut line = text!("{column}: {read} đọc được, {empty} trống", "{column}: {read} read, {empty} empty");
    if let Some((first, last)) = texts.range {
        let [first, last] = [first, last].map(moment);
        line.push_str(&text!("; từ {first} đến {last}", "; from {first} to {last}"));
    }
    let mut refused: Vec<_> = texts.refused.iter().collect();
    refused.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    for ((reason, shape), rows) in refused.iter().take(SHOWN_SHAPES) {
        let shown: Vec<String> = rows.iter().take(SHOWN_ROWS).map(u32::to_string).collect();
        let more = if rows.len() > SHOWN_ROWS { " …" } else { "" };
        let (count, shown) = (rows.len(), shown.join(", "));
        line.push_str(&text!(
            "; {count} {reason} `{shape}` ở dòng {shown}{more}",
            "; {count} {reason} `{shape}` in rows {shown}{more}"
        ));
    }
    if refused.len() > SHOWN_SHAPES {
        let others: usize = refused[SHOWN_SHAPES..].iter().map(|(_, rows)| rows.len()).sum();
        line.push_str(&text!("; {others} dạng khác", "; {others} of other shapes"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connector::ConnectorFile;

    #[test]
    fn each_field_says_what_was_read_and_what_was_not() {
        let file: ConnectorFile = toml::from_str(
            "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='files'\nfolder='in'\n\
             glob='*'\n[decode]\ntype='json'\n[map.due_at]\nfrom='due'\ntype='instant'\nformats=['dd/MM/yyyy']\n\
             [map.source_key]\nfrom='id'\ntype='code'\n",
        )
        .expect("a valid connector");
        let readers = Readers::compile(&file).expect("a valid map");
        let mut page = Page::new(1, String::new(), String::new(), readers.fields.clone());
        let due = page.fields.iter().position(|field| field == "due").expect("kept");
        for (row, text) in (1..).zip(["05/01/2026", "", "5-1-2026", "6-1-2026", "hôm nay", "7-1-2026", "8-1-2026"]) {
            page.begin_row(row);
            page.set(due, text);
            page.set(1 - due, "a");
        }
        assert_eq!(
            lines(&readers, &page, false),
            "\n  due_at: 1 read, 1 empty; from 2026-01-05 00:00 to 2026-01-05 00:00; 4 not_an_instant `?9.9.9:8` in rows 3, 4, 6 …; 1 not_an_instant `?a_a:7` in rows 5"
        );
        assert!(lines(&readers, &page, true).ends_with("\n  source_key: 7 read, 0 empty"));
    }
}

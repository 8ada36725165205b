//! Table layout shared by CSV files and sheets of workbooks: title rows, a header row, records, a footer row (the
//! connector's `complete.trailer`) that may declare the sum or count of the rows above it. Headings are compared after
//! [`fold`], which makes case and kinds of spaces equal.

use crate::fields::explode_path::ASKED_PERIOD;
use crate::fields::{FieldReader, Readers};
use crate::model::connector::{SourceField, Trailer};
use crate::model::text::fold;
use crate::sources::decode::headings;
use crate::sources::decode::trailer::TrailerCheck;
use crate::sources::error::{ErrorKind, SourceError};

/// Maximum number of title rows above the header row.
pub(crate) const MAX_TITLE_ROWS: usize = 100;
/// Bytes of the title rows in which the date of `access.order` is looked for.
pub(crate) const MAX_TITLE_BYTES: usize = 1 << 16;

/// Layout of a connector's tables, from `[decode]`, `[map]` and `complete.trailer`.
#[derive(Debug, Clone)]
pub struct TableLayout {
    /// Folded name of a column that identifies the header row.
    pub(crate) header: String,
    /// The same as the connector writes it.
    pub(crate) header_name: String,
    /// Folded beginnings of a footer row.
    footers: Vec<String>,
    /// The kept source fields, in cell order.
    pub(crate) fields: Vec<TableField>,
    /// For each canonical column without a default, the places of its source fields in `fields`: the header row must have
    /// at least one of them.
    required: Vec<Vec<usize>>,
    trailer: Option<Trailer>,
    /// Whether the headings stand in two rows (`header_rows = 2`).
    has_two_header_rows: bool,
}

/// A kept source field of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableField {
    /// As messages show it.
    name: String,
    /// Folded heading; empty if the column is declared by its place.
    pub(crate) heading: String,
    place: Place,
}

/// Which column a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The only one with its heading.
    Only,
    /// The one at this place among those with its heading, from 1.
    Nth(u32),
    /// The one at this place among all, from 1.
    At(u32),
    /// None: the field is not in the table.
    Nowhere,
}

/// Columns of one table.
#[derive(Debug, Clone)]
pub(crate) struct TableColumns {
    /// For each column, the page cells that it fills.
    pub(crate) fills: Vec<Vec<usize>>,
    /// `None` if the connector declares no trailer.
    pub(crate) trailer: Option<TrailerCheck>,
    /// The two rows of headings, folded; `None` if there is one.
    header_rows: Option<[Vec<String>; 2]>,
}

impl TableLayout {
    #[must_use]
    pub fn compile(header: &str, footers: &[String], readers: &Readers, trailer: Option<&Trailer>) -> Self {
        // A missing column is an error, not an empty column, unless a `default` states its value.
        let cell = |name: &String| readers.fields.iter().position(|field| field == name);
        let is_asked = |reader: &&FieldReader| reader.from.iter().any(|field| field == ASKED_PERIOD);
        let required = readers.readers.iter().filter(|reader| !reader.optional && !is_asked(reader));
        let required = required.map(|reader| reader.from.iter().filter_map(cell).collect());
        let times = readers.readers.iter().filter_map(|reader| Some(vec![cell(reader.time.as_ref()?)?]));
        let field = |(name, source): (&String, &SourceField)| TableField::new(name.clone(), source);
        Self {
            header: fold(header),
            header_name: header.to_owned(),
            footers: footers.iter().map(|footer| fold(footer)).filter(|footer| !footer.is_empty()).collect(),
            fields: readers.fields.iter().zip(readers.sources.iter()).map(field).collect(),
            required: required.chain(times).collect(),
            trailer: trailer.cloned(),
            has_two_header_rows: false,
        }
    }

    /// Reads headings that stand in so many rows, one or two.
    #[must_use]
    pub(crate) fn with_header_rows(mut self, rows: u32) -> Self {
        self.has_two_header_rows = rows == 2;
        self
    }

    /// Whether the row below the one with `decode.header` has headings, too.
    pub(crate) fn has_two_header_rows(&self) -> bool {
        self.has_two_header_rows
    }

    /// The columns of a table whose headings stand in two rows, folded.
    ///
    /// # Errors
    /// Those of [`TableLayout::columns`].
    pub(crate) fn columns_below(&self, upper: &[String], lower: &[String]) -> Result<TableColumns, SourceError> {
        let mut header = headings::joined(upper, lower);
        self.trim_header(&mut header);
        let header_rows = [upper, lower].map(|row| headings::without_end(row).to_vec());
        Ok(TableColumns { header_rows: Some(header_rows), ..self.columns(&header)? })
    }

    /// Folded headings of the kept source fields, in cell order.
    #[cfg(test)]
    pub(crate) fn headings(&self) -> std::sync::Arc<[String]> {
        self.fields.iter().map(|field| field.heading.clone()).collect()
    }

    /// The columns of a table. `header` holds the folded cells of its header row.
    ///
    /// # Errors
    /// `heading_repeated` if several columns have the heading of a field that does not say which one it means;
    /// `header_not_found` if the header row lacks a required column or one that the trailer needs.
    pub(crate) fn columns(&self, header: &[String]) -> Result<TableColumns, SourceError> {
        let places: Vec<Option<usize>> =
            self.fields.iter().map(|field| field.place(header)).collect::<Result<_, _>>()?;
        for alternatives in &self.required {
            if alternatives.iter().all(|&cell| places[cell].is_none()) {
                let name = |&cell: &usize| format!("`{}`", self.fields[cell].name);
                return Err(self.no_column(&alternatives.iter().map(name).collect::<Vec<_>>().join(" or ")));
            }
        }
        let mut fills = vec![Vec::new(); header.len()];
        for (cell, place) in places.into_iter().enumerate() {
            if let Some(place) = place {
                fills[place].push(cell);
            }
        }
        let at =
            |name: &str| self.trailer_field(name).place(header)?.ok_or_else(|| self.no_column(&format!("`{name}`")));
        let trailer = match &self.trailer {
            None => None,
            Some(trailer) => {
                let column = at(&trailer.column)?;
                let summed = trailer.of.as_deref().map_or(Ok(column), at)?;
                Some(TrailerCheck::new(column, summed, trailer.holds))
            }
        };
        Ok(TableColumns { fills, trailer, header_rows: None })
    }

    fn no_column(&self, names: &str) -> SourceError {
        let in_two_rows = if names.contains(" / ") && !self.has_two_header_rows {
            "; headings in two rows are joined like this with `header_rows = 2` in `[decode]`"
        } else {
            ""
        };
        SourceError::new(ErrorKind::HeaderNotFound, format!("the header row has no column {names}{in_two_rows}"))
    }

    /// Leaves out empty cells at the end of a header row, but for those of columns that are declared by their place.
    pub(crate) fn trim_header(&self, cells: &mut Vec<String>) {
        let last = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let placed =
            self.fields.iter().map(|field| if let Place::At(place) = field.place { place as usize } else { 0 });
        cells.resize(placed.fold(last, usize::max), String::new());
    }

    /// A column of the trailer: if exactly one field reads the heading, the column of that field.
    fn trailer_field(&self, name: &str) -> TableField {
        let heading = fold(name);
        let mut places = self.fields.iter().filter(|field| field.heading == heading).map(|field| field.place);
        let place = if let (Some(place), None) = (places.next(), places.next()) { place } else { Place::Only };
        TableField { name: name.to_owned(), heading, place }
    }

    /// Whether a cell may be one of a row that repeats the header row. For speed: most records have a cell that begins with a
    /// digit. A mapped heading that begins with one turns this off.
    pub(crate) fn may_be_heading(&self, cell: &[u8]) -> bool {
        let has_number = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
        !has_number(cell) || self.fields.iter().any(|field| has_number(field.heading.as_bytes()))
    }

    /// Whether a row below the header row has headings instead of values: that of `decode.header`, and headings of at
    /// least half of the mapped columns. `cells` are folded.
    fn is_heading_row(&self, columns: &TableColumns, cells: &[String]) -> bool {
        cells.contains(&self.header) && columns.is_record(self.headings_among(cells))
    }

    /// How many fields have their heading among `cells`, which are folded.
    fn headings_among(&self, cells: &[String]) -> usize {
        let is_there = |field: &&TableField| !field.heading.is_empty() && cells.contains(&field.heading);
        self.fields.iter().filter(is_there).count()
    }

    /// Whether a row has at least two of the headings, and half of them. `cells` are folded.
    pub(crate) fn has_most_headings(&self, cells: &[String]) -> bool {
        self.headings_among(cells) >= self.fields.len().div_ceil(2).max(2)
    }

    /// Whether a row below the header row repeats it, so that it is skipped. `row` is its place.
    ///
    /// # Errors
    /// `headings_moved` if its columns differ from those of the header row: the rows below it cannot be read as those above
    /// it.
    pub(crate) fn repeats_header(
        &self,
        columns: &TableColumns,
        texts: &[&str],
        row: impl std::fmt::Display,
    ) -> Result<bool, SourceError> {
        let cells: Vec<String> = texts.iter().map(|text| fold(text)).collect();
        if let Some(rows) = &columns.header_rows {
            return Ok(rows.iter().any(|row| !row.is_empty() && *row == headings::without_end(&cells)));
        }
        if !self.is_heading_row(columns, &cells) {
            return Ok(false);
        }
        if self.columns(&cells).is_ok_and(|found| found.filled() == columns.filled()) {
            return Ok(true);
        }
        let message = format!("{row} is a second header row whose columns differ from those of the first");
        Err(SourceError::new(ErrorKind::HeadingsMoved, message))
    }

    /// Whether a row is a footer row. `first` is its first non-empty cell.
    pub(crate) fn is_footer(&self, first: &[u8]) -> bool {
        // For speed: most rows begin with a number, and then only footers that begin with a digit are compared.
        let number = first.first().is_some_and(u8::is_ascii_digit);
        self.footers
            .iter()
            .filter(|footer| !number || footer.as_bytes()[0].is_ascii_digit())
            .any(|footer| std::str::from_utf8(first).is_ok_and(|text| fold(text).starts_with(footer.as_str())))
    }
}

impl TableField {
    fn new(name: String, source: &SourceField) -> Self {
        let (heading, place) = match source {
            SourceField::Name(name) if name == ASKED_PERIOD => (String::new(), Place::Nowhere),
            SourceField::Name(heading) => (fold(heading), Place::Only),
            SourceField::Repeated(repeated) => (fold(&repeated.column), Place::Nth(repeated.nth)),
            SourceField::Placed(placed) => (String::new(), Place::At(placed.position)),
        };
        Self { name, heading, place }
    }

    /// Index of the field's column; `None` if the header row does not have it.
    fn place(&self, header: &[String]) -> Result<Option<usize>, SourceError> {
        let from_one = |place: u32| usize::try_from(place).ok()?.checked_sub(1);
        let alike: Vec<usize> = (0..header.len()).filter(|&at| header[at] == self.heading).collect();
        match (self.place, &alike[..]) {
            (Place::Nowhere, _) => Ok(None),
            (Place::At(place), _) => Ok(from_one(place).filter(|&at| at < header.len())),
            (Place::Nth(nth), _) => Ok(from_one(nth).and_then(|nth| alike.get(nth)).copied()),
            (Place::Only, [_, _, ..]) => {
                let places: Vec<String> = alike.iter().map(|at| (at + 1).to_string()).collect();
                let message = format!(
                    "the header row has {} columns `{}`: columns {}",
                    alike.len(),
                    self.name,
                    places.join(", ")
                );
                Err(SourceError::new(ErrorKind::HeadingRepeated, message))
            }
            (Place::Only, _) => Ok(alike.first().copied()),
        }
    }
}

impl TableColumns {
    /// What the columns fill, without the unmapped ones at the end.
    fn filled(&self) -> &[Vec<usize>] {
        let last = self.fills.iter().rposition(|fields| !fields.is_empty());
        &self.fills[..last.map_or(0, |last| last + 1)]
    }

    /// Whether a row with so many non-empty mapped columns can be a record, not a signature or remark: a record fills at
    /// least half of them, and at least two.
    pub(crate) fn is_record(&self, filled: usize) -> bool {
        let kept = self.fills.iter().filter(|fields| !fields.is_empty()).count();
        filled > 0 && filled >= kept.div_ceil(2).max(2).min(kept)
    }
}

pub(crate) fn rows_below_footer(row: impl std::fmt::Display) -> SourceError {
    SourceError::new(ErrorKind::RowsBelowFooter, format!("{row}, below the footer row, looks like a record"))
}

/// Whether the row below the header row numbers its columns, as printed forms do: `(1) (2) (3)`, `A B 1 2 3`,
/// `1 2 3=4+5`. It has three cells or more, letters before numbers, and the numbers count from 1.
pub(crate) fn numbers_columns(texts: &[&str]) -> bool {
    let (mut letters, mut numbers) = (0, 0);
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let place = text.split('=').next().unwrap_or_default().trim().trim_matches(['(', ')', '[', ']']);
        match place.as_bytes() {
            [letter] if letter.is_ascii_alphabetic() && numbers == 0 => letters += 1,
            _ if place.parse() == Ok(numbers + 1) => numbers += 1,
            _ => return false,
        }
    }
    numbers >= 2 && letters + numbers >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_numbers_its_columns_is_told_from_a_record() {
        for (texts, expected) in [
            (&["(1)", "(2)", "(3)"][..], true),
            (&["A", "B", "1", "2", "3=1+2", ""], true),
            (&["1", "", " 2 ", "[3]"], true),
            (&["(1)", "(2)", "(3)=(1)-(2)"], true),
            (&["(1)", "(2)"], false),
            (&["A", "B", "C"], false),
            (&["1", "3", "2"], false),
            (&["1", "HS-0001", "2"], false),
            (&["0", "1", "2"], false),
            (&[], false),
        ] {
            assert_eq!(numbers_columns(texts), expected, "{texts:?}");
        }
    }
}

#[cfg(test)]
#[path = "table_heading_tests.rs"]
mod heading_tests;

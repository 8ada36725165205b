//! The readers of a connector.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fields::explode_path::NO_DETAIL;
use crate::fields::field_cells::FieldCells;
use crate::fields::reader::FieldReader;
use crate::model::connector::{Connector, ConnectorFile, FieldMap, FieldType, OneOrMany, SourceField};
use crate::model::page::Page;
use crate::model::text::is_blank;

/// Readers of a connector, and the source fields that they keep.
#[derive(Debug, Clone)]
pub struct Readers {
    /// Readers of rows that state their whole record: those of `[map]`.
    pub readers: Vec<FieldReader>,
    /// Readers of rows that state a part of their record, if the connector has both.
    pub partial: Option<PartialReaders>,
    /// Kept source fields, in the order of a page's cells ([`Page::fields`]).
    pub fields: Arc<[String]>,
    /// The declaration of each of `fields`.
    pub sources: Arc<[SourceField]>,
}

/// Readers of rows that state a part of their record: those of `[partial.map]`.
#[derive(Debug, Clone)]
pub struct PartialReaders {
    /// Source field that only such rows have.
    field: String,
    pub readers: Vec<FieldReader>,
}

/// The cells of a page that the readers read.
#[derive(Debug, Clone, Default)]
pub struct PageCells {
    whole: Vec<FieldCells>,
    /// The cell of `partial.field`, and the cells of the readers of partial rows.
    partial: Option<(usize, Vec<FieldCells>)>,
}

/// The readers of one row, each with its cells.
#[derive(Debug, Clone, Copy)]
pub struct RowReaders<'r> {
    /// Whether the row is one of those that `[partial]` declares.
    pub is_partial: bool,
    pub readers: &'r [FieldReader],
    pub cells: &'r [FieldCells],
}

impl<'r> RowReaders<'r> {
    /// Each reader with its cells.
    pub fn with_cells(&self) -> impl Iterator<Item = (&'r FieldReader, &'r FieldCells)> + use<'r> {
        self.readers.iter().zip(self.cells)
    }
}

/// The source fields that readers keep, while they are compiled.
#[derive(Default)]
struct KeptFields {
    names: Vec<String>,
    sources: Vec<SourceField>,
}

impl Readers {
    /// Compiles `[map]` and `[partial.map]` of a connector.
    ///
    /// # Errors
    /// Column, key and message of the first entry that does not compile.
    pub fn compile(file: &ConnectorFile) -> Result<Self, (String, &'static str, String)> {
        let mut kept = KeptFields::default();
        let readers = kept.compile(file, &map_of(file))?;
        let partial = match &file.partial {
            Some(partial) => {
                let readers = kept.compile(file, &partial.map)?;
                Some(PartialReaders { field: partial.field.clone(), readers })
            }
            None => None,
        };
        Ok(Self { readers, partial, fields: kept.names.into(), sources: kept.sources.into() })
    }

    /// The readers of a checked connector, which look names up in its registry.
    ///
    /// # Panics
    /// If the connector was not checked by `config`.
    #[must_use]
    pub fn of(connector: &Connector) -> Self {
        let mut readers = Self::compile(&connector.file).expect("config compiled every map");
        let partial = readers.partial.iter_mut().flat_map(|partial| &mut partial.readers);
        readers.readers.iter_mut().chain(partial).for_each(|reader| reader.set_names(&connector.procedure_names));
        readers
    }

    /// Readers of all rows.
    pub fn all(&self) -> impl Iterator<Item = &FieldReader> {
        self.readers.iter().chain(self.partial.iter().flat_map(|partial| &partial.readers))
    }

    /// The cells of each reader in a page.
    #[must_use]
    pub fn cells(&self, page: &Page) -> PageCells {
        let cell = |field: &String| page.fields.iter().position(|kept| kept == field);
        let cells = |reader: &FieldReader| FieldCells {
            from: reader.from.iter().filter_map(cell).collect(),
            time: reader.time.as_ref().and_then(cell),
        };
        let partial = self.partial.as_ref().and_then(|partial| {
            // A page that was landed before the connector had partial rows lacks the field.
            Some((cell(&partial.field)?, partial.readers.iter().map(cells).collect()))
        });
        PageCells { whole: self.readers.iter().map(cells).collect(), partial }
    }

    /// The readers of row `index`. `cells`: the [cells](Self::cells) of its page.
    #[must_use]
    pub fn of_row<'r>(&'r self, page: &Page, index: usize, cells: &'r PageCells) -> RowReaders<'r> {
        let has_text = |cell: usize| page.cell(index, cell).is_some_and(|text| !is_blank(text));
        match (&self.partial, &cells.partial) {
            (Some(partial), Some((field, cells))) if has_text(*field) => {
                RowReaders { is_partial: true, readers: &partial.readers, cells }
            }
            _ => RowReaders { is_partial: false, readers: &self.readers, cells: &cells.whole },
        }
    }
}

/// `[map]`, with the column that `detail.missing = "delete"` fills.
fn map_of(file: &ConnectorFile) -> Cow<'_, BTreeMap<String, FieldMap>> {
    if !file.deletes_without_details() {
        return Cow::Borrowed(&file.map);
    }
    let mut map = file.map.clone();
    let absent = || FieldMap { default: Some(String::new()), ..FieldMap::of(FieldType::Flag) };
    let deleted = map.entry("deleted".to_owned()).or_insert_with(absent);
    let own = deleted.from.as_slice().to_vec();
    deleted.from = OneOrMany::Many(std::iter::once(SourceField::Name(NO_DETAIL.to_owned())).chain(own).collect());
    Cow::Owned(map)
}

impl KeptFields {
    /// Compiles the readers of a map, and notes what they keep.
    fn compile(
        &mut self,
        file: &ConnectorFile,
        map: &BTreeMap<String, FieldMap>,
    ) -> Result<Vec<FieldReader>, (String, &'static str, String)> {
        let mut readers = Vec::new();
        for (column, map) in map {
            let compiled = FieldReader::compile(column, map, file.decode.null_values());
            let mut reader = compiled.map_err(|(key, why)| (column.clone(), key, why))?;
            reader.ill_typed = map.ill_typed.unwrap_or(file.contract.ill_typed);
            if file.decode.has_date_cells() {
                reader.add_cell_format();
            }
            for source in map.from.as_slice().iter().chain(&map.time) {
                let field = source.name();
                if !self.names.contains(&field) {
                    self.names.push(field);
                    self.sources.push(source.clone());
                }
            }
            readers.push(reader);
        }
        Ok(readers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &str = "[connector]\nversion=1\ntitle=''\nkind='dossiers'\nsystem=''\ncontact=''\n[access]\ntype='http'\n\
                         base_url='https://x.example'\n[decode]\ntype='json'\n[map.source_key]\nfrom='id'\ntype='code'\n";

    fn readers(more: &str) -> Readers {
        let file: ConnectorFile = toml::from_str(&format!("{ABOUT}{more}")).expect("a valid connector");
        Readers::compile(&file).expect("a valid map")
    }

    #[test]
    fn a_row_with_a_text_in_the_field_of_partial_rows_is_one() {
        let readers = readers(
            "[partial]\nfield='at'\n[partial.map.source_updated_at]\nfrom='at'\ntype='instant'\nformats=['yyyyMMdd']\n",
        );
        assert_eq!(*readers.fields, ["id".to_owned(), "at".to_owned()]);
        let mut page = Page::new(1, String::new(), String::new(), readers.fields.clone());
        for text in [None, Some(""), Some(" \u{200b}"), Some("2025"), Some("?9:4 not_an_instant")] {
            page.begin_row(1);
            if let Some(text) = text {
                page.set(1, text);
            }
        }
        let cells = readers.cells(&page);
        let is_partial = |row| readers.of_row(&page, row, &cells).is_partial;
        assert_eq!([0, 1, 2, 3, 4].map(is_partial), [false, false, false, true, true]);
        // Landed before the connector had such rows.
        let mut older = Page::new(1, String::new(), String::new(), ["id".to_owned()].into());
        older.begin_row(1);
        let cells = readers.cells(&older);
        assert!(!readers.of_row(&older, 0, &cells).is_partial);
    }

    #[test]
    fn a_missing_detail_is_read_before_what_the_source_says_of_deletions() {
        let detail = "[detail]\nmissing='delete'\nrequest={path='/{record.id}'}\n";
        let own = "[map.deleted]\nfrom='gone'\ntype='flag'\n";
        for (more, expected) in [
            (detail.to_owned(), vec![NO_DETAIL]),
            (format!("{detail}{own}"), vec![NO_DETAIL, "gone"]),
            (own.to_owned(), vec!["gone"]),
        ] {
            let readers = readers(&more);
            let deleted = readers.readers.iter().find(|reader| reader.column == "deleted").expect("it is read");
            assert_eq!(deleted.from, expected);
        }
    }
}

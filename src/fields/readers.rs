//! The readers of a connector.

use std::sync::Arc;

use crate::fields::field_cells::FieldCells;
use crate::fields::reader::FieldReader;
use crate::model::connector::{ConnectorFile, SourceField};
use crate::model::page::Page;

/// Readers of a connector, and the source fields that they keep.
#[derive(Debug, Clone)]
pub struct Readers {
    pub readers: Vec<FieldReader>,
    /// Kept source fields, in the order of a page's cells ([`Page::fields`]).
    pub fields: Arc<[String]>,
    /// The declaration of each of `fields`.
    pub sources: Arc<[SourceField]>,
}

impl Readers {
    /// Compiles `[map]` of a connector.
    ///
    /// # Errors
    /// Column, key and message of the first entry that does not compile.
    pub fn compile(file: &ConnectorFile) -> Result<Self, (String, &'static str, String)> {
        let mut readers = Vec::new();
        let (mut fields, mut sources) = (Vec::<String>::new(), Vec::new());
        for (column, map) in &file.map {
            let compiled = FieldReader::compile(column, map, file.decode.null_values());
            let mut reader = compiled.map_err(|(key, why)| (column.clone(), key, why))?;
            reader.ill_typed = map.ill_typed.unwrap_or(file.contract.ill_typed);
            if file.decode.has_date_cells() {
                reader.add_cell_format();
            }
            for source in map.from.as_slice().iter().chain(&map.time) {
                let field = source.name();
                if !fields.contains(&field) {
                    fields.push(field);
                    sources.push(source.clone());
                }
            }
            readers.push(reader);
        }
        Ok(Self { readers, fields: fields.into(), sources: sources.into() })
    }

    /// The cells of each reader in a page.
    #[must_use]
    pub fn cells(&self, page: &Page) -> Vec<FieldCells> {
        let cell = |field: &String| page.fields.iter().position(|kept| kept == field);
        let cells = |reader: &FieldReader| FieldCells {
            from: reader.from.iter().filter_map(cell).collect(),
            time: reader.time.as_ref().and_then(cell),
        };
        self.readers.iter().map(cells).collect()
    }
}

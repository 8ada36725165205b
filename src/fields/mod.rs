//! Reads kept texts as typed values: the types of `[map.COLUMN]`, their alphabets and date formats.
//!
//! Pure: a text and a compiled reader give a value or a reason code. Every stage that meets kept texts (`config`,
//! `sources`, `landing`, `canonical`) uses the same readers, so that all agree which texts fit.

mod agency_names;
mod agency_words;
mod bounds;
mod date_digits;
mod date_format;
mod date_numbers;
mod date_parts;
mod date_reading;
mod date_tokens;
mod date_words;
mod decimal_number;
pub(crate) mod explode_path;
mod field_cells;
mod null_values;
mod person_names;
mod reader;
mod readers;
pub(crate) mod select_path;
mod shape;
mod shown_names;
pub(crate) mod syntax;
mod title_date;
mod unmapped_fields;

pub use agency_names::is_publishable_agency;
pub use date_format::{CELL_FORMAT, DateFormat};
pub use field_cells::FieldCells;
pub use reader::{FieldReader, FirstValue};
pub use readers::{PageCells, PartialReaders, Readers, RowReaders};
pub use shape::shape;
pub use shown_names::{shown_host, shown_name};
pub use title_date::TitleDate;
pub use unmapped_fields::unmapped_field_path;

//! What other programs read: files of each night, forms, and PostgreSQL.
//!
//! * `publishing`: writes the files of a night, and the links to the newest.
//! * `nights`: finds and reads published nights.
//! * `csv_and_json`: which nights have CSV and JSON.
//! * `published_readme`: describes the published files to people.
//! * `definitions`: the texts that decided a night's figures.
//! * `figure_rows` and `columnar`: figures as CSV and JSON, Parquet and Arrow.
//! * `forms`: official report forms as XLSX.
//! * [`retention`]: which old files may be removed.
//! * [`postgres`]: copies a night into a database.

mod check;
#[cfg(test)]
mod column_tests;
mod columnar;
mod csv_and_json;
mod definitions;
mod error;
mod figure_rows;
mod forms;
mod nights;
pub mod postgres;
mod published_readme;
mod publishing;
mod removed_figures;
pub mod retention;

pub use check::{check_definitions, check_nights};
pub use columnar::{arrow, parquet};
pub use definitions::{read_definitions, store_definitions};
pub use error::PublishedFilesError;
pub use figure_rows::{FigureRow, csv, json};
pub use forms::{FormError, write_form};
pub use nights::{
    NightFigures, NightRecord, first_night, latest_night, newest_record, newest_run, night_folder, night_folder_of_run,
    night_of_run, night_records, read_night, run_as_of,
};
pub use publishing::publish_night;
pub use removed_figures::RemovedFigures;

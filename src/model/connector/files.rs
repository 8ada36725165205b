//! `content` and `order` of a folder: what its files mean, and which of two files is newer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the files of a folder mean together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Each file name is a list of its own. What the file holds now is what the list says: a row that it no longer has,
    /// and that no other list has, is deleted. A file that left the folder keeps its last content.
    #[default]
    Lists,
    /// The newest file is the whole list. A row that it does not have is deleted.
    Whole,
    /// Rows are only added. A row that a file no longer has is kept and reported.
    Append,
}

/// Which of two files is newer. If two lists have the same row, the newer list gives its values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileOrder {
    /// The file that was modified later.
    #[default]
    Modified,
    /// Format of a date in the file name, such as `yyyy-MM-dd` or `MM.yyyy`: the first text that matches counts. A file
    /// without such a date is ordered by its modification time.
    Name(String),
    /// The same for a date in the title rows, which stand above the header row of a table: the last text that matches
    /// counts. Texts around the date choose among several: `đến ngày {dd/MM/yyyy}`.
    Title(String),
}

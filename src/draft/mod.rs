//! The first draft of a connector, from a sample of its source: which fields mean which columns, in which types, formats and
//! words. A draft is a guess for a person to check; what it cannot guess is a comment.

mod guess;
mod headings;
mod write;

use crate::model::table::RecordKind;
use crate::sources::sample::{Sample, SampleField};

pub use guess::Guess;
pub use headings::is_heading;
pub use write::Origin;

/// A draft of `connector.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Text of the file.
    pub text: String,
    /// What was guessed for each mapped column, in the order of the file.
    pub guesses: Vec<Guess>,
    /// Names of the fields that are not mapped.
    pub unmapped: Vec<String>,
}

impl Draft {
    /// Drafts the connector `name` for records of `kind`.
    #[must_use]
    pub fn of(name: &str, kind: RecordKind, sample: &Sample, origin: &Origin) -> Self {
        let guesses = guess::guesses(kind, sample);
        let has_time =
            |guess: &Guess, name: &str| guess.map.time.as_ref().is_some_and(|time| time.column() == Some(name));
        let is_mapped = |name: &str| guesses.iter().any(|guess| guess.field.name == name || has_time(guess, name));
        let unmapped: Vec<String> = sample
            .fields
            .iter()
            .filter(|field| !is_mapped(&field.name))
            .filter_map(|field| if field.name.is_empty() { by_position(field) } else { Some(field.name.clone()) })
            .collect();
        let hints = unmapped.iter().map(|name| (name.clone(), guess::hint(kind, sample, name))).collect::<Vec<_>>();
        let text = write::connector(name, kind, sample, &guesses, &hints, origin);
        Self { text, guesses, unmapped }
    }
}

/// What a column without a heading is called, or with one that may be data of a person; `None` if it is empty.
fn by_position(column: &SampleField) -> Option<String> {
    let position = column.position.filter(|_| !column.values.is_empty())?;
    Some(format!("column {position} (it has no heading, or one that may be personal data)"))
}

#[cfg(test)]
mod tests;

//! Names of source fields that the connector does not map, as reports of drift write them.

use crate::fields::person_names::{is_person, names_no_body};

/// Longest name that is written.
const NAME_CHARS: usize = 80;

/// Path under which an unmapped field is reported: `parent` (empty at the top of a record), a dot, and the field's
/// name.
///
/// The keys of a JSON object may be data. A name that could be a person's, or that has six digits or more, is replaced
/// by `(a name withheld)`.
#[must_use]
pub fn unmapped_field_path(parent: &str, name: &str) -> String {
    let name = if is_publishable(name) { name } else { "(a name withheld)" };
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn is_publishable(name: &str) -> bool {
    let is_plain = |symbol: char| symbol.is_alphanumeric() || "_-.:$@ /()".contains(symbol);
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let is_personal = name.contains(' ')
        && (is_person(name)
            || (name.split(' ').all(|word| word.starts_with(char::is_uppercase)) && names_no_body(name)));
    !name.is_empty() && name.chars().count() <= NAME_CHARS && digits < 6 && name.chars().all(is_plain) && !is_personal
}

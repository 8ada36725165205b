//! Why a pull or a connector is not as it should be, and what to do, in Vietnamese: by the code of the reason.

use crate::cli::language::language;
use crate::locale::{Language, explanation};

/// The explanation of a code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) why: &'static str,
    pub(super) to_do: String,
}

impl Explained {
    /// `None` in English, whose recorded messages are shown, and for the code of another version.
    pub(super) fn of(code: &str, connector: &str) -> Option<Self> {
        (language() == Language::Vietnamese).then(|| Self::in_vietnamese(code, connector)).flatten()
    }

    fn in_vietnamese(code: &str, connector: &str) -> Option<Self> {
        let (why, to_do) = explanation(code)?;
        let accept = "motcua deletions accept";
        Some(Self { why, to_do: to_do.replace(accept, &format!("{accept} {connector}")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_names_the_connector() {
        let explained = Explained::in_vietnamese("deletions_too_many", "lists").expect("a known code");
        assert!(explained.to_do.contains("`motcua deletions accept lists`"), "{}", explained.to_do);
        assert_eq!(Explained::in_vietnamese("of_another_version", "lists"), None);
        assert_eq!(Explained::of("deletions_too_many", "lists"), None, "English is the language of unit tests");
    }
}

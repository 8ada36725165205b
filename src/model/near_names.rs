//! Names that are like one that does not exist, for the person who typed it.

use crate::model::text::without_marks;

/// How many names are suggested.
const SUGGESTIONS: usize = 3;
/// One mistake is allowed in any name, a further one for this many characters.
const CHARACTERS_PER_MISTAKE: usize = 4;

/// The names that a text is most like, the nearest first: they differ by few letters, whatever their case and tone marks are.
#[must_use]
pub fn near_names<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = without_marks(text);
    let most = (wanted.chars().count() / CHARACTERS_PER_MISTAKE).max(1);
    let distance = |name: &'n str| (strsim::damerau_levenshtein(&wanted, &without_marks(name)), name);
    let mut near: Vec<(usize, &str)> = names.into_iter().map(distance).filter(|(found, _)| *found <= most).collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(SUGGESTIONS);
    near.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_near_and_another_one_is_not() {
        let names = ["portal-igate", "portal-opencps", "bcci-export", "measures-csv", "II.06a", "overdue", "Đúng hạn"];
        for (text, expected) in [
            ("portal-igat", vec!["portal-igate"]),
            ("portal-iagte", vec!["portal-igate"]),
            ("Portal-IGate", vec!["portal-igate"]),
            ("BCCI export", vec!["bcci-export"]),
            ("II.6a", vec!["II.06a"]),
            ("overdu", vec!["overdue"]),
            ("dung han", vec!["Đúng hạn"]),
            ("portal", vec![]),
            ("x", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(near_names(text, names), expected, "{text}");
        }
    }

    #[test]
    fn of_many_near_names_the_nearest_three_come_in_order() {
        let names = ["par-3.4.4", "par-3.4.1", "par-3.4.3", "par-3.4.2", "par-3.4.2"];
        assert_eq!(near_names("par-3.4.x", names), ["par-3.4.1", "par-3.4.2", "par-3.4.3"]);
        assert_eq!(near_names("par-3.4.4.", names)[0], "par-3.4.4");
    }
}

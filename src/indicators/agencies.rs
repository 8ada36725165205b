//! Which agency a text of a record means: its code, another of its codes, its name or an alias.
//!
//! Names match after NFC, case, spacing and the place of the tone mark. A name that two agencies bore at
//! different times is read by the day of reception. A text that is nobody's keeps a row of its own.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;
use unicode_normalization::UnicodeNormalization;

use crate::model::agency::{Agency, AgencyKind, Succession, Tier};

/// An agency as figures know it: a registry row, or a text that no row explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) code: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) kind: Option<AgencyKind>,
    pub(super) tier: Option<Tier>,
    /// The tier that it had, also where today's map gives its row none.
    pub(super) tier_then: Option<Tier>,
    pub(super) vertical: bool,
    pub(super) registered: bool,
}

/// Code of dossiers that name no agency at all.
pub(super) const NO_AGENCY: &str = "?";

/// All agencies that the records mean, and which text means which when.
#[derive(Debug)]
pub(super) struct Agencies {
    /// Position is the agency's number in the facts.
    pub(super) known: Vec<Known>,
    /// Days from which an ambiguous name may mean somebody else, sorted.
    pub(super) changes: Vec<Date>,
    /// (text, number of changes passed) → number of the agency.
    pub(super) meanings: Vec<(String, u32, u32)>,
    /// Number of an agency → number of the one in whose row its dossiers stand: itself, or today's successor.
    rows: Vec<u32>,
}

impl Agencies {
    /// Resolves the distinct texts of the records.
    pub(super) fn resolve(registry: &[Agency], texts: &[String]) -> Self {
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        let mut known = Vec::new();
        for (number, agency) in (0_u32..).zip(registry) {
            let names = std::iter::once(&agency.code)
                .chain(&agency.other_codes)
                .chain(Some(&agency.name))
                .chain(&agency.aliases);
            for name in names {
                let bearers = by_name.entry(match_key(name)).or_default();
                if !bearers.contains(&number) {
                    bearers.push(number);
                }
            }
            known.push(Known {
                code: agency.code.as_str().into(),
                name: agency.name.as_str().into(),
                kind: Some(agency.kind),
                tier: Some(agency.tier),
                tier_then: Some(agency.tier),
                vertical: agency.vertical,
                registered: true,
            });
        }
        let bearers: Vec<&[u32]> =
            texts.iter().map(|text| by_name.get(&match_key(text)).map_or(&[][..], Vec::as_slice)).collect();
        let ambiguous = bearers.iter().filter(|bearers| bearers.len() > 1).flat_map(|bearers| bearers.iter());
        let mut changes: Vec<Date> = ambiguous
            .map(|&number| &registry[number as usize])
            .flat_map(|agency| [agency.valid_from, agency.valid_to.and_then(|day| day.tomorrow().ok())])
            .flatten()
            .collect();
        changes.sort();
        changes.dedup();
        let mut resolved = Self { known, changes, meanings: Vec::new(), rows: Vec::new() };
        for (text, bearers) in texts.iter().zip(bearers) {
            resolved.add(registry, text, bearers);
        }
        resolved.rows = (0_u32..).take(resolved.known.len()).collect();
        resolved
    }

    /// Number of the agency that a text means on a day.
    ///
    /// # Panics
    /// If the text is none of those that were resolved.
    pub(super) fn number(&self, text: &str, day: Date) -> u32 {
        let passed = u32::try_from(self.changes.partition_point(|change| *change <= day)).unwrap_or(0);
        let meaning = self.meanings.iter().find(|(known, when, _)| known == text && *when == passed);
        meaning.expect("every text of the records was resolved").2
    }

    /// The agency in whose row an agency's dossiers stand.
    pub(super) fn row_of(&self, agency: u32) -> u32 {
        self.rows[agency as usize]
    }

    /// Whether every agency's dossiers stand in its own row.
    pub(super) fn rows_are_own(&self) -> bool {
        (0..).zip(&self.rows).all(|(agency, row)| agency == *row)
    }

    /// Puts every agency that has ended into the row of its one successor today. One that was split, or that has none, keeps
    /// a row of its own, without a tier, and says that it cannot be converted. What an agency was when it received a dossier
    /// (kind, vertical) still decides what counts, so that the province's totals stay.
    pub(super) fn under_today(mut self, registry: &[Agency], successions: &[Succession], today: Date) -> Self {
        let numbers: HashMap<&str, u32> =
            (0_u32..).zip(registry).map(|(number, agency)| (agency.code.as_str(), number)).collect();
        for (number, agency) in registry.iter().enumerate() {
            let heir = heir(agency, registry, successions, today).and_then(|code| numbers.get(code).copied());
            self.rows[number] = heir.unwrap_or_else(|| {
                let name = format!("{} (không quy đổi được)", agency.name).into();
                self.known.push(Known { name, tier: None, ..self.known[number].clone() });
                u32::try_from(self.known.len() - 1).expect("agencies are counted in thousands")
            });
        }
        let added = u32::try_from(self.rows.len()).expect("agencies are counted in thousands")..;
        self.rows.extend(added.take(self.known.len() - self.rows.len()));
        self
    }

    fn add(&mut self, registry: &[Agency], text: &str, bearers: &[u32]) {
        let mut own_row = None;
        for passed in 0..=self.changes.len() {
            let day = passed.checked_sub(1).map(|index| self.changes[index]);
            let number = match bearers {
                [one] => *one,
                several => {
                    let mut valid = several.iter().filter(|&&number| is_valid(&registry[number as usize], day));
                    match (valid.next(), valid.next()) {
                        (Some(&one), None) => one,
                        _ => *own_row.get_or_insert_with(|| self.own_row(text)),
                    }
                }
            };
            let passed = u32::try_from(passed).expect("changes are counted in dozens");
            self.meanings.push((text.to_owned(), passed, number));
        }
    }

    fn own_row(&mut self, text: &str) -> u32 {
        let name = if text == NO_AGENCY { "không ghi cơ quan" } else { text };
        let row = Known {
            code: text.into(),
            name: name.into(),
            kind: None,
            tier: None,
            tier_then: None,
            vertical: false,
            registered: false,
        };
        self.known.push(row);
        u32::try_from(self.known.len() - 1).expect("agencies are counted in thousands")
    }
}

/// The agency that stands for one today: itself, or the end of its chain of successions; none where a link is missing or
/// leads to several.
fn heir<'a>(agency: &'a Agency, registry: &'a [Agency], successions: &'a [Succession], today: Date) -> Option<&'a str> {
    let mut code = agency.code.as_str();
    // A chain is never longer than the list: a circle ends too.
    for _ in 0..=successions.len() {
        let mut heirs: Vec<&str> = successions
            .iter()
            .filter(|link| link.from == code && link.date <= today)
            .map(|link| link.to.as_str())
            .collect();
        heirs.sort_unstable();
        heirs.dedup();
        match heirs[..] {
            [] => {
                let stands = registry.iter().find(|known| known.code == code)?;
                return stands.valid_to.is_none_or(|last| today <= last).then_some(code);
            }
            [one] => code = one,
            _ => return None,
        }
    }
    None
}

/// Whether an agency stands on a day; before the first change, whether it stood before it.
fn is_valid(agency: &Agency, day: Option<Date>) -> bool {
    match day {
        None => agency.valid_from.is_none(),
        Some(day) => agency.valid_from.is_none_or(|from| from <= day) && agency.valid_to.is_none_or(|to| day <= to),
    }
}

/// Text as names are compared: lower case, single spaces, the tone mark of each syllable at its end.
pub(super) fn match_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 8);
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        let mut tone = None;
        for symbol in word.nfd().flat_map(char::to_lowercase) {
            match symbol {
                '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}' => tone = Some(symbol),
                other => key.push(other),
            }
        }
        key.extend(tone);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn agency(code: &str, name: &str, from: Option<Date>, to: Option<Date>) -> Agency {
        Agency {
            code: code.to_owned(),
            other_codes: vec![format!("000.{code}")],
            name: name.to_owned(),
            aliases: vec![],
            kind: AgencyKind::Commune,
            tier: Tier::Commune,
            vertical: false,
            parent: None,
            valid_from: from,
            valid_to: to,
        }
    }

    fn meaning(agencies: &Agencies, text: &str, passed: u32) -> String {
        let (.., number) =
            agencies.meanings.iter().find(|(known, at, _)| known == text && *at == passed).expect("resolved");
        agencies.known[*number as usize].code.to_string()
    }

    #[test]
    fn names_match_whatever_their_form() {
        let registry = [agency("A", "Phường Hòa Thuận", None, None)];
        let decomposed: String = "PHƯỜNG  hoà Thuận".nfd().collect();
        let texts = ["A".to_owned(), "000.A".to_owned(), decomposed, "Phường Hoa Thuận".to_owned()];
        let agencies = Agencies::resolve(&registry, &texts);
        assert_eq!(meaning(&agencies, &texts[0], 0), "A");
        assert_eq!(meaning(&agencies, &texts[1], 0), "A");
        assert_eq!(meaning(&agencies, &texts[2], 0), "A");
        assert_eq!(meaning(&agencies, &texts[3], 0), "Phường Hoa Thuận");
    }

    #[test]
    fn a_name_of_two_agencies_is_read_by_the_day() {
        let registry = [
            agency("old", "Xã Ngãi Tứ", None, Some(date(2025, 6, 30))),
            agency("new", "Xã Ngãi Tứ", Some(date(2025, 7, 1)), None),
        ];
        let texts = ["Xã Ngãi Tứ".to_owned()];
        let agencies = Agencies::resolve(&registry, &texts);
        assert_eq!(agencies.changes, [date(2025, 7, 1)]);
        assert_eq!(meaning(&agencies, &texts[0], 0), "old");
        assert_eq!(meaning(&agencies, &texts[0], 1), "new");
    }

    #[test]
    fn two_agencies_of_one_name_on_one_day_are_not_guessed_between() {
        let registry = [agency("a", "Phường 1", None, None), agency("b", "Phường 1", None, None)];
        let texts = ["Phường 1".to_owned()];
        assert_eq!(meaning(&Agencies::resolve(&registry, &texts), &texts[0], 0), "Phường 1");
    }

    #[test]
    fn today_s_map_follows_single_heirs_and_names_what_was_split() {
        let (last, first) = (Some(date(2025, 6, 30)), Some(date(2025, 7, 1)));
        let registry = [
            agency("a", "Xã A", None, Some(date(2024, 12, 31))),
            agency("b", "Xã B", Some(date(2025, 1, 1)), last),
            agency("c", "Xã C", first, None),
            agency("split", "Xã D", None, last),
            agency("district", "Huyện E", None, last),
            agency("later", "Xã F", None, None),
        ];
        let link = |from: &str, to: &str, day| Succession {
            from: from.to_owned(),
            to: to.to_owned(),
            date: day,
            document: String::new(),
        };
        let successions = [
            link("a", "b", date(2025, 1, 1)),
            link("b", "c", date(2025, 7, 1)),
            link("split", "c", date(2025, 7, 1)),
            link("split", "later", date(2025, 7, 1)),
            link("later", "c", date(2027, 1, 1)),
        ];
        let agencies = Agencies::resolve(&registry, &[]);
        let agencies = agencies.under_today(&registry, &successions, date(2026, 3, 1));
        let row = |number: u32| agencies.known[agencies.row_of(number) as usize].clone();
        for (number, name) in [
            (0, "Xã C"),
            (1, "Xã C"),
            (2, "Xã C"),
            (3, "Xã D (không quy đổi được)"),
            (4, "Huyện E (không quy đổi được)"),
            (5, "Xã F"),
        ] {
            assert_eq!(&*row(number).name, name);
        }
        assert_eq!(row(3).tier, None);
        assert_eq!(row(0).tier, Some(Tier::Commune));
    }
}

//! Which agency a text in a record means: its code, another of its codes, its name or an alias.
//!
//! Names are compared without regard to Unicode form, case, spacing, letters that look alike and the place of the tone
//! mark. If two agencies had the same name at different times, the day of reception decides. A text that matches no
//! agency becomes an agency of its own, which is not in the registry; texts that are alike become one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::agency_names::AgencyNames;
use crate::indicators::inputs::FigureInputs;
use crate::model::agency::{Agency, AgencyKind, Succession, Tier};
use crate::model::instant::local;
use crate::model::text::{name_key, plain};

/// An agency that figures can be about: a row of the registry, or a text that matches no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownAgency {
    pub(super) code: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) kind: Option<AgencyKind>,
    pub(super) tier: Option<Tier>,
    /// Tier by the registry. It stays if [`Agencies::under_today`] sets `tier` to `None`.
    pub(super) registry_tier: Option<Tier>,
    pub(super) vertical: bool,
    pub(super) is_registered: bool,
}

/// The agency text of a measure that is stated for the whole province; compared without regard to case.
pub(super) const WHOLE_PROVINCE: &str = "toàn tỉnh";
/// Code for dossiers that name no agency.
pub(super) const NO_AGENCY: &str = "?";

/// The agencies of the registry and of the records, and which agency each text means on which day.
#[derive(Debug)]
pub(super) struct Agencies {
    /// By number: the position is the agency's number in the facts.
    pub(super) known: Vec<KnownAgency>,
    /// Days from which an ambiguous name can mean another agency, sorted. They divide time into epochs.
    pub(super) changes: Vec<Date>,
    /// Text, epoch (how many of `changes` have passed), number of the agency. Grouped by text.
    pub(super) meanings: Vec<(String, u32, u32)>,
    /// By number of an agency: the number of the agency for which its dossiers count, which is itself or its successor.
    attributed: Vec<u32>,
}

impl Agencies {
    /// Finds the agency of each distinct text of the records.
    pub(super) fn resolve(registry: &[Agency], texts: &[String]) -> Self {
        let mut by_name: HashMap<String, Vec<u32>> = HashMap::new();
        let mut known = Vec::new();
        for (number, agency) in (0_u32..).zip(registry) {
            for name in names_of(agency) {
                let candidates = by_name.entry(name_key(name)).or_default();
                if !candidates.contains(&number) {
                    candidates.push(number);
                }
            }
            known.push(KnownAgency {
                code: agency.code.as_str().into(),
                name: agency.name.as_str().into(),
                kind: Some(agency.kind),
                tier: Some(agency.tier),
                registry_tier: Some(agency.tier),
                vertical: agency.vertical,
                is_registered: true,
            });
        }
        let candidates: Vec<&[u32]> =
            texts.iter().map(|text| by_name.get(&name_key(text)).map_or(&[][..], Vec::as_slice)).collect();
        let ambiguous =
            candidates.iter().filter(|candidates| candidates.len() > 1).flat_map(|candidates| candidates.iter());
        let mut changes: Vec<Date> = ambiguous
            .map(|&number| &registry[number as usize])
            .flat_map(|agency| [agency.valid_from, agency.valid_to.and_then(|day| day.tomorrow().ok())])
            .flatten()
            .collect();
        changes.sort();
        changes.dedup();
        let mut resolved = Self { known, changes, meanings: Vec::new(), attributed: Vec::new() };
        let mut unregistered = HashMap::new();
        for (text, candidates) in texts.iter().zip(candidates) {
            resolved.add(registry, text, candidates, &mut unregistered);
        }
        resolved.attributed = (0_u32..).take(resolved.known.len()).collect();
        resolved
    }

    /// Number of the agency that a text means on a day.
    ///
    /// # Panics
    /// If the text was not given to [`Agencies::resolve`].
    pub(super) fn number(&self, text: &str, day: Date) -> u32 {
        let epoch = u32::try_from(self.changes.partition_point(|change| *change <= day)).unwrap_or(0);
        let meaning = self.meanings.iter().find(|(known, when, _)| known == text && *when == epoch);
        meaning.expect("every text of the records was resolved").2
    }

    /// The agency for which an agency's dossiers count.
    pub(super) fn attributed_to(&self, agency: u32) -> u32 {
        self.attributed[agency as usize]
    }

    /// Whether the dossiers of every agency count for itself.
    pub(super) fn each_counts_for_itself(&self) -> bool {
        (0..).zip(&self.attributed).all(|(agency, attributed)| agency == *attributed)
    }

    /// Replaces the code and the name of each agency that is not in the registry and whose text must not be published.
    /// Agencies that are published under one name become one.
    fn published_as(mut self, registry: &[Agency], names: &AgencyNames) -> Self {
        let registered: HashSet<String> = registry.iter().flat_map(names_of).map(name_key).collect();
        let mut first_of: HashMap<Arc<str>, u32> = HashMap::new();
        let mut replaced: HashMap<u32, u32> = HashMap::new();
        for (number, agency) in (0_u32..).zip(&mut self.known) {
            let key = name_key(&agency.code);
            let is_plain = &*agency.code == NO_AGENCY || key == name_key(WHOLE_PROVINCE);
            // A name that two agencies of the registry share is known, whichever is meant.
            if agency.is_registered || is_plain || registered.contains(&key) {
                continue;
            }
            if let Some(name) = names.withheld(&agency.code) {
                (agency.code, agency.name) = (name.clone(), name);
            }
            let first = *first_of.entry(Arc::clone(&agency.code)).or_insert(number);
            if first != number {
                replaced.insert(number, first);
            }
        }
        for (.., number) in &mut self.meanings {
            *number = replaced.get(number).copied().unwrap_or(*number);
        }
        self
    }

    /// Attributes the dossiers of agencies that have ended to their successors of today.
    ///
    /// An agency that was split, or that has no successor, gets a row without tier that is named "không quy đổi được"
    /// (cannot be converted). Kind and vertical of the agency that received a dossier still decide whether it counts,
    /// so the province's totals stay the same.
    pub(super) fn under_today(mut self, registry: &[Agency], successions: &[Succession], today: Date) -> Self {
        let numbers: HashMap<&str, u32> =
            (0_u32..).zip(registry).map(|(number, agency)| (agency.code.as_str(), number)).collect();
        for (number, agency) in registry.iter().enumerate() {
            let successor = successor(agency, registry, successions, today);
            let successor = successor.and_then(|code| numbers.get(code).copied());
            self.attributed[number] = successor.unwrap_or_else(|| {
                let name = format!("{} (không quy đổi được)", agency.name).into();
                self.known.push(KnownAgency { name, tier: None, ..self.known[number].clone() });
                u32::try_from(self.known.len() - 1).expect("agencies are counted in thousands")
            });
        }
        let added = u32::try_from(self.attributed.len()).expect("agencies are counted in thousands")..;
        self.attributed.extend(added.take(self.known.len() - self.attributed.len()));
        self
    }

    /// Adds the meanings of a text, one per epoch. A single candidate is taken whatever the day; of several, the only
    /// one that exists in the epoch. Otherwise the text becomes an agency of its own, or means the one in
    /// `unregistered` (by its key) that an alike text has become.
    fn add(&mut self, registry: &[Agency], text: &str, candidates: &[u32], unregistered: &mut HashMap<String, u32>) {
        for epoch in 0..=self.changes.len() {
            let day = epoch.checked_sub(1).map(|index| self.changes[index]);
            let number = match candidates {
                [one] => *one,
                several => {
                    let mut valid = several.iter().filter(|&&number| is_valid(&registry[number as usize], day));
                    match (valid.next(), valid.next()) {
                        (Some(&one), None) => one,
                        _ => *unregistered.entry(name_key(text)).or_insert_with(|| self.add_unregistered(text)),
                    }
                }
            };
            let epoch = u32::try_from(epoch).expect("changes are counted in dozens");
            self.meanings.push((text.to_owned(), epoch, number));
        }
    }

    fn add_unregistered(&mut self, text: &str) -> u32 {
        let code = plain(text);
        let name = if text == NO_AGENCY { "không ghi cơ quan" } else { &code };
        let agency = KnownAgency {
            name: name.into(),
            code: (&*code).into(),
            kind: None,
            tier: None,
            registry_tier: None,
            vertical: false,
            is_registered: false,
        };
        self.known.push(agency);
        u32::try_from(self.known.len() - 1).expect("agencies are counted in thousands")
    }
}

/// The codes, the name and the aliases of an agency.
fn names_of(agency: &Agency) -> impl Iterator<Item = &str> {
    let codes = std::iter::once(&agency.code).chain(&agency.other_codes);
    codes.chain(Some(&agency.name)).chain(&agency.aliases).map(String::as_str)
}

/// Code of the agency that an agency is today: itself, or the end of its chain of successions. `None` if the chain ends
/// at an agency that no longer exists, or splits.
fn successor<'a>(
    agency: &'a Agency,
    registry: &'a [Agency],
    successions: &'a [Succession],
    today: Date,
) -> Option<&'a str> {
    let mut code = agency.code.as_str();
    // A chain is not longer than the list, so that a circle of successions ends too.
    for _ in 0..=successions.len() {
        let mut successors: Vec<&str> = successions
            .iter()
            .filter(|link| link.from == code && link.date <= today)
            .map(|link| link.to.as_str())
            .collect();
        successors.sort_unstable();
        successors.dedup();
        match successors[..] {
            [] => {
                let last_agency = registry.iter().find(|known| known.code == code)?;
                return last_agency.valid_to.is_none_or(|last| today <= last).then_some(code);
            }
            [one] => code = one,
            _ => return None,
        }
    }
    None
}

/// Whether an agency exists on the first day of an epoch; `None`: in the time before all changes.
fn is_valid(agency: &Agency, day: Option<Date>) -> bool {
    match day {
        None => agency.valid_from.is_none(),
        Some(day) => agency.valid_from.is_none_or(|from| from <= day) && agency.valid_to.is_none_or(|to| day <= to),
    }
}

/// The agencies that the texts of a table mean, as of the time or under today's successors, as the inputs ask. `text`:
/// the expression for the agency's text.
pub(super) fn agencies_of(inputs: &FigureInputs<'_>, table: LazyFrame, text: Expr) -> Result<Agencies, IndicatorError> {
    let agencies = Agencies::resolve(inputs.agencies, &distinct_texts(table, text.alias("text"))?);
    let agencies = agencies.published_as(inputs.agencies, inputs.agency_names);
    Ok(match inputs.successions {
        Some(successions) => agencies.under_today(inputs.agencies, successions, local(inputs.now).date()),
        None => agencies,
    })
}

/// The values of an expression that is named `text`, each once, sorted.
pub(super) fn distinct_texts(table: LazyFrame, text: Expr) -> Result<Vec<String>, IndicatorError> {
    let texts = table
        .select([text])
        .unique(None, UniqueKeepStrategy::Any)
        .collect_with_engine(Engine::Streaming)?
        .unwrap_single();
    let mut texts: Vec<String> = texts.column("text")?.str()?.iter().flatten().map(str::to_owned).collect();
    texts.sort();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use unicode_normalization::UnicodeNormalization as _;

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

    fn meaning(agencies: &Agencies, text: &str, epoch: u32) -> String {
        let (.., number) =
            agencies.meanings.iter().find(|(known, at, _)| known == text && *at == epoch).expect("resolved");
        agencies.known[*number as usize].code.to_string()
    }

    #[test]
    fn names_match_in_any_unicode_form_case_and_spacing() {
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
    fn texts_that_are_alike_are_one_agency_without_a_registry() {
        let texts = ["SỞ NỘI VỤ", "Sở Nội vụ", "Sở\u{a0}Nội vụ", "Phường Ðông", "Phường Đông", "Phường Dông", "?"];
        let texts = texts.map(str::to_owned);
        let agencies = Agencies::resolve(&[], &texts);
        let codes: Vec<String> = texts.iter().map(|text| meaning(&agencies, text, 0)).collect();
        let expected = ["SỞ NỘI VỤ", "SỞ NỘI VỤ", "SỞ NỘI VỤ", "Phường Đông", "Phường Đông", "Phường Dông", "?"];
        assert_eq!(codes, expected);
        assert_eq!(agencies.known.len(), 4);
    }

    #[test]
    fn a_name_that_two_agencies_had_is_resolved_by_the_day() {
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
    fn a_name_that_two_agencies_have_on_one_day_stays_unregistered() {
        let registry = [agency("a", "Phường 1", None, None), agency("b", "Phường 1", None, None)];
        let texts = ["Phường 1".to_owned()];
        assert_eq!(meaning(&Agencies::resolve(&registry, &texts), &texts[0], 0), "Phường 1");
    }

    #[test]
    fn dossiers_count_for_the_single_successor_and_split_agencies_are_named() {
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
        let row = |number: u32| agencies.known[agencies.attributed_to(number) as usize].clone();
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

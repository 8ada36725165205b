//! What people type for a period, a tier, an agency, or one of a few names: as the program writes it, or as an office says it.

use std::collections::BTreeMap;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use strum::IntoEnumIterator;

use crate::cli::Failure;
use crate::cli::language::{self, text};
use crate::config::Configuration;
use crate::indicators::FigureOf;
use crate::locale::Language;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::period::{PERIOD_FORMS, Period};
use crate::model::text::{fold, name_key, without_marks};

/// How many names that are like a wrong one are suggested.
const SUGGESTIONS: usize = 3;
/// Names that are less alike are not suggested; 1 is equal.
const LEAST_LIKENESS: f64 = 0.82;
/// Words for kinds of bodies before the name of one, without marks; the longer ones first.
const KINDS: [&str; 12] = [
    "uy ban nhan dan",
    "thanh pho",
    "thi tran",
    "thi xa",
    "dac khu",
    "ubnd",
    "huyen",
    "quan",
    "phuong",
    "tinh",
    "xa",
    "so",
];
/// Those of communes.
const COMMUNE_KINDS: [&str; 4] = ["xa", "phuong", "thi tran", "dac khu"];

/// A period: one of [`PERIOD_FORMS`], or as an office says it.
pub(super) fn period(text: &str) -> Result<Period, Failure> {
    if let Some(period) = Period::parse(text.trim()).or_else(|| said_period(text)) {
        return Ok(period);
    }
    let failure = Failure::usage(text!("`{text}` không phải là kỳ báo cáo", "`{text}` is not a period"));
    Err(failure.with_hint(text!(
        "ghi `tháng 3/2026`, `quý 1/2026`, `6 tháng đầu năm 2026`, `năm 2026`, `ngày 15/3/2026`, `từ 1/3/2026 đến 15/3/2026`; hoặc `2026`, \
         `2026-Q1`, `2026-H1`, `2026-9M`, `2026-03`, `2026-W05`, thêm `s` cho kỳ từ ngày 15 đến ngày 14; năm từ 1990 đến 2099",
        "write {PERIOD_FORMS}; or `tháng 3/2026`, `quý 1/2026`, `6 tháng đầu năm 2026`, `năm 2026`"
    )))
}

/// `tháng 3/2026`, `3/2026`, `quý III năm 2026`, `6 tháng đầu năm 2026`, `9 tháng 2026`, `năm 2026`, `tuần 5/2026`,
/// `15/3/2026`, `từ 1/3/2026 đến 15/3/2026`; with or without tone marks.
fn said_period(text: &str) -> Option<Period> {
    let text = without_marks(text);
    if let Some((from, to)) = text.trim_start_matches("tu ").split_once(" den ") {
        return Period::parse(&format!("{}..{}", said_day(from)?, said_day(to)?));
    }
    if let Some(day) = said_day(&text) {
        return Period::parse(&day);
    }
    // `T3/2026`
    let text =
        text.strip_prefix('t').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())).unwrap_or(&text);
    let says_year = text.split(' ').any(|word| word == "nam");
    let words: Vec<&str> = text.split([' ', '/', '-']).filter(|word| !word.is_empty() && *word != "nam").collect();
    let (year, words) = words.split_last()?;
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    if !is_year {
        return None;
    }
    let number = |word: &str| word.parse::<u8>().ok();
    let form = match words {
        [] => year.to_string(),
        ["thang", month] if number(month).is_some() => format!("{year}-{:02}", number(month)?),
        [month] if number(month).is_some() && !says_year => format!("{year}-{:02}", number(month)?),
        ["quy", quarter] => format!("{year}-Q{}", quarter_number(quarter)?),
        [quarter] => format!("{year}-Q{}", quarter_number(quarter.strip_prefix('q')?)?),
        ["tuan", week] => format!("{year}-W{:02}", number(week)?),
        ["6", "thang"] | ["6", "thang", "dau"] | ["nua", "dau"] => format!("{year}-H1"),
        ["6", "thang", "cuoi"] | ["nua", "cuoi"] => format!("{year}-H2"),
        ["9", "thang"] | ["9", "thang", "dau"] => format!("{year}-9M"),
        _ => return None,
    };
    Period::parse(&form)
}

/// `15/3/2026` as `2026-03-15`.
fn said_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().trim_start_matches("ngay ").split(['/', '-']).collect();
    let [day, month, year] = parts[..] else { return None };
    let (day, month, year): (u8, u8, u16) = (day.parse().ok()?, month.parse().ok()?, year.parse().ok()?);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

fn quarter_number(text: &str) -> Option<u8> {
    match text {
        "1" | "i" => Some(1),
        "2" | "ii" => Some(2),
        "3" | "iii" => Some(3),
        "4" | "iv" => Some(4),
        _ => None,
    }
}

/// A tier: `province`, `district`, `commune`, or its Vietnamese name.
pub(super) fn tier(text: &str) -> Result<Tier, String> {
    let said = without_marks(text);
    match said.strip_prefix("cap ").unwrap_or(&said) {
        "province" | "tinh" => Ok(Tier::Province),
        "district" | "huyen" => Ok(Tier::District),
        "commune" | "xa" | "phuong" => Ok(Tier::Commune),
        _ => {
            let known: Vec<&str> = Tier::iter().map(Tier::name).collect();
            let known = known.join(", ");
            Err(text!("có cấp tỉnh, cấp huyện, cấp xã ({known})", "there are {known} (cấp tỉnh, cấp huyện, cấp xã)"))
        }
    }
}

/// One of the values of an enum, by its name; the help lists the names with their meanings.
pub(super) fn one_of<T>(
    name: fn(T) -> &'static str,
    meaning: fn(T) -> [&'static str; 2],
) -> impl TypedValueParser<Value = T>
where
    T: IntoEnumIterator + Copy + Send + Sync + 'static,
{
    let values = T::iter().map(|one| PossibleValue::new(name(one)).help(language::one(meaning(one))));
    PossibleValuesParser::new(values.collect::<Vec<_>>())
        .map(move |text| T::iter().find(|one| name(*one) == text).expect("it is one of the names"))
}

/// The province, a tier or an agency, as `--agency` and `--tier` name it.
pub(super) fn figure_of(
    config: &Configuration,
    figures: &[Figure],
    (agency_text, tier): (Option<&str>, Option<Tier>),
) -> Result<FigureOf, Failure> {
    Ok(match (agency_text, tier) {
        (Some(text), _) => FigureOf::Agency(agency(config, figures, text)?),
        (None, Some(tier)) => FigureOf::Tier(tier),
        (None, None) => FigureOf::Province,
    })
}

/// A scope as a person reads it. A code alone would not show that a name was understood wrongly.
pub(super) fn scope_name(language: Language, of: &FigureOf, config: &Configuration, figures: &[Figure]) -> String {
    let of_all = |vietnamese, english| language.of(vietnamese, english).to_owned();
    let code = match of {
        FigureOf::Province => return of_all("toàn tỉnh", "the whole province"),
        FigureOf::Tier(Tier::Province) => return of_all("các cơ quan cấp tỉnh", "the agencies of the province"),
        FigureOf::Tier(Tier::District) => return of_all("các đơn vị cấp huyện", "the agencies of the districts"),
        FigureOf::Tier(Tier::Commune) => return of_all("các đơn vị cấp xã", "the agencies of the communes"),
        FigureOf::Agency(code) => code,
    };
    let registered = config.registries.agencies.iter().find(|agency| agency.code == *code);
    let of_figure = || figures.iter().find(|figure| figure.agency.as_deref() == Some(code))?.agency_name.as_deref();
    match registered.map(|agency| agency.name.as_str()).or_else(of_figure) {
        Some(name) => format!("{name} ({code})"),
        None => code.clone(),
    }
}

/// What a text can mean: the agencies of the registry and of the figures, by code, since agencies of the registry can share a
/// name.
type Known<'a> = BTreeMap<&'a str, KnownAgency<'a>>;

/// What an agency is called.
#[derive(Debug, Default)]
struct KnownAgency<'a> {
    /// Its names in the registry and in the figures.
    names: Vec<&'a str>,
    /// Aliases and other codes of the registry.
    others: Vec<&'a str>,
}

impl KnownAgency<'_> {
    /// The name that is printed.
    fn name(&self) -> &str {
        self.names.last().copied().unwrap_or_default()
    }
}

/// Code of the agency of the registry or of the figures that a text means: its code or name, else an alias or another code,
/// in any case and with any place of tone marks; without marks if that means one agency only.
pub(super) fn agency(config: &Configuration, figures: &[Figure], text: &str) -> Result<String, Failure> {
    let mut known = Known::new();
    for agency in &config.registries.agencies {
        let entry = known.entry(agency.code.as_str()).or_default();
        entry.names.push(&agency.name);
        entry.others.extend(agency.aliases.iter().chain(&agency.other_codes).map(String::as_str));
    }
    for figure in figures {
        if let (Some(code), Some(name)) = (figure.agency.as_deref(), figure.agency_name.as_deref()) {
            let names = &mut known.entry(code).or_default().names;
            // Figures of an agency follow each other and have one name.
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
    }
    match meant(&known, text)[..] {
        [] => {}
        [code] => return Ok(code.to_owned()),
        ref codes => {
            let found: Vec<String> = codes.iter().map(|code| format!("`{code}` ({})", known[code].name())).collect();
            let (count, found) = (found.len(), found.join(", "));
            let message =
                text!("`{text}` là tên của {count} cơ quan: {found}", "`{text}` means {count} agencies: {found}");
            return Err(Failure::usage(message).with_hint(language::of("dùng mã", "use the code")));
        }
    }
    let failure = Failure::usage(text!(
        "không có cơ quan `{text}`, cả trong danh mục lẫn trong số liệu",
        "there is no agency `{text}`, neither in the registry nor in the figures"
    ));
    Err(match alike(text, &known) {
        names if names.is_empty() => failure.with_hint(language::of(
            "dùng mã hoặc tên như `motcua report` in",
            "use the code or the name as `motcua report` prints it",
        )),
        names => failure.with_hint(text!("có phải là {}?", "did you mean {}?", names.join(", "))),
    })
}

/// Codes of the agencies that a text means in the strictest form in which it means any.
fn meant<'a>(known: &Known<'a>, text: &str) -> Vec<&'a str> {
    // With other marks it is another name: only what is typed without any may mean a name that has some.
    let is_without_marks = without_marks(text) == fold(text);
    let forms: &[fn(&str) -> String] =
        if is_without_marks { &[fold, name_key, without_marks] } else { &[fold, name_key] };
    for form in forms {
        let wanted = form(text);
        let is_meant = |names: &[&str]| names.iter().any(|name| form(name) == wanted);
        let of_name = known.iter().filter(|(code, agency)| form(code) == wanted || is_meant(&agency.names));
        let codes: Vec<&str> = of_name.map(|(code, _)| *code).collect();
        if !codes.is_empty() {
            return codes;
        }
        // An agency can have the name of another one as an alias: names come first.
        let of_alias = known.iter().filter(|(_, agency)| is_meant(&agency.others));
        let codes: Vec<&str> = of_alias.map(|(code, _)| *code).collect();
        if !codes.is_empty() {
            return codes;
        }
    }
    Vec::new()
}

/// The names most like a text, with their codes. Words for the kind of body do not count: they are equal in hundreds of names.
fn alike(text: &str, known: &Known<'_>) -> Vec<String> {
    let wanted = without_marks(text);
    let (kind, own) = kind_and_own(&wanted);
    let is_of_commune = COMMUNE_KINDS.contains(&kind);
    let likeness = |name: &str| {
        let name = without_marks(name);
        let (other_kind, other_own) = kind_and_own(&name);
        // A province can have the name of a commune.
        if is_of_commune && other_kind == "tinh" { 0.0 } else { strsim::jaro_winkler(own, other_own) }
    };
    let best = |(code, agency): (&&str, &KnownAgency<'_>)| {
        let of_names = agency.names.iter().chain(&agency.others).map(|name| likeness(name));
        of_names.fold(strsim::jaro_winkler(&wanted, &without_marks(code)), f64::max)
    };
    let mut alike: Vec<(f64, &str, &str)> =
        known.iter().map(|(code, agency)| (best((code, agency)), *code, agency.name())).collect();
    alike.retain(|(likeness, ..)| *likeness >= LEAST_LIKENESS);
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    alike.truncate(SUGGESTIONS);
    alike.into_iter().map(|(_, code, name)| format!("`{code}` ({name})")).collect()
}

/// The word for a kind of body at the beginning of a name without marks, empty if there is none, and what follows it.
fn kind_and_own(name: &str) -> (&str, &str) {
    let (mut kind, mut own) = ("", name);
    while let Some((word, rest)) =
        KINDS.iter().find_map(|word| Some((*word, own.strip_prefix(*word)?.strip_prefix(' ')?)))
    {
        (kind, own) = (word, rest);
    }
    (kind, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_as_offices_say_them() {
        for (text, expected) in [
            ("2026-Q1", "2026-Q1"),
            ("2026-Q3s", "2026-Q3s"),
            ("3/2026", "2026-03"),
            ("03/2026", "2026-03"),
            ("T3/2026", "2026-03"),
            ("Tháng 3 năm 2026", "2026-03"),
            ("thang 12/2026", "2026-12"),
            ("quý 1/2026", "2026-Q1"),
            ("Quý III năm 2026", "2026-Q3"),
            ("Q4/2026", "2026-Q4"),
            ("năm 2026", "2026"),
            ("6 tháng đầu năm 2026", "2026-H1"),
            ("6 tháng cuối năm 2026", "2026-H2"),
            ("9 tháng 2026", "2026-9M"),
            ("tuần 5/2026", "2026-W05"),
            ("15/3/2026", "2026-03-15"),
            ("ngày 15/03/2026", "2026-03-15"),
            ("từ 1/3/2026 đến 15/3/2026", "2026-03-01..2026-03-15"),
        ] {
            assert_eq!(period(text).expect("a period").to_string(), expected, "{text:?}");
        }
        for text in [
            "",
            "13/2026",
            "quý 5/2026",
            "quý",
            "tháng 2026",
            "31/2/2026",
            "5 tháng 2026",
            "5 năm 2026",
            "tháng 3/26",
            "năm 9999",
        ] {
            assert!(period(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn tiers_have_their_vietnamese_names() {
        for (text, expected) in [
            ("commune", Tier::Commune),
            ("xã", Tier::Commune),
            ("Cấp xã", Tier::Commune),
            ("huyen", Tier::District),
            ("cấp Tỉnh", Tier::Province),
        ] {
            assert_eq!(tier(text), Ok(expected), "{text:?}");
        }
        assert_eq!(tier("thôn"), Err("there are province, district, commune (cấp tỉnh, cấp huyện, cấp xã)".to_owned()));
    }

    #[test]
    fn an_agency_is_found_by_its_names_and_codes_and_suggested_by_its_own_part() {
        let agency =
            |name: &'static str, others: &[&'static str]| KnownAgency { names: vec![name], others: others.to_vec() };
        let known = Known::from([
            ("H61", agency("UBND tỉnh Vĩnh Long", &["000.00.00.H61"])),
            ("H61.02", agency("Sở Nội vụ", &["Sở Nội vụ tỉnh Vĩnh Long", "000.00.02.H61"])),
            ("GSO-1", agency("Xã Tân Hào", &["UBND xã Tân Hào"])),
            ("GSO-2", agency("Xã Tân Hoà", &["Phường Tân Hoà"])),
            ("GSO-3", agency("Phường Tân Hoà", &[])),
        ]);
        for (text, expected) in [
            ("000.00.02.H61", &["H61.02"][..]),
            ("h61.02", &["H61.02"]),
            ("Sở Nội vụ tỉnh Vĩnh Long", &["H61.02"]),
            ("so noi vu tinh vinh long", &["H61.02"]),
            ("ubnd XÃ tân hào", &["GSO-1"]),
            ("UBND xã Tân Hao", &[]),
            ("xã Tân Hòa", &["GSO-2"]),
            // A name comes before an alias.
            ("phường Tân Hòa", &["GSO-3"]),
            ("tân hào", &[]),
        ] {
            assert_eq!(meant(&known, text), expected, "{text:?}");
        }
        assert_eq!(alike("tân hào", &known)[0], "`GSO-1` (Xã Tân Hào)");
        assert_eq!(alike("UBND xã Vĩnh Long", &known), Vec::<String>::new());
        assert_eq!(alike("Vĩnh Long", &known), ["`H61` (UBND tỉnh Vĩnh Long)"]);
        assert_eq!(kind_and_own("ubnd xa"), ("ubnd", "xa"));
    }
}

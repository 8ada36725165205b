//! How names from outside are shown: names of files and sheets, and of hosts.
//!
//! A file can be named after a person ("Nguyễn Văn An.xlsx") or hold a telephone number. Such a name is replaced by its
//! shape and a request to rename it. Every other name is shown, so that a data clerk finds the file.

use std::net::IpAddr;

use unicode_normalization::UnicodeNormalization as _;

use crate::fields::agency_names::{PERSONAL_DIGITS, is_publishable_agency};
use crate::fields::agency_words::{Phrase, phrase};
use crate::fields::person_names::{is_family_name, is_latin_family_name, is_middle_name, may_be_family_name};
use crate::fields::shape::shape;
use crate::model::escape::escaped;
use crate::model::text::name_key;

/// Follows the shape of a name that is withheld.
const RENAME: &str = "(name withheld, rename it: tên bị che, cần đổi tên)";
/// Words and pairs of words of documents, without diacritics: a name that has one is not that of a person.
const DOCUMENT_WORDS: [&str; 34] = [
    "bao cao",
    "danh sach",
    "ho so",
    "so lieu",
    "tong hop",
    "ket qua",
    "thong ke",
    "bieu mau",
    "bang ke",
    "don vi",
    "tiep nhan",
    "tra ket",
    "phan anh",
    "kien nghi",
    "thu tuc",
    "trang tinh",
    "thang",
    "quy",
    "nam",
    "ngay",
    "tuan",
    "dvc",
    "tthc",
    "hs",
    "ds",
    "export",
    "list",
    "data",
    "file",
    "sheet",
    "report",
    "dossiers",
    "excel",
    "copy",
];
/// Forms of address, in lower case.
const ADDRESSES: [&str; 9] = ["ông", "bà", "anh", "chị", "em", "cô", "chú", "bác", "ong"];
/// Pairs of words without diacritics in which a form of address is none: "trẻ em", "hình ảnh", "Bà Rịa", "ghi chú".
const NO_ADDRESSES: [&str; 20] = [
    "tre em",
    "tieng anh",
    "nuoc anh",
    "hinh anh",
    "anh hung",
    "anh em",
    "anh van",
    "chi em",
    "ba ria",
    "ba me",
    "co to",
    "bac ai",
    "bac bo",
    "bac don",
    "ghi chu",
    "chu thich",
    "mo coi",
    "phi anh",
    "con em",
    "ong ba",
];
/// Words before the owner of what a file holds.
const OF: [&str; 2] = ["của", "cua"];
/// Words without diacritics that a number makes a period: `T11`, `Quy 3`.
const PERIOD_WORDS: [&str; 7] = ["t", "q", "thang", "quy", "nam", "tuan", "ngay"];
/// Pairs of words without diacritics that follow "một cửa".
const AFTER_ONE_STOP: [&str; 2] = ["dien tu", "lien thong"];
/// Words before and after "thi" or "van" that make it a part of another word: "đô thị", "thị trấn", "công văn", "văn bản".
const BEFORE_MIDDLE: [&str; 18] = [
    "de", "do", "ky", "sieu", "cuoc", "thuc", "bai", "mon", "chi", "du", "hoi", "thu", "ubnd", "cong", "nhan", "luan",
    "ban", "tu",
];
const AFTER_MIDDLE: [&str; 16] = [
    "truong", "tran", "xa", "hanh", "cong", "dua", "cu", "dau", "hoa", "phong", "ban", "thu", "kien", "nghe", "den",
    "di",
];
/// Labels of hosts that say what a host is for.
const HOST_LABELS: [&str; 20] = [
    "www",
    "api",
    "sso",
    "login",
    "auth",
    "id",
    "portal",
    "dichvucong",
    "dvc",
    "motcua",
    "igate",
    "xacthuc",
    "cas",
    "adfs",
    "gateway",
    "lgsp",
    "ngsp",
    "test",
    "accounts",
    "app",
];
/// Second-level domains under a country's.
const SECOND_LEVEL: [&str; 6] = ["gov", "com", "net", "org", "edu", "ac"];

/// Name of a file or sheet as messages, origins and pages show it: escaped, or its shape if it looks like a person's or
/// holds nine digits. Digits of a date and time do not count: `export_20261128_153000.csv`.
#[must_use]
pub fn shown_name(name: &str) -> String {
    if looks_personal(name) { format!("{} {RENAME}", shape(name)) } else { escaped(name).into_owned() }
}

/// Name of a host that a source names: an address, or its domain with the labels before it that are usual. Another
/// label before the domain is `*`.
#[must_use]
pub fn shown_host(host: &str) -> String {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return host.to_owned();
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_country = labels.len() > 2 && labels.last().is_some_and(|last| last.len() == 2);
    let is_second_level = is_country && SECOND_LEVEL.contains(&labels[labels.len() - 2]);
    let domain = labels.len().saturating_sub(if is_second_level { 3 } else { 2 });
    let digits = |text: &str| text.chars().filter(|symbol| symbol.is_numeric()).count();
    let is_number = digits(host) >= PERSONAL_DIGITS;
    let shown = labels.iter().enumerate().map(|(at, label)| {
        let is_shown = if at < domain {
            HOST_LABELS.contains(label)
        } else {
            digits(label) < 6 && !is_number && !looks_personal(label)
        };
        if is_shown { escaped(label).into_owned() } else { "*".to_owned() }
    });
    shown.collect::<Vec<_>>().join(".")
}

/// Whether a name looks like a person's, or holds nine digits that are no date and time.
pub(super) fn looks_personal(name: &str) -> bool {
    counted_digits(name) >= PERSONAL_DIGITS || holds_person(name)
}

/// Digits of a name without those of dates and times.
fn counted_digits(name: &str) -> usize {
    let runs: Vec<String> =
        name.split(|symbol: char| !symbol.is_numeric()).filter(|run| !run.is_empty()).map(str::to_owned).collect();
    let (mut counted, mut at) = (0, 0);
    while at < runs.len() {
        let date = runs_of_date(&runs[at..]);
        if date == 0 {
            counted += runs[at].chars().count();
            at += 1;
            continue;
        }
        at += date;
        // Hours, minutes and seconds, together or apart.
        let is_time = |run: &&String| matches!(run.len(), 2 | 4 | 6);
        at += runs[at..].iter().take(3).take_while(is_time).count();
    }
    counted
}

/// How many runs of digits make a date: `20261128`, `202611281530`, `2026-11-28`, `28-11-2026`; 0 if there is none.
fn runs_of_date(runs: &[String]) -> usize {
    let is =
        |text: &str, range: std::ops::RangeInclusive<u32>| text.parse().is_ok_and(|number| range.contains(&number));
    let is_year = |text: &str| text.len() == 4 && is(text, 1990..=2099);
    let is_day = |month: &str, day: &str| month.len() <= 2 && day.len() <= 2 && is(month, 1..=12) && is(day, 1..=31);
    let is_whole = |run: &str| {
        matches!(run.len(), 8 | 12 | 14) && run.is_ascii() && {
            let is_time = run.len() == 8 || is(&run[8..10], 0..=23) && is(&run[10..12], 0..=59);
            is_time
                && (is_year(&run[..4]) && is_day(&run[4..6], &run[6..8])
                    || is_year(&run[4..8]) && is_day(&run[2..4], &run[..2]))
        }
    };
    match runs {
        [whole, ..] if is_whole(whole) => 1,
        [year, month, day, ..] if is_year(year) && is_day(month, day) => 3,
        [day, month, year, ..] if is_year(year) && is_day(month, day) => 3,
        _ => 0,
    }
}

/// Whether a name holds that of a person: a family name, a form of address or "của" before a capitalised word, a middle
/// name between two words, or three to five capitalised words of which none is a document's or an agency's.
fn holds_person(name: &str) -> bool {
    let name: String = name.nfc().collect();
    let stem =
        name.rsplit_once('.').map_or(name.as_str(), |(stem, ending)| if ending.len() <= 5 { stem } else { &name });
    if is_publishable_agency(stem) {
        return false;
    }
    let (words, is_numbered) = words_of(stem);
    let keys: Vec<String> = words.iter().map(|word| name_key(word)).collect();
    let plain: Vec<String> = words.iter().map(|word| without_marks(word)).collect();
    let is_capitalised = |at: usize| words.get(at).is_some_and(|word| word.starts_with(char::is_uppercase));
    let is_known =
        |at: usize| (2..=3).any(|count| keys.get(at..at + count).is_some_and(|keys| phrase(&keys.join(" ")).is_some()));
    for at in 0..words.len() {
        let is_part = at > 0 && plain[at - 1] == "thi";
        let is_family = (is_family_name(&keys[at]) && !words[at].is_ascii() || is_latin_family_name(&plain[at]))
            && !is_known(at)
            && !is_part;
        if is_family && is_capitalised(at) && is_capitalised(at + 1) && !is_known(at + 1) {
            return true;
        }
        let is_address = || is_addressed(&keys, &plain, at) && !is_known(at) && !is_known(at + 1);
        let is_owner = || {
            let of_body = |count| keys.get(at + 1..=at + count).and_then(|keys| phrase(&keys.join(" ")));
            OF.iter().any(|of| name_key(of) == keys[at])
                && !(1..=3).filter_map(of_body).any(|found| found != Phrase::Other)
                && !is_known(at + 1)
        };
        // Without diacritics "cửa" reads as "của": in "so mot cua T11" a period follows, and no owner.
        let is_one_stop = at > 0 && plain[at - 1] == "mot" && keys[at] == "cua";
        let is_period =
            is_one_stop && is_numbered.get(at + 1) == Some(&true) && PERIOD_WORDS.contains(&plain[at + 1].as_str());
        let is_pair = is_one_stop
            && plain.get(at + 1..at + 3).is_some_and(|pair| {
                let pair = pair.join(" ");
                DOCUMENT_WORDS.contains(&pair.as_str()) || AFTER_ONE_STOP.contains(&pair.as_str())
            });
        // What stands after it may still be a name: "so mot cua T11 Canari".
        let owner = at + 1 + usize::from(is_period) + 2 * usize::from(is_pair);
        if is_capitalised(at + 1) && (is_address() || (is_capitalised(owner) && is_owner())) {
            return true;
        }
        // Of family names that also begin usual words, only a full name is known: `Hồ Xuân An`.
        let is_full_name = || {
            words.get(at..at + 3).is_some_and(|words| words.iter().any(|word| !word.is_ascii()))
                && may_be_family_name(&keys[at])
                && (at..at + 3).all(|at| is_capitalised(at) && !is_known(at))
                && !(at..at + 3).any(|at| phrase(&keys[at]).is_some_and(|found| found != Phrase::Other))
        };
        if is_full_name() {
            return true;
        }
        let is_middle = is_middle_name(&keys[at]) || matches!(plain[at].as_str(), "thi" | "van");
        if is_middle && at > 0 && at + 1 < words.len() {
            let (before, after) = (plain[at - 1].as_str(), plain[at + 1].as_str());
            let is_family = is_latin_family_name(before) || is_family_name(&keys[at - 1]);
            if is_family
                || !BEFORE_MIDDLE.contains(&before) && !AFTER_MIDDLE.contains(&after) && before.chars().count() > 1
            {
                return true;
            }
        }
    }
    let is_document = |at: usize| {
        let of_document = |count: usize| {
            plain.get(at..at + count).is_some_and(|words| DOCUMENT_WORDS.contains(&words.join(" ").as_str()))
        };
        of_document(1) || of_document(2) || is_known(at)
    };
    (3..=5).contains(&words.len())
        && (0..words.len()).all(|at| is_capitalised(at) && words[at].chars().count() > 1)
        && !(0..words.len()).any(is_document)
        && stem.chars().all(|symbol| !symbol.is_numeric())
}

/// Whether a word is a form of address, and not part of another word.
fn is_addressed(keys: &[String], plain: &[String], at: usize) -> bool {
    let is_pair = |at: Option<usize>| {
        at.and_then(|at| plain.get(at..at + 2)).is_some_and(|pair| NO_ADDRESSES.contains(&pair.join(" ").as_str()))
    };
    ADDRESSES.iter().any(|address| name_key(address) == keys[at]) && !is_pair(at.checked_sub(1)) && !is_pair(Some(at))
}

/// Words of a name: letters between other signs, and the parts of `NguyenVanAn`; and whether a number follows each, at once
/// or after one sign.
fn words_of(name: &str) -> (Vec<String>, Vec<bool>) {
    let (mut words, mut is_numbered): (Vec<String>, Vec<bool>) = (Vec::new(), Vec::new());
    let (mut is_inside, mut was_small) = (false, false);
    let mut signs = 0;
    for symbol in name.chars() {
        if !symbol.is_alphabetic() {
            signs += 1;
            if let Some(last) = is_numbered.last_mut().filter(|_| symbol.is_numeric() && signs <= 2) {
                *last = true;
            }
            is_inside = false;
            continue;
        }
        let begins = !is_inside || (was_small && symbol.is_uppercase());
        match words.last_mut() {
            Some(last) if !begins => last.push(symbol),
            _ => {
                words.push(symbol.to_string());
                is_numbered.push(false);
            }
        }
        signs = 0;
        (is_inside, was_small) = (true, symbol.is_lowercase());
    }
    (words, is_numbered)
}

/// The letters of a word without diacritics, in lower case: `Thị` → `thi`.
fn without_marks(word: &str) -> String {
    let letters = word.nfd().filter(|symbol| !unicode_normalization::char::is_combining_mark(*symbol));
    letters.flat_map(char::to_lowercase).map(|symbol| if matches!(symbol, 'đ' | 'ð') { 'd' } else { symbol }).collect()
}

#[cfg(test)]
#[path = "shown_names_tests.rs"]
mod tests;

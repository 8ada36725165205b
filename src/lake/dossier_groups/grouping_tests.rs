use proptest::prelude::*;

use super::*;

/// A row of the table worked by hand: source, key, codes, run of the newest version.
fn row(source: &str, key: &str, codes: &[&str], run: i64) -> CodedRow {
    let codes = codes_of(codes.iter().map(|code| Some(*code))).into_iter().map(str::to_owned).collect();
    CodedRow { key: (source.to_owned(), key.to_owned()), codes, version: (None, run, 0, 0) }
}

/// `source/key` of the members, by group; those that count begin with `*`.
fn groups(rows: &[CodedRow], order: &SourceOrder) -> Vec<Vec<String>> {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for member in group(rows, order, &HashMap::new()) {
        let mark = if member.counts { "*" } else { "" };
        by_name.entry(member.group).or_default().push(format!("{mark}{}/{}", member.key.0, member.key.1));
    }
    let mut groups: Vec<Vec<String>> = by_name.into_values().collect();
    groups.sort_by(|left, right| left[0].trim_start_matches('*').cmp(right[0].trim_start_matches('*')));
    groups
}

const A1: &str = "H61.14-240823-0001";
const A2: &str = "H61.14-240823-0002";
const A3: &str = "H61.14-240823-0003";
const B1: &str = "G09.20-20260609-0092637";
const B2: &str = "G09.20-20260609-0092638";

#[test]
fn rows_of_different_sources_with_a_code_in_common_are_one_dossier() {
    // Worked by hand (domain F.1, F.13). p: portal; m, n: ministries' systems.
    let rows = [
        // The ministry states the portal's code as its national code: one dossier, the portal's row counts.
        row("portal-x", "p1", &[A1], 1),
        row("m", "m1", &[B1, A1], 9),
        // Among several other codes.
        row("portal-x", "p2", &[A2], 1),
        row("m", "m2", &["G09.20-20260609-0000009;H61.14-240823-0002"], 1),
        // Two rows of one source with one code stay two dossiers.
        row("portal-x", "p3", &[A3], 1),
        row("portal-x", "p4", &[A3], 1),
        // A chain over two ministries; neither is a portal: m is before n by name.
        row("n", "n5", &[B2], 5),
        row("m", "m5", &["H15.50-261008-0975", B2], 1),
        // In no other source.
        row("m", "m6", &["H15.50-261008-0976"], 1),
        // A placeholder and a word are no codes of dossiers.
        row("portal-x", "p7", &["H61-000000-0000", "khong-co"], 1),
        row("m", "m7", &["H61-000000-0000", "khong-co"], 1),
    ];
    let expected = [vec!["m/m1", "*portal-x/p1"], vec!["m/m2", "*portal-x/p2"], vec!["*m/m5", "n/n5"]];
    assert_eq!(groups(&rows, &SourceOrder::default()), expected);
    let order = SourceOrder::new(vec!["n".to_owned(), "m".to_owned()]);
    let expected = [vec!["*m/m1", "portal-x/p1"], vec!["*m/m2", "portal-x/p2"], vec!["m/m5", "*n/n5"]];
    assert_eq!(groups(&rows, &order), expected);
}

#[test]
fn of_two_rows_of_the_first_source_the_newest_version_counts() {
    let mut rows = [row("portal-x", "p1", &[A1], 1), row("portal-x", "p2", &[A2], 2), row("m", "m1", &[A1, A2], 3)];
    assert_eq!(groups(&rows, &SourceOrder::default()), [["m/m1", "portal-x/p1", "*portal-x/p2"]]);
    // The source's change time comes before the run.
    rows[0].version.0 = Some(5);
    assert_eq!(groups(&rows, &SourceOrder::default()), [["m/m1", "*portal-x/p1", "portal-x/p2"]]);
    rows[1].version = rows[0].version;
    assert_eq!(groups(&rows, &SourceOrder::default()), [["m/m1", "*portal-x/p1", "portal-x/p2"]]);
}

#[test]
fn a_code_of_too_many_rows_merges_none_of_them() {
    let copies = |number: usize| -> Vec<CodedRow> {
        let many = (1..number).map(|key| row("portal-x", &format!("p{key:02}"), &[A1], 1));
        many.chain([row("m", "m1", &[A1], 1)]).collect()
    };
    let largest = group(&copies(MOST_ROWS), &SourceOrder::default(), &HashMap::new());
    assert_eq!(largest.iter().filter(|member| member.counts).count(), 1);
    let too_large = group(&copies(MOST_ROWS + 1), &SourceOrder::default(), &HashMap::new());
    assert_eq!(too_large.len(), MOST_ROWS + 1);
    assert!(too_large.iter().all(|member| member.counts && member.is_too_large));
}

#[test]
fn codes_have_the_form_of_domain_a_6() {
    for code in [
        "000.00.53.H48-220921-0099",
        "H56.14-240823-0001",
        "H15.50.05.13-261008-0975",
        "G09.20-20260609-0092637",
        "000.00.14.H61-201012-12345678",
    ] {
        assert!(is_dossier_code(code), "{code}");
    }
    for text in [
        "",
        "-",
        "H61",
        "H61.14-240823",
        "H61.14-241323-0001",
        "H61.14-240832-0001",
        "H61.14-24082-0001",
        "H61.14-240823-001",
        "H61.14-240823-0000",
        "H61.14-240823-123456789",
        "H61.14-240823-00a1",
        "-240823-0001",
        "..-240823-0001",
        "Nguyễn-240823-0001",
    ] {
        assert!(!is_dossier_code(text), "{text}");
    }
    assert_eq!(codes_of([Some(" H61.14-240823-0001 ;x;"), None, Some(A2)]), [A1, A2]);
}

#[test]
fn a_group_keeps_its_name_as_long_as_a_row_stays() {
    let order = SourceOrder::default();
    let names = |rows: &[CodedRow], known: &HashMap<RowKey, String>| -> HashMap<RowKey, String> {
        group(rows, &order, known).into_iter().map(|member| (member.key, member.group)).collect()
    };
    let key = |source: &str, key: &str| (source.to_owned(), key.to_owned());
    let (portal, one) = (row("portal-x", "p1", &[A1], 1), row("m", "m1", &[A1, B1], 1));
    let (two, apart) = (row("n", "n1", &[B1], 1), row("portal-x", "p9", &[B1], 1));
    let first = names(&[portal.clone(), one.clone()], &HashMap::new());
    let name = first[&key("m", "m1")].clone();
    assert_eq!(name.len(), 32);
    // A row joins; the first one goes; only the last one stays, with another.
    let second = names(&[portal.clone(), one.clone(), two.clone()], &first);
    assert!(second.values().all(|found| *found == name));
    let third = names(&[one, two.clone()], &second);
    assert!(third.values().all(|found| *found == name) && third.len() == 2);
    let fourth = names(&[two.clone(), apart.clone()], &third);
    assert_eq!(fourth[&key("n", "n1")], name);
    // The first row comes back in a group of its own, whose name was given away.
    let again = row("m", "m1", &[A1], 1);
    let fifth = names(&[two, apart, portal, again], &fourth);
    assert_eq!(fifth[&key("portal-x", "p9")], name);
    assert_ne!(fifth[&key("m", "m1")], name);
}

/// A drawn row: source, codes, run, whether it is deleted.
type Drawn = (usize, Vec<usize>, i64, bool);

const SOURCES: [&str; 4] = ["portal-a", "m", "n", "portal-b"];

fn drawn_rows(drawn: &[Drawn]) -> Vec<CodedRow> {
    let held = drawn.iter().enumerate().filter(|(_, (.., deleted))| !deleted);
    held.map(|(key, (source, codes, run, _))| {
        let codes: Vec<String> = codes.iter().map(|code| format!("H61.14-240823-{:04}", code + 1)).collect();
        row(SOURCES[*source], &format!("{key:03}"), &codes.iter().map(String::as_str).collect::<Vec<_>>(), *run)
    })
    .collect()
}

/// Groups found by widening one group at a time until no row joins it.
fn by_widening(rows: &[CodedRow]) -> Vec<Vec<RowKey>> {
    let is_one = |left: &CodedRow, right: &CodedRow| {
        left.key.0 != right.key.0 && left.codes.iter().any(|code| right.codes.contains(code))
    };
    let mut left: Vec<&CodedRow> = rows.iter().collect();
    let mut groups = Vec::new();
    while let Some(first) = left.pop() {
        let mut found = vec![first];
        while let Some(place) = left.iter().position(|row| found.iter().any(|known| is_one(known, row))) {
            found.push(left.remove(place));
        }
        let mut keys: Vec<RowKey> = found.into_iter().map(|row| row.key.clone()).collect();
        keys.sort();
        groups.push(keys);
    }
    groups.retain(|group| group.len() > 1);
    groups.sort();
    groups
}

proptest! {
    #[test]
    fn groups_are_the_connected_components(
        nights in proptest::collection::vec(
            proptest::collection::vec((0..4_usize, proptest::collection::vec(0..30_usize, 0..3), 0..3_i64, any::<bool>()), 0..40),
            1..4,
        )
    ) {
        let order = SourceOrder::default();
        let mut known = HashMap::new();
        for night in &nights {
            let rows = drawn_rows(night);
            let members = group(&rows, &order, &known);
            let mut found: BTreeMap<&str, Vec<&GroupMember>> = BTreeMap::new();
            for member in &members {
                found.entry(&member.group).or_default().push(member);
            }
            let mut keys: Vec<Vec<RowKey>> =
                found.values().map(|group| group.iter().map(|member| member.key.clone()).collect()).collect();
            keys.sort();
            prop_assert_eq!(keys, by_widening(&rows));
            for group in found.values() {
                let counting: Vec<_> = group.iter().filter(|member| member.counts).collect();
                if group.len() > MOST_ROWS {
                    prop_assert_eq!(counting.len(), group.len());
                    continue;
                }
                prop_assert_eq!(counting.len(), 1);
                let place = |source: &str| ["portal-a", "portal-b", "m", "n"].iter().position(|name| *name == source);
                let first = group.iter().map(|member| place(&member.key.0)).min();
                prop_assert_eq!(Some(place(&counting[0].key.0)), first);
            }
            // The order in which rows are read decides nothing.
            let reversed: Vec<CodedRow> = rows.iter().rev().cloned().collect();
            prop_assert_eq!(&group(&reversed, &order, &known), &members);
            known = members.into_iter().map(|member| (member.key, member.group)).collect();
        }
    }
}

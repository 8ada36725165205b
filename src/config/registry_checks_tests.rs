use super::*;

/// The problems of a registry, as `line column: message`.
fn problems<T>(
    text: &str,
    read: fn(&mut Row<'_>) -> Option<T>,
    compare: fn(&Path, &NumberedRows<T>, &mut Problems),
) -> Vec<String> {
    let file = Path::new("registry.csv");
    let (mut problems, mut parsed) = (Problems::default(), NumberedRows::new());
    rows(file, text, &mut problems, &mut |row| parsed.extend(read(row).map(|one| (row.line, one))));
    compare(file, &parsed, &mut problems);
    problems.as_slice().iter().map(|one| format!("{} {}: {}", one.line, one.name, one.message)).collect()
}

fn of_agencies(lines: &[&str]) -> Vec<String> {
    let header = "code,other_codes,name,aliases,kind,tier,valid_from,valid_to";
    problems(&[&[header], lines].concat().join("\n"), agency, registry_checks::agencies)
}

fn conflict(line: usize, column: &str, name: &str, agency: &str, other_line: usize, other: &str) -> String {
    format!(
        "{line} {column}: `{name}` means agency `{agency}` and, in line {other_line}, agency `{other}` on the same days: \
         give them different names, or days in `valid_from` and `valid_to` that do not overlap"
    )
}

#[test]
fn a_name_of_two_agencies_on_one_day_is_a_mistake() {
    for (lines, expected) in [
        (
            [
                "H99.01,,UBND xã Tân An,,commune,commune,2025-07-01,",
                "H99.02,,UBND xã Tân An,,commune,commune,2025-07-01,",
            ],
            vec![conflict(3, "name", "UBND xã Tân An", "H99.02", 2, "H99.01")],
        ),
        (
            ["H99.01,,UBND xã Hòa Đông,,commune,commune,,", "H99.02,,Xã B,ubnd  XÃ hoà Ðông,commune,commune,,"],
            // Cells are read with the Vietnamese letter in place of the one that looks like it.
            vec![conflict(3, "aliases", "ubnd  XÃ hoà Đông", "H99.02", 2, "H99.01")],
        ),
        (
            [
                "H99.01,000.01;000.02,Xã A,,commune,commune,,2025-06-30",
                "H99.02,000.02,Xã B,,commune,commune,2025-06-30,",
            ],
            vec![conflict(3, "other_codes", "000.02", "H99.02", 2, "H99.01")],
        ),
        (
            ["H99.01,,Xã A,,commune,commune,,", "h99.01,,Xã B,,commune,commune,,"],
            vec![conflict(3, "code", "h99.01", "h99.01", 2, "H99.01")],
        ),
        // The last day of one and the first of the other: no day in common.
        (["H99.01,,Xã A,,commune,commune,,2025-06-30", "H99.02,,Xã A,,commune,commune,2025-07-01,"], vec![]),
        // The same name twice in one row is no conflict; names that differ in their tone are not alike.
        (["H99.01,H99.01,Xã Hoa,xã  hoa,commune,commune,,", "H99.02,,Xã Hòa,,commune,commune,,"], vec![]),
    ] {
        assert_eq!(of_agencies(&lines), expected, "{lines:?}");
    }
}

#[test]
fn cells_are_read_without_invisible_characters() {
    let text = "date,kind\n2026-03-09\u{a0},holiday\n\u{200b}2026-03-09,holiday\u{200b}\n";
    assert_eq!(problems(text, calendar_day, registry_checks::calendar).len(), 1);
}

#[test]
fn three_agencies_of_one_name_give_a_problem_for_each_pair() {
    let lines =
        ["1.A,,Phường 1,,commune,commune,,", "1.B,,Phường 1,,commune,commune,,", "1.C,,Phường 1,,commune,commune,,"];
    assert_eq!(
        of_agencies(&lines),
        [
            conflict(3, "name", "Phường 1", "1.B", 2, "1.A"),
            conflict(4, "name", "Phường 1", "1.C", 2, "1.A"),
            conflict(4, "name", "Phường 1", "1.C", 3, "1.B"),
        ]
    );
}

#[test]
fn a_day_twice_in_the_calendar_is_a_mistake() {
    let text = "date,kind\n2026-03-09,holiday\n2026-03-10,holiday\n# swapped\n2026-03-09,working\n2026-03-10,holiday\n";
    let expected = [
        "5 date: 2026-03-09 is listed twice, also in line 2: keep the row that is right",
        "6 date: 2026-03-10 is listed twice, also in line 3: keep the row that is right",
    ];
    assert_eq!(problems(text, calendar_day, registry_checks::calendar), expected);
}

#[test]
fn offers_of_one_procedure_and_agency_must_not_overlap() {
    let text = "procedure,offered_by,online_level,valid_from,valid_to\n\
        1.000001,H99.01,full,,2025-06-30\n\
        1.000001,H99.01,partial,2025-07-01,\n\
        1.000001,tier:commune,partial,,\n\
        1.000002,H99.01,partial,,\n\
        1.000001,H99.01,information,2026-01-01,\n";
    let expected = "6 procedure: procedure `1.000001` of `H99.01` is also in line 3 on the same days: keep one row, or write days in \
                    `valid_from` and `valid_to` that do not overlap";
    assert_eq!(problems(text, offer, registry_checks::offers), [expected]);
}

#[test]
fn a_sector_or_a_column_twice_is_a_mistake() {
    let sector = |row: &mut Row<'_>| row.text("code").zip(row.text("name"));
    let text = "# sectors\ncode,name,name\nA,Hộ tịch,x\nB,Đất đai,x\nA,Hộ khẩu,x\n";
    let expected = "5 code: sector `A` is listed twice, also in line 3";
    assert_eq!(problems(text, sector, registry_checks::sectors), [expected]);
    let mut of_header = Problems::default();
    check_header(Path::new("sectors.csv"), text, &mut of_header);
    assert_eq!(of_header.as_slice()[0].to_string(), "sectors.csv:2: `name`: the header row has this column twice");
    assert_eq!(of_header.as_slice().len(), 1);
}

#[test]
fn days_that_end_before_they_begin_and_circles_are_mistakes() {
    let header = "code,name,kind,tier,parent,valid_from,valid_to\n";
    let rows = "A,Sở A,specialised,province,C,,\nB,Sở B,specialised,province,A,,\nC,Sở C,specialised,province,B,,\n\
        D,Sở D,specialised,province,A,,\nE,Sở E,specialised,province,E,2025-07-01,2025-06-30\n\
        F,Sở F,specialised,province,,2025-07-01,2025-07-01\n";
    let circle = |line: usize, from: &str, to: &str, column: &str| {
        format!("{line} {column}: `{to}` leads back to `{from}`: the rows run in a circle")
    };
    let expected = [
        "6 valid_to: 2025-06-30 is before `valid_from` 2025-07-01: no day is left".to_owned(),
        circle(2, "A", "C", "parent"),
        circle(3, "B", "A", "parent"),
        circle(4, "C", "B", "parent"),
        circle(6, "E", "E", "parent"),
    ];
    assert_eq!(problems(&format!("{header}{rows}"), agency, registry_checks::agencies), expected);
    let rows = "from,to,date\nA,B,2025-07-01\nA,C,2025-07-01\nC,D,2026-07-01\nD,A,2027-07-01\nE,B,2025-07-01\n";
    let expected = [circle(3, "A", "C", "to"), circle(4, "C", "D", "to"), circle(5, "D", "A", "to")];
    assert_eq!(problems(rows, succession, registry_checks::successions), expected);
}

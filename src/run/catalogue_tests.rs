use jiff::civil::date;

use super::*;

/// Source, code, sector, name of the sector, statutory time, unit, deleted.
type Row<'a> = (&'a str, &'a str, &'a str, &'a str, Option<i64>, Option<&'a str>, Option<bool>);

fn table(rows: &[Row<'_>]) -> LazyFrame {
    let texts = |of: fn(&Row<'_>) -> String| rows.iter().map(of).collect::<Vec<String>>();
    let frame = df!(
        "source" => texts(|row| row.0.to_owned()),
        "source_key" => texts(|row| row.1.to_owned()),
        "procedure_code" => texts(|row| row.1.to_owned()),
        "name" => texts(|row| format!("Thủ tục {} của {}", row.1, row.0)),
        "sector_code" => texts(|row| row.2.to_owned()),
        "sector_name" => texts(|row| row.3.to_owned()),
        "statutory_time" => rows.iter().map(|row| row.4).collect::<Vec<_>>(),
        "unit" => rows.iter().map(|row| row.5).collect::<Vec<_>>(),
        "deleted" => rows.iter().map(|row| row.6).collect::<Vec<_>>(),
    );
    frame.expect("columns of one height").lazy()
}

fn procedure(code: &str, statutory_time: Option<u32>, unit: TimeUnit) -> Procedure {
    Procedure {
        code: code.to_owned(),
        name: "Trong sổ".to_owned(),
        sector: "HO-TICH".to_owned(),
        statutory_time,
        unit,
        cut_off: time(14, 0, 0, 0),
        immediate: statutory_time.is_none(),
        certification: false,
        vertical: true,
        valid_from: None,
        valid_to: None,
    }
}

fn registries(procedures: Vec<Procedure>) -> Registries {
    let sectors = BTreeMap::from([("HO-TICH".to_owned(), "Hộ tịch".to_owned())]);
    Registries { procedures, sectors, ..Registries::default() }
}

#[test]
fn the_row_of_the_file_counts_whole_and_only_new_codes_come_from_the_catalogue() {
    let catalogue = Catalogue::read(table(&[
        ("b", "1.000001", "LV-1", "Tên khác", Some(9), Some("hours"), None),
        ("a", "1.000001", "HO-TICH", "Hộ tịch, quốc tịch", Some(3), Some("working_days"), None),
        ("b", "1.000002", "LV-1", "Lĩnh vực mới", Some(24), Some("hours"), Some(false)),
        ("b", "1.000003", "LV-2", "Đã bỏ", Some(5), Some("working_days"), Some(true)),
        ("b", "1.000004", "LV-1", "Lĩnh vực mới", None, None, None),
    ]))
    .expect("the table is read");
    let file = registries(vec![procedure("1.000001", Some(5), TimeUnit::WorkingDays)]);
    let completed = catalogue.completed(&file);
    assert_eq!(completed.procedures[0], file.procedures[0]);
    let new = Procedure {
        name: "Thủ tục 1.000002 của b".to_owned(),
        sector: "LV-1".to_owned(),
        cut_off: time(15, 0, 0, 0),
        vertical: false,
        ..procedure("1.000002", Some(24), TimeUnit::Hours)
    };
    assert_eq!(completed.procedures[1], new);
    let unstated = &completed.procedures[2];
    assert_eq!((unstated.statutory_time, unstated.unit, unstated.immediate), (None, TimeUnit::WorkingDays, false));
    assert_eq!(completed.procedures.len(), 3, "the deleted procedure is left out");
    let sectors = [("HO-TICH", "Hộ tịch"), ("LV-1", "Tên khác")].map(|(code, name)| (code.to_owned(), name.to_owned()));
    assert_eq!(completed.sectors, BTreeMap::from(sectors), "names of the file come first");
    let differences = catalogue.differences(&file, date(2026, 1, 5));
    assert_eq!(differences.other_time, ["1.000001"], "the first catalogue by name counts");
    assert_eq!(differences.not_in_file, ["1.000002", "1.000004"]);
}

#[test]
fn times_differ_only_if_both_are_stated_and_valid() {
    use TimeUnit::{Hours, WorkingDays};
    let read = |time, unit| {
        Catalogue::read(table(&[("a", "1.000001", "HO-TICH", "Hộ tịch", time, unit, None)])).expect("the table is read")
    };
    let old = Procedure { valid_to: Some(date(2025, 12, 31)), ..procedure("1.000001", Some(5), WorkingDays) };
    let new = Procedure { valid_from: Some(date(2026, 1, 1)), ..procedure("1.000001", Some(3), WorkingDays) };
    for (time, unit, rows, differs) in [
        (Some(3), Some("working_days"), vec![old.clone(), new.clone()], false),
        (Some(5), Some("working_days"), vec![old.clone(), new], true),
        (Some(3), Some("hours"), vec![procedure("1.000001", Some(3), Hours)], false),
        (Some(3), None, vec![procedure("1.000001", Some(3), Hours)], true),
        (None, None, vec![procedure("1.000001", Some(3), Hours)], false),
        (Some(3), None, vec![procedure("1.000001", None, WorkingDays)], false),
        (Some(9), None, vec![old], false),
    ] {
        let found = read(time, unit).differences(&registries(rows.clone()), date(2026, 1, 5));
        assert_eq!(!found.other_time.is_empty(), differs, "{time:?} {unit:?} {rows:?}");
        assert!(found.not_in_file.is_empty(), "the file has the code");
    }
}

#[test]
fn an_empty_table_changes_nothing() {
    let catalogue = Catalogue::read(table(&[])).expect("the table is read");
    let file = registries(vec![procedure("1.000001", Some(5), TimeUnit::WorkingDays)]);
    assert_eq!(catalogue.completed(&file), file);
    assert_eq!(catalogue.differences(&file, date(2026, 1, 5)), Differences::default());
    assert!(Catalogue::among(&[]).expect("no table is no catalogue").procedures.is_empty());
}

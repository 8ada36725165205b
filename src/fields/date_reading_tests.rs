//! Instants: a time of day in a field of its own, years of the Buddhist Era, midnight that means a date.

use super::*;

#[test]
fn a_time_of_its_own_field_completes_the_date() {
    let fields: Arc<[String]> = ["date".to_owned(), "time".to_owned()].into();
    let mut reader = instant("time = 'time'\nnull_values = ['-']");
    reader.add_cell_format();
    let cells = FieldCells { from: vec![0], time: Some(1) };
    for (date, time, expected) in [
        ("05/01/2026", "08:30", "2026-01-05T08:30:00+07:00"),
        (" 05/01/2026 ", " 08:30:15 ", "2026-01-05T08:30:15+07:00"),
        ("05/01/2026", "", "2026-01-05T00:00:00+07:00"),
        ("05/01/2026", "\u{a0}", "2026-01-05T00:00:00+07:00"),
        // Cells of a workbook: a date, and half past eight as the fraction of a day.
        ("2026-01-05 00:00:00", "0.354167", "2026-01-05T08:30:00+07:00"),
        ("2026-01-05 00:00:00", "08:30:00", "2026-01-05T08:30:00+07:00"),
        ("05/01/2026", "sáng", "not_an_instant"),
        ("05/01/2026", "0.9999999999", "not_an_instant"),
        ("", "08:30", "absent"),
        ("0001-01-01", "08:30", "absent"),
        ("2026-01-05 00:00:00", "0", "2026-01-05T00:00:00+07:00"),
        ("2026-01-05 00:00:00", "8:30", "2026-01-05T08:30:00+07:00"),
        ("05/01/2026", "0.354167", "2026-01-05T08:30:00+07:00"),
        ("05/01/2026", "-", "2026-01-05T00:00:00+07:00"),
    ] {
        let mut page = Page::new(1, String::new(), String::new(), Arc::clone(&fields));
        page.begin_row(1);
        page.set(0, date);
        page.set(1, time);
        let found = reader.first(&page, 0, &cells).map(|first| said_of(first.value));
        assert_eq!(found.as_deref().unwrap_or("absent"), expected, "{date} {time}");
    }
}

#[test]
fn years_of_the_buddhist_era_are_543_ahead() {
    let reader = instant("buddhist_years = true");
    for (text, expected) in [
        ("05/01/2569", "2026-01-05T00:00:00+07:00"),
        ("2569-01-05T17:00:00Z", "2026-01-06T00:00:00+07:00"),
        // 2569 is a leap year of neither calendar; 2571 is 2028.
        ("29/02/2571", "2028-02-29T00:00:00+07:00"),
        ("29/02/2569", "not_an_instant"),
        ("05/01/2026", "out_of_range"),
        ("0001-01-01", "none"),
    ] {
        assert_eq!(said(&reader, text), expected, "{text}");
    }
    // Cells of workbooks are in the calendar of everyone.
    let mut reader = compiled("type = 'instant'\nformats = ['dd/MM/yyyy']\nbuddhist_years = true", &[]).expect("valid");
    reader.add_cell_format();
    assert_eq!(said(&reader, "2026-01-05 00:00:00"), "2026-01-05T00:00:00+07:00");
    for format in ["dd/MM/yy", "epoch_seconds", "spreadsheet_serial"] {
        let keys = format!("type = 'instant'\nformats = ['{format}']\nbuddhist_years = true");
        assert_eq!(compiled(&keys, &[]).map(|_| ()).map_err(|(key, _)| key), Err("formats"), "{format}");
    }
}

#[test]
fn midnight_utc_may_mean_a_date() {
    let reader = compiled(
        "type = 'instant'\nformats = ['yyyy-MM-ddTHH:mm:ss[.S]Z', 'epoch_milliseconds']\nmidnight_is_date = true",
        &[],
    )
    .expect("valid");
    for (text, expected) in [
        ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00+07:00"),
        ("2026-01-05T00:00:00.000+00:00", "2026-01-05T00:00:00+07:00"),
        // 00:00 UTC of 5 January 2026.
        ("1767571200000", "2026-01-05T00:00:00+07:00"),
        ("1767574800000", "2026-01-05T08:00:00+07:00"),
        ("2026-01-05T01:30:00Z", "2026-01-05T08:30:00+07:00"),
        // Midnight in Vietnam, as a program writes it that knows the zone.
        ("2026-01-05T00:00:00+07:00", "2026-01-05T00:00:00+07:00"),
        ("2026-01-04T17:00:00Z", "2026-01-05T00:00:00+07:00"),
        ("0001-01-01T00:00:00Z", "none"),
    ] {
        assert_eq!(said(&reader, text), expected, "{text}");
    }
}

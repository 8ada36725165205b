//! The pages that check the data and the forms: their numbers are those of the command line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};

use serde_json::Value;

use super::get;
use super::markup::sound;
use crate::office::Office;
use crate::office::serving::Serving;

/// The lines of a CSV file with semicolons, without the headings. None of its cells has a semicolon.
fn lines(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    text.split("\r\n").skip(1).filter(|line| !line.is_empty()).map(cells).collect()
}

fn cells(line: &str) -> Vec<String> {
    line.split(';').map(|cell| cell.trim_matches('"').to_owned()).collect()
}

fn json(office: &Office, arguments: &[&str]) -> Value {
    let printed = office.act(arguments);
    serde_json::from_slice(&printed.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

pub(super) fn are_those_of_the_command_line(office: &Office, service: &Serving, cookie: &str) {
    reconciliation(office, service, cookie);
    integrity(office, service, cookie);
    a_form(office, service, cookie);
    files_state_how_many_rows_there_are(office, service, cookie);
    one_dossier(office, service, cookie);
    lists_lead_to_the_page_of_a_dossier(service, cookie);
    conditions_are_in_words(service, cookie);
}

fn files_state_how_many_rows_there_are(office: &Office, service: &Serving, cookie: &str) {
    for path in [
        "/figures/par-3.4.1/dossiers.csv?period=2026&side=in_numerator",
        "/worklists/overdue/dossiers.csv",
        "/worklists/silent/dossiers.csv",
        "/reconcile/return/unmatched/dossiers.csv?period=2026",
        "/reconcile/items.csv?period=2026",
        "/reconcile/national.csv?period=2026",
        "/reconcile.csv?period=2026",
        "/integrity.csv?indicator=par-3.4.1&period=2026",
        "/integrity/end_set_back/dossiers.csv?indicator=par-3.4.1&period=2026",
    ] {
        let file = get(service, path, cookie);
        assert_eq!(file.status, 200, "{path}: {}", file.text());
        let rows = lines(file.text());
        // The table of the file is small, and has all.
        if !path.starts_with("/integrity.csv") {
            assert_eq!(file.header("x-total-count"), rows.len().to_string(), "{path}");
        }
        is_the_same_as_a_workbook(service, cookie, path, &rows);
    }
    let silent = json(office, &["worklist", "silent", "--format", "json"]);
    let silent = silent.as_array().expect("a list");
    assert!(!silent.is_empty(), "a town of the past is silent");
    let file = get(service, "/worklists/silent/dossiers.csv", cookie);
    let codes: Vec<String> = lines(file.text()).into_iter().map(|line| line[0].clone()).collect();
    let expected: Vec<&str> = silent.iter().filter_map(|row| row["agency"].as_str()).collect();
    assert_eq!(codes, expected);
    assert!(file.text().contains("Cấp xã") && !file.text().contains("commune"), "{}", file.text());
}

/// The workbook beside a file has as many rows, its headings in the row that is filtered and frozen, and is made for paper.
fn is_the_same_as_a_workbook(service: &Serving, cookie: &str, path: &str, rows: &[Vec<String>]) {
    let path = path.replacen(".csv", ".xlsx", 1);
    let workbook = get(service, &path, cookie);
    assert_eq!(workbook.status, 200, "{path}");
    assert_eq!(workbook.header("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert!(workbook.header("content-disposition").ends_with(".xlsx\""), "{path}");
    assert_eq!(workbook.header("x-total-count"), rows.len().to_string(), "{path}");
    let mut archive = zip::ZipArchive::new(Cursor::new(&workbook.body)).expect("a workbook is an archive");
    let mut sheet = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").expect("a sheet").read_to_string(&mut sheet).expect("XML is UTF-8");
    let (_, filter) = sheet.split_once("<autoFilter ref=\"A").expect("a filter");
    let (filter, _) = filter.split_once('"').expect("a reference");
    let (first, last) = filter.split_once(':').expect("a range");
    let heading: usize = first.parse().expect("a row");
    let last: usize = last.trim_start_matches(|sign: char| sign.is_ascii_uppercase()).parse().expect("a row");
    assert_eq!(last - heading, rows.len(), "{path}");
    let split = format!("ySplit=\"{heading}\"");
    for wanted in [split.as_str(), "state=\"frozen\"", "orientation=\"landscape\""] {
        assert!(sheet.contains(wanted), "{path}: {wanted}");
    }
    let page = path.split_once('?').map_or(path.as_str(), |(address, _)| address);
    let page = page.trim_end_matches(".xlsx").trim_end_matches("/dossiers");
    // The page of the list leads to it.
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let page =
        if page.starts_with("/figures") { format!("{page}/dossiers?{query}") } else { format!("{page}?{query}") };
    let shown = get(service, &page, cookie);
    assert!(shown.text().contains(".xlsx?"), "{page}: {}", shown.text());
}

fn lists_lead_to_the_page_of_a_dossier(service: &Serving, cookie: &str) {
    let returned = "/reconcile/return/unmatched";
    let mut paths = vec![
        "/worklists/overdue".to_owned(),
        "/reconcile/submission/unmatched?period=2026".to_owned(),
        format!("{returned}?period=2025"),
        "/integrity/due_moved_unexplained?indicator=par-3.4.1&period=2026".to_owned(),
    ];
    // Results returned in a month: most of their dossiers were received in an earlier one.
    let file = get(service, &format!("{returned}/dossiers.csv?period=2025"), cookie);
    let headings = cells(file.text().trim_start_matches('\u{feff}').lines().next().expect("a file has headings"));
    let column =
        headings.iter().position(|heading| heading.to_lowercase().contains("ngày của cổng")).expect("it has the day");
    let months: BTreeSet<String> = lines(file.text()).iter().filter_map(|line| month(&line[column])).collect();
    assert!(!months.is_empty(), "the post and the portal differ about returns of 2025");
    paths.extend(months.iter().take(4).map(|month| format!("{returned}?period={month}")));
    let mut followed = BTreeMap::new();
    for path in &paths {
        let list = get(service, path, cookie);
        sound(path, list.text(), "vi");
        let text = list.text();
        let is_of_dossier = |address: &&str| address.starts_with("/figures/") && address.contains("/dossiers/");
        let addresses = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let addresses: Vec<&str> = addresses.filter(is_of_dossier).collect();
        let rows = ["<th scope=\"row\" class=\"mono small\">", "<th scope=\"row\" class=\"small\""];
        let rows: usize = rows.iter().map(|row| text.matches(row).count()).sum();
        assert_eq!(addresses.len(), rows, "{path}: every row has a link");
        for address in addresses.into_iter().take(3) {
            let address = address.replace("&#38;", "&").replace("&amp;", "&");
            let page = get(service, &address, cookie);
            assert_eq!(page.status, 200, "{path}: {address}: {}", page.text());
            let text = sound(&address, page.text(), "vi");
            assert!(text.contains("Những điều quyết định"), "{address}");
            assert!(!page.text().contains(">commune<") && !page.text().contains(">specialised<"), "{address}: {text}");
            *followed.entry(path.as_str()).or_insert(0) += 1;
        }
    }
    assert!(followed.contains_key("/worklists/overdue"), "{followed:?}");
    let of_months = followed.keys().filter(|path| path.contains("period=2025-")).count();
    assert_eq!(of_months, months.len().min(4), "{followed:?}");
}

/// The month of a cell with a day: `2025-12` for `31/12/2025`, with or without a time.
fn month(cell: &str) -> Option<String> {
    let day = cell.split(' ').find(|word| word.matches('/').count() == 2)?;
    let (_, month_and_year) = day.split_once('/')?;
    let (month, year) = month_and_year.split_once('/')?;
    Some(format!("{year}-{month}"))
}

fn one_dossier(office: &Office, service: &Serving, cookie: &str) {
    let listed =
        json(office, &["explain", "par-3.4.3", "--period", "2026", "--side", "in_numerator", "--format", "json"]);
    let code = listed["dossiers"][0]["dossier_code"].as_str().expect("it has a code").to_owned();
    let link = format!("/figures/par-3.4.3/dossiers/{code}?period=2026&amp;scope=");
    let list = get(service, "/figures/par-3.4.3/dossiers?period=2026&side=in_numerator", cookie);
    assert!(list.text().contains(&format!("href=\"{link}\"")), "{link} is not in {}", list.text());
    let expected = json(office, &["explain", "par-3.4.3", "--period", "2026", "--dossier", &code, "--format", "json"]);
    let [dossier] = expected.as_array().expect("a list").as_slice() else { panic!("{expected}") };
    for (lang, side, verdict) in [("vi", "Tính vào tử số", "đúng"), ("en", "In the numerator", "true")] {
        let path = format!("/figures/par-3.4.3/dossiers/{code}?period=2026&lang={lang}");
        let page = get(service, &path, cookie);
        assert_eq!(page.status, 200, "{path}");
        let text = sound(&path, page.text(), lang);
        assert!(text.contains(side) && text.contains(verdict), "{path}: {text}");
        let (_, conditions) = page.text().split_once("id=\"conditions-1\"").expect("a table of conditions");
        let (conditions, rest) = conditions.split_once("</table>").expect("a table has an end");
        let wanted = dossier["conditions"].as_array().expect("conditions").len();
        assert_eq!(conditions.matches("scope=\"row\"").count(), wanted, "{path}");
        let (_, versions) = rest.split_once("id=\"versions-1\"").expect("a table of versions");
        let wanted = dossier["versions"].as_array().expect("versions").len();
        assert_eq!(versions.matches("<th scope=\"row\"").count(), wanted, "{path}");
    }
    let page = get(service, "/figures/par-3.4.3/dossiers/none?period=2026", cookie);
    assert_eq!(page.status, 404);
    let reads = office.act(&["token", "reads", "--format", "json"]);
    let reads = String::from_utf8(reads.stdout).expect("UTF-8");
    assert!(reads.contains("explain par-3.4.3 2026, one dossier") && !reads.contains(&code), "{reads}");
}

/// What leaves a dossier out is in words on the page and in the file; programs get the condition.
fn conditions_are_in_words(service: &Serving, cookie: &str) {
    let path = "/figures/par-3.4.1/dossiers.csv?period=2026&side=excluded";
    let file = get(service, path, cookie);
    let table = lines(file.text());
    assert!(!table.is_empty(), "other agencies have dossiers");
    assert!(
        !file.text().contains("agency_kind") && file.text().contains("= Cơ quan chuyên môn cấp tỉnh"),
        "{}",
        file.text()
    );
}

fn reconciliation(office: &Office, service: &Serving, cookie: &str) {
    let expected = json(office, &["reconcile", "--period", "2026", "--format", "json"]);
    let table = lines(get(service, "/reconcile.csv?period=2026", cookie).text());
    let mut compared = 0;
    for (direction, title) in [("submission", "Nộp hồ sơ qua bưu chính"), ("return", "Trả kết quả qua bưu chính")]
    {
        let of = expected["directions"].as_array().expect("a list").iter().find(|one| one["direction"] == direction);
        let of = of.expect("both directions are printed");
        let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
        for row in of["by_agency"].as_array().expect("a list") {
            *rows.entry(row["agency"].as_str().expect("a code")).or_default() +=
                row["dossiers"].as_u64().expect("a count");
        }
        let found: BTreeMap<&str, u64> = table
            .iter()
            .filter(|line| line[0] == title)
            .map(|line| (line[1].as_str(), line[3..].iter().map(|cell| cell.parse::<u64>().expect("a count")).sum()))
            .collect();
        assert_eq!(found, rows, "{direction}");
        compared += found.len();
        // The list of a class has as many dossiers as its total.
        for (class, total) in of["totals"].as_object().expect("totals by class") {
            let file = get(service, &format!("/reconcile/{direction}/{class}/dossiers.csv?period=2026"), cookie);
            assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
            assert_eq!(lines(file.text()).len() as u64, total.as_u64().expect("a count"), "{direction} {class}");
        }
    }
    assert!(compared > 0, "the town has postal dossiers");
    let items = json(office, &["reconcile", "--period", "2026", "--items", "--format", "json"]);
    let found = lines(get(service, "/reconcile/items.csv?period=2026", cookie).text()).len();
    assert_eq!(found, items["items"].as_array().expect("a list").len());
}

fn integrity(office: &Office, service: &Serving, cookie: &str) {
    let arguments = ["report", "par-3.4.3", "--period", "2026", "--integrity", "--format", "json"];
    let expected = json(office, &arguments);
    let expected = expected.as_array().expect("a list");
    let table = lines(get(service, "/integrity.csv?indicator=par-3.4.3&period=2026", cookie).text());
    assert_eq!(table.len(), expected.len());
    for (line, row) in table.iter().zip(expected) {
        assert_eq!(Some(line[0].as_str()), row["agency"].as_str());
        assert_eq!(line[2], row["due_moved_after_due"].to_string());
        assert_eq!([&line[8], &line[9]], [&row["numerator"].to_string(), &row["denominator"].to_string()]);
    }
    let kinds =
        ["due_moved_after_due", "due_moved_unexplained", "end_set_back", "resubmitted", "supplement_on_last_day"];
    for kind in kinds {
        let sum: u64 = expected.iter().map(|row| row[kind].as_u64().expect("a count")).sum();
        let path = format!("/integrity/{kind}/dossiers.csv?indicator=par-3.4.3&period=2026");
        assert_eq!(lines(get(service, &path, cookie).text()).len() as u64, sum, "{kind}");
    }
}

fn a_form(office: &Office, service: &Serving, cookie: &str) {
    for (scope, option) in
        [("", None), ("tier-commune", Some(["--tier", "commune"])), ("H61.02", Some(["--agency", "H61.02"]))]
    {
        let path = office.path().join("form.xlsx");
        let path = path.to_str().expect("UTF-8");
        let mut arguments = vec!["form", "II.06a", "--period", "2026-Q1", "-o", path];
        arguments.extend(option.into_iter().flatten());
        assert!(office.act(&arguments).status.success(), "{scope}");
        #[expect(clippy::disallowed_methods, reason = "the test looks into the file")]
        let expected = std::fs::read(path).expect("it was written");
        let found = get(service, &format!("/forms/II.06a/workbook.xlsx?period=2026-Q1&scope={scope}"), cookie);
        assert_eq!(found.header("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        assert!(found.header("content-disposition").contains("bieu-II.06a_2026-Q1"), "{scope}");
        assert!(found.body == expected, "{scope}: the workbook is that of the command line");
    }
}

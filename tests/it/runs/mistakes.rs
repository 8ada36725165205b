//! Mistakes in the configuration: all at once, each with file, line and name; nothing written.

use crate::office::{Office, said};

/// Line, from 1, of the first line of a file that holds a text.
fn line_of(office: &Office, file: &str, text: &str) -> usize {
    let mut found = 0;
    office.edit(file, |whole| {
        found = whole.lines().position(|line| line.contains(text)).expect("the text stands in the file") + 1;
        whole
    });
    found
}

fn replace(office: &Office, file: &str, from: &str, to: &str) {
    office.edit(file, |text| {
        assert!(text.contains(from), "`{file}` holds `{from}`");
        text.replacen(from, to, 1)
    });
}

#[test]
fn every_mistake_is_told_at_once() {
    let office = Office::new("http://127.0.0.1:1");
    let connector = "connectors/portal-igate/connector.toml";
    let (indicators, agencies) = ("config/indicators/resolution.toml", "config/agencies.csv");
    // A wrong key, a wrong type and a wrong value; each file is another mistake or two.
    replace(&office, connector, "remove-status = \"0\" }", "remove-status = \"0\" }\nbodyy = 1");
    replace(&office, connector, "overlap_days = 7", "overlap_days = \"seven\"");
    replace(&office, connector, "type = \"oauth2_client_credentials\"", "type = \"oauth9\"");
    replace(&office, "connectors/bcci-export/connector.toml", "[map.fee]", "[map.fees]");
    replace(&office, "connectors/bcci-export/connector.toml", "cron = \"0 2 * * *\"", "cron = \"0 26 * * *\"");
    replace(&office, indicators, "numerator = \"is_on_time\"", "numerator = \"is_in_time\"");
    replace(&office, indicators, "'district' AND NOT agency_vertical AND is_received", "'district' AND");
    replace(&office, "config/indicators/online.toml", "numerator = \"is_online\"", "numerator = \"agency_kind\"");
    replace(&office, "config/successions.csv", "\nH61.", "\nH69.");
    replace(&office, "config/indicators/postal.toml", "rules = \"seed-2639\"", "rules = \"seed-2640\"");
    // A missing article does not hide what else is wrong in its file.
    let national = "config/indicators/national.toml";
    let article = "legal = { document = \"224/2026/NĐ-CP\", place = \"Điều 19 khoản 2\", from = 2026-07-01 }\n";
    replace(&office, national, article, "");
    replace(&office, national, "numerator = \"is_online\"", "numerator = \"is_onlyne\"");
    replace(&office, "config/indicators/procedures.toml", "interlinked = 'same_level'", "interlinkt = 'same_level'");
    let mut spoiled = String::new();
    office.edit(agencies, |text| {
        let row = text.lines().find(|line| line.contains(",specialised,province")).expect("there is a department");
        spoiled = row.replace(",specialised,province", ",specialised,kingdom");
        text.replacen(row, &spoiled, 1)
    });

    let output = office.act(&["run"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    let at = |file: &str, text: &str, name: &str| {
        let place = format!("{file}:{}: ", line_of(&office, file, text));
        let line = told.lines().find(|line| line.contains(&place) && line.contains(name));
        assert!(line.is_some(), "`{place}` with `{name}` is not among:\n{told}");
    };
    at(connector, "bodyy = 1", "request.bodyy");
    at(connector, "overlap_days = \"seven\"", "overlap_days");
    at(connector, "[auth]", "oauth2_client_credentials");
    at("connectors/bcci-export/connector.toml", "[map.fees]", "fees");
    at("connectors/bcci-export/connector.toml", "0 26 * * *", "schedule.cron");
    at(indicators, "is_in_time", "is_in_time");
    at(indicators, "'district' AND\"", "population");
    assert!(told.contains("`indicator.3.legal`: missing"), "{told}");
    at(national, "is_onlyne", "is_onlyne");
    at("config/indicators/procedures.toml", "interlinkt", "interlinkt");
    at("config/indicators/online.toml", "numerator = \"agency_kind\"", "numerator");
    at("config/indicators/postal.toml", "seed-2640", "seed-2640");
    at("config/successions.csv", "H69.", "from");
    at(agencies, &spoiled, "kingdom");
    assert!(told.contains("14 mistakes"), "no other is made up of them:\n{told}");
    assert!(!office.data().exists(), "nothing was written");
}

#[test]
fn the_settings_own_mistakes_are_told_too() {
    let office = Office::new("http://127.0.0.1:1");
    replace(&office, "config/motcua.toml", "[province]", "[province]\nsize = 3");
    replace(&office, "config/motcua.toml", "code = \"H61\"", "code = 61");
    let output = office.act(&["run"]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for (text, name) in [("size = 3", "province.size"), ("code = 61", "province.code")] {
        let place = format!("config/motcua.toml:{}: `{name}`", line_of(&office, "config/motcua.toml", text));
        assert!(told.contains(&place), "`{place}` is not in:\n{told}");
    }
    assert!(!office.data().exists(), "nothing was written");
}

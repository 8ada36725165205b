//! Mistakes in the configuration are reported all at once, each with file, line and name; nothing is written.

use crate::office::{Office, said};

/// 1-based number of the first line of a file that contains a text.
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
fn all_mistakes_are_reported_at_once() {
    let office = Office::new("http://127.0.0.1:1");
    let connector = "connectors/portal-igate/connector.toml";
    let (indicators, agencies) = ("config/indicators/resolution.toml", "config/agencies.csv");
    // A wrong key, a wrong type and a wrong value; each file has one or two other mistakes.
    replace(&office, connector, "remove-status = \"0\" }", "remove-status = \"0\" }\nbodyy = 1");
    replace(&office, connector, "overlap_days = 7", "overlap_days = \"seven\"");
    replace(&office, connector, "type = \"oauth2_client_credentials\"", "type = \"oauth9\"");
    replace(&office, "connectors/bcci-export/connector.toml", "[map.fee]", "[map.fees]");
    replace(&office, "connectors/bcci-export/connector.toml", "cron = \"30 1 * * *\"", "cron = \"0 26 * * *\"");
    replace(&office, indicators, "numerator = \"is_on_time\"", "numerator = \"is_in_time\"");
    replace(&office, indicators, "'district' AND NOT agency_vertical AND is_received", "'district' AND");
    replace(&office, "config/indicators/online.toml", "numerator = \"is_online\"", "numerator = \"agency_kind\"");
    replace(&office, "config/successions.csv", "\nH61.", "\nH69.");
    replace(&office, "config/indicators/postal.toml", "rules = \"seed-2639\"", "rules = \"seed-2640\"");
    // A missing article does not hide other mistakes in its file.
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
    let messages = said(&output);
    assert_eq!(output.status.code(), Some(2), "{messages}");
    let at = |file: &str, text: &str, name: &str| {
        let place = format!("{file}:{}: ", line_of(&office, file, text));
        let line = messages.lines().find(|line| line.contains(&place) && line.contains(name));
        assert!(line.is_some(), "`{place}` with `{name}` is not among:\n{messages}");
    };
    at(connector, "bodyy = 1", "request.bodyy");
    at(connector, "overlap_days = \"seven\"", "overlap_days");
    at(connector, "[auth]", "oauth2_client_credentials");
    at("connectors/bcci-export/connector.toml", "[map.fees]", "fees");
    at("connectors/bcci-export/connector.toml", "0 26 * * *", "schedule.cron");
    at(indicators, "is_in_time", "is_in_time");
    at(indicators, "'district' AND\"", "population");
    assert!(messages.contains("`indicator.3.legal`: missing"), "{messages}");
    at(national, "is_onlyne", "is_onlyne");
    at("config/indicators/procedures.toml", "interlinkt", "interlinkt");
    at("config/indicators/online.toml", "numerator = \"agency_kind\"", "numerator");
    at("config/indicators/postal.toml", "seed-2640", "seed-2640");
    at("config/successions.csv", "H69.", "from");
    at(agencies, &spoiled, "kingdom");
    assert!(messages.contains("14 mistakes"), "no other mistake follows from them:\n{messages}");
    assert!(!office.data().exists(), "nothing was written");
}

/// The text of an indicator with id, kind and further lines.
fn indicator(id: &str, kind: &str, rest: &str) -> String {
    format!(
        "[[indicator]]\nid = \"{id}\"\nkind = \"{kind}\"\ntitle.vi = \"Mẫu\"\ntitle.en = \"Sample\"\n\
         legal = {{ document = \"Mẫu\", place = \"Mẫu\", from = 2025-01-01 }}\nrules = \"seed-2639\"\n\
         population = \"TRUE\"\n{rest}\n\n"
    )
}

const OF_DOSSIERS: &str = "numerator = \"TRUE\"\nperiod = \"received_at\"\n";
const A_RATIO: &str = "numerator = \"TRUE\"\nperiod = \"received_at\"\ndenominator = \"TRUE\"\n";
const PROCEDURES: &str = "numerator = \"TRUE\"\nperiod = \"received_at\"\nover = \"procedures\"\nregistry = \"TRUE\"\n";
const AGENCIES: &str = "numerator = \"TRUE\"\nperiod = \"received_at\"\nover = \"agencies\"\nregistry = \"TRUE\"\n";

/// Entries that cannot be read at all: an unknown kind, no numerator, an unknown amount, a negative number of days.
fn unread_indicators() -> [String; 4] {
    [
        indicator("unread-0", "ratioo", A_RATIO),
        indicator("unread-1", "mean", "period = \"received_at\"\nof = \"processing_hours\""),
        indicator("unread-2", "median", &format!("{OF_DOSSIERS}of = \"days\"")),
        indicator("unread-3", "ratio", &format!("{AGENCIES}within_working_days = -1")),
    ]
}

/// At a period's end a dossier may have had another state than now.
#[test]
fn an_amount_with_a_state_is_of_dossiers_that_ended_in_the_period() {
    let office = Office::new("http://127.0.0.1:1");
    let of_received = indicator("sample", "points", &format!("{OF_DOSSIERS}of = \"time_points\""));
    let at_period_end = of_received.replace("seed-2639", "qd-766");
    office.write("config/indicators/sample.toml", &at_period_end);
    let output = office.act(&["run"]);
    let messages = said(&output);
    assert_eq!(output.status.code(), Some(2), "{messages}");
    assert!(messages.contains("`indicator.0.rules`: an amount at a period's end can only be computed"), "{messages}");
    for text in [of_received, at_period_end.replace("received_at", "ended_at")] {
        office.write("config/indicators/sample.toml", &text);
        let messages = said(&office.act(&["check", "--offline"]));
        assert!(!messages.contains("indicator.0"), "{messages}");
    }
}

/// Keys that an indicator of a kind, or over procedures or agencies, must have or must not have.
#[test]
fn keys_that_do_not_fit_the_kind_of_an_indicator_are_reported() {
    let told_of = [
        ("mean", OF_DOSSIERS, "", "of", "required for a mean, for example `processing_hours`"),
        ("median", OF_DOSSIERS, "", "of", "required for a median, for example `processing_hours`"),
        ("points", OF_DOSSIERS, "", "of", "required for a mean of points, for example `time_points`"),
        ("points", OF_DOSSIERS, "of = \"processing_hours\"", "of", "not an amount of a mean of points"),
        ("mean", OF_DOSSIERS, "of = \"supplement_points\"", "of", "not an amount of a mean: write for example"),
        ("ratio", A_RATIO, "of = \"processing_hours\"", "of", "not allowed for a ratio"),
        ("count", OF_DOSSIERS, "of = \"processing_hours\"", "of", "not allowed for a count"),
        (
            "stock",
            "numerator = \"is_pending\"\nperiod = \"ended_at\"\n",
            "",
            "period",
            "a stock counts dossiers received",
        ),
        (
            "median",
            AGENCIES,
            "of = \"processing_hours\"\nwithin_working_days = 1",
            "kind",
            "a median can only be computed over dossiers",
        ),
        (
            "mean",
            OF_DOSSIERS,
            "of = \"processing_hours\"\ntarget = { at_least = 0.5 }",
            "target",
            "not allowed for a mean",
        ),
        (
            "mean",
            OF_DOSSIERS,
            "of = \"processing_hours\"\ndenominator = \"TRUE\"",
            "denominator",
            "not allowed for a mean",
        ),
        (
            "ratio",
            A_RATIO,
            "registry_part = \"at_one_stop\"",
            "registry_part",
            "only a ratio over procedures or agencies",
        ),
        (
            "count",
            PROCEDURES,
            "registry_part = \"at_one_stop\"",
            "registry_part",
            "only a ratio over procedures or agencies",
        ),
        ("ratio", A_RATIO, "reconcile_with = \"par-3.4.1\"", "reconcile_with", "only a ratio over measures has it"),
        ("ratio", PROCEDURES, "registry_part = \"at_one_stop AND\"", "registry_part", "Expected"),
        ("ratio", PROCEDURES, "registry_part = \"at_one_stopp\"", "registry_part", "at_one_stopp"),
        ("ratio", AGENCIES, "registry_part = \"at_one_stop\"", "registry_part", "at_one_stop"),
        ("ratio", AGENCIES, "", "within_working_days", "missing: maximum age"),
        ("ratio", AGENCIES, "within_working_days = 0", "within_working_days", "must be 1 or more"),
        (
            "ratio",
            PROCEDURES,
            "within_working_days = 10",
            "within_working_days",
            "only allowed for a ratio of agencies",
        ),
        ("ratio", A_RATIO, "within_working_days = 10", "within_working_days", "only allowed for a ratio of agencies"),
    ];
    let office = Office::new("http://127.0.0.1:1");
    let of = |(number, (kind, plain, own, ..)): (usize, &(&str, &str, &str, &str, &str))| {
        indicator(&format!("sample-{number}"), kind, &format!("{plain}{own}"))
    };
    let text: String = told_of.iter().enumerate().map(of).collect();
    office.write("config/indicators/mistaken.toml", &text);
    office.write("config/indicators/unread.toml", &unread_indicators().concat());
    replace(&office, "config/rules/seed-2639.toml", "cut_off = \"at_once\"", "cut_off = \"at_noon\"");

    let output = office.act(&["run"]);
    let messages = said(&output);
    assert_eq!(output.status.code(), Some(2), "{messages}");
    let at = |file: &str, line: usize, name: &str, message: &str| {
        let place = format!("{file}:{line}: `{name}`: ");
        let line = messages.lines().find(|line| line.contains(&place) && line.contains(message));
        assert!(line.is_some(), "`{place}` with `{message}` is not among:\n{messages}");
    };
    for (number, (_, _, own, key, message)) in told_of.iter().enumerate() {
        let file = "config/indicators/mistaken.toml";
        let first = line_of(&office, file, &format!("\"sample-{number}\"")) - 1;
        let mut of_entry = text.lines().skip(first - 1).take_while(|line| !line.is_empty());
        let line = of_entry.position(|line| line.starts_with(&format!("{key} =")));
        assert_eq!(line.is_none(), message.contains("missing") || message.contains("required for"), "{own}");
        // If the key is missing, the line is that of the entry.
        at(file, first + line.unwrap_or(0), &format!("indicator.{number}.{key}"), message);
    }
    let file = "config/indicators/unread.toml";
    at(file, line_of(&office, file, "ratioo"), "indicator.0.kind", "\"ratio\", \"count\", \"mean\"");
    at(file, line_of(&office, file, "unread-1") - 1, "indicator.1.numerator", "missing");
    at(file, line_of(&office, file, "of = \"days\""), "indicator.2.of", "processing_hours");
    at(file, line_of(&office, file, "= -1"), "indicator.3.within_working_days", "-1");
    let rules = "config/rules/seed-2639.toml";
    at(rules, line_of(&office, rules, "at_noon"), "cut_off", "\"every\"");
    let number = told_of.len() + 5;
    assert!(messages.contains(&format!("{number} mistakes")), "no other mistake follows from them:\n{messages}");
    assert!(!office.data().exists(), "nothing was written");
}

/// No mistake hides another: neither does an entry that cannot be read hide its other mistakes, nor a wrong predicate.
#[test]
fn no_mistake_hides_another() {
    const PLAIN: &str = "numerator = \"TRUE\"\nperiod = \"received_at\"\n";
    let (ratio, file) = (format!("{PLAIN}denominator = \"TRUE\"\n"), "config/indicators/mistaken.toml");
    let office = Office::new("http://127.0.0.1:1");
    let entries = [
        // None of these can be read: an unknown key, no numerator, an unknown word.
        indicator("par-3.4.1", "ratio", &format!("{ratio}denominatr = \"TRUE\"\ntarget = {{ at_least = 1.5 }}")),
        indicator("hidden-1", "ratio", "period = \"received_at\"\ndenominator = \"is_onlyne\"")
            .replace("seed-2639", "seed-2640"),
        indicator("hidden-2", "ratioo", &format!("{PLAIN}over = \"feedback\"\ndenominator = \"has_due_dat\"")),
        indicator("hidden-2", "ratio", &ratio).replace("\"Sample\"", "\" \""),
        // These can be read, except for their predicates.
        indicator(
            "told-1",
            "ratio",
            &format!("{ratio}having = \"agency_kind = 'comune'\"\ntarget = {{ at_least = 2 }}"),
        )
        .replace("seed-2639", "seed-2641"),
        indicator(
            "told-1",
            "count",
            &format!("{PLAIN}over = \"procedures\"\nregistry = \"role IN ('lead', 'chair')\""),
        )
        .replace("document = \"Mẫu\", place = \"Mẫu\"", "document = \"\", place = \"\""),
        indicator("told-2", "ratio", &format!("{ratio}over = \"feedback\"\nhaving = \"subject <> 'rule'\"")),
    ];
    let text = entries.concat();
    office.write(file, &text);
    // Indicators may name a rule set that has a mistake.
    let (rules, form) = ("config/rules/qd-766.toml", "config/forms/ii-06a.toml");
    replace(&office, rules, "compare = \"instant\"", "compare = \"instantly\"");
    replace(&office, rules, "document = \"766/QĐ-TTg\"", "document = \"\"");
    office.edit(form, |text| {
        let title = text.lines().find(|line| line.starts_with("title = ")).expect("a form has a title");
        text.replacen(title, "title = \"\"", 1)
    });
    // A code in two rows: offers have dates, a procedure has one row.
    let procedures = "config/procedures.csv";
    let mut twice = String::new();
    office.edit(procedures, |text| {
        let row = text.lines().find(|line| line.starts_with("1.001193,")).expect("there is the procedure");
        twice = row.replace(",,,", ",2026-01-01,,");
        format!("{text}{twice}\n")
    });

    let output = office.act(&["run"]);
    let messages = said(&output);
    assert_eq!(output.status.code(), Some(2), "{messages}");
    let at = |file: &str, line: usize, name: &str, message: &str| {
        let place = format!("{file}:{line}: `{name}`: ");
        let line = messages.lines().find(|line| line.contains(&place) && line.contains(message));
        assert!(line.is_some(), "`{place}` with `{message}` is not among:\n{messages}");
    };
    let of_entries = [
        (0, "denominatr", "unknown key"),
        (0, "target.at_least", "a share from 0 to 1"),
        (1, "numerator", "missing"),
        (1, "rules", "no rule set `seed-2640`; there are: form-06a, qd-766, seed-2639"),
        (1, "denominator", "no column `is_onlyne`"),
        (2, "kind", "\"ratio\", \"count\""),
        (2, "denominator", "no column `has_due_dat`"),
        (3, "id", "`hidden-2` is defined twice"),
        (3, "title.en", "empty; indicator `hidden-2`: its English title is missing"),
        (4, "having", "`agency_kind` is never `comune`; it is one of: specialised, service_centre, district, commune"),
        (4, "rules", "no rule set `seed-2641`"),
        (4, "target.at_least", "a share from 0 to 1"),
        (5, "id", "`told-1` is defined twice"),
        (5, "registry", "`role` is never `chair`; it is one of: lead, cooperating"),
        (5, "legal.document", "empty; indicator `told-1`: the legal document is missing"),
        (5, "legal.place", "empty; indicator `told-1`: the place in the document is missing"),
        (6, "having", "`subject` is never `rule`; it is one of: regulation, conduct"),
        (6, "period", "without `having`"),
    ];
    for (entry, name, message) in of_entries {
        let first = entries[..entry].concat().lines().count() + 1;
        let key = name.split('.').next().unwrap_or_default();
        let of_key = |line: &str| line.starts_with(&format!("{key} =")) || line.starts_with(&format!("{name} ="));
        // If the key is missing, the line is that of the entry.
        let line = entries[entry].lines().position(of_key).unwrap_or(0);
        at(file, first + line, &format!("indicator.{entry}.{name}"), message);
    }
    let shipped = "config/indicators/resolution.toml";
    at(shipped, line_of(&office, shipped, "\"par-3.4.1\""), "indicator.0.id", "`par-3.4.1` is defined twice");
    at(rules, line_of(&office, rules, "instantly"), "compare", "\"instant_strict\"");
    at(rules, line_of(&office, rules, "document = \"\""), "legal.document", "empty; rule set `qd-766`");
    at(form, line_of(&office, form, "title = \"\""), "title", "empty; form `II.06a`");
    let advice =
        "procedure `1.001193` is listed twice: write one row for each code; validity dates of offers belong into";
    at(procedures, line_of(&office, procedures, &twice), "code", advice);
    assert!(
        messages.contains(&format!("{} mistakes", of_entries.len() + 5)),
        "no other mistake follows from them:\n{messages}"
    );
    assert!(!office.data().exists(), "nothing was written");
}

#[test]
fn mistakes_in_the_settings_are_reported_too() {
    let office = Office::new("http://127.0.0.1:1");
    replace(&office, "config/motcua.toml", "[province]", "[province]\nsize = 3");
    replace(&office, "config/motcua.toml", "code = \"H61\"", "code = 61");
    let output = office.act(&["run"]);
    let messages = said(&output);
    assert_eq!(output.status.code(), Some(2), "{messages}");
    for (text, name) in [("size = 3", "province.size"), ("code = 61", "province.code")] {
        let place = format!("config/motcua.toml:{}: `{name}`", line_of(&office, "config/motcua.toml", text));
        assert!(messages.contains(&place), "`{place}` is not in:\n{messages}");
    }
    assert!(!office.data().exists(), "nothing was written");
}

#[test]
fn the_calendar_has_each_day_once_and_covers_this_year() {
    let office = Office::new("http://127.0.0.1:1");
    let refused = |calendar: &str, expected: &str| {
        office.edit("config/calendar.csv", |_| calendar.to_owned());
        let output = office.act(&["check", "--offline"]);
        let messages = said(&output);
        assert_eq!(output.status.code(), Some(2), "{messages}");
        assert!(messages.contains(expected), "`{expected}` is not among:\n{messages}");
    };
    let old = "date,kind,name,source\n2020-01-01,holiday,Tết Dương lịch,mẫu\n";
    refused(old, "`date`: the calendar has no day of 20");
    refused(&format!("{old}2020-01-01,working,Làm bù,mẫu\n"), "2020-01-01 is listed twice, also in line 2");
    assert!(!office.data().exists(), "nothing was written");
}

//! What the national portal counts for the province and its agencies, month by month: measures beside the office's own figures,
//! which stay what they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use motcua::simulator::{EVALUATION_ROOT, TruthScope};
use serde_json::Value;

use crate::office::serving::Serving;
use crate::office::{Office, Town, said};

/// The connectors whose figures are compared with the true ones here.
pub(crate) const CONNECTORS: [&str; 2] = ["national-evaluation", "national-evaluation-province"];

const TODAY: Date = date(2025, 11, 28);
/// The local figures that the simulated portal repeats: by kind of agency, and online.
const ON_TIME: [&str; 3] = ["par-3.4.1", "par-3.4.2", "par-3.4.3"];
const ONLINE: &str = "nd224-online";

/// Indicator, agency (none: the province) and period.
type Key = (String, Option<String>, String);
/// Numerator and denominator.
type Cells = BTreeMap<Key, (u64, u64)>;

fn cells(rows: &[Value], is_wanted: impl Fn(&str) -> bool) -> Cells {
    let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
    let of_scope = rows.iter().filter(|row| row["tier"].is_null() || row["agency"].is_string());
    let cell = |row: &Value| {
        let (indicator, period) = text(row, "indicator").zip(text(row, "period"))?;
        let counts = row["numerator"].as_u64().zip(row["denominator"].as_u64())?;
        Some(((indicator, text(row, "agency"), period), counts)).filter(|((name, ..), _)| is_wanted(name))
    };
    of_scope.filter_map(cell).collect()
}

/// The true counts of the months from July on that the national portal repeats.
fn expected(town: &Town) -> Cells {
    let mut found = Cells::new();
    let figures = town.province.truth(TODAY).figures;
    let is_month =
        |period: &str| period.len() == 7 && !period.contains(['Q', 'H', 'M']) && ("2025-07".."2026").contains(&period);
    let mut received: BTreeMap<(String, String), u64> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| is_month(&figure.period) && ON_TIME.contains(&figure.indicator)) {
        let TruthScope::Agency(agency) = &figure.scope else { continue };
        let key = ("dvcqg-on-time".to_owned(), Some(agency.clone()), figure.period.clone());
        found.insert(key, (figure.numerator, figure.denominator));
        received.insert((agency.clone(), figure.period.clone()), figure.denominator);
    }
    for ((agency, period), denominator) in received {
        let of_agency = figures.iter().find(|figure| {
            figure.indicator == ONLINE && figure.period == period && figure.scope == TruthScope::Agency(agency.clone())
        });
        let numerator = of_agency.map_or(0, |figure| figure.numerator);
        found.insert(("dvcqg-online".to_owned(), Some(agency), period), (numerator, denominator));
    }
    // The province's row is their sum.
    let of_agencies: Vec<_> =
        found.iter().map(|((name, _, period), counts)| ((name.clone(), period.clone()), *counts)).collect();
    for ((name, period), (numerator, denominator)) in of_agencies {
        let sum = found.entry((name, None, period)).or_default();
        *sum = (sum.0 + numerator, sum.1 + denominator);
    }
    found
}

fn add(office: &Office, connector: &str) {
    let output = office.act(&["connectors", "add", connector]);
    assert!(output.status.success(), "{}", said(&output));
    office.edit(&format!("connectors/{connector}/connector.toml"), |text| {
        text.replace("requests_per_second = 2.0", "requests_per_second = 1000.0")
    });
}

#[test]
fn what_the_national_portal_counts_stands_beside_the_local_figures() {
    let town = Town::new(300, 11, TODAY);
    let mut office = Office::of(&town);
    office.run();
    nothing_is_connected(&office);
    let local = |office: &Office| cells(&office.report_on(&office.data()), |name| !name.starts_with("dvcqg-"));
    let before = local(&office);
    assert!(before.len() > 1_000, "{} figures", before.len());
    for connector in CONNECTORS {
        add(&office, connector);
    }
    office
        .variables
        .extend([("DVCQG_EVALUATION_URL", town.url()), ("DVCQG_EVALUATION_ROOT", EVALUATION_ROOT.to_owned())]);
    office.run();
    let national = |office: &Office| cells(&office.report_on(&office.data()), |name| name.starts_with("dvcqg-"));
    let (found, expected) = (national(&office), expected(&town));
    assert!(expected.len() > 50, "{} measures", expected.len());
    for (key, counts) in &expected {
        assert_eq!(found.get(key), Some(counts), "{key:?}");
    }
    let more: Vec<_> =
        found.iter().filter(|(key, (_, denominator))| *denominator > 0 && !expected.contains_key(key)).collect();
    assert!(more.is_empty(), "{more:?}");
    assert!(local(&office) == before, "local figures changed");
    for connector in CONNECTORS {
        assert_eq!(office.count(connector, "quarantined"), 0);
    }
    let before = differences_are_those_of_the_figures(&office, &found);
    // Another night replaces what is stated for a month, and adds nothing but what an office states later.
    let (planted, counts) = plant(&office, &expected);
    office.run();
    let mut after = found;
    after.insert(planted.clone(), counts);
    assert!(national(&office) == after, "the same counts give the same figures");
    assert_eq!(office.count(CONNECTORS[0], "accepted"), 0);
    let rows = differences_are_those_of_the_figures(&office, &after);
    let [was, is] = [&before, &rows].map(|rows| of_key(rows, &planted));
    for (name, moved) in [("numerator_difference", 1), ("denominator_difference", -2)] {
        let of = |row: &Value| row[name].as_i64().expect("both sides have counts");
        assert_eq!(of(is), of(was) + moved, "{name}: {was} {is}");
    }
    let changed = rows.iter().filter(|row| !before.contains(row)).count();
    assert_eq!(changed, 1, "only the planted row is another one");
    the_service_has_the_same(&office, planted.1.as_deref().expect("it is of an agency"));
}

/// Without the connectors there is nothing to compare, and that is no error.
fn nothing_is_connected(office: &Office) {
    let table = office.act(&["reconcile", "--national"]);
    let text = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.status.success(), "{}", said(&table));
    assert!(text.contains("The national evaluation is not connected"), "{text}");
    assert!(text.contains("motcua connectors add national-evaluation"), "{text}");
    let answer = compared(office);
    assert_eq!((&answer["connected"], &answer["total"]), (&Value::Bool(false), &Value::from(0)));
    assert_eq!(answer["rows"], Value::Array(Vec::new()));
}

fn compared(office: &Office) -> Value {
    let printed = office.act(&["reconcile", "--national", "--period", "2025", "--format", "json"]);
    assert!(printed.status.success(), "{}", said(&printed));
    serde_json::from_slice(&printed.stdout).expect("JSON")
}

/// States counts of an agency and a month later than the national portal does: one fewer on time, two more received.
fn plant(office: &Office, truth: &Cells) -> (Key, (u64, u64)) {
    let is_of_agency = |((indicator, agency, _), (numerator, _)): &(&Key, &(u64, u64))| {
        indicator == "dvcqg-on-time" && agency.is_some() && *numerator > 0
    };
    let (key, (numerator, denominator)) = truth.iter().find(is_of_agency).expect("a month with a dossier on time");
    let planted = (numerator - 1, denominator + 2);
    let (indicator, agency, period) = key;
    let agency = agency.as_deref().unwrap_or_default();
    let (on_time, received) = planted;
    let text = format!(
        "Chỉ tiêu;Đơn vị;Kỳ;Tử số;Mẫu số;Số văn bản;Ngày nhập\n{indicator};{agency};{period};{on_time};{received};15/BC-VP;20/11/2025\n\
         Tổng cộng;;1;;;;\n"
    );
    office.write("so-lieu/bo-sung-2025-11-27.csv", &text);
    (key.clone(), planted)
}

fn of_key<'r>(rows: &'r [Value], (indicator, agency, period): &Key) -> &'r Value {
    let is_it = |row: &&Value| {
        row["national_indicator"] == **indicator
            && row["agency"].as_str() == agency.as_deref()
            && row["period"] == **period
    };
    let mut found = rows.iter().filter(is_it);
    let row = found.next().unwrap_or_else(|| panic!("{indicator} {agency:?} {period}"));
    assert!(found.next().is_none(), "{indicator} {agency:?} {period} is there twice");
    row
}

/// Each row has the figures that `report` prints, and their difference; returns the rows.
fn differences_are_those_of_the_figures(office: &Office, national: &Cells) -> Vec<Value> {
    let pairs = [("dvcqg-on-time", "qd766-2.1"), ("dvcqg-online", "qd766-3.3")];
    let figures = office.report_on(&office.data());
    let ours = cells(&figures, |name| pairs.iter().any(|(_, local)| *local == name));
    // Dossiers that may or may not belong to ours.
    let undecided_of = |row: &Value| {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let (indicator, period) = text("indicator").zip(text("period"))?;
        let is_of_scope = row["tier"].is_null() || row["agency"].is_string();
        Some(((indicator, text("agency"), period), row["undecided"].as_u64()?)).filter(|_| is_of_scope)
    };
    let undecided: BTreeMap<Key, u64> = figures.iter().filter_map(undecided_of).collect();
    let answer = compared(office);
    assert_eq!((&answer["connected"], &answer["period"]), (&Value::Bool(true), &Value::from("2025")));
    let rows = answer["rows"].as_array().expect("a list").clone();
    let has_counts = |counts: Option<&(u64, u64)>| counts.copied().filter(|(_, denominator)| *denominator > 0);
    let mut wanted = 0;
    for (of_portal, local) in pairs {
        let stated: BTreeSet<&String> =
            national.keys().filter(|(name, ..)| name == of_portal).map(|(.., period)| period).collect();
        let scopes: BTreeSet<(&Option<String>, &String)> = ours
            .keys()
            .chain(national.keys())
            .filter(|(name, _, period)| (name == of_portal || name == local) && stated.contains(period))
            .map(|(_, agency, period)| (agency, period))
            .collect();
        for (agency, period) in scopes {
            let of =
                |name: &str, cells: &Cells| has_counts(cells.get(&(name.to_owned(), agency.clone(), period.clone())));
            let undecided = undecided.get(&(local.to_owned(), agency.clone(), period.clone())).copied().unwrap_or(0);
            let may_belong = || Some((0, 0)).filter(|_| undecided > 0);
            let (here, there) = (of(local, &ours).or_else(may_belong), of(of_portal, national));
            if here.or(there).is_none() {
                continue;
            }
            wanted += 1;
            let row = of_key(&rows, &(of_portal.to_owned(), agency.clone(), period.clone()));
            let counts = |names: [&str; 2]| row[names[0]].as_u64().zip(row[names[1]].as_u64());
            assert_eq!(counts(["numerator", "denominator"]), here, "{row}");
            assert_eq!(counts(["national_numerator", "national_denominator"]), there, "{row}");
            let unknown = row["unknown"].as_u64().unwrap_or(0);
            let class = match (here, there) {
                (Some(_), None) => "only_local",
                (None, _) => "only_national",
                (Some(here), Some(there)) if here == there => "equal",
                (Some(here), Some(there)) if (here.1..=here.1 + undecided).contains(&there.1) => {
                    let most = here.0 + unknown + there.1 - here.1;
                    if (here.0..=most).contains(&there.0) { "within_unknown" } else { "differs" }
                }
                _ => "differs",
            };
            assert_eq!(row["undecided"].as_u64().unwrap_or(0), undecided, "{row}");
            assert_eq!(row["class"], class, "{row}");
            let minus = |ours: u64, theirs: u64| Value::from(ours.cast_signed() - theirs.cast_signed());
            let difference = here.zip(there).map(|(here, there)| [minus(here.0, there.0), minus(here.1, there.1)]);
            let [numerator, denominator] = difference.unwrap_or([Value::Null, Value::Null]);
            assert_eq!((&row["numerator_difference"], &row["denominator_difference"]), (&numerator, &denominator));
        }
    }
    assert_eq!(rows.len(), wanted);
    assert!(wanted > 50, "{wanted}");
    rows
}

/// API, files and page have what the command line prints; a bound token gets its agency only.
fn the_service_has_the_same(office: &Office, agency: &str) {
    let answer = compared(office);
    let serving = Serving::start(office);
    let token = office.token("all", "read");
    let path = "/api/v1/reconcile/national?period=2025&limit=10000";
    assert_eq!(serving.get(path, &token).json(), answer);
    let csv = serving.get(&format!("{path}&format=csv"), &token);
    let printed = office.act(&["reconcile", "--national", "--period", "2025", "--format", "csv"]);
    assert!(csv.text().as_bytes() == printed.stdout, "{}", csv.text());
    let rows = answer["rows"].as_array().expect("a list");
    let page = serving.get("/reconcile/national?period=2025", &token);
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&format!("1–50 / {}", rows.len())), "{}", page.text());

    let made = office.act(&["token", "create", "own", "--agency", agency]);
    let own = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    let of_own = serving.get(path, &own).json();
    let expected: Vec<&Value> = rows.iter().filter(|row| row["agency"] == *agency).collect();
    assert!(!expected.is_empty() && expected.len() < rows.len());
    assert_eq!(of_own["rows"].as_array().expect("a list").iter().collect::<Vec<_>>(), expected);
    assert_eq!(serving.get(&format!("{path}&tier=commune"), &own).status, 403);
    let page = serving.get("/reconcile/national?period=2025", &own);
    assert!(page.text().contains(&format!("/ {}</p>", expected.len())), "{}", page.text());
    let file = serving.get("/reconcile/national.csv?period=2025", &own);
    assert_eq!(file.header("x-total-count"), expected.len().to_string());
}

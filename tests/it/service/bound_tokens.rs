//! Tokens that are bound to agencies: no operation of the API and no page shows them a line of another agency.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use jiff::civil::date;
use serde_json::Value;

use motcua::model::instant::local;
use motcua::run::now;

use crate::imports::code::{sources, without_comments_and_texts, without_tests};
use crate::office::serving::{Reply, Serving};
use crate::office::{Office, Town, said};

/// Functions of `run` that read dossiers.
const READERS: [&str; 13] = [
    "dossier_sources",
    "integrity_dossiers",
    "explain",
    "explain_dossier",
    "worklist",
    "worklist_counts",
    "silent_agencies",
    "reconcile",
    "unmatched_items",
    "integrity",
    "moved_dossiers",
    "filled_form",
    "count_unmatched_items",
];
/// The files of the service that call them: what they read is an argument that only `readable_scope.rs` makes.
const MAY_READ: [&str; 2] = ["service/dossiers.rs", "service/explaining.rs"];

#[test]
fn the_service_reads_dossiers_in_one_place() {
    let mut found = 0;
    for (path, text) in sources() {
        let path = path.to_str().expect("a plain path").to_owned();
        let code = without_tests(&without_comments_and_texts(&text));
        if !path.starts_with("service/") {
            continue;
        }
        for reader in READERS {
            let calls = code.contains(&format!("run::{reader}("));
            assert!(!calls || MAY_READ.contains(&path.as_str()), "`{path}` calls `run::{reader}`: see `dossiers.rs`");
            found += usize::from(calls);
        }
    }
    assert!(found >= READERS.len() - 1, "only {found} calls were found");
}

/// A service with dossiers of several agencies.
struct Bound {
    office: Office,
    serving: Serving,
    /// Bound to `own`.
    token: String,
    own: String,
    other: String,
    /// Codes and keys of dossiers of other agencies.
    foreign: BTreeSet<String>,
    of_own: BTreeSet<String>,
    /// A dossier of `other` that par-3.4.3 files in 2026.
    foreign_dossier: String,
    own_dossier: String,
    /// The day of the nights.
    day: String,
    _town: Town,
}

fn bound() -> Bound {
    let town = Town::since(date(2026, 1, 5), 200, 31, date(2026, 10, 20));
    let office = Office::of(&town).lean();
    office.schedule("0 0 0 29 2 *");
    // Metrics are public as shipped.
    office.edit("config/motcua.toml", |text| text.replace("public = [\"metrics\"]", "public = []"));
    office.run();
    office.run();
    let serving = Serving::start(&office);
    // Every dossier, by the agency that it counts for: a token that is bound to none reads them.
    let unbound = office.token("whole", "read");
    let mut dossiers = Vec::new();
    for side in ["in_numerator", "not_in_numerator", "unknown", "undecided", "excluded"] {
        let query = format!("indicator=par-3.4.3&period=2026&side={side}&limit=10000");
        let reply = serving.get(&format!("/api/v1/explain?{query}"), &unbound);
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        dossiers.extend(reply.json()["dossiers"].as_array().expect("a list").clone());
    }
    let of = |dossier: &Value, name: &str| dossier[name].as_str().unwrap_or_default().to_owned();
    let is_of_2026 =
        |dossier: &&Value| of(dossier, "received_at").starts_with("2026") && of(dossier, "dossier_code").len() > 5;
    let mut agencies: Vec<(usize, String)> = Vec::new();
    for dossier in dossiers.iter().filter(is_of_2026) {
        let agency = of(dossier, "agency");
        match agencies.iter_mut().find(|(_, code)| *code == agency) {
            Some((count, _)) => *count += 1,
            None => agencies.push((1, agency)),
        }
    }
    agencies.sort();
    let (own, other) = (agencies.pop().expect("an agency").1, agencies.pop().expect("another agency").1);
    let codes = |is_own: bool| -> BTreeSet<String> {
        let chosen = dossiers.iter().filter(|dossier| (of(dossier, "agency") == own) == is_own);
        let codes = chosen.flat_map(|dossier| [of(dossier, "dossier_code"), of(dossier, "source_key")]);
        codes.filter(|code| code.len() > 5).collect()
    };
    let (of_own, foreign) = (codes(true), codes(false));
    let foreign: BTreeSet<String> = foreign.difference(&of_own).cloned().collect();
    assert!(of_own.len() > 5 && foreign.len() > 100, "{} and {}", of_own.len(), foreign.len());
    let dossier_of = |agency: &str| -> String {
        let mut own = dossiers.iter().filter(is_of_2026).filter(|dossier| of(dossier, "agency") == agency);
        of(own.next().expect("it was chosen by them"), "dossier_code")
    };
    let (own_dossier, foreign_dossier) = (dossier_of(&own), dossier_of(&other));
    let made = office.act(&["token", "create", "own", "--agency", &own]);
    assert!(said(&made).contains(&format!("may read the dossiers of {own} only")), "{}", said(&made));
    let token = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    let day = local(now()).date().to_string();
    Bound { office, serving, token, own, other, foreign, of_own, foreign_dossier, own_dossier, day, _town: town }
}

/// The text of an answer, and of the parts of a workbook.
fn text_of(reply: &Reply) -> String {
    if !reply.header("content-type").contains("spreadsheetml") {
        return String::from_utf8_lossy(&reply.body).into_owned();
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(&reply.body)).expect("a workbook is an archive");
    let mut all = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).expect("a part").read_to_string(&mut all).expect("XML is UTF-8");
    }
    all
}

/// What the answer to an address has of others' dossiers. A code that the address itself has is repeated in links and errors.
fn leaks(text: &str, bound: &Bound, address: &str) -> Vec<String> {
    let is_leaked = |code: &&String| text.contains(code.as_str()) && !address.contains(code.as_str());
    bound.foreign.iter().filter(is_leaked).cloned().collect()
}

#[test]
fn no_route_shows_a_bound_token_the_dossiers_of_another_agency() {
    let bound = bound();
    every_operation(&bound);
    every_page(&bound);
    what_is_its_own_is_read(&bound);
    counts_are_those_of_its_agency(&bound);
    of_two_agencies_the_pages_show_the_first(&bound);
    wrong_agencies_are_named(&bound.office);
}

/// Values for the parameters of an operation or a page.
fn values<'v>(bound: &'v Bound, name: &str) -> Vec<&'v str> {
    match name {
        "indicator" => vec!["par-3.4.3", "par-3.3.3"],
        "period" => vec!["2026"],
        "name" => vec!["due", "overdue", "apology", "acceptance", "supplement", "ready", "post", "silent"],
        "connector" => vec!["portal-igate"],
        "run" => vec!["1", "2"],
        "before" | "id" => vec!["1"],
        "scope" => vec!["", bound.own.as_str(), bound.other.as_str(), "commune"],
        "form" => vec!["II.06a"],
        "agency" => vec![bound.own.as_str(), bound.other.as_str()],
        "direction" => vec!["submission", "return"],
        "class" => vec!["unmatched", "matched", "post_only", "portal_only"],
        "kind" => vec!["end_set_back", "due_moved_unexplained"],
        "dossier" => vec![bound.own_dossier.as_str(), bound.foreign_dossier.as_str()],
        other => panic!("`{other}` is a new parameter: give it values, so that its route is tried with a bound token"),
    }
}

/// Values for the parameters that an operation does not require, and that select what of its dossiers is answered.
fn further_values<'v>(bound: &'v Bound, name: &str) -> Vec<&'v str> {
    match name {
        "side" => vec!["in_numerator", "not_in_numerator", "unknown", "undecided", "excluded"],
        "list" => vec!["figures", "dossiers"],
        "as_of" => vec![bound.day.as_str()],
        "after" => vec!["2"],
        "class" | "direction" | "dossier" | "run" | "indicator" | "connector" => values(bound, name),
        _ => Vec::new(),
    }
}

/// A path with every combination of values for its placeholders.
fn filled(bound: &Bound, path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (name, after) = rest.split_once('}').expect("a placeholder has an end");
    let with = values(bound, name).into_iter().map(|value| format!("{before}{value}{after}"));
    with.flat_map(|path| filled(bound, &path)).collect()
}

/// Place of the own agency in [`scopes`].
const OWN_SCOPE: usize = 1;

/// The classes of scopes that a request of the API can name: none, the own agency, another one, a tier.
fn scopes(bound: &Bound) -> Vec<String> {
    vec![
        String::new(),
        format!("&agency={}", bound.own),
        format!("&agency={}", bound.other),
        "&tier=commune".to_owned(),
    ]
}

fn every_operation(bound: &Bound) {
    let document = bound.serving.get("/api/v1/openapi.json", "").json();
    let (mut tried, mut refused) = (0, 0);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let is_public = operation["security"].to_string().contains("{}");
            assert!(
                is_public || operation["responses"]["403"].is_object(),
                "{method} {path} does not say what a bound token gets"
            );
            if method != "get" {
                for path in filled(bound, path) {
                    let reply = bound.serving.post(&format!("/api/v1{path}"), &bound.token, "{}");
                    assert_eq!(reply.status, 403, "{method} {path}");
                }
                continue;
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let of_query = |one: &&Value| one["in"] == "query";
            let mut queries = vec![String::new()];
            for parameter in parameters.iter().filter(of_query) {
                let name = parameter["name"].as_str().expect("a name");
                if parameter["required"] == true {
                    let with = |query: &String| {
                        values(bound, name)
                            .into_iter()
                            .map(|value| format!("{query}&{name}={value}"))
                            .collect::<Vec<_>>()
                    };
                    queries = queries.iter().flat_map(with).collect();
                }
            }
            // Of the parameters that are not required one at a time.
            let further: Vec<String> = parameters
                .iter()
                .filter(|one| one["in"] == "query" && one["required"] != true && !is_public)
                .filter_map(|one| one["name"].as_str())
                .flat_map(|name| further_values(bound, name).into_iter().map(move |value| format!("&{name}={value}")))
                .collect();
            let has = |name: &str| parameters.iter().any(|one| one["name"] == name);
            let scopes = if has("agency") { scopes(bound) } else { vec![String::new()] };
            for path in filled(bound, path) {
                let mut addresses = Vec::new();
                for (number, scope) in scopes.iter().enumerate() {
                    addresses.extend(queries.iter().map(|query| (scope, format!("{query}{scope}"))));
                    // The own agency by name is the scope of a request without one, so its lists and files are the same.
                    if number != OWN_SCOPE {
                        if has("format") {
                            let files = ["csv", "xlsx"].map(|format| format!("{scope}&format={format}"));
                            let of_query =
                                |query: &String| files.each_ref().map(|file| (scope, format!("{query}{file}")));
                            addresses.extend(queries.iter().flat_map(of_query));
                        }
                        addresses.extend(further.iter().map(|one| (scope, format!("{}{one}{scope}", queries[0]))));
                    }
                }
                for (scope, query) in addresses {
                    let address = format!("/api/v1{path}?{query}").replace("?&", "?");
                    let reply = bound.serving.get(&address, &bound.token);
                    let text = text_of(&reply);
                    assert_eq!(leaks(&text, bound, &address), [""; 0], "{address}");
                    assert!(reply.status < 500, "{address}: {text}");
                    tried += 1;
                    if reply.status == 403 {
                        refused += 1;
                        assert!(text.contains(&format!("is bound to `{}`", bound.own)), "{address}: {text}");
                    }
                    // Another agency, a tier: refused on every route that reads dossiers.
                    let is_other = scope.contains(&bound.other) || scope.contains("tier");
                    if is_other && !is_public && reply.status == 200 {
                        assert!(
                            path == "/differences" && !query.contains("indicator"),
                            "{address} reads what is not its own"
                        );
                    }
                }
            }
        }
    }
    assert!(tried > 80 && refused > 40, "{tried} tried, {refused} refused");
}

fn every_page(bound: &Bound) {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = format!("token={}&next=%2Ffigures", bound.token);
    let login = bound.serving.ask("POST", "/login", &[form], &body);
    assert_eq!((login.status, login.header("location")), (303, "/figures"), "{}", login.text());
    let cookie = login.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let get = |path: &str| bound.serving.ask("GET", path, &[("cookie", &cookie)], "");
    let routes = include_str!("../../../src/service/pages/mod.rs");
    let mut tried = 0;
    for route in routes.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        for (number, path) in filled(bound, route).into_iter().enumerate() {
            // The own agency by name is the scope of a request without one: once a route.
            let scopes = values(bound, "scope");
            for scope in scopes.into_iter().filter(|scope| number == 0 || *scope != bound.own) {
                let address = format!("{path}?scope={scope}&period=2026");
                let reply = get(&address);
                let text = text_of(&reply);
                assert_eq!(leaks(&text, bound, &address), [""; 0], "{address}");
                assert!(reply.status < 500, "{address}: {text}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    // Figures are those of everybody; dossiers and sources are not.
    for (path, status) in [
        ("/figures?period=2026".to_owned(), 200),
        (format!("/figures/par-3.4.3?period=2026&scope={}", bound.other), 200),
        ("/figures/par-3.4.3/revisions?period=2026".to_owned(), 200),
        ("/worklists".to_owned(), 200),
        (format!("/worklists/overdue?scope={}", bound.own), 200),
        (format!("/worklists/overdue?scope={}", bound.other), 403),
        ("/worklists/overdue?scope=commune".to_owned(), 403),
        (format!("/figures/par-3.4.3/dossiers?period=2026&scope={}", bound.other), 403),
        ("/connectors".to_owned(), 403),
        ("/connectors/portal-igate/rejected/1".to_owned(), 403),
        ("/runs/1".to_owned(), 403),
        // Forms count dossiers by sector, which no night publishes.
        ("/forms/II.06a?period=2026-Q1".to_owned(), 200),
        (format!("/forms/II.06a?period=2026-Q1&scope={}", bound.own), 200),
        (format!("/forms/II.06a?period=2026-Q1&scope={}", bound.other), 403),
        ("/forms/II.06a?period=2026-Q1&scope=province".to_owned(), 403),
        (format!("/forms/II.06a/workbook.xlsx?period=2026-Q1&scope={}", bound.other), 403),
        (format!("/figures/par-3.4.3/dossiers/{}?period=2026", bound.own_dossier), 200),
        (format!("/figures/par-3.4.3/dossiers/{}?period=2026", bound.foreign_dossier), 404),
        (format!("/figures/par-3.4.3/dossiers/{}?period=2026&scope={}", bound.foreign_dossier, bound.other), 403),
        // The state of every connector.
        ("/metrics".to_owned(), 403),
    ] {
        assert_eq!(get(&path).status, status, "{path}");
    }
    // Items have no agency; the sources of an agency are those of others too.
    let page = get(&format!("/reconcile?period=2026&scope={}", bound.own));
    assert!(page.status == 200 && !page.text().contains("/reconcile/items"), "{}", page.text());
    let page = get(&format!("/agencies/{}?period=2026", bound.own));
    assert!(page.text().contains("/worklists/overdue") && !page.text().contains("Nguồn của hồ sơ"), "{}", page.text());
    let page = get("/figures/par-3.4.3/dossiers?period=2026&side=in_numerator");
    assert_eq!(page.status, 200);
    assert!(bound.of_own.iter().any(|code| page.text().contains(code)), "its own dossiers are shown");
}

fn what_is_its_own_is_read(bound: &Bound) {
    let get = |path: &str| bound.serving.get(&format!("/api/v1/{path}"), &bound.token);
    let explain = "explain?indicator=par-3.4.3&period=2026&side=in_numerator";
    let own = get(&format!("{explain}&agency={}", bound.own)).json();
    assert_eq!(own["agency"], *bound.own);
    let dossiers = own["dossiers"].as_array().expect("a list");
    assert!(!dossiers.is_empty());
    // Without an agency: its own, not the province.
    assert_eq!(get(explain).json(), own);
    let counts = get("worklists").json();
    let all = bound.serving.get("/api/v1/worklists", &bound.office.token("all", "read")).json();
    let sum = |counts: &Value| -> u64 {
        counts.as_array().expect("a list").iter().map(|one| one["count"].as_u64().expect("a count")).sum()
    };
    assert!(sum(&counts) < sum(&all), "{counts} {all}");
    // The figures of every agency.
    let figures = get(&format!("figures?agency={}&indicator=par-3.4.3&period=2026", bound.other)).json();
    assert_eq!(figures["total"], 1, "{figures}");
    // Of two agencies, one at a time.
    let both = format!("{},{}", bound.own, bound.other);
    let made = bound.office.act(&["token", "create", "both", "--agency", &both]);
    let both = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    for (scope, status) in [
        (format!("&agency={}", bound.own), 200),
        (format!("&agency={}", bound.other), 200),
        (String::new(), 403),
        ("&tier=province".to_owned(), 403),
    ] {
        assert_eq!(bound.serving.get(&format!("/api/v1/{explain}{scope}"), &both).status, status, "{scope}");
    }
    let list = bound.office.act(&["token", "list", "--format", "json"]);
    let list: Vec<Value> = serde_json::from_slice(&list.stdout).expect("JSON");
    let agencies = |name: &str| list.iter().find(|one| one["name"] == name).expect("it is listed")["agencies"].clone();
    assert_eq!(agencies("own"), *bound.own);
    assert_eq!(agencies("both"), format!("{} {}", bound.own, bound.other));
    assert_eq!(agencies("all"), Value::Null);
}

/// Not only codes: the numbers of a bound token are those of its agency, too.
fn counts_are_those_of_its_agency(bound: &Bound) {
    let all = bound.office.token("every", "read");
    for path in [
        "worklists?",
        "reconcile?period=2026",
        "reconcile/national?period=2026",
        "integrity?indicator=par-3.4.3&period=2026",
        "explain?indicator=par-3.4.3&period=2026",
    ] {
        let own = bound.serving.get(&format!("/api/v1/{path}"), &bound.token);
        let of_agency = bound.serving.get(&format!("/api/v1/{path}&agency={}", bound.own), &all);
        assert_eq!((own.status, of_agency.status), (200, 200), "{path}");
        assert_eq!(own.json(), of_agency.json(), "{path}");
    }
    let dossier = |code: &str| format!("/api/v1/explain?indicator=par-3.4.3&period=2026&dossier={code}");
    let get = |address: &str, token: &str| bound.serving.get(address, token).status;
    assert_eq!(get(&dossier(&bound.foreign_dossier), &all), 200);
    assert_eq!(get(&dossier(&bound.own_dossier), &bound.token), 200);
    assert_eq!(get(&dossier(&bound.foreign_dossier), &bound.token), 404);
    assert_eq!(get("/metrics", &all), 200);
}

fn of_two_agencies_the_pages_show_the_first(bound: &Bound) {
    let both = format!("{},{}", bound.own, bound.other);
    let made = bound.office.act(&["token", "create", "pair", "--agency", &both]);
    let token = String::from_utf8(made.stdout).expect("a token is plain").trim().to_owned();
    let get = |path: &str| bound.serving.get(path, &token);
    let home = get("/");
    assert_eq!((home.status, home.header("location")), (303, "/worklists"));
    for path in ["/worklists", "/reconcile?period=2026", "/integrity?period=2026", "/forms?period=2026-Q1"] {
        let page = get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let (_, menu) = page.text().split_once("name=\"scope\">").expect("a menu of scopes");
        let (menu, _) = menu.split_once("</select>").expect("a menu has an end");
        let options: BTreeSet<&str> =
            menu.split("<option value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for code in [&bound.own, &bound.other] {
            assert!(options.contains(code.as_str()), "{path}: {options:?}");
        }
        assert!(!options.contains("") && !options.contains("tier-commune"), "{path}: {options:?}");
    }
}

fn wrong_agencies_are_named(office: &Office) {
    for (arguments, texts) in [
        (&["token", "create", "x", "--agency", "Sở Tư phap mới"][..], &["there is no agency", "did you mean"][..]),
        (&["token", "create", "x", "--agency", "H61.02", "--scope", "operate"], &["has the scope `read`"]),
    ] {
        let output = office.act(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        for text in texts {
            assert!(said(&output).contains(text), "{}", said(&output));
        }
    }
}

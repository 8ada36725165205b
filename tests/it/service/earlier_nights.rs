//! Earlier nights are read by the definitions that they kept: an indicator can be new, gone, or count something else since.

use serde_json::Value;

use crate::office::Office;
use crate::office::serving::Serving;

/// An indicator over dossiers of which more is better.
fn of_dossiers(id: &str, better: &str) -> String {
    format!(
        "[[indicator]]\nid = \"{id}\"\nkind = \"ratio\"\ntitle.vi = \"Chỉ số thử\"\ntitle.en = \"Trial\"\n\
         legal = {{ document = \"Thử\", place = \"1\", from = 2020-01-01 }}\nrules = \"seed-2639\"\n\
         population = \"is_received\"\nperiod = \"received_at\"\nnumerator = \"is_on_time\"\ndenominator = \"TRUE\"\n\
         better = \"{better}\"\n\n"
    )
}

const OF_MEASURES: &str = "[[indicator]]\nid = \"test-changed\"\nkind = \"ratio\"\ntitle.vi = \"Chỉ số thử\"\n\
                           title.en = \"Trial\"\nlegal = { document = \"Thử\", place = \"1\", from = 2020-01-01 }\n\
                           rules = \"seed-2639\"\nover = \"measures\"\npopulation = \"TRUE\"\nperiod = \"stated\"\n\
                           numerator = \"TRUE\"\n\n";

const FILE: &str = "config/indicators/trial.toml";

pub(super) fn define_for_the_first(office: &Office) {
    let text = of_dossiers("test-removed", "higher") + &of_dossiers("test-changed", "lower");
    office.write(FILE, &text);
}

pub(super) fn define_for_the_second(office: &Office) {
    office.write(FILE, &(of_dossiers("test-added", "higher") + OF_MEASURES));
}

pub(super) fn are_explained_by_their_own_definitions(serving: &Serving, token: &str) {
    let explained = |id: &str, run: i64| {
        let path = format!("/api/v1/explain?indicator={id}&period=2026&run={run}");
        let reply = serving.get(&path, token);
        (reply.status, reply.json())
    };
    let first = serving.get("/api/v1/figures?run=1&limit=1", token).json();
    let as_of = first["as_of"].as_str().expect("a moment")[..19].to_owned();
    let is_found = |path: &str, status: u16, text: &str| {
        let reply = serving.get(path, token);
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert!(reply.text().contains(text), "{path}: {}", reply.text());
    };
    // It counted dossiers on time, and of those that are late more is worse.
    for (id, side) in [("test-removed", "not_in_numerator"), ("test-changed", "in_numerator")] {
        let (status, answer) = explained(id, 1);
        assert_eq!((status, &answer["over"], &answer["side"]), (200, &"dossiers".into(), &side.into()), "{answer}");
        assert_eq!(answer["agrees"], true, "{answer}");
        assert!(answer["dossiers"].is_array() && answer["measures"].is_null(), "{answer}");
        is_found(&format!("/figures/{id}/dossiers?period=2026&as_of={as_of}"), 200, "Hồ sơ tạo nên số liệu");
    }
    let (status, answer) = explained("test-changed", 2);
    assert_eq!((status, &answer["over"]), (200, &"measures".into()), "{answer}");
    assert!(answer["measures"].is_array() && answer["dossiers"].is_null(), "{answer}");
    is_found("/figures/test-changed/dossiers?period=2026", 200, "Số liệu tự báo cáo tạo nên số liệu");
    let (status, answer) = explained("test-removed", 2);
    assert_eq!((status, &answer["status"]), (404, &404.into()));
    is_found("/figures/test-removed/dossiers?period=2026", 404, "in the night of run 2");
    let integrity = "/api/v1/integrity?indicator=test-removed&period=2026";
    is_found(&format!("{integrity}&as_of={as_of}"), 200, "\"agencies\"");
    is_found(integrity, 404, "there is no indicator `test-removed` in the night of run 2");
    is_found(&format!("/integrity?indicator=test-removed&period=2026&as_of={as_of}"), 200, "Chỉ số thử");
}

pub(super) fn without_an_indicator_have_no_dossiers_to_compare(serving: &Serving, token: &str) {
    let path = |query: &str| format!("/api/v1/differences?before=1&period=2026&{query}");
    for (id, why) in [
        ("test-added", "the night of run 1 has no indicator `test-added`"),
        ("test-removed", "the night of run 2 has no indicator `test-removed`"),
        ("test-changed", "in the night of run 2 it adds up measures"),
    ] {
        let answer = serving.get(&path(&format!("indicator={id}")), token);
        let figures: Value = answer.json();
        assert_eq!(answer.status, 200, "{id}: {figures}");
        assert!(figures["dossiers"].is_null() && figures["total_dossiers"].is_null(), "{id}: {figures}");
        let refused = serving.get(&path(&format!("indicator={id}&list=dossiers")), token);
        assert_eq!(refused.status, 404, "{id}: {}", refused.text());
        assert!(refused.text().contains(why), "{id}: {}", refused.text());
    }
    let unknown = serving.get(&path("indicator=none"), token);
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.text().contains("there is no indicator `none` in the nights of runs 1 and 2"),
        "{}",
        unknown.text()
    );
}

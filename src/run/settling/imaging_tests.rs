//! A pull with which its image cannot be updated: it is named, and the nights go on without it.

use crate::config;
use crate::lake::PANICS;
use crate::model::instant::DAY_MICROS;
use crate::model::pull::Outcome;
use crate::run::data_folder::DataFolder;
use crate::run::settling::folder::property_tests::{Desk, Rows, configuration};

const START: i64 = 1_790_000_000_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_update_of_an_image_costs_its_connector_and_no_night() {
    let root = tempfile::tempdir().expect("a scratch folder");
    configuration(root.path(), "lists");
    let connectors = root.path().join("connectors");
    std::fs::create_dir(connectors.join(PANICS)).expect("a scratch folder");
    std::fs::copy(connectors.join("notes/connector.toml"), connectors.join(PANICS).join("connector.toml"))
        .expect("a scratch folder");
    let config = config::load(&root.path().join("motcua.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let mut desk = Desk::new(root.path(), String::new());
    let kind = config.connectors[0].file.connector.kind;
    for run in 1..=3 {
        desk.write("list.csv", (0..run).map(|key| (key, 0)).collect::<Rows>(), false);
        let now = START + i64::try_from(run).expect("a small number") * DAY_MICROS;
        let report = data.run_once(&[], now, &|_| {}).await.expect("the night ends");
        let [notes, panics] = &report.pulls[..] else { panic!("two connectors: {report:?}") };
        assert_eq!((notes.outcome, notes.counts.accepted), (Some(Outcome::Complete), 1), "{notes:?}");
        // In the first night its rows are stored; then nothing is compared with an image that lacks them.
        let expected = if run == 1 { Outcome::Incomplete } else { Outcome::Failed };
        assert_eq!((panics.outcome, panics.reason.as_deref()), (Some(expected), Some("own_error")), "{panics:?}");
        assert!(
            panics.message.as_ref().is_some_and(|message| message.contains("error in motcua itself")),
            "{panics:?}"
        );
        assert!(report.any_own_error() && !report.published.night.complete, "{report:?}");
        assert_eq!(report.published.not_whole, [PANICS]);
        let held = data.lake.held_keys(kind, "notes").await.expect("the image can be read");
        assert_eq!(held.len() as u64, run);
    }
    let unfinished = data.ledger.unfinished_pulls().await.expect("the ledger can be read");
    let [held] = &unfinished[..] else { panic!("the first one waits: {unfinished:?}") };
    assert_eq!((held.run, held.connector.as_str(), held.outcome), (1, PANICS, Some(Outcome::Incomplete)));
}

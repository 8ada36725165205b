//! `kill -9` during a publication: readers find the last complete night, and the next publication succeeds.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::server::{Client, Server};
use super::{Rows, assert_same_rows, by_key, list, office, reported};
use crate::desk;
use crate::office::Office;

/// A data folder whose second night is published in files only.
struct Scene {
    server: Server,
    office: Office,
    first: Rows,
    second: Rows,
}

fn latest(client: &mut Client) -> Rows {
    by_key(client.rows("SELECT * FROM motcua.figure_latest"))
}

impl Scene {
    fn new(server: Server) -> Self {
        let office = office(&server.url());
        list(&office, "1.csv", "H61.14", 0, 20);
        desk::expect(&office, &["run"], 0);
        let first = reported(&office);
        list(&office, "2.csv", "H61.02", 20, 20);
        let mut night = office.command(&["run"]);
        let night = night.env("POSTGRES_URL", "postgresql://x:y@127.0.0.1:1/z").output().expect("the binary starts");
        assert_eq!(night.status.code(), Some(4));
        let second = reported(&office);
        assert!(first != second);
        Self { server, office, first, second }
    }

    fn assert_holds(&self, expected: &Rows, runs: u64, what: &str) {
        let mut client = self.server.administrator();
        assert_same_rows(&latest(&mut client), expected, what);
        assert_eq!(client.count("motcua.runs"), runs, "{what}");
        assert_eq!(client.rows("SELECT max(run) AS run FROM motcua.figures")[0]["run"], runs, "{what}");
    }
}

#[test]
fn a_publication_that_is_killed_leaves_the_last_complete_night() {
    let Some(server) = Server::start("a_publication_that_is_killed_leaves_the_last_complete_night") else { return };
    let scene = Scene::new(server);

    // Killed within its transaction, while it waits for the lock of another session.
    let mut holder = scene.server.administrator();
    holder.act("BEGIN; LOCK TABLE motcua.agencies IN SHARE MODE");
    let mut publication = scene.office.command(&["publish"]);
    let mut publication = publication.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let begun = Instant::now();
    let mut watcher = scene.server.administrator();
    while watcher.count("pg_stat_activity WHERE application_name = 'motcua' AND wait_event_type = 'Lock'") == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the publication does not wait for the lock");
        assert!(matches!(publication.try_wait(), Ok(None)), "the publication waits for the lock");
        std::thread::sleep(Duration::from_millis(20));
    }
    publication.kill().expect("it is a child");
    publication.wait().expect("it is a child");
    scene.assert_holds(&scene.first, 1, "killed while it waited");
    holder.act("COMMIT");
    scene.assert_holds(&scene.first, 1, "the lock is free again");

    // Killed right before and right after the commit.
    let moments = moments(&scene);
    let at = |name: &str| 1 + moments.iter().position(|moment| moment == name).expect("the commit has a crash point");
    die(&scene, at("before publish to postgres"));
    scene.assert_holds(&scene.first, 1, "killed before the commit");
    die(&scene, at("after publish to postgres"));
    scene.assert_holds(&scene.second, 2, "killed after the commit");
    assert_eq!(scene.office.status("postgres")["state"], "failing", "the ledger does not record the publication");

    desk::expect(&scene.office, &["publish"], 0);
    scene.assert_holds(&scene.second, 2, "published again");
    assert_eq!(scene.office.status("postgres")["state"], "healthy");
}

/// Crash points of a publication. It publishes a copy of the data folder, to another schema.
fn moments(scene: &Scene) -> Vec<String> {
    let data = scene.office.path().join("copy");
    crate::office::copy(&scene.office.data(), &data);
    scene.office.edit("config/motcua.toml", |text| format!("{text}schema = \"beside\"\n"));
    let steps = scene.office.path().join("steps");
    let mut publication = scene.office.command_on(&data, &["publish"]);
    let publication = publication.env("MOTCUA_STEPS", &steps).output().expect("the binary starts");
    scene.office.edit("config/motcua.toml", |text| text.replace("schema = \"beside\"\n", ""));
    assert_eq!(publication.status.code(), Some(0));
    std::fs::read_to_string(steps)
        .expect("a debug build writes the names of its crash points")
        .lines()
        .map(str::to_owned)
        .collect()
}

fn die(scene: &Scene, moment: usize) {
    let mut publication = scene.office.command(&["publish"]);
    let publication = publication.env("MOTCUA_DIE_AT", moment.to_string()).output().expect("the binary starts");
    assert_eq!(publication.status.code(), None, "it dies");
}

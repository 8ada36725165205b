//! Appended lists whose rows have change times: a change that was known stays known when its name is used again.

use crate::model::instant::DAY_MICROS;
use crate::model::pull::Outcome;
use crate::run::data_folder::DataFolder;
use crate::run::settling::folder::property_tests::{Cut, Desk, RowKind, Rows, STATUSES, configured, night, table};

/// Value of a row: index of its status, and the day of its change (0: no change time).
fn row(status: usize, day: usize) -> usize {
    status + STATUSES.len() * day
}

struct Nights<'d> {
    data: DataFolder<'d>,
    run: i64,
}

impl Nights<'_> {
    /// Plays the next night; key → index of its status in the table.
    async fn play(&mut self) -> Rows {
        self.run += 1;
        let now = 1_790_000_000_000_000 + self.run * DAY_MICROS;
        let pull = night(&self.data, self.run, now, Cut::Never, false).await.expect("it is not cut");
        assert_eq!(pull.outcome, Some(Outcome::Complete), "{pull:?}");
        table(&self.data).await
    }

    /// Number of former contents that are known of each name.
    async fn former(&self) -> Vec<usize> {
        let connector = &self.data.config.connectors[0].name;
        let files = self.data.ledger.known_files(connector, self.run + 1).await.expect("the ledger can be read");
        let mut former: Vec<usize> = files.iter().map(|file| file.former.len()).collect();
        former.sort_unstable();
        former
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_change_in_another_file_does_not_replace_one_whose_name_was_used_again() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configured(root.path(), "append", RowKind::Timed);
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let (mut nights, mut desk) = (Nights { data, run: 0 }, Desk::new(root.path(), String::new()));
    desk.write("a.csv", Rows::from([(1, row(0, 4)), (2, row(0, 4)), (3, row(0, 1))]), false);
    assert_eq!(nights.play().await, Rows::from([(1, 0), (2, 0), (3, 0)]));
    // Dossier 1 has an older change there, 2 is shown without a change time, 3 has a later one.
    desk.write("a.csv", Rows::from([(1, row(1, 2)), (2, row(1, 0)), (3, row(1, 2))]), false);
    assert_eq!(nights.play().await, Rows::from([(1, 0), (2, 1), (3, 1)]));
    // The list has the same keys, and yet the change of the 4th must stay known: those of the 3rd are older.
    desk.write("b.csv", Rows::from([(1, row(2, 3)), (2, row(2, 3)), (3, row(2, 3))]), false);
    assert_eq!(nights.play().await, Rows::from([(1, 0), (2, 1), (3, 2)]));
    desk.write("c.csv", Rows::from([(1, row(3, 4)), (2, row(3, 4))]), false);
    assert_eq!(nights.play().await, Rows::from([(1, 3), (2, 3), (3, 2)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_list_is_forgotten_once_all_of_its_changes_are_older() {
    let root = tempfile::tempdir().expect("a scratch folder");
    let config = configured(root.path(), "append", RowKind::Timed);
    let data = DataFolder::open(&config, &root.path().join("data"), "test", 0).await.expect("a data folder");
    let (mut nights, mut desk) = (Nights { data, run: 0 }, Desk::new(root.path(), String::new()));
    desk.write("a.csv", Rows::from([(1, row(0, 3)), (2, row(0, 1))]), false);
    nights.play().await;
    desk.write("a.csv", Rows::from([(1, row(1, 2)), (2, row(1, 2))]), false);
    nights.play().await;
    assert_eq!(nights.former().await, [1], "dossier 1 has its latest change there");
    desk.write("a.csv", Rows::from([(1, row(2, 4)), (2, row(2, 2))]), false);
    assert_eq!(nights.play().await, Rows::from([(1, 2), (2, 2)]));
    assert_eq!(nights.former().await, [0]);
}

//! Appended lists whose rows have change times: a change that was known stays known when its name is used again, and is
//! corrected when the declaration is.
#![expect(clippy::disallowed_methods, reason = "tests write the folder that is read, and remove what is stored")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config::Configuration;
use crate::model::instant::DAY_MICROS;
use crate::model::pull::Outcome;
use crate::run::data_folder::DataFolder;
use crate::run::settling::folder::known_keys::reading_of_change_times;
use crate::run::settling::folder::property_tests::{
    Cut, Desk, RowKind, Rows, STATUSES, configured, configured_as, night, table,
};

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

    /// By which declaration the change times in each former content were read.
    async fn readings_of_former(&self) -> Vec<Option<i64>> {
        let (ledger, connector) = (&self.data.ledger, &self.data.config.connectors[0].name);
        let files = ledger.known_files(connector, self.run + 1).await.expect("the ledger can be read");
        let mut readings = Vec::new();
        for former in files.iter().flat_map(|file| &file.former) {
            let keys = ledger.keys_of_content(connector, &former.content, self.run + 1).await;
            readings.push(keys.expect("the ledger can be read").and_then(|keys| keys.change_times));
        }
        readings
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

/// A connector whose change times are in the column `column`.
fn with_change_times_in(root: &Path, column: &str) -> Configuration {
    let tables = format!(
        "[decode]\ntype = \"csv\"\nheader = \"Mã hồ sơ\"\n\
         [map.dossier_code]\nfrom = \"Mã hồ sơ\"\ntype = \"dossier_code\"\nrequired = true\n\
         [map.status]\nfrom = \"Trạng thái\"\ntype = \"word\"\n\
         codes = {{ \"Đã tiếp nhận\" = \"received\", \"Đang giải quyết\" = \"processing\" }}\n\
         [map.source_updated_at]\nfrom = \"{column}\"\ntype = \"instant\"\nformats = [\"dd/MM/yyyy\"]\n\
         [identity]\nkey = [\"dossier_code\"]\n\
         [contract]\nleast_of_usual = 0.0\nmost_of_usual = 0.0\n"
    );
    configured_as(root, "*.csv", "append", &tables)
}

/// Writes a list of one dossier, `hour` hours after the first one.
fn write_list(root: &Path, name: &str, hour: u64, row: &str) {
    let path = root.join("inbox").join(name);
    std::fs::write(&path, format!("Mã hồ sơ;Trạng thái;Sửa;Hẹn trả\n{row}\n")).expect("the folder can be written");
    let written = std::fs::File::options().write(true).open(&path).expect("the file is there");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + hour * 3_600);
    written.set_modified(time).expect("the time can be set");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_times_that_were_read_wrongly_count_no_more_once_their_declaration_is_corrected() {
    for is_landing_there in [true, false] {
        let root = tempfile::tempdir().expect("a scratch folder");
        let path = root.path().join("data");
        // The connector takes the day on which a dossier is due for that of its last change.
        let wrong = with_change_times_in(root.path(), "Hẹn trả");
        let data = DataFolder::open(&wrong, &path, "test", 0).await.expect("a data folder");
        let mut nights = Nights { data, run: 0 };
        write_list(root.path(), "a.csv", 0, "HS-1;Đã tiếp nhận;02/02/2024;19/02/2024");
        assert_eq!(nights.play().await, Rows::from([(1, 0)]));
        // The name is used again, for another dossier.
        write_list(root.path(), "a.csv", 1, "HS-2;Đã tiếp nhận;02/02/2024;19/02/2024");
        write_list(root.path(), "b.csv", 2, "HS-1;Đang giải quyết;03/02/2024;09/02/2024");
        assert_eq!(nights.play().await, Rows::from([(1, 0), (2, 0)]), "the 9th is before the 19th");
        let Nights { data, run } = nights;
        drop(data);
        if !is_landing_there {
            std::fs::remove_dir_all(path.join("landing")).expect("it is there");
        }
        let right = with_change_times_in(root.path(), "Sửa");
        let data = DataFolder::open(&right, &path, "test", 0).await.expect("the data folder");
        let mut nights = Nights { data, run };
        assert_eq!(nights.play().await, Rows::from([(1, 1), (2, 0)]), "landing is there: {is_landing_there}");
        // An older change comes late; the stored one stays, however its keys are known.
        write_list(root.path(), "c.csv", 3, "HS-1;Đã tiếp nhận;01/02/2024;19/02/2024");
        assert_eq!(nights.play().await, Rows::from([(1, 1), (2, 0)]), "landing is there: {is_landing_there}");
        // What could not be read again stays stored as it was read, so that the former declaration would bring it back.
        let reading = if is_landing_there { &right } else { &wrong };
        let expected = reading_of_change_times(&reading.connectors[0]);
        assert_eq!(nights.readings_of_former().await, [Some(expected)], "landing is there: {is_landing_there}");
    }
}

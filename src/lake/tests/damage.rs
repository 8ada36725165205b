//! Damage at rest: a file of an image is rebuilt, a file of versions stops its connector, a damaged log is named.

use super::super::error::{Damage, DamagedFile};
use super::*;

/// The only file below a folder of the lake whose path ends so.
fn file_of(lake: &Lake, table: &str, ending: &str) -> std::path::PathBuf {
    let files = super::super::files::data_files(&lake.root().join(table)).expect("the folder can be listed");
    let mut paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    assert_eq!(paths.len(), 1, "{table} {ending}: {paths:?}");
    paths.remove(0)
}

fn flip(path: &std::path::Path, bit: usize) {
    let mut bytes = std::fs::read(path).expect("the file can be read");
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(path, bytes).expect("the file can be written");
}

/// Three pulls: the second names another partition for `a`, the third brings an older version of `b`.
async fn filled(folder: &TempDir) -> Lake {
    let lake = open(folder).await;
    let part = str::to_owned;
    let pulls = [
        (
            "portal",
            1,
            vec![
                (dossier("a", "received", Some(10), 0, 0), part("2026-03")),
                (dossier("b", "received", Some(30), 0, 1), part("2026-04")),
            ],
        ),
        (
            "portal",
            2,
            vec![
                (dossier("a", "completed", Some(20), 0, 0), part("2026-04")),
                (dossier("b", "older", Some(5), 0, 1), part("2026-04")),
            ],
        ),
        ("post", 2, vec![(dossier("a", "returned", None, 0, 0), part("2026-03"))]),
    ];
    for (source, run, records) in pulls {
        pull(&lake, source, run, &records).await.expect("committed");
        lake.update_image(KIND).await.expect("the image is updated");
    }
    lake
}

/// Partitions of the image after [`filled`].
const PARTS: [&str; 2] = ["2026-03", "2026-04"];

fn damaged_files(result: Result<impl std::fmt::Debug, LakeError>) -> Vec<DamagedFile> {
    match result {
        Err(LakeError::Damaged { files, .. }) => files,
        other => panic!("it is damaged: {other:?}"),
    }
}

#[tokio::test]
async fn every_damaged_file_of_an_image_is_rebuilt_from_the_versions() {
    let folder = folder();
    let before = image(&filled(&folder).await).await;
    assert_eq!(before.len(), 3);
    assert_eq!(before[&("portal".into(), "a".into())].5, "2026-03", "the partition of its first version");
    // A file of each partition: one bit of its first, middle and last bytes, cut short, and removed.
    for (round, part) in PARTS.iter().enumerate() {
        for damage in 0..5 {
            let lake = open(&folder).await;
            let table = lake.tables(KIND).image.clone();
            let mut files = table.files(&table.load().await.expect("it loads")).expect("they are listed");
            files.retain(|file| file.part.as_deref() == Some(part));
            let [file] = files.as_slice() else { panic!("a partition has one file: {files:?}") };
            let bytes = std::fs::read(&file.path).expect("the file can be read");
            match damage {
                0 => flip(&file.path, 3),
                1 => flip(&file.path, bytes.len() * 4 + round),
                2 => flip(&file.path, bytes.len() * 8 - 1),
                3 => std::fs::write(&file.path, &bytes[..bytes.len() - 1]).expect("it can be cut"),
                _ => std::fs::remove_file(&file.path).expect("it can be removed"),
            }
            let found = damaged_files(lake.scan_image(KIND).await.map(|_| ()));
            let expected = [Damage::Content, Damage::Content, Damage::Content, Damage::Size, Damage::Missing][damage];
            assert_eq!(found, [DamagedFile { path: file.path.clone(), damage: expected }]);
            lake.update_image(KIND).await.expect("it is rebuilt");
            assert_eq!(image(&lake).await, before, "part {part}, damage {damage}");
        }
    }
    let lake = open(&folder).await;
    assert_eq!(lake.update_image(KIND).await.expect("nothing is left to do"), None);
}

#[tokio::test]
async fn a_rebuilt_image_holds_no_pull_that_it_had_not_reached() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = image(&lake).await;
    pull(&lake, "portal", 3, &[(dossier("c", "received", Some(40), 0, 0), "2026-03".to_owned())])
        .await
        .expect("committed");
    for file in super::super::files::data_files(&lake.root().join("dossiers")).expect("the folder can be listed") {
        std::fs::remove_file(&file.path).expect("it can be removed");
    }
    let lake = open(&folder).await;
    let tables = lake.tables(KIND);
    super::super::rebuild::mend(&tables.versions, &tables.image).await.expect("it is rebuilt");
    assert_eq!(image(&lake).await, before);
    lake.update_image(KIND).await.expect("the image is updated");
    assert_eq!(image(&lake).await.len(), 4);
}

#[tokio::test]
async fn a_damaged_file_of_versions_is_named_and_concerns_its_connector_only() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = image(&lake).await;
    let path = file_of(&lake, "dossier_versions", "00000002-portal-0.parquet");
    let whole = std::fs::read(&path).expect("the file can be read");
    flip(&path, 1_000);
    let lake = open(&folder).await;
    let damaged = DamagedFile { path: path.clone(), damage: Damage::Content };
    assert_eq!(damaged_files(lake.check_versions(KIND, "portal").await), std::slice::from_ref(&damaged));
    lake.check_versions(KIND, "post").await.expect("its files are whole");
    assert_eq!(damaged_files(lake.scan_as_of(KIND, 3).await.map(|_| ())), [damaged]);
    drop(lake.scan_as_of(KIND, 1).await.expect("night 1 needs no file of night 2"));
    // The image goes on, also with pulls of other connectors.
    pull(&lake, "post", 3, &[(dossier("d", "received", None, 0, 0), "2026-03".to_owned())]).await.expect("committed");
    lake.update_image(KIND).await.expect("the image is updated");
    assert_eq!(image(&lake).await.len(), before.len() + 1);
    std::fs::write(&path, whole).expect("it is copied back");
    let lake = open(&folder).await;
    lake.check_versions(KIND, "portal").await.expect("it is whole again");
}

#[tokio::test]
async fn versions_that_are_damaged_before_the_image_has_them_are_left_out_until_they_are_restored() {
    let folder = folder();
    let lake = filled(&folder).await;
    let new = |key: &str| [(dossier(key, "received", Some(50), 0, 0), "2026-03".to_owned())];
    pull(&lake, "portal", 4, &new("e")).await.expect("committed");
    pull(&lake, "post", 4, &new("f")).await.expect("committed");
    let path = file_of(&lake, "dossier_versions", "00000004-portal-0.parquet");
    let whole = std::fs::read(&path).expect("the file can be read");
    std::fs::remove_file(&path).expect("it can be removed");
    let lake = open(&folder).await;
    assert!(lake.update_image(KIND).await.expect("it is updated").is_some());
    assert!(image(&lake).await.contains_key(&("post".into(), "f".into())));
    assert_eq!(lake.update_image(KIND).await.expect("there is nothing to do"), None);
    std::fs::write(&path, whole).expect("it is copied back");
    let lake = open(&folder).await;
    assert!(lake.update_image(KIND).await.expect("it is updated").is_some());
    assert!(image(&lake).await.contains_key(&("portal".into(), "e".into())));
    assert_eq!(lake.update_image(KIND).await.expect("it is up to date"), None);
}

#[tokio::test]
async fn an_image_and_versions_that_are_both_damaged_are_an_error_and_stay_as_they_are() {
    let folder = folder();
    let lake = filled(&folder).await;
    flip(&file_of(&lake, "dossier_versions", "00000001-portal-0.parquet"), 800);
    let image_file = file_of(&lake, "dossiers/part=2026-03", "versions-00000003-0.parquet");
    flip(&image_file, 800);
    let lake = open(&folder).await;
    let found = damaged_files(lake.update_image(KIND).await);
    assert!(found[0].path.to_string_lossy().contains("dossier_versions"), "{found:?}");
    assert!(image_file.exists());
}

#[tokio::test]
async fn every_flipped_bit_of_a_log_is_found_and_an_image_with_one_is_made_again() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = image(&lake).await;
    let log = lake.root().join("dossier_versions/_delta_log");
    for name in ["00000000000000000000.json", "00000000000000000002.json", "00000000000000000003.json"] {
        let path = log.join(name);
        let whole = std::fs::read(&path).expect("the entry can be read");
        // Every 97th bit: the same positions of all bytes are met.
        for bit in (0..whole.len() * 8).step_by(97) {
            flip(&path, bit);
            let read = Lake::read_as_of(lake.root(), KIND, 2).await.map(|_| ());
            let damaged = DamagedFile { path: path.clone(), damage: Damage::Content };
            assert_eq!(damaged_files(read), [damaged], "bit {bit}");
            std::fs::write(&path, &whole).expect("it is copied back");
        }
        flip(&path, 100);
        let opened = Lake::open(lake.root()).await.map(|_| ());
        assert_eq!(damaged_files(opened).len(), 1, "{name} was acknowledged, so it is not moved aside");
        std::fs::write(&path, &whole).expect("it is copied back");
    }
    let entry = lake.root().join("dossiers/_delta_log/00000000000000000002.json");
    flip(&entry, 400);
    let lake = open(&folder).await;
    assert!(lake.root().join("damaged/dossiers.0/table/_delta_log").is_dir());
    lake.update_image(KIND).await.expect("it is made again");
    assert_eq!(image(&lake).await, before);
}

#[tokio::test]
async fn digests_survive_a_checkpoint_and_a_damaged_checkpoint_is_replaced_by_the_entries() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = image(&lake).await;
    for table in [&lake.tables(KIND).image, &lake.tables(KIND).versions] {
        let loaded = table.load().await.expect("the table loads");
        deltalake_core::checkpoints::create_checkpoint(&loaded, None).await.expect("the checkpoint is written");
        let again = table.load().await.expect("the checkpoint can be read");
        let files = table.files(&again).expect("they are listed");
        assert!(files.iter().all(|file| file.digest.is_some() && file.rows.is_some()), "{files:?}");
    }
    // Opening the lake gives the checkpoint a digest; then a bit of it is flipped.
    let lake = open(&folder).await;
    let checkpoint = lake.root().join("dossiers/_delta_log/00000000000000000003.checkpoint.parquet");
    flip(&checkpoint, 2_000);
    let refused = damaged_files(lake.scan_image(KIND).await.map(|_| ()));
    assert_eq!(refused, [DamagedFile { path: checkpoint.clone(), damage: Damage::Content }]);
    let lake = open(&folder).await;
    assert!(!checkpoint.exists(), "it was moved aside");
    assert_eq!(image(&lake).await, before);
}

#[tokio::test]
async fn lost_or_damaged_digests_of_a_log_are_made_again_only_if_every_file_is_whole() {
    let folder = folder();
    let lake = filled(&folder).await;
    let before = image(&lake).await;
    let digests = lake.root().join("digests/dossier_versions.json");
    let data = file_of(&lake, "dossier_versions", "00000002-post-0.parquet");
    let whole = std::fs::read(&data).expect("the file can be read");
    for is_lost in [true, false] {
        if is_lost {
            std::fs::remove_file(&digests).expect("it can be removed");
        } else {
            flip(&digests, 300);
        }
        flip(&data, 900);
        let opened = Lake::open(lake.root()).await.map(|_| ());
        assert_eq!(damaged_files(opened), [DamagedFile { path: data.clone(), damage: Damage::Content }]);
        std::fs::write(&data, &whole).expect("it is copied back");
        assert_eq!(image(&open(&folder).await).await, before);
        assert!(digests.exists(), "they are made again");
    }
}

#[tokio::test]
async fn a_process_that_was_killed_before_it_wrote_the_digests_of_a_log_does_no_harm() {
    let folder = folder();
    let lake = filled(&folder).await;
    let digests = lake.root().join("digests/dossier_versions.json");
    let before = std::fs::read(&digests).expect("the digests are stored");
    pull(&lake, "post", 9, &[(dossier("z", "received", None, 0, 0), "2026-03".to_owned())]).await.expect("committed");
    let after = std::fs::read(&digests).expect("the digests are stored");
    assert_ne!(before, after, "a commit writes the digest of its entry");
    std::fs::write(&digests, &before).expect("as if the process had been killed in between");
    let lake = open(&folder).await;
    assert_eq!(std::fs::read(&digests).expect("the digests are stored"), after);
    lake.update_image(KIND).await.expect("the image is updated");
    assert!(image(&lake).await.contains_key(&("post".into(), "z".into())));
}

//! Random nights against a simple model: the image, and the tables as of past nights.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

type Key = (String, String);

/// Newest version per key, with the partition of the key's first version.
fn newest(versions: &[(Key, Row)]) -> BTreeMap<Key, Row> {
    let mut newest: BTreeMap<Key, Row> = BTreeMap::new();
    for (key, row) in versions {
        let order = |row: &Row| (row.1, row.2, row.3, row.4);
        match newest.get_mut(key) {
            None => {
                newest.insert(key.clone(), row.clone());
            }
            Some(known) if order(row) > order(known) => {
                let part = std::mem::take(&mut known.5);
                *known = row.clone();
                known.5 = part;
            }
            Some(_) => {}
        }
    }
    newest
}

#[tokio::test]
async fn image_and_past_nights_are_the_newest_version_of_each_key() {
    let folder = folder();
    let lake = open(&folder).await;
    let mut random = ChaCha8Rng::seed_from_u64(2639);
    let mut versions: Vec<(Key, Row)> = Vec::new();
    for run in 1..=8_i64 {
        // `portal` has a change time, `post` has none.
        for source in ["portal", "post"] {
            let mut parts: HashMap<String, String> = HashMap::new();
            let mut records = Vec::new();
            for row in 0..random.random_range(0..12_u32) {
                let key = format!("k{}", random.random_range(0..9));
                let status = ["received", "processing", "completed"][random.random_range(0..3)];
                let updated = (source == "portal").then(|| random.random_range(0..40_i64));
                // Pulls may name different partitions for a key; within one pull the partition is the same.
                let fresh = format!("2026-{:02}", random.random_range(1..5));
                let part = parts.entry(key.clone()).or_insert(fresh).clone();
                let version = (Some(status.to_owned()), updated, run, 0, i64::from(row), part.clone());
                versions.push(((source.to_owned(), key.clone()), version));
                records.push((dossier(&key, status, updated, 0, row), part));
            }
            pull(&lake, source, run, &records).await.expect("committed");
        }
        if run % 3 != 1 {
            lake.update_image(KIND).await.expect("the image is updated");
            assert_eq!(image(&lake).await, newest(&versions), "image after run {run}");
        }
    }
    for night in [1, 4, 8] {
        let until: Vec<_> = versions.iter().filter(|(_, row)| row.2 <= night).cloned().collect();
        let without_part = |rows: BTreeMap<Key, Row>| -> Vec<_> {
            rows.into_iter().map(|(key, row)| (key, row.0, row.1, row.2, row.3, row.4)).collect()
        };
        let stored = rows(lake.scan_as_of(KIND, night).await).await;
        assert_eq!(without_part(stored), without_part(newest(&until)), "as of night {night}");
    }
}

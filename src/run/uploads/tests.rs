use super::*;

#[test]
fn names_with_path_parts_are_refused() {
    for name in ["a.csv", "Danh sách tháng 10 (1).xlsx", "a..csv", "~$a.xlsx"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let long = "a".repeat(MOST_NAME_BYTES + 1);
    for name in ["", ".", "..", ".a.csv", "../a.csv", "a/b.csv", "a\\b.csv", "a\nb.csv", "a\0", " a.csv", &long] {
        assert!(matches!(check_name(name), Err(UploadRefusal::BadName)), "{name:?}");
    }
}

/// Microseconds UTC.
fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_micros()).expect("a moment")
}

#[test]
fn only_ids_of_files_that_are_kept_aside_are_found() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let id = "0123456789abcdef0123456789abcdef";
    let place = folder.path().join(ASIDE).join(id);
    fs::create_dir_all(&place).expect("it can be created");
    let find = |id: &str, now| kept_aside(folder.path(), id, now);
    assert!(matches!(find(id, now()), Err(UploadRefusal::Gone)), "an empty folder");
    fs::write(place.join("a.csv"), "x").expect("it can be written");
    assert_eq!(find(id, now()).expect("it is there").1, "a.csv");
    assert!(matches!(find(id, now() + 2 * 3_600_000_000), Err(UploadRefusal::Gone)), "after two hours");
    fs::write(folder.path().join("b.csv"), "x").expect("it can be written");
    for other in ["", "..", "../..", "0123456789abcdef0123456789abcdeg", &"0".repeat(32)] {
        assert!(matches!(find(other, now()), Err(UploadRefusal::Gone)), "{other}");
    }
}

#[test]
fn files_that_nobody_confirmed_are_removed() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let aside = folder.path().join(ASIDE);
    fs::create_dir_all(aside.join("old")).expect("it can be created");
    remove_old(&aside, now());
    assert!(aside.join("old").exists(), "it is new");
    remove_old(&aside, now() + 2 * 3_600_000_000);
    assert!(!aside.exists());
}

//! The file of numbers: written, read, damaged, approved.

use super::*;

fn given(numbers: &[(&str, u64)]) -> BTreeMap<String, NumberedAgency> {
    let agency = |number| NumberedAgency { number, is_approved: false };
    numbers.iter().map(|(text, number)| (AgencyNames::digest(text), agency(*number))).collect()
}

async fn stored(data: &Path) -> Vec<(u64, i64, bool)> {
    let numbers = AgencyNumbers::read(data).await.expect("the file is whole");
    numbers.entries.iter().map(|entry| (entry.number, entry.since_run, entry.approved.is_some())).collect()
}

#[tokio::test]
async fn numbers_are_kept_with_the_run_that_gave_them() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let data = folder.path();
    assert_eq!(stored(data).await, []);
    let numbers = AgencyNumbers::read(data).await.expect("there is no file");
    numbers.write_given(data, &given(&[]), 1).expect("nothing to write");
    assert!(!data.join(FILE).exists(), "no file without a number");
    let numbers = AgencyNumbers::read(data).await.expect("there is no file");
    numbers.write_given(data, &given(&[("b", 2), ("a", 1)]), 4).expect("the folder is writable");
    let numbers = AgencyNumbers::read(data).await.expect("the file is whole");
    numbers.write_given(data, &given(&[("b", 2), ("a", 1), ("c", 3)]), 7).expect("the folder is writable");
    assert_eq!(stored(data).await, [(1, 4, false), (2, 4, false), (3, 7, false)]);
    let text = std::fs::read_to_string(data.join(FILE)).expect("the file is there");
    assert!(!text.contains("\"a\"") && !text.contains("\"b\""), "no text is stored: {text}");
}

#[tokio::test]
async fn an_approval_is_stored_and_withdrawn() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let data = folder.path();
    let numbers = AgencyNumbers::read(data).await.expect("there is no file");
    numbers.write_given(data, &given(&[("a", 1), ("b", 2)]), 4).expect("the folder is writable");
    let approval = Approval { by: "clerk".to_owned(), at: 5 };
    approve_agencies(data, &[2], Some(approval.clone()), 5).await.expect("the number is known");
    assert_eq!(stored(data).await, [(1, 4, false), (2, 4, true)]);
    let unknown = approve_agencies(data, &[1, 9], Some(approval), 6).await.expect_err("9 was never given");
    assert!(unknown.to_string().contains("number 9"), "{unknown}");
    assert_eq!(stored(data).await, [(1, 4, false), (2, 4, true)], "all or none");
    approve_agencies(data, &[2], None, 7).await.expect("the number is known");
    assert_eq!(stored(data).await, [(1, 4, false), (2, 4, false)]);
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let data = folder.path();
    let numbers = AgencyNumbers::read(data).await.expect("there is no file");
    numbers.write_given(data, &given(&[("a", 1)]), 4).expect("the folder is writable");
    let path = data.join(FILE);
    let text = std::fs::read_to_string(&path).expect("the file is there");
    for (old, new) in [("\"number\": 1", "\"number\": 2"), ("{", ""), ("\"since_run\": 4", "\"since_run\": 5")] {
        assert!(text.contains(old), "{old}");
        std::fs::write(&path, text.replacen(old, new, 1)).expect("the folder is writable");
        let error = AgencyNumbers::read(data).await.expect_err("the file is damaged");
        assert!(error.to_string().contains("agency-numbers.json") && error.to_string().contains("damaged"), "{error}");
    }
}

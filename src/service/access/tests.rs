use super::*;

#[tokio::test]
async fn tokens_and_sessions_are_valid_until_they_expire_or_are_revoked() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    let token =
        access.create("dashboard", (TokenScope::Read, None), Some(100), 0).await.expect("writes").expect("a new name");
    assert_eq!(access.create("dashboard", (TokenScope::Operate, None), None, 0).await.expect("writes"), None);
    let caller = access.bearer(&token, 99).await.expect("reads").expect("it is valid");
    assert_eq!((caller.name.as_str(), caller.scope), ("dashboard", TokenScope::Read));
    assert_eq!(access.bearer(&token, 100).await.expect("reads"), None, "expired");
    assert_eq!(access.bearer("motcua_other", 0).await.expect("reads"), None);

    let session = access.log_in(&token, 1, 10).await.expect("writes").expect("it is valid");
    let caller = access.session(&session, 50).await.expect("reads").expect("it is open");
    let (value, another) = (caller.form_value().expect("of a session"), caller.form_value().expect("of a session"));
    assert!(value != another && caller.is_own_form(&value) && caller.is_own_form(&another));
    let other = Caller { csrf: Some(random()), ..caller.clone() };
    assert!(
        !other.is_own_form(&value)
            && !caller.is_own_form("")
            && !caller.is_own_form("-")
            && !caller.is_own_form(&value[..70])
    );
    assert!(!Caller { csrf: None, ..caller }.is_own_form(&value), "a caller without a session has no forms");
    assert_eq!(access.session(&session, 100).await.expect("reads"), None, "its token has expired");
    assert!(access.revoke("dashboard", 60).await.expect("writes"));
    assert!(!access.revoke("dashboard", 61).await.expect("writes"), "it is revoked already");
    assert_eq!(access.session(&session, 61).await.expect("reads"), None);
    assert_eq!(access.log_in(&token, 1, 61).await.expect("reads"), None);
}

#[tokio::test]
async fn a_token_keeps_its_agencies_and_files_of_older_versions_get_the_column() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    let old = access.create("old", (TokenScope::Read, None), None, 0).await.expect("writes").expect("a new name");
    sqlx::raw_sql("ALTER TABLE tokens DROP COLUMN agencies").execute(&access.pool).await.expect("as it was");
    access.close().await;
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    assert_eq!(access.bearer(&old, 0).await.expect("reads").expect("it is valid").agencies, None);
    let codes = ["H61.02".to_owned(), "H61.03".to_owned()];
    for (name, bound) in [("two", &codes[..]), ("one", &codes[..1])] {
        let token = access.create(name, (TokenScope::Read, Some(bound)), None, 0).await.expect("writes");
        let token = token.expect("a new name");
        let caller = access.bearer(&token, 0).await.expect("reads").expect("it is valid");
        assert_eq!(caller.agencies.as_deref(), Some(bound));
        assert!(caller.unbound().is_err());
        let session = access.log_in(&token, 1, 0).await.expect("writes").expect("it is valid");
        let caller = access.session(&session, 1).await.expect("reads").expect("it is open");
        assert_eq!(caller.agencies.as_deref(), Some(bound), "a login is bound as its token");
    }
}

#[tokio::test]
async fn the_file_contains_no_token_and_no_session_id() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    let token =
        access.create("clerk", (TokenScope::Operate, None), None, 0).await.expect("writes").expect("a new name");
    let session = access.log_in(&token, 1, 0).await.expect("writes").expect("it is valid");
    access.close().await;
    for name in ["access.sqlite", "access.sqlite-wal"] {
        let path = folder.path().join(name);
        #[expect(clippy::disallowed_methods, reason = "the test looks into the file")]
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [token.trim_start_matches("motcua_"), &session] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
        }
    }
}

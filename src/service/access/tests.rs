use std::os::unix::fs::PermissionsExt as _;

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
    for column in ["tokens DROP COLUMN agencies", "sessions DROP COLUMN opened_at", "sessions DROP COLUMN used_at"] {
        let statement = format!("ALTER TABLE {column}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&access.pool).await.expect("as it was");
    }
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
async fn the_operator_sees_the_open_sessions_and_ends_them() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    let mut opened = Vec::new();
    for (name, expires) in [("clerk", None), ("brief", Some(HOUR_MICROS / 2))] {
        let token = access.create(name, (TokenScope::Read, None), expires, 0).await.expect("writes");
        let token = token.expect("a new name");
        for at in [1, 2] {
            opened.push(access.log_in(&token, 1, at).await.expect("writes").expect("it is valid"));
        }
    }
    assert!(access.session(&opened[0], 5).await.expect("reads").is_some());
    let listed = access.open_sessions(10).await.expect("reads");
    let shown: Vec<_> = listed.iter().map(|one| (one.token.as_str(), one.opened_at, one.used_at)).collect();
    let expected =
        [("brief", Some(1), None), ("brief", Some(2), None), ("clerk", Some(1), Some(0)), ("clerk", Some(2), None)];
    assert_eq!(shown, expected, "the use is rounded down to the hour");
    assert_eq!((listed[0].expires_at, listed[2].expires_at), (HOUR_MICROS / 2, HOUR_MICROS + 1));
    assert_eq!(access.open_sessions(HOUR_MICROS / 2).await.expect("reads").len(), 2, "their token has expired");
    // An id opens nothing, and is no part of the secret.
    assert!(opened.iter().all(|secret| listed.iter().all(|one| !secret.contains(&one.id))));
    assert_eq!(access.session(&listed[2].id, 10).await.expect("reads"), None);
    for (which, ended) in [
        (EndedSessions::Id("0123456789ab"), 0),
        (EndedSessions::Id(""), 0),
        (EndedSessions::Id(&listed[2].id), 1),
        (EndedSessions::Token("brief"), 2),
        (EndedSessions::Token("brief"), 0),
        (EndedSessions::All, 1),
    ] {
        assert_eq!(access.end_sessions(which).await.expect("writes"), ended, "{which:?}");
    }
    for session in &opened {
        assert_eq!(access.session(session, 10).await.expect("reads"), None);
    }
}

#[tokio::test]
async fn the_file_contains_no_token_and_no_session_id() {
    let folder = tempfile::tempdir().expect("there is a scratch folder");
    let access = AccessStore::open(folder.path()).await.expect("it opens");
    let token =
        access.create("clerk", (TokenScope::Operate, None), None, 0).await.expect("writes").expect("a new name");
    let session = access.log_in(&token, 1, 0).await.expect("writes").expect("it is valid");
    let _ = access.session(&session, 1).await.expect("reads");
    for name in ["access.sqlite", "access.sqlite-wal", "access.sqlite-shm"] {
        let known = folder.path().join(name).metadata().expect("it is open");
        assert_eq!(known.permissions().mode() & 0o777, 0o600, "{name}");
    }
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

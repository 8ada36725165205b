use std::path::Path;

use crate::config::connector_from_text;
use crate::model::connector::Connector;

/// An HTTP connector with every table that may change.
const WEB: &str = r#"
[connector]
version = 1
title = "Cổng thử"
kind = "dossiers"
system = "thử"
contact = "ông A"

[access]
type = "http"
base_url = "http://portal.test"

[auth]
type = "basic"
username = "motcua"
password = "{secret:PASSWORD}"

[request]
path = "/list"
query = { kind = "all", sort = "id" }

[[window.passes]]
name = "received"
since_param = "from"
until_param = "to"
format = "yyyy-MM-dd"
start = "cursor"
first_date = "2025-01-01"

[pages]
type = "page_number"
param = "page"
first = 0
size = 50
end = { type = "last_flag", path = "last" }

[limits]
requests_per_second = 5.0

[decode]
type = "json"
records = "rows"

[map.source_key]
from = "id"
type = "code"
required = true

[map.received_at]
from = ["received", "created"]
type = "instant"
formats = ["yyyy-MM-dd"]

[map.submission_channel]
from = "channel"
type = "word"

[map.submission_channel.codes]
C = "counter"
O = "online"
"#;

fn parsed(text: &str) -> Connector {
    connector_from_text("portal", Path::new("connector.toml"), text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The connector after one edit of its file.
fn edited(old: &str, new: &str) -> Connector {
    assert_eq!(WEB.matches(old).count(), 1, "`{old}` stands once in the file");
    parsed(&WEB.replace(old, new))
}

#[test]
fn what_reads_nothing_differently_keeps_the_reading_digest() {
    let before = parsed(WEB);
    for (old, new) in [
        ("title = \"Cổng thử\"", "title = \"Cổng khác\""),
        ("contact = \"ông A\"", "contact = \"bà B\""),
        ("version = 1", "version = 2"),
        ("system = \"thử\"", "system = \"thật\""),
        ("[connector]", "# a comment\n[connector]"),
        ("kind = \"dossiers\"\nsystem = \"thử\"", "system = \"thử\"\nkind = \"dossiers\""),
        ("{ kind = \"all\", sort = \"id\" }", "{ sort = \"id\", kind = \"all\" }"),
        ("C = \"counter\"\nO = \"online\"", "O = \"online\"\nC = \"counter\""),
        ("from = \"id\"", "from = [\"id\"]"),
        ("requests_per_second = 5.0", "requests_per_second = 2.0\nconcurrency = 2"),
        ("username = \"motcua\"", "username = \"{env:PORTAL_USER}\""),
        ("[decode]", "[retry]\nattempts = 9\n\n[decode]"),
        ("[decode]", "[schedule]\ncron = \"0 3 * * *\"\nfresh_within_hours = 50\n\n[decode]"),
        ("[decode]", "[contract]\nleast_of_usual = 0.0\nmost_of_usual = 0.0\nreject_rows = 5\n\n[decode]"),
        ("[decode]", "[complete]\nread_twice = true\n\n[decode]"),
        ("[decode]", "[sweep]\nevery_days = 7\npass = \"received\"\ncolumn = \"received_at\"\n\n[decode]"),
        // A default that is written out.
        ("first_date = \"2025-01-01\"", "first_date = \"2025-01-01\"\noverlap_days = 1"),
    ] {
        assert_eq!(edited(old, new).digest, before.digest, "{new}");
    }
}

#[test]
fn what_reads_other_records_changes_the_reading_digest() {
    let mut digests = vec![parsed(WEB).digest];
    for (old, new) in [
        ("http://portal.test", "http://other.test"),
        ("path = \"/list\"", "path = \"/search\""),
        ("kind = \"all\"", "kind = \"open\""),
        ("first_date = \"2025-01-01\"", "first_date = \"2024-01-01\""),
        ("start = \"cursor\"", "start = \"oldest_open\"\nopen_column = \"received_at\""),
        ("first = 0", "first = 1"),
        ("records = \"rows\"", "records = \"data.rows\""),
        ("from = \"id\"", "from = \"code\""),
        ("from = [\"received\", \"created\"]", "from = [\"created\", \"received\"]"),
        ("formats = [\"yyyy-MM-dd\"]", "formats = [\"dd/MM/yyyy\"]"),
        ("O = \"online\"", "O = \"postal\""),
        ("required = true", "required = true\npattern = \"[0-9]+\""),
        ("[decode]", "[identity]\nkey = [\"source_key\", \"received_at\"]\n\n[decode]"),
        ("[decode]", "[contract]\nimpossible = \"reject_row\"\n\n[decode]"),
        ("[decode]", "[contract]\nill_typed = \"report\"\n\n[decode]"),
    ] {
        // `received_at` becomes a part of the key in one of the edits: then it must be required.
        let text = WEB.replace(old, new).replace("type = \"instant\"\n", "type = \"instant\"\nrequired = true\n");
        digests.push(if new.contains("[identity]") { parsed(&text).digest } else { edited(old, new).digest });
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "every edit gives another digest");
}

#[test]
fn the_digest_of_the_file_changes_with_every_value() {
    let before = parsed(WEB);
    for (old, new) in [("contact = \"ông A\"", "contact = \"bà B\""), ("requests_per_second = 5.0", "concurrency = 2")]
    {
        let after = edited(old, new);
        assert_ne!(after.file_digest, before.file_digest, "{new}");
    }
    assert_eq!(edited("[connector]", "# a comment\n[connector]").file_digest, before.file_digest);
}

/// The digests that the ledger of `tests/fixtures/data-folder-2026-11` holds. If one differs, a key that is new since is
/// serialized although the file does not use it: every data folder would read its sources again.
#[test]
fn connectors_of_an_older_data_folder_keep_their_digests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data-folder-2026-11/config/motcua.toml");
    let config = crate::config::load(&folder).unwrap_or_else(|problems| panic!("{problems}"));
    let expected = [
        ("bcci-export", "7a0c1a13bbec2864aa990b248510b364dde626424d5d6090ae0172a1da060b8b"),
        ("desk", "24d174e01cdd403a978c1cbbc497e168195dbf30cfc4d9d567fe7e2985a4a27d"),
        ("dossier-notes-csv", "cc8903cc1c248c8d8757cf86a9c71e0be7c5428a54d5d0f77b77078d5fd49a1b"),
        ("feedback", "333237bfe8a69e4bd71b2fac380cfb15072af6107f9f82fd09458c179b495381"),
        ("measures-csv", "e1f1b36a060172eeb9dcdbf82452f92ae503b2cc35e620908b658722bfe98ca2"),
    ];
    let found: Vec<_> =
        config.connectors.iter().map(|known| (known.name.as_str(), known.file_digest.as_str())).collect();
    assert_eq!(found, expected);
    for connector in &config.connectors {
        assert!(connector.was_read_with(&connector.file_digest) && connector.was_read_with(&connector.digest));
    }
}

//! Keys of `connector.toml` that have no effect for the `type` beside them. They are refused by name: whoever wrote them
//! believes that they do something.

use crate::config::connectors::{ConnectorCheck, columns_of};
use crate::model::connector::{Access, Auth, ConnectorFile, FieldType, Pages, Start};

/// Tables that only HTTP connectors use.
const HTTP_TABLES: [&str; 1] = ["/window"];
/// Keys that only HTTP connectors use.
const HTTP_KEYS: [&str; 8] = [
    "/complete/total",
    "/complete/end_statuses",
    "/complete/read_twice",
    "/limits/requests_per_second",
    "/limits/concurrency",
    "/limits/max_pages",
    "/retry/statuses",
    "/limits/max_details",
];
/// What a connector of files uses only if the folder lies on a server.
const SERVER_KEYS: [&str; 2] = ["/retry", "/limits/connect_timeout_secs"];

impl ConnectorCheck<'_> {
    pub(super) fn effects(&mut self, file: &ConnectorFile) {
        if matches!(file.access, Access::Files { .. }) {
            self.effects_for_files(file);
        }
        for (place, name, map) in columns_of(file) {
            for key in ["formats", "zone", "time", "buddhist_years", "midnight_is_date"] {
                let pointer = format!("{place}/{name}/{key}");
                if map.field_type != FieldType::Instant && self.has(&pointer) {
                    self.add(&pointer, "has no effect: only fields of `type = \"instant\"` have it");
                }
            }
            for key in ["from", "time", "codes", "default", "null_values"] {
                let pointer = format!("{place}/{name}/{key}");
                if map.value.is_some() && self.has(&pointer) {
                    self.add(&pointer, "has no effect beside `value`, the value of every record");
                }
            }
        }
        for (index, pass) in file.window.passes.iter().enumerate() {
            if pass.start == Start::Cursor && pass.open_column.is_some() {
                let pointer = format!("/window/passes/{index}/open_column");
                self.add(&pointer, "has no effect: only `start = \"oldest_open\"` uses it");
            }
        }
    }

    fn effects_for_files(&mut self, file: &ConnectorFile) {
        let is_used = [("/auth", file.auth != Auth::None), ("/pages", file.pages != Pages::None)];
        let is_local = matches!(file.access, Access::Files { server: None, .. });
        let of_servers = SERVER_KEYS.into_iter().map(|key| (key, is_local));
        let tables = HTTP_TABLES.into_iter().map(|table| (table, true)).chain(of_servers).chain(is_used);
        for (pointer, is_stated) in tables.chain(HTTP_KEYS.into_iter().map(|key| (key, true))) {
            if is_stated && self.has(pointer) {
                self.add(pointer, "has no effect for a connector of files: remove it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::test_connectors::{self, LISTS, mistaken_keys};

    /// `[access]` and `[decode]` of files.
    const FILES: &str = r#"
[access]
type = "files"
folder = "in"
glob = "*.csv"
[decode]
type = "csv"
header = "id"
footers = ["sum"]
"#;

    /// Mistakes of the connector of files with an addition, as `key: message`.
    fn mistakes(addition: &str) -> Vec<String> {
        let found = test_connectors::mistakes(&format!("{LISTS}{FILES}{addition}"));
        found.into_iter().map(|(key, message)| format!("{key}: {message}")).collect()
    }

    #[test]
    fn keys_of_http_are_refused_for_files() {
        for (addition, key) in [
            ("[auth]\ntype = 'bearer'\ntoken = '{secret:T}'\n", "auth"),
            ("[pages]\ntype = 'page_number'\nfirst = 1\nsize = 9\nend = { type = 'empty_page' }\n", "pages"),
            ("[retry]\nattempts = 5\n", "retry"),
            ("[complete]\ntotal = 'total'\n", "complete.total"),
            // A value that equals the default has no effect either.
            ("[complete]\nread_twice = false\n", "complete.read_twice"),
            ("[limits]\nconcurrency = 1\n", "limits.concurrency"),
            ("[limits]\nmax_pages = 9\n", "limits.max_pages"),
            (
                "[[window.passes]]\nname = 'all'\nformat = 'yyyyMMdd'\nstart = 'cursor'\nfirst_date = '2026-01-01'\n",
                "window",
            ),
        ] {
            assert_eq!(mistakes(addition), [format!("{key}: has no effect for a connector of files: remove it")]);
        }
    }

    #[test]
    fn keys_that_files_use_are_accepted() {
        for addition in [
            "",
            "[auth]\ntype = 'none'\n[pages]\ntype = 'none'\n",
            "[complete.trailer]\ncolumn = 'id'\nholds = 'count'\n",
            "[limits]\nmax_records = 9\nmax_body_bytes = 9\nmax_expanded_bytes = 9\n",
            "[schedule]\ncron = '30 1 * * *'\n[contract]\nreject_rows = 1\n",
            "[map.received_at]\nfrom = 'd'\ntype = 'instant'\nformats = ['dd/MM/yyyy']\nzone = 'UTC'\n",
        ] {
            assert_eq!(mistakes(addition), [""; 0], "{addition}");
        }
    }

    #[test]
    fn an_order_by_title_needs_a_date_and_title_rows() {
        let with = |order: &str, decode: &str| {
            let text = FILES.replace("glob = \"*.csv\"", &format!("glob = \"*.csv\"\norder = {order}"));
            let text = text.replace("type = \"csv\"\nheader = \"id\"\nfooters = [\"sum\"]", decode);
            mistaken_keys(&format!("{LISTS}{text}"))
        };
        let csv = "type = \"csv\"\nheader = \"id\"";
        for (order, decode, expected) in [
            ("{ title = 'đến ngày {dd/MM/yyyy}' }", csv, &[][..]),
            ("{ title = 'MM/yyyy' }", "type = \"xlsx\"\nheader = \"id\"", &[]),
            ("{ title = 'đến ngày' }", csv, &["access.order.title"]),
            ("{ title = '{dd/MM/yyyy' }", csv, &["access.order.title"]),
            ("{ title = 'dd/MM/yyyy' }", "type = \"json\"", &["access.order.title"]),
            ("{ name = 'dd/MM' }", csv, &["access.order.name"]),
        ] {
            assert_eq!(with(order, decode), expected, "{order} {decode}");
        }
    }

    #[test]
    fn keys_of_another_variant_are_refused() {
        for (addition, key) in [
            ("[auth]\ntype = 'none'\ntoken = 'x'\n", "auth.token"),
            ("[pages]\ntype = 'none'\nsize = 9\n", "pages.size"),
        ] {
            assert_eq!(mistakes(addition), [format!("{key}: unknown key")], "{addition}");
        }
        let end = "[pages]\ntype = 'page_number'\nfirst = 1\nsize = 9\nend = { type = 'empty_page', path = 'x' }\n";
        assert!(mistakes(end).contains(&"pages.end.path: unknown key".to_owned()), "{:?}", mistakes(end));
    }

    #[test]
    fn keys_of_instants_are_refused_for_other_types() {
        let addition =
            "[map.dossier_code]\nfrom = 'c'\ntype = 'dossier_code'\nformats = ['dd/MM/yyyy']\nzone = 'UTC'\n";
        let only = "has no effect: only fields of `type = \"instant\"` have it";
        assert_eq!(
            mistakes(addition),
            [format!("map.dossier_code.formats: {only}"), format!("map.dossier_code.zone: {only}")]
        );
    }

    #[test]
    fn a_value_stands_for_every_record() {
        let field = |keys: &str| format!("[map.submission_channel]\ntype = 'word'\n{keys}");
        assert_eq!(mistakes(&field("value = 'online'\n")), [""; 0]);
        assert_eq!(
            mistakes(&field("value = 'online'\ndefault = 'counter'\n")),
            ["map.submission_channel.default: has no effect beside `value`, the value of every record"]
        );
        assert_eq!(mistakes(&field("value = 'by pigeon'\n")).len(), 1);
        let none =
            "map.submission_channel.from: must name at least one source field, or `value` the value of every record";
        assert!(mistakes(&field("")).contains(&none.to_owned()), "{:?}", mistakes(&field("")));
        let key = "[map.dossier_code]\nvalue = 'H-1'\ntype = 'dossier_code'\nrequired = true\n[identity]\nkey = ['dossier_code']\n";
        assert_eq!(mistakes(key).len(), 1);
        let none = "[map.received_at]\ntype = 'instant'\nformats = ['yyyy-MM-dd']\nvalue = '1970-01-01'\n";
        assert_eq!(mistakes(none), ["map.received_at.value: `1970-01-01` means that there is no value"]);
        let day = "[map.received_at]\ntype = 'instant'\nformats = ['dd/MM/yyyy']\nvalue = '2026-01-05'\n";
        assert_eq!(mistakes(day), ["map.received_at.value: `2026-01-05` does not fit the field: not_an_instant"]);
    }

    #[test]
    fn a_time_of_its_own_field_is_optional() {
        let field = |format: &str| {
            format!("[map.due_at]\ntype = 'instant'\nfrom = 'd'\ntime = {{ position = 2 }}\nformats = ['{format}']\n")
        };
        assert_eq!(mistakes(&field("dd/MM/yyyy[ HH:mm]")), [""; 0]);
        assert_eq!(mistakes(&field("dd/MM/yyyy HH:mm")).len(), 1);
        let zero = field("dd/MM/yyyy").replace("position = 2", "position = 0");
        assert_eq!(mistakes(&zero), ["map.due_at.time: `position` counts from 1 to 16384"]);
    }

    #[test]
    fn a_repeated_heading_is_declared_by_its_place() {
        let field = |from: &str| format!("[map.dossier_code]\nfrom = {from}\ntype = 'dossier_code'\n");
        assert_eq!(mistakes(&field("{ column = 'c', nth = 2 }")), [""; 0]);
        assert_eq!(mistakes(&field("['a', { column = 'c', nth = 2 }]")), [""; 0]);
        assert_eq!(mistakes(&field("{ column = 'c', nth = 0 }")), ["map.dossier_code.from: `nth` counts from 1"]);
        assert_eq!(mistakes(&field("{ column = 'c', nht = 2 }")).len(), 2);
        assert_eq!(mistakes(&field("[]")).len(), 1);
        assert_eq!(mistakes(&field("{ column = 'c', nth = '2' }")).len(), 1);
        assert_eq!(mistakes(&field("3")).len(), 1);
        let stop = "[map.dossier_code]\nfrom = 'c'\ntype = 'dossier_code'\nill_typed = 'stop'\n";
        assert_eq!(mistakes(stop).len(), 1);
    }
}

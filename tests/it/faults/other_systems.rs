//! APIs of other systems that the simulated portal also offers: the shipped connector's map with other requests and
//! paging.

/// Replacement for tables of the shipped connector.
#[derive(Debug, Clone, Copy)]
pub(super) struct PortalApi {
    /// `[request]`, `[pages]` and `[complete]`.
    tables: &'static str,
    /// `decode.records`.
    records: &'static str,
}

pub(super) const TD: PortalApi = PortalApi {
    tables: r#"[request]
path = "/td/dossiers"

[pages]
type = "page_number"
param = "pageNumber"
first = 1
size_param = "pageSize"
size = 7
end = { type = "next_flag", path = "hasNextPage" }

[complete]
total = "totalCount"

"#,
    records: "data",
};

pub(super) const KEYSET: PortalApi = PortalApi {
    tables: r#"[request]
path = "/keyset/dossiers"
query = { pagesize = "7" }

[pages]
type = "keyset"
param = "lastId"
path = "id"
end = { type = "empty_page" }

"#,
    records: "_embedded.rh:doc",
};

pub(super) const CURSOR: PortalApi = PortalApi {
    tables: r#"[request]
path = "/cursor/dossiers"
query = { size = "7" }

[pages]
type = "cursor"
param = "cursor"
path = "next"
end = { type = "null_cursor" }

"#,
    records: "items",
};

impl PortalApi {
    /// Replaces everything from `[request]` up to `[limits]`, and the path of the records.
    pub(super) fn replace_search(self, text: &str) -> String {
        let (before, _) = text.split_once("[request]").expect("the connector has requests");
        let (_, after) = text.split_once("[limits]").expect("the connector has limits");
        let records = "records = \"content\"";
        assert!(after.contains(records), "the connector decodes `content`");
        let after = after.replacen(records, &format!("records = \"{}\"", self.records), 1);
        format!("{before}{}[limits]{after}", self.tables)
    }
}

//! Connectors that read the portal through its doors of other systems: the shipped map, another way of paging.

/// What stands in the place of the shipped connector's tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Door {
    /// `[request]` and `[pages]`.
    asks: &'static str,
    /// `decode.records`.
    records: &'static str,
}

pub(super) const TD: Door = Door {
    asks: r#"[request]
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

pub(super) const KEYSET: Door = Door {
    asks: r#"[request]
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

pub(super) const CURSOR: Door = Door {
    asks: r#"[request]
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

impl Door {
    /// The connector's text with everything from `[request]` to `[limits]` said anew.
    pub(super) fn instead_of_search(self, text: &str) -> String {
        let (before, _) = text.split_once("[request]").expect("the connector asks");
        let (_, after) = text.split_once("[limits]").expect("the connector states limits");
        let records = "records = \"content\"";
        assert!(after.contains(records), "the connector decodes `content`");
        let after = after.replacen(records, &format!("records = \"{}\"", self.records), 1);
        format!("{before}{}[limits]{after}", self.asks)
    }
}

//! Checks of numbers and paths with which nothing could be read.

use crate::config::connectors::{ConnectorCheck, columns_of};
use crate::fields::select_path::parse_path;
use crate::model::connector::{Access, Auth, ConnectorFile, Decode, PageEnd, Pages, SourceField};

/// Longest timeout: a day.
const MAX_TIMEOUT_SECS: u64 = 86_400;

impl ConnectorCheck<'_> {
    /// Limits that would refuse everything, and paths that nothing has.
    pub(super) fn values(&mut self, file: &ConnectorFile) {
        let limits = &file.limits;
        for (key, limit) in [
            ("max_pages", u64::from(limits.max_pages)),
            ("max_records", limits.max_records),
            ("max_page_records", u64::from(limits.max_page_records)),
            ("max_body_bytes", limits.max_body_bytes),
            ("max_expanded_bytes", limits.max_expanded_bytes),
        ] {
            if limit == 0 {
                self.add(&format!("/limits/{key}"), "must be at least 1");
            }
        }
        for (key, secs) in
            [("connect_timeout_secs", limits.connect_timeout_secs), ("read_timeout_secs", limits.read_timeout_secs)]
        {
            if !(1..=MAX_TIMEOUT_SECS).contains(&secs) {
                self.add(&format!("/limits/{key}"), format!("must be from 1 to {MAX_TIMEOUT_SECS}"));
            }
        }
        if !file.retry.statuses.iter().all(|status| (400..600).contains(status)) {
            self.add("/retry/statuses", "must be from 400 to 599: others are no failures");
        }
        self.envelope_paths(file);
        self.tables(file);
    }

    /// Paths into the envelope of a response. They have names only, with dots between them.
    fn envelope_paths(&mut self, file: &ConnectorFile) {
        let mut paths: Vec<(&str, &str)> = Vec::new();
        match &file.decode {
            Decode::Json { records, failure, columns, .. } => {
                paths.push(("/decode/records", records.trim_matches('.')));
                let columns = columns.as_deref().map(|columns| columns.split("[]").next().unwrap_or_default());
                paths.extend(columns.map(|columns| ("/decode/columns", columns)));
                paths.extend(failure.iter().map(|failure| ("/decode/failure/path", failure.path.as_str())));
            }
            Decode::Xml { failure, .. } => {
                paths.extend(failure.iter().map(|failure| ("/decode/failure/path", failure.path.as_str())));
            }
            Decode::Csv { .. } | Decode::Xlsx { .. } | Decode::Spreadsheet { .. } => {}
        }
        if matches!(file.access, Access::Http { .. }) {
            paths.extend(paths_of_pages(file));
        }
        let not_found = file.detail.iter().filter_map(|detail| detail.not_found.as_ref());
        paths.extend(not_found.map(|reply| ("/detail/not_found/path", reply.path.as_str())));
        if let Auth::Login { token, ok, expired, .. } = &file.auth {
            paths.extend(token.iter().map(|token| ("/auth/token", token.as_str())));
            paths.extend(ok.iter().map(|reply| ("/auth/ok/path", reply.path.as_str())));
            paths.extend(expired.iter().map(|reply| ("/auth/expired/path", reply.path.as_str())));
        }
        for (pointer, path) in paths {
            // An empty one is reported with what it is for.
            if !path.is_empty() && path.split('.').any(|name| name.trim().is_empty()) {
                self.add(pointer, format!("path `{path}` has an empty name"));
            }
        }
        if matches!(file.decode, Decode::Json { .. } | Decode::Xml { .. }) {
            for (place, column, map) in columns_of(file) {
                if let Some(SourceField::Name(path)) = &map.time
                    && let Err(message) = parse_path(path)
                {
                    self.add(&format!("{place}/{column}/time"), message);
                }
            }
        }
    }

    /// Headings and beginnings of rows that no table has, or that every row has.
    fn tables(&mut self, file: &ConnectorFile) {
        let (header, footers, delimiter) = match &file.decode {
            Decode::Json { .. } | Decode::Xml { .. } => return,
            Decode::Csv { header, footers, delimiter, .. } | Decode::Spreadsheet { header, footers, delimiter, .. } => {
                (header, footers, *delimiter)
            }
            Decode::Xlsx { header, footers, .. } => (header, footers, None),
        };
        if header.trim().is_empty() {
            self.add("/decode/header", "must name a column");
        }
        if footers.iter().any(|footer| footer.trim().is_empty()) {
            self.add("/decode/footers", "an empty beginning is that of every row");
        }
        if delimiter
            .is_some_and(|delimiter| matches!(delimiter, '"' | '\r' | '\n' | '\0') || delimiter.is_alphanumeric())
        {
            self.add("/decode/delimiter", "must be a sign between cells, such as `;`, `,` or a tab");
        }
        for (place, column, map) in columns_of(file) {
            let of_time = map.time.iter().map(|time| ("time", time));
            for (key, source) in map.from.as_slice().iter().map(|from| ("from", from)).chain(of_time) {
                if source.column().is_some_and(|heading| heading.trim().is_empty()) {
                    self.add(&format!("{place}/{column}/{key}"), "must name a column");
                }
            }
        }
        if let Some(trailer) = &file.complete.trailer
            && (trailer.column.trim().is_empty() || trailer.of.as_ref().is_some_and(|of| of.trim().is_empty()))
        {
            self.add("/complete/trailer", "must name columns");
        }
    }
}

fn paths_of_pages(file: &ConnectorFile) -> Vec<(&str, &str)> {
    let mut paths: Vec<(&str, &str)> = Vec::new();
    match &file.pages {
        Pages::PageNumber { echo, .. } => paths.extend(echo.iter().map(|echo| ("/pages/echo", echo.as_str()))),
        Pages::Cursor { path, .. } => paths.extend(path.iter().map(|path| ("/pages/path", path.as_str()))),
        Pages::NextUrl { path, .. } => paths.push(("/pages/path", path)),
        Pages::None | Pages::Offset { .. } | Pages::LinkHeader { .. } | Pages::Keyset { .. } => {}
    }
    paths.extend(file.complete.total.iter().map(|total| ("/complete/total", total.as_str())));
    if let Some(
        PageEnd::LastFlag { path, .. }
        | PageEnd::NextFlag { path, .. }
        | PageEnd::LastPage { path }
        | PageEnd::Total { path: Some(path), .. },
    ) = file.pages.end()
    {
        paths.push(("/pages/end/path", path));
    }
    paths
}

#[cfg(test)]
#[path = "value_checks_tests.rs"]
mod tests;

//! Checks of the tables of an HTTP connector against each other: login, request, paging, limits.

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, Auth, ConnectorFile, Decode, Method, PageEnd, Pages};
use crate::model::values::placeholders;

/// Upper limit of `limits.concurrency`.
const MAX_CONCURRENCY: u32 = 32;

impl ConnectorCheck<'_> {
    pub(super) fn web(&mut self, file: &ConnectorFile) {
        if file.limits.requests_per_second <= 0.0 {
            self.add("/limits/requests_per_second", "must be above 0");
        }
        if !(1..=MAX_CONCURRENCY).contains(&file.limits.concurrency) {
            self.add("/limits/concurrency", format!("must be from 1 to {MAX_CONCURRENCY}"));
        }
        if file.retry.attempts == 0 {
            self.add("/retry/attempts", "must be at least 1");
        }
        if let Decode::Json { failure: Some(failure), .. } | Decode::Xml { failure: Some(failure), .. } = &file.decode
            && (failure.path.is_empty() || failure.ok.is_empty())
        {
            self.add("/decode/failure", "needs a `path` and at least one value in `ok`");
        }
        if matches!(file.access, Access::Http { .. }) {
            self.session(file);
            self.request(file);
            self.pages(file);
            self.end(file);
        }
    }

    fn session(&mut self, file: &ConnectorFile) {
        let uses_session = uses(file, "{session}");
        match &file.auth {
            Auth::Login { request, token, ok, expired, .. } => {
                if !uses_session {
                    self.add("/auth/type", "a login needs `{session}` in the query, headers or body of `[request]`");
                }
                if token.is_empty() {
                    self.add("/auth/token", "needs a path");
                }
                if request.method == Method::Get && request.body.is_some() {
                    self.add("/auth/request/body", "a body needs `method = \"POST\"`");
                }
                for (name, values) in [("ok", ok), ("expired", expired)] {
                    if values.as_ref().is_some_and(|values| values.path.is_empty() || values.values.is_empty()) {
                        self.add(&format!("/auth/{name}"), "needs a path and at least one value");
                    }
                }
                if expired.is_some() && matches!(file.decode, Decode::Csv { .. }) {
                    self.add("/auth/expired", "only possible with `decode.type = \"json\"`");
                }
            }
            Auth::ApiKey { name, .. } if name.is_empty() => self.add("/auth/name", "must name a header or parameter"),
            _ => {}
        }
        if uses_session && !matches!(file.auth, Auth::Login { .. }) {
            self.add("/request", "`{session}` needs `type = \"login\"` in `[auth]`");
        }
    }

    fn request(&mut self, file: &ConnectorFile) {
        if let Some(request) = &file.request
            && request.method == Method::Get
            && request.body.is_some()
        {
            self.add("/request/body", "a body needs `method = \"POST\"`");
        }
        let (since, until) = (uses(file, "{since}"), uses(file, "{until}"));
        for (index, pass) in file.window.passes.iter().enumerate() {
            for (name, param, is_in_request) in
                [("since", &pass.since_param, since), ("until", &pass.until_param, until)]
            {
                if param.is_none() && !is_in_request {
                    let pointer = format!("/window/passes/{index}/{name}_param");
                    self.add(&pointer, format!("required, unless `[request]` contains `{{{name}}}`"));
                }
            }
        }
    }

    fn pages(&mut self, file: &ConnectorFile) {
        let (param, placeholder) = match &file.pages {
            Pages::PageNumber { param, .. } => (param, "{page}"),
            Pages::Offset { param, .. } => (param, "{offset}"),
            Pages::Cursor { param, .. } | Pages::Keyset { param, .. } => (param, "{cursor}"),
            Pages::None | Pages::NextUrl { .. } | Pages::LinkHeader { .. } => (&None, ""),
        };
        if param.is_none() && !placeholder.is_empty() && !uses(file, placeholder) {
            self.add("/pages/param", format!("required, unless `[request]` contains `{placeholder}`"));
        }
        for other in ["{page}", "{offset}", "{cursor}"] {
            if other != placeholder && uses(file, other) {
                self.add("/request", format!("`{other}` has no value with this `type` of `[pages]`"));
            }
        }
        if file.pages.size() == Some(0) {
            self.add("/pages/size", "must be at least 1");
        }
        match &file.pages {
            Pages::Cursor { path, header, .. } if path.is_some() == header.is_some() => {
                self.add("/pages", "set either `path` or `header`: where the next cursor is");
            }
            Pages::NextUrl { path, .. } if path.is_empty() => self.add("/pages/path", "needs a path"),
            Pages::Keyset { path, .. } => {
                let is_read = file.map.values().any(|map| map.from.names().contains(path));
                if !is_read {
                    self.add("/pages/path", format!("`{path}` must be a field that a column of `[map]` reads"));
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, file: &ConnectorFile) {
        let csv = matches!(file.decode, Decode::Csv { .. });
        let by_cursor = matches!(file.pages, Pages::Cursor { .. } | Pages::NextUrl { .. } | Pages::LinkHeader { .. });
        let in_body = match &file.pages {
            Pages::PageNumber { echo, .. } => echo.is_some(),
            Pages::Cursor { path, .. } => path.is_some(),
            Pages::NextUrl { .. } => true,
            _ => false,
        };
        if csv && (in_body || file.complete.total.is_some()) {
            self.add("/pages", "paths need JSON answers; with CSV, use headers or row counts");
        }
        match file.pages.end() {
            Some(PageEnd::LastFlag { .. } | PageEnd::NextFlag { .. } | PageEnd::LastPage { .. }) if csv => {
                self.add("/pages/end", "a path needs JSON answers");
            }
            Some(PageEnd::Total { path, header }) => {
                if path.is_some() == header.is_some() {
                    self.add("/pages/end", "set either `path` or `header`: where the total is");
                }
                if csv && path.is_some() {
                    self.add("/pages/end", "a path needs JSON answers");
                }
                if file.complete.total.is_some() {
                    self.add("/complete/total", "not needed: `pages.end` already names the total");
                }
            }
            Some(PageEnd::ShortPage) if file.pages.size().is_none() => {
                self.add("/pages/size", "`short_page` needs the size of a full page");
            }
            Some(PageEnd::NullCursor) if !by_cursor => {
                self.add("/pages/end", "`null_cursor` is only possible with `cursor`, `next_url` or `link_header`");
            }
            None if file.complete.read_twice => {
                self.add("/complete/read_twice", "not needed: there is only one page");
            }
            _ => {}
        }
    }
}

/// Whether `[request]` contains a placeholder.
fn uses(file: &ConnectorFile, placeholder: &str) -> bool {
    let Some(request) = &file.request else { return false };
    let texts = request.query.values().chain(request.headers.values()).chain(&request.body);
    texts.chain([&request.path]).any(|text| placeholders(text).contains(&placeholder))
}

#[cfg(test)]
#[path = "http_checks_tests.rs"]
mod tests;

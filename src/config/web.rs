//! What the tables of an HTTP connector must say of each other: login, request, paging, limits.

use crate::config::connectors::Check;
use crate::model::connector::{Access, Auth, ConnectorFile, Decode, Method, PageEnd, Pages};
use crate::model::values::placeholders;

/// Most chains that are read side by side.
const MAX_CONCURRENCY: u32 = 32;

impl Check<'_> {
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
        if let Decode::Json { failure: Some(failure), .. } = &file.decode
            && (failure.path.is_empty() || failure.ok.is_empty())
        {
            self.add("/decode/failure", "needs a path and at least one value of `ok`");
        }
        if matches!(file.access, Access::Http { .. }) {
            self.session(file);
            self.request(file);
            self.pages(file);
            self.end(file);
        }
    }

    fn session(&mut self, file: &ConnectorFile) {
        let says = says(file, "{session}");
        match &file.auth {
            Auth::Login { request, token, ok, expired, .. } => {
                if !says {
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
                    self.add("/auth/expired", "only a JSON reply has a value that means \"log in again\"");
                }
            }
            Auth::ApiKey { name, .. } if name.is_empty() => self.add("/auth/name", "names no header or parameter"),
            _ => {}
        }
        if says && !matches!(file.auth, Auth::Login { .. }) {
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
        let (since, until) = (says(file, "{since}"), says(file, "{until}"));
        for (index, pass) in file.window.passes.iter().enumerate() {
            for (name, param, placed) in [("since", &pass.since_param, since), ("until", &pass.until_param, until)] {
                if param.is_none() && !placed {
                    let pointer = format!("/window/passes/{index}/{name}_param");
                    self.add(&pointer, format!("must be there, or `{{{name}}}` in `[request]`"));
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
        if param.is_none() && !placeholder.is_empty() && !says(file, placeholder) {
            self.add("/pages/param", format!("must be there, or `{placeholder}` in `[request]`"));
        }
        for other in ["{page}", "{offset}", "{cursor}"] {
            if other != placeholder && says(file, other) {
                self.add("/request", format!("`{other}` has no value with this `type` of `[pages]`"));
            }
        }
        if file.pages.size() == Some(0) {
            self.add("/pages/size", "must be at least 1");
        }
        match &file.pages {
            Pages::Cursor { path, header, .. } if path.is_some() == header.is_some() => {
                self.add("/pages", "a cursor stands at a `path` or in a `header`: name one");
            }
            Pages::NextUrl { path, .. } if path.is_empty() => self.add("/pages/path", "needs a path"),
            Pages::Keyset { path, .. } => {
                let is_read = file.map.values().any(|map| map.from.as_slice().contains(path));
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
            self.add(
                "/pages",
                "a path leads into a JSON answer; a CSV answer says by its headers and rows how it goes on",
            );
        }
        match file.pages.end() {
            Some(PageEnd::LastFlag { .. } | PageEnd::NextFlag { .. } | PageEnd::LastPage { .. }) if csv => {
                self.add("/pages/end", "only a JSON answer has a path");
            }
            Some(PageEnd::Total { path, header }) => {
                if path.is_some() == header.is_some() {
                    self.add("/pages/end", "a total stands at a `path` or in a `header`: name one");
                }
                if csv && path.is_some() {
                    self.add("/pages/end", "only a JSON answer has a path");
                }
                if file.complete.total.is_some() {
                    self.add("/complete/total", "`pages.end` names the total already");
                }
            }
            Some(PageEnd::ShortPage) if file.pages.size().is_none() => {
                self.add("/pages/size", "`short_page` needs the size of a full page");
            }
            Some(PageEnd::NullCursor) if !by_cursor => {
                self.add("/pages/end", "`null_cursor` ends a chain of `cursor`, `next_url` or `link_header` only");
            }
            None if file.complete.read_twice => {
                self.add("/complete/read_twice", "there is one page: records cannot move between pages");
            }
            _ => {}
        }
    }
}

/// Whether the request's template holds a placeholder.
fn says(file: &ConnectorFile, placeholder: &str) -> bool {
    let Some(request) = &file.request else { return false };
    let texts = request.query.values().chain(request.headers.values()).chain(&request.body);
    texts.chain([&request.path]).any(|text| placeholders(text).contains(&placeholder))
}

#[cfg(test)]
#[path = "web_tests.rs"]
mod tests;

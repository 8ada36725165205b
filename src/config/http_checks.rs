//! Checks of the tables of an HTTP connector against each other: login, request, paging, limits.

use std::collections::BTreeMap;

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, Auth, ConnectorFile, Decode, Method, PageEnd, Pages, Pass, SliceUnit};
use crate::model::values::placeholders;

/// Upper limit of `limits.concurrency`.
const MAX_CONCURRENCY: u32 = 32;

/// Least `slice_days` of a pass that begins after a key: a century, so that it has one slice.
const OPEN_ENDED_DAYS: u32 = 36_500;

/// Placeholders of a signature (`auth.type = "signature"`).
const SIGNED: [&str; 8] =
    ["{method}", "{host}", "{path}", "{query}", "{timestamp}", "{nonce}", "{body}", "{body_digest}"];

/// Statuses that may mean that a page does not exist.
const ENDING_STATUSES: [u16; 6] = [204, 400, 404, 410, 416, 422];

/// Placeholders of the period that a page chain reads, and the longest period that has one value.
const PERIOD_PLACEHOLDERS: [(&str, SliceUnit); 3] = [
    ("{period.month}", SliceUnit::Month),
    ("{period.quarter}", SliceUnit::Quarter),
    ("{period.year}", SliceUnit::Year),
];

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
        if let Access::Http { proxy: Some(proxy), .. } = &file.access
            && placeholders(proxy).is_empty()
            && !is_proxy(proxy)
        {
            let message = "must be `environment` or the address of a proxy, such as `http://proxy.example:3128`";
            self.add("/access/proxy", message);
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
                match token {
                    Some(token) if token.is_empty() => self.add("/auth/token", "needs a path"),
                    Some(_) if !uses_session => {
                        self.add(
                            "/auth/type",
                            "a login needs `{session}` in the query, headers or body of `[request]`",
                        );
                    }
                    None if uses_session => {
                        self.add("/auth/token", "needed: `[request]` has `{session}`, and cookies are sent without it");
                    }
                    _ => {}
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
                    self.add("/auth/expired", "only possible with `decode.type = \"json\"` or `\"xml\"`");
                }
            }
            Auth::Signature { secret, text, headers, .. } => self.signature(secret, text, headers),
            Auth::ApiKey { name, .. } if name.is_empty() => self.add("/auth/name", "must name a header or parameter"),
            _ => {}
        }
        if let Auth::Oauth2Password { client_id: None, client_secret: Some(_), .. } = &file.auth {
            self.add("/auth/client_secret", "needs the `client_id` that it belongs to");
        }
        if uses_session && !matches!(file.auth, Auth::Login { .. }) {
            self.add("/request", "`{session}` needs `type = \"login\"` in `[auth]`");
        }
    }

    fn signature(&mut self, secret: &str, text: &str, headers: &BTreeMap<String, String>) {
        let is_known =
            |found: &&str| found.starts_with("{env:") || found.starts_with("{secret:") || SIGNED.contains(found);
        if !secret.contains("{secret:") {
            self.add("/auth/secret", "must be a secret: `{secret:NAME}`");
        }
        if !placeholders(text).iter().any(|found| SIGNED.contains(found)) {
            self.add("/auth/text", "signs nothing of the request: it needs a placeholder such as `{path}`");
        }
        let unknown = placeholders(text).into_iter().find(|found| !is_known(found));
        if let Some(unknown) = unknown {
            self.add("/auth/text", format!("`{unknown}` is none of {}", SIGNED.join(" ")));
        }
        for (name, value) in headers {
            let unknown = placeholders(value).into_iter().find(|found| !is_known(found) && *found != "{signature}");
            if let Some(unknown) = unknown {
                self.add(
                    &format!("/auth/headers/{name}"),
                    format!("`{unknown}` is none of {{signature}} {}", SIGNED.join(" ")),
                );
            }
            if placeholders(value).contains(&"{body}") {
                self.add(&format!("/auth/headers/{name}"), "a body is no header: use `{body_digest}`");
            }
        }
        if !headers.values().any(|value| value.contains("{signature}")) {
            self.add("/auth/headers", "one of them must have `{signature}`");
        }
    }

    fn request(&mut self, file: &ConnectorFile) {
        if let Some(request) = &file.request
            && request.method == Method::Get
            && request.body.is_some()
        {
            self.add("/request/body", "a body needs `method = \"POST\"`");
        }
        let of_period = PERIOD_PLACEHOLDERS.iter().filter(|(placeholder, _)| uses(file, placeholder));
        let of_period: Vec<&(&str, SliceUnit)> = of_period.collect();
        for (placeholder, unit) in &of_period {
            // A month lies in one quarter and in one year; a quarter has no month.
            let has_period = |slice: Option<SliceUnit>| slice.is_some_and(|slice| slice as u8 <= *unit as u8);
            if file.window.passes.is_empty() || !file.window.passes.iter().all(|pass| has_period(pass.slice)) {
                let message = format!(
                    "`{placeholder}` needs passes in `[[window.passes]]` whose `slice` lies in one such period"
                );
                self.add("/request", message);
            }
        }
        let is_by_period = !of_period.is_empty();
        let (since, until) = (is_by_period || uses(file, "{since}"), is_by_period || uses(file, "{until}"));
        for (index, pass) in file.window.passes.iter().enumerate() {
            for (name, param, is_in_request) in
                [("since", &pass.since_param, since), ("until", &pass.until_param, until)]
            {
                let is_open_ended = name == "until" && begins_after_key(file, pass);
                if param.is_none() && !is_in_request && !is_open_ended {
                    let pointer = format!("/window/passes/{index}/{name}_param");
                    self.add(&pointer, format!("required, unless `[request]` contains `{{{name}}}`"));
                }
            }
            if begins_after_key(file, pass) && (pass.slice.is_some() || pass.slice_days < OPEN_ENDED_DAYS) {
                let pointer = format!("/window/passes/{index}/slice_days");
                self.add(
                    &pointer,
                    format!("must be at least {OPEN_ENDED_DAYS}: each slice begins after a key and ends with the newest record"),
                );
            }
            if pass.slice.is_some() && self.has(&format!("/window/passes/{index}/slice_days")) {
                let pointer = format!("/window/passes/{index}/slice_days");
                self.add(&pointer, "has no effect beside `slice`, the calendar periods");
            }
        }
    }

    /// Parameters of the page, its size and the slice stand in `[pages]` and `[[window.passes]]` only.
    fn repeated_parameters(&mut self, file: &ConnectorFile) {
        let Some(request) = &file.request else { return };
        let of_pages = match &file.pages {
            Pages::PageNumber { param, size_param, .. } | Pages::Offset { param, size_param, .. } => {
                vec![param, size_param]
            }
            Pages::Cursor { param, .. } | Pages::Keyset { param, .. } => vec![param],
            Pages::None | Pages::NextUrl { .. } | Pages::LinkHeader { .. } => Vec::new(),
        };
        let of_passes = file.window.passes.iter().flat_map(|pass| [&pass.since_param, &pass.until_param]);
        for name in of_pages.into_iter().chain(of_passes).flatten() {
            if request.query.contains_key(name) {
                self.add(
                    "/request/query",
                    format!("`{name}` is a parameter of `[pages]` or `[window]` too, and would be sent twice"),
                );
            }
        }
    }

    fn pages(&mut self, file: &ConnectorFile) {
        self.repeated_parameters(file);
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

    /// `complete.end_statuses`: statuses that mean that a page does not exist, where no page was promised.
    fn end_statuses(&mut self, file: &ConnectorFile) {
        let statuses = &file.complete.end_statuses;
        let is_end = |status: &u16| ENDING_STATUSES.contains(status) && !file.retry.statuses.contains(status);
        if !statuses.iter().all(is_end) {
            let message = format!("can be {ENDING_STATUSES:?}, and no status that is retried: others mean a failure");
            self.add("/complete/end_statuses", message);
        }
        if statuses.is_empty() {
            return;
        }
        match &file.pages {
            Pages::None => self.add("/complete/end_statuses", "not needed: there is only one page"),
            Pages::Cursor { .. } | Pages::NextUrl { .. } | Pages::LinkHeader { .. } => {
                let message = "not possible where the response states the next page: what it stated must be there";
                self.add("/complete/end_statuses", message);
            }
            _ => {}
        }
    }

    fn end(&mut self, file: &ConnectorFile) {
        self.end_statuses(file);
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
            Some(PageEnd::ShortPage { .. }) if file.pages.size().is_none() => {
                self.add("/pages/size", "`short_page` needs the size of a full page");
            }
            Some(PageEnd::ShortPage { absent: true }) if !by_cursor => {
                self.add("/pages/end", "`absent` is only possible with `cursor`, `next_url` or `link_header`");
            }
            Some(PageEnd::NullCursor { .. }) if !by_cursor => {
                self.add("/pages/end", "`null_cursor` is only possible with `cursor`, `next_url` or `link_header`");
            }
            Some(PageEnd::LastFlag { codes, .. } | PageEnd::NextFlag { codes, .. })
                if !codes.is_empty() && [true, false].iter().any(|flag| !codes.values().any(|is| is == flag)) =>
            {
                self.add("/pages/end/codes", "must have a code for `true` and one for `false`");
            }
            Some(PageEnd::RepeatedPage) if !matches!(file.pages, Pages::PageNumber { .. } | Pages::Offset { .. }) => {
                self.add("/pages/end", "`repeated_page` is only possible with `page_number` or `offset`");
            }
            None if file.complete.read_twice => {
                self.add("/complete/read_twice", "not needed: there is only one page");
            }
            _ => {}
        }
    }
}

/// Whether the chains of a pass begin after a key, which the key of their last record then replaces: they end with the newest
/// record.
fn begins_after_key(file: &ConnectorFile, pass: &Pass) -> bool {
    matches!(&file.pages, Pages::Keyset { param: Some(param), .. } if pass.since_param.as_ref() == Some(param))
}

/// Whether a text is `environment` or an http or https address.
fn is_proxy(text: &str) -> bool {
    let is_address =
        |url: url::Url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    text == "environment" || url::Url::parse(text).is_ok_and(is_address)
}

/// Whether `[request]` contains a placeholder.
fn uses(file: &ConnectorFile, placeholder: &str) -> bool {
    let Some(request) = &file.request else { return false };
    request.texts().any(|text| placeholders(text).contains(&placeholder))
}

#[cfg(test)]
#[path = "http_checks_tests.rs"]
mod tests;

//! Checks of `decode.explode` and `[detail]`: rows that one record gives, and a further request for each record.

use crate::config::connectors::{ConnectorCheck, columns_of};
use crate::fields::explode_path::{ASKED_PERIOD, ExplodeLevels, OWN_KEY};
use crate::fields::select_path::parse_path;
use crate::model::connector::{
    Access, Auth, ConnectorFile, Decode, Detail, FieldMap, FieldType, Method, MissingDetail, PageEnd, Pages,
    RecordLayout, SourceField, path_in_detail,
};
use crate::model::values::placeholders;

/// Placeholders of `[request]` that have no value for one record.
const OF_PAGES: [&str; 8] =
    ["{since}", "{until}", "{period.year}", "{period.quarter}", "{period.month}", "{page}", "{offset}", "{cursor}"];

impl ConnectorCheck<'_> {
    /// Paths of `[map]`, of records without columns. `#key` is the key of a record or an element in a map.
    pub(super) fn paths(&mut self, file: &ConnectorFile) {
        if !matches!(file.decode, Decode::Json { .. } | Decode::Xml { .. }) {
            self.asked_period_of_tables(file);
            return;
        }
        let levels = self.levels(file);
        let is_map = matches!(file.decode, Decode::Json { layout: RecordLayout::Map, .. });
        for (place, column, map) in columns_of(file) {
            let names = map.from.names().into_iter().map(|name| (name, "from"));
            for (path, key) in names.chain(map.time.iter().map(|time| (time.name(), "time"))) {
                let pointer = format!("{place}/{column}/{key}");
                if path == ASKED_PERIOD {
                    self.asked_period(file, &pointer, key == "from" && map.field_type == FieldType::Period);
                    continue;
                }
                let is_in_detail = file.detail.is_some() && path_in_detail(&path).is_some();
                let (level, rest) = levels.place(&path);
                if rest == OWN_KEY && level == 0 && (!is_map || is_in_detail) {
                    self.add(
                        &pointer,
                        "`#key` is the key of a record with `layout = \"map\"`, or of an element: `values[].#key`",
                    );
                }
                if level > 0 && (rest.is_empty() || rest == OWN_KEY) {
                    continue;
                }
                let own = if is_in_detail && level == 0 { path_in_detail(rest).unwrap_or(rest) } else { rest };
                match parse_path(own) {
                    Err(_) if rest.contains("[]") => {
                        self.add(&pointer, format!("`{path}` has `[]` where `decode.explode.path` has none"));
                    }
                    Err(message) => self.add(&pointer, message),
                    Ok(_) => {}
                }
            }
        }
        self.exploded_key(file, &levels);
        self.exploded_keys(file, &levels);
        self.exploded_total(file);
    }

    /// `#period` beside the headings of a table.
    fn asked_period_of_tables(&mut self, file: &ConnectorFile) {
        for (place, column, map) in columns_of(file) {
            let is_asked = |source: &SourceField| source.column() == Some(ASKED_PERIOD);
            for (key, _) in map
                .from
                .as_slice()
                .iter()
                .map(|from| ("from", from))
                .chain(map.time.iter().map(|time| ("time", time)))
                .filter(|(_, source)| is_asked(source))
            {
                let is_period = key == "from" && map.field_type == FieldType::Period;
                self.asked_period(file, &format!("{place}/{column}/{key}"), is_period);
            }
        }
    }

    /// `#period`, the period that a request asks for.
    fn asked_period(&mut self, file: &ConnectorFile, pointer: &str, is_period: bool) {
        if !is_period {
            self.add(pointer, "`#period` is a period: only `from` of `type = \"period\"` can have it");
        }
        let passes = &file.window.passes;
        if passes.is_empty() || passes.iter().any(|pass| pass.slice.is_none()) {
            self.add(
                pointer,
                "`#period` is the period that a request asks for: each of `[[window.passes]]` needs its `slice`, and there must be one",
            );
        }
    }

    /// The keys of `decode.explode`: those of a map.
    fn exploded_keys(&mut self, file: &ConnectorFile, levels: &ExplodeLevels) {
        let keys = file.decode.explode().map(|explode| explode.keys.as_slice()).unwrap_or_default();
        if keys.is_empty() {
            return;
        }
        let is_key = |path: &String| levels.place(path) == (levels.prefixes.len(), OWN_KEY);
        if !file.map.values().any(|map| map.from.names().iter().any(is_key)) {
            let prefix = levels.prefixes.last().map_or("", String::as_str);
            self.add(
                "/decode/explode/keys",
                format!("needs a column that reads which key it is: `from = \"{prefix}.{OWN_KEY}\"`"),
            );
        }
        let comes_again = |(at, key): (usize, &String)| keys[..at].contains(key);
        if keys.iter().any(String::is_empty) || keys.iter().enumerate().any(comes_again) {
            self.add("/decode/explode/keys", "must be different names of keys");
        }
    }

    /// A declared total of records that give several rows. A record that moved to another page between two requests comes twice,
    /// and another one not at all: the total is reached. Of other records the distinct keys are counted afterwards; these have no
    /// key of their own.
    fn exploded_total(&mut self, file: &ConnectorFile) {
        let may_move = matches!(file.pages, Pages::PageNumber { .. } | Pages::Offset { .. });
        let has_total = file.complete.total.is_some() || matches!(file.pages.end(), Some(PageEnd::Total { .. }));
        if file.decode.explode().is_some() && may_move && has_total && !file.complete.read_twice {
            let message = "must be true: records with several rows have no key of their own, so that the total does not show whether one moved \
                           between pages and came twice";
            self.add("/complete/read_twice", message);
        }
    }

    /// The levels of `decode.explode`, without mistakes.
    fn levels(&mut self, file: &ConnectorFile) -> ExplodeLevels {
        let Some(explode) = file.decode.explode() else { return ExplodeLevels::default() };
        let levels = ExplodeLevels::parse(&explode.path).unwrap_or_else(|message| {
            self.add("/decode/explode/path", message);
            ExplodeLevels::default()
        });
        if file.detail.is_some() && path_in_detail(&explode.path).is_none() {
            self.add(
                "/decode/explode/path",
                "with `[detail]`, only a list of the details can be taken apart: `detail.values[]`",
            );
        }
        levels
    }

    /// The rows of one record have the same values of the record: only what is read of the elements distinguishes them.
    fn exploded_key(&mut self, file: &ConnectorFile, levels: &ExplodeLevels) {
        let innermost = levels.prefixes.len();
        if innermost == 0 {
            return;
        }
        let is_of_element = |column: &String| {
            let names = file.map.get(column).map(|map| map.from.names()).unwrap_or_default();
            !names.is_empty() && names.iter().all(|path| levels.place(path).0 == innermost)
        };
        if !file.identity.key.iter().any(is_of_element) {
            let prefix = &levels.prefixes[innermost - 1];
            self.add(
                "/identity/key",
                format!(
                    "needs a column whose `from` begins with `{prefix}`: without it, all rows of a record have one key"
                ),
            );
        }
        if let Pages::Keyset { path, .. } = &file.pages {
            if levels.place(path).0 > 0 {
                self.add("/pages/path", "must be a field of the record, not of an element of its list");
            }
            if file.decode.explode().is_some_and(|explode| explode.may_be_empty) {
                let message = "not possible with `keyset`: the next page begins after the key of a row, and a record may have none";
                self.add("/decode/explode/may_be_empty", message);
            }
        }
    }

    /// `[detail]`, and the placeholders of records.
    pub(super) fn detail(&mut self, file: &ConnectorFile) {
        let of_record = |text: &String| placeholders(text).iter().any(|found| found.starts_with("{record."));
        if file.request.as_ref().is_some_and(|request| request.texts().any(of_record)) {
            self.add("/request", "`{record.…}` has a value in `detail.request` only");
        }
        if let Pages::Keyset { path, .. } = &file.pages
            && file.detail.is_some()
            && path_in_detail(path).is_some()
        {
            self.add("/pages/path", "must be a field of the list, not of the details");
        }
        if file.limits.max_details == 0 {
            self.add("/limits/max_details", "must be at least 1");
        }
        let Some(detail) = &file.detail else { return };
        if !matches!(file.access, Access::Http { .. }) {
            self.add("/detail", "only possible with `access.type = \"http\"`");
        }
        match &file.decode {
            Decode::Json { .. } if detail.record.contains('[') => {
                self.add(
                    "/detail/record",
                    "consists of keys only, such as `data.item`; empty if the response is the record",
                );
            }
            Decode::Xml { .. } if detail.record.is_empty() => {
                self.add("/detail/record", "the names of the elements from the root to the record");
            }
            Decode::Json { .. } | Decode::Xml { .. } => {}
            _ => self.add("/detail", "only possible with `decode.type = \"json\"` or `\"xml\"`"),
        }
        let mut fields = file
            .map
            .values()
            .flat_map(|map| map.from.names().into_iter().chain(map.time.iter().map(SourceField::name)));
        if !fields.any(|path| path_in_detail(&path).is_some()) {
            self.add("/detail", "has no effect: no column of `[map]` reads a path that begins with `detail.`");
        }
        self.missing_detail(file, detail);
        self.detail_request(file, detail);
    }

    /// `detail.not_found` and `detail.missing`.
    fn missing_detail(&mut self, file: &ConnectorFile, detail: &Detail) {
        if let Some(reply) = &detail.not_found {
            if reply.path.trim().is_empty() {
                self.add("/detail/not_found/path", "must be the path of a code");
            }
            if reply.values.is_empty() {
                self.add("/detail/not_found/values", "must have at least one code");
            }
        }
        if detail.missing != MissingDetail::Delete {
            return;
        }
        let is_of_details = |map: &FieldMap| {
            let names = map.from.names();
            map.required && !names.is_empty() && names.iter().all(|path| path_in_detail(path).is_some())
        };
        if let Some((column, _)) = file.map.iter().find(|(_, map)| is_of_details(map)) {
            let message = "not possible with `missing = \"delete\"`: a record without details would be rejected";
            self.add(&format!("/map/{column}/required"), message);
        }
        if file.map.get("deleted").is_some_and(|map| map.value.is_some()) {
            self.add("/map/deleted/value", "not possible with `missing = \"delete\"`, which fills the column");
        }
    }

    fn detail_request(&mut self, file: &ConnectorFile, detail: &Detail) {
        let request = &detail.request;
        if request.method == Method::Get && request.body.is_some() {
            self.add("/detail/request/body", "a body needs `method = \"POST\"`");
        }
        let is_content_type = |name: &String| name.eq_ignore_ascii_case("content-type");
        if matches!(file.decode, Decode::Xml { .. })
            && request.body.is_some()
            && !request.headers.keys().any(is_content_type)
        {
            self.add(
                "/detail/request/headers",
                "a body for a source of XML needs its `content-type`, for example `text/xml; charset=utf-8`",
            );
        }
        let has_session = matches!(file.auth, Auth::Login { token: Some(_), .. });
        let used: Vec<&str> = request.texts().flat_map(|text| placeholders(text)).collect();
        for found in &used {
            if OF_PAGES.contains(found) {
                self.add("/detail/request", format!("`{found}` has no value for one record"));
            }
            if *found == "{session}" && !has_session {
                self.add("/detail/request", "`{session}` needs `type = \"login\"` in `[auth]`, with a `token`");
            }
        }
        let of_record: Vec<&str> =
            used.iter().filter_map(|found| found.strip_prefix("{record.")?.strip_suffix('}')).collect();
        if of_record.is_empty() {
            self.add(
                "/detail/request",
                "needs a field of the record, such as `{record.id}`: each record has a request of its own",
            );
        }
        for path in of_record {
            let is_read = file.map.values().any(|map| map.from.names().iter().any(|known| known == path));
            if !is_read || path_in_detail(path).is_some() {
                let message =
                    format!("`{{record.{path}}}`: `{path}` must be a field of the list that a column of `[map]` reads");
                self.add("/detail/request", message);
            }
        }
    }
}

#[cfg(test)]
#[path = "record_checks_tests.rs"]
mod tests;

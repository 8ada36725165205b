//! Checks of `[decode]`: what its keys mean together.

use std::collections::BTreeMap;

use crate::config::connectors::{ConnectorCheck, columns_of};
use crate::fields::select_path::{PathStep, parse_path};
use crate::model::connector::{Access, Auth, ConnectorFile, Decode, RecordLayout};

impl ConnectorCheck<'_> {
    pub(super) fn decode(&mut self, file: &ConnectorFile) {
        let (delimiter, footers, sheets) = match &file.decode {
            Decode::Json { layout, records, columns, failure, .. } => {
                self.json(file, *layout, records, columns.as_deref(), failure.is_some());
                (None, None, None)
            }
            Decode::Xml { records, namespaces, .. } => {
                if !records.split('.').all(is_element_name) {
                    let message = "the names of the elements from the root to a record, for example \
                                   `Envelope.Body.GetListResponse.Record`";
                    self.add("/decode/records", message);
                }
                self.namespaces(file, namespaces);
                let is_content_type = |name: &String| name.eq_ignore_ascii_case("content-type");
                let request = file.request.as_ref().filter(|request| request.body.is_some());
                if request.is_some_and(|request| !request.headers.keys().any(is_content_type)) {
                    let message =
                        "a body for a source of XML needs its `content-type`, for example `text/xml; charset=utf-8`";
                    self.add("/request/headers", message);
                }
                (None, None, None)
            }
            Decode::Csv { delimiter, footers, .. } => (*delimiter, Some(footers), None),
            Decode::Xlsx { footers, sheets, .. } => (None, Some(footers), sheets.as_ref()),
            Decode::Spreadsheet { delimiter, footers, sheets, .. } => (*delimiter, Some(footers), sheets.as_ref()),
        };
        if let Decode::Csv { header_rows, .. }
        | Decode::Xlsx { header_rows, .. }
        | Decode::Spreadsheet { header_rows, .. } = &file.decode
            && !matches!(header_rows, 1 | 2)
        {
            self.add("/decode/header_rows", "must be 1 or 2");
        }
        if delimiter.is_some_and(|delimiter| !delimiter.is_ascii()) {
            self.add("/decode/delimiter", "must be an ASCII character");
        }
        if let Some(Err(error)) = sheets.map(|sheets| globset::Glob::new(sheets)) {
            self.add("/decode/sheets", error.to_string());
        }
        if file.complete.trailer.is_some() && footers.is_none_or(Vec::is_empty) {
            self.add("/complete/trailer", "the trailer is a footer row: `decode.footers` must name it");
        }
        if let (Access::Http { .. }, Decode::Xlsx { .. } | Decode::Spreadsheet { .. }) = (&file.access, &file.decode) {
            self.add("/decode/type", "workbooks can only be read from files");
        }
    }

    /// `decode.namespaces`, and the prefixes of all paths.
    fn namespaces(&mut self, file: &ConnectorFile, namespaces: &BTreeMap<String, String>) {
        for (prefix, uri) in namespaces {
            let pointer = format!("/decode/namespaces/{prefix}");
            if prefix.contains(':') || !is_element_name(prefix) {
                self.add(&pointer, "a prefix is a name of letters, digits, `_` and `-`");
            }
            if uri.trim().is_empty() {
                self.add(
                    &pointer,
                    "must be the address of a namespace, such as `http://schemas.xmlsoap.org/soap/envelope/`",
                );
            }
            if namespaces.iter().any(|(other, known)| other < prefix && known == uri) {
                self.add(&pointer, "this namespace has another prefix already");
            }
        }
        let (Decode::Xml { records, failure, explode, .. }, auth) = (&file.decode, &file.auth) else { return };
        let mut paths = vec![("/decode/records".to_owned(), records.clone())];
        paths.extend(failure.iter().map(|failure| ("/decode/failure/path".to_owned(), failure.path.clone())));
        paths.extend(explode.iter().map(|explode| ("/decode/explode/path".to_owned(), explode.path.clone())));
        paths.extend(file.detail.iter().map(|detail| ("/detail/record".to_owned(), detail.record.clone())));
        let not_found = file.detail.iter().filter_map(|detail| detail.not_found.as_ref());
        paths.extend(not_found.map(|reply| ("/detail/not_found/path".to_owned(), reply.path.clone())));
        if let Auth::Login { expired: Some(expired), .. } = auth {
            paths.push(("/auth/expired/path".to_owned(), expired.path.clone()));
        }
        for (place, column, map) in columns_of(file) {
            paths.extend(map.from.names().into_iter().map(|path| (format!("{place}/{column}/from"), path)));
        }
        for (pointer, path) in paths {
            // What an element is selected by (`[@key=concept:name]`) is a value and no name. Other checks report a path that
            // cannot be read.
            let path = path.replace("[]", "");
            let names = parse_path(&path).unwrap_or_default().into_iter().filter_map(|step| match step {
                PathStep::Key(name) | PathStep::Filter(name, _) => Some(name.trim_start_matches('@')),
                PathStep::Element(_) => None,
            });
            let mut prefixes = names.filter_map(|name| Some(name.split_once(':')?.0));
            let is_unknown = |prefix: &&str| is_element_name(prefix) && !namespaces.contains_key(*prefix);
            if let Some(prefix) = prefixes.find(is_unknown) {
                let message =
                    format!("`{prefix}` is no prefix of `decode.namespaces`; names without one are local names");
                self.add(&pointer, message);
            }
        }
    }

    fn json(
        &mut self,
        file: &ConnectorFile,
        layout: RecordLayout,
        records: &str,
        columns: Option<&str>,
        has_failure: bool,
    ) {
        if let Some(columns) = columns {
            let is_of_objects = columns.split_once("[]").is_none_or(|(path, key)| {
                !path.is_empty() && key.strip_prefix('.').is_some_and(|key| !key.is_empty() && !key.contains('['))
            });
            if layout != RecordLayout::Rows {
                self.add("/decode/columns", "has no effect: only `layout = \"rows\"` has it");
            } else if !is_of_objects {
                self.add(
                    "/decode/columns",
                    "the path of a list of texts, or of objects with the key of the name: `columns[].name`",
                );
            }
            if records.is_empty() {
                self.add("/decode/records", "with `columns` beside it, the list of rows has a path");
            }
        }
        if layout != RecordLayout::Lines {
            return;
        }
        let in_envelope = [
            ("/decode/records", !records.is_empty()),
            ("/decode/failure", has_failure),
            ("/complete/total", file.complete.total.is_some()),
            ("/pages/echo", self.has("/pages/echo")),
            ("/pages/end/path", self.has("/pages/end/path")),
            (
                "/pages/path",
                self.has("/pages/path") && !matches!(file.pages, crate::model::connector::Pages::Keyset { .. }),
            ),
        ];
        for (pointer, is_stated) in in_envelope {
            if is_stated {
                self.add(pointer, "lines have no envelope around them: use a header, or an `end` that needs no path");
            }
        }
    }
}

/// Whether a text can be the name of an element, with a prefix or without.
fn is_element_name(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|one| one.is_alphanumeric() || matches!(one, '_' | '-'));
    name.splitn(2, ':').all(is_part)
}

#[cfg(test)]
mod tests {
    use crate::config::test_connectors::{HTTP, LISTS, mistaken_keys};

    fn names(addition: &str) -> Vec<String> {
        mistaken_keys(&format!("{LISTS}{HTTP}{addition}"))
    }

    #[test]
    fn paths_are_read_when_they_are_declared() {
        let field = |path: &str, layout: &str| {
            names(&format!(
                "[map.dossier_code]\nfrom = '{path}'\ntype = 'dossier_code'\n[decode]\ntype = 'json'\nlayout = '{layout}'"
            ))
        };
        for path in ["a.b", "a[0].b", "a[k=v].b", "\"a.b\".c", "a.\"b[\""] {
            assert_eq!(field(path, "list"), [""; 0], "{path}");
        }
        for path in ["a[", "a..b", "", "\"a", "a[0]b", "\"a\"b", "#key"] {
            assert_eq!(field(path, "list"), ["map.dossier_code.from"], "{path}");
        }
        assert_eq!(field("#key", "map"), [""; 0]);
    }

    #[test]
    fn prefixes_of_paths_are_those_of_the_table() {
        let of = |records: &str, field: &str, table: &str| {
            let map = format!("[map.dossier_code]\nfrom = '{field}'\ntype = 'dossier_code'\n");
            names(&format!("{map}[decode]\ntype = 'xml'\nrecords = '{records}'\n[decode.namespaces]\n{table}\n"))
        };
        assert_eq!(of("s:Envelope.List", "h:Ma", "s = 'urn:s'\nh = 'urn:h'"), [""; 0]);
        assert_eq!(of("List", "@h:ma", "h = 'urn:h'"), [""; 0]);
        assert_eq!(of("s:Envelope", "Ma", ""), ["decode.records"]);
        assert_eq!(of("List", "a[@h:k=urn:x].b", ""), ["map.dossier_code.from"]);
        assert_eq!(of("List", "Ma", "h = ''"), ["decode.namespaces.h"]);
        assert_eq!(of("List", "Ma", "a = 'urn:h'\nb = 'urn:h'"), ["decode.namespaces.b"]);
    }

    #[test]
    fn a_layout_has_the_keys_that_it_needs() {
        for (addition, wrong) in [
            ("[decode]\ntype = 'json'\nlayout = 'lines'", &[][..]),
            ("[decode]\ntype = 'json'\nlayout = 'lines'\nrecords = 'items'", &["decode.records"]),
            ("[decode]\ntype = 'json'\nlayout = 'lines'\n[complete]\ntotal = 'n'", &["complete.total"]),
            (
                "[pages]\ntype = 'cursor'\nparam = 'c'\npath = 'next'\n[decode]\ntype = 'json'\nlayout = 'lines'",
                &["pages.path"],
            ),
            (
                "[pages]\ntype = 'cursor'\nparam = 'c'\nheader = 'x-next'\n[decode]\ntype = 'json'\nlayout = 'lines'",
                &[],
            ),
            ("[decode]\ntype = 'json'\nrecords = 'd'\nlayout = 'rows'\ncolumns = 'c[].name'", &[]),
            ("[decode]\ntype = 'json'\nrecords = 'd'\nlayout = 'rows'\ncolumns = 'c[]'", &["decode.columns"]),
            ("[decode]\ntype = 'json'\nlayout = 'rows'\ncolumns = 'c'", &["decode.records"]),
            ("[decode]\ntype = 'json'\nrecords = 'd'\ncolumns = 'c'", &["decode.columns"]),
            ("[decode]\ntype = 'json'\nlayout = 'heap'", &["decode.layout"]),
        ] {
            assert_eq!(names(addition), wrong, "{addition}");
        }
    }
}

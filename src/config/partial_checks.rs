//! Checks of partial records (`identity.record = "partial"`, `[partial]`) and of columns with a condition (`when`).

use std::collections::BTreeMap;

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, Condition, ConnectorFile, Content, Decode, FieldMap, Pages, PartialRows};
use crate::model::table::{CHANGE_TIME, ColumnType};

impl ConnectorCheck<'_> {
    /// Tables that contradict `record = "partial"`.
    pub(super) fn partial_records(&mut self, file: &ConnectorFile) {
        if file.has_partial_records() && file.sweep.is_some() {
            self.add(
                "/sweep",
                "not possible with partial records: that a record has no new event does not show that it was deleted",
            );
        }
        if !file.has_only_partial_records() {
            return;
        }
        if matches!(file.access, Access::Files { .. }) {
            self.add(
                "/identity/record",
                "`partial` is possible for HTTP sources only: of files, the newest one with a record has the whole record. If some \
                 rows of the files state parts, declare them in `[partial]`",
            );
        }
        if file.map.get(CHANGE_TIME).is_some_and(|map| !map.required) {
            self.add(
                &format!("/map/{CHANGE_TIME}"),
                "must be `required` with `record = \"partial\"`: a row without its time could be older than the stored values",
            );
        }
    }

    /// `[partial]`: rows that state parts of their records beside whole ones.
    pub(super) fn partial_rows(&mut self, file: &ConnectorFile) {
        let Some(partial) = &file.partial else { return };
        if file.has_only_partial_records() {
            self.add("/partial", "has no effect: with `identity.record = \"partial\"` every row states a part");
        }
        if !matches!(file.decode, Decode::Json { .. } | Decode::Xml { .. }) {
            self.add("/partial", "only possible with `decode.type = \"json\"` or `\"xml\"`");
        }
        for (table, is_there) in [
            ("`[detail]`", file.detail.is_some()),
            ("`decode.explode`", file.decode.explode().is_some()),
            ("`type = \"keyset\"` in `[pages]`", matches!(file.pages, Pages::Keyset { .. })),
        ] {
            if is_there {
                self.add("/partial", format!("not possible with {table}"));
            }
        }
        match &file.access {
            Access::Files { content, .. } if *content != Content::Append => {
                let message = "must be `append` with `[partial]`: a part stays true when its file is gone or replaced";
                self.add("/access/content", message);
            }
            Access::Http { .. } if file.map.get(CHANGE_TIME).is_none_or(|map| !map.required) => {
                let message =
                    "must be mapped and `required` with `[partial]`: it shows which parts are newer than a whole row";
                self.add(&format!("/map/{CHANGE_TIME}"), message);
            }
            Access::Files { .. } | Access::Http { .. } => {}
        }
        let reads =
            |map: &BTreeMap<String, FieldMap>| map.values().any(|map| map.from.names().contains(&partial.field));
        if !reads(&partial.map) {
            let message = format!("`{}` must be a field that a column of `[partial.map]` reads", partial.field);
            self.add("/partial/field", message);
        } else if reads(&file.map) {
            let message =
                format!("`{}` must be a field that no column of `[map]` reads: whole rows lack it", partial.field);
            self.add("/partial/field", message);
        }
        self.partial_map(file, partial);
    }

    /// `[partial.map]` beside `[map]`.
    fn partial_map(&mut self, file: &ConnectorFile, partial: &PartialRows) {
        for column in &file.identity.key {
            let same = |map: &FieldMap| (map.required, map.field_type, map.pattern.clone());
            let in_map = file.map.get(column).map(same);
            if in_map.is_some() && partial.map.get(column).map(same) != in_map {
                let message = format!(
                    "`{column}` is in the key: it needs the same `type`, `required` and `pattern` as in `[map]`, so that a part finds its record"
                );
                self.add(&format!("/partial/map/{column}"), message);
            }
        }
        if partial.map.get(CHANGE_TIME).is_none_or(|map| !map.required) {
            let message = "must be mapped and `required`: it is the moment of the part";
            self.add(&format!("/partial/map/{CHANGE_TIME}"), message);
        }
        if !file.map.iter().any(|(column, map)| map.required && !partial.map.contains_key(column)) {
            let message = "one column of `[map]` that `[partial.map]` lacks must be `required`: a part whose field is empty would \
                           count as a whole row";
            self.add("/map", message);
        }
    }

    /// `when` of columns.
    pub(super) fn conditions(&mut self, file: &ConnectorFile) {
        for (place, columns) in file.maps() {
            for (name, map) in columns {
                if let Some(condition) = &map.when {
                    self.condition(file, (place, columns), (name, map), condition);
                }
            }
        }
    }

    fn condition(
        &mut self,
        file: &ConnectorFile,
        (place, columns): (&str, &BTreeMap<String, FieldMap>),
        (name, map): (&String, &FieldMap),
        condition: &Condition,
    ) {
        let pointer = format!("{place}/{name}/when");
        let Condition { column, is } = condition;
        if map.required || file.identity.key.contains(name) {
            self.add(&pointer, "not possible for a column that every record must have: it is empty in some records");
        }
        if is.is_empty() {
            self.add(&format!("{pointer}/is"), "must name at least one word");
        }
        let kind = file.connector.kind;
        let compared = kind.column_index(column).map(|index| &kind.columns()[index]);
        let Some(compared) = compared.filter(|_| column != name && columns.contains_key(column)) else {
            self.add(&format!("{pointer}/column"), format!("`{column}` is not another mapped column"));
            return;
        };
        let words: &[&str] = match compared.column_type {
            ColumnType::Flag => &["true", "false"],
            _ => compared.words,
        };
        if words.is_empty() {
            self.add(&format!("{pointer}/column"), format!("`{column}` is neither one of words nor a flag"));
        } else if let Some(unknown) = is.iter().find(|word| !words.contains(&word.as_str())) {
            let known = words.join(", ");
            self.add(
                &format!("{pointer}/is"),
                format!("`{unknown}` is not a value of `{column}`; its values are {known}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::test_connectors::{HTTP, LISTS, mistaken_keys};

    const JSON: &str = "[decode]\ntype = 'json'\nrecords = ''\n";
    /// Whole rows with a required column, and parts.
    const FILES: &str = r#"
[access]
type = "files"
folder = "in"
glob = "*.json"
content = "append"
[map.competent_agency]
from = "agency"
type = "agency"
required = true
"#;
    const PARTS: &str = r#"
[partial]
field = "at"
[partial.map.source_key]
from = "id"
type = "code"
required = true
[partial.map.source_updated_at]
from = "at"
type = "instant"
formats = ["yyyy-MM-dd"]
required = true
"#;

    #[test]
    fn parts_beside_whole_rows_need_what_tells_them_apart_and_orders_them() {
        let of_files = |edits: &[(&str, &str)]| {
            let text = format!("{LISTS}{JSON}{FILES}{PARTS}");
            let text = edits.iter().fold(text, |text, (old, new)| {
                assert!(text.contains(old), "{old}");
                text.replace(old, new)
            });
            mistaken_keys(&text)
        };
        assert_eq!(of_files(&[]), [""; 0]);
        for (edits, expected) in [
            (&[("content = \"append\"", "content = \"lists\"")][..], "access.content"),
            (&[("field = \"at\"", "field = \"moment\"")], "partial.field"),
            (&[("from = \"agency\"", "from = \"at\"")], "partial.field"),
            (
                &[("[partial.map.source_key]\nfrom = \"id\"\ntype = \"code\"\nrequired = true\n", "")],
                "partial.map.source_key",
            ),
            (
                &[(
                    "[partial.map.source_key]\nfrom = \"id\"\ntype = \"code\"\nrequired = true",
                    "[partial.map.source_key]\nfrom = \"id\"\ntype = \"code\"",
                )],
                "partial.map.source_key",
            ),
            (
                &[("formats = [\"yyyy-MM-dd\"]\nrequired = true", "formats = [\"yyyy-MM-dd\"]")],
                "partial.map.source_updated_at",
            ),
            (&[("type = \"agency\"\nrequired = true", "type = \"agency\"")], "map"),
            (&[("[partial]", "[identity]\nrecord = \"partial\"\n[partial]")], "partial"),
            (&[("type = 'json'", "type = 'json'\nexplode = { path = 'values[]' }")], "partial"),
            (
                &[(
                    "formats = [\"yyyy-MM-dd\"]",
                    "formats = [\"yyyy-MM-dd\"]\nwhen = { column = \"status\", is = [\"completed\"] }",
                )],
                "partial.map.source_updated_at.when",
            ),
        ] {
            assert!(of_files(edits).contains(&expected.to_owned()), "{edits:?}: {:?}", of_files(edits));
        }
        let time = "[map.source_updated_at]\nfrom = 't'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n";
        let agency = "[map.competent_agency]\nfrom = 'agency'\ntype = 'agency'\nrequired = true\n";
        for (more, expected) in [
            (format!("{time}required = true\n"), &[][..]),
            (time.to_owned(), &["map.source_updated_at"]),
            (String::new(), &["map.source_updated_at"]),
        ] {
            assert_eq!(mistaken_keys(&format!("{LISTS}{JSON}{HTTP}{agency}{PARTS}{more}")), expected, "{more}");
        }
    }

    const PARTIAL: &str = "[identity]\nrecord = 'partial'\n";
    const STATUS: &str = "[map.status]\nfrom = 's'\ntype = 'word'\ncodes = { '9' = 'completed' }\n";

    #[test]
    fn what_contradicts_partial_records_is_refused() {
        let files = "[access]\ntype = 'files'\nfolder = 'in'\nglob = '*.json'\ncontent = 'append'\n";
        let time = "[map.source_updated_at]\nfrom = 't'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n";
        let sweep = "[map.received_at]\nfrom = 'r'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n\
             [[window.passes]]\nname = 'all'\nsince_param = 'a'\nuntil_param = 'b'\nformat = 'yyyyMMdd'\nstart = 'cursor'\nfirst_date = '2026-01-01'\n\
             [sweep]\nevery_days = 7\npass = 'all'\ncolumn = 'received_at'\n";
        for (parts, expected) in [
            (vec![HTTP, PARTIAL], &[][..]),
            (vec![HTTP, PARTIAL, time, "required = true\n"], &[]),
            (vec![HTTP, time], &[]),
            (vec![HTTP, PARTIAL, time], &["map.source_updated_at"]),
            (vec![files, PARTIAL], &["identity.record"]),
        ] {
            let text = format!("{LISTS}{JSON}{}", parts.concat());
            assert_eq!(mistaken_keys(&text), expected, "{text}");
        }
        let text = format!("{LISTS}{JSON}{HTTP}{PARTIAL}{sweep}");
        assert!(mistaken_keys(&text).contains(&"sweep".to_owned()), "{:?}", mistaken_keys(&text));
    }

    #[test]
    fn a_condition_names_words_of_another_mapped_column() {
        let completed = |more: &str| {
            format!(
                "{LISTS}{JSON}{HTTP}{STATUS}[map.completed_at]\nfrom = 't'\ntype = 'instant'\nformats = ['yyyy-MM-dd']\n{more}"
            )
        };
        for (more, expected) in [
            ("when = { column = 'status', is = ['completed', 'returned'] }", &[][..]),
            ("when = { column = 'status', is = [] }", &["map.completed_at.when.is"]),
            ("when = { column = 'status', is = ['finished'] }", &["map.completed_at.when.is"]),
            ("when = { column = 'deleted', is = ['true'] }", &["map.completed_at.when.column"]),
            ("when = { column = 'completed_at', is = ['true'] }", &["map.completed_at.when.column"]),
            ("when = { column = 'source_key', is = ['A'] }", &["map.completed_at.when.column"]),
            ("required = true\nwhen = { column = 'status', is = ['completed'] }", &["map.completed_at.when"]),
        ] {
            assert_eq!(mistaken_keys(&completed(more)), expected, "{more}");
        }
    }
}

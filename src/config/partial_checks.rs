//! Checks of partial records (`identity.record = "partial"`) and of columns with a condition (`when`).

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, Condition, ConnectorFile, FieldMap};
use crate::model::table::{CHANGE_TIME, ColumnType};

impl ConnectorCheck<'_> {
    /// Tables that contradict `record = "partial"`.
    pub(super) fn partial_records(&mut self, file: &ConnectorFile) {
        if !file.has_partial_records() {
            return;
        }
        if matches!(file.access, Access::Files { .. }) {
            self.add(
                "/identity/record",
                "`partial` is possible for HTTP sources only: of files, the newest one with a record has the whole record",
            );
        }
        if file.sweep.is_some() {
            self.add(
                "/sweep",
                "not possible with `record = \"partial\"`: that a record has no new event does not show that it was deleted",
            );
        }
        if file.map.get(CHANGE_TIME).is_some_and(|map| !map.required) {
            self.add(
                &format!("/map/{CHANGE_TIME}"),
                "must be `required` with `record = \"partial\"`: a row without its time could be older than the stored values",
            );
        }
    }

    /// `when` of columns.
    pub(super) fn conditions(&mut self, file: &ConnectorFile) {
        for (name, map) in &file.map {
            if let Some(condition) = &map.when {
                self.condition(file, (name, map), condition);
            }
        }
    }

    fn condition(&mut self, file: &ConnectorFile, (name, map): (&String, &FieldMap), condition: &Condition) {
        let pointer = format!("/map/{name}/when");
        let Condition { column, is } = condition;
        if map.required || file.identity.key.contains(name) {
            self.add(&pointer, "not possible for a column that every record must have: it is empty in some records");
        }
        if is.is_empty() {
            self.add(&format!("{pointer}/is"), "must name at least one word");
        }
        let kind = file.connector.kind;
        let compared = kind.column_index(column).map(|index| &kind.columns()[index]);
        let Some(compared) = compared.filter(|_| column != name && file.map.contains_key(column)) else {
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

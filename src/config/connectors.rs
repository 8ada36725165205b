//! Reads `connector.toml` files and checks what their schema does not cover.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use crate::config::connector_digest::{file_digest, reading_digest};
use crate::config::document::Document;
use crate::config::problem::Problems;
use crate::fields::{DateFormat, FieldReader, TitleDate};
use crate::model::connector::{
    Access, Breach, ColumnPlace, Connector, ConnectorFile, Decode, FieldMap, FieldType, FileOrder, SourceField, Start,
};
use crate::model::period::YEARS;
use crate::model::table::{CHANGE_TIME, Column, ColumnType};

/// Upper limit of `access.settle_secs`.
const MAX_SETTLE_SECS: u64 = 600;
/// Upper limit of days in `[[window.passes]]`. Far more would be more microseconds than a number holds.
const MAX_DAYS: u32 = 1_000_000;

pub(crate) fn parse(name: &str, file: &Path, text: &str, problems: &mut Problems) -> Option<Connector> {
    let document = Document::parse(file, text, problems)?;
    let read: ConnectorFile = document.read(file, problems)?;
    let is_valid = !problems.has_any(file);
    let mut check = ConnectorCheck { file, document: &document, problems };
    check.name(name);
    check.map(&read);
    check.window(&read);
    check.schedule(&read);
    check.contract(&read);
    // These checks compare several tables, so all of them must be valid.
    if is_valid {
        check.identity(&read);
        check.partial_records(&read);
        check.partial_rows(&read);
        check.conditions(&read);
        check.access(&read);
        check.server(&read);
        check.web(&read);
        check.detail(&read);
        check.templates(&read);
        check.values(&read);
        check.effects(&read);
    }
    let (digest, file_digest) = (reading_digest(&read), file_digest(&read));
    Some(Connector { name: name.to_owned(), file: read, digest, file_digest, procedure_names: Arc::default() })
}

pub(super) struct ConnectorCheck<'a> {
    file: &'a Path,
    document: &'a Document,
    problems: &'a mut Problems,
}

impl ConnectorCheck<'_> {
    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        let name = pointer.trim_start_matches('/').replace('/', ".");
        self.problems.add(self.file, self.document.line(pointer), name, message);
    }

    /// Whether the file has a key.
    pub(super) fn has(&self, pointer: &str) -> bool {
        self.document.has(pointer)
    }

    /// Names are used in paths, transaction identifiers and log fields.
    fn name(&mut self, name: &str) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            self.add("", format!("the folder's name `{name}` must be lowercase letters, digits and `-`"));
        }
    }

    fn map(&mut self, file: &ConnectorFile) {
        let kind = file.connector.kind;
        for (place, name, map) in columns_of(file) {
            let pointer = format!("{place}/{name}");
            let Some(index) = kind.column_index(name) else {
                let known: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
                self.add(
                    &pointer,
                    format!("{} have no such column; their columns are {}", kind.image_name(), known.join(", ")),
                );
                continue;
            };
            let column = &kind.columns()[index];
            if column_type_of(map.field_type) != column.column_type {
                self.add(
                    &format!("{pointer}/type"),
                    format!("does not fit the column, which is {:?}", column.column_type),
                );
            }
            self.sources(file, map, &pointer);
            let default = map.default.iter().filter(|word| !word.is_empty());
            self.words(column, &pointer, map.codes.values().chain(default).chain(&map.value));
            if let Err((key, message)) = FieldReader::compile(name, map, file.decode.null_values()) {
                self.add(&format!("{pointer}/{key}"), message);
            }
        }
    }

    fn sources(&mut self, file: &ConnectorFile, map: &FieldMap, pointer: &str) {
        let from = format!("{pointer}/from");
        // A `from` that is no field was reported and left out.
        let is_absent = !self.has(&from) || self.document.has_empty_list(&from);
        if map.value.is_none() && is_absent {
            self.add(&from, "must name at least one source field, or `value` the value of every record");
        }
        if map.ill_typed == Some(Breach::Stop) {
            let advice = "`stop` is not possible for one field: use `accept`, `report` or `reject_row`";
            self.add(&format!("{pointer}/ill_typed"), advice);
        }
        for (key, source) in
            map.from.as_slice().iter().map(|source| ("from", source)).chain(map.time.iter().map(|time| ("time", time)))
        {
            let pointer = format!("{pointer}/{key}");
            match source {
                SourceField::Repeated(repeated) if repeated.nth == 0 => self.add(&pointer, "`nth` counts from 1"),
                SourceField::Placed(placed) if !(1..=ColumnPlace::LAST).contains(&placed.position) => {
                    self.add(&pointer, format!("`position` counts from 1 to {}", ColumnPlace::LAST));
                }
                SourceField::Name(_) => continue,
                _ => {}
            }
            if matches!(file.decode, Decode::Json { .. } | Decode::Xml { .. }) {
                let message = "`nth` and `position` are for columns of tables; records of JSON and XML have paths";
                self.add(&pointer, message);
            }
        }
    }

    fn words<'w>(&mut self, column: &Column, pointer: &str, words: impl Iterator<Item = &'w String>) {
        for word in words {
            if !column.words.is_empty() && !column.words.contains(&word.as_str()) {
                let expected = column.words.join(", ");
                self.add(
                    &format!("{pointer}/codes"),
                    format!("`{word}` is not a value of the column; its values are {expected}"),
                );
            }
        }
    }

    fn identity(&mut self, file: &ConnectorFile) {
        for column in &file.identity.key {
            match file.map.get(column) {
                None => self.add("/identity/key", format!("`{column}` is not mapped")),
                Some(map) if map.value.is_some() => {
                    self.add(
                        "/identity/key",
                        format!("`{column}` has one `value` for every record, and a key distinguishes records"),
                    );
                }
                Some(map) if !map.required && !file.identity.may_be_empty.contains(column) => {
                    self.add(
                        "/identity/key",
                        format!("`{column}` must be `required`, or listed in `identity.may_be_empty`"),
                    );
                }
                Some(_) => {}
            }
        }
        for column in &file.identity.may_be_empty {
            if !file.identity.key.contains(column) {
                self.add("/identity/may_be_empty", format!("`{column}` is not in `identity.key`"));
            } else if file.map.get(column).is_some_and(|map| map.required) {
                self.add("/identity/may_be_empty", format!("`{column}` is `required`, so it is never empty"));
            }
        }
        if !file.identity.key.is_empty()
            && file.identity.key.iter().all(|column| file.identity.may_be_empty.contains(column))
        {
            self.add("/identity/may_be_empty", "at least one column of `identity.key` must never be empty");
        }
        if file.identity.key.is_empty() {
            self.add("/identity/key", "must name at least one column");
        }
        if let Some(column) = &file.identity.ordered_by {
            if column != CHANGE_TIME {
                self.add(
                    "/identity/ordered_by",
                    format!(
                        "versions are ordered by `{CHANGE_TIME}` only: map the source's change time to it, or leave `ordered_by` out"
                    ),
                );
            } else if !file.map.contains_key(CHANGE_TIME) {
                self.add("/identity/ordered_by", format!("`{CHANGE_TIME}` is not mapped"));
            }
        }
    }

    fn window(&mut self, file: &ConnectorFile) {
        for (index, pass) in file.window.passes.iter().enumerate() {
            let pointer = format!("/window/passes/{index}");
            if let Err(message) = DateFormat::compile(&pass.format) {
                self.add(&format!("{pointer}/format"), message);
            }
            let first_date = match jiff::civil::Date::from_str(&pass.first_date) {
                Err(_) => Some("is not a date (yyyy-MM-dd)".to_owned()),
                Ok(day) if !YEARS.contains(&day.year()) => {
                    Some(format!("lies outside the years {} to {}", YEARS.start(), YEARS.end()))
                }
                Ok(_) => None,
            };
            if let Some(what) = first_date {
                self.add(&format!("{pointer}/first_date"), format!("`{}` {what}", pass.first_date));
            }
            if !(1..=MAX_DAYS).contains(&pass.slice_days) {
                self.add(&format!("{pointer}/slice_days"), format!("must be from 1 to {MAX_DAYS}"));
            }
            if pass.overlap_days > MAX_DAYS {
                self.add(&format!("{pointer}/overlap_days"), format!("must be at most {MAX_DAYS}"));
            }
            let kind = file.connector.kind;
            let open = pass.open_column.as_ref().and_then(|name| kind.column_index(name));
            let open = open.filter(|&index| kind.columns()[index].column_type == ColumnType::Instant);
            if pass.start == Start::OldestOpen && open.is_none() {
                self.add(&format!("{pointer}/open_column"), "`start = \"oldest_open\"` needs a column of type instant");
            }
        }
    }

    fn access(&mut self, file: &ConnectorFile) {
        match (&file.access, &file.request) {
            (Access::Http { .. }, None) => self.add("/request", "required for an HTTP connector"),
            (Access::Files { .. }, Some(_)) => self.add("/request", "not allowed for a connector of files"),
            _ => {}
        }
        if let Access::Files { glob, .. } = &file.access
            && let Err(error) = globset::Glob::new(glob)
        {
            self.add("/access/glob", error.to_string());
        }
        if let Access::Files { settle_secs, .. } = &file.access
            && *settle_secs > MAX_SETTLE_SECS
        {
            self.add("/access/settle_secs", format!("must be at most {MAX_SETTLE_SECS}: every pull waits this long"));
        }
        if let Access::Files { order: FileOrder::Name(pattern), .. } = &file.access
            && let Err(message) = DateFormat::compile_month(pattern)
        {
            self.add("/access/order/name", message);
        }
        if let Access::Files { order: FileOrder::Title(pattern), .. } = &file.access {
            if let Err(message) = TitleDate::compile(pattern) {
                self.add("/access/order/title", message);
            }
            if matches!(file.decode, Decode::Json { .. } | Decode::Xml { .. }) {
                self.add(
                    "/access/order/title",
                    "only tables have title rows: use `name`, or a table (`decode.type` `csv`, `xlsx` or `spreadsheet`)",
                );
            }
        }
        self.decode(file);
        self.paths(file);
    }

    fn contract(&mut self, file: &ConnectorFile) {
        let contract = &file.contract;
        for (key, breach) in [
            ("unknown", contract.unknown),
            ("missing", contract.missing),
            ("key_in_other_case", contract.key_in_other_case),
        ] {
            if breach == Breach::RejectRow {
                self.add(
                    &format!("/contract/{key}"),
                    "`reject_row` is not possible here: use `accept`, `report` or `stop`",
                );
            }
        }
        if !matches!(contract.shared_code, Breach::Accept | Breach::Report) {
            self.add("/contract/shared_code", "codes are compared once the rows are stored: use `accept` or `report`");
        }
        if !(0.0..=1.0).contains(&file.contract.reject_share) {
            self.add("/contract/reject_share", "must be a share from 0 to 1");
        }
        let Some(sweep) = &file.sweep else { return };
        if !file.window.passes.iter().any(|pass| pass.name == sweep.pass) {
            self.add("/sweep/pass", format!("the connector has no pass `{}`", sweep.pass));
        }
        if file.map.get(&sweep.column).is_none_or(|map| map.field_type != FieldType::Instant) {
            self.add("/sweep/column", format!("`{}` is not mapped as an instant", sweep.column));
        }
    }

    fn schedule(&mut self, file: &ConnectorFile) {
        let schedule = &file.schedule;
        match crate::calendar::Slots::new(&schedule.cron, &schedule.zone) {
            Ok(slots) if slots.next_after(REFERENCE_MICROS).is_none() => {
                self.add("/schedule/cron", format!("`{}` matches no future date", schedule.cron));
            }
            Ok(_) => {}
            Err(message) => self.add("/schedule/cron", message),
        }
    }
}

/// 2026-01-01 00:00 UTC. A cron line without a slot after this day never runs.
const REFERENCE_MICROS: i64 = 1_767_225_600_000_000;

/// Every mapped column with its map, and the place of the table that has it: `/map` or `/partial/map`.
pub(super) fn columns_of(file: &ConnectorFile) -> impl Iterator<Item = (&'static str, &String, &FieldMap)> {
    file.maps().flat_map(|(place, map)| map.iter().map(move |(name, map)| (place, name, map)))
}

fn column_type_of(field_type: FieldType) -> ColumnType {
    match field_type {
        FieldType::Instant => ColumnType::Instant,
        FieldType::Flag => ColumnType::Flag,
        FieldType::Integer => ColumnType::Integer,
        _ => ColumnType::Text,
    }
}

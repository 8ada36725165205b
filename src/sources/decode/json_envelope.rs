//! Walks a JSON response from its envelope to the records, in one pass, without building a `serde_json::Value`.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::fields::explode_path::OWN_KEY;
use crate::model::connector::RecordLayout;
use crate::model::page::{Page, Reason};
use crate::sources::decode::envelope::{ENVELOPE_FIELDS, EnvelopeField, EnvelopeTexts, below};
use crate::sources::embedded::json_of;
use crate::sources::record_reader::RecordReader;

/// What stands in the place of the list of records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum ListSeen {
    /// Nothing, or something else.
    #[default]
    Absent,
    Null,
    /// A list, or an object that is the only record.
    Found,
}

/// What was read of the envelope.
#[derive(Debug, Default)]
pub(super) struct EnvelopeContents {
    pub(super) list: ListSeen,
    /// Whether the list has more than the maximum number of records.
    pub(super) too_many: bool,
    /// Whether the next cursor or address is there, and is null, empty or `false`.
    pub(super) no_next: bool,
    /// Whether the place of the next cursor or address has an object, a list or `true`.
    pub(super) other_next: bool,
    pub(super) texts: EnvelopeTexts,
}

/// Takes the records of the list.
pub(super) struct RecordSink<'a> {
    pub(super) reader: &'a RecordReader,
    /// Whether each record is parsed separately, so that an invalid one spoils only its own row.
    pub(super) one_by_one: bool,
    pub(super) row: u32,
    pub(super) max_records: u32,
    pub(super) page: &'a mut Page,
}

/// One walk over a response.
pub(super) struct EnvelopeWalk<'a> {
    pub(super) contents: &'a mut EnvelopeContents,
    pub(super) sink: RecordSink<'a>,
    /// Whether the response itself is the list. An object is then an envelope, not a record.
    pub(super) is_root_list: bool,
    /// Whether there is one record: an object in the place of the list, whatever it has beside.
    pub(super) is_single: bool,
    pub(super) records: RecordLayout,
}

/// A value of the envelope. For each path, `paths` has the part below this value: `Some("")` if the path ends here,
/// `None` if it does not lead here.
pub(super) struct EnvelopeNode<'a, 'w> {
    pub(super) walk: &'a mut EnvelopeWalk<'w>,
    pub(super) paths: [Option<&'a str>; ENVELOPE_FIELDS],
}

impl EnvelopeNode<'_, '_> {
    fn is_at(&self, fact: EnvelopeField) -> bool {
        self.paths[fact as usize] == Some("")
    }

    /// Whether an object at this place is a record: it stands where the list of records should, and is no envelope of
    /// anything else.
    fn is_only_record(&self) -> bool {
        self.is_at(EnvelopeField::Records) && !self.walk.is_root_list && !self.has_values_below()
    }

    fn has_values_below(&self) -> bool {
        self.paths.iter().flatten().any(|path| !path.is_empty())
    }

    /// Reads an object whose values are the records. A key below which the envelope has another value is none.
    fn read_map<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.walk.contents.list = ListSeen::Found;
        let key_field = self.walk.sink.page.fields.iter().position(|field| field == OWN_KEY);
        while let Some(key) = map.next_key::<String>()? {
            let paths = self.paths.map(|path| below(path, &key));
            if paths.iter().any(Option::is_some) {
                map.next_value_seed(EnvelopeNode { walk: &mut *self.walk, paths })?;
                continue;
            }
            let EnvelopeWalk { contents, sink, .. } = &mut *self.walk;
            map.next_value_seed(RecordSeed { sink, too_many: &mut contents.too_many, key: Some(&key) })?;
            if sink.reader.explodes() {
                continue;
            }
            let row = sink.page.len() - 1;
            let is_empty = (0..sink.page.fields.len()).all(|field| sink.page.cell(row, field).is_none());
            if is_empty && sink.page.row(row).1.is_none() && sink.page.fields.len() > usize::from(key_field.is_some()) {
                // As of a list: an object without a kept field, such as a message of failure, is no record.
                sink.page.mark_unreadable(Reason::Malformed);
            } else if let Some(field) = key_field {
                sink.page.note_field(field);
                sink.page.set(field, &key);
            }
        }
        Ok(())
    }

    /// Reads the only record of a list that is the record itself. An object without a kept field, such as a message of
    /// failure, is no record.
    fn read_only_record<'de, A: MapAccess<'de>>(self, record: A) -> Result<(), A::Error> {
        let EnvelopeWalk { contents, sink, .. } = self.walk;
        sink.row += 1;
        let record = MapAccessDeserializer::new(record);
        sink.reader.read(sink.page, sink.row, (record, None), sink.max_records as usize)?;
        let row = sink.page.len() - 1;
        if (0..sink.page.fields.len()).any(|field| sink.page.cell(row, field).is_some()) {
            contents.list = ListSeen::Found;
        }
        Ok(())
    }

    /// Whether the only record has to be read from its text: it gives several rows.
    fn is_read_from_text(&self) -> bool {
        let is_list = self.walk.records == RecordLayout::List && self.is_at(EnvelopeField::Records);
        is_list && (self.walk.is_single || self.walk.sink.reader.explodes())
    }

    /// Reads the value in the place of the records from its text.
    fn read_text(self, raw: &str) -> Result<(), serde_json::Error> {
        let mut value = serde_json::Deserializer::from_str(raw);
        if !raw.starts_with('{') || !(self.walk.is_single || self.is_only_record()) {
            return value.deserialize_any(self);
        }
        if self.has_values_below() {
            let mut paths = self.paths;
            paths[EnvelopeField::Records as usize] = None;
            serde_json::Deserializer::from_str(raw).deserialize_any(EnvelopeNode { walk: &mut *self.walk, paths })?;
        }
        let EnvelopeWalk { contents, sink, .. } = self.walk;
        let first = sink.page.len();
        RecordSeed { sink, too_many: &mut contents.too_many, key: None }.deserialize(&mut value)?;
        // An object without a list, such as a message of failure, is no record.
        let mut rows = first..sink.page.len();
        let is_found = if sink.reader.explodes() {
            rows.is_empty() || rows.any(|row| sink.page.row(row).1.is_none())
        } else {
            sink.page.fields_seen().next().is_some()
        };
        if is_found {
            contents.list = ListSeen::Found;
        }
        Ok(())
    }

    /// Stores the text of this value for the paths that end here.
    fn keep(&mut self, text: &str) {
        for (path, kept) in self.paths.iter().zip(&mut self.walk.contents.texts) {
            if *path == Some("") {
                *kept = Some(text.to_owned());
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for EnvelopeNode<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, value: D) -> Result<(), D::Error> {
        if self.paths.iter().all(Option::is_none) {
            return IgnoredAny::deserialize(value).map(|_| ());
        }
        if self.is_read_from_text() {
            let raw = <&RawValue>::deserialize(value)?.get();
            return self.read_text(raw).map_err(D::Error::custom);
        }
        // Rows need the names of the columns, which may stand behind them.
        let is_of_rows = self.is_at(EnvelopeField::Columns) || self.is_at(EnvelopeField::Records);
        if self.walk.records == RecordLayout::Rows && is_of_rows && !self.has_values_below() {
            let has_come =
                |field: EnvelopeField| self.is_at(field) && self.walk.contents.texts[field as usize].is_some();
            if has_come(EnvelopeField::Columns) || has_come(EnvelopeField::Records) {
                return Err(D::Error::custom("rows or columns come twice"));
            }
            self.keep(<&RawValue>::deserialize(value)?.get());
            return Ok(());
        }
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeNode<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON response")
    }

    fn visit_bool<E>(mut self, flag: bool) -> Result<(), E> {
        if self.is_at(EnvelopeField::Next) {
            // `false` means that there is none.
            self.walk.contents.other_next |= flag;
            self.walk.contents.no_next |= !flag;
        } else {
            self.keep(if flag { "true" } else { "false" });
        }
        Ok(())
    }
    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_f64<E>(mut self, number: f64) -> Result<(), E> {
        self.keep(&number.to_string());
        Ok(())
    }
    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        if (self.has_values_below() || self.is_at(EnvelopeField::Records))
            && let Some(json) = json_of(text)
        {
            let json = json.map_err(E::custom)?;
            let mut inner = serde_json::Deserializer::from_str(&json);
            self.deserialize(&mut inner).map_err(E::custom)?;
            return inner.end().map_err(E::custom);
        }
        // Converters from XML write an empty list as an empty text.
        if self.is_at(EnvelopeField::Records) && text.trim().is_empty() {
            self.walk.contents.list = ListSeen::Null;
        }
        self.walk.contents.no_next |= self.is_at(EnvelopeField::Next) && text.is_empty();
        self.keep(text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.walk.contents.no_next |= self.is_at(EnvelopeField::Next);
        if self.is_at(EnvelopeField::Records) {
            self.walk.contents.list = ListSeen::Null;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.walk.contents.other_next |= self.is_at(EnvelopeField::Next);
        if self.is_at(EnvelopeField::Records) && self.walk.records == RecordLayout::Map {
            return self.read_map(map);
        }
        if self.is_only_record() {
            return self.read_only_record(map);
        }
        while let Some(key) = map.next_key::<String>()? {
            let paths = self.paths.map(|path| below(path, &key));
            map.next_value_seed(EnvelopeNode { walk: &mut *self.walk, paths })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.walk.contents.other_next |= self.is_at(EnvelopeField::Next);
        if !self.is_at(EnvelopeField::Records) {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let EnvelopeWalk { contents, sink, .. } = self.walk;
        contents.list = ListSeen::Found;
        while list.next_element_seed(RecordSeed { sink, too_many: &mut contents.too_many, key: None })?.is_some() {}
        Ok(())
    }
}

/// Reads one record of the list into the sink.
struct RecordSeed<'a, 'w> {
    sink: &'a mut RecordSink<'w>,
    too_many: &'a mut bool,
    /// Key of the record in a map.
    key: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, record: D) -> Result<(), D::Error> {
        let RecordSink { reader, one_by_one, row, max_records, page } = self.sink;
        if row == max_records {
            *self.too_many = true;
            return Err(D::Error::custom("too many records"));
        }
        *row += 1;
        let most = *max_records as usize;
        if !*one_by_one && !reader.explodes() {
            return reader.read(page, *row, (record, None), most);
        }
        let raw = <&RawValue>::deserialize(record)?.get();
        let record = &mut serde_json::Deserializer::from_str(raw);
        if reader.read(page, *row, (record, self.key), most).is_err() {
            if page.len() > most {
                *self.too_many = true;
                return Err(D::Error::custom("too many rows"));
            }
            page.mark_unreadable(Reason::Malformed);
        }
        Ok(())
    }
}

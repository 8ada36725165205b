//! Reads `.xlsb`, the binary workbooks of Excel 2007 and later (MS-XLSB, BIFF12), cell by cell into a plain workbook.
//!
//! Not through calamine: it keeps shared texts and cells without a bound, leaves out cells without a column of their own, and
//! panics where a record is shorter than it should be. Here each part is read while it is decompressed. Decompressed bytes, texts
//! that are kept and what is written are each bounded.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::sources::decode::binary_cells::{
    NumberKind, double, kind_of_format, kind_of_number, long, short, short_number,
};
use crate::sources::decode::inflate::MAX_PARTS;
use crate::sources::decode::plain_workbook::{
    Budget, PlainCell, PlainWorkbook, Span, check_name, check_sheets, damaged,
};
use crate::sources::decode::xlsb_records::{Records, cut, wide_text};
use crate::sources::error::{ErrorKind, SourceError};

/// The part that a binary workbook has, and no other.
pub(super) const WORKBOOK: &str = "xl/workbook.bin";
const RELATIONS: &str = "xl/_rels/workbook.bin.rels";
/// Records of a sheet.
const ROW: u16 = 0;
const END_SHEET: u16 = 0x82;
const MERGED_CELL: u16 = 0xb0;
/// Records of cells: those with their column, those without it (one to the right of the cell before), and texts with fonts.
const CELLS: std::ops::RangeInclusive<u16> = 1..=11;
const NEXT_CELLS: std::ops::RangeInclusive<u16> = 12..=18;
const RICH_TEXT: u16 = 62;

/// The workbook as plain XLSX of at most `limit` bytes.
///
/// # Errors
/// `file_encrypted`, `body_cut_short`, `file_damaged`, `expands_too_far`.
pub(super) fn plain(bytes: Vec<u8>, limit: u64) -> Result<Vec<u8>, SourceError> {
    let mut book = Book::open(bytes, limit)?;
    let relations = book.relations()?;
    let globals = book.globals(&relations)?;
    let mut workbook = PlainWorkbook::new(limit);
    for (number, sheet) in (1..).zip(&globals.sheets) {
        workbook.begin_sheet(&sheet.name, sheet.is_hidden)?;
        let merged = book
            .write_sheet(&globals, sheet.part, &mut workbook)
            .map_err(|error| error.on(format!("sheet {number}")))?;
        workbook.end_sheet(&merged)?;
    }
    workbook.finish(globals.counts_from_1904)
}

/// An archive whose parts are read.
struct Book {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    /// Number of each part, by its name in small letters.
    parts: BTreeMap<String, usize>,
    /// Decompressed bytes that may still be read, of all parts.
    unread: Budget,
    /// Bytes of shared texts and merged cells that may still be kept in memory.
    kept: Budget,
}

/// A part that the workbook names: what it is, and where.
struct Relation {
    /// The last word of its type: `worksheet`, `styles`, `sharedStrings`.
    kind: String,
    part: String,
}

/// What the workbook says about all sheets.
#[derive(Default)]
struct Globals {
    sheets: Vec<Sheet>,
    texts: Vec<String>,
    /// What the numbers of each cell format are.
    formats: Vec<NumberKind>,
    counts_from_1904: bool,
}

struct Sheet {
    name: String,
    is_hidden: bool,
    /// Number of its part in the archive.
    part: usize,
}

impl Book {
    fn open(bytes: Vec<u8>, limit: u64) -> Result<Self, SourceError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| {
            SourceError::new(ErrorKind::BodyCutShort, "the list of parts at the end of the workbook is missing")
        })?;
        if archive.len() > MAX_PARTS {
            return Err(damaged(&format!("the workbook has more than {MAX_PARTS} parts")));
        }
        let names = archive.file_names().enumerate();
        let parts = names.filter_map(|(number, name)| Some((name.ok()?.to_ascii_lowercase(), number))).collect();
        Ok(Self { archive, parts, unread: Budget::new(limit), kept: Budget::new(limit) })
    }

    /// The number of a part in the archive.
    fn part(&self, name: &str) -> Result<usize, SourceError> {
        let number = self.parts.get(&name.to_ascii_lowercase()).copied();
        number.ok_or_else(|| damaged("the workbook lacks a part that it names"))
    }

    /// The records of a part.
    fn records(&mut self, part: usize) -> Result<Records<'_, impl Read + '_>, SourceError> {
        let part = self.archive.by_index(part).map_err(|error| match error {
            ZipError::UnsupportedArchive(why) if why.contains("assword") => {
                SourceError::new(ErrorKind::FileEncrypted, "a part of the workbook is protected by a password")
            }
            _ => damaged("a part of the workbook cannot be read"),
        })?;
        Ok(Records::of(part, &mut self.unread))
    }

    /// The parts that the workbook names, by their ids.
    fn relations(&mut self) -> Result<BTreeMap<String, Relation>, SourceError> {
        let Some(number) = self.parts.get(RELATIONS) else { return Ok(BTreeMap::new()) };
        let mut part = self.archive.by_index(*number).map_err(|_| damaged("the list of sheets cannot be read"))?;
        let mut text = String::new();
        let most = MAX_RELATIONS_BYTES + 1;
        (&mut part).take(most).read_to_string(&mut text).map_err(|_| damaged("the list of sheets cannot be read"))?;
        if text.len() as u64 == most {
            return Err(damaged("the list of sheets is too long"));
        }
        self.unread.charge(text.len())?;
        read_relations(&text).ok_or_else(|| damaged("the list of sheets is not complete XML"))
    }

    fn globals(&mut self, relations: &BTreeMap<String, Relation>) -> Result<Globals, SourceError> {
        let mut globals = Globals::default();
        let workbook = self.part(WORKBOOK)?;
        let mut records = self.records(workbook)?;
        let (mut has_end, mut sheets) = (false, Vec::new());
        // WbProp, BundleSh, EndBook
        while let Some((kind, data)) = records.next(|kind| matches!(kind, 0x99 | 0x9c | 0x84))? {
            match kind {
                0x99 => globals.counts_from_1904 = data.first().is_some_and(|flags| flags & 1 == 1),
                0x9c => {
                    let (id, end) = wide_text(data, 8).ok_or_else(cut)?;
                    let (name, _) = wide_text(data, end).ok_or_else(cut)?;
                    check_name(&name)?;
                    let relation = relations.get(&id).ok_or_else(|| damaged("a sheet of the workbook has no part"))?;
                    // Charts, dialogs and macros have no cells.
                    if relation.kind == "worksheet" {
                        let is_hidden = long(data, 0).ok_or_else(cut)? != 0;
                        sheets.push((name, is_hidden, &relation.part));
                        check_sheets(sheets.len())?;
                    }
                }
                _ => has_end = true,
            }
        }
        drop(records);
        if !has_end {
            return Err(damaged("the workbook is cut: its list of sheets has no end"));
        }
        for (name, is_hidden, part) in sheets {
            globals.sheets.push(Sheet { name, is_hidden, part: self.part(part)? });
        }
        let part = |kind: &str| relations.values().find(|relation| relation.kind == kind).map(|found| &*found.part);
        if let Some(styles) = part("styles") {
            globals.formats = self.formats(self.part(styles)?)?;
        }
        if let Some(texts) = part("sharedStrings") {
            globals.texts = self.texts(self.part(texts)?)?;
        }
        Ok(globals)
    }

    /// What the numbers of each cell format are.
    fn formats(&mut self, part: usize) -> Result<Vec<NumberKind>, SourceError> {
        let mut records = self.records(part)?;
        let (mut written, mut numbers, mut is_of_cells) = (BTreeMap::new(), Vec::new(), false);
        // Fmt, XF, and the beginning and end of the list of those of cells
        while let Some((kind, data)) = records.next(|kind| matches!(kind, 44 | 47 | 0x269 | 0x26a))? {
            match kind {
                44 => {
                    let (text, _) = wide_text(data, 2).ok_or_else(cut)?;
                    written.insert(short(data, 0).ok_or_else(cut)?, kind_of_format(&text));
                }
                47 if is_of_cells => numbers.push(short(data, 2).ok_or_else(cut)?),
                47 => {}
                _ => is_of_cells = kind == 0x269,
            }
        }
        let kind = |number: u16| written.get(&number).copied().unwrap_or_else(|| kind_of_number(number));
        Ok(numbers.into_iter().map(kind).collect())
    }

    /// The texts that cells share. What the part declares is not reserved: the texts end with its bytes.
    fn texts(&mut self, part: usize) -> Result<Vec<String>, SourceError> {
        let mut kept = std::mem::replace(&mut self.kept, Budget::new(0));
        let mut records = self.records(part)?;
        let (mut texts, mut has_end) = (Vec::new(), false);
        // SSTItem, EndSst
        while let Some((kind, data)) = records.next(|kind| matches!(kind, 19 | 0xa0))? {
            // The part is read to its end, where its checksum is compared.
            has_end |= kind == 0xa0;
            if has_end {
                continue;
            }
            let (text, _) = wide_text(data, 1).ok_or_else(cut)?;
            kept.charge(size_of::<String>() + text.len())?;
            texts.push(text);
        }
        drop(records);
        self.kept = kept;
        if has_end { Ok(texts) } else { Err(damaged("the workbook is cut: its shared texts have no end")) }
    }

    /// Writes the cells of a sheet; gives its merged cells.
    fn write_sheet(
        &mut self,
        globals: &Globals,
        part: usize,
        workbook: &mut PlainWorkbook,
    ) -> Result<Vec<Span>, SourceError> {
        let mut kept = std::mem::replace(&mut self.kept, Budget::new(0));
        let mut records = self.records(part)?;
        let is_wanted = |kind: u16| {
            matches!(kind, ROW | END_SHEET | MERGED_CELL | RICH_TEXT)
                || CELLS.contains(&kind)
                || NEXT_CELLS.contains(&kind)
        };
        let (mut merged, mut row, mut next_column, mut has_end) = (Vec::new(), None, 0, false);
        while let Some((kind, data)) = records.next(is_wanted)? {
            // The part is read to its end, where its checksum is compared.
            if has_end {
                continue;
            }
            match kind {
                ROW => (row, next_column) = (Some(long(data, 0).ok_or_else(cut)?), 0),
                END_SHEET => has_end = true,
                MERGED_CELL => {
                    kept.charge(size_of::<Span>())?;
                    let at = |place: usize| long(data, place).ok_or_else(cut);
                    merged.push((at(0)?, at(8)?, at(4)?, at(12)?));
                }
                _ => {
                    let row = row.ok_or_else(|| damaged("a cell of the workbook is in no row"))?;
                    let cell = Cell::of(kind, data, next_column).ok_or_else(cut)?;
                    if let Some(content) = cell.content(globals)? {
                        workbook.cell(row, cell.column, content.as_plain())?;
                    }
                    next_column = cell.column.saturating_add(1);
                }
            }
        }
        drop(records);
        self.kept = kept;
        if has_end { Ok(merged) } else { Err(damaged("the workbook is cut: a sheet has no end")) }
    }
}

/// Longest list of sheets: 10,000 sheets have about two million bytes.
const MAX_RELATIONS_BYTES: u64 = 8 << 20;

/// The relations in the XML of a list; `None` if it cannot be read.
fn read_relations(xml: &str) -> Option<BTreeMap<String, Relation>> {
    let mut reader = Reader::from_str(xml);
    let mut found = BTreeMap::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) if start.local_name().as_ref() == "Relationship" => {
                let (mut id, mut kind, mut target) = (None, None, None);
                for attribute in start.attributes() {
                    let attribute = attribute.ok()?;
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
                    match attribute.key.local_name().as_ref() {
                        "Id" => id = Some(value),
                        "Type" => kind = value.rsplit('/').next().map(str::to_owned),
                        "Target" => target = Some(value),
                        _ => {}
                    }
                }
                let target = target?;
                // From the root of the archive, or beside the workbook.
                let part = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
                found.insert(id?, Relation { kind: kind?, part });
            }
            Event::DocType(_) => return None,
            Event::Eof => return Some(found),
            _ => {}
        }
    }
}

/// A record of a cell.
struct Cell<'d> {
    column: u32,
    format: usize,
    /// Kind of its value, whatever the column is written like.
    kind: CellKind,
    value: &'d [u8],
}

#[derive(Clone, Copy)]
enum CellKind {
    Blank,
    ShortNumber,
    Error,
    Flag,
    Number,
    Text,
    SharedText,
    /// A text behind a byte of flags.
    RichText,
}

/// Content of a cell.
enum Content<'t> {
    Plain(PlainCell<'t>),
    Text(String),
}

impl Content<'_> {
    fn as_plain(&self) -> PlainCell<'_> {
        match self {
            Self::Plain(cell) => *cell,
            Self::Text(text) => PlainCell::Text(text),
        }
    }
}

impl<'d> Cell<'d> {
    /// The cell of a record; `next_column`: that of a record without one.
    fn of(kind: u16, data: &'d [u8], next_column: u32) -> Option<Self> {
        let (column, rest) =
            if NEXT_CELLS.contains(&kind) { (next_column, data) } else { (long(data, 0)?, data.get(4..)?) };
        let kind = match kind {
            1 | 12 => CellKind::Blank,
            2 | 13 => CellKind::ShortNumber,
            3 | 11 | 14 => CellKind::Error,
            4 | 10 | 15 => CellKind::Flag,
            5 | 9 | 16 => CellKind::Number,
            6 | 8 | 17 => CellKind::Text,
            7 | 18 => CellKind::SharedText,
            _ => CellKind::RichText,
        };
        // Three bytes of the format, one of flags.
        let format = usize::try_from(long(rest, 0)? & 0x00ff_ffff).ok()?;
        Some(Self { column, format, kind, value: rest.get(4..)? })
    }

    /// What the cell holds; `None` if it is blank.
    fn content<'t>(&self, globals: &'t Globals) -> Result<Option<Content<'t>>, SourceError> {
        let number = |number: f64| globals.formats.get(self.format).copied().unwrap_or_default().cell(number);
        let text = |at: usize| wide_text(self.value, at).map(|(text, _)| Content::Text(text)).ok_or_else(cut);
        Ok(Some(match self.kind {
            CellKind::Blank => return Ok(None),
            CellKind::ShortNumber => Content::Plain(number(short_number(self.value, 0).ok_or_else(cut)?)),
            CellKind::Number => Content::Plain(number(double(self.value, 0).ok_or_else(cut)?)),
            CellKind::Error => Content::Plain(PlainCell::Error),
            CellKind::Flag => Content::Plain(PlainCell::Flag(*self.value.first().ok_or_else(cut)? != 0)),
            CellKind::Text => text(0)?,
            CellKind::RichText => text(1)?,
            CellKind::SharedText => {
                let index = long(self.value, 0).and_then(|index| usize::try_from(index).ok()).ok_or_else(cut)?;
                let shared = globals.texts.get(index);
                Content::Plain(PlainCell::Text(
                    shared.ok_or_else(|| damaged("a cell has a shared text that is not there"))?,
                ))
            }
        }))
    }
}

#[cfg(test)]
#[path = "xlsb_workbook_tests.rs"]
mod tests;

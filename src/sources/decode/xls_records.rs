//! Records of `.xls` (MS-XLS, BIFF8), and the texts in them.

use crate::sources::decode::compound_file::utf16;
use crate::sources::decode::plain_workbook::damaged;
use crate::sources::error::SourceError;

pub(super) const CONTINUE: u16 = 0x3c;

/// A record; the bytes of those that continue it are apart.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
    pub(super) continued: Vec<&'a [u8]>,
}

impl Record<'_> {
    /// Bytes of the stream that the record has, with those that continue it.
    pub(super) fn bytes(&self) -> usize {
        let continued: usize = self.continued.iter().map(|data| 4 + data.len()).sum();
        4 + self.data.len() + continued
    }
}

/// The records of a stream, from a position on.
pub(super) struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) fn from(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }

    fn peek(&self) -> Option<(u16, &'a [u8])> {
        let head = self.stream.get(self.at..self.at + 4)?;
        let (kind, length) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let data = self.stream.get(self.at + 4..self.at + 4 + usize::from(length))?;
        Some((kind, data))
    }

    /// The next record with those that continue it.
    ///
    /// # Errors
    /// `file_damaged` if the stream ends: a part of a workbook ends with a record that says so.
    pub(super) fn next(&mut self) -> Result<Record<'a>, SourceError> {
        let cut = || damaged("the workbook is cut: a sheet has no end");
        let (kind, data) = self.peek().ok_or_else(cut)?;
        self.at += 4 + data.len();
        let mut continued = Vec::new();
        while let Some((CONTINUE, data)) = self.peek() {
            self.at += 4 + data.len();
            continued.push(data);
        }
        Ok(Record { kind, data, continued })
    }
}

/// Reads numbers and texts of a record, over the borders of those that continue it.
pub(super) struct Fields<'r, 'a> {
    data: &'a [u8],
    continued: std::slice::Iter<'r, &'a [u8]>,
}

impl<'r, 'a> Fields<'r, 'a> {
    pub(super) fn of(record: &'r Record<'a>, skip: usize) -> Self {
        Self { data: record.data.get(skip..).unwrap_or_default(), continued: record.continued.iter() }
    }

    fn go_on(&mut self) -> Result<(), SourceError> {
        self.data = self.continued.next().ok_or_else(|| damaged("a text of the workbook is cut"))?;
        Ok(())
    }

    pub(super) fn byte(&mut self) -> Result<u8, SourceError> {
        while self.data.is_empty() {
            self.go_on()?;
        }
        let byte = self.data[0];
        self.data = &self.data[1..];
        Ok(byte)
    }

    pub(super) fn short(&mut self) -> Result<u16, SourceError> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    pub(super) fn long(&mut self) -> Result<u32, SourceError> {
        Ok(u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, mut bytes: u64) -> Result<(), SourceError> {
        while bytes > 0 {
            if self.data.is_empty() {
                self.go_on()?;
            }
            let taken = self.data.len().min(usize::try_from(bytes).unwrap_or(usize::MAX));
            self.data = &self.data[taken..];
            bytes -= taken as u64;
        }
        Ok(())
    }

    /// A text with its length in two bytes before it.
    pub(super) fn text(&mut self) -> Result<String, SourceError> {
        let letters = self.short()?;
        self.letters(usize::from(letters))
    }

    /// A text of so many letters: flags, perhaps numbers of runs and further bytes, the letters, those runs and bytes.
    pub(super) fn letters(&mut self, mut letters: usize) -> Result<String, SourceError> {
        let mut flags = self.byte()?;
        let runs = if flags & 8 == 0 { 0 } else { self.short()? };
        let further = if flags & 4 == 0 { 0 } else { self.long()? };
        let mut text = String::new();
        while letters > 0 {
            if self.data.is_empty() {
                self.go_on()?;
                // What continues a text begins with flags of its own.
                flags = self.byte()?;
                continue;
            }
            let width = if flags & 1 == 0 { 1 } else { 2 };
            let here = (self.data.len() / width).min(letters);
            if here == 0 {
                return Err(damaged("a text of the workbook is cut"));
            }
            let (taken, rest) = self.data.split_at(here * width);
            if width == 1 {
                text.extend(taken.iter().map(|byte| char::from(*byte)));
            } else {
                text.push_str(&utf16(taken));
            }
            (self.data, letters) = (rest, letters - here);
        }
        self.skip(u64::from(runs) * 4 + u64::from(further))?;
        Ok(text)
    }
}

//! Records of `.xlsb` (MS-XLSB, BIFF12), read one by one from a part while it is decompressed.

use std::io::{BufReader, ErrorKind as IoKind, Read};

use crate::sources::decode::binary_cells::long;
use crate::sources::decode::compound_file::utf16;
use crate::sources::decode::plain_workbook::{Budget, damaged};
use crate::sources::error::{ErrorKind, SourceError};

/// Longest record that is read. A text of a cell has at most 32,767 letters (64 KiB), a few marks of its fonts with it.
const MAX_RECORD_BYTES: u64 = 1 << 20;
const BUFFER_BYTES: usize = 64 << 10;

/// The records of a part.
pub(super) struct Records<'b, R> {
    part: BufReader<R>,
    data: Vec<u8>,
    /// Decompressed bytes that may still be read, of this part and those after it.
    budget: &'b mut Budget,
}

impl<'b, R: Read> Records<'b, R> {
    pub(super) fn of(part: R, budget: &'b mut Budget) -> Self {
        Self { part: BufReader::with_capacity(BUFFER_BYTES, part), data: Vec::new(), budget }
    }

    /// The next record of a kind that is wanted, and its data; `None` at the end of the part.
    ///
    /// # Errors
    /// `file_damaged`, `body_cut_short`, `expands_too_far`.
    pub(super) fn next(&mut self, is_wanted: impl Fn(u16) -> bool) -> Result<Option<(u16, &[u8])>, SourceError> {
        loop {
            let Some(kind) = self.kind()? else { return Ok(None) };
            let length = self.length()?;
            self.budget.charge(usize::try_from(length).unwrap_or(usize::MAX))?;
            let mut body = (&mut self.part).take(length);
            if !is_wanted(kind) {
                if std::io::copy(&mut body, &mut std::io::sink()).map_err(|error| unreadable(&error))? < length {
                    return Err(cut());
                }
                continue;
            }
            if length > MAX_RECORD_BYTES {
                return Err(damaged("a record of the workbook is longer than any cell can be"));
            }
            self.data.clear();
            body.read_to_end(&mut self.data).map_err(|error| unreadable(&error))?;
            if (self.data.len() as u64) < length {
                return Err(cut());
            }
            return Ok(Some((kind, &self.data)));
        }
    }

    /// The kind of a record: one byte or two, of seven bits each.
    fn kind(&mut self) -> Result<Option<u16>, SourceError> {
        let Some(first) = self.byte()? else { return Ok(None) };
        if first & 0x80 == 0 {
            return Ok(Some(u16::from(first)));
        }
        let second = self.byte()?.ok_or_else(cut)?;
        Ok(Some(u16::from(first & 0x7f) | u16::from(second & 0x7f) << 7))
    }

    /// The length of its data: up to four bytes, of seven bits each.
    fn length(&mut self) -> Result<u64, SourceError> {
        let mut length = 0;
        for place in 0..4 {
            let byte = self.byte()?.ok_or_else(cut)?;
            length |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(length)
    }

    fn byte(&mut self) -> Result<Option<u8>, SourceError> {
        let mut byte = [0];
        loop {
            match self.part.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => {
                    self.budget.charge(1)?;
                    return Ok(Some(byte[0]));
                }
                Err(error) if error.kind() == IoKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
    }
}

pub(super) fn cut() -> SourceError {
    damaged("a record of the workbook is cut")
}

fn unreadable(error: &std::io::Error) -> SourceError {
    match error.kind() {
        IoKind::UnexpectedEof => SourceError::new(ErrorKind::BodyCutShort, "the compressed data ends early"),
        _ => damaged("the compressed data cannot be decompressed"),
    }
}

/// A text with the number of its letters in four bytes before it, and the place behind it.
pub(super) fn wide_text(data: &[u8], at: usize) -> Option<(String, usize)> {
    let letters = usize::try_from(long(data, at)?).ok()?;
    let end = letters.checked_mul(2)?.checked_add(at)?.checked_add(4)?;
    Some((utf16(data.get(at + 4..end)?), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1 << 24;

    fn kinds(bytes: &[u8]) -> Result<Vec<(u16, usize)>, ErrorKind> {
        let mut budget = Budget::new(LIMIT);
        let mut records = Records::of(bytes, &mut budget);
        let mut found = Vec::new();
        while let Some((kind, data)) = records.next(|kind| kind != 1).map_err(|error| error.kind)? {
            found.push((kind, data.len()));
        }
        Ok(found)
    }

    #[test]
    fn kinds_and_lengths_have_seven_bits_a_byte() {
        assert_eq!(kinds(&[]), Ok(vec![]));
        assert_eq!(kinds(&[7, 2, 0, 0, 0x92, 1, 0]), Ok(vec![(7, 2), (0x92, 0)]));
        assert_eq!(kinds(&[&[7, 0x80, 1][..], &[0; 128]].concat()), Ok(vec![(7, 128)]));
        // What is not wanted is passed over.
        assert_eq!(kinds(&[1, 2, 9, 9, 7, 0]), Ok(vec![(7, 0)]));
    }

    #[test]
    fn records_that_are_cut_or_too_long_are_refused() {
        for bytes in [&[7][..], &[0x87], &[7, 0x80], &[7, 3, 0, 0], &[1, 3, 0, 0]] {
            assert_eq!(kinds(bytes), Err(ErrorKind::FileDamaged), "{bytes:?}");
        }
        let long = [&[7, 0x81, 0x80, 0x40][..], &vec![0; (1 << 20) + 1]].concat();
        assert_eq!(kinds(&long), Err(ErrorKind::FileDamaged));
        // A length that is declared takes no memory.
        assert_eq!(kinds(&[1, 0xff, 0xff, 0xff, 0x7f]), Err(ErrorKind::ExpandsTooFar));
    }

    #[test]
    fn a_text_has_its_number_of_letters_before_it() {
        assert_eq!(wide_text(&[9, 2, 0, 0, 0, b'a', 0, 0xea, 0x1e, 5], 1), Some(("aỪ".to_owned(), 9)));
        for data in [&[2, 0, 0, 0, b'a', 0, 0][..], &[0xff; 8], &[0; 3]] {
            assert_eq!(wide_text(data, 0), None);
        }
        assert_eq!(wide_text(&[0; 4], 0), Some((String::new(), 4)));
    }
}

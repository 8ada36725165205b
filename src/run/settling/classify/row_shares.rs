//! Rows of a pull, divided by the hashes of their keys into shares that fit into memory one after the other: all rows of a key
//! are in one share. What is too much is written to a file of its own and read back.

use crate::canonical::order_names;
use crate::landing::{LandedPull, LandingError, ScratchFile};
use crate::model::pull::ReadBy;
use crate::model::record::{Issue, Record, Value};
use crate::run::settling::classify::BatchRecord;

/// Rows of a share, if keys are spread evenly. Few in debug builds, so that the pulls of tests have several shares.
const ROWS_AT_ONCE: u64 = if cfg!(debug_assertions) { 300 } else { 50_000 };
/// Most shares of a pull. Each one looks its keys up in the tables: with shares in proportion to the rows, a table that grows
/// with them would be read in proportion to their square.
const MAX_SHARES: u64 = 256;
/// Bytes that all shares together keep in memory before they are written.
const BUFFERED_BYTES: usize = 16 << 20;

/// The rows of a pull in shares.
pub(super) struct RowShares<'p> {
    landed: &'p LandedPull,
    shares: Vec<Share>,
    /// Bytes of a share that are kept in memory.
    buffered: usize,
    file: Option<ScratchFile>,
}

/// Rows as bytes.
#[derive(Default)]
struct Share {
    buffer: Vec<u8>,
    /// Position and length of what was written to the file.
    written: Vec<(u64, usize)>,
}

impl<'p> RowShares<'p> {
    /// Shares for a pull of `rows` rows.
    pub(super) fn new(landed: &'p LandedPull, rows: u64) -> Self {
        let count = rows.div_ceil(ROWS_AT_ONCE).clamp(1, MAX_SHARES);
        let count = usize::try_from(count).expect("few shares");
        let mut shares = Vec::new();
        shares.resize_with(count, Share::default);
        Self { landed, shares, buffered: BUFFERED_BYTES / count, file: None }
    }

    pub(super) fn len(&self) -> usize {
        self.shares.len()
    }

    /// Adds a row. `hash`: that of its key.
    pub(super) fn push(&mut self, hash: u64, row: &BatchRecord) -> Result<(), LandingError> {
        let count = self.shares.len() as u64;
        let share = &mut self.shares[usize::try_from(hash % count).expect("few shares")];
        write_row(row, &mut share.buffer);
        if share.buffer.len() >= self.buffered {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(ScratchFile::create(self.landed.folder())?),
            };
            share.written.push((file.append(&share.buffer)?, share.buffer.len()));
            share.buffer.clear();
        }
        Ok(())
    }

    /// The rows of a share, which is empty afterwards.
    pub(super) fn take(&mut self, share: usize) -> Result<Vec<BatchRecord>, LandingError> {
        let Share { buffer, written } = std::mem::take(&mut self.shares[share]);
        let mut bytes = Vec::with_capacity(written.iter().map(|(_, len)| len).sum::<usize>() + buffer.len());
        for (at, len) in written {
            self.file.as_mut().expect("a share was written to it").read(at, len, &mut bytes)?;
        }
        bytes.extend_from_slice(&buffer);
        let mut left = Bytes(&bytes);
        let mut rows = Vec::new();
        while !left.0.is_empty() {
            rows.push(left.row().ok_or_else(|| damaged(self.landed))?);
        }
        Ok(rows)
    }
}

fn damaged(landed: &LandedPull) -> LandingError {
    let what = "rows that were put aside while it was settled are not as they were written".to_owned();
    LandingError::Damaged { path: landed.folder().to_owned(), what }
}

/// Appends a row. Of its issues those stay that are compared with the issues of the merged record.
fn write_row(row: &BatchRecord, out: &mut Vec<u8>) {
    let BatchRecord { record, read_by, chain, content, whole_at } = row;
    for number in [record.page, record.row, read_by.page, *chain] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&read_by.run.to_le_bytes());
    out.extend_from_slice(&(*content as u64).to_le_bytes());
    out.extend_from_slice(&record.digest.to_le_bytes());
    write_optional(record.row_hash.map(u64::cast_signed), out);
    write_optional(*whole_at, out);
    let names = record.issues.iter().filter_map(|issue| match issue {
        Issue::Impossible(name) => Some(*name),
        Issue::IllTyped { .. } => None,
    });
    let names: Vec<&str> = names.collect();
    out.push(u8::try_from(names.len()).unwrap_or(u8::MAX));
    for name in names.iter().take(usize::from(u8::MAX)) {
        write_text(name, out);
    }
    out.extend_from_slice(&u32::try_from(record.values.len()).expect("few columns").to_le_bytes());
    for value in &record.values {
        match value {
            Value::Null => out.push(0),
            Value::Text(text) => {
                out.push(1);
                write_text(text, out);
            }
            Value::Instant(at) => {
                out.push(2);
                out.extend_from_slice(&at.to_le_bytes());
            }
            Value::Integer(number) => {
                out.push(3);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Flag(flag) => out.push(4 + u8::from(*flag)),
        }
    }
}

fn write_optional(number: Option<i64>, out: &mut Vec<u8>) {
    out.push(u8::from(number.is_some()));
    out.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(text.len()).expect("texts of records are short").to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Bytes end inside a number.
struct EndsEarly;

/// Bytes that are read from their beginning; `None` where they end too early or are no row.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn row(&mut self) -> Option<BatchRecord> {
        let (page, row, read_page, chain) = (self.number()?, self.number()?, self.number()?, self.number()?);
        let read_by = ReadBy { run: self.long()?, page: read_page };
        let content = usize::try_from(self.long()?).ok()?;
        let digest = u128::from_le_bytes(*self.array()?);
        let row_hash = self.optional().ok()?.map(i64::cast_unsigned);
        let whole_at = self.optional().ok()?;
        let issues = self.byte()?;
        let issues = (0..issues).map(|_| self.order_name().map(Issue::Impossible)).collect::<Option<_>>()?;
        let columns = self.number()?;
        let values = (0..columns).map(|_| self.value()).collect::<Option<_>>()?;
        let record = Record { values, digest, page, row, issues, row_hash };
        Some(BatchRecord { record, read_by, chain, content, whole_at })
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Text(self.text()?.into()),
            2 => Value::Instant(self.long()?),
            3 => Value::Integer(self.long()?),
            4 => Value::Flag(false),
            5 => Value::Flag(true),
            _ => return None,
        })
    }

    /// The name of a check.
    fn order_name(&mut self) -> Option<&'static str> {
        let name = self.text()?;
        order_names().into_iter().find(|known| *known == name)
    }

    fn text(&mut self) -> Option<&'b str> {
        let len = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn optional(&mut self) -> Result<Option<i64>, EndsEarly> {
        let is_some = self.byte().ok_or(EndsEarly)? == 1;
        let number = self.long().ok_or(EndsEarly)?;
        Ok(is_some.then_some(number))
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.array::<1>()?[0])
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.array()?))
    }

    fn long(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(*self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::page::Reason;

    fn row(number: u32, text: &str) -> BatchRecord {
        let values = vec![
            Value::Text(text.into()),
            Value::Null,
            Value::Instant(-5),
            Value::Integer(i64::MAX),
            Value::Flag(true),
            Value::Flag(false),
        ];
        let ill_typed = Issue::IllTyped { field: "due_at".to_owned(), reason: Reason::OutOfRange };
        let issues = vec![ill_typed, Issue::Impossible("due_before_received")];
        let record =
            Record { values, digest: u128::MAX - 7, page: number, row: 9, issues, row_hash: Some(u64::MAX - 1) };
        let read_by = ReadBy { run: -3, page: 8 };
        BatchRecord { record, read_by, chain: 2, content: 7, whole_at: number.is_multiple_of(2).then_some(i64::MIN) }
    }

    #[test]
    fn rows_come_back_as_they_were_from_memory_and_from_the_file() {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let landed = LandedPull::new(folder.path(), "posts", 1);
        landed.clear().expect("it is writable");
        // Texts so long that a share does not stay in memory.
        for (rows, len) in [(5, 10), (900, 60_000)] {
            let mut shares = RowShares::new(&landed, u64::from(rows));
            assert_eq!(shares.len(), if rows == 5 { 1 } else { 3 });
            let text = |number: u32| format!("{number}{}", "ộ".repeat(len / 3));
            for number in 0..rows {
                shares.push(u64::from(number), &row(number, &text(number))).expect("written");
            }
            assert_eq!(shares.file.is_some(), rows > 5, "{rows} rows");
            let count = u32::try_from(shares.len()).expect("few");
            for share in 0..count {
                let found = shares.take(share as usize).expect("read");
                let numbers: Vec<u32> = found.iter().map(|row| row.record.page).collect();
                assert_eq!(numbers, (share..rows).step_by(count as usize).collect::<Vec<_>>());
                for found in found {
                    let BatchRecord { mut record, read_by, chain, content, whole_at } =
                        row(found.record.page, &text(found.record.page));
                    // Issues of types were counted when the row was mapped.
                    record.issues.remove(0);
                    let place = (found.read_by, found.chain, found.content, found.whole_at);
                    assert_eq!((found.record, place), (record, (read_by, chain, content, whole_at)));
                }
                assert!(shares.take(share as usize).expect("read").is_empty());
            }
        }
    }

    #[test]
    fn bytes_that_end_early_are_no_row() {
        let mut bytes = Vec::new();
        write_row(&row(1, "K-1"), &mut bytes);
        for len in 0..bytes.len() {
            assert!(Bytes(&bytes[..len]).row().is_none(), "{len} of {} bytes", bytes.len());
        }
        assert!(Bytes(&bytes).row().is_some());
    }
}

//! OLE compound files (MS-CFB): the file system inside `.xls`. Reads one stream; no number that the file declares is trusted.

use crate::sources::decode::plain_workbook::damaged;
use crate::sources::error::SourceError;

/// First bytes of a compound file.
pub(super) const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Sector numbers from here on are none.
const LAST_SECTOR: u32 = 0xffff_fffa;
/// Streams shorter than this lie in small sectors.
const SMALL_STREAM: u64 = 4096;

struct CompoundFile<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    /// The sector after each sector.
    next: Vec<u32>,
}

/// The bytes of the first stream with one of these names; `None` if there is none.
///
/// # Errors
/// `file_damaged`.
pub(super) fn stream(bytes: &[u8], names: &[&str]) -> Result<Option<Vec<u8>>, SourceError> {
    let file = CompoundFile::open(bytes)?;
    let entries = file.chain(number(bytes, 0x30).ok_or_else(broken)?)?;
    let mut root = None;
    let mut found = None;
    for entry in entries.chunks_exact(128) {
        let kind = entry[0x42];
        let length = usize::from(u16::from_le_bytes([entry[0x40], entry[0x41]])).min(64);
        let name = utf16(&entry[..length.saturating_sub(2)]);
        if kind == 5 {
            root.get_or_insert(entry);
        } else if kind == 2 && found.is_none() && names.contains(&name.as_str()) {
            found = Some(entry);
        }
    }
    let Some(entry) = found else { return Ok(None) };
    let (start, size) = place(entry).ok_or_else(broken)?;
    let mut content = if size < SMALL_STREAM {
        let (root_start, _) = root.and_then(place).ok_or_else(broken)?;
        file.small_chain(root_start, start)?
    } else {
        file.chain(start)?
    };
    let size = usize::try_from(size).ok().filter(|size| *size <= content.len());
    content.truncate(size.ok_or_else(|| damaged("the workbook is cut: a part is shorter than it should be"))?);
    Ok(Some(content))
}

impl<'a> CompoundFile<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, SourceError> {
        let shift = bytes.get(0x1e..0x20).map(|shift| u16::from_le_bytes([shift[0], shift[1]]));
        let sector_bytes = match shift {
            Some(9) => 512,
            Some(12) => 4096,
            _ => return Err(broken()),
        };
        let mut file = Self { bytes, sector_bytes, next: Vec::new() };
        let mut tables: Vec<u32> = numbers(bytes.get(0x4c..0x200).ok_or_else(broken)?).collect();
        let mut more = number(bytes, 0x44).ok_or_else(broken)?;
        let most = bytes.len() / sector_bytes + 1;
        while more < LAST_SECTOR {
            let mut listed: Vec<u32> = numbers(file.sector(more)?).collect();
            more = listed.pop().ok_or_else(broken)?;
            tables.extend(listed);
            if tables.len() > 2 * most + 2 * sector_bytes {
                return Err(broken());
            }
        }
        let mut next = Vec::new();
        for table in tables.into_iter().filter(|table| *table < LAST_SECTOR) {
            next.extend(numbers(file.sector(table)?));
            if next.len() > most + 2 * sector_bytes {
                break;
            }
        }
        file.next = next;
        Ok(file)
    }

    fn sector(&self, number: u32) -> Result<&'a [u8], SourceError> {
        let start =
            usize::try_from(number).ok().and_then(|number| number.checked_add(1)?.checked_mul(self.sector_bytes));
        let start = start.filter(|start| *start < self.bytes.len()).ok_or_else(|| damaged("the workbook is cut"))?;
        // The last sector of a file may be short.
        Ok(&self.bytes[start..self.bytes.len().min(start + self.sector_bytes)])
    }

    /// The bytes of a chain of sectors. It has no more of them than the file.
    fn chain(&self, first: u32) -> Result<Vec<u8>, SourceError> {
        let (mut content, mut at) = (Vec::new(), first);
        while at < LAST_SECTOR {
            content.extend_from_slice(self.sector(at)?);
            if content.len() > self.bytes.len() {
                return Err(broken());
            }
            at = usize::try_from(at).ok().and_then(|at| self.next.get(at).copied()).ok_or_else(broken)?;
        }
        Ok(content)
    }

    /// The bytes of a chain of small sectors, which lie in the stream of the root.
    fn small_chain(&self, root: u32, first: u32) -> Result<Vec<u8>, SourceError> {
        let container = self.chain(root)?;
        let next: Vec<u32> = numbers(&self.chain(number(self.bytes, 0x3c).ok_or_else(broken)?)?).collect();
        let (mut content, mut at) = (Vec::new(), first);
        while at < LAST_SECTOR {
            let index = usize::try_from(at).map_err(|_| broken())?;
            let start = index.checked_mul(64).ok_or_else(broken)?;
            content.extend_from_slice(container.get(start..start + 64).ok_or_else(broken)?);
            if content.len() > container.len() {
                return Err(broken());
            }
            at = next.get(index).copied().ok_or_else(broken)?;
        }
        Ok(content)
    }
}

fn broken() -> SourceError {
    damaged("the parts of the workbook are not where they should be")
}

/// First sector and size of an entry. The upper half of the size is not used in files of this size.
fn place(entry: &[u8]) -> Option<(u32, u64)> {
    Some((number(entry, 0x74)?, u64::from(number(entry, 0x78)?)))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// A text of two bytes a letter.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect()
}

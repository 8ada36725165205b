//! Writes `.xls` files for tests: records, and the compound file around them.

/// A record of at most 8,224 bytes; longer ones are continued.
pub(crate) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut chunks = data.chunks(8_224);
    let first = chunks.next().unwrap_or_default();
    let mut bytes = Vec::new();
    let mut put = |kind: u16, data: &[u8]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u16::try_from(data.len()).expect("a chunk is short").to_le_bytes());
        bytes.extend_from_slice(data);
    };
    put(kind, first);
    for chunk in chunks {
        put(0x3c, chunk);
    }
    bytes
}

/// The records of a sheet, with its beginning and end.
pub(crate) fn sheet(records: &[u8]) -> Vec<u8> {
    [&record(0x809, &[0, 6, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), records, &record(0x0a, &[])].concat()
}

/// The record of a sheet that begins at a byte of the stream. `state`: 0 visible, 1 hidden.
pub(crate) fn boundsheet(name: &str, state: u8, start: usize) -> Vec<u8> {
    let start = u32::try_from(start).expect("a test file is short");
    let length = u8::try_from(name.len()).expect("a name is short");
    record(0x85, &[&start.to_le_bytes()[..], &[state, 0, length, 0], name.as_bytes()].concat())
}

/// A workbook with these records at its beginning, and sheets: name, state, records.
pub(crate) fn workbook_of(globals: &[u8], sheets: &[(&str, u8, Vec<u8>)]) -> Vec<u8> {
    let begin = [&record(0x809, &[0, 6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), globals].concat();
    let listed: usize = sheets.iter().map(|(name, _, _)| boundsheet(name, 0, 0).len()).sum();
    let mut start = begin.len() + listed + record(0x0a, &[]).len();
    let (mut list, mut parts) = (Vec::new(), Vec::new());
    for (name, state, records) in sheets {
        list.extend(boundsheet(name, *state, start));
        start += records.len();
        parts.extend_from_slice(records);
    }
    compound_file("Workbook", &[begin, list, record(0x0a, &[]), parts].concat())
}

/// A compound file with one stream, of at least 4,096 bytes: shorter streams lie elsewhere.
pub(crate) fn compound_file(name: &str, stream: &[u8]) -> Vec<u8> {
    const SECTOR: usize = 512;
    let mut stream = stream.to_vec();
    stream.resize(stream.len().max(4096).next_multiple_of(SECTOR), 0);
    let sectors = stream.len() / SECTOR;
    // Sectors: the stream, the folder, then the table.
    let tables = (sectors + 2).div_ceil(SECTOR / 4 - 1);
    let short = |number: usize| u32::try_from(number).expect("a test file is short");
    let mut header = vec![0_u8; SECTOR];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[0x18..0x1a].copy_from_slice(&[0x3e, 0]);
    header[0x1a..0x20].copy_from_slice(&[3, 0, 0xfe, 0xff, 9, 0]);
    header[0x20] = 6;
    header[0x2c..0x30].copy_from_slice(&short(tables).to_le_bytes());
    header[0x30..0x34].copy_from_slice(&short(sectors).to_le_bytes());
    header[0x38..0x3c].copy_from_slice(&4096_u32.to_le_bytes());
    header[0x3c..0x40].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    header[0x44..0x48].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    for index in 0..109 {
        let table = if index < tables { short(sectors + 1 + index) } else { u32::MAX };
        header[0x4c + 4 * index..0x50 + 4 * index].copy_from_slice(&table.to_le_bytes());
    }
    let entry = |name: &str, kind: u8, start: u32, size: usize| {
        let mut entry = vec![0_u8; 128];
        let letters: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry[..letters.len()].copy_from_slice(&letters);
        entry[0x40] = u8::try_from(letters.len() + 2).expect("a name is short");
        entry[0x42] = kind;
        entry[0x43] = 1;
        let child = if kind == 5 { 1 } else { u32::MAX };
        for (at, number) in [(0x44, u32::MAX), (0x48, u32::MAX), (0x4c, child), (0x74, start), (0x78, short(size))] {
            entry[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        entry
    };
    let mut folder = [entry("Root Entry", 5, 0xffff_fffe, 0), entry(name, 2, 0, stream.len())].concat();
    folder.resize(SECTOR, 0);
    let mut next: Vec<u32> = (1..=short(sectors)).collect();
    next[sectors - 1] = 0xffff_fffe;
    next.push(0xffff_fffe);
    next.resize(sectors + 1 + tables, 0xffff_fffd);
    next.resize(tables * SECTOR / 4, u32::MAX);
    let table: Vec<u8> = next.into_iter().flat_map(u32::to_le_bytes).collect();
    [header, stream, folder, table].concat()
}

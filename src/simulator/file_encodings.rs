//! File formats of the exports: gzip, XLSX, UTF-16, Windows-1258. Written by hand, so that the simulator shares no
//! library with the pipeline that reads them.

use unicode_normalization::UnicodeNormalization as _;

/// Longest run that one deflate symbol repeats.
const RUN: usize = 258;
/// Runs of 258 spaces in the gzip bomb: about 1 GiB in all.
const BOMB_STEPS: usize = 4 << 20;

/// A gzip file without compression (RFC 1952, stored blocks of RFC 1951).
pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut out = GZIP_HEAD.to_vec();
    let mut blocks = content.chunks(usize::from(u16::MAX)).peekable();
    if blocks.peek().is_none() {
        out.extend_from_slice(&[1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).expect("chunks are that short");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&crc32(content).to_le_bytes());
    out.extend_from_slice(&low_bits(content.len()).to_le_bytes());
    out
}

/// A gzip file of about 7 MB that inflates to a gigabyte of spaces: one block of fixed codes, each the longest run. Its
/// checksum at the end is wrong: a reader that checks it has inflated too much.
pub(super) fn gzip_bomb() -> Vec<u8> {
    let mut bits = BitWriter { out: GZIP_HEAD.to_vec(), held: 0, count: 0 };
    bits.put(0b011, 3);
    // Literal 0x20 is code 0x30 + 0x20, eight bits, first bit highest.
    bits.put_code(0x50, 8);
    for _ in 0..BOMB_STEPS {
        // Length 258 is symbol 285, code 0xc5; distance 1 is code 0.
        bits.put_code(0xc5, 8);
        bits.put_code(0, 5);
    }
    bits.put_code(0, 7);
    let mut out = bits.finish();
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(&low_bits(1 + RUN * BOMB_STEPS).to_le_bytes());
    out
}

const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

fn low_bits(length: usize) -> u32 {
    u32::try_from(length & 0xffff_ffff).expect("32 bits")
}

/// Writes bits in the order of deflate, lowest first.
struct BitWriter {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl BitWriter {
    fn put(&mut self, bits: u32, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Huffman codes are written with the highest bit first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.out
    }
}

/// CRC-32 as used by gzip and ZIP.
fn crc32(content: &[u8]) -> u32 {
    !content.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
        crc
    })
}

/// A workbook with one sheet of texts, and of formulas (`=…`) without stored values (ECMA-376: parts in a ZIP file
/// without compression).
pub(super) fn workbook(rows: &[Vec<String>]) -> Vec<u8> {
    let mut sheet = format!("{XML}<worksheet xmlns=\"{MAIN}\"><sheetData>");
    for (number, cells) in (1_usize..).zip(rows) {
        sheet.extend(["<row r=\"", &number.to_string(), "\">"]);
        for (column, cell) in (b'A'..).zip(cells) {
            let text = cell.replace('&', "&amp;").replace('<', "&lt;");
            let place = format!("{}{number}", char::from(column));
            match text.strip_prefix('=') {
                Some(formula) => sheet.extend(["<c r=\"", &place, "\"><f>", formula, "</f></c>"]),
                None => sheet.extend(["<c r=\"", &place, "\" t=\"inlineStr\"><is><t>", &text, "</t></is></c>"]),
            }
        }
        sheet.push_str("</row>");
    }
    sheet.push_str("</sheetData></worksheet>");
    let relation = |kind: &str, target: &str| {
        format!(
            "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship \
             Id=\"rId1\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    zip(&[
        (
            "[Content_Types].xml",
            format!(
                "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default \
                 Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default \
                 Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" \
                 ContentType=\"{SHEETS}.sheet.main+xml\"/><Override PartName=\"/xl/worksheets/sheet1.xml\" \
                 ContentType=\"{SHEETS}.worksheet+xml\"/></Types>"
            ),
        ),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        (
            "xl/workbook.xml",
            format!(
                "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"BCCI\" sheetId=\"1\" \
                 r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SHEETS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// A ZIP file of stored parts (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
fn zip(parts: &[(&str, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let (offset, size) = (low_bits(out.len()), low_bits(content.len()));
        let name_length = u16::try_from(name.len()).expect("names above are short");
        // Version 2.0, names in UTF-8, stored, 1980-01-01.
        let mut common = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
        common.extend_from_slice(&crc32(content.as_bytes()).to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&size.to_le_bytes());
        common.extend_from_slice(&name_length.to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(parts.len()).expect("a few parts").to_le_bytes();
    let (start, length) = (low_bits(out.len()).to_le_bytes(), low_bits(directory.len()).to_le_bytes());
    out.append(&mut directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[count, count].concat());
    out.extend_from_slice(&[length, start].concat());
    out.extend_from_slice(&[0, 0]);
    out
}

/// UTF-16, little-endian, with a byte order mark.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Windows-1258: a letter with breve, circumflex, horn or bar is one byte; its tone follows as a byte of its own.
pub(super) fn windows_1258(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut letters = text.nfd().peekable();
    while let Some(letter) = letters.next() {
        // In the decomposed form a dot below comes before breve and circumflex.
        let mut tone = letters.next_if_eq(&'\u{323}');
        let letter = match letters.peek().copied() {
            Some(shape @ ('\u{302}' | '\u{306}' | '\u{31b}')) => {
                letters.next();
                shaped(letter, shape)
            }
            _ => letter,
        };
        out.push(byte_of(letter));
        tone = tone.or_else(|| letters.next_if(|mark| ('\u{300}'..='\u{323}').contains(mark)));
        out.extend(tone.map(byte_of));
    }
    out
}

fn shaped(letter: char, shape: char) -> char {
    [letter, shape].into_iter().nfc().next().expect("two letters compose to one or stay two")
}

/// `?` for characters that the code page does not have.
fn byte_of(letter: char) -> u8 {
    match letter {
        '\u{300}' => 0xcc,
        '\u{309}' => 0xd2,
        '\u{303}' => 0xde,
        '\u{301}' => 0xec,
        '\u{323}' => 0xf2,
        'Ă' => 0xc3,
        'ă' => 0xe3,
        'Đ' => 0xd0,
        'đ' => 0xf0,
        'Ơ' => 0xd5,
        'ơ' => 0xf5,
        'Ư' => 0xdd,
        'ư' => 0xfd,
        'Â' | 'Ê' | 'Ô' | 'â' | 'ê' | 'ô' | '\0'..='\x7f' => u8::try_from(u32::from(letter)).unwrap_or(b'?'),
        _ => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_code_pages_follow_the_standards() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        // "Tiếng Việt Nam, Đường Ờ" in the code page: ê + acute, ê + dot, ơ + grave.
        assert_eq!(windows_1258("Tiếng Việt"), b"Ti\xea\xecng Vi\xea\xf2t");
        assert_eq!(windows_1258("Đường Ờ ộ ã"), b"\xd0\xfd\xf5\xccng \xd5\xcc \xf4\xf2 a\xde");
        assert_eq!(utf16("Ô;"), [0xff, 0xfe, 0xd4, 0, 0x3b, 0]);
    }
}

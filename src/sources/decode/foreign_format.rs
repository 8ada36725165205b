//! Recognises files that are no tables although they have the name of one, so that the message can say what they are.

/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 1024;

/// What a file is, by the beginning of its text; `None` if it may be a table.
pub(crate) fn of_text(bytes: &[u8]) -> Option<&'static str> {
    // Without the NULs, UTF-16 of these words is ASCII.
    let start: Vec<u8> = bytes.iter().take(LOOKED_AT).filter(|byte| **byte != 0).copied().collect();
    let start = start.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(&start);
    let start = start.strip_prefix(b"\xff\xfe".as_slice()).unwrap_or(start);
    let start = String::from_utf8_lossy(start).trim_start().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| start.contains(word));
    if start.starts_with('<') && has(&["office:spreadsheet"]) {
        Some("an XML spreadsheet of Excel 2003, not a workbook or CSV")
    } else if start.starts_with('<') && has(&["<html", "<!doctype html", "<head", "<body", "<table"]) {
        Some("a web page (HTML), not a workbook or CSV")
    } else if start.starts_with("mime-version:") && has(&["multipart/related"]) {
        Some("a saved web page (MHTML), not a workbook or CSV")
    } else if start.starts_with("%pdf-") {
        Some("a PDF document, not a workbook or CSV")
    } else {
        None
    }
}

/// What an archive is, by the names of its parts; `None` if it may be an XLSX workbook.
pub(crate) fn of_archive(names: impl Iterator<Item = impl AsRef<str>>) -> Option<&'static str> {
    let names: Vec<String> = names.map(|name| name.as_ref().to_ascii_lowercase()).collect();
    let has = |part: &str| names.iter().any(|name| name == part);
    let has_folder = |folder: &str| names.iter().any(|name| name.starts_with(folder));
    if has("mimetype") && has("content.xml") {
        Some("an OpenDocument text or drawing (such as `.odt`), not a workbook")
    } else if has_folder("word/") {
        Some("a text document (`.docx`), not XLSX")
    } else if !has_folder("xl/") {
        Some("an archive without a workbook, not XLSX")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_documents_are_recognised() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let excel = r#"<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">"#;
        for (bytes, word) in [
            (b"<html><body><table>".to_vec(), "HTML"),
            (b"\xef\xbb\xbf \r\n<!DOCTYPE html>".to_vec(), "HTML"),
            (b"<table><tr><td>M\xc3\xa3".to_vec(), "HTML"),
            ([b"\xff\xfe".as_slice(), &wide("<HTML xmlns:x=\"urn\">")].concat(), "HTML"),
            (excel.as_bytes().to_vec(), "Excel 2003"),
            (b"MIME-Version: 1.0\r\nContent-Type: multipart/related".to_vec(), "MHTML"),
            (b"%PDF-1.7".to_vec(), "PDF"),
        ] {
            assert!(of_text(&bytes).is_some_and(|format| format.contains(word)), "{word}");
        }
        for text in ["", "STT;M\u{e3}", "<5 ngày;a\n", "PK\u{3}\u{4}", "a;<html>\n"] {
            assert_eq!(of_text(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn other_archives_are_recognised() {
        for (names, word) in [
            (["mimetype", "content.xml"].as_slice(), ".odt"),
            (&["word/document.xml"], ".docx"),
            (&["list.csv"], "without a workbook"),
        ] {
            assert!(of_archive(names.iter().copied()).is_some_and(|format| format.contains(word)), "{word}");
        }
        assert_eq!(of_archive(["[Content_Types].xml", "xl/Workbook.xml"].into_iter()), None);
    }
}

//! Input that is made to exhaust memory: it ends in a clear error or in rejected rows within 300 MiB, and the next
//! connector runs.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests write the files of an office and look at a process")]

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, FlushCompress};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::desk::{self, List, record};
use crate::office::Office;

const POST: &str = include_str!("../../../connectors/bcci-export/connector.toml");
/// Most memory of a night with hostile input above an idle night.
const MAX_MIB: u64 = 300;
/// Longest time that a night may take.
const MAX_TIME: Duration = Duration::from_mins(2);

/// Output and peak memory of a night.
struct Night {
    messages: String,
    peak_mib: u64,
}

/// Runs a night of the binary and measures its peak memory.
fn night(office: &Office) -> Night {
    let mut command = office.command(&["run"]);
    // CI sets it to save time; here the memory of a usual process is measured.
    command.env_remove("MIMALLOC_ALLOW_THP");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let (status, started) = (format!("/proc/{}/status", child.id()), Instant::now());
    let mut peak_kib = 0;
    while child.try_wait().expect("it can be asked").is_none() {
        assert!(started.elapsed() < MAX_TIME, "it hangs");
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let held = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak_kib = peak_kib.max(held.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("it ended");
    assert!(matches!(output.status.code(), Some(0 | 3 | 4)), "{}", crate::office::said(&output));
    Night { messages: crate::office::said(&output), peak_mib: peak_kib / 1024 }
}

/// Adds a second connector, `neighbour`, with a sound list.
fn with_a_neighbour(office: Office) -> Office {
    let post = POST.replace("{env:BCCI_EXPORTS}", &office.path().join("post").to_string_lossy());
    office.write("connectors/neighbour/connector.toml", &post.replace("glob = ", "settle_secs = 0\nglob = "));
    office.write(
        "post/1.csv",
        "Mã vận đơn;Mã hồ sơ;Mã TTHC;Đơn vị;Loại dịch vụ;Ngày chấp nhận;Ngày phát;Trạng thái;Phí thu hộ\n\
         EP000000014VN;H61.14-251001-0002;;H61.14;Trả kết quả;03/10/2025 08:00;;Đang vận chuyển;1000\n\
         Tổng cộng;;;;;;;;1000\n",
    );
    office
}

fn assert_bounded(office: &Office, expected: &[&str], what: &str) {
    // A night that reads nothing: the memory that every night needs.
    let idle = with_a_neighbour(desk::of_files("\n[contract]\nleast_of_usual = 0.0\n"));
    let least = night(&idle).peak_mib;
    let night = night(office);
    for words in expected {
        assert!(night.messages.contains(words), "{what}: `{words}` in {}", night.messages);
    }
    assert!(night.messages.contains("neighbour: received 1 = accepted 1"), "{what}: {}", night.messages);
    let above = night.peak_mib.saturating_sub(least);
    assert!(above <= MAX_MIB, "{what}: {above} MiB above {least}");
}

fn of_file(name: &str, bytes: &[u8]) -> Office {
    let office = with_a_neighbour(desk::of_files(""));
    office.edit("connectors/desk/connector.toml", |text| {
        text.replace("*.csv", "*").replace("type = \"csv\"", "type = \"spreadsheet\"")
    });
    std::fs::write(office.exports().join(name), bytes).expect("the scratch folder is writable");
    office
}

const HEADER: &str = "id,code,agency,received,due,status\n";
const ROW: &str = "A1,H61.14-251001-0001,H61.14,2025-10-01,2025-10-09,P\n";

#[test]
fn endless_lines_and_quotes_are_rejected() {
    let long = format!("{HEADER}{ROW}A2,{},H61.14,2025-10-01,,P\n", "9".repeat(50 << 20));
    assert_bounded(&of_file("1.csv", long.as_bytes()), &["accepted 1 + ", "quarantined 1"], "a line of 50 MB");
    let open = format!("{HEADER}{ROW}\"{}", "A2,H61.14\n".repeat(5 << 20));
    assert_bounded(&of_file("1.csv", open.as_bytes()), &["desk: failed", "1.csv"], "an unclosed quote");
    let commas = format!("{HEADER}{ROW}{}\n", ",".repeat(50 << 20));
    assert_bounded(&of_file("1.csv", commas.as_bytes()), &["accepted 1 + ", "quarantined 1"], "fifty million cells");
}

/// A deflated stream of `mebibytes` MiB of spaces: one block repeated.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut packer = Compress::new(Compression::best(), false);
    let mut block = Vec::with_capacity(1 << 20);
    packer.compress_vec(&vec![b' '; 1 << 20], &mut block, FlushCompress::Full).expect("memory takes all");
    block.repeat(mebibytes)
}

#[test]
fn archive_bombs_are_refused() {
    // 40 GB; the first gigabytes of a terabyte are the same.
    let gzip = [b"\x1f\x8b\x08\0\0\0\0\0\0\xff", bomb(40_000).as_slice()].concat();
    assert!(gzip.len() < 64 << 20, "the file itself is short enough");
    assert_bounded(
        &of_file("1.csv.gz", &gzip),
        &["desk: failed", "decompressed content is longer than"],
        "a gzip bomb",
    );
    // Three gigabytes, with the true size and with a false one.
    for (declared, expected) in [(3_000 << 20, "decompressed content is longer than"), (100, "cannot be decompressed")]
    {
        let workbook = zip_of("xl/worksheets/sheet1.xml", &bomb(3_000), declared);
        assert_bounded(&of_file("1.xlsx", &workbook), &["desk: failed", expected], "a zip bomb");
    }
}

/// A ZIP file of one deflated part that declares `declared` bytes (APPNOTE 6.3.10, 4.3.7, 4.3.12, 4.3.16).
fn zip_of(name: &str, packed: &[u8], declared: u32) -> Vec<u8> {
    let size = u32::try_from(packed.len()).expect("small").to_le_bytes();
    let length = u16::try_from(name.len()).expect("short").to_le_bytes();
    let about = [&[20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0, 0, 0, 0, 0][..], &size, &declared.to_le_bytes(), &length, &[0, 0]]
        .concat();
    let part = [b"PK\x03\x04".as_slice(), &about, name.as_bytes(), packed].concat();
    let directory = [b"PK\x01\x02\x14\0".as_slice(), &about, &[0; 14], name.as_bytes()].concat();
    let (start, long) = (u32::try_from(part.len()).expect("small"), u32::try_from(directory.len()).expect("small"));
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &long.to_le_bytes(), &start.to_le_bytes(), &[0, 0]].concat();
    [part, directory, end].concat()
}

#[test]
fn workbooks_with_false_sizes_are_refused() {
    let sheet = |dimension: &str, rows: &str| {
        format!("<worksheet xmlns=\"{MAIN}\"><dimension ref=\"{dimension}\"/><sheetData>{rows}</sheetData></worksheet>")
    };
    let shared = |count: &str| format!("<sst xmlns=\"{MAIN}\" uniqueCount=\"{count}\"><si><t>id</t></si></sst>");
    let cell = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";
    for (what, sheet, shared) in [
        ("a sheet of all cells", sheet("A1:XFD1048576", cell), shared("1")),
        ("a sheet beyond all cells", sheet("A1:ZZZZ99999999", cell), shared("1")),
        ("four thousand million texts", sheet("A1", cell), shared("4000000000")),
        ("a text that is not there", sheet("A1", &cell.replace("<v>0", "<v>4000000000")), shared("1")),
    ] {
        let book = workbook(&sheet, &shared);
        assert_bounded(&of_file("1.xlsx", &book), &["desk: failed", "1.xlsx"], what);
    }
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relations = |inner: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inner}</Relationships>"
        )
    };
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{office}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let root =
        relations(&format!("<Relationship Id=\"rId1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/>"));
    let of_book = relations(&format!(
        "<Relationship Id=\"rId1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{office}/sharedStrings\" Target=\"sharedStrings.xml\"/>"
    ));
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        ("_rels/.rels", root.as_str()),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &of_book),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", shared),
    ] {
        archive.start_file(name, SimpleFileOptions::default()).expect("memory takes all");
        archive.write_all(text.as_bytes()).expect("memory takes all");
    }
    archive.finish().expect("memory takes all").into_inner()
}

#[test]
fn malformed_json_is_refused() {
    let good = record(1).to_string();
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let with = |field: &str| record(2).to_string().replacen('{', &format!("{{{field},"), 1);
    for (what, bad, expected) in [
        ("ten thousand levels in a field that nobody reads", with(&format!("\"x\":{deep}")), "received 2 = accepted"),
        ("ten thousand levels in a field that is read", with(&format!("\"due\":{deep}")), "received 2 = accepted 1"),
        ("NaN", with("\"x\":NaN"), "desk: failed"),
        ("half a surrogate in a field that is read", with("\"agency\":\"\\ud800\""), "received 2 = accepted 1"),
        ("a key twice", with("\"id\":\"K9\""), "received 2 = accepted 1"),
    ] {
        let office = with_a_neighbour(desk::of_list(
            &desk::answering(&format!("{{\"rows\":[{good},{bad}],\"last\":true}}")),
            "",
        ));
        assert_bounded(&office, &[expected], what);
    }
    let list = List::default();
    list.set((0..3).map(record).collect());
    let office = with_a_neighbour(desk::of_list(&list.serve(), ""));
    assert_bounded(&office, &["received 3 = accepted 3"], "a sound list");
}

//! What the page of an upload says about a file: what it holds, or why it was refused.

use super::declared::{Field, readable};
use super::place::place_in;
use crate::locale::{Language, explanation};
use crate::model::connector::Connector;
use crate::run::{CheckedUpload, UploadRefusal, UploadRejections};
use crate::service::pages::words::rejection_reason;

/// Why a file was not taken.
pub(super) struct RefusedWords {
    pub(super) why: String,
    /// File, column and row, if the original names them.
    pub(super) place: Option<String>,
    pub(super) to_do: String,
    /// The English message, if `why` is a translation.
    pub(super) original: Option<String>,
    pub(super) rejections: Vec<RejectionWords>,
}

/// What a file holds.
pub(super) struct CheckedWords {
    pub(super) id: String,
    pub(super) file: String,
    pub(super) size: String,
    pub(super) rows: String,
    pub(super) mapped: String,
    pub(super) has_rows: bool,
    pub(super) rejections: Vec<RejectionWords>,
    pub(super) replaces: bool,
    pub(super) is_undated: bool,
}

/// Rows that would be rejected.
pub(super) struct RejectionWords {
    pub(super) field: Field,
    pub(super) reason: String,
    /// What the field reads.
    pub(super) readable: Option<String>,
    pub(super) rows: String,
}

/// A size in kilobytes or megabytes, rounded up.
pub(super) fn size(lang: Language, bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{} KB", lang.number(bytes.div_ceil(1 << 10))),
        _ => format!("{} MB", lang.number(bytes.div_ceil(1 << 20))),
    }
}

fn rejection_words(lang: Language, connector: &Connector, rejections: &[UploadRejections]) -> Vec<RejectionWords> {
    let words = |one: &UploadRejections| RejectionWords {
        readable: one.field.as_deref().and_then(|field| readable(lang, connector, field, one.reason)),
        field: Field::new(connector, one.field.clone()),
        reason: rejection_reason(lang, one.reason),
        rows: lang.number(one.rows),
    };
    rejections.iter().map(words).collect()
}

impl CheckedWords {
    pub(super) fn new(lang: Language, connector: &Connector, checked: CheckedUpload) -> Self {
        Self {
            size: size(lang, checked.bytes),
            rows: lang.number(checked.rows),
            mapped: lang.number(checked.mapped),
            has_rows: checked.rows > 0,
            rejections: rejection_words(lang, connector, &checked.rejections),
            replaces: checked.replaces,
            is_undated: checked.is_undated,
            id: checked.id,
            file: checked.name,
        }
    }
}

impl RefusedWords {
    pub(super) fn new(lang: Language, connector: &Connector, refusal: &UploadRefusal) -> Self {
        let (mut place, mut rejections) = (None, Vec::new());
        let (why, to_do): (String, &str) = match refusal {
            UploadRefusal::NotRead(error) => {
                let translated = explanation(error.kind.code()).filter(|_| lang == Language::Vietnamese);
                place = translated.and_then(|_| place_in(&error.message));
                translated.map_or_else(|| (error.message.clone(), error.hint), |(why, to_do)| (why.to_owned(), to_do))
            }
            UploadRefusal::AllRejected { rows, rejections: found } => {
                rejections = rejection_words(lang, connector, found);
                let rows = lang.number(*rows);
                let why = match lang {
                    Language::Vietnamese => format!("Cả {rows} dòng của tệp đều sẽ bị loại."),
                    Language::English => format!("All {rows} rows of the file would be rejected."),
                };
                let to_do = lang.of(
                    "Xem các lý do dưới đây; kiểm tra đúng tệp và đúng các cột.",
                    "See the reasons below; check that it is the right file with the right columns.",
                );
                (why, to_do)
            }
            other => why_and_to_do(lang, other),
        };
        let original = (lang == Language::Vietnamese).then(|| refusal.to_string());
        Self { why, place, to_do: to_do.to_owned(), original, rejections }
    }
}

/// Why a file was refused, and what to do, for refusals that have nothing to list.
fn why_and_to_do(lang: Language, refusal: &UploadRefusal) -> (String, &'static str) {
    let [why, to_do] = match refusal {
        UploadRefusal::NoFolder(_) => [
            ["Kết nối này không đọc thư mục nào trên máy chủ này.", "This connector reads no folder of this machine."],
            ["Gửi tệp theo cách mà kết nối khai báo.", "Deliver the file as the connector declares."],
        ],
        UploadRefusal::BadName => [
            [
                "Tên tệp không dùng được: trống, quá dài, hoặc có dấu gạch chéo, ký tự điều khiển, dấu chấm ở đầu.",
                "The name cannot be used: empty, too long, or with a slash, a control character or a dot at its start.",
            ],
            ["Đổi tên tệp rồi nạp lại.", "Rename the file and upload it again."],
        ],
        UploadRefusal::OtherName { glob } => {
            let why = match lang {
                Language::Vietnamese => format!("Tên tệp không khớp mẫu tên của kết nối: `{glob}`."),
                Language::English => format!("The name does not match the pattern of the connector: `{glob}`."),
            };
            let to_do = lang.of(
                "Lưu tệp đúng dạng, đổi tên theo mẫu rồi nạp lại.",
                "Save it in the right format, rename it by the pattern, and upload it again.",
            );
            return (why, to_do);
        }
        UploadRefusal::TooLarge { most } => {
            let why = lang.of("Tệp lớn hơn mức cho phép:", "The file is larger than allowed:");
            let to_do = lang.of(
                "Chia tệp theo tháng hoặc theo đơn vị; hoặc người trực kỹ thuật tăng `limits.max_body_bytes`.",
                "Split it by month or agency; or the engineer on duty raises `limits.max_body_bytes`.",
            );
            return (format!("{why} {}.", size(lang, *most)), to_do);
        }
        UploadRefusal::Empty => [
            ["Chưa chọn tệp, hoặc tệp trống.", "No file was chosen, or it is empty."],
            ["Chọn tệp; nếu tệp trống, xuất lại từ nguồn.", "Choose a file; if it is empty, export it again."],
        ],
        UploadRefusal::OtherConnector { fits } => {
            let why = match lang {
                Language::Vietnamese => format!("Tệp này là của kết nối khác: {fits}."),
                Language::English => format!("This file is one for another connector: {fits}."),
            };
            return (why, lang.of("Nạp tệp ở trang của kết nối đó.", "Upload it on the page of that connector."));
        }
        UploadRefusal::Replaces { name } => {
            let why = match lang {
                Language::Vietnamese => format!("Sau khi đọc thử, thư mục đã có một tệp cùng tên: {name}."),
                Language::English => format!("After the trial a file of the same name came into the folder: {name}."),
            };
            let to_do = lang.of(
                "Xem tệp nào đúng; đổi tên hoặc nạp lại để thay thế.",
                "See which file is right; rename this one, or upload it again to replace the other.",
            );
            return (why, to_do);
        }
        UploadRefusal::Gone => [
            [
                "Tệp chờ xác nhận không còn nữa: tệp không được xác nhận chỉ giữ một giờ.",
                "The file is there no more: one that is not confirmed is kept for an hour.",
            ],
            ["Nạp lại tệp.", "Upload it again."],
        ],
        UploadRefusal::Store { .. } | UploadRefusal::NotRead(_) | UploadRefusal::AllRejected { .. } => [
            ["Không ghi được vào thư mục của kết nối.", "The folder of the connector cannot be written."],
            [
                "Báo người trực kỹ thuật: kiểm tra quyền ghi và chỗ trống của thư mục.",
                "Tell the engineer on duty: check the folder's permissions and space.",
            ],
        ],
    };
    (lang.of(why[0], why[1]).to_owned(), lang.of(to_do[0], to_do[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(size(Language::Vietnamese, 1), "1 KB");
        assert_eq!(size(Language::Vietnamese, 64 << 20), "64 MB");
        assert_eq!(size(Language::English, (1 << 20) + 1), "2 MB");
    }
}

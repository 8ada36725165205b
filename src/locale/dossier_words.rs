//! Words of dossiers (status, channel, apology, cause of delay) and postal items as people read them.

use crate::locale::Language;
use crate::model::agency::AgencyKind;

impl Language {
    /// A stored word as people read it; the word itself if it is none of a closed list.
    #[must_use]
    pub fn dossier_word(self, word: &str) -> &str {
        match word {
            "registered" => self.of("mới đăng ký", "registered"),
            "received" => self.of("đã tiếp nhận", "received"),
            "processing" => self.of("đang giải quyết", "processing"),
            "supplement" => self.of("chờ bổ sung", "supplement"),
            "finance" => self.of("chờ nghĩa vụ tài chính", "finance"),
            "completed" => self.of("đã giải quyết xong", "completed"),
            "returned" => self.of("đã trả kết quả", "returned"),
            "refused" => self.of("từ chối", "refused"),
            "withdrawn" => self.of("đã rút", "withdrawn"),
            "stopped" => self.of("dừng xử lý", "stopped"),
            "counter" => self.of("tại quầy", "counter"),
            "online" => self.of("trực tuyến", "online"),
            "postal" => self.of("bưu chính", "postal"),
            "submission" => self.of("nộp hồ sơ", "submission"),
            "return" => self.of("trả kết quả", "return"),
            "absent" => self.of("không có", "absent"),
            "timely" => self.of("kịp thời", "timely"),
            "late" => self.of("muộn", "late"),
            "repeated" => self.of("nhiều lần", "repeated"),
            "agency" => self.of("cơ quan", "agency"),
            "cooperating" => self.of("cơ quan phối hợp", "cooperating agency"),
            "applicant" => self.of("người nộp", "applicant"),
            "system" => self.of("hệ thống", "system"),
            "other" => self.of("khác", "other"),
            other => other,
        }
    }
}

impl Language {
    /// The value of a fact or of a stored column as people read it: a word of a closed list in this language. `None` if the column
    /// has no such words: codes and names stay as they are, whatever they read like.
    #[must_use]
    pub fn word_of(self, column: &str, word: &str) -> Option<String> {
        Some(match column {
            "status" | "submission_channel" | "return_requested" | "returned_by" | "late_cause" | "apology" => {
                self.dossier_word(word).to_owned()
            }
            "agency_tier" => self.tier(word.parse().ok()?).to_owned(),
            "agency_kind" => {
                let [vietnamese, english] = word.parse::<AgencyKind>().ok()?.meaning();
                self.of(vietnamese, english).to_owned()
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_translated_by_their_column_and_codes_are_not() {
        let of = |column, word| Language::Vietnamese.word_of(column, word);
        assert_eq!(of("agency_tier", "commune").as_deref(), Some("Cấp xã"));
        assert_eq!(of("agency_kind", "specialised").as_deref(), Some("Cơ quan chuyên môn cấp tỉnh"));
        assert_eq!(of("submission_channel", "online").as_deref(), Some("trực tuyến"));
        assert_eq!(of("status", "returned").as_deref(), Some("đã trả kết quả"));
        assert_eq!(of("agency_tier", "hamlet"), None, "it is no tier");
        assert_eq!(of("dossier_code", "online"), None);
        assert_eq!(Language::English.word_of("agency_tier", "commune").as_deref(), Some("Commune level"));
    }
    use crate::model::table::{CHANNELS, DIRECTIONS, LATE_CAUSES, STATUSES};

    #[test]
    fn every_word_of_a_dossier_is_in_vietnamese() {
        let words = STATUSES.iter().chain(CHANNELS).chain(LATE_CAUSES).chain(DIRECTIONS);
        for word in words.chain(&["absent", "timely", "late", "repeated"]) {
            assert_ne!(Language::Vietnamese.dossier_word(word), *word, "{word}");
        }
    }
}

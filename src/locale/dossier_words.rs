//! Words of dossiers (status, channel, apology, cause of delay) and postal items as people read them.

use crate::locale::Language;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::{CHANNELS, DIRECTIONS, LATE_CAUSES, STATUSES};

    #[test]
    fn every_word_of_a_dossier_is_in_vietnamese() {
        let words = STATUSES.iter().chain(CHANNELS).chain(LATE_CAUSES).chain(DIRECTIONS);
        for word in words.chain(&["absent", "timely", "late", "repeated"]) {
            assert_ne!(Language::Vietnamese.dossier_word(word), *word, "{word}");
        }
    }
}

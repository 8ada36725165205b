//! What the stored columns of dossiers are called where people read them.

/// Name in Vietnamese and English of a column that facts read; `None` for a column that no fact reads.
pub(super) fn stored_words(column: &str) -> Option<[&'static str; 2]> {
    Some(match column {
        "source" => ["kết nối", "connector"],
        "source_key" => ["khóa của hồ sơ ở nguồn", "key of the dossier in the source"],
        "dossier_code" => ["mã hồ sơ", "code of the dossier"],
        "other_codes" => ["các mã khác của hồ sơ", "further codes of the dossier"],
        "national_code" => ["mã hồ sơ quốc gia", "national code of the dossier"],
        "parent_code" => ["mã hồ sơ liên thông", "code of the interlinked dossier"],
        "procedure_code" => ["mã thủ tục", "code of the procedure"],
        "competent_agency" => ["cơ quan có thẩm quyền", "competent agency"],
        "receiving_agency" => ["cơ quan tiếp nhận", "receiving agency"],
        "handling_agency" => ["cơ quan xử lý", "handling agency"],
        "lead_agency" => ["cơ quan chủ trì", "lead agency"],
        "non_territorial" => ["tiếp nhận phi địa giới hành chính", "received outside its territory"],
        "service_level" => ["mức độ dịch vụ công", "level of the public service"],
        "submission_channel" => ["hình thức nộp", "submission channel"],
        "return_requested" => ["hình thức nhận kết quả đã đăng ký", "requested way of the return"],
        "returned_by" => ["hình thức trả kết quả", "way of the return"],
        "result_electronic" => ["có kết quả điện tử", "the result is electronic"],
        "status" => ["trạng thái", "status"],
        "submitted_at" => ["ngày nộp", "submission"],
        "accept_due_at" => ["hạn tiếp nhận", "due date of the reception"],
        "received_at" => ["ngày tiếp nhận", "reception"],
        "due_at" => ["hạn trả", "due date"],
        "first_due_at" => ["hạn trả ban đầu", "first due date"],
        "completed_at" => ["ngày giải quyết xong", "completion"],
        "returned_at" => ["ngày trả kết quả", "return of the result"],
        "refused_at" => ["ngày từ chối", "refusal"],
        "withdrawn_at" => ["ngày rút hồ sơ", "withdrawal"],
        "stopped_at" => ["ngày dừng xử lý", "stop"],
        "supplement_requests" => ["số lần yêu cầu bổ sung", "number of requests to supplement"],
        "supplement_requested_at" => ["ngày yêu cầu bổ sung", "request to supplement"],
        "supplement_received_at" => ["ngày nhận bổ sung", "receipt of the supplement"],
        "late_cause" => ["nguyên nhân trễ", "cause of the delay"],
        "apology_number" => ["số văn bản xin lỗi", "number of the apology"],
        "apology_at" => ["ngày văn bản xin lỗi", "date of the apology"],
        "apology_new_due_at" => ["hạn trả mới trong văn bản xin lỗi", "new due date in the apology"],
        "certification" => ["là chứng thực", "it is a certification"],
        "deleted" => ["đã bị xóa ở nguồn", "deleted in the source"],
        "known_first_due_at" => ["hạn trả đầu tiên từng ghi", "first due date that was stated"],
        "explained_due_at" => ["hạn trả muộn nhất có lý do", "latest due date with a reason"],
        "due_pause_seen" => {
            ["có bổ sung hoặc tạm dừng từ khi ghi hạn", "supplement or suspension since the due date was stated"]
        }
        "run" => ["lượt chạy", "run"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expressions::{Expression, dossier_facts, stored_column};
    use crate::model::table::RecordKind;

    #[test]
    fn every_column_that_facts_read_has_a_name() {
        let table = dossier_facts();
        let read = table.facts().filter_map(|fact| fact.expression.as_ref()).flat_map(Expression::columns);
        let stored: Vec<&str> = read
            .filter(|name| table.fact(name).is_none() && stored_column(RecordKind::Dossiers, name).is_some())
            .collect();
        assert!(stored.len() > 20, "{stored:?}");
        let nameless: Vec<&str> = stored.into_iter().filter(|name| stored_words(name).is_none()).collect();
        assert_eq!(nameless, [""; 0]);
    }
}

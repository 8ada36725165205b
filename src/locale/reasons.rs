//! Explanations in Vietnamese for every reason code of a pull or of a connector's health.

use crate::locale::server_reasons;

/// Why, and what to do, in Vietnamese; `None` for an unknown code (of a ledger written by another version).
#[must_use]
pub fn explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "unreachable" => (
            "Không kết nối được tới hệ thống nguồn.",
            "Kiểm tra hệ thống nguồn có hoạt động không, cùng địa chỉ và đường mạng.",
        ),
        "timeout" => (
            "Hệ thống nguồn trả lời quá chậm.",
            "Tăng `limits.read_timeout_secs`, hoặc hỏi từng trang, từng khoảng thời gian nhỏ hơn.",
        ),
        "login_refused" => (
            "Hệ thống nguồn từ chối đăng nhập.",
            "Kiểm tra mã ứng dụng, mật khẩu của kết nối và xem tài khoản có bị khóa không.",
        ),
        "unavailable" => (
            "Hệ thống nguồn báo lỗi phía nguồn (mã 5xx): đang dừng hoặc quá tải.",
            "Báo đơn vị vận hành hệ thống nguồn; lượt chạy sau sẽ đọc lại.",
        ),
        "unexpected_status" => (
            "Hệ thống nguồn trả về mã lỗi.",
            "Đối chiếu đường dẫn và tham số trong `[request]` với tài liệu của nguồn.",
        ),
        "rate_limited" => (
            "Hệ thống nguồn yêu cầu gọi chậm lại.",
            "Giảm `limits.requests_per_second`, hoặc chuyển lượt chạy sang giờ khác.",
        ),
        "not_ready" => (
            "Nguồn chưa chuẩn bị xong danh sách (mã 202).",
            "Chạy lại sau; nếu vẫn vậy, tăng `retry.attempts` và `retry.base_millis`.",
        ),
        "no_content" => (
            "Nguồn trả lời thành công nhưng không có nội dung (mã 204).",
            "Đối chiếu đường dẫn và tham số trong `[request]` với tài liệu của nguồn.",
        ),
        "partial_content" => (
            "Nguồn chỉ gửi một phần của danh sách (mã 206 hoặc `Content-Range`).",
            "Khai báo trong `[pages]` cách hỏi phần tiếp theo; nếu dữ liệu thay đổi trong lúc đọc thì chạy lại.",
        ),
        "tls_certificate" => (
            "Chứng thư số của máy chủ nguồn không được chấp nhận: chưa rõ nơi cấp, hết hạn, hoặc cấp cho tên khác.",
            "Chưa rõ nơi cấp: khai báo tệp PEM của nơi cấp trong `access.ca_certificates`. Hết hạn hoặc sai tên: báo đơn vị vận hành nguồn.",
        ),
        "content_coding" => {
            ("Nguồn nén dữ liệu theo cách mà hệ thống không đọc được.", "Đề nghị nguồn gửi không nén hoặc nén gzip.")
        }
        "html_instead_of_json" => (
            "Nguồn trả về trang web thay cho dữ liệu.",
            "Phiên đăng nhập hết hạn hoặc sai địa chỉ: mở địa chỉ bằng trình duyệt để xem trang đó.",
        ),
        "body_cut_short" => (
            "Dữ liệu hoặc tệp bị ngắt giữa chừng.",
            "Tệp bị cắt: chép lại tệp đầy đủ rồi chạy lại. Hệ thống nguồn: chạy lại; nếu vẫn lỗi, báo đơn vị vận hành nguồn.",
        ),
        "body_too_large" => {
            ("Một trang dữ liệu lớn hơn mức cho phép.", "Hỏi từng trang nhỏ hơn, hoặc tăng `limits.max_body_bytes`.")
        }
        "page_too_long" => (
            "Một câu trả lời có nhiều bản ghi hơn mức cho phép.",
            "Hỏi từng trang nhỏ hơn, hoặc tăng `limits.max_page_records`.",
        ),
        "not_json" => (
            "Dữ liệu hoặc tệp không phải JSON.",
            "Đối chiếu `decode` với dữ liệu của nguồn; tệp bị hỏng thì xin lại tệp; nguồn qua mạng thì kiểm tra cả địa chỉ.",
        ),
        "not_xml" => (
            "Dữ liệu hoặc tệp không phải XML đọc được.",
            "Đối chiếu `decode` với dữ liệu của nguồn; tệp bị hỏng thì xin lại tệp; nguồn qua mạng thì kiểm tra cả địa chỉ.",
        ),
        "no_records" => (
            "Câu trả lời không có danh sách bản ghi.",
            "Nguồn đã đổi cấu trúc hoặc báo lỗi bên trong: kiểm tra `decode.records`.",
        ),
        "no_last_flag" => (
            "Câu trả lời không cho biết đã là trang cuối hay chưa.",
            "Nguồn đã đổi cấu trúc: kiểm tra `pages.end.path`.",
        ),
        "no_cursor" => (
            "Câu trả lời không cho biết trang kế tiếp ở đâu.",
            "Nguồn đã đổi cấu trúc: kiểm tra `[pages]`, nơi ghi trang kế tiếp.",
        ),
        "end_unproved" => (
            "Câu trả lời không ghi trang kế tiếp, và không có gì cho thấy đó là trang cuối: có thể thiếu bản ghi.",
            "Xem nguồn ghi trang kế tiếp ở đâu. Tên đã đổi thì sửa `[pages]`. Nguồn bỏ trống ở trang cuối thì khai `complete.total`, hoặc `absent = true` trong `pages.end` (cả khi đã có `pages.size`), kèm `pages.size` nếu thường có nhiều hơn một trang.",
        ),
        "source_says_failure" => (
            "Nguồn báo lỗi bên trong một câu trả lời thành công.",
            "Tra mã lỗi trong tài liệu của nguồn; `decode.failure` khai báo mã nào không phải lỗi.",
        ),
        _ => return chain_explanation(code),
    })
}

/// Codes of page chains and limits.
fn chain_explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "page_repeated" => (
            "Nguồn gửi lại cùng một trang.",
            "Nguồn bỏ qua tham số trang, hoặc bản ghi đã dịch chuyển: kiểm tra `pages.param` và `pages.first`.",
        ),
        "cursor_stuck" => ("Nguồn trả vòng lặp, không đi tới trang mới.", "Kiểm tra nơi `[pages]` tìm trang kế tiếp."),
        "page_size_capped" => (
            "Nguồn gửi mỗi trang ít bản ghi hơn số được hỏi, nên có thể thiếu bản ghi.",
            "Đặt `pages.size` bằng số bản ghi mà nguồn thật sự gửi, hoặc dùng dấu hiệu kết thúc do nguồn nêu (`last_flag`, `total`).",
        ),
        "keyset_ties" => (
            "Nhiều bản ghi có cùng khóa ở cuối một trang, nên có thể thiếu bản ghi.",
            "Chọn trong `pages.path` một khóa mà mỗi bản ghi có riêng, như mã của bản ghi.",
        ),
        "page_missing" => ("Nguồn gửi một trang khác với trang được hỏi.", "Kiểm tra `pages.first` và `pages.echo`."),
        "total_disagrees" => (
            "Số bản ghi nhận được khác số mà nguồn khai.",
            "Bản ghi thay đổi trong lúc đọc: chạy lại vào giờ vắng, hoặc chia nhỏ khoảng thời gian.",
        ),
        "records_moved" => (
            "Bản ghi dịch chuyển giữa các trang trong lúc đọc.",
            "Chạy lại vào giờ vắng, hoặc chia nhỏ khoảng thời gian.",
        ),
        "retry_budget" => (
            "Nguồn lỗi quá nhiều lần, đã hết số lần thử lại.",
            "Chuyển lượt chạy sang giờ khác, hoặc tăng `retry.budget`.",
        ),
        "plan_changed" => ("Cấu hình đã đổi so với lần đọc dở.", "Chạy lại từ đầu."),
        "page_limit" => {
            ("Số trang vượt mức cho phép.", "Tăng `limits.max_pages` nếu nguồn thật sự có nhiều trang hơn.")
        }
        "detail_limit" => {
            ("Số bản ghi phải hỏi chi tiết vượt mức cho phép.", "Đọc khoảng ngắn hơn, hoặc tăng `limits.max_details`.")
        }
        "record_limit" => {
            ("Số bản ghi vượt mức cho phép.", "Tăng `limits.max_records` nếu nguồn thật sự có nhiều bản ghi hơn.")
        }
        "wrong_host" => {
            ("Nguồn chuyển hướng sang máy chủ khác.", "Thường là trang đăng nhập: kiểm tra `access.base_url`.")
        }
        _ => return file_explanation(code),
    })
}

/// Codes of files and of the configuration of a connector.
fn file_explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "header_not_found" => (
            "Tệp không có dòng tiêu đề, hoặc thiếu cột bắt buộc.",
            "Mẫu tệp đã đổi: đối chiếu dòng tiêu đề với `decode.header` và `map`.",
        ),
        "heading_repeated" => (
            "Dòng tiêu đề có nhiều cột cùng tên với cột cần đọc.",
            "Đề nghị nơi gửi đặt tên cột khác nhau; hoặc người trực kỹ thuật khai `from = { column = \"…\", nth = 2 }`.",
        ),
        "headings_moved" => {
            ("Tệp có dòng tiêu đề thứ hai với thứ tự cột khác.", "Đề nghị nơi gửi tách tệp hoặc giữ một thứ tự cột.")
        }
        "not_utf8" => ("Tệp không phải bảng mã UTF-8.", "Lưu lại tệp dạng UTF-8 (trong Excel: CSV UTF-8)."),
        "wrong_encoding" => (
            "Tệp không đúng bảng mã đã khai báo.",
            "Đối chiếu `decode.encoding` với cách lưu tệp, hoặc lưu lại dạng UTF-8.",
        ),
        "unclosed_quote" => (
            "Tệp kết thúc giữa một ô có dấu nháy kép.",
            "Tệp bị cắt, hoặc dấu nháy kép thiếu một nửa: đề nghị gửi lại tệp.",
        ),
        "expands_too_far" => (
            "Tệp nén bung ra lớn hơn mức cho phép.",
            "Đề nghị gửi tệp nhỏ hơn, hoặc tăng `limits.max_expanded_bytes` nếu tệp đúng.",
        ),
        "file_damaged" => ("Tệp bị hỏng.", "Mở bằng Excel rồi lưu lại, hoặc đề nghị gửi lại tệp."),
        "file_encrypted" => ("Tệp có mật khẩu.", "Đề nghị gửi tệp không có mật khẩu."),
        "not_a_workbook" => (
            "Tệp không phải bảng dữ liệu như đã khai: là trang web, văn bản, hoặc tệp của Excel 95 trở về trước.",
            "Đề nghị gửi lại danh sách; hoặc mở bằng Excel rồi lưu đúng dạng đã khai (`.xlsx` hoặc CSV UTF-8).",
        ),
        "not_csv" => (
            "Tệp có đuôi CSV nhưng bên trong là bảng tính Excel.",
            "Mở bằng Excel rồi lưu dạng `CSV UTF-8`. Nếu nguồn luôn gửi bảng tính: người trực kỹ thuật khai `decode.type = \"spreadsheet\"`.",
        ),
        "trailer_missing" => (
            "Thiếu dòng tổng cộng ở cuối tệp.",
            "Tệp bị cắt hoặc đổi mẫu: đề nghị gửi lại, hoặc sửa `decode.footers` và `complete.trailer`.",
        ),
        "trailer_disagrees" => (
            "Dòng tổng cộng khác với các dòng phía trên.",
            "Có dòng bị thiếu hoặc bị sửa tay: xem dòng tổng cộng, hoặc đề nghị gửi lại tệp.",
        ),
        "rows_below_footer" => (
            "Còn dòng dữ liệu phía dưới dòng tổng cộng.",
            "Đề nghị một danh sách không chia phần, hoặc bỏ dòng tổng của từng phần khỏi `decode.footers`.",
        ),
        "file_empty" => (
            "Tệp không có nội dung.",
            "Phần mềm xuất tệp rỗng hoặc việc chép tệp bị ngắt: đề nghị gửi lại tệp, hoặc xóa tệp đó.",
        ),
        "ends_in_nuls" => (
            "Cuối tệp toàn ký tự rỗng (NUL): có thể phần cuối chưa được ghi. Các dòng đọc được vẫn được tính.",
            "Chép lại hoặc đề nghị gửi lại tệp. Nếu phần mềm xuất tệp luôn thêm ký tự rỗng: đề nghị thêm dòng tổng cộng và khai trong `decode.footers`.",
        ),
        "file_growing" => ("Tệp còn đang được ghi.", "Lượt sau sẽ đọc tệp này."),
        "unset_placeholder" => (
            "Thiếu một biến môi trường của kết nối.",
            "Đặt biến đó (biến bí mật có thể để trong tệp mà `TÊN_FILE` chỉ tới); README của kết nối liệt kê các biến.",
        ),
        "folder_missing" => ("Không có thư mục chứa tệp.", "Tạo thư mục, gắn lại ổ chia sẻ, hoặc sửa `access.folder`."),
        "file_unreadable" => (
            "Không đọc được tệp hoặc thư mục.",
            "Kiểm tra quyền của thư mục và các tệp; lối tắt (link) phải dẫn tới tệp có thật.",
        ),
        "misconfigured" => {
            ("Cấu hình kết nối không thực hiện được.", "Sửa `connector.toml`, hoặc biến mà thông báo nêu tên.")
        }
        _ => return server_reasons::explanation(code).or_else(|| run_explanation(code)),
    })
}

/// Codes of runs, health and publications.
fn run_explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "field_missing" => (
            "Nguồn không còn một trường mà kết nối cần.",
            "Sửa `map`; nếu nguồn được phép thiếu, đặt `default = \"\"` hoặc `contract.missing = \"accept\"`.",
        ),
        "all_rejected" => (
            "Mọi dòng đều bị loại.",
            "Đối chiếu định dạng và mã của kết nối với nguồn; mục Dòng bị loại cho biết trường nào sai.",
        ),
        "page_rejected" => (
            "Có trang mà mọi dòng đều bị loại.",
            "Trang đó có mẫu khác: xem mục Dòng bị loại, rồi sửa `map` hoặc đề nghị nguồn sửa.",
        ),
        "key_in_other_case" => (
            "Có mã chỉ khác mã khác ở chữ hoa, chữ thường: một hồ sơ có thể bị đếm hai lần.",
            "Đề nghị nguồn ghi mã thống nhất; hoặc người trực kỹ thuật khai kiểu `dossier_code` cho mã.",
        ),
        "codes_shared" => (
            "Có hồ sơ trùng mã với hồ sơ khác của cùng kết nối: một hồ sơ có thể bị đếm hai lần.",
            "Hỏi đơn vị vận hành nguồn xem khóa của bản ghi có bị đổi không; người trực kỹ thuật xem `motcua groups --shared`.",
        ),
        "empty" => (
            "Nguồn không gửi bản ghi nào, trong khi cùng thứ các tuần trước đều có.",
            "Hỏi đơn vị vận hành nguồn; nếu đúng là không có, đặt `contract.least_of_usual`.",
        ),
        "unusual_volume" => (
            "Số bản ghi khác xa cùng thứ các tuần trước.",
            "Hỏi đơn vị vận hành nguồn; nếu đúng, đặt `contract.least_of_usual` hoặc `most_of_usual`.",
        ),
        "rejects_over_budget" => (
            "Số dòng bị loại vượt mức cho phép.",
            "Xem mục Dòng bị loại, sửa `map` hoặc đề nghị nguồn sửa, rồi nhận lại dòng bị loại.",
        ),
        "contract_broken" => (
            "Nguồn thay đổi đúng điểm mà kết nối được yêu cầu phải dừng.",
            "Sửa `map`, hoặc cho `[contract]` báo thay vì dừng.",
        ),
        "no_file" => (
            "Thư mục không có tệp nào khớp mẫu tên.",
            "Kiểm tra đúng thư mục, ổ chia sẻ còn gắn, và tệp đã được gửi chưa. Nếu tệp được chuyển đi sau khi đọc, đặt `contract.least_of_usual = 0.0`.",
        ),
        "interrupted" => ("Lượt chạy bị ngắt trong lúc đọc trang.", "Lượt chạy sau sẽ đọc lại; không mất dữ liệu."),
        "stopped" => (
            "Lượt chạy đã được dừng theo yêu cầu trong lúc đọc trang.",
            "Không cần làm gì: đêm sau sẽ đọc lại. Đọc bù, nhận lại dòng bị loại: thực hiện lại.",
        ),
        "own_error" => (
            "Lỗi của chính motcua khi đọc hoặc ghi dữ liệu, không phải lỗi của nguồn.",
            "Xem nhật ký; kiểm tra thư mục dữ liệu còn ghi được và còn chỗ trống. Lượt chạy sau sẽ đọc lại.",
        ),
        "stored_data_damaged" => (
            "Tệp dữ liệu đã lưu của kết nối bị hỏng hoặc bị mất; kết nối dừng để không ra số liệu sai.",
            "Báo người trực kỹ thuật: chép lại đúng tệp đó từ bản sao lưu mới nhất, chạy `motcua verify`, rồi chạy lại. Kiểm tra ổ đĩa.",
        ),
        "disk_full" => (
            "Ổ đĩa của máy chủ đã đầy nên không ghi được dữ liệu.",
            "Báo người trực kỹ thuật giải phóng chỗ trống (có thể dùng `motcua vacuum`), rồi chạy lại. Dữ liệu đã lưu không mất.",
        ),
        "publication_failed" => (
            "Không ghi được vào cơ sở dữ liệu ngoài.",
            "Kiểm tra máy chủ có chạy không và tài khoản có quyền ghi không. Hệ thống tự thử lại.",
        ),
        "publication_behind" => (
            "Cơ sở dữ liệu ngoài chưa có số liệu của đêm mới nhất.",
            "Dịch vụ sẽ tự ghi; có thể ghi ngay bằng `motcua publish`.",
        ),
        "paused" => ("Kết nối đang được tạm dừng.", "Cho chạy lại trên trang của kết nối này."),
        "night_failed" => {
            ("Đêm chạy không hoàn thành: chưa công bố được số liệu.", "Xử lý điều mà thông báo gốc nêu, rồi chạy lại.")
        }
        "night_stopped" => (
            "Đêm chạy đã được dừng theo yêu cầu: chưa có số liệu mới.",
            "Muốn có số liệu ngay: bấm Chạy ngay, hoặc người trực kỹ thuật chạy `motcua run`; nếu không, chờ lịch kế tiếp.",
        ),
        "slot_missed" => ("Lượt chạy theo lịch bị bỏ lỡ.", "Chạy ngay bằng nút trên trang này, hoặc chờ lịch kế tiếp."),
        "late" => (
            "Đã quá lâu chưa đọc đủ dữ liệu.",
            "Kiểm tra dịch vụ `motcua serve`, hoặc lịch chạy `motcua run` hằng đêm, còn hoạt động không.",
        ),
        "silent" => (
            "Nguồn vẫn trả lời nhưng đã nhiều ngày không có dữ liệu mới.",
            "Hỏi đơn vị vận hành nguồn xem hệ thống có còn cập nhật hồ sơ không.",
        ),
        "drifted" => (
            "Các trường của nguồn đã thay đổi.",
            "Đối chiếu nguồn với `map` và `contract.known`; kết nối được sửa sẽ đọc lại tất cả.",
        ),
        "not_ended" => ("Lần đọc gần nhất chưa kết thúc.", "Đang chạy, hoặc đã bị ngắt: lượt chạy sau sẽ hoàn tất."),
        "never_run" => ("Chưa có lượt chạy nào.", "Chạy ngay, hoặc chờ lịch kế tiếp."),
        "disabled" => {
            ("Kết nối bị tắt trong cấu hình.", "Không cần làm gì; bật lại bằng cách bỏ tên khỏi `disabled_connectors`.")
        }
        _ => return deletion_explanation(code),
    })
}

/// Codes of rows that a source no longer lists.
fn deletion_explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "details_unbelievable" => (
            "Nguồn không trả chi tiết của quá nhiều hồ sơ, khó là do xóa.",
            "Hệ thống chưa đánh dấu xóa hồ sơ nào và sẽ hỏi lại ở lượt chạy sau: kiểm tra dịch vụ chi tiết của nguồn. Nếu xóa thật, người trực kỹ thuật chạy `motcua deletions accept`.",
        ),
        "sweep_unbelievable" => (
            "Quá nhiều bản ghi biến mất khỏi nguồn, khó là do xóa.",
            "Hỏi đơn vị vận hành nguồn có xóa thật không; hệ thống chưa đánh dấu xóa dòng nào. Nếu xóa thật, người trực kỹ thuật chạy `motcua deletions accept`.",
        ),
        "file_replaced" => (
            "Một tệp chỉ còn chưa đến một nửa số dòng cũ; các dòng mất đi vẫn được giữ.",
            "Nếu tên tệp được dùng lại cho danh sách khác, đặt `content = \"append\"` hoặc đặt mỗi danh sách một tên; nếu tệp bị hỏng, chép lại tệp đúng; nếu xóa thật, người trực kỹ thuật chạy `motcua deletions accept`.",
        ),
        "deletions_too_many" => (
            "Quá nhiều dòng không còn trong tệp nào, khó là do xóa.",
            "Hỏi nơi gửi tệp có xóa thật không; hệ thống chưa đánh dấu xóa dòng nào. Nếu xóa thật, người trực kỹ thuật chạy `motcua deletions accept`.",
        ),
        "deletions_unproved" => (
            "Có dòng không còn trong tệp, nhưng chưa chắc là do xóa: có dòng bị loại không đọc được mã, có thể là chính dòng đó.",
            "Xem mục Dòng bị loại và sửa các dòng đó trong tệp, rồi bấm Chạy ngay hoặc chờ lượt chạy tới. Đến khi đó hệ thống chưa xóa dòng nào.",
        ),
        "file_perhaps_cut" => (
            "Có dòng không còn trong tệp, nhưng tệp có thể bị cắt: thiếu dòng tổng cộng hoặc ký tự xuống dòng ở cuối mà tệp trước có.",
            "Đối chiếu với tệp gốc, hoặc chép lại tệp. Hệ thống chưa xóa dòng nào. Nếu xóa thật, người trực kỹ thuật chạy `motcua deletions accept`.",
        ),
        "kept_rows_lost" => (
            "Bản lưu các dòng của một tệp cũ không đọc được, nên chưa lấy lại được giá trị của tệp đó.",
            "Sửa nhẹ rồi lưu lại các tệp cũ (ví dụ thêm một dòng trống ở cuối) để hệ thống đọc lại.",
        ),
        _ => return None,
    })
}

//! Explanations in Vietnamese for the reason codes of folders on servers.

/// Why, and what to do; `None` for another code.
pub(super) fn explanation(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "list_incomplete" => (
            "Không nhận được đủ danh sách tệp của thư mục.",
            "Chạy lại; nếu vẫn lỗi, chia nhỏ thư mục, hoặc đề nghị bên gửi chuyển các tệp cũ sang thư mục khác.",
        ),
        "file_vanished" => (
            "Tệp có trong danh sách nhưng không còn trên máy chủ khi đọc.",
            "Bên gửi đã chuyển hoặc xóa tệp trong lúc đọc: lượt sau sẽ đọc những tệp đang có.",
        ),
        "host_key" => (
            "Khóa của máy chủ SFTP không đúng với khóa đã ghi nhận.",
            "Hỏi đơn vị vận hành nguồn dấu vân tay của khóa. Nếu đúng, người trực kỹ thuật ghi khóa mới vào tệp `known_hosts` của kết nối.",
        ),
        _ => return None,
    })
}

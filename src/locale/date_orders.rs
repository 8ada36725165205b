//! Names of impossible orders of dates.

/// An impossible order of dates: Vietnamese, English; `None` for an unknown name.
#[must_use]
pub fn date_order(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "completed_before_received" => ("Xử lý xong trước khi tiếp nhận", "Completed before received"),
        "returned_before_received" => ("Trả kết quả trước khi tiếp nhận", "Returned before received"),
        "withdrawn_before_received" => ("Rút hồ sơ trước khi tiếp nhận", "Withdrawn before received"),
        "refused_before_received" => ("Từ chối trước khi tiếp nhận", "Refused before received"),
        "stopped_before_received" => ("Dừng xử lý trước khi tiếp nhận", "Stopped before received"),
        "due_before_received" => ("Hẹn trả trước khi tiếp nhận", "Due before received"),
        "delivered_before_accepted" => ("Phát bưu gửi trước khi chấp nhận", "Delivered before accepted"),
        "handled_before_received" => ("Xử lý trước khi tiếp nhận", "Handled before received"),
        "answered_before_received" => ("Trả lời trước khi tiếp nhận", "Answered before received"),
        "published_before_answered" => ("Công khai trước khi trả lời", "Published before answered"),
        "new_due_before_apology" => ("Hẹn lại trước ngày xin lỗi", "New due date before the apology"),
        "numerator_above_denominator" => ("Tử số lớn hơn mẫu số", "Numerator above denominator"),
        "received_in_future" => ("Ngày tiếp nhận ở tương lai", "Received in the future"),
        "completed_in_future" => ("Ngày xử lý xong ở tương lai", "Completed in the future"),
        "accepted_in_future" => ("Ngày chấp nhận bưu gửi ở tương lai", "Accepted in the future"),
        "handled_in_future" => ("Ngày xử lý ở tương lai", "Handled in the future"),
        "entered_in_future" => ("Ngày nhập ở tương lai", "Entered in the future"),
        "changed_in_future" => ("Thời điểm cập nhật ở tương lai", "Changed in the future"),
        "apology_in_future" => ("Ngày xin lỗi ở tương lai", "Apology in the future"),
        _ => return None,
    })
}

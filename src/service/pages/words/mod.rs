//! Texts of the pages in Vietnamese and English. The compiler checks that every text exists in both languages.

mod formatting;
#[cfg(test)]
mod reasons_tests;
mod row_reasons;

use crate::health::HealthState;
use crate::locale::Language;
use crate::model::figure::Met;
use crate::model::pull::{DriftKind, Outcome, Purpose};
use crate::run::SlotState;

pub(super) use crate::locale::date_order;
pub(super) use row_reasons::rejection_reason;

impl Language {
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Vietnamese => &VIETNAMESE,
            Self::English => &ENGLISH,
        }
    }

    pub(crate) fn state(self, state: HealthState) -> &'static str {
        match state {
            HealthState::Healthy => self.of("Tốt", "Healthy"),
            HealthState::Late => self.of("Trễ", "Late"),
            HealthState::Incomplete => self.of("Chưa đủ", "Incomplete"),
            HealthState::Failing => self.of("Lỗi", "Failing"),
            HealthState::Drifted => self.of("Nguồn thay đổi", "Drifted"),
            HealthState::Degraded => self.of("Nhiều dòng bị loại", "Degraded"),
            HealthState::NeverRun => self.of("Chưa chạy", "Never run"),
            HealthState::Disabled => self.of("Đã tắt", "Disabled"),
        }
    }

    pub(crate) fn outcome(self, outcome: Option<Outcome>) -> &'static str {
        match outcome {
            Some(Outcome::Complete) => self.of("Đủ", "Complete"),
            Some(Outcome::Degraded) => self.of("Nhiều dòng bị loại", "Degraded"),
            Some(Outcome::Incomplete) => self.of("Chưa đủ", "Incomplete"),
            Some(Outcome::Failed) => self.of("Lỗi", "Failed"),
            None => self.of("Chưa kết thúc", "Not ended"),
        }
    }

    pub(super) fn slot(self, state: SlotState) -> &'static str {
        match state {
            SlotState::Begun => self.of("đã bắt đầu", "begun"),
            SlotState::Done => self.of("đã chạy", "done"),
            SlotState::Failed => self.of("không chạy được", "failed"),
            SlotState::Stopped => self.of("đã bị dừng", "stopped"),
            SlotState::Missed => self.of("bị bỏ lỡ", "missed"),
        }
    }

    pub(crate) fn purpose(self, purpose: Purpose) -> &'static str {
        match purpose {
            Purpose::Night => self.of("Hằng đêm", "Night"),
            Purpose::Retry => self.of("Nhận lại dòng bị loại", "Retry"),
            Purpose::Replay => self.of("Xử lý lại dữ liệu đã tải", "Replay"),
            Purpose::Backfill => self.of("Đọc bù quá khứ", "Backfill"),
        }
    }

    pub(crate) fn drift(self, kind: DriftKind) -> &'static str {
        match kind {
            DriftKind::New => self.of("trường mới", "new field"),
            DriftKind::Missing => self.of("thiếu trường", "missing field"),
            DriftKind::IllTyped => self.of("giá trị sai kiểu", "ill-typed field"),
        }
    }

    pub(super) fn met(self, met: Met) -> &'static str {
        match met {
            Met::Yes => self.of("Đạt", "Met"),
            Met::No => self.of("Chưa đạt", "Not met"),
            Met::Open => self.of("Còn có thể đạt", "Still possible"),
            Met::Unknown => self.of("Chưa rõ", "Unknown"),
        }
    }
}

macro_rules! words {
    ($($name:ident: $vietnamese:literal, $english:literal;)*) => {
        /// Labels and sentences that contain no values.
        #[derive(Debug)]
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)*
        }

        static VIETNAMESE: Words = Words { $($name: $vietnamese,)* };
        static ENGLISH: Words = Words { $($name: $english,)* };

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name),)*];
        #[cfg(test)]
        fn pair(name: &str) -> (&'static str, &'static str) {
            match name {
                $(stringify!($name) => (VIETNAMESE.$name, ENGLISH.$name),)*
                _ => ("", ""),
            }
        }
    };
}

words! {
    product: "Số liệu một cửa", "One-stop-shop statistics";
    skip: "Đến nội dung chính", "Skip to content";
    nav: "Điều hướng chính", "Main navigation";
    figures: "Số liệu", "Figures";
    connectors: "Kết nối", "Connectors";
    log_in: "Đăng nhập", "Log in";
    log_out: "Đăng xuất", "Log out";
    logged_in_as: "Tài khoản", "Signed in as";
    scope_operate: "điều hành", "operate";
    scope_read: "chỉ đọc", "read only";
    api: "API cho hệ thống khác", "API for other systems";
    footer: "Số liệu tính tự động mỗi đêm từ hệ thống một cửa và bưu chính công ích.", "Computed every night from the one-stop-shop systems and the public post.";
    details: "Thông báo gốc", "Original message";
    details_with_place: "Lỗi ở đâu (thông báo gốc, tiếng Anh)", "Where (original message)";
    none: "Không có", "None";

    token: "Mã truy cập", "Access token";
    token_help: "Mã do người trực kỹ thuật cấp, bắt đầu bằng motcua_.", "Issued by the administrator; starts with motcua_.";
    login_intro: "Số liệu và tình trạng kết nối chỉ dành cho người có mã truy cập.", "Figures and the health of connectors need an access token.";
    login_failed: "Mã truy cập không đúng hoặc không còn hiệu lực.", "The token is wrong or no longer valid.";

    not_done: "Thao tác chưa được thực hiện: đang có lượt chạy khác. Hãy thử lại sau khi lượt đó xong.", "Not started: another run is under way. Try again when it has ended.";
    done_run: "Đã nhận lệnh: lượt chạy bắt đầu ngay khi kho dữ liệu rảnh.", "Requested: the run begins as soon as the data folder is free.";
    done_retry: "Đã nhận lệnh: các dòng bị loại sẽ được nhận lại.", "Requested: rejected rows will be processed again.";
    done_pause: "Đã tạm dừng kết nối.", "The connector is paused.";
    done_resume: "Kết nối chạy lại từ lịch kế tiếp.", "The connector runs again from its next slot.";
    run_all: "Chạy tất cả ngay", "Run all now";
    run_one: "Chạy ngay", "Run now";
    retry_rejected: "Nhận lại dòng bị loại", "Retry rejected rows";
    pause: "Tạm dừng", "Pause";
    resume: "Cho chạy lại", "Resume";
    operations: "Thao tác", "Operations";
    under_way: "Đang chạy", "Under way";
    undone: "Lần chạy gần nhất không làm được", "The last run failed";
    ordered: "Có lệnh đang chờ thực hiện.", "A requested run is waiting.";

    connectors_lead: "Nguồn dữ liệu của số liệu hằng đêm: đọc được đến đâu, vì sao, cần làm gì.", "Sources of the nightly figures: their state, the reason, and what to do.";
    connector: "Kết nối", "Connector";
    state: "Tình trạng", "State";
    since: "từ", "since";
    why: "Vì sao", "Why";
    to_do: "Cần làm", "What to do";
    nights: "14 đêm gần nhất", "Last 14 nights";
    received: "Nhận", "Received";
    accepted: "Ghi mới", "Accepted";
    unchanged: "Không đổi", "Unchanged";
    duplicate: "Trùng", "Duplicate";
    superseded: "Bị thay thế", "Superseded";
    quarantined: "Bị loại", "Quarantined";
    open_rejections: "Dòng bị loại chưa xử lý", "Open rejections";
    data_until: "Dữ liệu đến", "Data until";
    last_success: "Lần đọc đủ gần nhất", "Last success";
    next_run: "Lần chạy tới", "Next run";
    publications: "Nơi công bố", "Publications";
    publication: "Nơi công bố", "Publication";
    publications_lead: "Cơ sở dữ liệu ngoài được ghi sau mỗi đêm.", "External databases that each night is written to.";
    published_last: "Công bố gần nhất", "Last published";
    n_complete: "đủ", "complete";
    n_degraded: "nhiều dòng bị loại", "degraded";
    n_incomplete: "chưa đủ", "incomplete";
    n_failed: "lỗi", "failed";
    n_missed: "bỏ lỡ", "missed";
    n_none: "không chạy", "no run";
    n_not_yet: "chưa đến lượt", "not yet due";
    n_running: "đang chạy", "under way";
    legend: "Chú giải", "Legend";

    system: "Hệ thống nguồn", "Source system";
    contact: "Liên hệ", "Contact";
    schedule: "Lịch chạy", "Schedule";
    fresh_within: "coi là trễ sau", "late after";
    hours: "giờ", "hours";
    pulls: "Các lần đọc", "Pulls";
    pulls_caption: "Các lần đọc gần nhất, mới nhất trước", "Last pulls, newest first";
    run: "Lượt", "Run";
    purpose: "Mục đích", "Purpose";
    started: "Bắt đầu", "Started";
    took: "Thời gian", "Duration";
    outcome: "Kết quả", "Outcome";
    pages: "Trang", "Pages";
    declared: "Số nguồn công bố", "Declared";
    distinct_keys: "Số bản ghi khác nhau", "Distinct keys";
    equation: "Nhận = ghi mới + không đổi + trùng + bị thay thế + bị loại", "Received = accepted + unchanged + duplicate + superseded + quarantined";
    drift: "Thay đổi của nguồn", "Drift";
    drift_caption: "Trường khác với khai báo, của lần đọc gần nhất", "Fields that differ from the contract, last pull";
    field: "Trường", "Field";
    kind: "Loại", "Kind";
    first_seen: "Gặp đầu tiên", "First seen";
    rows: "Số dòng", "Rows";
    page_row: "Trang, dòng", "Page, row";
    impossible: "Ngày tháng vô lý", "Impossible dates";
    impossible_caption: "Trình tự ngày không thể có, của lần đọc gần nhất", "Impossible orders of dates, last pull";
    order: "Trình tự", "Order";
    no_drift: "Các trường của nguồn đúng như khai báo.", "The fields of the source are as declared.";
    not_compared: "Đêm gần nhất không đọc được nguồn nên chưa đối chiếu.", "The newest night could not read the source, so its fields were not compared.";
    slots: "Lịch bị bỏ lỡ hoặc chạy bù", "Slots missed or made up";
    slots_caption: "Lịch không chạy đúng giờ, mới nhất trước", "Slots that did not run on time, newest first";
    slot: "Lịch", "Slot";
    made_up: "chạy bù", "made up";
    no_slots: "Không có lịch nào bị bỏ lỡ.", "No slot was missed.";
    rejections: "Dòng bị loại chưa xử lý", "Open rejections";
    rejection_groups: "Theo trường và lý do", "By field and reason";
    rejection_list: "Từng dòng", "Row by row";
    reason: "Lý do", "Reason";
    whole_row: "cả dòng", "whole row";
    no_rejections: "Không còn dòng nào bị loại.", "There are no open rejections.";
    row: "Mã số", "No.";
    file_row: "Tệp, dòng", "File, row";
    nothing_new: "Lần đọc gần nhất không thấy tệp mới hoặc tệp đã sửa.", "The last pull found no new or changed file.";
    earlier_data: "Số liệu vẫn dùng những gì các lần đọc trước đã lưu.", "The figures still use what earlier pulls stored.";
    newer: "Mới hơn", "Newer";
    older: "Cũ hơn", "Older";
    paging: "Phân trang", "Paging";
    rejected_row: "Dòng bị loại", "Rejected row";
    origin: "Nguồn gốc", "Origin";
    kept_fields: "Các trường được giữ", "Kept fields";
    kept_caption: "Những gì hệ thống giữ lại của dòng", "Fields of the row that were kept";
    kept_none: "Kho tải về không còn giữ trang này.", "This page is no longer in landing.";
    kept_note: "Lượt xem này được ghi vào nhật ký truy cập. Trong hình dạng của một giá trị không lưu: A là chữ hoa, a chữ thường, 9 chữ số, _ khoảng trắng, dấu chấm là ký tự khác.", "This view is recorded in the access log. In the shape of a value that is not stored: A for capital letters, a for small ones, 9 for digits, _ for spaces, a dot for others.";
    value: "Giá trị", "Value";
    closed_by: "Đã xử lý ở lượt", "Closed by run";
    still_open: "chưa xử lý", "open";

    certificates: "Kết quả đọc của từng kết nối", "Pulls by connector";
    finished: "Kết thúc", "Finished";
    complete: "Đủ số liệu", "Complete";
    provisional: "Tạm thời", "Provisional";
    chains: "Chuỗi trang", "Page chains";
    chain: "Chuỗi", "Chain";
    no_figures: "Không công bố số liệu", "Published no figures";
    not_ended_yet: "Đang chạy", "Under way";
    runs_figures: "Số liệu của lượt", "Figures of the run";

    figures_lead: "Từng chỉ số với tử số, mẫu số, chỉ tiêu và căn cứ.", "Each indicator with its counts, target and legal source.";
    as_of: "Tính lúc", "As of";
    filter: "Lọc", "Filter";
    period: "Kỳ báo cáo", "Period";
    scope: "Phạm vi", "Scope";
    apply: "Xem", "Show";
    download: "Tải về", "Download";
    excel: "Excel", "Excel";
    csv_semicolon: "CSV (dấu ;)", "CSV (;)";
    csv_comma: "CSV (dấu ,)", "CSV (,)";
    all_agencies: "Mọi đơn vị (Excel)", "All agencies (Excel)";
    whole_province: "Toàn tỉnh", "Whole province";
    tiers: "Cấp hành chính", "Tiers";
    other_agencies: "Ngoài danh mục", "Not in the registry";
    indicator: "Chỉ số", "Indicator";
    counts: "Đạt / tổng số", "Part / whole";
    target: "Chỉ tiêu", "Target";
    met: "So với chỉ tiêu", "Against target";
    trend: "Xu hướng", "Trend";
    no_target: "không đặt", "none";
    unmatched: "chưa đối chiếu được", "unmatched";
    running: "chưa hết kỳ", "still running";
    before_law: "trước khi văn bản có hiệu lực", "before the document came into force";
    nothing_here: "Không có số liệu cho phạm vi và kỳ này.", "There are no figures for this scope and period.";
    agency: "Đơn vị", "Agency";
    sort_by: "Sắp xếp theo", "Sort by";
    by_name: "tên đơn vị", "name";
    law: "Căn cứ", "Legal source";
    in_force_from: "hiệu lực từ", "in force from";
    evidence: "Tài liệu kiểm chứng", "Evidence";
    lead_agency: "Cơ quan chủ trì", "Lead agency";
    rules: "Bộ quy tắc", "Rule set";
    counted_by: "Tính theo", "Period assigned by";
    definition: "Cách tính", "Definition";
    formula: "Công thức (điều kiện SQL)", "Formula (SQL conditions)";
    population: "Phạm vi tính", "Population";
    numerator: "Tử số", "Numerator";
    denominator: "Mẫu số", "Denominator";
    note: "Ghi chú", "Note";
    by_agency: "Theo đơn vị", "By agency";
    figures_of: "Số liệu của", "Figures of";
    source_quality: "Chất lượng dữ liệu nguồn", "Quality of the source data";
    summary: "Tóm tắt", "Summary";
    back: "Về danh sách chỉ số", "Back to all indicators";
    no_trend: "một kỳ", "one period only";

    api_lead: "Hệ thống khác lấy số liệu và tình trạng kết nối qua các đường dẫn dưới đây.", "Other systems read figures and health through these paths.";
    api_document: "Tài liệu OpenAPI", "OpenAPI document";
    api_example: "Ví dụ", "Example";
    api_note: "Mô tả chi tiết của API bằng tiếng Anh.", "";
    api_caption: "Các thao tác của API", "Operations of the API";
    method: "Phương thức", "Method";
    path: "Đường dẫn", "Path";
    what: "Nội dung", "Description";
    parameters: "Tham số", "Parameters";
    answers: "Trả lời", "Answers";
    needs: "Quyền", "Scope";

    t400: "Yêu cầu không hợp lệ", "Bad request";
    t401: "Cần đăng nhập", "Log in first";
    t403: "Không được phép", "Not allowed";
    t404: "Không tìm thấy trang", "Not found";
    t405: "Thao tác không được hỗ trợ", "Not supported";
    t408: "Hết thời gian chờ", "Timed out";
    t413: "Nội dung gửi lên quá lớn", "Too large";
    t429: "Thử quá nhiều lần", "Too many attempts";
    t500: "Lỗi của hệ thống", "Internal error";
    t503: "Chưa có đêm nào", "No night yet";
    t503_busy: "Hệ thống đang bận", "Busy";
    t503_time: "Hết thời gian chờ", "Timed out";
    t400_why: "Đường dẫn có giá trị mà hệ thống không có: kỳ báo cáo, đơn vị hoặc bộ lọc.", "The address contains a period, agency or filter that does not exist.";
    t403_why: "Thao tác bị từ chối: mã truy cập không có quyền, biểu mẫu đã cũ, hoặc yêu cầu đến từ trang khác. Hãy mở lại trang và thử lại.", "Refused: the token lacks the scope, the form is out of date, or the request came from another site. Open the page again and retry.";
    t404_why: "Địa chỉ không đúng, hoặc nội dung không còn được giữ.", "The address is wrong, or the content has been deleted.";
    t405_why: "Trang này không nhận thao tác vừa gửi.", "This page does not support the request.";
    t408_why: "Dữ liệu gửi lên không đến đủ trong thời gian cho phép. Hãy kiểm tra đường truyền và gửi lại.", "What was sent did not arrive in time. Check the connection and send it again.";
    t413_why: "Hãy gửi ít dữ liệu hơn.", "Send less data.";
    t500_why: "Nguyên nhân được ghi trong nhật ký của dịch vụ. Hãy báo người trực kỹ thuật.", "The cause is in the service's log. Tell the engineer on duty.";
    t503_why: "Số liệu xuất hiện sau lượt chạy đầu tiên. Trang Kết nối cho biết lượt kế tiếp.", "Figures appear after the first run. The connectors page shows when the next run is.";
    t503_busy_why: "Nhiều yêu cầu đang được trả lời cùng lúc. Hãy thử lại sau ít phút.", "Many requests are being answered. Try again in a few minutes.";
    t503_time_why: "Trang này mất quá nhiều thời gian. Hãy thử lại sau ít phút, hoặc chọn phạm vi hẹp hơn.", "This page took too long. Try again in a few minutes, or choose a narrower scope.";
    go_on: "Đi tiếp", "Continue with";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_empty_and_vietnamese_is_in_composed_form() {
        use unicode_normalization::UnicodeNormalization as _;
        for name in NAMES {
            let (vietnamese, english) = pair(name);
            assert!(!vietnamese.is_empty(), "{name}");
            assert!(!english.is_empty() || *name == "api_note", "{name}");
            assert_eq!(vietnamese.nfc().collect::<String>(), vietnamese, "{name}");
        }
    }
}

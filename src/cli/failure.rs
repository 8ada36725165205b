//! Failures of a verb: message, hint and exit code. Those of runs are in `run_failure`.

use std::fmt::Display;
use std::path::Path;

use jiff::civil::Date;

use crate::cli::exit_codes::{INTERNAL, USAGE};
use crate::cli::language::{self, text};
use crate::config::{Configuration, Problems};
use crate::model::near_names::near_names;
use crate::model::period::Period;
use crate::run::with_causes;
use crate::simulator::SimulatorError;

/// What to do in an office without connectors.
pub(super) fn first_connector() -> &'static str {
    language::of(
        "`motcua connectors new TÊN --from TỆP` soạn nháp một kết nối từ một tệp mà nguồn gửi, `motcua check ./TÊN` đọc thử; sau đó \
         chuyển thư mục của kết nối vào thư mục các kết nối",
        "`motcua connectors new NAME --from FILE` drafts one from a file that a source delivers, and `motcua check ./NAME` tries it; \
         then move its folder into that of the connectors",
    )
}

/// Why a verb failed.
#[derive(Debug)]
pub struct Failure {
    pub(super) code: u8,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self { code: INTERNAL, message: message.into(), hint: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into(), hint: None }
    }

    /// A verb reads what was stored, and nothing is there.
    pub(super) fn no_data_folder(data: &Path) -> Self {
        Self::usage(text!("không có thư mục dữ liệu `{}`", "there is no data folder `{}`", data.display())).with_hint(
            language::of(
                "nêu thư mục khác bằng `--data` hoặc trong tệp cài đặt; `motcua run` tạo thư mục này cùng đêm đầu tiên",
                "name another one with `--data` or in the settings; `motcua run` creates it with the first night",
            ),
        )
    }

    /// A verb reads sources, and no connector is configured.
    pub(super) fn no_connector(config: &Configuration) -> Self {
        let folder = config.settings.connectors.display();
        Self::usage(text!(
            "chưa có kết nối nào trong `{folder}`: không có gì để đọc",
            "no connector is configured in `{folder}`: there is nothing to read"
        ))
        .with_hint(first_connector())
    }

    /// A verb reads what nights store, and there has been none. `lacks` says what is absent, and where.
    pub(super) fn nothing_has_run(lacks: impl Into<String>) -> Self {
        Self::usage(lacks)
            .with_hint(language::of("chưa chạy đêm nào: `motcua run`", "nothing has run yet: `motcua run`"))
    }

    /// A verb reads the ledger, and there is none.
    pub(super) fn no_ledger(data: &Path) -> Self {
        Self::nothing_has_run(text!("không có sổ ghi trong `{}`", "there is no ledger in `{}`", data.display()))
    }

    /// No indicator has the identifier.
    pub(super) fn no_indicator(id: &str, config: &Configuration) -> Self {
        let known = config.indicators.iter().map(|known| known.definition.id.as_str());
        let near = language::did_you_mean(&near_names(id, known));
        let list = language::of(
            "`motcua indicators list` liệt kê các chỉ số",
            "`motcua indicators list` shows the defined indicators",
        );
        Self::usage(text!("không có chỉ số `{id}`", "there is no indicator `{id}`"))
            .with_hint(near.unwrap_or_else(|| list.to_owned()))
    }

    /// No rule set has the name.
    pub(super) fn no_rule_set(name: &str, config: &Configuration) -> Self {
        let known = config.rules.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Self::usage(text!(
            "không có bộ quy tắc `{name}`; đang có: {known}",
            "there is no rule set `{name}`; there are: {known}"
        ))
        .with_near(name, config.rules.keys().map(String::as_str))
    }

    /// Asks whether one of the names that are like a wrong one was meant, if there are some.
    pub(super) fn with_near<'n>(self, wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Self {
        match language::did_you_mean(&near_names(wrong, names)) {
            Some(question) => self.with_hint(question),
            None => self,
        }
    }

    /// A period lies after the day of the night.
    pub(super) fn not_begun(period: Period, today: Date) -> Self {
        Self::usage(text!("kỳ `{period}` bắt đầu sau đêm ngày {today}", "`{period}` begins after the night of {today}"))
            .with_hint(language::of("chọn một kỳ đã bắt đầu", "choose a period that has begun"))
    }

    /// A file cannot be written.
    pub(super) fn not_written(file: &Path, error: &dyn Display) -> Self {
        let file = file.display();
        Self::usage(text!("không ghi được `{file}`: {error}", "cannot write `{file}`: {error}")).with_hint(
            language::of(
                "kiểm tra thư mục có tồn tại, còn chỗ và cho phép ghi không; đóng tệp nếu đang mở trong Excel",
                "check that the folder exists, has space and may be written to; close the file if it is open",
            ),
        )
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let count = problems.as_slice().len();
        Self::usage(text!("cấu hình có {count} lỗi (thông báo tiếng Anh):\n{problems}", "{problems}")).with_hint(
            language::of(
                "sửa các dòng trên; `motcua check --offline` kiểm tra lại các tệp",
                "`motcua check --offline` checks the files again",
            ),
        )
    }
}

impl From<SimulatorError> for Failure {
    fn from(error: SimulatorError) -> Self {
        Self::internal(with_causes(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}

//! Errors of runs, the ledger, the lake, backups and published files as failures of a verb. Errors without a Vietnamese text
//! of their own keep the English one, which the engineer on duty needs.

use crate::cli::Failure;
use crate::cli::exit_codes::{INCOMPLETE, INTERNAL, USAGE};
use crate::cli::language::{self, language};
use crate::lake::LakeError;
use crate::locale::Language;
use crate::publish::PublishedFilesError;
use crate::run::{self, AgencyNumbersError, BackupError, LockError, RunError, with_causes};

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let technical = with_causes(&error);
        if let Some(hint) = run::disk_full_hint(&technical) {
            let hint = language::of(
                "ổ đĩa đã đầy: giải phóng chỗ trống, ví dụ bằng `motcua vacuum`, rồi chạy lại. Dữ liệu đã lưu không mất",
                hint,
            );
            return Self { code: INTERNAL, message: technical, hint: Some(hint.to_owned()) };
        }
        let message = match language() {
            Language::Vietnamese => in_vietnamese(&error).unwrap_or(technical),
            Language::English => technical,
        };
        let near = match &error {
            RunError::UnknownConnector { near, .. } => language::did_you_mean(near),
            _ => None,
        };
        let hint = near.or_else(|| hint(&error).map(str::to_owned));
        Self { code: code(&error), message, hint }
    }
}

fn code(error: &RunError) -> u8 {
    match error {
        RunError::Backup(BackupError::DamagedData { .. }) | RunError::Stopped { .. } => INCOMPLETE,
        RunError::Backup(backup) if backup.is_usage() => USAGE,
        RunError::UnknownConnector { .. }
        | RunError::MistakenConnector { .. }
        | RunError::OtherZone { .. }
        | RunError::UnknownGroup { .. }
        | RunError::NothingLanded { .. }
        | RunError::LandingRemoved { .. }
        | RunError::AgencyNumbers(AgencyNumbersError::UnknownNumber { .. })
        | RunError::NoWindow { .. }
        | RunError::NoStretch { .. }
        | RunError::NothingRefused { .. }
        | RunError::NothingToRetry
        | RunError::NewerLedger { .. } => USAGE,
        _ => INTERNAL,
    }
}

/// What happened; `None` for errors that only the engineer on duty can act on.
fn in_vietnamese(error: &RunError) -> Option<String> {
    Some(match error {
        RunError::UnknownConnector { name, .. } => format!("không có kết nối `{name}`"),
        RunError::MistakenConnector { name, mistakes } => {
            format!("kết nối `{name}` không được đọc, vì `connector.toml` có lỗi: {mistakes}")
        }
        RunError::NothingLanded { run, folder } => {
            format!("lượt {run} không có trang tải về nào trong `{}`: không có gì để xử lý lại", folder.display())
        }
        RunError::LandingRemoved { run, day } => {
            format!("trang tải về của lượt {run} đã được xóa ngày {day} vì cũ: không có gì để xử lý lại")
        }
        RunError::NoWindow { name } => {
            format!("kết nối `{name}` không có `[window]`: không thể hỏi theo khoảng ngày")
        }
        RunError::NoStretch { from, to } => format!("`{from}` đến `{to}` không phải là khoảng ngày đã qua"),
        RunError::NothingToRetry => "không có dòng bị loại nào để nhận lại".to_owned(),
        RunError::NothingRefused { connector } => {
            format!("đêm gần nhất của kết nối `{connector}` không từ chối đợt xóa nào")
        }
        RunError::Stopped { run, by } => {
            format!("lượt {run} đã bị dừng theo yêu cầu của `{by}`: chưa công bố gì, nguồn đã đọc đủ thì được giữ")
        }
        RunError::NightsBusy => "đang có quá nhiều người xem các đêm cũ cùng lúc".to_owned(),
        RunError::Lock(LockError::Held { folder, holder }) => {
            format!("thư mục dữ liệu `{}` đang do tiến trình khác giữ: {holder}", folder.display())
        }
        RunError::Ledger(ledger) => format!("không dùng được sổ `ledger.sqlite` của thư mục dữ liệu: {ledger}"),
        RunError::DamagedLedger { what } => format!("sổ `ledger.sqlite` của thư mục dữ liệu bị hỏng: {what}"),
        RunError::NewerLedger { version, newest } => {
            format!("sổ `ledger.sqlite` thuộc phiên bản {version}; motcua này chỉ biết đến phiên bản {newest}")
        }
        RunError::OtherZone { folder, of_folder, wanted } => format!(
            "thư mục dữ liệu `{}` tính theo múi giờ `{of_folder}`, còn `province.zone` trong tệp cài đặt là `{wanted}`",
            folder.display()
        ),
        RunError::UnknownGroup { name } => format!("máy này không có nhóm người dùng `{name}`"),
        RunError::AgencyNumbers(AgencyNumbersError::UnknownNumber { number }) => {
            format!("không có cơ quan nào mang số {number}")
        }
        RunError::File { path, source, .. } => format!("không dùng được tệp `{}`: {source}", path.display()),
        RunError::Backup(backup) => of_backup(backup),
        RunError::Panicked => "lỗi bất ngờ của chính motcua; nhật ký ghi lỗi ở đâu".to_owned(),
        _ => return None,
    })
}

fn of_backup(error: &BackupError) -> String {
    match error {
        BackupError::NotEmpty { folder } => format!("`{}` không rỗng: không ghi gì vào đó", folder.display()),
        BackupError::Inside { folder } => {
            format!("thư mục sao lưu `{}` nằm trong thư mục dữ liệu", folder.display())
        }
        BackupError::Nothing { folder } => {
            format!("thư mục dữ liệu `{}` không có gì để sao lưu", folder.display())
        }
        BackupError::NotWhole { folder, file } => {
            format!("`{}` không phải bản sao lưu đầy đủ: thiếu `{file}`", folder.display())
        }
        BackupError::Damaged { path, what } => {
            format!("bản sao lưu bị hỏng: `{path}` {what}; chưa khôi phục gì")
        }
        BackupError::DamagedData { path, what, target } => {
            format!("`{}` {what}: bản chép trong `{}` không phải là bản sao lưu", path.display(), target.display())
        }
        BackupError::Newer { version } => {
            format!("bản sao lưu do motcua {version} làm, theo dạng mà phiên bản này không biết")
        }
        BackupError::Link { path } => format!(
            "`{}` là đường dẫn tắt (link) không do motcua tạo: bản sao lưu sẽ không có nội dung của nó",
            path.display()
        ),
        BackupError::Name { path } => format!(
            "`{}` không thể có trong bản sao lưu: tên không phải UTF-8, hoặc có ký tự xuống dòng, dấu gạch chéo ngược",
            path.display()
        ),
    }
}

/// What to do next.
fn hint(error: &RunError) -> Option<&'static str> {
    let [vietnamese, english] = match error {
        RunError::UnknownConnector { .. } => [
            "`motcua connectors list` liệt kê các kết nối đã cấu hình",
            "`motcua connectors list` shows the configured connectors",
        ],
        RunError::MistakenConnector { .. } => {
            ["`motcua check --offline` liệt kê mọi lỗi", "`motcua check --offline` lists all mistakes"]
        }
        RunError::OtherZone { .. } => [
            "ngày và kỳ được lưu theo cách đã tính: ghi múi giờ của thư mục vào `province.zone`, hoặc dùng thư mục dữ liệu khác \
             (`folders.data`)",
            "days and periods are stored as they were counted: write the zone of the folder into `province.zone`, or begin \
             another folder (`folders.data`)",
        ],
        RunError::UnknownGroup { .. } => [
            "`[folders] reader_group` phải là tên một nhóm trong `/etc/group`, hoặc số của nhóm",
            "`[folders] reader_group` must be the name of a group in `/etc/group`, or its number",
        ],
        RunError::NothingLanded { .. } => [
            "`motcua runs list` liệt kê các lượt; lượt bị lỗi trước trang đầu tiên thì không có trang tải về",
            "`motcua runs list` shows the runs; a run that failed before its first page has no landed pages",
        ],
        RunError::LandingRemoved { .. } => [
            "các bản ghi đã có trong bảng; `motcua backfill` đọc lại những ngày đã qua từ nguồn",
            "its records are in the tables; `motcua backfill` reads past days again from the source",
        ],
        RunError::Backup(BackupError::DamagedData { .. }) => [
            "`motcua verify` liệt kê mọi tệp bị hỏng và cách khôi phục",
            "`motcua verify` lists everything that is damaged, and says how to restore it",
        ],
        RunError::AgencyNumbers(AgencyNumbersError::UnknownNumber { .. }) => {
            ["`motcua agencies unknown --all` liệt kê các số", "`motcua agencies unknown --all` lists the numbers"]
        }
        RunError::AgencyNumbers(AgencyNumbersError::Damaged { .. }) => [
            "khôi phục tệp từ bản sao lưu; nếu không có thì chuyển tệp đi: các cơ quan sẽ nhận số mới và phải được cho phép lại",
            "restore the file from a backup; if there is none, move it away: agencies then get new numbers, and must be approved again",
        ],
        RunError::NoWindow { .. } => [
            "kết nối đọc tệp không có khoảng ngày: `motcua run` đọc mọi tệp chưa đọc",
            "a connector of files has no window: `motcua run` reads every file that was not read yet",
        ],
        RunError::NoStretch { .. } => {
            ["ghi ngày dạng yyyy-MM-dd, ngày sớm hơn trước", "give days as yyyy-MM-dd, the earlier one first"]
        }
        RunError::NothingRefused { .. } => [
            "`motcua deletions list` liệt kê những đợt xóa đã bị từ chối và đã được chấp nhận",
            "`motcua deletions list` shows what was refused and what was accepted",
        ],
        RunError::NothingToRetry => {
            ["`motcua quarantine list` liệt kê các dòng chưa xử lý", "`motcua quarantine list` shows the open rows"]
        }
        RunError::Stopped { .. } => [
            "`motcua run` trong vòng 12 giờ đọc tiếp nguồn đang đọc dở của một đêm, muộn hơn thì đọc lại từ đầu; `backfill`, \
             `quarantine retry`, `replay`: chạy lại đúng lệnh đó",
            "`motcua run` within 12 hours reads on where a night was reading a source, later it reads that source again; repeat \
             `backfill`, `quarantine retry` and `replay` with the same command",
        ],
        RunError::NewerLedger { .. } => [
            "một motcua mới hơn đã ghi vào thư mục dữ liệu này: dùng phiên bản đó",
            "a newer motcua has written this data folder: use that version",
        ],
        RunError::DamagedLedger { .. } => DAMAGED_LEDGER,
        RunError::Ledger(ledger) => ledger_hint(ledger),
        RunError::Lock(LockError::Held { .. }) => [
            "chờ tiến trình kia kết thúc, hoặc chọn thư mục khác bằng `--data`",
            "wait until the other process ends, or choose another folder with `--data`",
        ],
        RunError::Lake(lake) => lake_hint(lake)?,
        _ => return None,
    };
    Some(language::of(vietnamese, english))
}

/// What to do about an error of the tables, in both languages.
fn lake_hint(error: &LakeError) -> Option<[&'static str; 2]> {
    let english = error.hint()?;
    let vietnamese = match error {
        LakeError::Root { .. } => "chọn thư mục dữ liệu mà đường dẫn không có dấu `=`",
        LakeError::File { .. } => "kiểm tra ổ đĩa còn chỗ trống và thư mục dữ liệu thuộc về người dùng này",
        LakeError::Damaged { .. } => {
            "chép lại đúng các tệp đó từ bản sao lưu mới nhất, rồi chạy `motcua verify`; kiểm tra ổ đĩa"
        }
        LakeError::Foreign { .. } => "chỉ motcua được ghi các bảng này; khôi phục thư mục từ bản sao lưu",
        _ => english,
    };
    Some([vietnamese, english])
}

/// What to do about a damaged ledger.
const DAMAGED_LEDGER: [&str; 2] = [
    "khôi phục `ledger.sqlite` từ bản sao lưu mới nhất; nếu không có thì chuyển tệp đi, cùng `ledger.sqlite-wal` và \
     `ledger.sqlite-shm`: lượt sau sẽ đọc lại tất cả, số liệu không đổi",
    "restore `ledger.sqlite` from the newest backup; without one, move it away with `ledger.sqlite-wal` and \
     `ledger.sqlite-shm`: the next run reads everything again, and the figures stay the same",
];

/// What to do about an error of the ledger. Only one that is damaged may be moved away.
fn ledger_hint(error: &sqlx::Error) -> [&'static str; 2] {
    /// Result codes of SQLite, without the upper bits that tell details apart.
    const IO: u32 = 10;
    const CORRUPT: u32 = 11;
    const CANNOT_OPEN: u32 = 14;
    const NO_DATABASE: u32 = 26;
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok()).map(|code| code & 0xff);
    match code {
        Some(IO | CANNOT_OPEN) => [
            "ổ đĩa có thể đã đầy hoặc sắp hỏng: kiểm tra chỗ trống và tình trạng ổ đĩa, và thư mục dữ liệu thuộc về người dùng này. \
             Để nguyên `ledger.sqlite`",
            "the disk may be full or failing: check its free space and its health, and that the data folder belongs to this \
             user. Leave `ledger.sqlite` where it is",
        ],
        Some(CORRUPT | NO_DATABASE) => DAMAGED_LEDGER,
        _ => [
            "chạy lại; nếu vẫn lỗi, kiểm tra ổ đĩa và khôi phục `ledger.sqlite` từ bản sao lưu mới nhất",
            "run again; if the error stays, check the disk and restore `ledger.sqlite` from the newest backup",
        ],
    }
}

impl From<PublishedFilesError> for Failure {
    fn from(error: PublishedFilesError) -> Self {
        Self::from(RunError::from(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_code_message_and_hint() {
        let error = RunError::UnknownConnector { name: "x".to_owned(), near: Vec::new() };
        assert_eq!(in_vietnamese(&error).as_deref(), Some("không có kết nối `x`"));
        let failure = Failure::from(error);
        assert_eq!((failure.code, failure.message.as_str()), (USAGE, "there is no connector `x`"));
        assert_eq!(failure.hint.as_deref(), Some("`motcua connectors list` shows the configured connectors"));
        let near = RunError::UnknownConnector { name: "portl".to_owned(), near: vec!["portal".to_owned()] };
        assert_eq!(Failure::from(near).hint.as_deref(), Some("did you mean `portal`?"));
        let held = Failure::from(RunError::Lock(LockError::Held { folder: "d".into(), holder: "h".to_owned() }));
        assert_eq!(held.code, INTERNAL);
        assert!(held.hint.is_some_and(|hint| hint.starts_with("wait until")));
        let backup = Failure::from(RunError::Backup(BackupError::Nothing { folder: "d".into() }));
        assert_eq!((backup.code, backup.hint), (USAGE, None));
    }

    #[test]
    fn only_a_damaged_ledger_may_be_moved_away() {
        let [_, english] = ledger_hint(&sqlx::Error::PoolTimedOut);
        assert!(!english.contains("move it away"), "{english}");
        assert!(DAMAGED_LEDGER.iter().all(|hint| hint.contains("ledger.sqlite-wal")));
    }
}

//! Which published night a verb reads, and by whose definitions.

use crate::cli::Failure;
use crate::cli::language::{self, language, text};
use crate::config::Configuration;
use crate::locale::{Language, moment};
use crate::model::figure::Figure;
use crate::model::typed_moment::{MOMENT_FORMS, typed_moment};
use crate::publish::{self, NightRecord};
use crate::run;

/// Value of `--definitions`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum DefinitionSource {
    /// As stored with the night.
    #[default]
    Night,
    /// As in the configuration today.
    Today,
}

impl DefinitionSource {
    /// The configuration with the chosen definitions.
    pub(super) fn of(self, config: Configuration, record: &NightRecord) -> Result<Configuration, Failure> {
        if self == Self::Today {
            return Ok(config);
        }
        let kept = publish::read_definitions(&config.settings.data, record)?;
        config.of_night(&kept).map_err(|problems| {
            let run = record.night.run;
            let message = text!(
                "không đọc được định nghĩa đã lưu cùng đêm của lượt {run}: {problems}",
                "the definitions stored with night {run} cannot be read: {problems}"
            );
            Failure::usage(message).with_hint(language::of(
                "`--definitions today` tính theo cấu hình hôm nay",
                "`--definitions today` computes with the configuration of today",
            ))
        })
    }
}

/// A night with its figures.
pub(super) type ReadNight = (NightRecord, Vec<Figure>);

/// The newest night, or the newest night at or before a day or moment.
pub(super) async fn night_of(config: &Configuration, as_of: Option<&str>) -> Result<ReadNight, Failure> {
    let until = as_of.map(typed).transpose()?;
    if let Some(night) = run::night_as_of(&config.settings.data, until).await? {
        return Ok(night);
    }
    Err(match as_of {
        Some(text) => {
            no_night(config, &text!("không có đêm nào vào hoặc trước {text}", "no night on or before {text}"))?
        }
        None => no_night(config, language::of("chưa có đêm nào", "no night"))?,
    })
}

/// The night that a run published, or the newest at or before a day or moment.
pub(super) async fn night_named(config: &Configuration, text: &str) -> Result<ReadNight, Failure> {
    match text.parse::<i64>() {
        Ok(run) => match run::night_of_run(&config.settings.data, run).await? {
            Some(night) => Ok(night),
            None => Err(no_night(config, &text!("không có đêm của lượt {run}", "no night of run {run}"))?),
        },
        Err(_) => night_of(config, Some(text)).await,
    }
}

/// The last microsecond of a typed day or moment.
fn typed(text: &str) -> Result<i64, Failure> {
    typed_moment(text).map_err(|message| no_moment(text, message))
}

/// A text is no day or moment, or one that is not allowed; `message` has the reason in English.
pub(super) fn no_moment(text: &str, message: String) -> Failure {
    let message = match language() {
        Language::Vietnamese => format!("`{text}` không phải là ngày, thời điểm dùng được"),
        Language::English => message,
    };
    Failure::usage(message).with_hint(match language() {
        Language::Vietnamese => MOMENT_FORMS.replace("write", "ghi").replace(" or ", " hoặc "),
        Language::English => MOMENT_FORMS.to_owned(),
    })
}

fn no_night(config: &Configuration, lacks: &str) -> Result<Failure, Failure> {
    let data = &config.settings.data;
    if !data.is_dir() {
        return Ok(Failure::no_data_folder(data));
    }
    let failure = Failure::usage(text!("`{}`: {lacks}", "`{}` has {lacks}", data.display()));
    Ok(match run::first_night(data)? {
        None => {
            failure.with_hint(language::of("`motcua run` chạy và công bố một đêm", "`motcua run` publishes a night"))
        }
        Some(first) => {
            let newest = publish::newest_run(data).unwrap_or(first.run);
            let (run, as_of) = (first.run, moment(first.as_of));
            failure.with_hint(text!(
                "đêm đầu tiên là lúc {as_of}, lượt {run}; đêm mới nhất là lượt {newest}; `motcua runs list` liệt kê các lượt",
                "the first night is of {as_of}, run {run}; the newest is of run {newest}; `motcua runs list` shows the runs"
            ))
        }
    })
}

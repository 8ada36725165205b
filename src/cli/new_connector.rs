//! `connectors new`: a first draft of a connector, guessed from a sample of its source.
#![expect(clippy::disallowed_methods, reason = "edge: reads the sample and writes the files of a new connector")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;
use url::Url;

use crate::cli::Failure;
use crate::cli::exit_codes::SOURCE_FAILED;
use crate::cli::language::{self, text};
use crate::cli::output::{hint_line, print, print_message};
use crate::config;
use crate::draft::{Draft, Guess, Origin, is_heading};
use crate::model::table::RecordKind;
use crate::sources::SourceError;
use crate::sources::sample::{self, Sample};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  motcua connectors new my-list --from list.csv\n  motcua connectors new post --kind postal-items --from items.xlsx\n  motcua connectors new portal --from 'https://portal.example/api/dossiers?size=100'"
)]
pub(super) struct Arguments {
    /// Name of the connector: lowercase letters, digits and `-`. Its folder is made in the current one.
    name: String,
    /// A file that the source delivers, or the address of a list that needs no login.
    #[arg(long, value_name = "FILE|URL")]
    from: String,
    /// What the records are.
    #[arg(long, value_enum, default_value_t)]
    kind: Kind,
}

/// Kinds of records that can be guessed.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Kind {
    #[default]
    Dossiers,
    PostalItems,
    Feedback,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Dossiers => Self::Dossiers,
            Kind::PostalItems => Self::PostalItems,
            Kind::Feedback => Self::Feedback,
        }
    }
}

const README: &str = "\
# NAME
## What it reads
?

## Access and login
?

## Windows and paging
?

## Fields
?

## Known faults
?

## Cases
None yet.
";

pub(super) async fn act(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let Arguments { name, from, kind } = arguments;
    let kind = RecordKind::from(*kind);
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(Failure::usage(text!(
            "`{name}` không dùng làm tên kết nối được: chỉ chữ thường không dấu, chữ số và `-`",
            "`{name}` is no name of a connector: lowercase letters, digits and `-`"
        )));
    }
    let folder = Path::new(name);
    if folder.exists() {
        let message = text!("đã có `{}`; không ghi gì", "`{}` exists; nothing was written", folder.display());
        return Err(Failure::usage(message).with_hint(language::of(
            "chọn tên khác, hoặc chuyển thư mục đó đi",
            "choose another name, or move the folder away",
        )));
    }
    let (bytes, origin) = match read(from).await {
        Ok(read) => read?,
        Err(error) => return Ok(failed(&error)),
    };
    let looked = Sample::of(bytes, &|heading| is_heading(kind, heading));
    let sample = match looked {
        Ok(sample) => sample,
        Err(error) => {
            let error = if matches!(origin, Origin::File(_)) { error.of_file() } else { error };
            return Ok(failed(&error.on(format!("sample `{from}`"))));
        }
    };
    let draft = Draft::of(name, kind, &sample, &origin);
    let file = folder.join("connector.toml");
    write(&file, &draft.text)?;
    write(&folder.join("README.md"), &README.replace("NAME", name))?;
    print(&summary(&file, &sample, &draft))?;
    if let Err(problems) = config::connector_from_text(name, &file, &draft.text) {
        print_message(&text!(
            "cần điền thêm trước khi đọc được (thông báo tiếng Anh):\n{problems}",
            "to be completed before it can be read:\n{problems}"
        ));
    }
    print_message(&text!(
        "tiếp theo: điền `system` và `contact`, xem lại từng dòng, chạy `motcua check ./{name}`; sau đó chuyển thư mục vào thư mục các \
         kết nối, đêm tới sẽ đọc",
        "next: fill in `system` and `contact`, check every line, run `motcua check ./{name}`; then move the folder into that of the \
         connectors, and the next night reads it"
    ));
    Ok(ExitCode::SUCCESS)
}

/// The sample and where it is from. The outer error is that of a source, the inner one that of a file.
async fn read(from: &str) -> Result<Result<(Vec<u8>, Origin), Failure>, SourceError> {
    if let Ok(address) = Url::parse(from)
        && matches!(address.scheme(), "http" | "https")
    {
        if !address.username().is_empty() || address.password().is_some() {
            let failure = Failure::usage(language::of(
                "địa chỉ có tên người dùng hoặc mật khẩu",
                "the address has a user name or a password",
            ))
            .with_hint(language::of(
                "bỏ khỏi địa chỉ, và khai báo đăng nhập trong `[auth]`",
                "give it without them, and declare the login in `[auth]`",
            ));
            return Ok(Err(failure));
        }
        let bytes = sample::fetch(&address).await?;
        let base_url = address[..url::Position::BeforePath].to_owned();
        let query = address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        return Ok(Ok((bytes, Origin::Web { base_url, path: address.path().to_owned(), query })));
    }
    let name = Path::new(from).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let read = fs::read(from).map_err(|error| {
        Failure::usage(text!("không đọc được tệp mẫu `{from}`: {error}", "cannot read the sample `{from}`: {error}"))
    });
    Ok(read.map(|bytes| (bytes, Origin::File(name))))
}

fn failed(error: &SourceError) -> ExitCode {
    print_message(&format!("{}: {error}", language::of("lỗi", "error")));
    print_message(&hint_line(error.hint));
    ExitCode::from(SOURCE_FAILED)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::internal(format!("cannot write `{}`: {error}", file.display()));
    fs::create_dir_all(file.parent().unwrap_or(file)).map_err(failed)?;
    fs::write(file, text).map_err(failed)
}

fn summary(file: &Path, sample: &Sample, draft: &Draft) -> String {
    let mut text = format!(
        "{}: {} of {} fields of {} records are mapped\n",
        file.display(),
        draft.guesses.len(),
        draft.guesses.len() + draft.unmapped.len(),
        sample.records
    );
    for Guess { column, field, texts, read, unknown_words, .. } in &draft.guesses {
        let unknown =
            if unknown_words.is_empty() { String::new() } else { format!(", {} words not known", unknown_words.len()) };
        let _ = writeln!(text, "  {} → {column}: {read} of {texts} texts read{unknown}", field.name);
    }
    if !draft.unmapped.is_empty() {
        let _ = writeln!(text, "not mapped: {}", draft.unmapped.join(", "));
    }
    text
}

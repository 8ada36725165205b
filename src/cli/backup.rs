//! `backup` and `restore`: copies the data folder into another folder, and back.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::language::text;
use crate::cli::output::{number, print_message};
use crate::cli::run::with_spinner;
use crate::cli::{Failure, GlobalOptions};
use crate::model::instant;
use crate::run::{self, BackupReport};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua --data /var/lib/motcua/data backup /backup/2026-11-26")]
pub(super) struct BackupArguments {
    /// Target folder: absent or empty, and outside the data folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua --data /var/lib/motcua/data restore /backup/2026-11-26")]
pub(super) struct RestoreArguments {
    /// Folder that `motcua backup` wrote. Its content goes into the data folder, which must be absent or empty.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) async fn back_up(options: &GlobalOptions, arguments: &BackupArguments) -> Result<ExitCode, Failure> {
    let (data, now) = (options.data_folder()?, run::now());
    let done = with_spinner(async |progress| run::back_up(&data, &arguments.folder, now, progress).await).await?;
    let (from, to, size) = (data.display(), arguments.folder.display(), size(&done));
    print_message(&text!("đã sao lưu `{from}` vào `{to}`: {size}", "backed up `{from}` to `{to}`: {size}"));
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(options: &GlobalOptions, arguments: &RestoreArguments) -> Result<ExitCode, Failure> {
    let (data, now) = (options.data_folder()?, run::now());
    let done = with_spinner(async |progress| run::restore(&arguments.folder, &data, now, progress).await).await?;
    let made = instant::display(done.made_at);
    let (from, to, size) = (arguments.folder.display(), data.display(), size(&done));
    print_message(&text!(
        "đã khôi phục `{from}` làm lúc {made} vào `{to}`: {size}",
        "restored `{from}` of {made} into `{to}`: {size}"
    ));
    Ok(ExitCode::SUCCESS)
}

fn size(done: &BackupReport) -> String {
    let (files, bytes) = (number(done.files), number(done.bytes));
    text!("{files} tệp, {bytes} byte, mã băm đúng", "{files} files, {bytes} bytes, digests verified")
}

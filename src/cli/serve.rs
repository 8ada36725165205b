//! `serve`: runs the schedule and serves the API and the pages, until stopped.

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::cli::language;
use crate::cli::output::print_message;
use crate::cli::run::note_new_folder;
use crate::cli::{Failure, GlobalOptions};
use crate::run::{LockError, RunError};
use crate::service::{self, ServiceError};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  motcua serve --listen 127.0.0.1:8686")]
pub(super) struct Arguments {
    /// Address and port to listen on. Default: `[service] listen` of the settings, else 127.0.0.1:8686. Port 0 takes
    /// a free port.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(super) async fn act(options: &GlobalOptions, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = options.load_for_nights()?;
    if let Some(listen) = arguments.listen {
        config.settings.service.listen = listen;
    }
    note_new_folder(&config.settings.data);
    service::serve(config, |url| print_message(&format!("listening on {url}"))).await?;
    Ok(ExitCode::SUCCESS)
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Run(error @ RunError::Lock(LockError::Held { .. })) => {
                Self::from(error).with_hint(language::of(
                    "mỗi thư mục dữ liệu chỉ có một dịch vụ: dừng dịch vụ kia trước",
                    "only one service can run on a data folder: stop the other one first",
                ))
            }
            ServiceError::Run(error) => error.into(),
            ServiceError::Listen { .. } => Self::usage(error.to_string()).with_hint(language::of(
                "nếu chương trình khác đang dùng địa chỉ này, chọn địa chỉ khác bằng `--listen`",
                "if another program uses this address, choose another one with `--listen`",
            )),
            ServiceError::Tls { .. } => Self::usage(error.to_string()).with_hint(language::of(
                "`[service] tls_certificate` và `tls_key` phải là tệp PEM mà người dùng này đọc được",
                "`[service] tls_certificate` and `tls_key` must name PEM files that this user can read",
            )),
            ServiceError::Scheduler(_) => Self::internal(error.to_string()),
        }
    }
}

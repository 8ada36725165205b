//! `serve`: the schedule, the API and the pages, until stopped.

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::cli::output::narrate;
use crate::cli::{Base, Failure};
use crate::run::{LockError, RunError};
use crate::service::{self, ServiceError};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where it listens, in place of the settings' own (127.0.0.1:8686 where they say nothing). Port 0: any that is
    /// free.
    #[arg(long)]
    listen: Option<SocketAddr>,
}

pub(super) async fn act(base: &Base, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut config = base.load()?;
    if let Some(listen) = arguments.listen {
        config.settings.service.listen = listen;
    }
    service::serve(config, |url| narrate(&format!("listening on {url}"))).await?;
    Ok(ExitCode::SUCCESS)
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Run(error @ RunError::Lock(LockError::Held { .. })) => {
                Self::internal(error.to_string()).with_hint("one service stands on a data folder: stop that one first")
            }
            ServiceError::Run(error) => error.into(),
            ServiceError::Listen { .. } => {
                Self::usage(error.to_string()).with_hint("is another service there? `--listen` chooses another address")
            }
            ServiceError::Tls { .. } => Self::usage(error.to_string())
                .with_hint("`[service] tls_certificate` and `tls_key` name PEM files that this user may read"),
            ServiceError::Scheduler(_) => Self::internal(error.to_string()),
        }
    }
}

//! Why a run could not be done. A connector that fails is no error of the run: it stands in its pull.

use crate::indicators::IndicatorError;
use crate::lake::LakeError;
use crate::landing::LandingError;
use crate::publish::PublishError;
use crate::run::lock::LockError;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("there is no connector `{name}`")]
    UnknownConnector { name: String },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("ledger: {0}")]
    Ledger(#[from] sqlx::Error),
    #[error(transparent)]
    Landing(#[from] LandingError),
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error(transparent)]
    Indicators(#[from] IndicatorError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("a worker ended early: {0}")]
    Worker(#[from] tokio::task::JoinError),
}

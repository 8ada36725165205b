//! `[service]`: settings of `motcua serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::document::Document;
use crate::config::problem::Problems;

/// Default of `[service] listen`.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8686);

/// `[service]` as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ServiceTable {
    listen: String,
    public: Vec<PublicPart>,
    tls_certificate: Option<String>,
    tls_key: Option<String>,
    behind_proxy: bool,
    #[schemars(range(min = 16, max = 65536))]
    max_connections: usize,
    #[schemars(range(min = 8, max = 65536))]
    max_connections_per_address: usize,
    #[schemars(range(min = 1, max = 720))]
    session_hours: u32,
    #[schemars(range(min = 0, max = 3600))]
    stop_within_secs: u64,
}

impl Default for ServiceTable {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN.to_string(),
            public: vec![PublicPart::Metrics],
            tls_certificate: None,
            tls_key: None,
            behind_proxy: false,
            max_connections: 2048,
            max_connections_per_address: 200,
            session_hours: 12,
            stop_within_secs: 60,
        }
    }
}

/// Part of the service that needs no token. Dossier codes, runs and quarantine always need one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicPart {
    /// Figures, indicators and agencies: API and pages.
    Figures,
    /// `/metrics`.
    Metrics,
}

/// `[service]` with its paths resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    pub listen: SocketAddr,
    pub public: Vec<PublicPart>,
    /// Certificate chain and key (PEM); both or none.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The service is behind the installation's own HTTPS proxy: the caller's address is the last one in
    /// `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Connections that may be open at the same time.
    pub max_connections: usize,
    /// The same for one address (IPv6: one /64 network).
    pub max_connections_per_address: usize,
    pub session_hours: u32,
    /// How long a current run may continue after `serve` is stopped.
    pub stop_within_secs: u64,
}

impl ServiceTable {
    /// Resolves the paths with `at`. Reports an address that is none, and a certificate without a key.
    pub(super) fn resolved(
        self,
        file: &Path,
        document: &Document,
        at: &dyn Fn(&String) -> PathBuf,
        problems: &mut Problems,
    ) -> ServiceSettings {
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Some((at(certificate), at(key))),
            (None, None) => None,
            _ => {
                let message = "set both `tls_certificate` and `tls_key`, or neither".to_owned();
                problems.add(file, document.line("/service"), "service", message);
                None
            }
        };
        let listen = self.listen.parse();
        if listen.is_err() {
            let message =
                format!("`{}` is not an address with a port; write for example `{DEFAULT_LISTEN}`", self.listen);
            problems.add(file, document.line("/service/listen"), "service.listen", message);
        }
        ServiceSettings {
            listen: listen.unwrap_or(DEFAULT_LISTEN),
            public: self.public,
            tls,
            behind_proxy: self.behind_proxy,
            max_connections: self.max_connections,
            max_connections_per_address: self.max_connections_per_address,
            session_hours: self.session_hours,
            stop_within_secs: self.stop_within_secs,
        }
    }
}

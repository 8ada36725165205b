//! `[access.server]`: the server on which the folder of a file connector lies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[access.server]`: the server on which `access.folder` lies; absent: the folder is a local one. Every text may contain
/// `{env:NAME}`; passwords are `{secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FileServer {
    /// SFTP, the file transfer of SSH. Logs in with a key, through the program `ssh`. A relative `folder` begins in the
    /// folder of the user.
    Sftp {
        host: String,
        #[serde(default = "port_of_ssh")]
        port: u16,
        user: String,
        /// Path of the private key. It has no passphrase, and only the user of the service may read it.
        key_file: String,
        /// Path of a file with the host key of the server, as `ssh-keyscan` prints it. A server with another key is refused.
        known_hosts: String,
    },
    /// FTP, passive mode. A relative `folder` begins in the folder of the user.
    Ftp {
        host: String,
        #[serde(default = "port_of_ftp")]
        port: u16,
        user: String,
        /// `{secret:NAME}`.
        password: String,
        /// TLS on both connections (`AUTH TLS`); `false`: everybody on the way can read the password and the files.
        #[serde(default = "yes")]
        tls: bool,
        /// Path of a PEM file with authorities that the connector trusts besides those of the machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_certificates: Option<String>,
    },
    /// WebDAV, such as Nextcloud.
    Webdav {
        /// Address below which `folder` lies, such as `https://cloud.example.vn/remote.php/dav`.
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// `{secret:NAME}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<String>,
        /// Path of a PEM file with authorities that the connector trusts besides those of the machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_certificates: Option<String>,
    },
    /// S3, of Amazon or of a server with its protocol. `folder` is the beginning of the keys, up to a `/`.
    S3 {
        /// Address of the service, such as `https://s3.ap-southeast-1.amazonaws.com`, without the bucket.
        endpoint: String,
        bucket: String,
        region: String,
        access_key: String,
        /// `{secret:NAME}`.
        secret_key: String,
        /// Path of a PEM file with authorities that the connector trusts besides those of the machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_certificates: Option<String>,
    },
}

impl FileServer {
    /// Every text that may contain placeholders.
    #[must_use]
    pub fn texts(&self) -> Vec<&String> {
        match self {
            Self::Sftp { host, user, key_file, known_hosts, port: _ } => vec![host, user, key_file, known_hosts],
            Self::Ftp { host, user, password, ca_certificates, port: _, tls: _ } => {
                [host, user, password].into_iter().chain(ca_certificates).collect()
            }
            Self::Webdav { url, user, password, ca_certificates } => {
                [url].into_iter().chain(user).chain(password).chain(ca_certificates).collect()
            }
            Self::S3 { endpoint, bucket, region, access_key, secret_key, ca_certificates } => {
                [endpoint, bucket, region, access_key, secret_key].into_iter().chain(ca_certificates).collect()
            }
        }
    }
}

fn port_of_ssh() -> u16 {
    22
}

fn port_of_ftp() -> u16 {
    21
}

fn yes() -> bool {
    true
}

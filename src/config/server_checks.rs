//! Checks of `[access.server]`: addresses without credentials, secrets that do not stand in the file.

use std::net::Ipv6Addr;

use url::Url;

use crate::config::connectors::ConnectorCheck;
use crate::model::connector::{Access, ConnectorFile, FileServer};
use crate::model::values::placeholders;

impl ConnectorCheck<'_> {
    pub(super) fn server(&mut self, file: &ConnectorFile) {
        let Access::Files { folder, server, .. } = &file.access else { return };
        // The address may contain a password, so it is not shown.
        if folder.contains("://") {
            let message = "must be a path: the server of a folder on the network stands in `[access.server]`, with \
                           `type` `sftp`, `ftp`, `webdav` or `s3`";
            self.add("/access/folder", message);
        } else if server.is_some() && folder.contains(char::is_control) {
            self.add("/access/folder", "must not contain control characters");
        }
        match server {
            None => {}
            Some(FileServer::Sftp { host, port, user, key_file, known_hosts }) => {
                self.host(host);
                self.port(*port);
                self.texts(&[("user", user), ("key_file", key_file), ("known_hosts", known_hosts)]);
            }
            Some(FileServer::Ftp { host, port, user, password, tls, ca_certificates }) => {
                self.host(host);
                self.port(*port);
                self.texts(&[("user", user)]);
                self.secret("password", password);
                if !tls && ca_certificates.is_some() {
                    self.add("/access/server/ca_certificates", "has no effect beside `tls = false`");
                }
            }
            Some(FileServer::Webdav { url, user, password, .. }) => {
                self.address("url", url);
                match (user, password) {
                    (Some(user), Some(password)) => {
                        self.texts(&[("user", user)]);
                        self.secret("password", password);
                    }
                    (Some(_), None) => self.add("/access/server/password", "required beside `user`"),
                    (None, Some(_)) => self.add("/access/server/user", "required beside `password`"),
                    (None, None) => {}
                }
            }
            Some(FileServer::S3 { endpoint, bucket, region, access_key, secret_key, .. }) => {
                self.address("endpoint", endpoint);
                self.texts(&[("region", region), ("access_key", access_key)]);
                if placeholders(bucket).is_empty() && !is_bucket(bucket) {
                    self.add(
                        "/access/server/bucket",
                        "must be the name of a bucket: small letters, digits, `-` and `.`",
                    );
                }
                self.secret("secret_key", secret_key);
            }
        }
    }

    /// A name or an address of a machine: it becomes an argument of `ssh`, and part of messages.
    fn host(&mut self, host: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_name = !host.is_empty() && !host.starts_with('-') && host.bytes().all(plain);
        if placeholders(host).is_empty() && !is_name && host.parse::<Ipv6Addr>().is_err() {
            let message = "must be the name or the IP address of a machine, without user, port and path: they have keys of \
                           their own";
            self.add("/access/server/host", message);
        }
    }

    fn port(&mut self, port: u16) {
        if port == 0 {
            self.add("/access/server/port", "must be from 1 to 65535");
        }
    }

    fn texts(&mut self, texts: &[(&str, &String)]) {
        for (key, text) in texts {
            if text.trim().is_empty() || text.contains(char::is_control) {
                self.add(&format!("/access/server/{key}"), "must be a text without control characters");
            }
        }
    }

    /// A secret stands in a variable or a file, not in the connector: connectors are shown, copied and versioned.
    fn secret(&mut self, key: &str, text: &str) {
        let is_secret = |placeholder: &str| placeholder.starts_with("{secret:") && placeholder == text;
        if !placeholders(text).first().is_some_and(|placeholder| is_secret(placeholder)) {
            let message = "must be `{secret:NAME}`, and its value the variable `NAME` or a file: what stands here is shown, \
                           copied and kept with the figures";
            self.add(&format!("/access/server/{key}"), message);
        }
    }

    fn address(&mut self, key: &str, text: &str) {
        // With placeholders in it, the address is checked once they are filled.
        if !placeholders(text).is_empty() {
            return;
        }
        let message = match Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
                "must begin with `https://` or `http://` and a host"
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "must not contain a user or a password: they have keys of their own"
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => "must not contain `?` or `#`",
            Ok(_) => return,
            Err(_) => "must be an address, such as `https://files.example.vn`",
        };
        self.add(&format!("/access/server/{key}"), message);
    }
}

fn is_bucket(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    name.len() >= 3 && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use crate::config::test_connectors::{self, LISTS};

    /// Keys and messages of the mistakes of a connector with this folder and server.
    fn mistakes(folder: &str, server: &str) -> Vec<(String, String)> {
        test_connectors::mistakes(&format!(
            "{LISTS}[decode]\ntype = 'csv'\nheader = 'id'\n[access]\ntype = 'files'\nglob = '*.csv'\nfolder = '{folder}'\n\
             [access.server]\n{server}"
        ))
    }

    #[test]
    fn each_road_is_declared_in_a_few_lines() {
        for server in [
            "type = 'sftp'\nhost = 'files.example.vn'\nuser = 'motcua'\nkey_file = '{env:KEYS}/post'\nknown_hosts = '/k'\n",
            "type = 'sftp'\nhost = '::1'\nport = 2222\nuser = 'u'\nkey_file = '/k'\nknown_hosts = '/k'\n",
            "type = 'ftp'\nhost = '10.0.0.7'\nuser = 'u'\npassword = '{secret:P}'\ntls = false\n",
            "type = 'webdav'\nurl = 'https://cloud.example.vn/remote.php/dav'\n",
            "type = 'webdav'\nurl = '{env:CLOUD}'\nuser = 'u'\npassword = '{secret:P}'\n",
            "type = 's3'\nendpoint = 'https://s3.example.vn'\nbucket = 'lists'\nregion = 'vn-1'\naccess_key = 'AK'\n\
             secret_key = '{secret:P}'\n[retry]\nattempts = 2\n[limits]\nconnect_timeout_secs = 5\n",
        ] {
            assert_eq!(mistakes("/export", server), [], "{server}");
        }
    }

    #[test]
    fn every_mistake_is_named_at_once_and_no_password_is_shown() {
        for (folder, server, expected) in [
            (
                "sftp://u:tuyetmat@h/in",
                "type = 'sftp'\nhost = 'u:tuyetmat@h'\nport = 0\nuser = ''\nkey_file = '/k'\nknown_hosts = ' '\n",
                &[
                    "access.folder",
                    "access.server.host",
                    "access.server.known_hosts",
                    "access.server.port",
                    "access.server.user",
                ][..],
            ),
            (
                "/in",
                "type = 'sftp'\nhost = '-oProxyCommand=tuyetmat'\nuser = 'u'\nkey_file = '/k'\nknown_hosts = '/k'\n",
                &["access.server.host"],
            ),
            (
                "/in",
                "type = 'ftp'\nhost = 'h'\nuser = 'u'\npassword = 'tuyetmat'\ntls = false\nca_certificates = '/c'\n",
                &["access.server.ca_certificates", "access.server.password"],
            ),
            (
                "/in",
                "type = 'ftp'\nhost = 'h'\nuser = 'u'\npassword = 'tuyetmat{secret:P}'\n",
                &["access.server.password"],
            ),
            (
                "/in",
                "type = 'webdav'\nurl = 'https://u:tuyetmat@h/dav'\npassword = '{env:P}'\n",
                &["access.server.url", "access.server.user"],
            ),
            (
                "/in",
                "type = 'webdav'\nurl = 'ftp://h/dav'\nuser = 'u'\n",
                &["access.server.password", "access.server.url"],
            ),
            (
                "/in",
                "type = 's3'\nendpoint = 's3.example.vn'\nbucket = 'A b'\nregion = ''\naccess_key = 'k'\nsecret_key = 'tuyetmat'\n",
                &["access.server.bucket", "access.server.endpoint", "access.server.region", "access.server.secret_key"],
            ),
            (
                "/in",
                "type = 'sftp'\nhost = 'h'\nuser = 'u'\nkey_file = 'k'\nknown_hosts = 'k'\npassword = 'tuyetmat'\n",
                &["access.server.password"],
            ),
        ] {
            let found = mistakes(folder, server);
            let mut keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
            keys.sort_unstable();
            assert_eq!(keys, expected, "{server}: {found:?}");
            assert!(!format!("{found:?}").contains("tuyetmat"), "{found:?}");
        }
    }
}

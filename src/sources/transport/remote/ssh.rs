//! Starts `ssh`, which carries SFTP: it checks the host key, logs in with a key, and reads nothing of the user's own
//! configuration.
#![expect(clippy::disallowed_methods, reason = "edge: the key and the host keys are files")]

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::sources::error::{ErrorKind, SourceError};

/// Bytes that are kept of what `ssh` writes to its standard error.
const MAX_WORDS: u64 = 16 << 10;

/// Where to log in, and as whom.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) key_file: String,
    pub(super) known_hosts: String,
    pub(super) connect: Duration,
}

/// What `ssh` wrote to its standard error. It is never shown: it quotes banners and names of users.
pub(super) type Words = Arc<Mutex<String>>;

/// Starts `ssh` with the subsystem `sftp`.
///
/// # Errors
/// `misconfigured`.
pub(super) fn start(login: &Login) -> Result<(Child, Words), SourceError> {
    for (key, path) in [("key_file", &login.key_file), ("known_hosts", &login.known_hosts)] {
        File::open(path).map_err(|error| {
            let message = format!("`access.server.{key}` names `{path}`, which cannot be read: {}", error.kind());
            SourceError::new(ErrorKind::Misconfigured, message)
        })?;
    }
    let mut command = Command::new("ssh");
    command.args(arguments(login)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("LC_ALL", "C").env_remove("SSH_AUTH_SOCK").env_remove("SSH_ASKPASS");
    let mut child = command.spawn().map_err(|error| {
        let message = format!("the program `ssh`, which carries SFTP, cannot be started: {}", error.kind());
        SourceError::new(ErrorKind::Misconfigured, message)
    })?;
    let words = Words::default();
    if let Some(errors) = child.stderr.take() {
        let of_thread = Arc::clone(&words);
        // Ends with `ssh`. Without the thread, the words are missing and the connection works.
        let _ = std::thread::Builder::new().name("read ssh".to_owned()).spawn(move || {
            let mut text = Vec::new();
            let mut errors = errors;
            let mut chunk = [0; 1024];
            while let Ok(read @ 1..) = errors.read(&mut chunk) {
                if (text.len() as u64) < MAX_WORDS {
                    text.extend_from_slice(&chunk[..read]);
                    *of_thread.lock().unwrap_or_else(PoisonError::into_inner) =
                        String::from_utf8_lossy(&text).into_owned();
                }
            }
        });
    }
    Ok((child, words))
}

/// Options by name: none of the files of the user or the machine counts.
fn arguments(login: &Login) -> Vec<String> {
    let seconds = login.connect.as_secs().max(1);
    let mut options = vec![
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        format!("UserKnownHostsFile={}", quoted(&login.known_hosts)),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "VerifyHostKeyDNS=no".to_owned(),
        format!("IdentityFile={}", quoted(&login.key_file)),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
        "PreferredAuthentications=publickey".to_owned(),
        format!("ConnectTimeout={seconds}"),
        "ServerAliveInterval=15".to_owned(),
        "ServerAliveCountMax=4".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "ClearAllForwardings=yes".to_owned(),
        "PermitLocalCommand=no".to_owned(),
        "ControlMaster=no".to_owned(),
        "ControlPath=none".to_owned(),
        "LogLevel=ERROR".to_owned(),
    ];
    let mut arguments = vec!["-F".to_owned(), "none".to_owned(), "-T".to_owned()];
    for option in options.drain(..) {
        arguments.extend(["-o".to_owned(), option]);
    }
    let port = login.port.to_string();
    arguments.extend(["-p", &port, "-l", &login.user, "-s", "--", &login.host, "sftp"].map(str::to_owned));
    arguments
}

/// A path as a value of an option: spaces do not end it, and `%` begins nothing.
fn quoted(path: &str) -> String {
    let mut text = "\"".to_owned();
    for letter in path.chars() {
        let escape = match letter {
            '"' | '\\' => "\\",
            '%' => "%",
            _ => "",
        };
        write!(text, "{escape}{letter}").expect("a string takes all");
    }
    text + "\""
}

/// Why `ssh` ended before SFTP began.
pub(super) fn failure(words: &str, host: &str) -> SourceError {
    let has = |text: &str| words.contains(text);
    let (kind, message) = if has("IDENTIFICATION HAS CHANGED") {
        (ErrorKind::HostKey, format!("the host key of `{host}` is another one than in `access.server.known_hosts`"))
    } else if has("Host key verification failed") || has("host key is known for") {
        (ErrorKind::HostKey, format!("`access.server.known_hosts` has no host key of `{host}`"))
    } else if has("UNPROTECTED PRIVATE KEY") {
        (ErrorKind::Misconfigured, "others may read the file of `access.server.key_file`: only its user may".to_owned())
    } else if has("Load key") || has("invalid format") {
        let message = "the file of `access.server.key_file` is no private key without a passphrase";
        (ErrorKind::Misconfigured, message.to_owned())
    } else if has("Permission denied") || has("Too many authentication failures") {
        (ErrorKind::LoginRefused, format!("`{host}` refuses the user or the key"))
    } else if has("subsystem request failed") {
        (ErrorKind::Misconfigured, format!("`{host}` accepts the login, and offers no SFTP"))
    } else if has("Could not resolve") {
        (ErrorKind::Unreachable, format!("no machine has the name `{host}`"))
    } else if has("timed out") {
        (ErrorKind::Unreachable, format!("`{host}` did not answer in time"))
    } else {
        (ErrorKind::Unreachable, format!("no connection to `{host}`, or it ended"))
    };
    SourceError::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_declaration_becomes_an_option_of_ssh() {
        let login = Login {
            host: "h".to_owned(),
            port: 2222,
            user: "-oProxyCommand=x".to_owned(),
            key_file: "/a b/%k\"".to_owned(),
            known_hosts: "/k".to_owned(),
            connect: Duration::ZERO,
        };
        let arguments = arguments(&login);
        let user = arguments.iter().position(|one| one == "-l").map(|at| arguments[at + 1].as_str());
        assert_eq!(user, Some("-oProxyCommand=x"));
        assert!(arguments.contains(&"IdentityFile=\"/a b/%%k\\\"\"".to_owned()), "{arguments:?}");
        assert!(arguments.contains(&"ConnectTimeout=1".to_owned()));
        assert_eq!(arguments[arguments.len() - 3..], ["--", "h", "sftp"]);
    }

    #[test]
    fn words_of_ssh_are_classed_and_not_shown() {
        for (words, kind) in [
            (
                "No ED25519 host key is known for [h]:2 and you have requested strict checking.\nHost key verification failed.",
                ErrorKind::HostKey,
            ),
            ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", ErrorKind::HostKey),
            ("BiMat@h: Permission denied (publickey).", ErrorKind::LoginRefused),
            ("Load key \"/k\": error in libcrypto\nBiMat@h: Permission denied (publickey).", ErrorKind::Misconfigured),
            ("ssh: connect to host h port 2: Connection refused", ErrorKind::Unreachable),
            ("subsystem request failed on channel 0", ErrorKind::Misconfigured),
            ("", ErrorKind::Unreachable),
        ] {
            let error = failure(words, "h");
            assert_eq!(error.kind, kind, "{words}");
            assert!(!error.message.contains("BiMat"), "{error}");
        }
    }
}

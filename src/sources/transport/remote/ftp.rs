//! A folder on an FTP server. A transfer counts as whole only if the server says so on the control connection (226) and the
//! file has its size: the end of a data connection looks the same if the server died.

use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use globset::GlobMatcher;
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use secrecy::{ExposeSecret as _, SecretString};
use suppaftp::types::FileType;
use suppaftp::{FtpError, Mode, RustlsConnector, RustlsFtpStream, Status};

use crate::sources::error::{ErrorClass, ErrorKind, SourceError};
use crate::sources::transport::files::not_a_file;
use crate::sources::transport::remote::ftp_list::{self, Line};
use crate::sources::transport::remote::session::Session;
use crate::sources::transport::remote::{
    ListedFile, MAX_LIST_BYTES, NOT_DESCRIBED, RemoteServer, ServerLimits, list_cut, not_utf8, take_name,
};
use crate::sources::transport::remote_stamp::RemoteStamp;
use crate::sources::transport::tls;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 18;

/// A folder on an FTP server, and the session of one pull.
pub(super) struct FtpServer {
    login: Arc<Login>,
    session: Session<Connection>,
}

struct Login {
    host: String,
    port: u16,
    user: String,
    password: SecretString,
    tls: Option<Arc<ClientConfig>>,
    folder: String,
    limits: ServerLimits,
}

/// A control connection whose working folder is the connector's.
struct Connection {
    ftp: RustlsFtpStream,
    /// Whether the server has `MLSD`.
    has_mlsd: bool,
}

/// Trusts the authorities of the machine, and those of a PEM file.
///
/// # Errors
/// `misconfigured`.
pub(super) fn tls_config(ca_file: Option<&str>) -> Result<Arc<ClientConfig>, SourceError> {
    let wrong = || SourceError::new(ErrorKind::Misconfigured, "the TLS client cannot be built");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let authorities = ca_file.map_or(Ok(Vec::new()), |path| tls::read_pem("access.server.ca_certificates", path))?;
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(authorities, Arc::clone(&provider));
    let verifier: Arc<dyn ServerCertVerifier> = Arc::new(verifier.map_err(|_| wrong())?);
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| wrong())?.dangerous().with_custom_certificate_verifier(verifier);
    Ok(Arc::new(config.with_no_client_auth()))
}

impl FtpServer {
    pub(super) fn new(
        (host, port): (String, u16),
        (user, password): (String, SecretString),
        tls: Option<Arc<ClientConfig>>,
        folder: &str,
        limits: ServerLimits,
    ) -> Self {
        let session = Session::new(limits.silence);
        let login = Login { host, port, user, password, tls, folder: folder.to_owned(), limits };
        Self { login: Arc::new(login), session }
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &AtomicU64) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let login = Arc::clone(&self.login);
        self.session.call(move || Connection::open(&login), work).await
    }
}

impl RemoteServer for FtpServer {
    fn list<'a>(&'a self, wanted: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<ListedFile>, SourceError>> {
        let wanted = wanted.clone();
        Box::pin(self.call(move |connection, counter| connection.list(&wanted, counter)))
    }

    fn stat<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<RemoteStamp>, SourceError>> {
        let name = name.to_vec();
        Box::pin(self.call(move |connection, _| connection.stat(&name)))
    }

    fn read<'a>(&'a self, name: &'a [u8], max_bytes: u64) -> BoxFuture<'a, Result<Vec<u8>, SourceError>> {
        let name = name.to_vec();
        Box::pin(self.call(move |connection, counter| connection.read(&name, max_bytes, counter)))
    }
}

impl Connection {
    fn open(login: &Login) -> Result<Self, SourceError> {
        let failed = |error| login_error(error, &login.host);
        let address = format!("{}:{}", login.host, login.port);
        let stream = connect(&address, &login.host, login.port, login.limits.connect, login.limits.silence)?;
        let is_ipv6 = stream.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let (wait, silence) = (login.limits.connect, login.limits.silence);
        let ftp = RustlsFtpStream::connect_with_stream(stream).map_err(failed)?;
        let mut ftp =
            ftp.passive_stream_builder(move |data| open_stream(data, wait, silence).map_err(FtpError::ConnectionError));
        // Data connections go to the host of the control connection, whatever address the server names.
        ftp.set_passive_nat_workaround(true);
        if is_ipv6 {
            ftp.set_mode(Mode::ExtendedPassive);
        }
        if let Some(config) = &login.tls {
            let connector = RustlsConnector::from(Arc::clone(config));
            ftp = ftp.into_secure(connector, &login.host).map_err(|error| tls_refused(failed(error)))?;
        }
        ftp.login(login.user.as_str(), login.password.expose_secret()).map_err(failed)?;
        ftp.transfer_type(FileType::Binary).map_err(failed)?;
        let features = ftp.feat().unwrap_or_default();
        if features.contains_key("UTF8") {
            // Servers that always write UTF-8 may refuse the command.
            let _ = ftp.opts("UTF8", Some("ON"));
        }
        if !login.folder.is_empty() {
            ftp.cwd(login.folder.as_str()).map_err(|error| match status_of(&error) {
                Some(Status::FileUnavailable) => SourceError::new(
                    ErrorKind::FolderMissing,
                    "the server has no such folder, or does not let the user in",
                ),
                _ => failed(error),
            })?;
        }
        Ok(Self {
            ftp,
            has_mlsd: features
                .keys()
                .any(|feature| feature.eq_ignore_ascii_case("MLSD") || feature.eq_ignore_ascii_case("MLST")),
        })
    }

    fn list(&mut self, wanted: &GlobMatcher, counter: &AtomicU64) -> Result<Vec<ListedFile>, SourceError> {
        let (command, read): (_, fn(&[u8]) -> Line) =
            if self.has_mlsd { ("MLSD", ftp_list::of_mlsd) } else { ("LIST", ftp_list::of_list) };
        let opened = self.ftp.custom_data_command(command, &[Status::AboutToSend, Status::AlreadyOpen]);
        let mut lines = BufReader::new(opened.map_err(|error| transfer_error(error, true))?.1);
        let (mut found, mut left) = (Vec::new(), MAX_LIST_BYTES);
        loop {
            let mut line = Vec::new();
            let length = lines.by_ref().take(left + 1).read_until(b'\n', &mut line);
            let length = length.or_else(end_of_tls).map_err(|_| list_cut("the connection ended in the list"))?;
            if length == 0 {
                break;
            }
            counter.fetch_add(1, Ordering::Relaxed);
            left = left.checked_sub(length as u64).ok_or_else(|| SourceError {
                class: ErrorClass::Fatal,
                ..list_cut(&format!("the list is longer than {MAX_LIST_BYTES} bytes"))
            })?;
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            match read(line) {
                Line::File(name, stamp) => {
                    let name = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
                    let unknown = || RemoteStamp { tag: NOT_DESCRIBED.to_owned(), ..RemoteStamp::default() };
                    take_name(&mut found, wanted, name, stamp.unwrap_or_else(unknown))?;
                }
                Line::Other => {}
                Line::Unknown if line.is_empty() => {}
                Line::Unknown => {
                    let message = "a line of the list is in none of the forms that are known";
                    return Err(SourceError { class: ErrorClass::Fatal, ..list_cut(message) });
                }
            }
        }
        self.ftp.close_data_connection(lines).map_err(|error| transfer_error(error, true))?;
        self.complete(found, counter)
    }

    /// Asks for the stamps that the list did not have. What the server does not describe stays [`NOT_DESCRIBED`].
    fn complete(&mut self, found: Vec<ListedFile>, counter: &AtomicU64) -> Result<Vec<ListedFile>, SourceError> {
        let mut complete = Vec::with_capacity(found.len());
        for (name, mut stamp) in found {
            counter.fetch_add(1, Ordering::Relaxed);
            if stamp.tag == NOT_DESCRIBED {
                match self.stat(&name) {
                    Ok(Some(asked)) => stamp = asked,
                    Err(error) if error.kind != ErrorKind::FileUnreadable => return Err(error),
                    // What cannot be asked for is kept: reading it gives the reason.
                    _ => {}
                }
            }
            complete.push((name, stamp));
        }
        Ok(complete)
    }

    fn stat(&mut self, name: &[u8]) -> Result<Option<RemoteStamp>, SourceError> {
        let name = std::str::from_utf8(name).map_err(|_| not_utf8())?;
        let bytes = match self.ftp.size(name) {
            Ok(bytes) => bytes as u64,
            Err(error) if status_of(&error) == Some(Status::FileUnavailable) => return Ok(None),
            Err(error) => return Err(transfer_error(error, false)),
        };
        let modified = match self.ftp.mdtm(name) {
            Ok(time) => Some(time.and_utc().timestamp()),
            Err(FtpError::UnexpectedResponse(_)) => None,
            Err(error) => return Err(transfer_error(error, false)),
        };
        Ok(Some(RemoteStamp { bytes, modified, ..RemoteStamp::default() }))
    }

    fn read(&mut self, name: &[u8], max_bytes: u64, counter: &AtomicU64) -> Result<Vec<u8>, SourceError> {
        let name = std::str::from_utf8(name).map_err(|_| not_utf8())?;
        let mut stream = self.ftp.retr_as_stream(name).map_err(|error| match status_of(&error) {
            Some(Status::FileUnavailable) => not_a_file("the server refuses to send it"),
            _ => transfer_error(error, false),
        })?;
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = stream.read(&mut chunk).or_else(end_of_tls).map_err(|_| cut_short())?;
            if read == 0 {
                break;
            }
            counter.fetch_add(1, Ordering::Relaxed);
            bytes.extend_from_slice(&chunk[..read]);
            if bytes.len() as u64 > max_bytes {
                // The session ends here: the rest of the file is still in it.
                return Err(crate::sources::transport::files::too_large(max_bytes));
            }
        }
        self.ftp.finalize_retr_stream(stream).map_err(|_| cut_short())?;
        Ok(bytes)
    }
}

fn cut_short() -> SourceError {
    SourceError::new(ErrorKind::BodyCutShort, "the connection ended in the middle of the file")
}

/// Servers may end a data connection without the end of TLS. That the transfer is whole, the control connection says.
fn end_of_tls(error: io::Error) -> io::Result<usize> {
    if error.kind() == io::ErrorKind::UnexpectedEof { Ok(0) } else { Err(error) }
}

fn connect(address: &str, host: &str, port: u16, wait: Duration, silence: Duration) -> Result<TcpStream, SourceError> {
    let unreachable = || SourceError::new(ErrorKind::Unreachable, format!("no connection to `{address}`"));
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|_| SourceError::new(ErrorKind::Unreachable, format!("no machine has the name `{host}`")))?;
    let mut found = Err(unreachable());
    for address in addresses {
        found = open_stream(address, wait, silence).map_err(|_| unreachable());
        if found.is_ok() {
            break;
        }
    }
    found
}

fn open_stream(address: SocketAddr, wait: Duration, silence: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, wait)?;
    stream.set_read_timeout(Some(silence))?;
    stream.set_write_timeout(Some(silence))?;
    Ok(stream)
}

fn status_of(error: &FtpError) -> Option<Status> {
    match error {
        FtpError::UnexpectedResponse(response) => Some(response.status),
        _ => None,
    }
}

/// An error while the session is opened.
fn login_error(error: FtpError, host: &str) -> SourceError {
    match &error {
        FtpError::ConnectionError(io) if tls::io_error(io, host).is_some() => {
            tls::io_error(io, host).unwrap_or_else(cut_short)
        }
        FtpError::UnexpectedResponse(response) if matches!(response.status.code(), 332 | 430 | 530..=534) => {
            let message = format!(
                "`{host}` refuses the user, the password or the way of logging in ({})",
                response.status.code()
            );
            SourceError::new(ErrorKind::LoginRefused, message)
        }
        _ => transfer_error(error, false),
    }
}

/// Of a server that refuses TLS, the password is never sent without it.
fn tls_refused(error: SourceError) -> SourceError {
    match error.kind {
        ErrorKind::UnexpectedStatus | ErrorKind::LoginRefused | ErrorKind::FileUnreadable => {
            SourceError::new(ErrorKind::Misconfigured, "the server offers no TLS, and `access.server.tls` asks for it")
        }
        _ => error,
    }
}

/// An error in a session. Texts of the server are not shown: they may name files and users.
fn transfer_error(error: FtpError, is_list: bool) -> SourceError {
    let found = match error {
        FtpError::ConnectionError(io) if matches!(io.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            SourceError::new(ErrorKind::Timeout, "the server did not answer in time")
        }
        FtpError::ConnectionError(_) | FtpError::BadResponse => {
            SourceError::new(ErrorKind::Unreachable, "the server closed the connection, or is no FTP server")
        }
        FtpError::UnexpectedResponse(response) => {
            let code = response.status.code();
            let kind = match code {
                530 => ErrorKind::LoginRefused,
                421 | 425 | 426 | 450..=452 => ErrorKind::Unavailable,
                550 => ErrorKind::FileUnreadable,
                _ => ErrorKind::UnexpectedStatus,
            };
            SourceError::new(kind, format!("the server answered with code {code}"))
        }
        _ => SourceError::new(ErrorKind::Unreachable, "the connection with the server failed"),
    };
    if is_list && !matches!(found.kind, ErrorKind::Timeout | ErrorKind::Unreachable) {
        return list_cut(&found.message);
    }
    found
}

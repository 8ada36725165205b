//! A folder on an SFTP server: packets over the standard input and output of `ssh`.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use globset::GlobMatcher;

use crate::sources::error::{ErrorKind, SourceError};
use crate::sources::transport::files::{not_a_file, too_large};
use crate::sources::transport::remote::session::Session;
use crate::sources::transport::remote::sftp_packets::{self as packets, Answer, Ask, Attributes, Status};
use crate::sources::transport::remote::ssh::{self, Login, Words};
use crate::sources::transport::remote::{ListedFile, RemoteServer, list_cut, take_name};
use crate::sources::transport::remote_stamp::RemoteStamp;

/// Bytes of one read, which every server sends at once.
const CHUNK_BYTES: u32 = 32 << 10;
/// Reads that are on their way: on a slow line, each would otherwise wait for the one before.
const READS_AT_ONCE: usize = 16;

/// Longest wait for the end of an `ssh` whose output has ended. It is killed afterwards.
const LONGEST_END: Duration = Duration::from_secs(2);

/// A folder on an SFTP server, and the session of one pull.
pub(super) struct SftpServer {
    login: Arc<Login>,
    /// With a `/` at its end, unless it is the folder of the user.
    folder: Vec<u8>,
    session: Session<Connection>,
    /// The `ssh` that runs. A thread that waits for it ends with it.
    running: Running,
}

type Running = Arc<Mutex<Option<Child>>>;

impl SftpServer {
    pub(super) fn new(login: Login, folder: &str, silence: Duration) -> Self {
        let mut folder = folder.as_bytes().to_vec();
        if !folder.is_empty() && !folder.ends_with(b"/") {
            folder.push(b'/');
        }
        Self { login: Arc::new(login), folder, session: Session::new(silence), running: Running::default() }
    }

    fn path(&self, name: &[u8]) -> Vec<u8> {
        [&self.folder, name].concat()
    }

    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &AtomicU64) -> Result<T, SourceError> + Send + 'static,
    ) -> Result<T, SourceError> {
        let (login, running) = (Arc::clone(&self.login), Arc::clone(&self.running));
        let answer = self.session.call(move || Connection::open(&login, &running), work).await;
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Timeout) {
            end(&self.running);
        }
        answer
    }
}

impl Drop for SftpServer {
    fn drop(&mut self) {
        end(&self.running);
    }
}

/// Takes the running `ssh`. The mutex is never held while a thread waits for a process.
fn take(running: &Running) -> Option<Child> {
    running.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn end(running: &Running) {
    if let Some(child) = take(running) {
        kill(child);
    }
}

/// Kills `ssh` and returns at once: the caller may be a worker of the async runtime.
fn kill(mut child: Child) {
    // Fails if it has ended already.
    let _ = child.kill();
    // Without the thread, the process stays in the process table until motcua ends.
    let _ = std::thread::Builder::new().name("end ssh".to_owned()).spawn(move || child.wait());
}

/// Waits until `ssh` ends by itself, at most [`LONGEST_END`], and then kills it.
fn end_soon(mut child: Child) {
    let until = Instant::now() + LONGEST_END;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(child);
}

impl RemoteServer for SftpServer {
    fn list<'a>(&'a self, wanted: &'a GlobMatcher) -> BoxFuture<'a, Result<Vec<ListedFile>, SourceError>> {
        let (wanted, folder) = (wanted.clone(), self.folder.clone());
        Box::pin(self.call(move |connection, counter| connection.list(&folder, &wanted, counter)))
    }

    fn stat<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<RemoteStamp>, SourceError>> {
        let path = self.path(name);
        Box::pin(self.call(move |connection, _| Ok(connection.stat(&path)?.map(Attributes::stamp))))
    }

    fn read<'a>(&'a self, name: &'a [u8], max_bytes: u64) -> BoxFuture<'a, Result<Vec<u8>, SourceError>> {
        let path = self.path(name);
        Box::pin(self.call(move |connection, counter| connection.read(&path, max_bytes, counter)))
    }
}

/// A running `ssh` that has begun SFTP.
struct Connection {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u32,
}

impl Connection {
    fn open(login: &Login, running: &Running) -> Result<Self, SourceError> {
        end(running);
        let (child, words) = ssh::start(login)?;
        Self::begin(child, &words, &login.host, running)
    }

    /// Begins SFTP with an `ssh` that was started.
    fn begin(mut child: Child, words: &Words, host: &str, running: &Running) -> Result<Self, SourceError> {
        let pipes = (child.stdin.take(), child.stdout.take());
        *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let (Some(input), Some(output)) = pipes else {
            return Err(SourceError::new(ErrorKind::Unreachable, "`ssh` has no input or output"));
        };
        let mut connection = Self { input, output: BufReader::new(output), number: 0 };
        // `ssh` may end before it reads: what it writes then says why.
        let welcome = connection.send(&packets::hello()).and_then(|()| connection.packet());
        match welcome {
            Ok(packet) if packets::is_welcome(&packet) => Ok(connection),
            Ok(_) => Err(SourceError::new(ErrorKind::Misconfigured, "the server has no SFTP of version 3")),
            // A letter in the first byte makes a length above 1 MiB.
            Err(error) if error.kind == ErrorKind::Unreachable => {
                end(running);
                Err(text_before_sftp(host))
            }
            Err(_) => {
                // `ssh` may wait for the end of its input.
                drop(connection);
                if let Some(child) = take(running) {
                    end_soon(child);
                }
                // The last words may still be on their way.
                std::thread::sleep(Duration::from_millis(50));
                let words = words.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Err(ssh::failure(&words, host))
            }
        }
    }

    fn send(&mut self, packet: &[u8]) -> Result<(), SourceError> {
        self.input.write_all(packet).and_then(|()| self.input.flush()).map_err(|_| ended())
    }

    fn packet(&mut self) -> Result<Vec<u8>, SourceError> {
        let mut length = [0; 4];
        self.output.read_exact(&mut length).map_err(|_| ended())?;
        let length = u32::from_be_bytes(length);
        if length > packets::MAX_PACKET_BYTES {
            return Err(SourceError::new(
                ErrorKind::Unreachable,
                "the server's answer is no SFTP: a packet is too long",
            ));
        }
        let mut packet = vec![0; usize::try_from(length).unwrap_or_default()];
        self.output.read_exact(&mut packet).map_err(|_| ended())?;
        Ok(packet)
    }

    fn send_request(&mut self, ask: Ask<'_>) -> Result<u32, SourceError> {
        self.number = self.number.wrapping_add(1);
        let packet = packets::request(self.number, ask);
        self.send(&packet)?;
        Ok(self.number)
    }

    fn answer(&mut self) -> Result<(u32, Answer), SourceError> {
        let packet = self.packet()?;
        packets::answer(&packet)
            .ok_or_else(|| SourceError::new(ErrorKind::Unreachable, "the server sent no SFTP: a packet cannot be read"))
    }

    fn ask(&mut self, ask: Ask<'_>) -> Result<Answer, SourceError> {
        let number = self.send_request(ask)?;
        match self.answer()? {
            (found, answer) if found == number => Ok(answer),
            _ => Err(SourceError::new(ErrorKind::Unreachable, "the server answered another request")),
        }
    }

    fn list(
        &mut self,
        folder: &[u8],
        wanted: &GlobMatcher,
        counter: &AtomicU64,
    ) -> Result<Vec<ListedFile>, SourceError> {
        let opened = if folder.is_empty() { b"." } else { folder };
        let handle = match self.ask(Ask::OpenFolder(opened))? {
            Answer::Handle(handle) => handle,
            Answer::Status(Status::NoSuchFile | Status::Other(_)) => {
                return Err(SourceError::new(ErrorKind::FolderMissing, "the server has no such folder"));
            }
            Answer::Status(Status::Denied) => {
                return Err(SourceError::new(ErrorKind::FileUnreadable, "the user may not read the folder"));
            }
            _ => return Err(list_cut("the server does not open the folder")),
        };
        let (mut found, mut links) = (Vec::new(), Vec::new());
        loop {
            let names = match self.ask(Ask::NextNames(&handle)).map_err(|error| in_list(&error))? {
                Answer::Names(names) => names,
                Answer::Status(Status::End) => break,
                _ => return Err(list_cut("the server ended the list with an error")),
            };
            counter.fetch_add(1, Ordering::Relaxed);
            for (name, attributes) in names {
                if attributes.is_link() || attributes.mode.is_none() {
                    take_name(&mut links, wanted, name, attributes.stamp())?;
                } else if !attributes.is_folder() {
                    take_name(&mut found, wanted, name, attributes.stamp())?;
                }
            }
        }
        self.ask(Ask::Close(&handle))?;
        for (name, listed) in links {
            counter.fetch_add(1, Ordering::Relaxed);
            match self.stat(&[folder, &name].concat())? {
                Some(attributes) if attributes.is_folder() => {}
                Some(attributes) => found.push((name, attributes.stamp())),
                // A link that leads nowhere is kept: reading it gives the reason.
                None => found.push((name, listed)),
            }
        }
        Ok(found)
    }

    /// Attributes of what a path leads to; `None` if it leads nowhere.
    fn stat(&mut self, path: &[u8]) -> Result<Option<Attributes>, SourceError> {
        match self.ask(Ask::OfPath(path))? {
            Answer::Attributes(attributes) => Ok(Some(attributes)),
            Answer::Status(Status::NoSuchFile) => Ok(None),
            Answer::Status(Status::Denied) => Err(not_a_file("the user may not look at it")),
            _ => Err(not_a_file("the server does not describe it")),
        }
    }

    /// Reads the file that is open, however its name is given away in between.
    fn read(&mut self, path: &[u8], max_bytes: u64, counter: &AtomicU64) -> Result<Vec<u8>, SourceError> {
        let handle = match self.ask(Ask::Open(path))? {
            Answer::Handle(handle) => handle,
            Answer::Status(Status::NoSuchFile) => {
                return Err(SourceError::new(ErrorKind::FileVanished, "it is gone since it was listed"));
            }
            Answer::Status(Status::Denied) => return Err(not_a_file("the user may not read it")),
            _ => return Err(not_a_file("the server does not open it")),
        };
        let Answer::Attributes(attributes) = self.ask(Ask::OfHandle(&handle))? else {
            return Err(not_a_file("the server does not describe it"));
        };
        if attributes.stamp().is_special {
            return Err(not_a_file("a pipe, device or socket, not a file"));
        }
        let length = attributes.bytes.unwrap_or_default();
        if length > max_bytes {
            return Err(too_large(max_bytes));
        }
        let bytes = self.read_open(&handle, length, counter)?;
        self.ask(Ask::Close(&handle))?;
        Ok(bytes)
    }

    /// Reads `length` bytes; fewer if the file has become shorter.
    fn read_open(&mut self, handle: &[u8], length: u64, counter: &AtomicU64) -> Result<Vec<u8>, SourceError> {
        let mut bytes: Vec<u8> = Vec::new();
        // Answers may come in another order than they were asked for.
        let mut early: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut sent: VecDeque<(u32, u64, u32)> = VecDeque::new();
        let (mut next, mut is_ended) = (0, false);
        loop {
            while sent.len() < READS_AT_ONCE && next < length && !is_ended {
                let wanted = u32::try_from((length - next).min(u64::from(CHUNK_BYTES))).unwrap_or(CHUNK_BYTES);
                sent.push_back((self.send_request(Ask::Read(handle, next, wanted))?, next, wanted));
                next += u64::from(wanted);
            }
            if sent.is_empty() {
                return Ok(bytes);
            }
            let (number, answer) = self.answer()?;
            let at = sent.iter().position(|(sent, _, _)| *sent == number);
            let Some((_, offset, wanted)) = at.and_then(|at| sent.remove(at)) else { return Err(ended()) };
            match answer {
                Answer::Data(data) if !data.is_empty() && data.len() as u64 <= u64::from(wanted) => {
                    counter.fetch_add(1, Ordering::Relaxed);
                    let read = u32::try_from(data.len()).unwrap_or(wanted);
                    early.insert(offset, data);
                    if read < wanted && !is_ended {
                        let (offset, wanted) = (offset + u64::from(read), wanted - read);
                        sent.push_front((self.send_request(Ask::Read(handle, offset, wanted))?, offset, wanted));
                    }
                }
                Answer::Status(Status::End) => is_ended = true,
                _ => return Err(not_a_file("the server cannot read it")),
            }
            while let Some(data) = early.remove(&(bytes.len() as u64)) {
                bytes.extend_from_slice(&data);
            }
        }
    }
}

fn ended() -> SourceError {
    SourceError::new(ErrorKind::BodyCutShort, "the connection ended before the answer")
}

/// An error of a server that writes text where SFTP should begin.
fn text_before_sftp(host: &str) -> SourceError {
    let hint = "let the start files of the user's shell on the server, such as `.bashrc`, write nothing in a session \
                without a terminal";
    let message = format!("`{host}` writes text before SFTP begins");
    SourceError { hint, ..SourceError::new(ErrorKind::Misconfigured, message) }
}

/// An error in the middle of a list.
fn in_list(error: &SourceError) -> SourceError {
    list_cut(&error.message)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Begins SFTP with a script in the place of `ssh`, whose standard error has `words`.
    fn begin(script: &str, words: &str) -> (Result<Connection, SourceError>, Running) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().expect("`sh` starts");
        let running = Running::default();
        let words: Words = Arc::new(Mutex::new(words.to_owned()));
        (Connection::begin(child, &words, "h", &running), running)
    }

    #[test]
    fn an_ssh_that_does_not_end_by_itself_is_killed_and_the_reason_is_named() {
        let began = Instant::now();
        for (script, words, kind, text) in [
            ("echo Welcome; exec sleep 600", "", ErrorKind::Misconfigured, "writes text before SFTP begins"),
            ("printf '\\nHi\\n'; exec sleep 600", "", ErrorKind::Misconfigured, "writes text before SFTP begins"),
            ("exit 255", "Permission denied (publickey).", ErrorKind::LoginRefused, "refuses"),
            // It closes its output and waits for the end of its input, or for nothing.
            ("exec >&-; exec cat", "", ErrorKind::Unreachable, "no connection"),
            ("exec >&-; exec sleep 600", "", ErrorKind::Unreachable, "no connection"),
        ] {
            let (answer, running) = begin(script, words);
            let error = answer.err().expect("no SFTP");
            assert_eq!(error.kind, kind, "{script}");
            assert!(error.message.contains(text), "{script}: {error}");
            assert!(take(&running).is_none(), "{script}");
        }
        assert!(began.elapsed() < Duration::from_mins(5), "no script was waited for");
    }
}

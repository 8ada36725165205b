//! Servers of files on loopback, each with a process of its own: OpenSSH, and Python's WsgiDAV, pyftpdlib and moto.
#![expect(clippy::disallowed_methods, reason = "edge: a test writes the keys and configuration of its servers")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest time for a server to start.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const USER: &str = "motcua";
/// Planted: no output of the binary may have it.
pub(crate) const PASSWORD: &str = "planted-s3cret-5b1e";

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// A server in Python; it ends when its standard input does.
pub(crate) struct PythonServer {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(crate) port: u16,
    /// What it printed before it was ready.
    pub(crate) said: Vec<String>,
}

impl PythonServer {
    pub(crate) fn start(kind: &str, folder: &Path, options: &[&str]) -> Self {
        let python = std::env::var("MOTCUA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/file_servers.py");
        let port = free_port();
        let mut command = Command::new(python);
        command.arg(script).arg(kind).arg(folder).arg(port.to_string()).args(options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("Python starts");
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut server = Self { process, input, output, port, said: Vec::new() };
        loop {
            match server.line().as_str() {
                "ready" => return server,
                "" => panic!("the server `{kind}` did not start"),
                line => server.said.push(line.to_owned()),
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the server writes UTF-8");
        line.trim_end().to_owned()
    }

    /// Gives a command, and waits until it is done.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.input.as_mut().expect("it runs"), "{command}").expect("the server reads");
        assert_eq!(self.line(), "done", "{command}");
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// OpenSSH's server, as the user of the test, with keys of its own.
pub(crate) struct SshServer {
    folder: tempfile::TempDir,
    process: Child,
    pub(crate) port: u16,
}

impl SshServer {
    /// Whether its programs are there.
    pub(crate) fn is_there() -> bool {
        ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/lib/openssh/sftp-server"].iter().all(|file| Path::new(file).exists())
    }

    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is a scratch folder");
        let at = |name: &str| folder.path().join(name);
        for key in ["host", "other-host", "client", "other-client"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at(key)).status();
            assert!(made.is_ok_and(|status| status.success()), "a key can be made");
        }
        std::fs::copy(at("client.pub"), at("authorized")).expect("the scratch folder is writable");
        let port = free_port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPidFile none\n\
             UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 100\nSubsystem sftp /usr/lib/openssh/sftp-server\n",
            at("host").display(),
            at("authorized").display()
        );
        // Newer servers refuse, for a while, who failed to log in; older ones do not know the word.
        let lenient = format!("PerSourcePenalties no\n{config}");
        std::fs::write(at("config"), lenient).expect("the scratch folder is writable");
        let checked = Command::new("/usr/sbin/sshd").args(["-t", "-f"]).arg(at("config")).output();
        if !checked.is_ok_and(|checked| checked.status.success()) {
            std::fs::write(at("config"), config).expect("the scratch folder is writable");
        }
        // Where sshd runs as root, it wants this folder.
        let _ = std::fs::create_dir_all("/run/sshd");
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(at("config")).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("sshd starts");
        let server = Self { folder, process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "sshd does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server.know("known", "host", port);
        server.know("other-known", "other-host", port);
        std::fs::write(server.at("empty-known"), "").expect("the scratch folder is writable");
        server
    }

    /// Writes a file of known hosts with the key of this server, or another key, under a port.
    pub(crate) fn know(&self, file: &str, key: &str, port: u16) {
        let key = std::fs::read_to_string(self.at(&format!("{key}.pub"))).expect("the key is there");
        std::fs::write(self.at(file), format!("[127.0.0.1]:{port} {key}")).expect("the scratch folder is writable");
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Passes connections on to a server, and cuts the first of them after some bytes of the server.
pub(crate) struct Cutter {
    pub(crate) port: u16,
    cuts_left: Arc<AtomicUsize>,
}

impl Cutter {
    pub(crate) fn start(server: u16, after_bytes: usize, cuts: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let cuts_left = Arc::new(AtomicUsize::new(cuts));
        let left = Arc::clone(&cuts_left);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
                let (to_server, from_client) = (server.try_clone(), client.try_clone());
                if let (Ok(mut to), Ok(mut from)) = (to_server, from_client) {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                let left = Arc::clone(&left);
                std::thread::spawn(move || pass(server, client, after_bytes, &left));
            }
        });
        Self { port, cuts_left }
    }

    pub(crate) fn cuts_left(&self) -> usize {
        self.cuts_left.load(Ordering::SeqCst)
    }
}

fn pass(mut server: TcpStream, mut client: TcpStream, after_bytes: usize, left: &AtomicUsize) {
    let (mut chunk, mut passed) = ([0; 4096], 0);
    while let Ok(read @ 1..) = server.read(&mut chunk) {
        passed += read;
        let is_cut = passed > after_bytes
            && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_cut || client.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

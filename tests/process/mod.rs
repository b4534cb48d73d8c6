//! The program as a user meets it: started as a process, watched line by line, ended by a signal.
//! Nothing here waits for a time to pass; everything waits for something to happen, and gives up
//! after [`PATIENCE`].

#![allow(dead_code, reason = "each test uses its part")]

pub mod foreign_card;
pub mod in_hand;
pub mod reader;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes that works, on a machine with other things to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Now, and so much longer.
pub fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// `vmyna` with these arguments, in English and without colours whatever the environment says.
pub fn vmyna<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmyna"));
    command.args(arguments).env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env_remove("COLUMNS");
    command.stdin(Stdio::null());
    command
}

/// How a process ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Everything that a person would have seen.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The last line of standard output.
    pub fn closing_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }
}

/// Runs `command` to its end.
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).ends()
}

/// A running process; killed when dropped.
pub struct Running {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_stdout(command, Stdio::piped())
    }

    pub fn start_with_stdout(command: &mut Command, stdout: impl Into<Stdio>) -> Self {
        command.stdout(stdout).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // A pipe end kept in `command` would keep the pipe open.
        command.stdout(Stdio::null());
        let stdout = child.stdout.take().map_or_else(Lines::none, Lines::of);
        let stderr = Lines::of(child.stderr.take().expect("standard error is a pipe"));
        Self { child, stdout, stderr }
    }

    /// The next line of standard output that contains `wanted`.
    pub fn says(&mut self, wanted: &str) -> String {
        self.stdout.next_with(wanted).unwrap_or_else(|| panic!("no line {wanted:?}:\n{}", self.so_far()))
    }

    /// Likewise, unless it ends without.
    pub fn may_say(&mut self, wanted: &str) -> Option<String> {
        self.stdout.next_with(wanted)
    }

    /// The next line of standard error that contains `wanted`.
    pub fn tells(&mut self, wanted: &str) -> String {
        self.stderr.next_with(wanted).unwrap_or_else(|| panic!("no line {wanted:?}:\n{}", self.so_far()))
    }

    /// The port in the next line of standard error that contains `wanted` and ends in a port.
    pub fn tells_port(&mut self, wanted: &str) -> u16 {
        self.may_tell_port(wanted).unwrap_or_else(|| panic!("no line {wanted:?}:\n{}", self.so_far()))
    }

    /// Likewise, unless it ends without.
    pub fn may_tell_port(&mut self, wanted: &str) -> Option<u16> {
        let line = self.stderr.next_with(wanted)?;
        let port = line.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        Some(port.unwrap_or_else(|| panic!("no port in {line:?}")))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there");
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as nothing can be prepared for.
    pub fn kill(mut self) {
        self.child.kill().expect("the process is there");
        self.child.wait().expect("it has ended");
    }

    /// Waits for its end, which shows as the end of its output.
    pub fn ends(mut self) -> Ended {
        let (stdout_ended, stderr_ended) = (self.stdout.has_ended(), self.stderr.has_ended());
        assert!(stdout_ended && stderr_ended, "it does not end:\n{}", self.so_far());
        let status: ExitStatus = self.child.wait().expect("it has ended");
        Ended {
            code: status.code(),
            stdout: std::mem::take(&mut self.stdout.seen),
            stderr: std::mem::take(&mut self.stderr.seen),
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn so_far(&self) -> String {
        format!("standard output:\n{}standard error:\n{}", self.stdout.seen, self.stderr.seen)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream as they come.
struct Lines {
    coming: Receiver<String>,
    seen: String,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (line, coming) = channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut bytes = Vec::new();
            while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
                if line.send(String::from_utf8_lossy(&bytes).into_owned()).is_err() {
                    break;
                }
                bytes.clear();
            }
        });
        Self { coming, seen: String::new() }
    }

    fn none() -> Self {
        Self { coming: channel().1, seen: String::new() }
    }

    fn next_with(&mut self, wanted: &str) -> Option<String> {
        let deadline = soon();
        loop {
            let line = self.coming.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
            self.seen.push_str(&line);
            if line.contains(wanted) {
                return Some(line.trim_end().to_owned());
            }
        }
    }

    /// Whether the stream ends, with no longer pause than [`PATIENCE`] before any line.
    fn has_ended(&mut self) -> bool {
        loop {
            match self.coming.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push_str(&line),
                Err(error) => return error == std::sync::mpsc::RecvTimeoutError::Disconnected,
            }
        }
    }
}

/// A folder for one test; gone afterwards.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders that it lies in.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder");
        std::fs::write(&path, contents).expect("a file");
        path
    }

    /// `vmyna` with this folder as its working directory, so that files have short names.
    pub fn vmyna<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = vmyna(arguments);
        command.current_dir(self.path());
        command
    }

    /// Everything that lies here: names, and the bytes of files.
    pub fn contents(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut contents = BTreeMap::new();
        collect(self.path(), &mut contents);
        contents
    }

    /// Runs `vmyna`, which must refuse: with one message, nothing on standard output, and nothing
    /// changed on disk. Returns exit code and message, the folder's own name left out.
    pub fn refusal<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        let before = self.contents();
        let ended = run(&mut self.vmyna(arguments));
        assert_eq!(self.contents(), before, "something on disk has changed\n{}", ended.stderr);
        assert_eq!(ended.stdout, "", "{}", ended.stderr);
        assert_eq!(
            ended.stderr.lines().filter(|line| line.contains("error: ")).count(),
            1,
            "{}",
            ended.stderr
        );
        let told = ended.stderr.replace(&self.path().display().to_string(), "[folder]");
        format!(
            "{told}exit code {}",
            ended.code.map_or_else(|| "missing".to_owned(), |code| code.to_string())
        )
    }
}

fn collect(folder: &Path, contents: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, contents);
            contents.insert(path, None);
        } else {
            let bytes = std::fs::read(&path).expect("the file can be read");
            contents.insert(path, Some(bytes));
        }
    }
}

/// A port of this machine that refuses connections and that nobody else is given, while a reader or
/// a card of ours may still come to listen on it.
pub struct ReservedPort(socket2::Socket);

impl ReservedPort {
    pub fn new() -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("an option of every socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a port");
        Self(socket)
    }

    pub fn number(&self) -> u16 {
        self.0.local_addr().ok().and_then(|address| address.as_socket()).expect("an address").port()
    }
}

/// Fails when any of `pins` shows in `text`: as it is, or as the hexadecimal digits of its bytes.
pub fn assert_no_pin_in(text: &str, pins: &[&str]) {
    let unspaced: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    for pin in pins {
        let hex = pin.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02X}");
            hex
        });
        assert!(!shows(text, pin), "the PIN {pin} shows:\n{text}");
        assert!(!unspaced.contains(&hex), "the bytes of the PIN {pin} show:\n{text}");
    }
}

/// Whether `pin` stands in `text` by itself: four digits stand inside longer numbers by chance.
fn shows(text: &str, pin: &str) -> bool {
    let is_apart = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_ascii_alphanumeric());
    text.match_indices(pin).any(|(at, _)| {
        is_apart(text[..at].chars().next_back()) && is_apart(text[at + pin.len()..].chars().next())
    })
}

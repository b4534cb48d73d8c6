//! The machine under examination: its files, its processes and its ports, read as Linux shows them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A machine. Everything is read below `root`, so that a test can make one out of files.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
    /// where programs lie
    path: Vec<PathBuf>,
    /// where PC/SC programs look for the service
    socket: PathBuf,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub id: u32,
    pub name: String,
    /// when it was started, in seconds since 1970
    pub started: Option<u64>,
}

/// Who has a TCP port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Nobody,
    Process(Process),
    /// somebody whose processes we may not look into
    Unknown,
}

/// Clock ticks of `/proc/PID/stat` in a second; Linux tells user space this number on every machine.
const TICKS: u64 = 100;

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Where pcscd lives, and where not every user looks.
        let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        Self {
            root: PathBuf::from("/"),
            path: std::env::split_paths(&path).chain(more).collect(),
            socket: std::env::var_os("PCSCLITE_CSOCK_NAME")
                .map_or_else(|| PathBuf::from("/run/pcscd/pcscd.comm"), PathBuf::from),
        }
    }

    /// One whose files lie below `root`, with its programs in `usr/bin` and `usr/sbin`.
    #[must_use]
    pub fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            path: vec![root.join("usr/bin"), root.join("usr/sbin")],
            socket: root.join("run/pcscd/pcscd.comm"),
        }
    }

    /// The file of this absolute path.
    pub(super) fn file(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The command that starts pcscd anew here, with systemd or without.
    pub(super) fn restart(&self) -> &'static str {
        if self.file("/run/systemd/system").is_dir() {
            "systemctl restart pcscd"
        } else {
            "kill $(pidof pcscd); pcscd        # as root; there is no systemd here"
        }
    }

    /// The command that starts pcscd here.
    pub(super) fn start(&self) -> &'static str {
        if self.file("/run/systemd/system").is_dir() {
            "systemctl enable --now pcscd.socket"
        } else {
            "pcscd        # as root; there is no systemd here"
        }
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Whether a service listens at the socket, or systemd in its place.
    pub(super) fn socket_answers(&self) -> bool {
        std::os::unix::net::UnixStream::connect(&self.socket).is_ok()
    }

    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        self.path.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    }

    /// What a program says, on both streams; `None` when it is not there or cannot be run.
    pub(super) fn ask(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(self.program(program)?).args(arguments).output().ok()?;
        Some([output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat())
    }

    /// When the file or its place was last changed, in seconds since 1970. Packages keep the time at
    /// which a file was made; this is when it came here.
    pub(super) fn came_here(path: &Path) -> Option<u64> {
        fs::metadata(path).ok().and_then(|metadata| u64::try_from(metadata.ctime()).ok())
    }

    pub(super) fn processes(&self, name: &str) -> Vec<Process> {
        self.process_ids().filter_map(|id| self.process(id)).filter(|process| process.name == name).collect()
    }

    fn process_ids(&self) -> impl Iterator<Item = u32> {
        let entries = fs::read_dir(self.file("/proc")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
    }

    fn process(&self, id: u32) -> Option<Process> {
        let stat = fs::read_to_string(self.file(&format!("/proc/{id}/stat"))).ok()?;
        let (before, after) = stat.rsplit_once(") ")?;
        let name = before.split_once('(')?.1.to_owned();
        // starttime is field 22; what follows the name begins with field 3.
        let ticks: Option<u64> = after.split(' ').nth(19).and_then(|field| field.parse().ok());
        let boot = fs::read_to_string(self.file("/proc/stat")).ok().and_then(|stat| {
            stat.lines()
                .find_map(|line| line.strip_prefix("btime "))
                .and_then(|time| time.trim().parse::<u64>().ok())
        });
        let started = boot.zip(ticks).map(|(boot, ticks)| boot + ticks / TICKS);
        Some(Process { id, name, started })
    }

    /// Who listens on `port`.
    pub(super) fn listener(&self, port: u16) -> Owner {
        const LISTENING: &str = "0A";
        self.owner(|local, _, state| local == port && state == LISTENING)
    }

    /// Who is connected to `port` of this machine, hence a card in that slot.
    pub(super) fn client(&self, port: u16) -> Owner {
        const ESTABLISHED: &str = "01";
        self.owner(|_, remote, state| remote == port && state == ESTABLISHED)
    }

    fn owner(&self, is_wanted: impl Fn(u16, u16, &str) -> bool) -> Owner {
        let port = |address: &str| u16::from_str_radix(address.rsplit(':').next()?, 16).ok();
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(self.file(table)));
        let inode = tables.iter().flatten().flat_map(|table| table.lines().skip(1)).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
            is_wanted(port(local)?, port(remote)?, state).then(|| inode.to_owned())
        });
        let Some(inode) = inode else { return Owner::Nobody };
        let link = format!("socket:[{inode}]");
        let has_it = |id: &u32| {
            let files = fs::read_dir(self.file(&format!("/proc/{id}/fd"))).into_iter().flatten().flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .any(|target| target.as_os_str() == OsStr::new(&link))
        };
        self.process_ids().find(has_it).and_then(|id| self.process(id)).map_or(Owner::Unknown, Owner::Process)
    }
}

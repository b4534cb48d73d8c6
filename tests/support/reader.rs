//! pcscd's virtual reader: what it takes to have one, its two slots, and the taking of a slot for one test.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use tempfile::TempDir;

use super::program::{Finished, bounded};

/// Every program that the tests call.
const PROGRAMS: [&str; 4] = ["opensc-tool", "pkcs15-tool", "pkcs11-tool", "openssl"];

/// vpcd names its slots so; each listens on the port after that of the one before.
const SLOTS: [&str; 2] = ["Virtual PCD 00 00", "Virtual PCD 00 01"];

/// vpcd's own port. `VMYNA_VPCD_PORT` names another.
const VPCD_PORT: u16 = 35963;

/// A virtual reader that is here and works.
#[derive(Clone)]
pub struct VirtualReader {
    port: u16,
    /// every reader that PC/SC programs see, ours among them
    names: Vec<String>,
}

impl VirtualReader {
    /// Finds pcscd's virtual reader and the programs, or says in one line what is missing.
    pub fn find() -> Result<Self, String> {
        let path = env::var_os("PATH").unwrap_or_default();
        let installed = |program: &&str| env::split_paths(&path).any(|folder| folder.join(program).is_file());
        if let Some(missing) = PROGRAMS.iter().find(|program| !installed(program)) {
            return Err(format!("{missing} is not installed"));
        }
        let port = match env::var("VMYNA_VPCD_PORT") {
            Ok(text) => text.parse().map_err(|_| format!("VMYNA_VPCD_PORT is not a port: {text}"))?,
            Err(_) => VPCD_PORT,
        };
        let mut list_readers = bounded("opensc-tool");
        list_readers.arg("--list-readers");
        let listing = Finished::after(list_readers).and_then(Finished::success).unwrap_or_default();
        let names = reader_names(&listing);
        if SLOTS.iter().all(|slot| names.iter().any(|name| name == slot)) {
            Ok(Self { port, names })
        } else {
            Err("no pcscd with the virtual reader (vpcd) is running; tests/run provides one".to_owned())
        }
    }

    /// Takes a slot that no other test has, in this process or another; waits for one if need be.
    pub fn take_slot(&self) -> Result<Slot, Failed> {
        let mut locks = Vec::new();
        for number in 0..SLOTS.len() {
            locks.push(self.lock_file(number)?);
        }
        let free = locks.iter().position(|lock| lock.try_lock().is_ok());
        let number = free.unwrap_or(process::id() as usize % SLOTS.len());
        let lock = locks.swap_remove(number);
        if free.is_none() {
            lock.lock()?;
        }

        // OpenSC shall see no reader but this slot, so that its tokens are always slots 0 and 1 of PKCS #11.
        let others = self.names.iter().filter(|name| *name != SLOTS[number]);
        let ignored: Vec<_> = others.map(|name| format!("{name:?}")).collect();
        let slot = Slot {
            port: self.port + number as u16,
            name: SLOTS[number],
            others: ignored.join(", "),
            folder: TempDir::new()?,
            _lock: lock,
        };
        slot.configure("")?;
        Ok(slot)
    }

    /// The file whose lock is the right to use a slot. Another user may have made it, so it is only read.
    fn lock_file(&self, number: usize) -> Result<File, Failed> {
        let path = env::temp_dir().join(format!("vmyna-vpcd-{}.lock", self.port + number as u16));
        let file = File::open(&path).or_else(|_| File::create(&path));
        file.map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

/// The last column of what `opensc-tool --list-readers` prints.
fn reader_names(listing: &str) -> Vec<String> {
    let mut lines = listing.lines().skip_while(|line| !line.starts_with("Nr."));
    let Some(column) = lines.next().and_then(|heading| heading.find("Name")) else { return Vec::new() };
    lines.filter_map(|line| line.get(column..)).map(|name| name.trim().to_owned()).collect()
}

/// One slot of the virtual reader, ours until dropped, with a folder for what a test writes.
pub struct Slot {
    /// where the slot awaits its card
    pub port: u16,
    /// the name by which PC/SC knows it
    pub name: &'static str,
    /// the other readers, as OpenSC's configuration lists them
    others: String,
    folder: TempDir,
    _lock: File,
}

impl Slot {
    /// A path in the test's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives OpenSC these settings besides the one that it sees no other reader.
    pub fn configure(&self, more: &str) -> Result<(), Failed> {
        let configuration = format!("app default {{ ignored_readers = {}; {more} }}\n", self.others);
        Ok(fs::write(self.path("opensc.conf"), configuration)?)
    }

    /// Runs a program in the test's own folder; this slot is the only reader it sees.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Finished, Failed> {
        let mut command = bounded(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("OPENSC_CONF", self.path("opensc.conf"))
            .env("HOME", self.folder.path()); // OpenSC keeps caches there
        Finished::after(command)
    }

    /// Waits until pcscd has noticed that no card is in the slot; it looks every 400 ms.
    pub fn await_empty(&self) -> Result<(), Failed> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            let listing = self.run("opensc-tool", ["--list-readers"])?.success()?;
            if listing.lines().any(|line| line.starts_with("0    No ")) {
                return Ok(());
            }
        }
        Err("pcscd still sees a card in the slot".into())
    }
}

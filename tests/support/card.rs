//! A card in a slot: `vmyna serve`, the binary just built, from its `ready` to its end.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use libtest_mimic::Failed;

use super::reader::Slot;

/// How long a card may take to be ready, or to end. pcscd looks for a new card every 400 ms.
const PATIENCE: Duration = Duration::from_secs(20);

/// Holder hanako's card in a slot; it leaves when dropped.
pub struct Card {
    process: Child,
    milestones: Receiver<Milestone>,
    /// what it says on standard error, shown when it fails
    complaints: PathBuf,
}

/// What a card lets know on its standard output.
#[derive(Debug, PartialEq, Eq)]
enum Milestone {
    /// the reader has powered it
    Ready,
    /// its process is gone
    Ended,
}

impl Card {
    /// Puts a fresh card into the slot and waits until the reader has powered it.
    pub fn insert(slot: &Slot) -> Result<Self, Failed> {
        Self::serve(slot, &[])
    }

    /// Likewise the card of `holder`.
    pub fn insert_of(slot: &Slot, holder: &str) -> Result<Self, Failed> {
        Self::start(slot, &["serve", "--holder", holder])
    }

    /// Likewise, but the card keeps its state in the file `state` of the test's own folder.
    pub fn insert_with_state(slot: &Slot) -> Result<Self, Failed> {
        Self::serve(slot, &["--state", &slot.path("state").to_string_lossy()])
    }

    /// A fresh card as well; what is said to it becomes the scenario `file`, once it is ended by a signal.
    pub fn record(slot: &Slot, file: &str, arguments: &[&str]) -> Result<Self, Failed> {
        Self::start(slot, &[&["record", file], arguments].concat())
    }

    fn serve(slot: &Slot, arguments: &[&str]) -> Result<Self, Failed> {
        Self::start(slot, &[&["serve", "--holder", "hanako"], arguments].concat())
    }

    fn start(slot: &Slot, arguments: &[&str]) -> Result<Self, Failed> {
        let complaints = slot.path("complaints");
        let mut process = Command::new(env!("CARGO_BIN_EXE_vmyna"))
            .args(arguments)
            .args(["--connect", &format!("127.0.0.1:{}", slot.port)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&complaints)?)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("standard output is piped")?;

        let (reach, milestones) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line == "ready" {
                    let _ = reach.send(Milestone::Ready); // unheard once the test is over
                }
            }
            let _ = reach.send(Milestone::Ended);
        });

        let card = Self { process, milestones, complaints };
        card.await_milestone(Milestone::Ready)?;
        Ok(card)
    }

    /// Ends the card as a crash or a power failure would.
    pub fn kill(mut self) -> Result<(), Failed> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Sends a signal, such as `TERM`, and waits for the card to end.
    pub fn end_by(mut self, signal: &str) -> Result<ExitStatus, Failed> {
        Command::new("kill").args(["-s", signal, &self.process.id().to_string()]).status()?;
        self.await_milestone(Milestone::Ended)?;
        Ok(self.process.wait()?)
    }

    fn await_milestone(&self, awaited: Milestone) -> Result<(), Failed> {
        loop {
            match self.milestones.recv_timeout(PATIENCE) {
                Ok(reached) if reached == awaited => return Ok(()),
                Ok(Milestone::Ready) => {}
                otherwise => {
                    let complaints = fs::read_to_string(&self.complaints).unwrap_or_default();
                    return Err(
                        format!("vmyna serve: awaited {awaited:?}, got {otherwise:?}\n{complaints}").into()
                    );
                }
            }
        }
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.process.kill(); // it may have ended already
        let _ = self.process.wait();
    }
}

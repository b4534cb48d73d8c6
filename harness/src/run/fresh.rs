//! `--fresh COMMAND`: a card of its own for each scenario, started and ended with it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a card may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running command with all its children; ends when dropped.
#[derive(Debug)]
pub struct FreshProcess(Child);

impl FreshProcess {
    /// Starts `command` with the shell, in a process group of its own. It is told the number of its job
    /// (`VMYNA_JOB`, from 1) and the TCP port at which its card is expected (`VMYNA_PORT`). What it prints
    /// on standard output is dropped, for that is where the report goes.
    pub fn start(command: &str, job: usize, port: Option<u16>) -> io::Result<Self> {
        let mut shell = Command::new("sh");
        shell.env("VMYNA_JOB", job.to_string());
        if let Some(port) = port {
            shell.env("VMYNA_PORT", port.to_string());
        }
        shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        shell.spawn().map(Self)
    }
}

impl FreshProcess {
    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself already.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for FreshProcess {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        self.signal(Signal::KILL);
        let _ = self.0.wait();
    }
}

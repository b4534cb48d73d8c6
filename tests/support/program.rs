//! Programs that are not ours: run to their end, within a bound, with everything they said kept.

use std::fmt;
use std::process::{Command, Output};

use libtest_mimic::Failed;

/// A card that falls silent leaves a PC/SC program waiting for ever; `timeout` (coreutils) makes that a failure.
const BOUND: &str = "60";

/// A program on the search path, still without arguments, that will not run for ever.
pub fn bounded(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args([BOUND, program]);
    command
}

/// What a program said, and whether it ended well.
pub struct Finished {
    command: String,
    output: Output,
}

impl Finished {
    /// Runs a command to its end.
    pub fn after(mut command: Command) -> Result<Self, Failed> {
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        Ok(Self { command: format!("{command:?}"), output })
    }

    /// What the program printed, if it ended well; otherwise a failure that shows everything it said.
    pub fn success(self) -> Result<String, Failed> {
        if self.output.status.success() {
            Ok(String::from_utf8_lossy(&self.output.stdout).into_owned())
        } else {
            Err(format!("should have ended well: {self}").into())
        }
    }

    /// Everything the program said, if it gave up with an exit code of its own.
    pub fn refusal(self) -> Result<String, Failed> {
        const TIMED_OUT: i32 = 124; // exit code of `timeout`
        match self.output.status.code() {
            Some(code) if code != 0 && code != TIMED_OUT => Ok(self.to_string()),
            _ => Err(format!("should have been refused: {self}").into()),
        }
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Output { status, stdout, stderr } = &self.output;
        let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(bytes));
        write!(f, "{}: {status}\n{stdout}{stderr}", self.command)
    }
}

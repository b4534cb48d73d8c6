//! Exit codes, in one place.

use std::process::ExitCode;

/// What a run ends with; the numbers are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// something ran and nothing failed
    Success = 0,
    /// something failed
    Failed = 1,
    /// wrong usage, a broken file, nothing selected
    Usage = 2,
    /// no card or reader within the wait, or nothing could run
    NoCard = 3,
    /// stopped by a signal before the end, and nothing had failed so far: 128 and the number of
    /// SIGINT, as shells say it
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

//! The stream of events that a run is; every report is a sink of it.

use super::verdict::Verdict;
use crate::scenario::Scenario;
use std::time::Duration;

/// What happens in a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// the run begins
    Began {
        /// scenarios selected
        scenarios: usize,
    },
    /// what will be done to a card that is not built in, before the first command is sent
    Planned(&'a str),
    /// something that the reader of the report should know about the card or the run
    Note(&'a str),
    /// a scenario ended
    Finished {
        /// which
        scenario: &'a Scenario,
        /// how
        verdict: &'a Verdict,
        /// how long it took
        took: Duration,
    },
    /// the run ended
    Ended {
        /// the count
        summary: Summary,
        /// how long it took
        took: Duration,
    },
}

/// A report in the making.
pub trait Sink {
    /// Takes the next event.
    fn event(&mut self, event: &Event<'_>);
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// as expected, or different only where that is recorded
    pub passed: usize,
    /// different, or the link was lost
    pub failed: usize,
    /// a precondition was missing, or the guard refused
    pub skipped: usize,
}

impl Summary {
    /// Counts one verdict.
    pub const fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed { .. } => self.passed += 1,
            Verdict::Failed { .. } | Verdict::LinkLost { .. } => self.failed += 1,
            Verdict::RequirementMissing(_) | Verdict::RefusedByGuard(_) => self.skipped += 1,
        }
    }
}

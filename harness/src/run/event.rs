//! The stream of events that a run is; every report is a sink of it.

use super::recorder::{Detail, Happening};
use super::verdict::{Finding, Outcome, Verdict};
use crate::language::Bilingual;
use crate::link::ReaderIdentity;
use crate::scenario::Scenario;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use vmyna_sim::document::Position;

/// What happens in a run, in this order: it begins, the plan, the card, then each scenario begins,
/// things happen in it, and it ends; at last what was not run, and the count.
#[derive(Debug)]
pub enum Event<'a> {
    /// the run begins
    Began(&'a Beginning),
    /// what will be done to a card that is not built in, before the first command is sent
    Planned(&'a Bilingual),
    /// something that the reader of the report should know about the card or the run
    Note(&'a Bilingual),
    /// the reader that the card is in
    Reader(&'a ReaderIdentity),
    /// a card that the following scenarios are played on
    Card(&'a CardIdentity),
    /// a scenario begins
    CaseBegan(&'a Scenario),
    /// something happened in the scenario that began last
    Happened(&'a Happening),
    /// a scenario ended, or will not run at all
    CaseEnded {
        /// which
        scenario: &'a Scenario,
        /// how
        verdict: &'a Verdict,
        /// what failed in its cleanup, whatever the verdict
        left_undone: &'a [Finding],
        /// how long it took
        took: Duration,
    },
    /// failures of a requirement, or of the rows of a table, were expected and none came: counted
    /// as one failure
    Better(&'a Better),
    /// the run ended
    Ended {
        /// the count
        summary: Summary,
        /// how long it took
        took: Duration,
    },
}

/// An expected failure of more than one scenario that did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Better {
    /// the requirement, or the table
    pub id: String,
    /// where the failure is expected
    pub position: Position,
    /// why it was
    pub reason: Bilingual,
}

/// What is known before anything is sent.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// scenarios selected, those of other shards left out
    pub scenarios: usize,
    /// who sits in the card seat, as the command line says it
    pub seat: String,
    /// when
    pub started: Timestamp,
    /// the part of a larger run that this is
    pub shard: Option<ShardOf>,
}

impl Beginning {
    /// A run of so many `scenarios` on `seat` that begins now.
    #[must_use]
    pub fn now(scenarios: usize, seat: impl Into<String>) -> Self {
        Self { scenarios, seat: seat.into(), started: Timestamp::now(), shard: None }
    }
}

/// The part of a larger run that this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ShardOf {
    /// which shard, from 1
    pub index: u32,
    /// how many there are
    pub of: u32,
    /// scenarios in all shards
    pub scenarios: usize,
    /// a digest of the ids in all shards: shards of different suites do not merge
    pub suite: String,
}

/// What tells one card from another, as far as it may be read without a PIN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CardIdentity {
    /// answer to reset, in hex
    pub atr: Option<String>,
    /// the profile, where the card is built in
    pub profile: Option<String>,
    /// who the holder is in this program, where the card is built in
    pub holder: Option<String>,
    /// the same in Japanese; missing in older reports
    pub holder_ja: Option<String>,
    /// subject of the user authentication certificate
    pub subject: Option<String>,
    /// its issuer
    pub issuer: Option<String>,
    /// its serial number, in hex
    pub serial: Option<String>,
    /// its last day, RFC 3339
    pub not_after: Option<String>,
}

/// A report in the making.
pub trait Sink {
    /// Takes the next event.
    fn event(&mut self, event: &Event<'_>);

    /// How much this report shows of what happens within scenarios. What none shows is not even
    /// recorded.
    fn wants(&self) -> Detail {
        Detail::Nothing
    }
}

/// Every event goes to each of them.
impl<S: Sink + ?Sized> Sink for [Box<S>] {
    fn event(&mut self, event: &Event<'_>) {
        for sink in self {
            sink.event(event);
        }
    }

    fn wants(&self) -> Detail {
        self.iter().map(|sink| sink.wants()).max().unwrap_or_default()
    }
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Summary {
    /// as expected, different only where that is recorded, or failed as expected
    pub passed: usize,
    /// different, better than expected, or the link was lost
    pub failed: usize,
    /// a precondition or the application was missing, or the guard refused
    pub skipped: usize,
    /// the run was stopped before
    pub not_run: usize,
}

impl Summary {
    /// Counts one verdict.
    pub const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed | Outcome::Observed | Outcome::ExpectedFailure => self.passed += 1,
            Outcome::Failed | Outcome::UnexpectedlyBetter | Outcome::CouldNotRun => self.failed += 1,
            Outcome::NotApplicable | Outcome::RequirementMissing | Outcome::Refused => self.skipped += 1,
            Outcome::NotRun => self.not_run += 1,
        }
    }
}

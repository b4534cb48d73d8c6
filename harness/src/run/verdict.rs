//! What a run finds.

use crate::language::Bilingual;
use crate::link::Refused;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use vmyna_sim::document::Position;
use vmyna_sim::exchange::Exchange;

/// How a scenario ended.
#[derive(Debug)]
pub enum Verdict {
    /// all was as expected, but for what is only recorded
    Passed {
        /// differences that are no failures
        observations: Vec<Finding>,
    },
    /// a step was not as expected
    Failed {
        /// which, and how
        finding: Box<Finding>,
        /// what was recorded before
        observations: Vec<Finding>,
    },
    /// it failed, as was expected of this card
    ExpectedFailure {
        /// the expectation
        expected: Expected,
        /// which step, and how
        finding: Box<Finding>,
        /// what was recorded before
        observations: Vec<Finding>,
    },
    /// it passed, and a failure was expected
    UnexpectedlyBetter {
        /// the expectation
        expected: Expected,
        /// differences that are no failures
        observations: Vec<Finding>,
    },
    /// the card could not be reached any more
    LinkLost {
        /// at which step, if one had begun
        position: Option<Position>,
        /// why
        reason: Bilingual,
    },
    /// the card lacks the application, or is of a profile that does
    NotApplicable(Bilingual),
    /// a precondition that the card does not meet
    RequirementMissing(Bilingual),
    /// the guard of real cards did not let it happen
    RefusedByGuard(Refused),
    /// the run was stopped before
    NotRun(StoppedBy),
}

/// An entry of a file of expected failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// where it is written
    pub position: Position,
    /// why this card fails
    pub reason: Bilingual,
}

/// What stopped a run before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// the first failure, as `--fail-fast` says
    FirstFailure,
    /// the user, or whoever ends processes
    Signal,
}

impl StoppedBy {
    /// As a sentence.
    #[must_use]
    pub fn in_words(self) -> Bilingual {
        match self {
            Self::FirstFailure => {
                Bilingual::new("最初の不合格で停止した", "the run was stopped at the first failure")
            }
            Self::Signal => Bilingual::new("シグナルで停止した", "the run was stopped by a signal"),
        }
    }
}

impl fmt::Display for StoppedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_words().en)
    }
}

/// The kinds of verdicts, as reports name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// all as expected
    Passed,
    /// differences were recorded that are no failures
    Observed,
    /// failed, as was expected of this card
    ExpectedFailure,
    /// failed
    Failed,
    /// passed, where a failure was expected
    UnexpectedlyBetter,
    /// the card could not be reached
    CouldNotRun,
    /// the card lacks the application or profile
    NotApplicable,
    /// the card does not meet a precondition
    RequirementMissing,
    /// refused by the guard of real cards
    Refused,
    /// the run was stopped before
    NotRun,
}

impl Verdict {
    /// Its kind.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Passed { observations } if observations.is_empty() => Outcome::Passed,
            Self::Passed { .. } => Outcome::Observed,
            Self::Failed { .. } => Outcome::Failed,
            Self::ExpectedFailure { .. } => Outcome::ExpectedFailure,
            Self::UnexpectedlyBetter { .. } => Outcome::UnexpectedlyBetter,
            Self::LinkLost { .. } => Outcome::CouldNotRun,
            Self::NotApplicable(_) => Outcome::NotApplicable,
            Self::RequirementMissing(_) => Outcome::RequirementMissing,
            Self::RefusedByGuard(_) => Outcome::Refused,
            Self::NotRun(_) => Outcome::NotRun,
        }
    }

    /// The step that failed, whether that was expected or not.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Failed { finding, .. } | Self::ExpectedFailure { finding, .. } => Some(finding),
            _ => None,
        }
    }

    /// Differences that are no failures.
    #[must_use]
    pub fn observations(&self) -> &[Finding] {
        match self {
            Self::Passed { observations }
            | Self::Failed { observations, .. }
            | Self::ExpectedFailure { observations, .. }
            | Self::UnexpectedlyBetter { observations, .. } => observations,
            _ => &[],
        }
    }

    /// Why it ended so, where that is not a finding.
    #[must_use]
    pub fn reason(&self) -> Option<Bilingual> {
        match self {
            Self::Passed { .. } | Self::Failed { .. } => None,
            Self::ExpectedFailure { expected, .. } | Self::UnexpectedlyBetter { expected, .. } => {
                let Expected { reason, position } = expected;
                Some(Bilingual::new(
                    format!("{} ({position})", reason.ja),
                    format!("{} ({position})", reason.en),
                ))
            }
            Self::LinkLost { reason, .. } => Some(link_lost(reason)),
            Self::NotApplicable(reason) | Self::RequirementMissing(reason) => Some(reason.clone()),
            Self::RefusedByGuard(refused) => Some(refused.in_words()),
            Self::NotRun(stopped) => Some(stopped.in_words()),
        }
    }
}

/// A step that was not as expected.
#[derive(Debug)]
pub struct Finding {
    /// where the expectation is written, or else the step
    pub position: Position,
    /// that line with its number, and a caret below the column
    pub snippet: String,
    /// in which part of the scenario the step stands
    pub stage: Stage,
    /// the step, in short
    pub step: String,
    /// the step, as a sentence without its expectation
    pub words: Bilingual,
    /// the requirements that the step proves
    pub requirements: Vec<String>,
    /// why the step is there
    pub why: Option<Bilingual>,
    /// how it differs
    pub difference: Difference,
}

/// The parts of a scenario.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// what brings the card to where the scenario begins
    Setup,
    /// what the scenario is about
    #[default]
    Steps,
    /// what is done in any case at the end
    Cleanup,
}

/// How what came differs from what was expected.
#[derive(Debug)]
pub struct Difference {
    /// what was expected
    pub expected: Bilingual,
    /// what came
    pub came: Bilingual,
    /// the command and the answer it shows in
    pub exchange: Option<Exchange>,
    /// what kind of expectation it was
    pub kind: Expectation,
}

/// What stands behind an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// the requirements that the step covers
    Requirement,
    /// a promise of this project's issuer
    OurIssuer,
    /// our own answer where nobody outside knows
    Undocumented,
}

/// A counter, as what was expected or came.
pub(super) fn tries_left(tries: u8) -> Bilingual {
    let left = if tries == 1 { "try left" } else { "tries left" };
    Bilingual::new(format!("残り {tries} 回"), format!("{tries} {left}"))
}

/// The link to the card is lost, for that `reason`.
pub(super) fn link_lost(reason: &Bilingual) -> Bilingual {
    Bilingual::new(format!("カードとの通信が途絶えた: {}", reason.ja), &reason.en)
}

/// So many bytes, as what was expected or came.
pub(super) fn bytes(count: usize) -> Bilingual {
    Bilingual::new(format!("{count} バイト"), format!("{count} bytes"))
}

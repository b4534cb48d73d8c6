//! What a run finds.

use crate::link::Refused;
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
    /// the card could not be reached any more
    LinkLost {
        /// at which step, if one had begun
        position: Option<Position>,
        /// why
        reason: String,
    },
    /// a precondition that the card does not meet
    RequirementMissing(String),
    /// the guard of real cards did not let it happen
    RefusedByGuard(Refused),
}

/// A step that was not as expected.
#[derive(Debug)]
pub struct Finding {
    /// where the step is written
    pub position: Position,
    /// the step, in short
    pub step: String,
    /// the requirements that the step proves
    pub requirements: Vec<String>,
    /// why the step is there
    pub why: Option<String>,
    /// how it differs
    pub difference: Difference,
}

/// How what came differs from what was expected.
#[derive(Debug)]
pub struct Difference {
    /// what was expected
    pub expected: String,
    /// what came
    pub came: String,
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

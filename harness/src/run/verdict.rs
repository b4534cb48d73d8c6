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
    /// where the expectation is written, or else the step
    pub position: Position,
    /// that line with its number, and a caret below the column
    pub snippet: String,
    /// in which part of the scenario the step stands
    pub stage: Stage,
    /// the step, in short
    pub step: String,
    /// the requirements that the step proves
    pub requirements: Vec<String>,
    /// why the step is there
    pub why: Option<String>,
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

//! Scenarios: what a holder and a terminal do with a card, and what must be seen.

mod catalogue;
mod expect;
mod load;
mod step;
mod tag;

pub use catalogue::built_in;
pub use expect::{BytesPattern, Expect, SignExpect, StatusExpectation, StatusPattern};
pub use load::{LoadError, load_paths};
pub use step::{
    AtrStep, By, CertificateCheck, CertificateName, CertificateStep, ChallengeStep, ChangePinStep, Digest,
    KeyName, PinChoice, PowerStep, ReadBinaryStep, ReadStyle, SelectStep, SelectTarget, SignInput, SignStep,
    Step, TransmitStep, TriesExpectation, TriesLeftStep, Verb, VerifyStep,
};
pub use tag::{TagError, TagExpression};

use crate::language::Bilingual;
use std::collections::BTreeMap;
use vmyna_sim::document::Position;
use vmyna_sim::pin::PinName;

/// One scenario, as loaded and checked.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// dotted name, unique
    pub id: String,
    /// what is true of a right card
    pub title: Bilingual,
    /// the requirements that it proves
    pub covers: Vec<String>,
    /// words to select it by
    pub tags: Vec<String>,
    /// whose card and PINs
    pub holder: String,
    /// where the holder is named, or else where the scenario begins
    pub holder_position: Position,
    /// tries left of PINs whose counter is not full when the scenario begins
    pub given: BTreeMap<PinName, u8>,
    /// what happens
    pub steps: Vec<PlacedStep>,
    /// where the scenario begins
    pub position: Position,
}

/// A step and where it was written.
#[derive(Debug, Clone)]
pub struct PlacedStep {
    /// the first line of the step
    pub position: Position,
    /// what happens
    pub step: Step,
}

#[cfg(test)]
pub(crate) fn parse_for_test(text: &str, requirements: &crate::requirement::Requirements) -> Scenario {
    load::parse("test.yaml", text, requirements).unwrap_or_else(|error| panic!("{error}"))
}

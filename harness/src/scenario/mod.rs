//! Scenarios: what a holder and a terminal do with a card, and what must be seen.

mod catalogue;
mod certificate_step;
mod command_step;
mod expect;
mod load;
mod pin_step;
mod sign_step;
mod step;
mod tag;

pub use catalogue::built_in;
pub use certificate_step::{CertificateCheck, CertificateName, CertificateStep, ReadStyle};
pub use command_step::{
    AtrStep, ChallengeStep, PowerStep, ReadBinaryStep, SelectStep, SelectTarget, TransmitStep,
};
pub use expect::{BytesPattern, Expect, SignExpect, StatusExpectation, StatusPattern};
pub use load::{LoadError, load_paths};
pub use pin_step::{By, ChangePinStep, PinChoice, TriesExpectation, TriesLeftStep, VerifyStep};
pub use sign_step::{Digest, KeyName, SignInput, SignStep};
pub use step::{Step, Verb};
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

//! Scenarios: what a holder and a terminal do with a card, and what must be seen.

mod authenticate_step;
mod bytes_pattern;
mod capture;
mod catalogue;
mod certificate_match;
pub(crate) mod certificate_names;
mod certificate_step;
mod check;
mod command_step;
mod content;
mod expect;
mod flow_setting;
mod flow_step;
mod length;
mod load;
mod octets;
mod parameters;
mod parse;
mod pin_step;
mod reading_step;
mod retry;
mod schema;
mod secure_step;
mod sign_step;
mod signature_match;
mod source;
mod status_pattern;
mod step;
mod tag;
mod template;
mod text_match;
mod tlv;
mod words;
mod written;

pub(crate) use crate::remark::Remark;
pub use authenticate_step::AuthenticateStep;
pub use bytes_pattern::BytesPattern;
pub use capture::{Capture, CaptureList, CaptureName, Captured, Captures, Part};
pub use catalogue::built_in;
pub use certificate_match::{CertificateField, CertificateMatch, OtherNameMatch, SerialMatch};
pub use certificate_step::{CertificateCheck, CertificateStep};
pub use command_step::{
    AtrStep, ChallengeStep, PowerStep, ReadBinaryStep, SelectStep, SelectTarget, TransmitStep,
};
pub use content::{Content, DataObject};
pub use expect::{DataExpectation, Expect, SignExpect};
pub use flow_setting::{FlowSetting, Trusts};
pub use flow_step::{
    BrowserStep, CallbackStep, CardStep, Delivery, EnterStep, HoldStep, LiftStep, OpenStep, OperatorStep,
    PresentStep, PressStep, Pressable, RowName, ScreenName, SeeStep, StoredStep, TerminalStep, TickStep,
    WaitStep,
};
pub use length::LengthRange;
pub use load::{LoadError, load_paths};
pub use octets::Octets;
pub use parse::{DEFAULT_HOLDER, parse};
pub use pin_step::{By, ChangePinStep, TriesExpectation, TriesLeftStep, VerifyStep};
pub use reading_step::{GetDataStep, ReadFileStep, ReadRecordStep};
pub use retry::Retry;
pub use schema::schema;
pub use secure_step::{SecureCommand, SecureRead, SecureSessionChoice, SecureSessionStep, SecureStep};
pub use sign_step::{KeyBy, SignMode, SignStep};
pub use signature_match::{SchemeName, SignatureMatch, Verifier};
pub use source::{Mark, Placed, SourceFile};
pub use status_pattern::{StatusExpectation, StatusPattern};
pub use step::{Action, Step, Verb};
pub use tag::{TagError, TagExpression};
pub use template::Template;
pub use text_match::{BirthdayMatch, NumberMatch, TextMatch, TextPattern};
pub use tlv::{BerPath, SimpleTag, object_length};
pub(crate) use words::certificate as certificate_in_words;
pub use words::{expectation_in_words, pin as pin_in_words};

use crate::language::Bilingual;
use std::collections::BTreeMap;
use vmyna_sim::document::Position;
use vmyna_sim::pin::PinName;

/// One scenario, as loaded and checked; of one with a table of parameters, one row.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// dotted name, unique; `base[row]` of a row
    pub id: String,
    /// the name of the row, of a scenario with a table of parameters
    pub row: Option<String>,
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
    /// the built-in profile of the cards that it is about; any where it names none
    pub profile: Option<String>,
    /// tries left of PINs whose counter is not full when the scenario begins
    pub given: BTreeMap<PinName, u8>,
    /// of a flow: where it is played
    pub flow: Option<FlowSetting>,
    /// what brings the card to where the scenario begins
    pub setup: Vec<PlacedStep>,
    /// what happens
    pub steps: Vec<PlacedStep>,
    /// what is done in any case at the end
    pub cleanup: Vec<PlacedStep>,
    /// where the scenario begins
    pub position: Position,
    /// the file that it was read from
    pub source: SourceFile,
}

impl Scenario {
    /// All steps, in their order: setup, steps, cleanup.
    pub fn all_steps(&self) -> impl Iterator<Item = &PlacedStep> {
        self.setup.iter().chain(&self.steps).chain(&self.cleanup)
    }

    /// Whether faults strike the card in it, which only the built-in card is put to.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        self.all_steps().any(|placed| !placed.step.faults.is_empty())
    }
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
    let mut rows = parse("test.yaml", text, requirements).unwrap_or_else(|error| panic!("{error}"));
    rows.pop().unwrap_or_else(|| panic!("no scenario"))
}

//! An answer of the card, and how it is held against what was expected.

use crate::link::LinkError;
use crate::run::verdict::{Difference, Expectation};
use crate::scenario::{Captures, Expect, Mark, StatusExpectation};
use vmyna_sim::apdu::{ResponseApdu, Status};
use vmyna_sim::exchange::{Exchange, ShownResponse};

/// Why a step did not end as it should.
pub(super) enum Stop {
    Differs(Box<Unmet>),
    Link(LinkError),
    Missing(String),
}

/// A difference, with the expectation that it differs from.
pub(super) struct Unmet {
    pub difference: Difference,
    /// where the expectation is written, if it is
    pub mark: Option<Mark>,
    /// why it is expected, if the scenario says so
    pub why: Option<String>,
}

impl From<LinkError> for Stop {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl From<Difference> for Stop {
    fn from(difference: Difference) -> Self {
        Self::Differs(Box::new(Unmet { difference, mark: None, why: None }))
    }
}

pub(super) type Played<T = ()> = Result<T, Stop>;

/// An answer with the command that it answers.
pub(super) struct Answer {
    pub command: Vec<u8>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn response(&self) -> Option<ResponseApdu<'_>> {
        ResponseApdu::try_from(&self.bytes[..]).ok()
    }

    pub(super) fn data(&self) -> &[u8] {
        self.response().map_or(&[], |response| response.data)
    }

    pub(super) fn succeeded(&self) -> bool {
        self.response().is_some_and(|response| response.status == Status::Success)
    }

    pub(super) fn differs(&self, expected: impl Into<String>, came: impl Into<String>) -> Difference {
        Difference {
            expected: expected.into(),
            came: came.into(),
            exchange: Some(Exchange::new(&self.command, Some(&self.bytes))),
            kind: Expectation::Requirement,
        }
    }

    /// The answer must be a success, as nobody has said otherwise.
    pub(super) fn must_succeed(&self) -> Played {
        if self.succeeded() { Ok(()) } else { self.must_be(&Expect::default(), &Captures::default()) }
    }

    /// Holds the answer against `expect`.
    pub(super) fn must_be(&self, expect: &Expect, captures: &Captures) -> Played {
        if self.response().is_some_and(|response| expect.is_met(&response, captures)) {
            return Ok(());
        }
        let kind = match expect.status {
            StatusExpectation::Undocumented(_) => Expectation::Undocumented,
            StatusExpectation::AnyOf(_) | StatusExpectation::Blocked => Expectation::Requirement,
        };
        let came = ShownResponse::new(&self.bytes).to_string();
        let difference = Difference { kind, ..self.differs(expect.to_string(), came) };
        Err(Stop::Differs(Box::new(Unmet { difference, mark: expect.mark, why: expect.why.clone() })))
    }
}

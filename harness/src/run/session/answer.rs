//! An answer of the card, and how it is held against what was expected.

use super::content::{Misfit, unmet_content};
use crate::language::{Bilingual, in_both};
use crate::link::LinkError;
use crate::run::verdict::{Difference, Expectation};
use crate::scenario::{Captures, Content, Expect, Mark, StatusExpectation};
use crate::wire;
use std::time::Duration;
use vmyna_sim::apdu::{ResponseApdu, Status};
use vmyna_sim::exchange::{Exchange, ShownResponse};
use vmyna_sim::hex::Spaced;

/// Why a step did not end as it should.
pub(super) enum Stop {
    Differs(Box<Unmet>),
    Link(LinkError),
    Missing(Bilingual),
}

/// A difference, with the expectation that it differs from.
pub(super) struct Unmet {
    pub difference: Difference,
    /// where the expectation is written, if it is
    pub mark: Option<Mark>,
    /// why it is expected, if the scenario says so
    pub why: Option<Bilingual>,
}

impl Unmet {
    /// Of a step that was not played at all.
    pub(super) fn unplayed(reason: Bilingual) -> Self {
        let difference = Difference {
            expected: Bilingual::new("手順が実行される", "the step is played"),
            came: reason,
            exchange: None,
            kind: Expectation::Requirement,
        };
        Self { difference, mark: None, why: None }
    }
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
    /// how long it took, where time is real
    pub took: Option<Duration>,
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

    pub(super) fn differs(&self, expected: Bilingual, came: Bilingual) -> Difference {
        Difference {
            expected,
            came,
            exchange: Some(Exchange::kept(&self.command, Some(&self.bytes))),
            kind: Expectation::Requirement,
        }
    }

    /// The answer must be a success, as nobody has said otherwise.
    pub(super) fn must_succeed(&self) -> Played {
        if self.succeeded() { Ok(()) } else { self.must_be(&Expect::default(), &Captures::default()) }
    }

    /// Holds the answer against `expect`.
    pub(super) fn must_be(&self, expect: &Expect, captures: &Captures) -> Played {
        self.must_have_status(expect)?;
        self.must_hold(expect, self.data(), captures)
    }

    /// Holds the status, and the time that the answer took, against `expect`.
    pub(super) fn must_have_status(&self, expect: &Expect) -> Played {
        let in_time = match (expect.within, self.took) {
            (Some(within), Some(took)) => took <= within,
            _ => true,
        };
        match self.response() {
            Some(response) if expect.status.is_met(response.status) && in_time => Ok(()),
            Some(response) if expect.status.is_met(response.status) => {
                let took = self.took.unwrap_or_default();
                let milliseconds = took.as_secs_f64() * 1e3;
                let came =
                    Bilingual::new(format!("{milliseconds:.1} ミリ秒"), format!("{milliseconds:.1} ms"));
                Err(self.unmet(expect, &expect.content, told(expect), came))
            }
            _ => Err(self.unmet(expect, &expect.content, told(expect), self.shown())),
        }
    }

    /// Holds `data`, which the answer brought or ended, against `expect`.
    pub(super) fn must_hold(&self, expect: &Expect, data: &[u8], captures: &Captures) -> Played {
        for content in expect.contents() {
            match unmet_content(content, data, captures) {
                None => {}
                Some(Misfit::Unknown(why)) => return Err(Stop::Missing(why)),
                Some(Misfit::Differs(..)) if content.is_plain() => {
                    let wanted = content.data.as_ref().and_then(|data| data.wanted(captures));
                    let wanted = wanted.map_or_else(String::new, |wanted| format!(" ({})", Spaced(&wanted)));
                    let expected = in_both(|language| expect.in_words(language) + &wanted);
                    return Err(self.unmet(expect, content, expected, self.shown()));
                }
                Some(Misfit::Differs(expected, came)) => {
                    return Err(self.unmet(expect, content, expected, came));
                }
            }
        }
        Ok(())
    }

    pub(super) fn shown(&self) -> Bilingual {
        wire::response(&ShownResponse::new(&self.bytes))
    }

    fn unmet(&self, expect: &Expect, content: &Content, expected: Bilingual, came: Bilingual) -> Stop {
        let kind = match expect.status {
            StatusExpectation::Undocumented(_) => Expectation::Undocumented,
            StatusExpectation::AnyOf(_) | StatusExpectation::Blocked => Expectation::Requirement,
        };
        let difference = Difference { kind, ..self.differs(expected, came) };
        let why = content.why.as_ref().or(expect.content.why.as_ref()).cloned();
        let mark = content.mark.or(expect.content.mark);
        Stop::Differs(Box::new(Unmet { difference, mark, why }))
    }
}

fn told(expect: &Expect) -> Bilingual {
    in_both(|language| expect.in_words(language))
}

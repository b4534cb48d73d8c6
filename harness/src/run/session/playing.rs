//! How one step is played: as often as it says, through the fault that strikes it, and with what of its
//! answer is kept.

use super::answer::{Answer, Played, Stop, Unmet};
use super::{Session, content};
use crate::language::{Bilingual, Language, in_both};
use crate::link::LinkError;
use crate::run::judge::Judge;
use crate::run::verdict::{Difference, Expectation, bytes};
use crate::scenario::{Capture, Expect, Retry, Step, Verb};
use vmyna_sim::apdu::ResponseApdu;
use vmyna_sim::fault::{Fault, Kind};

/// What can be captured, and what ends a retry.
pub(super) enum Kept {
    Answer(Vec<u8>),
    Data(Vec<u8>),
}

impl Kept {
    fn data(&self) -> &[u8] {
        match self {
            Self::Answer(bytes) => ResponseApdu::try_from(&bytes[..]).map_or(&[], |response| response.data),
            Self::Data(data) => data,
        }
    }
}

impl Session<'_> {
    /// Plays a step as often as it says, and keeps what it captures.
    pub(super) fn played(&mut self, step: &Step) -> Played {
        let until = step.retry.as_ref().and_then(|retry| retry.until.as_ref());
        self.keeps = !step.capture.0.is_empty() || until.is_some();
        if !step.faults.is_empty() {
            self.link.suffer(&step.faults)?;
        }
        let outcome = match &step.retry {
            None => self.step(&step.verb),
            Some(retry) => self.repeated(step, retry),
        };
        if step.faults.is_empty() {
            outcome?;
        } else {
            let due = self.link.suffer(&[])?;
            if is_lost(step, outcome, &due)? {
                return Ok(());
            }
        }
        for capture in &step.capture.0 {
            self.capture(capture)?;
        }
        Ok(())
    }

    fn repeated(&mut self, step: &Step, retry: &Retry) -> Played {
        for attempt in 1.. {
            let outcome = self.step(&step.verb);
            let is_last = attempt >= retry.times;
            match (&retry.until, outcome) {
                (_, Err(stop @ (Stop::Link(_) | Stop::Missing(_)))) => return Err(stop),
                (None, Ok(())) => return Ok(()),
                (None, outcome) if is_last => return outcome,
                (None, Err(_)) => {}
                (Some(until), outcome) => match self.last_must_be(until) {
                    Ok(()) => return outcome,
                    Err(stop) if is_last => return Err(stop),
                    Err(_) => {}
                },
            }
            if self.surroundings.judge != Judge::BuiltIn {
                std::thread::sleep(retry.wait);
            }
        }
        Ok(())
    }

    fn last_must_be(&self, until: &Expect) -> Played {
        match &self.last {
            Some(Kept::Answer(bytes)) => Answer { command: Vec::new(), bytes: bytes.clone(), took: None }
                .must_be(until, &self.captures),
            _ => Ok(()),
        }
    }

    fn capture(&mut self, capture: &Capture) -> Played {
        let data = self.last.as_ref().map_or(&[][..], Kept::data);
        let part = content::part(&capture.part, data);
        let Some(part) = part else {
            let difference = Difference {
                expected: in_both(|language| match language {
                    Language::Ja => format!("{}を含む応答", capture.part.in_words(language)),
                    Language::En => format!("an answer that holds {}", capture.part.in_words(language)),
                }),
                came: bytes(data.len()),
                exchange: None,
                kind: Expectation::Requirement,
            };
            return Err(Stop::Differs(Box::new(Unmet {
                difference,
                mark: Some(capture.name.mark),
                why: None,
            })));
        };
        let part = part.into_owned();
        self.captures.keep(capture.name.value.clone(), part);
        Ok(())
    }

    fn step(&mut self, verb: &Verb) -> Played {
        match verb {
            Verb::Power(step) => self.power(*step),
            Verb::Atr(step) => self.atr(step),
            Verb::Select(step) => self.select(step),
            Verb::TriesLeft(step) => self.tries_left(step),
            Verb::Verify(step) => self.verify(step),
            Verb::ChangePin(step) => self.change_pin(step),
            Verb::ReadBinary(step) => self.read_binary(step),
            Verb::ReadFile(step) => self.read_file(step),
            Verb::ReadRecord(step) => self.read_record(step),
            Verb::GetData(step) => self.get_data(step),
            Verb::Certificate(step) => self.certificate(step),
            Verb::Sign(step) => self.sign(step),
            Verb::Authenticate(step) => self.authenticate(step),
            Verb::SecureSession(step) => self.secure_session(step),
            Verb::Secure(step) => self.secure(step),
            Verb::Challenge(step) => self.challenge(step),
            Verb::Transmit(step) => {
                let command = step.apdu.fill(&self.captures);
                self.transmit(&command)?.must_be(&step.expect, &self.captures)
            }
            of_a_flow => self.flow_step(of_a_flow),
        }
    }

    pub(super) fn transmit(&mut self, command: &[u8]) -> Result<Answer, LinkError> {
        let began = self.clock.now();
        let bytes = self.link.transmit(command)?;
        let took = self.clock.now().zip(began).map(|(now, began)| now.saturating_sub(began));
        if self.keeps {
            self.last = Some(Kept::Answer(bytes.clone()));
        }
        Ok(Answer { command: command.to_vec(), bytes, took })
    }

    /// What the step that is played has read, where that is not the data field of its last answer.
    pub(super) fn yields(&mut self, data: &[u8]) {
        if self.keeps {
            self.last = Some(Kept::Data(data.to_vec()));
        }
    }
}

/// Whether an answer came without a status, as a fault was to make it: no expectation can say that.
fn is_without_status(step: &Step, unmet: &Unmet) -> bool {
    let answer = unmet.difference.exchange.as_ref().and_then(|exchange| exchange.response.as_ref());
    answer.is_some_and(|answer| answer.status().is_none())
        && step.faults.iter().any(|fault| matches!(fault.kind, Kind::NoStatus | Kind::HalfStatus))
}

/// What a step comes to that faults were to strike, of which `due` have not: whether the card was lost. Where a fault
/// loses the card, losing it is what was wanted, and what the step expects of an answer does not matter.
fn is_lost(step: &Step, outcome: Played, due: &[Fault]) -> Played<bool> {
    match outcome {
        Err(Stop::Link(LinkError::Lost(_)))
            if step.faults.iter().any(|fault| fault.kind.may_lose_the_card()) =>
        {
            Ok(true)
        }
        Err(Stop::Differs(unmet)) if is_without_status(step, &unmet) => Ok(false),
        Err(stop) => Err(stop),
        Ok(()) if due.is_empty() => Ok(false),
        Ok(()) => {
            let due = due.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Err(Stop::from(Difference {
                expected: Bilingual::new(format!("{due} が起きる"), format!("{due} strikes")),
                came: Bilingual::new(
                    "この手順には、それが起きるコマンドがない",
                    "it does not: the step sends no such command",
                ),
                exchange: None,
                kind: Expectation::Requirement,
            }))
        }
    }
}

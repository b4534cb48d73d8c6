//! Steps on PINs.

use super::Session;
use super::answer::{Played, Stop};
use crate::language::{Bilingual, Language};
use crate::run::verdict::tries_left;
use crate::scenario::{By, ChangePinStep, TriesExpectation, TriesLeftStep, VerifyStep, pin_in_words};
use crate::terminal;
use crate::terminal::PinChoice;
use vmyna_sim::apdu::{CommandBuilder, Status};
use vmyna_sim::pin::ChangeCommand;

impl Session<'_> {
    /// Selects `file` where it has to be, and returns the P2 that reaches it.
    pub(super) fn address(&mut self, by: By, file: u16) -> Played<u8> {
        match by {
            By::Select => {
                self.transmit(&terminal::select_file(file))?.must_succeed()?;
                Ok(terminal::reference(None))
            }
            By::Current => Ok(terminal::reference(None)),
            By::Sfi => Ok(terminal::reference(Some(file))),
        }
    }

    pub(super) fn tries_left(&mut self, step: &TriesLeftStep) -> Played {
        let p2 = self.address(step.by, terminal::pin_file(step.of))?;
        let answer = self.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, p2).to_bytes())?;
        let status = answer.response().map(|response| response.status);
        let Some(Status::TriesLeft(left)) = status else {
            let expected = Bilingual::new("63Cx (残り回数)", "63Cx, the tries left");
            return Err(answer.differs(expected, answer.shown()).into());
        };
        let expected = match step.expect {
            TriesExpectation::Count(count) => Some(count),
            TriesExpectation::Same => self.asked.get(&step.of).copied(),
            TriesExpectation::Full => Some(self.full.of(step.of)),
            TriesExpectation::Any => None,
        };
        self.asked.insert(step.of, left);
        match expected {
            Some(expected) if expected != left => {
                Err(answer.differs(tries_left(expected), tries_left(left)).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn verify(&mut self, step: &VerifyStep) -> Played {
        let p2 = self.address(step.by, terminal::pin_file(step.pin))?;
        let value = terminal::pin_value(self.surroundings.holder, step.pin, step.value);
        if step.value == PinChoice::LowerCase
            && value == terminal::own_pin(self.surroundings.holder, step.pin)
        {
            return Err(Stop::Missing(Bilingual::new(
                format!("名義人の{}には英字がない", pin_in_words(step.pin, Language::Ja)),
                format!("the holder's {} has no letter", step.pin),
            )));
        }
        let command = CommandBuilder::new(0x00, 0x20, 0x00, p2).data(value.as_bytes()).to_bytes();
        self.transmit(&command)?.must_be(&step.expect, &self.captures)
    }

    pub(super) fn change_pin(&mut self, step: &ChangePinStep) -> Played {
        let p2 = self.address(step.by, terminal::pin_file(step.pin))?;
        let value = terminal::pin_value(self.surroundings.holder, step.pin, step.to);
        let command = match step.pin.changed_with() {
            Some(ChangeCommand::ChangeKey) => CommandBuilder::new(0x80, 0x32, 0x00, p2),
            Some(ChangeCommand::ChangeReferenceData) | None => CommandBuilder::new(0x00, 0x24, 0x01, p2),
        };
        let answer = self.transmit(&command.data(value.as_bytes()).to_bytes())?;
        if answer.succeeded() {
            self.values.insert(step.pin, step.to);
        }
        answer.must_be(&step.expect, &self.captures)
    }
}

//! Steps on the card as a whole and on files.

use super::Session;
use super::answer::{Played, Stop, Unmet};
use crate::language::Bilingual;
use crate::run::verdict::{Difference, Expectation};
use crate::scenario::{
    AtrStep, ChallengeStep, Expect, LengthRange, PowerStep, ReadBinaryStep, SelectStep, SelectTarget,
};
use crate::terminal;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::hex::Spaced;
use vmyna_sim::smart_card::Power;

impl Session<'_> {
    pub(super) fn power(&mut self, power: PowerStep) -> Played {
        let powers: &[Power] = match power {
            PowerStep::Cycle => &[Power::Off, Power::On],
            PowerStep::Off => &[Power::Off],
            PowerStep::On => &[Power::On],
            PowerStep::WarmReset => &[Power::WarmReset],
        };
        for power in powers {
            self.link.power(*power)?;
        }
        // A reader asks for the ATR after every reset; some cards wait for it.
        if powers.last() != Some(&Power::Off) {
            self.link.atr()?;
        }
        Ok(())
    }

    pub(super) fn atr(&mut self, step: &AtrStep) -> Played {
        let atr = self.link.atr()?;
        self.yields(&atr);
        if step.expect.matches(&atr) {
            return Ok(());
        }
        let difference = Difference {
            expected: Bilingual::alike(format!("ATR {}", step.expect.value)),
            came: Bilingual::alike(format!("ATR {}", Spaced(&atr))),
            exchange: None,
            kind: Expectation::Requirement,
        };
        Err(Stop::Differs(Box::new(Unmet { difference, mark: Some(step.expect.mark), why: None })))
    }

    pub(super) fn select(&mut self, step: &SelectStep) -> Played {
        let command = match &step.target {
            SelectTarget::Application { aid, .. } => terminal::select_application(aid),
            SelectTarget::Aid(aid) => terminal::select_application(aid),
            SelectTarget::File(id) => terminal::select_file(*id),
        };
        self.transmit(&command)?.must_be(&step.expect, &self.captures)
    }

    pub(super) fn read_binary(&mut self, step: &ReadBinaryStep) -> Played {
        let command = terminal::read_binary(step.sfi, step.offset, step.le, step.extended);
        self.transmit(&command)?.must_be(&step.expect, &self.captures)
    }

    pub(super) fn challenge(&mut self, step: &ChallengeStep) -> Played {
        let command = CommandBuilder::new(0x00, 0x84, 0x00, 0x00).le(step.length.into()).to_bytes();
        let length = Expect::length(LengthRange::exactly(step.length.into()));
        let expect = step.expect.as_ref().unwrap_or(&length);
        let first = self.transmit(&command)?;
        first.must_be(expect, &self.captures)?;
        if !step.twice {
            return Ok(());
        }
        let second = self.transmit(&command)?;
        second.must_be(expect, &self.captures)?;
        if first.data() == second.data() {
            let expected = Bilingual::new("一度目と異なるデータ", "other bytes than the first time");
            let came = Bilingual::new("同じデータ", "the same bytes again");
            return Err(second.differs(expected, came).into());
        }
        Ok(())
    }
}

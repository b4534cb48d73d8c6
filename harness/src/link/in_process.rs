//! A card in the same process.

use super::{CardLink, LinkError};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

/// A link to a [`SmartCard`] without anything in between.
pub struct InProcess<C>(pub C);

impl<C: SmartCard> CardLink for InProcess<C> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        answer(self.0.atr())
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.0.power(power);
        Ok(())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        answer(self.0.transmit(command))
    }
}

fn answer(reaction: Reaction) -> Result<Vec<u8>, LinkError> {
    match reaction {
        Reaction::Answer(answer) => Ok(answer),
        Reaction::Silence(_) => Err(LinkError::lost("カードが応答しない", "the card is mute")),
        Reaction::Leave(_) => Err(LinkError::lost("カードがリーダーから離れた", "the card left")),
    }
}

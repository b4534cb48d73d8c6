//! A link that somebody listens to.

use super::{CardLink, LinkError, ReaderIdentity};
use vmyna_sim::smart_card::Power;

/// A [`CardLink`] around another: `ear` is told each command with its answer, as they are.
pub struct Heard<'e, L> {
    link: L,
    ear: &'e mut dyn FnMut(&[u8], &[u8]),
}

impl<'e, L: CardLink> Heard<'e, L> {
    /// Lets `ear` listen to `link`.
    pub fn new(link: L, ear: &'e mut dyn FnMut(&[u8], &[u8])) -> Self {
        Self { link, ear }
    }
}

impl<L: CardLink> CardLink for Heard<'_, L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.link.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.link.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = self.link.transmit(command)?;
        (self.ear)(command, &answer);
        Ok(answer)
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        self.link.reader()
    }
}

//! A link that somebody listens to.

use super::{CardLink, LinkError, ReaderIdentity};
use vmyna_sim::fault::Fault;
use vmyna_sim::smart_card::Power;

/// Something that passed over a link.
#[derive(Clone, Copy)]
pub enum Said<'a> {
    /// the power was switched
    Power(Power),
    /// a command and its answer, as they are: PINs included
    Exchange(&'a [u8], &'a [u8]),
}

/// A [`CardLink`] around another: `ear` is told what passes.
pub struct Heard<'e, L> {
    link: L,
    ear: &'e mut dyn FnMut(Said<'_>),
}

impl<'e, L: CardLink> Heard<'e, L> {
    /// Lets `ear` listen to `link`.
    pub fn new(link: L, ear: &'e mut dyn FnMut(Said<'_>)) -> Self {
        Self { link, ear }
    }
}

impl<L: CardLink> CardLink for Heard<'_, L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.link.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.link.power(power)?;
        (self.ear)(Said::Power(power));
        Ok(())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = self.link.transmit(command)?;
        (self.ear)(Said::Exchange(command, &answer));
        Ok(answer)
    }

    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        self.link.suffer(faults)
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        self.link.reader()
    }
}

//! The terminal's end of a card: bytes in, bytes out, power and ATR. Here transport can fail, and
//! its failures are never confused with a card that answered wrongly.

mod faulty;
mod guard;
mod heard;
mod identity;
mod in_process;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod selection;
mod t0;
mod vpcd;

pub use faulty::FaultyInProcess;
pub use guard::{Consent, Guard, KnownPin, Refused, Stopped};
pub use heard::{Heard, Said};
pub use identity::ReaderIdentity;
pub use in_process::InProcess;
pub use selection::{Selection, place_of};
pub use t0::T0;
pub(crate) use vpcd::no_card;

use crate::language::Bilingual;
use thiserror::Error;
use vmyna_sim::fault::Fault;
use vmyna_sim::smart_card::Power;

/// A card, reached in some way.
pub trait CardLink {
    /// The answer to reset.
    ///
    /// # Errors
    /// [`LinkError::Lost`] when the card cannot be reached any more.
    fn atr(&mut self) -> Result<Vec<u8>, LinkError>;

    /// Switches the power or resets the card.
    ///
    /// # Errors
    /// [`LinkError::Lost`] when the card cannot be reached any more.
    fn power(&mut self, power: Power) -> Result<(), LinkError>;

    /// Sends one command APDU and returns what came back, whatever it is.
    ///
    /// # Errors
    /// [`LinkError::Lost`] when nothing came back, [`LinkError::Refused`] when the command was not
    /// sent at all.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError>;

    /// Has the card suffer `faults`, counted from now, instead of those that it suffered so far. Returns
    /// those of the former that were to strike and have not.
    ///
    /// # Errors
    /// [`Refused::FaultOnAnothersCard`] unless the card is built in.
    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        if faults.is_empty() { Ok(Vec::new()) } else { Err(Refused::FaultOnAnothersCard.into()) }
    }

    /// The reader that the card lies in, where there is one.
    fn reader(&self) -> Option<&ReaderIdentity> {
        None
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum LinkError {
    /// the card is gone, mute, or talks nonsense at the transport level
    #[error("the link to the card was lost: {}", .0.en)]
    Lost(Bilingual),
    /// the guard of real cards did not let the command through
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl LinkError {
    /// The link is lost, for the reason given in both languages.
    pub(crate) fn lost(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Lost(Bilingual::new(ja, en))
    }

    /// Why there is no answer, in both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        match self {
            Self::Lost(reason) => reason.clone(),
            Self::Refused(refused) => refused.in_words(),
        }
    }
}

impl<L: CardLink + ?Sized> CardLink for &mut L {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        (**self).atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        (**self).power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        (**self).transmit(command)
    }

    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        (**self).suffer(faults)
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        (**self).reader()
    }
}

impl<L: CardLink + ?Sized> CardLink for Box<L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        (**self).atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        (**self).power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        (**self).transmit(command)
    }

    fn suffer(&mut self, faults: &[Fault]) -> Result<Vec<Fault>, LinkError> {
        (**self).suffer(faults)
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        (**self).reader()
    }
}

//! What a card can do, as against what a link to it can suffer: it has an ATR, loses and gains
//! power, and reacts to commands.

use std::time::Duration;

/// A card, real in everything but its plastic.
pub trait SmartCard: Send {
    /// The answer to reset. Asked for in every power state: readers use it as a sign of life.
    fn atr(&mut self) -> Reaction;

    /// The reader switches the power or resets the card; a card does not answer that.
    fn power(&mut self, power: Power);

    /// One command APDU, as raw bytes.
    fn transmit(&mut self, command: &[u8]) -> Reaction;
}

/// What a reader does to a card besides talking to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// the card loses its power, and all volatile state with it
    Off,
    /// the card is powered up (a cold reset)
    On,
    /// the reset line is pulled while the power stays (a warm reset)
    WarmReset,
}

/// How a card meets a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// a response APDU, or the ATR
    Answer(Vec<u8>),
    /// nothing for this long; then the card is gone. Bounded, because readers wait for ever.
    Silence(Duration),
    /// the card leaves the reader
    Leave(Leaving),
}

/// How a card leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// it closes the connection in good order
    Close,
    /// the connection is torn (a TCP reset)
    Reset,
    /// an answer was begun and never ended
    HalfFrame,
}

impl<C: SmartCard + ?Sized> SmartCard for Box<C> {
    fn atr(&mut self) -> Reaction {
        (**self).atr()
    }

    fn power(&mut self, power: Power) {
        (**self).power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        (**self).transmit(command)
    }
}

//! A card that tells what is said to it.

use crate::exchange::Exchange;
use crate::smart_card::{Power, Reaction, SmartCard};

/// What happened to a traced card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// the reader switched the power
    Power(Power),
    /// a command and its answer, PINs masked
    Exchange(Exchange),
}

/// A [`SmartCard`] around another; `log` hears of everything but requests for the ATR, which
/// readers repeat all day.
pub struct Trace<C, L> {
    card: C,
    log: L,
}

impl<C: SmartCard, L: FnMut(Traced) + Send> Trace<C, L> {
    /// Traces `card` into `log`.
    pub const fn new(card: C, log: L) -> Self {
        Self { card, log }
    }
}

impl<C: SmartCard, L: FnMut(Traced) + Send> SmartCard for Trace<C, L> {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        (self.log)(Traced::Power(power));
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let reaction = self.card.transmit(command);
        let answer = match &reaction {
            Reaction::Answer(answer) => Some(&answer[..]),
            Reaction::Silence(_) | Reaction::Leave(_) => None,
        };
        (self.log)(Traced::Exchange(Exchange::new(command, answer)));
        reaction
    }
}

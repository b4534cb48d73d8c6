//! The card that a client sees while the real one lies elsewhere: it hands everything on, and keeps
//! what was said.

use crate::link::{CardLink, LinkError};
use std::sync::{Arc, Mutex, PoisonError};
use vmyna_sim::smart_card::{Leaving, Power, Reaction, SmartCard};

/// One thing that passed between client and card.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// the reader switched the power
    Power(Power),
    /// a command and its answer, as they were: PINs included
    Exchange(Vec<u8>, Vec<u8>),
}

/// Everything that has passed so far, shared with whoever writes it down.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<Heard>>>);

impl Tape {
    /// What has passed so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, heard: Heard) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
    }
}

/// A [`SmartCard`] that is the card behind a link.
pub struct Relay<L, F> {
    link: L,
    tape: Tape,
    on_error: F,
}

impl<L: CardLink, F: FnMut(&LinkError)> Relay<L, F> {
    /// Hands everything on to `link` and keeps it on `tape`; `on_error` hears why the card leaves.
    pub const fn new(link: L, tape: Tape, on_error: F) -> Self {
        Self { link, tape, on_error }
    }

    fn reaction(&mut self, result: Result<Vec<u8>, LinkError>) -> Reaction {
        match result {
            Ok(answer) => Reaction::Answer(answer),
            Err(error) => {
                (self.on_error)(&error);
                Reaction::Leave(Leaving::Close)
            }
        }
    }
}

impl<L: CardLink + Send, F: FnMut(&LinkError) + Send> SmartCard for Relay<L, F> {
    fn atr(&mut self) -> Reaction {
        let result = self.link.atr();
        self.reaction(result)
    }

    fn power(&mut self, power: Power) {
        self.tape.push(Heard::Power(power));
        if let Err(error) = self.link.power(power) {
            (self.on_error)(&error);
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let result = self.link.transmit(command);
        if let Ok(answer) = &result {
            self.tape.push(Heard::Exchange(command.to_vec(), answer.clone()));
        }
        self.reaction(result)
    }
}

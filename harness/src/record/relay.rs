//! The card that a client sees while the real one lies elsewhere. The two ends run in different
//! threads, because a link need not be one that threads can hand to each other.

use crate::link::{CardLink, LinkError};
use std::sync::mpsc::{Receiver, Sender, channel};
use vmyna_sim::smart_card::{Leaving, Power, Reaction, SmartCard};

/// One thing that passed between client and card.
#[derive(Clone, PartialEq, Eq)]
pub enum Heard {
    /// the reader switched the power
    Power(Power),
    /// a command and its answer, as they were: PINs included
    Exchange(Vec<u8>, Vec<u8>),
}

enum Request {
    Atr,
    Power(Power),
    Transmit(Vec<u8>),
}

/// The client's end: a [`SmartCard`] that hands everything on. It leaves the reader when the card
/// behind it cannot be reached.
pub struct Relay {
    requests: Sender<Request>,
    answers: Receiver<Option<Vec<u8>>>,
}

/// The card's end of a [`Relay`].
pub struct Relayed {
    requests: Receiver<Request>,
    answers: Sender<Option<Vec<u8>>>,
}

/// The two ends.
#[must_use]
pub fn relay() -> (Relay, Relayed) {
    let (request, requests) = channel();
    let (answer, answers) = channel();
    (Relay { requests: request, answers }, Relayed { requests, answers: answer })
}

impl Relay {
    fn ask(&self, request: Request) -> Option<Vec<u8>> {
        self.requests.send(request).ok()?;
        self.answers.recv().ok()?
    }

    fn reaction(&self, request: Request) -> Reaction {
        self.ask(request).map_or(Reaction::Leave(Leaving::Close), Reaction::Answer)
    }
}

impl SmartCard for Relay {
    fn atr(&mut self) -> Reaction {
        self.reaction(Request::Atr)
    }

    fn power(&mut self, power: Power) {
        let _ = self.ask(Request::Power(power));
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        self.reaction(Request::Transmit(command.to_vec()))
    }
}

impl Relayed {
    /// Hands everything on to `link` until the client's end is gone; returns what passed. `on_error`
    /// hears why an answer did not come.
    pub fn hand_on(self, link: &mut dyn CardLink, mut on_error: impl FnMut(&LinkError)) -> Vec<Heard> {
        let mut tape = Vec::new();
        for request in &self.requests {
            let result = match request {
                Request::Atr => link.atr(),
                Request::Power(power) => {
                    tape.push(Heard::Power(power));
                    link.power(power).map(|()| Vec::new())
                }
                Request::Transmit(command) => link.transmit(&command).inspect(|answer| {
                    tape.push(Heard::Exchange(command, answer.clone()));
                }),
            };
            let answer = result.inspect_err(&mut on_error).ok();
            if self.answers.send(answer).is_err() {
                break;
            }
        }
        tape
    }
}

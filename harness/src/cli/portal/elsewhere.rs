//! A card that is not built in, on the desk: it is talked to on a thread of its own, which connects
//! when the card is held to the phone.

use super::super::seat::CardSeat;
use crate::link::{CardLink, LinkError};
use crate::portal::desk::Cards;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use vmyna_sim::smart_card::Power;

/// How long to wait for a card that is held to the phone.
const WAIT: Duration = Duration::from_secs(10);

type Answered = Result<Vec<u8>, LinkError>;

enum Asked {
    Atr,
    Power(Power),
    Transmit(Vec<u8>),
}

/// The one card in `seat`.
pub(super) fn cards(seat: CardSeat) -> Cards {
    Cards::made_by(move |_| {
        let (asked, asks) = channel();
        let seat = seat.clone();
        thread::spawn(move || converse(&seat, &asks));
        Ok(Box::new(Elsewhere(asked)))
    })
}

struct Elsewhere(Sender<(Asked, Sender<Answered>)>);

fn lost(why: impl std::fmt::Display) -> LinkError {
    LinkError::Lost(why.to_string())
}

/// Answers until nobody asks any more; a card that was lost is connected anew by the next power-on.
fn converse(seat: &CardSeat, asks: &Receiver<(Asked, Sender<Answered>)>) {
    let mut source = None;
    let mut link: Option<Box<dyn CardLink>> = None;
    while let Ok((asked, answer)) = asks.recv() {
        let answered = match (asked, &mut link) {
            (Asked::Power(Power::On), None) => {
                let connected = match &mut source {
                    Some(source) => connect(source),
                    empty => match seat.open(WAIT, false) {
                        Ok(opened) => connect(empty.insert(opened)),
                        Err(failure) => Err(lost(failure)),
                    },
                };
                connected.and_then(|mut card| {
                    let powered = card.power(Power::On);
                    link = Some(card);
                    powered.map(|()| Vec::new())
                })
            }
            (Asked::Power(_), None) => Ok(Vec::new()),
            (Asked::Power(power), Some(card)) => card.power(power).map(|()| Vec::new()),
            (Asked::Atr, Some(card)) => card.atr(),
            (Asked::Transmit(command), Some(card)) => card.transmit(&command),
            (Asked::Atr | Asked::Transmit(_), None) => Err(lost("there is no card")),
        };
        if matches!(answered, Err(LinkError::Lost(_))) {
            link = None;
        }
        // who asked may have gone
        let _ = answer.send(answered);
    }
}

fn connect(source: &mut Box<dyn crate::run::PeerSource>) -> Result<Box<dyn CardLink>, LinkError> {
    source.connect(Instant::now() + WAIT).map_err(lost)
}

impl Elsewhere {
    fn ask(&mut self, asked: Asked) -> Answered {
        let (answer, answered) = channel();
        self.0.send((asked, answer)).map_err(lost)?;
        answered.recv().map_err(lost)?
    }
}

impl CardLink for Elsewhere {
    fn atr(&mut self) -> Answered {
        self.ask(Asked::Atr)
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.ask(Asked::Power(power)).map(drop)
    }

    fn transmit(&mut self, command: &[u8]) -> Answered {
        self.ask(Asked::Transmit(command.to_vec()))
    }
}

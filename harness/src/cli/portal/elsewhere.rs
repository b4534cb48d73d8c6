//! A card that is not built in, on the desk: its seat is opened at once, on a thread of its own that
//! also does the talking, and the card is connected to when it is held to the phone.

use super::super::Failure;
use super::super::seat::CardSeat;
use crate::link::{CardLink, LinkError};
use crate::portal::desk::{Card, Cards};
use crate::run::PeerSource;
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

type Asks = (Asked, Sender<Answered>);

/// The one card in `seat`.
///
/// # Errors
/// The seat cannot be opened.
pub(super) fn cards(seat: CardSeat) -> Result<Cards, Failure> {
    let (asked, asks) = channel();
    let (opened, is_open) = channel();
    thread::spawn(move || match seat.open(WAIT, false) {
        Ok(mut source) => {
            let _ = opened.send(Ok(()));
            converse(&mut *source, &asks);
        }
        Err(failure) => {
            let _ = opened.send(Err(failure));
        }
    });
    // the thread says one of the two
    is_open.recv().unwrap_or(Ok(()))?;
    Ok(Cards::made_by(move |_| Ok(Box::new(Elsewhere(asked.clone())) as Card)))
}

struct Elsewhere(Sender<Asks>);

fn no_card() -> LinkError {
    LinkError::lost("カードがない", "there is no card")
}

/// Answers until nobody asks any more; a card that was lost is connected anew by the next power-on.
fn converse(source: &mut dyn PeerSource, asks: &Receiver<Asks>) {
    let mut link: Option<Box<dyn CardLink>> = None;
    while let Ok((asked, answer)) = asks.recv() {
        let answered = match (asked, &mut link) {
            (Asked::Power(Power::On), None) => {
                source.connect(Instant::now() + WAIT).map_err(LinkError::Lost).and_then(|mut card| {
                    let powered = card.power(Power::On);
                    link = Some(card);
                    powered.map(|()| Vec::new())
                })
            }
            (Asked::Power(_), None) => Ok(Vec::new()),
            (Asked::Power(power), Some(card)) => card.power(power).map(|()| Vec::new()),
            (Asked::Atr, Some(card)) => card.atr(),
            (Asked::Transmit(command), Some(card)) => card.transmit(&command),
            (Asked::Atr | Asked::Transmit(_), None) => Err(no_card()),
        };
        if matches!(answered, Err(LinkError::Lost(_))) {
            link = None;
        }
        // who asked may have gone
        let _ = answer.send(answered);
    }
}

impl Elsewhere {
    fn ask(&mut self, asked: Asked) -> Answered {
        let (answer, answered) = channel();
        self.0.send((asked, answer)).map_err(|_| no_card())?;
        answered.recv().map_err(|_| no_card())?
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

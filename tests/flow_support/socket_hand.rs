//! A card that is behind a socket: it connects when it is held to the phone, which is the reader, and
//! its connection ends when it is lifted or leaves.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vmyna::flow::{FlowCard, Hand, Trouble};
use vmyna::link::{CardLink, LinkError};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{self, Address, Connection, Mode, Reader, ReaderOptions, Shutdown};

/// Nothing on a loopback socket takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Holds cards by a socket of their own.
pub struct SocketHand;

impl Hand for SocketHand {
    fn hold(&mut self, card: &FlowCard) -> Result<Box<dyn CardLink>, Trouble> {
        let reader =
            Reader::listen(&Address::loopback(0), ReaderOptions::default()).map_err(Trouble::broken)?;
        let address = Address::from(reader.local_addr());
        let shutdown = Shutdown::new();
        let (mut card, until) = (card.clone(), shutdown.clone());
        let serving = std::thread::spawn(move || {
            // How a card that is lifted ends is of no interest.
            vpcd::serve(&mut card, Mode::Connect(address), &until, &mut |_| {});
        });
        let connection = reader.accept(Instant::now() + PATIENCE).map_err(Trouble::broken)?;
        Ok(Box::new(Held { connection, shutdown, serving: Some(serving), _reader: reader }))
    }
}

/// A card on the phone.
struct Held {
    connection: Connection,
    shutdown: Shutdown,
    serving: Option<JoinHandle<()>>,
    _reader: Reader,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shutdown.now();
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

impl CardLink for Held {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        CardLink::atr(&mut self.connection)
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        CardLink::power(&mut self.connection, power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        CardLink::transmit(&mut self.connection, command)
    }
}

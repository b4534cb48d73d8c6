//! A card in the hand of a test: it connects to the reader of a run, and what arrives at it is written down.

use crate::process::{Ended, Running, vmyna};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::{self, Address, Mode, Shutdown};

/// A card in this process, which connects to the reader of a run and writes down what arrives.
pub struct InHand {
    arrived: Arc<Mutex<Vec<Vec<u8>>>>,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl InHand {
    /// Lets `card` connect to `port`.
    fn connect(card: impl SmartCard + 'static, port: u16) -> Self {
        let (arrived, shutdown) = (Arc::default(), Shutdown::new());
        let mut card = Recorded { card, arrived: Arc::clone(&arrived) };
        let end = shutdown.clone();
        let thread = thread::spawn(move || {
            vpcd::serve(&mut card, Mode::Connect(Address::loopback(port)), &end, &mut |_| {});
        });
        Self { arrived, shutdown, thread: Some(thread) }
    }

    /// The commands that presented or changed a PIN.
    pub fn pin_commands(&self) -> Vec<Vec<u8>> {
        let arrived = self.arrived.lock().expect("no thread has failed");
        let with_data =
            |command: &&Vec<u8>| command.len() > 5 && matches!(command[1], 0x20 | 0x24 | 0x2C | 0x32);
        arrived.iter().filter(with_data).cloned().collect()
    }

    pub fn count(&self) -> usize {
        self.arrived.lock().expect("no thread has failed").len()
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.shutdown.now();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Recorded<C> {
    card: C,
    arrived: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl<C: SmartCard> SmartCard for Recorded<C> {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        self.arrived.lock().expect("no thread has failed").push(command.to_vec());
        self.card.transmit(command)
    }
}

/// Starts a run that plays the reader, and lets `card` connect to it.
pub fn start(card: impl SmartCard + 'static, arguments: &[&str]) -> (Running, InHand) {
    let mut running = Running::start(&mut vmyna(["run", "--card", "vpcd:0"].iter().chain(arguments)));
    let card = InHand::connect(card, running.tells_port("waiting for a virtual card on"));
    (running, card)
}

pub fn play(card: impl SmartCard + 'static, arguments: &[&str]) -> (Ended, InHand) {
    let (running, card) = start(card, arguments);
    (running.ends(), card)
}

//! A card in the hand of a test: it connects to a reader, what arrives at it is written down, and it may be
//! held back at its first command.

use super::PATIENCE;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::{self, Address, Event, Mode, Shutdown};

/// A card in this process; it leaves its reader when dropped.
pub struct InHand {
    arrived: Arc<Mutex<Vec<Vec<u8>>>>,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
    ready: Receiver<()>,
}

impl InHand {
    /// Lets `card` connect to `port`.
    pub fn connect(card: impl SmartCard + 'static, port: u16) -> Self {
        let (arrived, shutdown) = (Arc::default(), Shutdown::new());
        let mut card = WrittenDown { card, arrived: Arc::clone(&arrived) };
        let (tell, ready) = channel();
        let end = shutdown.clone();
        let thread = thread::spawn(move || {
            vpcd::serve(&mut card, Mode::Connect(Address::loopback(port)), &end, &mut |event| {
                if event == Event::Ready {
                    let _ = tell.send(()); // unheard by who does not wait for it
                }
            });
        });
        Self { arrived, shutdown, thread: Some(thread), ready }
    }

    /// Waits until the reader has powered it.
    pub fn until_ready(self) -> Self {
        self.ready.recv_timeout(PATIENCE).expect("the reader powers the card");
        self
    }

    /// The commands that presented or changed a PIN.
    pub fn pin_commands(&self) -> Vec<Vec<u8>> {
        let arrived = self.arrived.lock().expect("no thread has failed");
        let with_data = |command: &&Vec<u8>| {
            command.len() > 5 && matches!(command[1], 0x20 | 0x21 | 0x24 | 0x25 | 0x2C | 0x2D | 0x32)
        };
        arrived.iter().filter(with_data).cloned().collect()
    }

    /// Everything that has arrived.
    pub fn commands(&self) -> Vec<Vec<u8>> {
        self.arrived.lock().expect("no thread has failed").clone()
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

struct WrittenDown<C> {
    card: C,
    arrived: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl<C: SmartCard> SmartCard for WrittenDown<C> {
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

/// Does not answer its first command, or the first of one instruction, until it is told to go on.
pub struct Held<C> {
    card: C,
    go: Receiver<()>,
    held: bool,
    instruction: Option<u8>,
}

impl<C: SmartCard> Held<C> {
    /// `card`, and what lets it go on.
    pub fn back(card: C) -> (Self, Sender<()>) {
        let (go, may_go) = channel();
        (Self { card, go: may_go, held: true, instruction: None }, go)
    }

    /// Likewise, and held back at the first command of `instruction`.
    pub fn at(card: C, instruction: u8) -> (Self, Sender<()>) {
        let (held, go) = Self::back(card);
        (Self { instruction: Some(instruction), ..held }, go)
    }
}

impl<C: SmartCard> SmartCard for Held<C> {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let is_meant = self.instruction.is_none_or(|instruction| command.get(1) == Some(&instruction));
        if self.held && is_meant {
            self.held = false;
            self.go.recv().expect("it is told to go on");
        }
        self.card.transmit(command)
    }
}

//! A card for the tests of this room: it tells what is done to it, answers a command with the
//! command itself and `9000`, and leaves or falls silent when told so in advance.

use super::{CardEnd, Event, Mode, Shutdown};
use crate::smart_card::{Power, Reaction, SmartCard};
use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

pub(super) const ATR: [u8; 4] = [0x3B, 0x81, 0x80, 0x00];

/// Longer than anything takes that works.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What was done to the card.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    Atr,
    Power(Power),
    Transmit(Vec<u8>),
}

pub(super) struct RecordingCard {
    calls: Sender<Call>,
    instead_of_answering: Option<Reaction>,
}

impl RecordingCard {
    pub(super) fn new(instead_of_answering: Option<Reaction>) -> (Self, Receiver<Call>) {
        let (calls, seen) = channel();
        (Self { calls, instead_of_answering }, seen)
    }
}

impl SmartCard for RecordingCard {
    fn atr(&mut self) -> Reaction {
        let _ = self.calls.send(Call::Atr);
        Reaction::Answer(ATR.to_vec())
    }

    fn power(&mut self, power: Power) {
        let _ = self.calls.send(Call::Power(power));
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let _ = self.calls.send(Call::Transmit(command.to_vec()));
        let echo = || Reaction::Answer([command, &[0x90, 0x00]].concat());
        self.instead_of_answering.clone().unwrap_or_else(echo)
    }
}

/// A recording card, served in a thread until the end of the test.
pub(super) struct Served {
    pub(super) calls: Receiver<Call>,
    events: Receiver<Event>,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(super) fn new(mode: Mode) -> Self {
        let (mut card, calls) = RecordingCard::new(None);
        Self::start(calls, move |shutdown, on_event| {
            CardEnd::default().serve(&mut card, mode, shutdown, on_event);
        })
    }

    pub(super) fn start(
        calls: Receiver<Call>,
        serve: impl FnOnce(&Shutdown, &mut dyn FnMut(Event)) + Send + 'static,
    ) -> Self {
        let (told, events) = channel();
        let shutdown = Shutdown::new();
        let handle = shutdown.clone();
        let thread = thread::spawn(move || serve(&handle, &mut |event| drop(told.send(event))));
        Self { calls, events, shutdown, thread: Some(thread) }
    }

    /// The next event that satisfies.
    pub(super) fn expect_some(&self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("an event, in time");
            if wanted(&event) {
                return event;
            }
        }
    }

    pub(super) fn expect(&self, wanted: &Event) {
        self.expect_some(|event| event == wanted);
    }

    /// All events from here to the end of serving.
    pub(super) fn rest(&self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.recv_timeout(PATIENCE).ok()).collect()
    }

    pub(super) fn ends_at_shutdown(&self) {
        self.shutdown.now();
        while let Ok(event) = self.events.recv_timeout(PATIENCE) {
            drop(event);
        }
        assert!(matches!(self.events.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.now();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

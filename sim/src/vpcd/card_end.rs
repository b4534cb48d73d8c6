//! The card's end of a connection. vpcd speaks first and always waits for what it asked: an ATR or
//! a response APDU gets exactly one frame, everything else none. The reader's side of the socket
//! cannot be relied upon for speed (Debian's vpcd writes header and body apart and waits for the
//! first to be acknowledged), so this side acknowledges at once, which Linux forgets after each use.

use super::{
    Address, Shutdown,
    event::{Ended, Event},
    frame::{self, ReadFrameError, Request, WriteFrameError},
};
use crate::smart_card::{Leaving, Power, Reaction, SmartCard};
use std::{
    convert::Infallible,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

/// A connected reader that asks for nothing during this time has another card in its slot.
pub const SILENT_AFTER: Duration = Duration::from_secs(1);

/// vpcd waits for ever and blocks its slot meanwhile, so no card may be silent for ever.
const LONGEST_SILENCE: Duration = Duration::from_hours(1);

/// The beginning of an answer of ten bytes.
const HALF_FRAME: [u8; 7] = [0, 10, 0, 0, 0, 0, 0];

/// A peer whose machine vanished never closes; this finds it within about half a minute.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Which end connects.
#[derive(Debug)]
pub enum Mode {
    /// the usual way: the reader listens at this address, now or later
    Connect(Address),
    /// vpcd's reversed mode: the reader connects to this listener (see [`bind`](super::bind)); one
    /// reader at a time, others wait until it has gone
    Listen(TcpListener),
}

/// How a card is served.
#[derive(Debug, Clone)]
pub struct CardEnd {
    quick_ack: bool,
    silent_after: Duration,
}

impl Default for CardEnd {
    fn default() -> Self {
        Self { quick_ack: true, silent_after: SILENT_AFTER }
    }
}

impl CardEnd {
    /// Whether to acknowledge what arrives at once (on by default, Linux and Android only). Without
    /// it each APDU through Debian's vpcd takes about 44 ms longer; it can be switched off to measure
    /// just that.
    #[must_use]
    pub fn quick_ack(self, quick_ack: bool) -> Self {
        Self { quick_ack, ..self }
    }

    /// Serves the card until shutdown. A reader that is not there is waited for; one that goes away
    /// is waited for again, and between connections the card is without power.
    pub fn serve(
        &self,
        card: &mut dyn SmartCard,
        mode: Mode,
        shutdown: &Shutdown,
        on_event: &mut dyn FnMut(Event),
    ) {
        match mode {
            Mode::Connect(to) => super::connecting::serve(self, card, &to, shutdown, on_event),
            Mode::Listen(listener) => super::listening::serve(self, card, listener, shutdown, on_event),
        }
    }

    /// Serves the card over one connection, and takes its power away when that is over. The
    /// connection is closed on return, in the way in which the card left.
    pub fn serve_connection(
        &self,
        card: &mut dyn SmartCard,
        stream: TcpStream,
        shutdown: &Shutdown,
        on_event: &mut dyn FnMut(Event),
    ) -> Ended {
        self.serve_connection_as(Unnoticed::Stays, card, stream, shutdown, on_event)
    }

    pub(super) fn serve_connection_as(
        &self,
        unnoticed: Unnoticed,
        card: &mut dyn SmartCard,
        stream: TcpStream,
        shutdown: &Shutdown,
        on_event: &mut dyn FnMut(Event),
    ) -> Ended {
        let stream = Arc::new(stream);
        let ended = match shutdown.wakes_stream(&stream) {
            None => Ended::Shutdown,
            Some(_waker) => {
                let conversation = Conversation {
                    settings: self,
                    unnoticed,
                    stream: &stream,
                    card,
                    on_event,
                    powered: false,
                    seen: false,
                    ready: false,
                    undefined: 0,
                    empty: 0,
                };
                let Err(ended) = conversation.hold();
                if shutdown.requested() { Ended::Shutdown } else { ended }
            }
        };
        drop(stream);
        card.power(Power::Off);
        ended
    }
}

/// What a card does that has come without the reader's noticing: pcscd may miss that one card left and
/// another came in its place between two looks, and asks the new one for its ATR again and again without
/// ever giving it power. Programs then see the former card, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnoticed {
    /// it is used all the same once a program wants it
    Stays,
    /// it leaves, so that the reader sees the slot empty before the card comes back
    Leaves,
}

/// One connection, from the reader's first request to the end.
struct Conversation<'a> {
    settings: &'a CardEnd,
    unnoticed: Unnoticed,
    stream: &'a TcpStream,
    card: &'a mut dyn SmartCard,
    on_event: &'a mut dyn FnMut(Event),
    powered: bool,
    /// the reader has asked for the ATR
    seen: bool,
    ready: bool,
    /// control bytes without a meaning
    undefined: u64,
    /// frames without a body
    empty: u64,
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        let all = self.undefined + self.empty;
        if all > 1 {
            (self.on_event)(Event::Meaningless(all));
        }
    }
}

impl Conversation<'_> {
    fn hold(mut self) -> Result<Infallible, Ended> {
        self.stream.set_nodelay(true).map_err(lost)?;
        let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
        socket2::SockRef::from(self.stream).set_tcp_keepalive(&keepalive).map_err(lost)?;
        self.acknowledge_at_once();
        self.await_the_reader()?;
        let mut body = Vec::new();
        loop {
            frame::read(&mut &*self.stream, &mut body, || self.acknowledge_at_once())?;
            match Request::from(body.as_slice()) {
                Request::PowerOff => self.power(Power::Off),
                Request::PowerOn => self.power(Power::On),
                Request::WarmReset => self.power(Power::WarmReset),
                Request::GetAtr => {
                    let reaction = self.card.atr();
                    self.react(reaction)?;
                    let is_unnoticed = self.seen && !self.powered && !self.ready;
                    if is_unnoticed && self.unnoticed == Unnoticed::Leaves {
                        return Err(Ended::Unnoticed);
                    }
                    if self.powered || self.seen {
                        self.ready();
                    }
                    self.seen = true;
                }
                Request::Apdu(apdu) => {
                    let reaction = self.card.transmit(apdu);
                    self.react(reaction)?;
                    self.ready();
                }
                Request::Undefined(byte) => self.ignore(Event::UndefinedControl(byte)),
                Request::Empty => self.ignore(Event::EmptyFrame),
            }
        }
    }

    /// Returns when there is something to read, be it the end.
    fn await_the_reader(&mut self) -> Result<(), Ended> {
        self.stream.set_read_timeout(Some(self.settings.silent_after)).map_err(lost)?;
        match self.peek() {
            Err(error) if timed_out(&error) => (self.on_event)(Event::Silent(self.settings.silent_after)),
            Err(error) => return Err(lost(error)),
            Ok(_) => {}
        }
        self.stream.set_read_timeout(None).map_err(lost)
    }

    /// Peeks again when a signal interrupts: with a timeout set, the system does not do that itself.
    fn peek(&self) -> io::Result<usize> {
        loop {
            match self.stream.peek(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                peeked => return peeked,
            }
        }
    }

    fn power(&mut self, power: Power) {
        self.card.power(power);
        self.powered = power != Power::Off;
    }

    fn ready(&mut self) {
        if !self.ready {
            self.ready = true;
            (self.on_event)(Event::Ready);
        }
    }

    /// Tells the first of its kind only: a reader may send any number of them.
    fn ignore(&mut self, event: Event) {
        let told = if event == Event::EmptyFrame { &mut self.empty } else { &mut self.undefined };
        *told += 1;
        if *told == 1 {
            (self.on_event)(event);
        }
    }

    fn react(&self, reaction: Reaction) -> Result<(), Ended> {
        match reaction {
            Reaction::Answer(answer) => {
                frame::write(&mut &*self.stream, &answer)?;
                self.acknowledge_at_once();
                Ok(())
            }
            Reaction::Silence(silence) => Err(self.be_silent(silence.min(LONGEST_SILENCE))),
            Reaction::Leave(leaving) => Err(self.leave(leaving)),
        }
    }

    /// Reads all the same, to notice when the reader gives up.
    fn be_silent(&self, silence: Duration) -> Ended {
        let until = Instant::now() + silence;
        let mut unheard = [0; 512];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ended::CardSilent(silence);
            }
            if let Err(error) = self.stream.set_read_timeout(Some(left)) {
                return lost(error);
            }
            match { self.stream }.read(&mut unheard) {
                Ok(0) => return Ended::ReaderClosed,
                Err(error) if !timed_out(&error) && error.kind() != io::ErrorKind::Interrupted => {
                    return lost(error);
                }
                _ => {}
            }
        }
    }

    fn leave(&self, leaving: Leaving) -> Ended {
        let farewell = match leaving {
            Leaving::Close => Ok(()),
            Leaving::Reset => socket2::SockRef::from(self.stream).set_linger(Some(Duration::ZERO)),
            Leaving::HalfFrame => { self.stream }.write_all(&HALF_FRAME),
        };
        farewell.map_or_else(lost, |()| Ended::CardLeft(leaving))
    }

    /// To be repeated after each read and each write: the kernel returns to delayed acknowledgements
    /// by itself. Failing costs speed only.
    fn acknowledge_at_once(&self) {
        if self.settings.quick_ack {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let _ = socket2::SockRef::from(self.stream).set_tcp_quickack(true);
        }
    }
}

/// Systems differ in how they call it.
fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn lost(error: io::Error) -> Ended {
    Ended::Lost(error.kind())
}

impl From<ReadFrameError> for Ended {
    fn from(error: ReadFrameError) -> Self {
        match error {
            ReadFrameError::End => Self::ReaderClosed,
            ReadFrameError::Torn { expected, got } => Self::Torn { expected, got },
            ReadFrameError::Io(error) => lost(error),
        }
    }
}

impl From<WriteFrameError> for Ended {
    fn from(error: WriteFrameError) -> Self {
        match error {
            WriteFrameError::Unsendable(why) => Self::Unsendable(why),
            WriteFrameError::Io(error) => lost(error),
        }
    }
}

#[cfg(test)]
mod tests;

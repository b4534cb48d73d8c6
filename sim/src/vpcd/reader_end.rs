//! The reader's end, which plays vpcd: it listens, and one virtual card after the other connects.

use super::{Address, BindError, Connection, ReaderOptions, Shutdown, Unreachable, bind};
use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use thiserror::Error;

/// Why there is no card.
#[derive(Debug, Error)]
pub enum ReaderError {
    /// the reader cannot listen
    #[error(transparent)]
    Bind(#[from] BindError),
    /// no card connected before the deadline
    #[error("no card connected to {on} within {} ms", .waited.as_millis())]
    NoCard {
        /// where the reader listens
        on: SocketAddr,
        /// how long it waited
        waited: Duration,
    },
    /// no listening card could be reached before the deadline
    #[error("no card at {address}: {reason} (tried for {} ms)", .waited.as_millis())]
    NotReached {
        /// where the card should listen
        address: Address,
        /// why the last attempt failed
        reason: Unreachable,
        /// how long it tried
        waited: Duration,
    },
    /// the system refuses
    #[error("the reader's socket failed: {0}")]
    Io(#[from] io::Error),
}

/// A slot of a virtual reader: cards connect to it. Like vpcd's it takes one card at a time; others
/// are connected and hear nothing until [`Reader::accept`] is called again.
#[derive(Debug)]
pub struct Reader {
    on: SocketAddr,
    options: ReaderOptions,
    // in this order: the cards go first, so that the thread cannot wait for one to be taken
    cards: Option<Receiver<io::Result<TcpStream>>>,
    shutdown: Shutdown,
    accepting: Option<JoinHandle<()>>,
}

impl Reader {
    /// Listens at an address: [`Address::default`] is vpcd's own on this machine, port 0 any that is
    /// free.
    ///
    /// # Errors
    /// [`ReaderError::Bind`] when the port is not to be had, [`ReaderError::Io`] when the system is
    /// short of threads.
    pub fn listen(address: &Address, options: ReaderOptions) -> Result<Self, ReaderError> {
        let listener = Arc::new(bind(address)?);
        let on = listener.local_addr()?;
        let (arrived, cards) = sync_channel(0);
        let shutdown = Shutdown::new();
        let end = shutdown.clone();
        // in a thread, because no deadline can be set for accepting
        let accepting = thread::Builder::new().name("vpcd-accept".to_owned()).spawn(move || {
            while let Some(accepted) = end.accept(&listener) {
                if arrived.send(accepted.map(|(stream, _)| stream)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { on, options, cards: Some(cards), shutdown, accepting: Some(accepting) })
    }

    /// The address bound, with the port that the system chose.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.on
    }

    /// Waits for a card. It may have left again by the time it is taken: what is asked of it then
    /// says so.
    ///
    /// # Errors
    /// [`ReaderError::NoCard`] at the deadline, [`ReaderError::Io`] when the system fails.
    pub fn accept(&self, deadline: Instant) -> Result<Connection, ReaderError> {
        let from = Instant::now();
        let waited = deadline.saturating_duration_since(from);
        let accepted = self.cards.as_ref().map(|cards| cards.recv_timeout(waited));
        match accepted {
            Some(Ok(stream)) => Ok(Connection::new(stream?, self.options)?),
            Some(Err(RecvTimeoutError::Timeout)) => Err(ReaderError::NoCard { on: self.on, waited }),
            Some(Err(RecvTimeoutError::Disconnected)) | None => {
                Err(io::Error::other("the accepting thread has ended").into())
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.cards.take());
        self.shutdown.now();
        // so that the port is free when this returns
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording_card::{ATR, Call, PATIENCE, RecordingCard, Served};
    use super::super::{CardEnd, Ended, Event, LinkLost, Mode, TransmitError};
    use super::*;
    use crate::smart_card::{Leaving, Power, Reaction};

    fn soon() -> Instant {
        Instant::now() + PATIENCE
    }

    fn reader() -> Reader {
        Reader::listen(&Address::loopback(0), ReaderOptions::default()).unwrap()
    }

    #[test]
    fn a_card_connects_is_powered_and_answers() {
        let reader = reader();
        let served = Served::new(Mode::Connect(reader.local_addr().into()));
        let mut card = reader.accept(soon()).unwrap();
        card.power(Power::On).unwrap();
        assert_eq!(card.atr().unwrap(), ATR);
        assert_eq!(card.transmit(&[0, 0xA4]).unwrap(), [0, 0xA4, 0x90, 0x00]);
        card.power(Power::WarmReset).unwrap();
        card.power(Power::Off).unwrap();
        assert_eq!(card.atr().unwrap(), ATR);
        let calls: Vec<_> = served.calls.try_iter().collect();
        assert_eq!(
            calls,
            [
                Call::Power(Power::On),
                Call::Atr,
                Call::Transmit(vec![0, 0xA4]),
                Call::Power(Power::WarmReset),
                Call::Power(Power::Off),
                Call::Atr,
            ]
        );
    }

    #[test]
    fn header_and_body_in_two_writes_reach_the_card_too() {
        let options = ReaderOptions { like_debian: true, ..ReaderOptions::default() };
        let reader = Reader::listen(&Address::loopback(0), options).unwrap();
        let _served = Served::new(Mode::Connect(reader.local_addr().into()));
        let mut card = reader.accept(soon()).unwrap();
        card.power(Power::On).unwrap();
        for command in [[0, 1], [2, 3]] {
            assert_eq!(card.transmit(&command).unwrap(), [&command[..], &[0x90, 0x00]].concat());
        }
    }

    #[test]
    fn without_a_card_the_wait_ends_at_the_deadline() {
        let refusal = reader().accept(Instant::now() + Duration::from_millis(1)).unwrap_err();
        assert!(matches!(refusal, ReaderError::NoCard { .. }), "{refusal}");
        // bound and not listening: the port refuses, and nobody else can take it
        let nobody_listens =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        nobody_listens.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let nobody = nobody_listens.local_addr().unwrap().as_socket().unwrap();
        let deadline = Instant::now() + Duration::from_millis(1);
        let refusal = Connection::connect(&nobody.into(), deadline, ReaderOptions::default()).unwrap_err();
        assert!(
            matches!(refusal, ReaderError::NotReached { reason: Unreachable::NothingListens, .. }),
            "{refusal}"
        );
    }

    #[test]
    fn the_port_is_free_again_when_the_reader_is_gone() {
        let first = reader();
        let address = first.local_addr().into();
        let _queued = TcpStream::connect(first.local_addr()).unwrap();
        drop(first);
        bind(&address).unwrap();
    }

    #[test]
    fn a_second_card_is_silent_until_the_first_has_gone() {
        let reader = reader();
        let first = Served::new(Mode::Connect(reader.local_addr().into()));
        let mut card = reader.accept(soon()).unwrap();
        card.power(Power::On).unwrap();
        let second = Served::new(Mode::Connect(reader.local_addr().into()));
        second.expect_some(|event| matches!(event, Event::Silent(_)));
        assert_eq!(card.atr().unwrap(), ATR);
        first.expect(&Event::Ready);
        drop(card);
        let mut card = reader.accept(soon()).unwrap();
        card.power(Power::On).unwrap();
        assert_eq!(card.atr().unwrap(), ATR);
        second.expect(&Event::Ready);
    }

    /// What the reader sees of a card that reacts like this, and how the connection ended for it.
    fn seen(reaction: Reaction, options: ReaderOptions) -> (LinkLost, Ended) {
        let reader = Reader::listen(&Address::loopback(0), options).unwrap();
        let stream = TcpStream::connect(reader.local_addr()).unwrap();
        let (mut card, calls) = RecordingCard::new(Some(reaction));
        let (told, ended) = sync_channel(1);
        let _served = Served::start(calls, move |shutdown, on_event| {
            told.send(CardEnd::default().serve_connection(&mut card, stream, shutdown, on_event)).unwrap();
        });
        let mut connection = reader.accept(soon()).unwrap();
        let Err(TransmitError::Lost(lost)) = connection.transmit(&[1, 2]) else { panic!("no loss") };
        (lost, ended.recv_timeout(PATIENCE).unwrap())
    }

    #[test]
    fn the_reader_can_tell_the_ways_in_which_a_card_leaves() {
        let leave = |leaving| seen(Reaction::Leave(leaving), ReaderOptions::default());
        assert_eq!(leave(Leaving::Close), (LinkLost::Closed, Ended::CardLeft(Leaving::Close)));
        assert_eq!(leave(Leaving::Reset), (LinkLost::Reset, Ended::CardLeft(Leaving::Reset)));
        assert_eq!(
            leave(Leaving::HalfFrame),
            (LinkLost::HalfFrame { expected: 12, got: 7 }, Ended::CardLeft(Leaving::HalfFrame))
        );
    }

    #[test]
    fn a_silent_card_leaves_when_its_time_is_up() {
        let silence = Duration::from_millis(1);
        let (lost, ended) = seen(Reaction::Silence(silence), ReaderOptions::default());
        assert_eq!((lost, ended), (LinkLost::Closed, Ended::CardSilent(silence)));
    }

    #[test]
    fn a_reader_that_gives_up_on_a_silent_card_ends_the_silence() {
        let answer_timeout = Duration::from_millis(1);
        let options = ReaderOptions { answer_timeout, ..ReaderOptions::default() };
        let (lost, ended) = seen(Reaction::Silence(Duration::MAX), options);
        assert_eq!((lost, ended), (LinkLost::Mute { waited: answer_timeout }, Ended::ReaderClosed));
    }
}

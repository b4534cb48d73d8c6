//! What happens at the card's end, for whoever tells the user: which reader is waited for and why,
//! when the card can be used, how a connection ended.

use super::{Address, frame::Unsendable};
use crate::smart_card::Leaving;
use std::{io, net::SocketAddr, time::Duration};
use thiserror::Error;

/// One thing that happened at the card's end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// looking for a reader at this address; once before the first attempt, and once after each loss
    Connecting {
        /// where the reader should be
        to: Address,
    },
    /// a reader can connect here; before each connection that is waited for
    Listening {
        /// the address bound, with the port that the system chose
        on: SocketAddr,
    },
    /// an attempt failed, and others follow until shutdown; told again only when the reason changes
    Waiting {
        /// why there is no connection yet
        reason: Unreachable,
    },
    /// connected; the reader has said nothing yet
    Connected {
        /// the reader's address
        peer: SocketAddr,
    },
    /// Connected, but for this long the reader has asked for nothing. vpcd asks every 400 ms, so
    /// another card is in this slot and this one queues behind it; it keeps waiting.
    Silent(Duration),
    /// The card can be used: the reader powered it and has its ATR, or asked for the ATR again
    /// without powering it, or sent its first command (vpcd on Windows never powers a card). Once in
    /// each connection.
    Ready,
    /// the reader sent a control byte without a meaning; it was ignored, as all further ones of this connection are
    UndefinedControl(u8),
    /// the reader sent a frame without a body; it was ignored, as all further ones of this connection are
    EmptyFrame,
    /// At the end of a connection: so many frames without a meaning came in all, where it were more than one.
    Meaningless(u64),
    /// the connection is over and the card has lost its power
    Disconnected(Ended),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Ended {
    /// the reader closed it between two requests
    #[error("the reader closed the connection")]
    ReaderClosed,
    /// the reader closed it within a request; lengths count the header
    #[error("the reader closed the connection within a request: {got} of {expected} bytes came")]
    Torn {
        /// bytes in the whole frame, or in its header as long as that is not complete
        expected: usize,
        /// bytes that came
        got: usize,
    },
    /// the transport failed
    #[error("the connection was lost: {0}")]
    Lost(io::ErrorKind),
    /// the card left the reader
    #[error("the card left the reader")]
    CardLeft(Leaving),
    /// the reader asked twice for the ATR and gave no power: it has not noticed that another card has gone
    /// and this one has come
    #[error("the reader takes the card for the one before it; the card leaves, and comes back")]
    Unnoticed,
    /// the card did not react, and its time is up
    #[error("the card was silent for {} ms and has left the reader", .0.as_millis())]
    CardSilent(Duration),
    /// the card's answer fits no frame; none was sent, and since the reader waits for one, the card
    /// leaves
    #[error("the card's answer cannot be sent: {0}")]
    Unsendable(Unsendable),
    /// [`Shutdown::now`](super::Shutdown::now)
    #[error("shut down")]
    Shutdown,
}

/// Why nobody is connected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// nothing listens there: pcscd is not running, or has no vpcd
    #[error("nothing listens there")]
    NothingListens,
    /// no reply at all: a firewall, or one card in the slot and another in the queue behind it
    #[error("no reply; a firewall may be in the way, or other cards queue for this slot")]
    NoReply,
    /// the name cannot be looked up
    #[error("the name cannot be looked up: {0}")]
    UnknownHost(String),
    /// whatever else the system says
    #[error("{0}")]
    Other(String),
}

impl From<io::Error> for Unreachable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NothingListens,
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::NoReply,
            _ => Self::Other(error.to_string()),
        }
    }
}

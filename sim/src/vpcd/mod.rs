//! The vpcd socket: how a virtual card lies in a virtual reader (vsmartcard's `vpcd`, a pcscd
//! driver). [`CardEnd`] puts any [`SmartCard`] behind such a socket, connecting or listening;
//! [`Reader`] and [`Connection`] are the other end, playing the reader against any card, however
//! hostile. Threads and blocking sockets: one connection takes one thread and one descriptor. This
//! is the only room that touches a socket, and it prints nothing: what happens comes out as
//! [`Event`]s.

mod address;
mod card_end;
mod connecting;
mod connection;
mod event;
pub mod frame;
mod listening;
mod reader_end;
#[cfg(test)]
mod recording_card;
mod shutdown;

pub use address::{Address, MalformedAddress};
pub use card_end::{CardEnd, Mode, SILENT_AFTER};
pub use connecting::{CONNECT_TIMEOUT, STAY_AWAY};
pub use connection::{ANSWER_TIMEOUT, Connection, LinkLost, ReaderOptions, TransmitError};
pub use event::{Ended, Event, Unreachable};
pub use listening::{BindError, bind};
pub use reader_end::{Reader, ReaderError};
pub use shutdown::{Shutdown, Waker};

use crate::smart_card::SmartCard;

/// The TCP port of a reader's first slot; slot n has this port + n ([`Address::slot`]).
pub const DEFAULT_PORT: u16 = 35_963;

/// Serves a card until shutdown, with the settings of [`CardEnd::default`]; see [`CardEnd::serve`].
pub fn serve(card: &mut dyn SmartCard, mode: Mode, shutdown: &Shutdown, on_event: &mut dyn FnMut(Event)) {
    CardEnd::default().serve(card, mode, shutdown, on_event);
}

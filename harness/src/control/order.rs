//! What can be ordered, and what comes back.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use vmyna_sim::pin::PinName;

/// One line from the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// which of the process's cards, from 0
    pub slot: u16,
    /// what to do
    pub order: Order,
}

/// What to do with a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// tell what there is
    Status,
    /// put the card into the reader
    Insert,
    /// take the card out of the reader, whatever it is doing
    Remove,
    /// take the card out, and put another in
    Swap {
        /// whose: a built-in holder or a file
        holder: String,
        /// of which kind; without it, of the same kind
        profile: Option<String>,
        /// where its state is kept; without it, in memory
        state: Option<PathBuf>,
    },
    /// tell the tries of each PIN
    Counters,
    /// fill the counter of a PIN
    Unblock(PinName),
    /// arm a fault, written as [`vmyna_sim::fault::SYNTAX`] says
    Fault(String),
    /// tell the faults that are armed
    Faults,
    /// take back all faults that are armed
    ClearFaults,
    /// tell the last exchanges, and go on telling
    Log {
        /// whether to go on
        follow: bool,
    },
    /// wait until the reader sees the card
    Wait {
        /// for so long at most
        at_most: Duration,
    },
}

/// One line from the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// done, and what there is to say about it
    Done(String),
    /// not done, and why not
    Refused(String),
    /// what there is, one for each slot
    Status(Vec<Status>),
    /// the tries of each PIN
    Counters(Vec<Counter>),
    /// lines of a log or a list; more may follow
    Lines(Vec<String>),
    /// the wait is over, and the reader does not see the card
    TimedOut,
}

/// A card and its reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// from 0
    pub slot: u16,
    /// whose card
    pub holder: String,
    /// where the reader is
    pub reader: String,
    /// whether the card is in the reader
    pub inserted: bool,
    /// whether the reader has seen it
    pub seen: bool,
}

/// The tries of a PIN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// which
    pub pin: PinName,
    /// how many are left
    pub tries_left: u8,
    /// how many there are when the counter is full
    pub full: u8,
}

//! Portable vectors: what is said while the built-in scenarios are played, as JSON that a client or a
//! card in any language can replay without this program, in the manner of Wycheproof. Holder, seed and
//! clock are fixed, so that the same vectors come out each time.

mod blobs;
mod generate;
mod json;
mod verdict;

pub use generate::{CLOCK, VectorsError, generate};

use crate::language::Bilingual;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use vmyna_sim::pin::PinName;

/// The schema of the files, which lies beside them.
pub const SCHEMA: &str = include_str!("../../vectors/apdu/schema.json");

/// A file: its name and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorFile {
    /// such as `jpki-pin.json`
    pub name: String,
    /// JSON
    pub text: String,
}

/// Whether a client gets what it wants, and whether that is beyond doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// a right card does what it is told
    Valid,
    /// a right card refuses
    Invalid,
    /// right cards differ, or nobody outside knows
    Acceptable,
}

/// What is special about an exchange or a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flag {
    Undocumented,
    Observed,
    Random,
    Personal,
    PinRight,
    PinWrong,
    PinChanged,
    Blocked,
}

impl Flag {
    const ALL: [Self; 8] = [
        Self::Undocumented,
        Self::Observed,
        Self::Random,
        Self::Personal,
        Self::PinRight,
        Self::PinWrong,
        Self::PinChanged,
        Self::Blocked,
    ];

    const fn note(self) -> &'static str {
        match self {
            Self::Undocumented => {
                "No public source tells the answer. The one given is this card's; those in `accepted` would not surprise."
            }
            Self::Observed => {
                "Measured by one author, or differing between cards: other answers are right too."
            }
            Self::Random => "The data differ each time: compare status and length only.",
            Self::Personal => {
                "The data belong to this TEST holder: on another card compare status and shape only."
            }
            Self::PinRight => "Presents the holder's own PIN.",
            Self::PinWrong => "Presents another value: a try is spent.",
            Self::PinChanged => "Changes a PIN.",
            Self::Blocked => {
                "A PIN is blocked in this conversation. Never replay it against a card that is not yours."
            }
        }
    }
}

/// One scenario's conversation. Without `Debug`, for the commands are whole.
#[derive(Clone)]
pub(crate) struct Vector {
    pub id: String,
    pub title: Bilingual,
    pub holder: String,
    pub covers: Vec<String>,
    /// tries left at the beginning, where a counter is not full
    pub given: BTreeMap<PinName, u8>,
    /// brings a fresh card there
    pub setup: Vec<Vec<u8>>,
    pub result: Verdict,
    pub flags: BTreeSet<Flag>,
    pub conversation: Vec<Line>,
}

/// One line of a conversation.
#[derive(Clone)]
pub(crate) enum Line {
    Power(&'static str),
    Exchange {
        command: Vec<u8>,
        answer: Vec<u8>,
        /// the command in words
        note: String,
        result: Verdict,
        flags: BTreeSet<Flag>,
        /// statuses that would not surprise, where nobody outside knows
        accepted: Vec<String>,
    },
}

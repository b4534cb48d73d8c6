//! The terminal beside the card: what the app on a phone, or the software on a PC, says to the card
//! between a challenge and its answer, and which screens it shows meanwhile. It is no part of the
//! portal, and the only one to see a PIN.

mod conversation;
mod handset;

pub use conversation::Phone;
pub use handset::{Handset, PATIENCE, Reader, TerminalClock, TerminalScreen};

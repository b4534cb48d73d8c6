//! The terminal beside the card: what the app on a phone, or the software on a PC, says to the card
//! between a challenge and its answer. It is no part of the portal, and the only one to see a PIN.

mod conversation;
mod platform;

pub use conversation::Phone;
pub use platform::{PinForm, Platform};

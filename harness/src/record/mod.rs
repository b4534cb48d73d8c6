//! A conversation between a client and a card, written down as a scenario. The client's end is a
//! virtual card ([`Relay`]); what passes through is lifted to the verbs that scenarios use where they
//! say the same, and PINs become the names that the holder's file gives them.

mod lift;
mod relay;
mod write;

pub use lift::{Lifted, lift};
pub use relay::{Heard, Relay, Relayed, relay};
pub use write::{Given, Recording, Step, to_yaml};

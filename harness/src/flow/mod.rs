//! Flows: a holder, a terminal and a portal around a card, as scenarios play them. The steps are the
//! same wherever a [`Stage`] is set up: in this process, over sockets, or in a browser; time is the
//! flow's own. After each step some things must hold that no scenario needs to say.

mod api;
mod card;
mod clock;
mod forged;
mod in_process;
mod peer;
mod screen;
mod stage;
mod status;
mod typed;
mod visitor;
mod watch;
mod world;

pub use api::ApiVisitor;
pub use card::{FlowCard, Reached, Wallet, personalised};
pub use clock::{BEGINNING, FlowClock};
pub use forged::forged;
pub use in_process::{DirectHand, Hand, InProcess, MADE_UP};
pub use peer::{Entered, PeerHand, on_a_peer};
pub use stage::{Absent, Held, Seen, Stage, Trouble};
pub use status::Registry;
pub use typed::typed;
pub use visitor::Visitor;
pub use watch::{Violation, Watch, present};
pub use world::{Parts, World, WorldError};

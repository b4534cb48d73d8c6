//! Running scenarios: one scenario becomes a verdict, a suite becomes a stream of events.

mod announcement;
mod conversation;
mod event;
mod fresh;
mod judge;
mod peer;
mod plan;
mod seat;
mod session;
mod suite;
mod verdict;

pub use conversation::{Conversation, Passed, converse};
pub use event::{Event, Sink, Summary};
pub use judge::Judge;
pub use peer::{
    NothingCouldRun, PeerOptions, PeerSource, is_ours, known_pins, run_on_peer, run_on_peer_heard,
};
pub use plan::{Cost, PinUse, Plan};
pub use session::{Session, Surroundings};
pub use suite::{Cards, card_for, play_on_simulator, run_on_simulator};
pub use verdict::{Difference, Expectation, Finding, Stage, Verdict};

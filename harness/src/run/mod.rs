//! Running scenarios: one scenario becomes a verdict, a suite becomes a stream of events.

mod announcement;
mod event;
mod fresh;
mod judge;
mod peer;
mod plan;
mod seat;
mod session;
mod suite;
mod verdict;

pub use event::{Event, Sink, Summary};
pub use judge::Judge;
pub use peer::{NothingCouldRun, PeerOptions, PeerSource, run_on_peer};
pub use plan::{Cost, PinUse, Plan};
pub use session::{Session, Surroundings};
pub use suite::{Cards, card_for, play_on_simulator, run_on_simulator};
pub use verdict::{Difference, Expectation, Finding, Stage, Verdict};

//! Running scenarios: one scenario becomes a verdict, a suite becomes a stream of events.

mod event;
mod judge;
mod peer;
mod plan;
mod session;
mod suite;
mod verdict;

pub use event::{Event, Sink, Summary};
pub use judge::Judge;
pub use peer::{Fresh, Peer, PeerOptions, PeerSource};
pub use plan::{Cost, PinUse, Plan};
pub use session::{Session, Surroundings};
pub use suite::{NothingCouldRun, run_on_peer, run_on_simulator};
pub use verdict::{Difference, Finding, Verdict};

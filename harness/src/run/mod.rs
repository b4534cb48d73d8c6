//! Running scenarios: one scenario becomes a verdict, a suite becomes a stream of events.

mod announcement;
mod conduct;
mod conversation;
mod event;
mod expected;
mod fresh;
mod identity;
mod job;
mod judge;
mod kind;
mod ownership;
mod peer;
mod peer_source;
mod person;
mod plan;
mod recorder;
mod schedule;
mod seat;
mod session;
mod shard;
mod suite;
mod verdict;

pub use conduct::{Conduct, Interrupt};
pub use conversation::{Conversation, Passed, converse};
pub use event::{Beginning, Better, CardIdentity, Event, ShardOf, Sink, Summary};
pub use expected::ExpectedFailures;
pub use judge::Judge;
pub use ownership::{is_ours, known_pins};
pub use peer::{run_on_fresh_peers, run_on_peer, run_on_peer_heard};
pub use peer_source::{NothingCouldRun, PeerOptions, PeerSource};
pub use plan::{Cost, PinUse, Plan};
pub use recorder::{Detail, Happening, Recorded, Recorder, StepOutcome};
pub use session::{Session, Surroundings};
pub use shard::Shard;
pub use suite::{Cards, card_for, play_on_simulator, run_on_simulator};
pub use verdict::{Difference, Expectation, Expected, Finding, Outcome, Stage, StoppedBy, Verdict};

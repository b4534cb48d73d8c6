//! The conformance harness for My Number cards (個人番号カード): scenarios of what holders and
//! terminals do, played against any card, and verdicts that somebody else can repeat.
//!
//! ```
//! use vmyna::{requirement::Requirements, run, scenario, verify::Trust};
//!
//! let requirements = Requirements::built_in();
//! let scenarios = scenario::built_in(&requirements);
//! let cards = run::Cards::default();
//! let card = cards.of(&scenarios[0])?;
//! let verdict = run::play_on_simulator(&scenarios[0], card, &requirements, &Trust::CardItself);
//! assert!(matches!(verdict, run::Verdict::Passed { .. }));
//! # Ok::<(), vmyna_sim::card::PersonalisationError>(())
//! ```

#![forbid(unsafe_code)]

pub mod cli;
pub mod control;
pub mod diff;
pub mod doctor;
pub mod exit;
pub mod flow;
pub mod language;
pub mod link;
pub mod portal;
pub mod record;
mod remark;
pub mod report;
pub mod requirement;
pub mod responder;
pub mod run;
pub mod scenario;
mod stream;
pub mod terminal;
pub mod vectors;
pub mod verify;
mod wire;

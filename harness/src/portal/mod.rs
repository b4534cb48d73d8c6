//! The relying party: 健康保険証利用の申込 and 状況照会 after the Cabinet Office's guide, as a
//! simulation. The [`Portal`] has no socket and is driven in process, by a [`Browser`] for the
//! holder's side and a [`phone`] for the terminal's; `vmyna portal` puts pages and an HTTP API
//! before it.

mod answer;
mod applicant;
mod browser;
mod challenge;
mod check;
mod credential;
pub mod desk;
mod failure;
pub(crate) mod flow;
pub mod http;
mod message;
mod outcome;
mod page;
pub mod phone;
mod rejection;
mod screen;
mod service;
pub mod status;
mod store;
mod token;

pub use answer::Answer;
pub use applicant::{Applicant, Application};
pub use browser::{Browser, NotOnThisScreen};
pub use challenge::CardRequest;
pub use check::{Checker, PROPAGATION, built_in_anchors, built_in_signature_anchors};
pub use credential::PinWords;
pub use failure::TerminalFailure;
pub use message::Message;
pub use outcome::Outcome;
pub use page::Page;
pub use rejection::Rejection;
pub use screen::{Button, Purpose, Registration, Row, Screen};
pub use service::{Clock, Lives, Portal, SetUpError};
pub use store::{Store, StoreError};
pub use token::{ChallengeId, FlowId, Randomness, SessionToken, seeded_randomness, system_randomness};

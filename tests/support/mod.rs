//! What tests with real PC/SC programs stand on: the virtual reader, the card put into it, the programs.

pub mod card;
pub mod credential;
pub mod program;
pub mod reader;

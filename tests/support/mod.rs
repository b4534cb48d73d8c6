//! What tests with real PC/SC programs stand on: the virtual reader, the card put into it, the programs.

#![allow(dead_code, reason = "each test uses its part")]

pub mod card;
pub mod credential;
pub mod program;
pub mod reader;

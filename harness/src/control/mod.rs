//! The running card's control socket: what an operator does to a card in a reader, while programs
//! use it. One [`Slot`] is one card in one reader; a [`Server`] hears [`Order`]s for the slots of its
//! process on a Unix socket that only its owner can use; [`Client`] gives them. Orders and replies
//! are lines of JSON.

mod client;
mod log;
mod order;
mod place;
mod presence;
mod server;
mod slot;

pub use client::{Client, ControlError};
pub use order::{Counter, Order, Reply, Request, Status};
pub use place::{Place, PlaceError, running, wait_for_a_socket};
pub use server::Server;
pub use slot::{Slot, SlotCard};

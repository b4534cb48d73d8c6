//! The card.

#![forbid(unsafe_code)]

pub mod apdu;
pub mod document;
pub mod holder;
pub mod key;
pub mod smart_card;

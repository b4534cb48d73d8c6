//! The card.

#![forbid(unsafe_code)]

pub mod apdu;
pub mod document;
pub mod smart_card;
pub mod vpcd;

//! The card.

#![forbid(unsafe_code)]

pub mod apdu;
pub mod document;
pub mod holder;
pub mod issue;
pub mod key;
pub mod pki;
pub mod smart_card;

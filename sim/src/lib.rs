//! A virtual Japanese My Number card (個人番号カード): it answers JPKI APDUs as the real card does,
//! PIN counters and lockout included.
//!
//! ```
//! use vmyna_sim::{card::VirtualCard, smart_card::{Reaction, SmartCard}};
//!
//! let mut card = VirtualCard::built_in("hanako")?;
//! card.transmit(&[0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01]);
//! card.transmit(&[0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x18]);
//! let wrong_pin = [0x00, 0x20, 0x00, 0x80, 0x04, b'0', b'0', b'0', b'0'];
//! assert_eq!(card.transmit(&wrong_pin), Reaction::Answer(vec![0x63, 0xC2]));
//! # Ok::<(), vmyna_sim::card::PersonalisationError>(())
//! ```
//!
//! Everything is handed in: the clock (as the instant of issue), randomness and the store. Same
//! seed, same clock, same bytes. All keys are TEST keys and all certificates are issued by
//! `JPKI-VMYNA-TEST`; nothing made here passes for a government certificate.

#![forbid(unsafe_code)]

pub mod access;
pub mod apdu;
pub mod application;
pub mod bilingual;
pub mod card;
pub mod command;
pub mod document;
pub mod exchange;
pub mod fault;
pub mod file;
pub mod hex;
pub mod holder;
pub mod image;
pub mod issue;
pub mod key;
pub mod latency;
pub mod pin;
pub mod pki;
pub mod profile;
pub mod secure_messaging;
pub mod smart_card;
pub mod store;
pub mod tlv;
pub mod trace;
pub mod undocumented;

pub mod vpcd;

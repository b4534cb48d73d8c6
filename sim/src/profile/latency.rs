//! How long a card takes to answer, by command.

use serde::Deserialize;
use std::time::Duration;

/// Longest time, in milliseconds: readers give up far earlier.
const LONGEST: u32 = 120_000;

/// Times in milliseconds. A command without a time of its own takes that of `any`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    any: Milliseconds,
    select: Option<Milliseconds>,
    read: Option<Milliseconds>,
    verify: Option<Milliseconds>,
    change_pin: Option<Milliseconds>,
    sign: Option<Milliseconds>,
    authenticate: Option<Milliseconds>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
struct Milliseconds(u32);

impl TryFrom<u32> for Milliseconds {
    type Error = String;

    fn try_from(time: u32) -> Result<Self, String> {
        (time <= LONGEST).then_some(Self(time)).ok_or_else(|| format!("at most {LONGEST} ms, not {time}"))
    }
}

impl Latency {
    /// How long the card takes for `command`, told by its instruction byte.
    #[must_use]
    pub fn of(&self, command: &[u8]) -> Duration {
        let own = match command.get(1) {
            Some(0xA4) => self.select,
            Some(0xB0 | 0xB2) => self.read,
            Some(0x20) => self.verify,
            Some(0x24 | 0x32) => self.change_pin,
            Some(0x2A) => self.sign,
            Some(0x88) => self.authenticate,
            _ => None,
        };
        Duration::from_millis(u64::from(own.unwrap_or(self.any).0))
    }
}

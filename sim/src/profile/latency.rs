//! How long a card takes to answer, by command.

use crate::document::{self, DocumentError};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use std::path::Path;
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

static TIMINGS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/timing");

impl Latency {
    /// The names of the built-in timings, in alphabetical order.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        let mut names: Vec<_> =
            TIMINGS.files().filter_map(|file| file.path().file_stem()?.to_str()).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// A built-in timing: `instant`, or `realistic` for a card held over a contactless reader.
    ///
    /// # Panics
    /// If one that ships with this crate were broken; a test proves that none is.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let text = TIMINGS.get_file(format!("{name}.yaml"))?.contents_utf8()?;
        let parsed = document::parse(&format!("vectors/timing/{name}.yaml"), text);
        Some(parsed.unwrap_or_else(|error| panic!("{error}")))
    }

    /// Reads the timing at `path`: the `latency` of a profile, as a file of its own.
    ///
    /// # Errors
    /// [`DocumentError`] when it cannot be read or has a mistake.
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        document::parse(&path.display().to_string(), &document::read(path)?)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_timing_is_sound_and_a_realistic_card_takes_its_time_to_sign() {
        assert_eq!(Latency::built_in_names().collect::<Vec<_>>(), ["instant", "realistic"]);
        assert_eq!(Latency::built_in("instant"), Some(Latency::default()));
        let realistic = Latency::built_in("realistic").unwrap();
        assert!(realistic.of(&[0x80, 0x2A]) > 10 * realistic.of(&[0x00, 0xB0]));
        assert_eq!(Latency::built_in("slow"), None);
    }
}

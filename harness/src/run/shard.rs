//! A suite cut into parts for machines that share it. Which part a scenario belongs to follows from
//! its id alone, so scenarios that come or go elsewhere move nothing.

use super::event::ShardOf;
use crate::scenario::Scenario;
use sha2::{Digest, Sha256};
use std::fmt::{self, Write as _};
use std::num::NonZeroU32;
use std::str::FromStr;

/// `I/N`: the part I, from 1, of N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: NonZeroU32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("a shard is I/N, for example 1/4: the first of four; not `{text}`");
        let (index, of) = text.split_once('/').ok_or_else(form)?;
        let index: u32 = index.parse().map_err(|_| form())?;
        let of: NonZeroU32 = of.parse().map_err(|_| form())?;
        if index == 0 || index > of.get() {
            return Err(format!("shards are counted from 1: 1/{of} to {of}/{of}, not `{text}`"));
        }
        Ok(Self { index, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl Shard {
    /// Whether the scenario `id` belongs to this part.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        let digest = Sha256::digest(id.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of.get()) == u64::from(self.index - 1)
    }

    /// This part of `suite`, as reports tell it.
    #[must_use]
    pub fn of(self, suite: &[&Scenario]) -> ShardOf {
        let mut ids: Vec<&str> = suite.iter().map(|scenario| scenario.id.as_str()).collect();
        ids.sort_unstable();
        let digest = Sha256::digest(ids.join("\n").as_bytes());
        let suite = digest.iter().take(8).fold(String::new(), |mut hex, byte| {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        ShardOf { index: self.index, of: self.of.get(), scenarios: ids.len(), suite }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::scenario;

    #[test]
    fn every_scenario_is_in_one_shard_whatever_others_there_are() {
        let scenarios = scenario::built_in(&Requirements::built_in());
        let shards: Vec<Shard> = (1..=4).map(|index| format!("{index}/4").parse().unwrap()).collect();
        for scenario in &scenarios {
            assert_eq!(shards.iter().filter(|shard| shard.has(&scenario.id)).count(), 1, "{}", scenario.id);
        }
        for shard in &shards {
            let share = scenarios.iter().filter(|scenario| shard.has(&scenario.id)).count();
            assert!(share * 8 > scenarios.len(), "{shard} has only {share} of {}", scenarios.len());
        }
    }

    #[test]
    fn where_a_scenario_belongs_does_not_change_between_versions() {
        let home = |id: &str| (1..=4).find(|index| format!("{index}/4").parse::<Shard>().unwrap().has(id));
        assert_eq!(home("jpki.auth-pin.lockout"), Some(1));
        assert_eq!(home("jpki.pin.form[3]"), Some(3));
    }

    #[test]
    fn a_shard_that_cannot_be_is_told() {
        for text in ["", "1", "0/4", "5/4", "1/0", "a/b", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}

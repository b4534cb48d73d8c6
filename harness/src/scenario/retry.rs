//! Repeating a step that may need more than one attempt, such as waiting for a card that is busy.

use super::expect::Expect;
use super::source::Placed;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// Most attempts.
const MOST: u32 = 100;

/// Longest pause between two attempts, in milliseconds.
const LONGEST: u64 = 10_000;

/// `retry: {times: 5, until: {sw: "9000"}, wait_ms: 100}`, beside a verb that touches no PIN.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// how many times the step is played at most, 2 to 100
    #[serde(deserialize_with = "times")]
    pub times: u32,
    /// the answer that ends it; what the step expects unless this says otherwise. The step's own
    /// expectation is held against the last answer.
    pub until: Option<Placed<Expect>>,
    /// pause before the next attempt on cards that need time, up to 10,000; the built-in card does
    /// not
    #[serde(default, rename = "wait_ms", deserialize_with = "milliseconds")]
    #[schemars(schema_with = "super::schema::milliseconds")]
    pub wait: Duration,
}

fn times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        times @ 2..=MOST => Ok(times),
        times => Err(de::Error::custom(format!("a step is played 2 to {MOST} times, not {times}"))),
    }
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match u64::deserialize(deserializer)? {
        wait @ 0..=LONGEST => Ok(Duration::from_millis(wait)),
        wait => Err(de::Error::custom(format!("a pause has 0 to {LONGEST} ms, not {wait}"))),
    }
}

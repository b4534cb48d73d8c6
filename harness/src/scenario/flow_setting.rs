//! Where a flow is played: on which platform, at which time, before which portal.

use super::flow_step::span;
use crate::terminal::Platform;
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// The platforms, for editors.
pub(super) fn platform(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["ios", "android", "pc"]})
}

/// `portal: {trusts: others}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PortalSetting {
    /// whose certificates it accepts
    pub trusts: Trusts,
}

/// Whose certificates the portal accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trusts {
    /// those of the three generations of the TEST authority, the newest first
    #[default]
    NewestFirst,
    /// the same, the oldest first
    OldestFirst,
    /// those of the newest generation only
    Newest,
    /// those of authorities that issued none of the cards
    Others,
    /// also those of the authority for signature certificates
    SignatureAuthority,
}

/// `clock: {after_expiry: 30d}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockSetting {
    /// how long after the last moment of the holder's certificate; negative before it
    #[schemars(with = "String")]
    pub after_expiry: Span,
}

/// A time, which may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub SignedDuration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        span(&String::deserialize(deserializer)?).map(Self)
    }
}

/// Where and when a flow is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowSetting {
    /// with what in hand
    pub platform: Platform,
    /// how long after the last moment of the holder's certificate it begins; negative before it.
    /// `None` is whenever it is
    pub after_expiry: Option<SignedDuration>,
    /// whose certificates the portal accepts
    pub trusts: Trusts,
}

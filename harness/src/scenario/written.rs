//! A scenario as it stands in its file.

use super::Step;
use super::flow_setting::{ClockSetting, PortalSetting};
use super::source::Placed;
use crate::language::Bilingual;
use crate::terminal::Platform;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use vmyna_sim::pin::PinName;

/// A scenario as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A scenario of vmyna", rename = "Scenario")]
pub(super) struct Written {
    /// dotted, lower case, unique; the name in every report
    pub id: Placed<String>,
    /// rows of values for `{parameter: NAME}`, each a scenario of its own
    #[serde(rename = "parameters", default)]
    #[schemars(schema_with = "super::schema::rows")]
    _parameters: Option<IgnoredAny>,
    /// one sentence: what is true of a right card
    #[schemars(with = "crate::language::BilingualSchema")]
    pub title: Bilingual,
    /// the requirements that this scenario proves
    pub covers: Placed<Vec<Placed<String>>>,
    /// words to select it by
    #[serde(default)]
    pub tags: Vec<Placed<String>>,
    /// whose card and whose PINs
    pub holder: Option<Placed<String>>,
    /// the built-in profile of the cards that it is about, where that is not any card's
    #[serde(default)]
    #[schemars(schema_with = "super::schema::profile")]
    pub profile: Option<Placed<String>>,
    /// tries left of PINs whose counter is not full when the scenario begins
    #[serde(default)]
    #[schemars(schema_with = "super::schema::given")]
    pub given: BTreeMap<PinName, Placed<u8>>,
    /// of a flow: what the holder has in hand
    #[serde(default)]
    #[schemars(schema_with = "super::flow_setting::platform")]
    pub platform: Option<Placed<Platform>>,
    /// of a flow: when it begins
    pub clock: Option<Placed<ClockSetting>>,
    /// of a flow: the portal before which it is played
    pub portal: Option<Placed<PortalSetting>>,
    /// what brings the card to where the scenario begins
    #[serde(default)]
    pub setup: Vec<Placed<Step>>,
    /// what happens, in order
    pub steps: Placed<Vec<Placed<Step>>>,
    /// what is done in any case at the end
    #[serde(default)]
    pub cleanup: Vec<Placed<Step>>,
}

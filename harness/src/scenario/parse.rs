//! From the text of a scenario file to checked scenarios, one for each row of its table.

use super::check;
use super::flow_setting::{ClockSetting, FlowSetting, PortalSetting};
use super::parameters::{Table, stray_reference};
use super::source::{Mistake, Node, Placed, SourceFile, read};
use super::{PlacedStep, Scenario, Step};
use crate::language::Bilingual;
use crate::requirement::Requirements;
use crate::terminal::Platform;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use vmyna_sim::document::DocumentError;
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

/// Whose card a scenario is about that names nobody.
pub const DEFAULT_HOLDER: &str = "hanako";

/// Reads `text`, the contents of `file`, and checks it: one scenario, or one for each row of its
/// table of parameters. Nothing that is written there takes longer to refuse than to read.
///
/// # Errors
/// The first thing that is wrong, with its place in `file`.
pub fn parse(file: &str, text: &str, requirements: &Requirements) -> Result<Vec<Scenario>, DocumentError> {
    let source = SourceFile::new(file, text);
    let mut tree = source.tree()?;
    let table = Table::take(&mut tree).map_err(|mistake| source.mistake(mistake))?;
    let scenarios = match &table {
        None => match stray_reference(&tree) {
            Some(mistake) => Err(mistake),
            None => scenario(&source, None, &tree, requirements).map(|scenario| vec![scenario]),
        },
        Some(table) => table.expand(&tree).and_then(|rows| {
            rows.iter().map(|(row, tree)| scenario(&source, Some(&row.name), tree, requirements)).collect()
        }),
    };
    scenarios.map_err(|mistake| source.mistake(mistake))
}

fn scenario(
    source: &SourceFile,
    row: Option<&str>,
    tree: &Node,
    requirements: &Requirements,
) -> Result<Scenario, Mistake> {
    let written: Written = read(tree)?;
    check::check(&written, requirements)?;
    let position = source.position(written.id.mark);
    let holder_position =
        written.holder.as_ref().map_or_else(|| position.clone(), |holder| source.position(holder.mark));
    let placed = |steps: Vec<Placed<Step>>| {
        steps
            .into_iter()
            .map(|step| PlacedStep { position: source.position(step.mark), step: step.value })
            .collect()
    };
    Ok(Scenario {
        id: match row {
            Some(row) => format!("{}[{row}]", written.id.value),
            None => written.id.value,
        },
        row: row.map(str::to_owned),
        title: written.title,
        covers: written.covers.value.into_iter().map(|covered| covered.value).collect(),
        tags: written.tags.into_iter().map(|tag| tag.value).collect(),
        holder: written.holder.map_or_else(|| DEFAULT_HOLDER.to_owned(), |holder| holder.value),
        holder_position,
        profile: written.profile.map(|profile| profile.value),
        given: written.given.into_iter().map(|(pin, tries)| (pin, tries.value)).collect(),
        flow: written.platform.map(|platform| FlowSetting {
            platform: platform.value,
            after_expiry: written.clock.map(|clock| clock.value.after_expiry.0),
            trusts: written.portal.map_or_else(Default::default, |portal| portal.value.trusts),
        }),
        setup: placed(written.setup),
        steps: placed(written.steps.value),
        cleanup: placed(written.cleanup),
        position,
        source: source.clone(),
    })
}

#[cfg(test)]
mod tests;

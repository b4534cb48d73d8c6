//! From the text of a scenario file to checked scenarios, one for each row of its table.

use super::check;
use super::flow_setting::FlowSetting;
use super::parameters::{Table, stray_reference};
use super::source::{Mistake, Node, Placed, SourceFile, read};
use super::written::Written;
use super::{PlacedStep, Scenario, Step};
use crate::requirement::Requirements;
use vmyna_sim::document::DocumentError;

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

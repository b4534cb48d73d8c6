//! From the text of a scenario file to checked scenarios, one for each row of its table.

use super::check;
use super::flow_setting::{ClockSetting, FlowSetting, PortalSetting};
use super::parameters::{Table, stray_reference};
use super::source::{Mistake, Node, Placed, SourceFile, read};
use super::{PlacedStep, Scenario, Step};
use crate::language::Bilingual;
use crate::portal::phone::Platform;
use crate::requirement::Requirements;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use vmyna_sim::document::DocumentError;
use vmyna_sim::pin::PinName;

/// A scenario as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub id: Placed<String>,
    /// taken out of the tree before it is read; here it is named among the keys that there are
    #[serde(rename = "parameters")]
    _parameters: Option<IgnoredAny>,
    pub title: Bilingual,
    pub covers: Placed<Vec<Placed<String>>>,
    #[serde(default)]
    pub tags: Vec<Placed<String>>,
    pub holder: Option<Placed<String>>,
    #[serde(default)]
    pub given: BTreeMap<PinName, Placed<u8>>,
    pub platform: Option<Placed<Platform>>,
    pub clock: Option<Placed<ClockSetting>>,
    pub portal: Option<Placed<PortalSetting>>,
    #[serde(default)]
    pub setup: Vec<Placed<Step>>,
    pub steps: Placed<Vec<Placed<Step>>>,
    #[serde(default)]
    pub cleanup: Vec<Placed<Step>>,
}

const DEFAULT_HOLDER: &str = "hanako";

/// Reads `text`, the contents of `file`, and checks it: one scenario, or one for each row of its
/// table of parameters.
pub(super) fn parse(
    file: &str,
    text: &str,
    requirements: &Requirements,
) -> Result<Vec<Scenario>, DocumentError> {
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
mod tests {
    use super::*;

    const HEAD: &str = "id: a.b\ntitle: {ja: あ, en: a}\ncovers: [PIN-01]\n";

    fn scenarios(rest: &str) -> Result<Vec<Scenario>, String> {
        let text = format!("{HEAD}{rest}");
        parse("a.yaml", &text, &Requirements::built_in()).map_err(|error| error.to_string())
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        for (rest, message) in [
            ("steps: []\n", "a.yaml:4:8: a scenario has at least one step"),
            ("steps:\n  - selec: jpki\n", "a.yaml:5:5: unknown field `selec`"),
            ("steps:\n  - select: jpkl\n", "a.yaml:5:13: `jpkl` is no application"),
            ("steps:\n  - select: jpki\n    power: off\n", "a.yaml:6:5: `power` is a second verb"),
            ("steps:\n  - transmit: {apdu: \"00 A\"}\n", "a.yaml:5:22: 3 hexadecimal digits"),
            ("steps:\n  - transmit: {apdu: \"00 A4\"}\n", "a.yaml:5:5: a command has at least"),
            ("steps:\n  - power: off\n    covers: [PIN-02]\n", "a.yaml:5:5: the step covers PIN-02"),
            (
                "steps:\n  - sign: {key: user_authentication, data: {hex: \"00\"}}\n",
                "a.yaml:5:5: the signature cannot be verified before",
            ),
            ("given: {user_authentication: 3}\nsteps:\n  - power: off\n", "a.yaml:4:30: "),
            (
                "steps:\n  - select: jpki\n    capture: x\n",
                "a.yaml:6:14: the captured value x is used nowhere",
            ),
            (
                "steps:\n  - transmit: {apdu: \"00 A4 02 0C <x>\"}\n",
                "a.yaml:5:5: nothing has been captured as x",
            ),
            (
                "steps:\n  - verify: {pin: user_authentication, value: right}\n    retry: {times: 2}\n",
                "a.yaml:5:5: a step that presents or changes a PIN is never repeated",
            ),
            (
                "parameters: [{row: a, x: 1}]\nsteps:\n  - power: off\n",
                "a.yaml:4:26: the parameter `x` is used nowhere",
            ),
            ("steps:\n  - read_binary: {le: {parameter: x}}\n", "a.yaml:5:35: there are no `parameters`"),
        ] {
            let problem = scenarios(rest).map(|_| ()).unwrap_err();
            assert!(problem.starts_with(message), "{rest}: {problem}");
        }
    }

    #[test]
    fn every_row_is_a_scenario_of_its_own_and_its_values_keep_their_place() {
        let rest = "parameters:\n  - {row: short, le: 4, data: \"00 ...\"}\n  - {row: long, le: 0x100, data: \"01\"}\n\
                    steps:\n  - read_binary: {le: {parameter: le}, expect: {data: {parameter: data}}}\n";
        let rows = scenarios(rest).unwrap();
        let ids: Vec<_> =
            rows.iter().map(|scenario| (scenario.id.as_str(), scenario.row.as_deref())).collect();
        assert_eq!(ids, [("a.b[short]", Some("short")), ("a.b[long]", Some("long"))]);
        let les: Vec<_> = rows
            .iter()
            .map(|scenario| match &scenario.steps[0].step.verb {
                super::super::Verb::ReadBinary(read) => read.le,
                other => panic!("{other}"),
            })
            .collect();
        assert_eq!(les, [4, 256]);
        let wrong = rest.replace("le: 4", "le: four");
        let told = scenarios(&wrong).map(|_| ()).unwrap_err();
        assert!(told.starts_with("a.yaml:5:22: the text \"four\" stands here; expected a number"), "{told}");
    }
}

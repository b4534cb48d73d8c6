//! The scenarios that are part of the program.

use super::{Scenario, parse};
use crate::requirement::Requirements;
use include_dir::{Dir, include_dir};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/scenarios");

/// Every built-in scenario, in the order of their files.
///
/// # Panics
/// If a scenario that ships with the program were broken; a test proves that none is.
#[must_use]
pub fn built_in(requirements: &Requirements) -> Vec<Scenario> {
    let mut files = Vec::new();
    collect(&SCENARIOS, &mut files);
    files.sort();
    files
        .into_iter()
        .flat_map(|(path, text)| {
            parse(&format!("vectors/scenarios/{path}"), text, requirements)
                .unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

fn collect(dir: &'static Dir<'_>, files: &mut Vec<(String, &'static str)>) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((file.path().display().to_string(), text));
        }
    }
    for dir in dir.dirs() {
        collect(dir, files);
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::VERBS;
    use super::*;
    use crate::requirement::Level;
    use std::collections::HashSet;

    #[test]
    fn every_built_in_scenario_loads_and_has_an_id_of_its_own() {
        let scenarios = built_in(&Requirements::built_in());
        let ids: HashSet<_> = scenarios.iter().map(|scenario| &scenario.id).collect();
        assert_eq!(ids.len(), scenarios.len());
        assert!(scenarios.len() >= 50, "only {} scenarios", scenarios.len());
    }

    #[test]
    fn every_verb_is_used() {
        let scenarios = built_in(&Requirements::built_in());
        let used: HashSet<_> =
            scenarios.iter().flat_map(Scenario::all_steps).map(|placed| placed.step.verb.name()).collect();
        let unused: Vec<_> = VERBS.iter().filter(|verb| !used.contains(*verb)).collect();
        assert!(unused.is_empty(), "no scenario shows how {unused:?} is used");
    }

    fn covered() -> HashSet<String> {
        built_in(&Requirements::built_in()).into_iter().flat_map(|scenario| scenario.covers).collect()
    }

    #[test]
    fn every_requirement_has_a_scenario() {
        let covered = covered();
        let requirements = Requirements::built_in();
        let missing: Vec<_> = requirements
            .iter()
            .filter(|requirement| requirement.level != Level::Observe || requirement.situation.is_some())
            .filter(|requirement| !covered.contains(&requirement.id))
            .map(|requirement| &requirement.id)
            .collect();
        assert!(missing.is_empty(), "no scenario covers {missing:?}");
    }
}

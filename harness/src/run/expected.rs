//! Expected failures: what is known to be wrong with one card, each with its reason. It is no
//! licence to differ: an entry whose failure does not come is a failure itself, so that the file
//! never says more than is true.

use super::event::Better;
use super::verdict::{Expected, Finding, Outcome, Verdict};
use crate::requirement::Requirements;
use crate::scenario::Remark;
use crate::scenario::Scenario;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use vmyna_sim::document::{self, DocumentError, Position, Spanned};

/// The expected failures of one card.
#[derive(Debug, Clone, Default)]
pub struct ExpectedFailures {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    of: Of,
    expected: Expected,
    /// scenarios that it may be about, among those that were loaded
    about: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Of {
    Scenario(String),
    /// all rows of a scenario with a table
    Table(String),
    Requirement(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[expect(dead_code, reason = "it is there for readers of the file")]
    card: String,
    failures: Vec<Spanned<SourceEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceEntry {
    scenario: Option<Spanned<String>>,
    requirement: Option<Spanned<String>>,
    reason: Spanned<Remark>,
}

impl ExpectedFailures {
    /// Reads the file at `path`. `loaded` are all scenarios that could have been selected;
    /// `built_in` are those that ship with the program, of which an entry may also speak.
    ///
    /// # Errors
    /// [`DocumentError`] when it cannot be read or has a mistake, such as an id that does not exist.
    pub fn load(
        path: &Path,
        loaded: &[Scenario],
        built_in: &[Scenario],
        requirements: &Requirements,
    ) -> Result<Self, DocumentError> {
        let file = path.display().to_string();
        Self::parse(&file, &document::read(path)?, loaded, built_in, requirements)
    }

    /// Reads `text`, the contents of `file`; otherwise as [`ExpectedFailures::load`].
    ///
    /// # Errors
    /// [`DocumentError`] with the position of the first mistake.
    pub fn parse(
        file: &str,
        text: &str,
        loaded: &[Scenario],
        built_in: &[Scenario],
        requirements: &Requirements,
    ) -> Result<Self, DocumentError> {
        let source: Source = document::parse(file, text)?;
        let invalid = |position, problem| DocumentError::invalid(text, position, problem);
        let ids: BTreeSet<&str> =
            loaded.iter().chain(built_in).map(|scenario| scenario.id.as_str()).collect();
        let mut entries: Vec<Entry> = Vec::new();
        for entry in source.failures {
            let position = Position::of(file, &entry);
            let entry = entry.value;
            let Remark(reason) = &entry.reason.value;
            if reason.ja.trim().is_empty() || reason.en.trim().is_empty() {
                let at = Position::of(file, &entry.reason);
                return Err(invalid(at, "an expected failure has a reason".to_owned()));
            }
            let (of, at) = match (entry.scenario, entry.requirement) {
                (Some(id), None) => {
                    let at = Position::of(file, &id);
                    let has_rows = ids.iter().any(|known| base(known) == Some(&*id.value));
                    match ids.contains(&*id.value) {
                        true => (Of::Scenario(id.value), at),
                        false if has_rows => (Of::Table(id.value), at),
                        false => return Err(invalid(at, no_scenario(&id.value, &ids))),
                    }
                }
                (None, Some(id)) => {
                    let at = Position::of(file, &id);
                    if requirements.get(&id.value).is_none() {
                        return Err(invalid(at, format!("there is no requirement {}", id.value)));
                    }
                    (Of::Requirement(id.value), at)
                }
                _ => {
                    let problem = "an expected failure is of one `scenario` or of one `requirement`";
                    return Err(invalid(position, problem.to_owned()));
                }
            };
            if let Some(first) = entries.iter().find(|other| other.of == of) {
                let problem = format!("{} is expected already, at {}", of.id(), first.expected.position);
                return Err(invalid(at, problem));
            }
            let about = loaded.iter().filter(|scenario| of.is_about(scenario)).count();
            let expected = Expected { position: at, reason: entry.reason.value.0 };
            entries.push(Entry { of, expected, about });
        }
        Ok(Self { entries })
    }
}

impl ExpectedFailures {
    /// Whether `verdict` counts as failed in the light of what is expected.
    pub(super) fn fails(&self, scenario: &Scenario, verdict: &Verdict) -> bool {
        match verdict {
            Verdict::Failed { finding, .. } => {
                !self.entries.iter().any(|entry| entry.of.explains(scenario, finding))
            }
            Verdict::Passed { .. } => {
                self.entries.iter().any(|entry| entry.of == Of::Scenario(scenario.id.clone()))
            }
            other => other.outcome() == Outcome::CouldNotRun,
        }
    }
}

impl Of {
    /// Whether a failure of `scenario` with `finding` is the one that is expected.
    fn explains(&self, scenario: &Scenario, finding: &Finding) -> bool {
        match self {
            Self::Requirement(id) => finding.requirements.contains(id),
            of => of.is_about(scenario),
        }
    }

    fn id(&self) -> &str {
        let (Self::Scenario(id) | Self::Table(id) | Self::Requirement(id)) = self;
        id
    }

    fn is_about(&self, scenario: &Scenario) -> bool {
        match self {
            Self::Scenario(id) => *id == scenario.id,
            Self::Table(id) => base(&scenario.id) == Some(id),
            Self::Requirement(id) => scenario.covers.contains(id),
        }
    }
}

/// The scenario that a row of its table belongs to.
fn base(id: &str) -> Option<&str> {
    id.split_once('[').map(|(base, _)| base)
}

fn no_scenario(id: &str, ids: &BTreeSet<&str>) -> String {
    let near = |known: &&&str| known.rsplit_once('.').map(|it| it.0) == id.rsplit_once('.').map(|it| it.0);
    let near: Vec<&str> = ids.iter().filter(near).copied().collect();
    if near.is_empty() {
        format!("there is no scenario {id}; `vmyna run --list` shows those that there are")
    } else {
        format!("there is no scenario {id}; there are {}", near.join(", "))
    }
}

/// What has become of the expectations so far.
pub(super) struct Ledger<'a> {
    entries: &'a [Entry],
    /// by entry: times that the failure came
    came: Vec<usize>,
    /// by entry: scenarios it is about that were judged
    judged: Vec<usize>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(expected: &'a ExpectedFailures) -> Self {
        let none = vec![0; expected.entries.len()];
        Self { entries: &expected.entries, came: none.clone(), judged: none }
    }

    /// Turns a verdict into what it is in the light of what was expected.
    pub(super) fn enter(&mut self, scenario: &Scenario, verdict: Verdict) -> Verdict {
        if matches!(verdict.outcome(), Outcome::Passed | Outcome::Observed | Outcome::Failed) {
            for (entry, judged) in self.entries.iter().zip(&mut self.judged) {
                *judged += usize::from(entry.of.is_about(scenario));
            }
        }
        match verdict {
            Verdict::Failed { finding, observations } => {
                let mut expected = None;
                for (entry, came) in self.entries.iter().zip(&mut self.came) {
                    if entry.of.explains(scenario, &finding) {
                        *came += 1;
                        expected = expected.or(Some(&entry.expected));
                    }
                }
                match expected {
                    Some(expected) => {
                        Verdict::ExpectedFailure { expected: expected.clone(), finding, observations }
                    }
                    None => Verdict::Failed { finding, observations },
                }
            }
            Verdict::Passed { observations } => {
                let is_it = |entry: &&Entry| matches!(&entry.of, Of::Scenario(id) if *id == scenario.id);
                match self.entries.iter().find(is_it) {
                    Some(entry) => {
                        Verdict::UnexpectedlyBetter { expected: entry.expected.clone(), observations }
                    }
                    None => Verdict::Passed { observations },
                }
            }
            other => other,
        }
    }

    /// Entries about more than one scenario whose failure came in none of them, although all of
    /// them were judged; a part of a suite proves nothing of the kind.
    pub(super) fn better(&self) -> Vec<Better> {
        self.entries
            .iter()
            .zip(self.came.iter().zip(&self.judged))
            .filter(|(entry, (came, judged))| {
                !matches!(entry.of, Of::Scenario(_))
                    && **came == 0
                    && entry.about > 0
                    && **judged == entry.about
            })
            .map(|(entry, _)| Better {
                id: entry.of.id().to_owned(),
                position: entry.expected.position.clone(),
                reason: entry.expected.reason.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Bilingual;
    use crate::run::{Difference, Expectation, Stage};
    use crate::scenario;

    fn scenarios() -> Vec<Scenario> {
        scenario::built_in(&Requirements::built_in())
    }

    fn parse(failures: &str) -> Result<ExpectedFailures, String> {
        let text = format!("card: a card\nfailures:\n{failures}");
        let scenarios = scenarios();
        ExpectedFailures::parse("peer.yaml", &text, &scenarios, &scenarios, &Requirements::built_in())
            .map_err(|error| error.to_string())
    }

    fn failed(scenario: &Scenario, requirement: &str) -> Verdict {
        let finding = Finding {
            position: scenario.position.clone(),
            snippet: String::new(),
            stage: Stage::Steps,
            step: "select jpki".to_owned(),
            words: Bilingual::alike("select jpki"),
            requirements: vec![requirement.to_owned()],
            why: None,
            difference: Difference {
                expected: Bilingual::alike("9000"),
                came: Bilingual::alike("6A82"),
                exchange: None,
                kind: Expectation::Requirement,
            },
        };
        Verdict::Failed { finding: Box::new(finding), observations: Vec::new() }
    }

    fn passed() -> Verdict {
        Verdict::Passed { observations: Vec::new() }
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        for (failures, expected) in [
            (
                "- {scenario: jpki.pin.nothing, reason: a}\n",
                "peer.yaml:3:14: there is no scenario jpki.pin.nothing",
            ),
            ("- {requirement: PIN-99, reason: a}\n", "peer.yaml:3:17: there is no requirement PIN-99"),
            ("- {requirement: PIN-03, reason: \"\"}\n", "peer.yaml:3:33: an expected failure has a reason"),
            ("- {reason: a}\n", "peer.yaml:3:3: an expected failure is of one `scenario`"),
            ("- {requirement: PIN-03}\n", "peer.yaml:3:4: missing field `reason`"),
            (
                "- {requirement: PIN-03, reason: a}\n- {requirement: PIN-03, reason: b}\n",
                "peer.yaml:4:17: PIN-03 is expected already, at peer.yaml:3:17",
            ),
        ] {
            let told = parse(failures).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn a_failure_that_was_expected_is_one_and_a_pass_instead_is_unexpectedly_better() {
        let scenarios = scenarios();
        let one = &scenarios[0];
        let expected = parse(&format!("- {{scenario: {}, reason: a known fault}}\n", one.id)).unwrap();
        let mut ledger = Ledger::new(&expected);
        assert_eq!(ledger.enter(one, failed(one, "PIN-03")).outcome(), Outcome::ExpectedFailure);
        assert_eq!(ledger.enter(one, passed()).outcome(), Outcome::UnexpectedlyBetter);
        assert_eq!(ledger.enter(&scenarios[1], failed(one, "PIN-03")).outcome(), Outcome::Failed);
        let lost = Verdict::LinkLost { position: None, reason: Bilingual::alike("gone") };
        assert_eq!(ledger.enter(one, lost).outcome(), Outcome::CouldNotRun, "a lost link is never expected");
        assert_eq!(ledger.better(), []);
    }

    #[test]
    fn a_requirement_is_better_only_when_every_scenario_that_covers_it_was_judged() {
        let scenarios = scenarios();
        let expected = parse("- {requirement: PIN-03, reason: a known fault}\n").unwrap();
        let covering: Vec<_> =
            scenarios.iter().filter(|scenario| scenario.covers.contains(&"PIN-03".to_owned())).collect();
        let mut ledger = Ledger::new(&expected);
        for scenario in &covering[1..] {
            assert_eq!(ledger.enter(scenario, passed()).outcome(), Outcome::Passed);
        }
        assert_eq!(ledger.better(), [], "one has not been judged");
        ledger.enter(covering[0], passed());
        assert_eq!(ledger.better()[0].id, "PIN-03");
        assert_eq!(
            ledger.enter(covering[0], failed(covering[0], "PIN-03")).outcome(),
            Outcome::ExpectedFailure
        );
        assert_eq!(ledger.better(), []);
    }
}

//! The requirements: what a right card does, how binding each rule is, and where it comes from.

use crate::language::Bilingual;
use serde::Deserialize;
use std::collections::BTreeMap;
use vmyna_sim::document::{self, DocumentError, Spanned};

/// The files that ship with the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("vectors/requirements/jpki.yaml", include_str!("../vectors/requirements/jpki.yaml")),
    (
        "vectors/requirements/secure-messaging.yaml",
        include_str!("../vectors/requirements/secure-messaging.yaml"),
    ),
    ("vectors/requirements/undocumented.yaml", vmyna_sim::undocumented::TABLE),
];

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// for example `PIN-05`
    pub id: String,
    /// what is true of a right card
    pub text: Bilingual,
    /// how binding it is
    pub level: Level,
    /// how it came to be known
    pub provenance: Provenance,
    /// where it is written or was measured
    pub source: String,
    /// for what nobody outside knows: the situation
    pub situation: Option<String>,
    /// our card's answer in that situation
    pub answer: Option<String>,
    /// answers of another card that would not surprise
    #[serde(default)]
    pub accepted: Vec<String>,
}

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// recorded, never judged
    Observe,
    /// recorded; a card that differs is unusual
    Should,
    /// a card that does otherwise is wrong
    Must,
}

/// How a requirement came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// on real cards, by somebody named in the source
    Measured,
    /// in a specification or a vendor's document
    Documented,
    /// from how working clients behave
    Inferred,
    /// nobody outside knows
    Unknown,
}

/// All requirements, by id.
#[derive(Debug, Clone)]
pub struct Requirements(BTreeMap<String, Requirement>);

impl Requirements {
    /// Those that ship with the program.
    ///
    /// # Panics
    /// If a file that ships with the program were broken; a test proves that none is.
    #[must_use]
    pub fn built_in() -> Self {
        let mut all = BTreeMap::new();
        for (file, text) in BUILT_IN {
            for requirement in parse(file, text).unwrap_or_else(|error| panic!("{error}")) {
                all.insert(requirement.id.clone(), requirement);
            }
        }
        Self(all)
    }

    /// The requirement of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.0.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.0.values()
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<Requirement>, DocumentError> {
    let list: Vec<Spanned<Requirement>> = document::parse(file, text)?;
    Ok(list.into_iter().map(|requirement| requirement.value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_used_once() {
        let count: usize = BUILT_IN.iter().map(|(file, text)| parse(file, text).unwrap().len()).sum();
        assert_eq!(Requirements::built_in().iter().count(), count);
    }

    #[test]
    fn what_nobody_knows_is_only_observed_and_says_what_we_answer() {
        for requirement in
            Requirements::built_in().iter().filter(|requirement| requirement.situation.is_some())
        {
            assert_eq!(requirement.level, Level::Observe, "{}", requirement.id);
            let answer = requirement.answer.as_ref().unwrap();
            assert!(
                requirement.accepted.contains(answer),
                "{} does not accept our own answer",
                requirement.id
            );
        }
    }
}

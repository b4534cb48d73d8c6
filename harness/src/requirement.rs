//! The requirements: what a right card and a right relying party do, how binding each rule is, and
//! where it comes from. Where sources contradict each other, an entry says so with its sides.

use crate::language::Bilingual;
use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use vmyna_sim::document::{self, DocumentError, Spanned};

/// The files that ship with the program.
static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/vectors/requirements");

/// One rule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// for example `PIN-05`
    pub id: String,
    /// what is true of a right card or relying party; of a contradiction, what is in question
    pub text: Bilingual,
    /// how binding it is
    pub level: Level,
    /// how it came to be known
    pub provenance: Provenance,
    /// where it is written or was measured
    pub source: String,
    /// who proves or breaks it
    #[serde(default)]
    pub seat: Seat,
    /// where sources disagree: the sides, and the one that the built-in card takes
    pub contradiction: Option<Contradiction>,
    /// for what nobody outside knows: the situation
    pub situation: Option<String>,
    /// our card's answer in that situation
    pub answer: Option<String>,
    /// answers of another card that would not surprise
    #[serde(default)]
    pub accepted: Vec<String>,
}

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Who proves or breaks a requirement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seat {
    /// the card
    #[default]
    Card,
    /// the relying party, or the flow around the card
    Portal,
}

/// Sources that disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// the requirements that state the side taken
    pub about: Vec<String>,
    /// who says what; at least two
    pub sides: Vec<Side>,
    /// the number of the side that the built-in card takes, from 1
    pub taken: usize,
    /// why that one
    #[schemars(with = "crate::language::BilingualSchema")]
    pub because: Bilingual,
}

/// One side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// what is said
    #[schemars(with = "crate::language::BilingualSchema")]
    pub says: Bilingual,
    /// by whom
    pub by: String,
}

impl Contradiction {
    /// The side that the built-in card takes; `None` where the number names none.
    #[must_use]
    pub fn side_taken(&self) -> Option<&Side> {
        self.taken.checked_sub(1).and_then(|index| self.sides.get(index))
    }
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
        static BUILT_IN: LazyLock<Requirements> = LazyLock::new(|| {
            Requirements(built_in().map(|requirement| (requirement.id.clone(), requirement)).collect())
        });
        BUILT_IN.clone()
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

fn built_in() -> impl Iterator<Item = Requirement> {
    FILES.files().flat_map(|file| {
        let name = format!("vectors/requirements/{}", file.path().display());
        let text = file.contents_utf8().unwrap_or_default();
        parse(&name, text).unwrap_or_else(|error| panic!("{error}"))
    })
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
        assert_eq!(Requirements::built_in().iter().count(), built_in().count());
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

    #[test]
    fn a_contradiction_has_sides_and_takes_one_that_requirements_state() {
        let requirements = Requirements::built_in();
        let mut count = 0;
        for requirement in requirements.iter() {
            let Some(contradiction) = &requirement.contradiction else { continue };
            let id = &requirement.id;
            assert!(contradiction.sides.len() >= 2, "{id} has one side");
            assert!(contradiction.side_taken().is_some(), "{id} takes a side that it does not have");
            assert!(!contradiction.about.is_empty(), "{id} is about nothing");
            for about in &contradiction.about {
                assert!(requirements.get(about).is_some(), "{id} is about {about}, which does not exist");
            }
            count += 1;
        }
        assert!(count >= 11, "only {count} contradictions");
    }
}

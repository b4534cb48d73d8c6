//! The requirements: what a right card and a right relying party do, how binding each rule is, and
//! where it comes from. Where sources contradict each other, an entry says so with its sides.

use crate::language::Bilingual;
use crate::remark::in_either_form;
use include_dir::{Dir, File, include_dir};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
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
    /// where it is written or was measured: names and places read alike in both languages, sentences do not
    #[serde(deserialize_with = "in_either_form")]
    pub source: Bilingual,
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// the requirements that state the side taken
    pub about: Vec<String>,
    /// who says what; at least two
    pub sides: Vec<Side>,
    /// the number of the side that the built-in card takes, from 1
    pub taken: usize,
    /// why that one
    pub because: Bilingual,
}

/// One side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// what is said
    pub says: Bilingual,
    /// by whom
    #[serde(deserialize_with = "in_either_form")]
    pub by: Bilingual,
}

/// Requirements whose ids begin alike.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// how they begin, for example `PIN`
    pub id: String,
    /// what they are about
    pub title: Bilingual,
}

impl Contradiction {
    /// The side that the built-in card takes; `None` where the number names none.
    #[must_use]
    pub fn side_taken(&self) -> Option<&Side> {
        self.taken.checked_sub(1).and_then(|index| self.sides.get(index))
    }
}

impl Requirement {
    /// The id of the group that it belongs to.
    #[must_use]
    pub fn group(&self) -> &str {
        self.id.split_once('-').map_or(&*self.id, |(group, _)| group)
    }
}

/// All requirements, by id, and their groups.
#[derive(Debug, Clone)]
pub struct Requirements {
    all: BTreeMap<String, Requirement>,
    groups: BTreeMap<String, Group>,
}

impl Requirements {
    /// Those that ship with the program.
    ///
    /// # Panics
    /// If a file that ships with the program were broken; a test proves that none is.
    #[must_use]
    pub fn built_in() -> Self {
        static BUILT_IN: LazyLock<Requirements> = LazyLock::new(|| Requirements {
            all: built_in().map(|requirement| (requirement.id.clone(), requirement)).collect(),
            groups: groups().map(|group| (group.id.clone(), group)).collect(),
        });
        BUILT_IN.clone()
    }

    /// The requirement of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.all.get(id)
    }

    /// The group of that id.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.all.values()
    }
}

/// Among the files, the one that holds the groups.
const GROUPS: &str = "groups.yaml";

fn built_in() -> impl Iterator<Item = Requirement> {
    let files = FILES.files().filter(|file| file.path() != GROUPS);
    files.flat_map(|file| parse(file).unwrap_or_else(|error| panic!("{error}")))
}

fn groups() -> impl Iterator<Item = Group> {
    let files = FILES.files().filter(|file| file.path() == GROUPS);
    files.flat_map(|file| parse(file).unwrap_or_else(|error| panic!("{error}")))
}

fn parse<T: DeserializeOwned>(file: &File<'_>) -> Result<Vec<T>, DocumentError> {
    let name = format!("vectors/requirements/{}", file.path().display());
    let list: Vec<Spanned<T>> = document::parse(&name, file.contents_utf8().unwrap_or_default())?;
    Ok(list.into_iter().map(|entry| entry.value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_used_once() {
        assert_eq!(Requirements::built_in().iter().count(), built_in().count());
    }

    #[test]
    fn every_requirement_belongs_to_a_group_with_a_title_and_every_group_has_some() {
        let requirements = Requirements::built_in();
        assert_eq!(requirements.groups.len(), groups().count(), "a group is there twice");
        for requirement in requirements.iter() {
            let group = requirements.group(requirement.group());
            let group = group.unwrap_or_else(|| panic!("groups.yaml has no {}", requirement.group()));
            assert!(!group.title.ja.is_ascii() && !group.title.en.is_empty(), "{}", group.id);
        }
        for group in requirements.groups.keys() {
            assert!(requirements.iter().any(|requirement| requirement.group() == group), "{group} is empty");
        }
    }

    #[test]
    fn a_source_that_is_more_than_names_and_places_is_told_in_both_languages() {
        const ENGLISH: [&str; 38] = [
            "a",
            "an",
            "and",
            "are",
            "asks",
            "be",
            "by",
            "each",
            "every",
            "from",
            "has",
            "in",
            "is",
            "it",
            "its",
            "known",
            "no",
            "nobody",
            "none",
            "not",
            "of",
            "on",
            "one",
            "only",
            "or",
            "page",
            "pages",
            "reads",
            "sends",
            "shows",
            "some",
            "tells",
            "that",
            "the",
            "to",
            "which",
            "with",
            "transcript",
        ];
        let english = |text: &str| -> Vec<String> {
            let words =
                text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-./_".contains(letter));
            words.filter(|word| ENGLISH.contains(word)).map(str::to_owned).collect()
        };
        for requirement in Requirements::built_in().iter() {
            let sides = requirement.contradiction.iter().flat_map(|it| &it.sides).map(|side| &side.by);
            for source in sides.chain([&requirement.source]) {
                assert_eq!(english(&source.ja), Vec::<String>::new(), "{}: {}", requirement.id, source.ja);
                let names = |text: &str| text.matches("; ").count();
                assert_eq!(names(&source.ja), names(&source.en), "{}: {}", requirement.id, source.ja);
            }
        }
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

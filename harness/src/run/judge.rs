//! What is ours to judge: which differences fail a card and which are only recorded.

use super::verdict::Expectation;
use crate::requirement::{Level, Requirements};

/// Whose card it is, as far as it matters for judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// the built-in card: held to every word, its own answers included
    BuiltIn,
    /// a card with certificates of this project's issuer: their shape is ours to judge
    OurIssuer,
    /// somebody else's card: the must requirements
    Others,
    /// nobody judges: every difference is recorded, and the scenario goes on
    Nobody,
}

impl Judge {
    /// Whether a difference fails the card; otherwise it is an observation.
    #[must_use]
    pub fn fails(self, expectation: Expectation, covered: &[String], requirements: &Requirements) -> bool {
        let is_must =
            |id: &String| requirements.get(id).is_some_and(|requirement| requirement.level == Level::Must);
        match (self, expectation) {
            (Self::BuiltIn, _) | (Self::OurIssuer, Expectation::OurIssuer) => true,
            (Self::Nobody, _) | (Self::Others, Expectation::OurIssuer) | (_, Expectation::Undocumented) => {
                false
            }
            (_, Expectation::Requirement) => covered.iter().any(is_must),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_cards_unknowns_are_never_failures() {
        let requirements = Requirements::built_in();
        let must =
            requirements.iter().find(|requirement| requirement.level == Level::Must).unwrap().id.clone();
        let observe =
            requirements.iter().find(|requirement| requirement.level == Level::Observe).unwrap().id.clone();
        let fails = |judge: Judge, expectation, id: &String| {
            judge.fails(expectation, std::slice::from_ref(id), &requirements)
        };
        assert!(fails(Judge::Others, Expectation::Requirement, &must));
        assert!(!fails(Judge::Others, Expectation::Requirement, &observe));
        assert!(!fails(Judge::Others, Expectation::OurIssuer, &must));
        assert!(!fails(Judge::OurIssuer, Expectation::Undocumented, &must));
        assert!(fails(Judge::OurIssuer, Expectation::OurIssuer, &must));
        assert!(fails(Judge::BuiltIn, Expectation::Undocumented, &observe));
    }
}

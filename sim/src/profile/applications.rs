//! Which applications a card has beside the card manager.

use serde::Deserialize;

/// The applications, beside the card manager, that a card may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Jpki,
    Text,
    Visual,
    Juki,
    Common,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Jpki => "jpki",
            Self::Text => "text",
            Self::Visual => "visual",
            Self::Juki => "juki",
            Self::Common => "common",
        }
    }
}

/// A set of applications. Every card has the card manager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Applications(Vec<Name>);

impl Applications {
    /// The name of the card manager in the table of applications.
    const CARD_MANAGER: &str = "card_manager";

    /// Whether the application called `name` in the table of applications is there.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        name == Self::CARD_MANAGER || self.0.iter().any(|here| here.as_str() == name)
    }
}

//! What a virtual reader needs on this machine, what of it is here, and what to do about what is not.
//! Nothing is changed, and nothing is sent to a card or to a port where one would be heard.

mod checks;
mod machine;
mod reader_conf;

pub use checks::examine;
pub use machine::Machine;

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// how it stands
    pub state: State,
    /// what was found
    pub what: String,
    /// commands and words that help, one a line
    pub help: Vec<String>,
}

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// as it should be
    Good,
    /// worth knowing; nothing is broken by it
    Note,
    /// the virtual reader does not work like this
    Broken,
}

impl Finding {
    fn good(what: impl Into<String>) -> Self {
        Self { state: State::Good, what: what.into(), help: Vec::new() }
    }

    fn note(what: impl Into<String>, help: &[&str]) -> Self {
        Self {
            state: State::Note,
            what: what.into(),
            help: help.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    fn broken(what: impl Into<String>, help: &[&str]) -> Self {
        Self {
            state: State::Broken,
            what: what.into(),
            help: help.iter().map(|line| (*line).to_owned()).collect(),
        }
    }
}

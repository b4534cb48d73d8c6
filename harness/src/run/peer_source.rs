//! Where cards come from that are not built in, and what the user says of them.

use super::judge::Judge;
use crate::language::Bilingual;
use crate::link::{CardLink, Consent};
use std::time::{Duration, Instant};
use thiserror::Error;
use vmyna_sim::holder::Holder;

/// Where cards come from: a reader's end that waits for one, or a card that listens.
pub trait PeerSource {
    /// The next card, within the deadline.
    ///
    /// # Errors
    /// A sentence saying that none came, and where it was waited for.
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual>;

    /// The TCP port at which cards are expected, where it is one.
    fn port(&self) -> Option<u16> {
        None
    }
}

/// How a suite is run against such a card.
#[derive(Debug)]
pub struct PeerOptions {
    /// whose PINs, where the user said so
    pub holder: Option<Holder>,
    /// the user says that the card is a simulator
    pub mine: bool,
    /// what the user allows on a card that may be real
    pub consent: Consent,
    /// how long to wait for a card
    pub wait: Duration,
    /// a command that starts the card anew before each scenario
    pub fresh: Option<String>,
    /// who judges, where not whoever the card's issuer calls for
    pub judge: Option<Judge>,
}

/// Nothing could be played.
#[derive(Debug, Error)]
pub enum NothingCouldRun {
    /// no card within the wait
    #[error("{}", .0.en)]
    NoCard(Bilingual),
    /// a signal came while there was no card yet
    #[error("stopped by a signal while there was no card")]
    Interrupted,
    /// the command of `--fresh` could not be started
    #[error("--fresh: {command:?} cannot be started: {source}")]
    Fresh {
        /// the command
        command: String,
        /// why
        source: std::io::Error,
    },
    /// a scenario names a holder that is not built in
    #[error("{scenario}: there is no built-in holder {holder:?}; --holder FILE tells whose PINs to use")]
    UnknownHolder {
        /// the scenario
        scenario: String,
        /// the holder it names
        holder: String,
    },
}

impl NothingCouldRun {
    /// As a sentence.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        let japanese = match self {
            Self::NoCard(reason) => reason.ja.clone(),
            Self::Interrupted => "カードが来ないうちにシグナルで停止した".to_owned(),
            Self::Fresh { command, source } => format!("--fresh: {command:?} を起動できない: {source}"),
            Self::UnknownHolder { scenario, holder } => format!(
                "{scenario}: 内蔵の名義人 {holder:?} はない。誰の暗証番号を使うかを --holder ファイル で示す"
            ),
        };
        Bilingual::new(japanese, self.to_string())
    }
}

//! What is said while a scenario is played on a built-in card, word for word.

use super::judge::Judge;
use super::session::{Session, Surroundings};
use super::suite::card_for;
use super::verdict::Verdict;
use crate::link::{FaultyInProcess, Heard, Said};
use crate::requirement::Requirements;
use crate::scenario::Scenario;
use crate::verify::Trust;
use std::sync::Arc;
use std::time::SystemTime;
use vmyna_sim::card::Personalised;
use vmyna_sim::smart_card::Power;

/// One thing that passed between terminal and card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// the power was switched
    Power(Power),
    /// a command and its answer, as they were: PINs included
    Exchange(Vec<u8>, Vec<u8>),
}

impl From<Said<'_>> for Passed {
    fn from(said: Said<'_>) -> Self {
        match said {
            Said::Power(power) => Self::Power(power),
            Said::Exchange(command, answer) => Self::Exchange(command.to_vec(), answer.to_vec()),
        }
    }
}

/// All that passed, and how the scenario ended.
#[derive(Debug)]
pub struct Conversation {
    /// in order
    pub passed: Vec<Passed>,
    /// how the scenario ended
    pub verdict: Verdict,
}

/// Plays `scenario` on a fresh built-in card, with `judge` and the clock at `now`.
#[must_use]
pub fn converse(
    scenario: &Scenario,
    personalised: Arc<Personalised>,
    requirements: &Requirements,
    judge: Judge,
    now: SystemTime,
) -> Conversation {
    let (holder, full) = (personalised.holder().clone(), personalised.profile().tries);
    let mut passed = Vec::new();
    let mut ear = |said: Said<'_>| passed.push(Passed::from(said));
    let mut link = Heard::new(FaultyInProcess::new(card_for(scenario, personalised)), &mut ear);
    let surroundings = Surroundings { requirements, holder: &holder, trust: &Trust::CardItself, judge, now };
    let verdict = Session::new(&mut link, surroundings).with_tries(full).play(scenario);
    Conversation { passed, verdict }
}

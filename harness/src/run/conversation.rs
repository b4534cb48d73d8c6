//! What is said while a scenario is played on a built-in card, word for word.

use super::judge::Judge;
use super::session::{Session, Surroundings};
use super::suite::card_for;
use super::verdict::Verdict;
use crate::link::{FaultyInProcess, Heard, Said};
use crate::requirement::Requirements;
use crate::scenario::Scenario;
use crate::verify::Trust;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;
use vmyna_sim::card::Personalised;
use vmyna_sim::exchange::Exchange;
use vmyna_sim::smart_card::Power;

/// One thing that passed between terminal and card. `Debug` masks PINs.
#[derive(Clone, PartialEq, Eq)]
pub enum Passed {
    /// the power was switched
    Power(Power),
    /// a command and its answer, as they were: PINs included
    Exchange(Vec<u8>, Vec<u8>),
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power(power) => f.debug_tuple("Power").field(power).finish(),
            Self::Exchange(command, answer) => {
                f.debug_tuple("Exchange").field(&Exchange::new(command, Some(answer))).finish()
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;
    use crate::terminal::PinChoice;

    /// Bytes as a derived `Debug` and as hex would write them.
    fn forms(value: &[u8]) -> [String; 3] {
        let text = String::from_utf8_lossy(value).into_owned();
        let list = format!("{value:?}");
        [text, list.trim_matches(['[', ']']).to_owned(), vmyna_sim::hex::Spaced(value).to_string()]
    }

    #[test]
    fn a_conversation_shows_no_pin() {
        let requirements = Requirements::built_in();
        let personalised = Arc::new(Personalised::built_in("hanako").unwrap());
        let holder = personalised.holder().clone();
        let mut changes = 0;
        for scenario in scenario::built_in(&requirements).iter().filter(|scenario| scenario.flow.is_none()) {
            if scenario.holder != "hanako" || !scenario.tags.iter().any(|tag| tag == "change") {
                continue;
            }
            let said =
                converse(scenario, personalised.clone(), &requirements, Judge::BuiltIn, SystemTime::now());
            let shown = format!("{said:?} {:?} {personalised:?}", said.passed);
            for pin in vmyna_sim::pin::PinName::JPKI {
                for choice in [PinChoice::Right, PinChoice::New] {
                    let value = crate::terminal::pin_value(&holder, pin, choice);
                    for form in forms(value.as_bytes()) {
                        let is_there = shown.match_indices(&form).any(|(at, _)| {
                            let stands_alone = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
                            stands_alone(shown[..at].chars().next_back())
                                && stands_alone(shown[at + form.len()..].chars().next())
                        });
                        assert!(!is_there, "{}: {pin} is shown", scenario.id);
                    }
                }
            }
            changes += 1;
        }
        assert!(changes > 5, "{changes} scenarios that change a PIN");
    }
}

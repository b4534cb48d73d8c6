//! A suite against the built-in card: a fresh card for each scenario, in any state it asks for.

use super::event::{Event, Sink, Summary};
use super::judge::Judge;
use super::session::{Session, Surroundings};
use super::verdict::Verdict;
use crate::link::FaultyInProcess;
use crate::requirement::Requirements;
use crate::scenario::Scenario;
use crate::verify::Trust;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use vmyna_sim::card::{PersonalisationError, Personalised, VirtualCard, seeded};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::store::MemoryStore;

/// Cards of the holders that scenarios name, personalised once.
#[derive(Default)]
pub struct Cards {
    own: HashMap<String, Arc<Personalised>>,
    instead: Option<Arc<Personalised>>,
    profile: Option<Profile>,
}

impl Cards {
    /// Every scenario gets the card of `personalised`, whatever holder it names.
    #[must_use]
    pub fn all_of(personalised: Arc<Personalised>) -> Self {
        Self { instead: Some(personalised), ..Self::default() }
    }

    /// Every scenario gets its holder's card, of this `profile`.
    #[must_use]
    pub fn of_profile(profile: Profile) -> Self {
        Self { profile: Some(profile), ..Self::default() }
    }

    /// The unchanging part of the card that `scenario` is about.
    ///
    /// # Errors
    /// When its holder does not exist or their certificates cannot be issued.
    pub fn of(&mut self, scenario: &Scenario) -> Result<Arc<Personalised>, PersonalisationError> {
        if let Some(personalised) = self.instead.as_ref().or_else(|| self.own.get(&scenario.holder)) {
            return Ok(personalised.clone());
        }
        let personalised = match &self.profile {
            None => Personalised::built_in(&scenario.holder)?,
            Some(profile) => Personalised::built_in_of(&scenario.holder, profile.clone())?,
        };
        let personalised = Arc::new(personalised);
        self.own.insert(scenario.holder.clone(), personalised.clone());
        Ok(personalised)
    }
}

/// A fresh card in the state that `scenario` asks for.
#[must_use]
pub fn card_for(scenario: &Scenario, personalised: Arc<Personalised>) -> VirtualCard {
    let mut state = personalised.fresh_state();
    for (pin, tries) in &scenario.given {
        state.get_mut(*pin).tries_left = *tries;
    }
    VirtualCard::with(personalised, Box::new(MemoryStore), state, Box::new(seeded(0)))
}

/// Plays one scenario on a fresh built-in card.
#[must_use]
pub fn play_on_simulator(
    scenario: &Scenario,
    personalised: Arc<Personalised>,
    requirements: &Requirements,
    trust: &Trust,
) -> Verdict {
    let holder: Holder = personalised.holder().clone();
    let full = personalised.profile().tries;
    let mut link = FaultyInProcess::new(card_for(scenario, personalised));
    let surroundings = Surroundings {
        requirements,
        holder: &holder,
        trust,
        judge: Judge::BuiltIn,
        now: std::time::SystemTime::now(),
    };
    Session::new(&mut link, surroundings).with_tries(full).play(scenario)
}

/// Plays `scenarios` in their order, each on a fresh built-in card.
///
/// # Errors
/// When a holder that a scenario names does not exist.
pub fn run_on_simulator(
    scenarios: &[&Scenario],
    cards: &mut Cards,
    requirements: &Requirements,
    trust: &Trust,
    fail_fast: bool,
    sink: &mut dyn Sink,
) -> Result<Summary, PersonalisationError> {
    let began = Instant::now();
    sink.event(&Event::Began { scenarios: scenarios.len() });
    let mut summary = Summary::default();
    for scenario in scenarios {
        let start = Instant::now();
        let verdict = play_on_simulator(scenario, cards.of(scenario)?, requirements, trust);
        summary.count(&verdict);
        sink.event(&Event::Finished { scenario, verdict: &verdict, took: start.elapsed() });
        if fail_fast && summary.failed > 0 {
            break;
        }
    }
    sink.event(&Event::Ended { summary, took: began.elapsed() });
    Ok(summary)
}

//! A suite against the built-in card: a fresh card for each scenario, in any state it asks for, and
//! as many at once as there are jobs.

use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, CardIdentity, Sink, Summary};
use super::judge::Judge;
use super::recorder::{Recorded, Recorder};
use super::session::{Session, Surroundings};
use super::verdict::{StoppedBy, Verdict};
use crate::flow::{self, FlowCard, Hand, Trouble, World};
use crate::link::{CardLink, InProcess};
use crate::requirement::Requirements;
use crate::scenario::{Scenario, SelectTarget, Verb};
use crate::verify::Trust;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};
use vmyna_sim::card::{PersonalisationError, Personalised, VirtualCard, seeded};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};
use vmyna_sim::store::MemoryStore;

/// Cards of the holders that scenarios name, personalised once.
#[derive(Default)]
pub struct Cards {
    own: Mutex<HashMap<String, Slot>>,
    instead: Option<Arc<Personalised>>,
    profile: Option<Profile>,
}

/// Cards of different holders are personalised at the same time, that of one holder once.
type Slot = Arc<OnceLock<Arc<Personalised>>>;

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
    pub fn of(&self, scenario: &Scenario) -> Result<Arc<Personalised>, PersonalisationError> {
        if let Some(personalised) = &self.instead {
            return Ok(personalised.clone());
        }
        let slot = {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            own.entry(scenario.holder.clone()).or_default().clone()
        };
        if let Some(personalised) = slot.get() {
            return Ok(personalised.clone());
        }
        let personalised = match &self.profile {
            None => Personalised::built_in(&scenario.holder)?,
            Some(profile) => Personalised::built_in_of(&scenario.holder, profile.clone())?,
        };
        Ok(slot.get_or_init(|| Arc::new(personalised)).clone())
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
    play(scenario, personalised, requirements, trust, &Recorder::default())
}

fn play(
    scenario: &Scenario,
    personalised: Arc<Personalised>,
    requirements: &Requirements,
    trust: &Trust,
    recorder: &Recorder,
) -> Verdict {
    if let Some(missing) = missing_application(scenario, personalised.profile()) {
        return Verdict::NotApplicable(format!("cards of this profile have no application {missing}"));
    }
    let holder: Holder = personalised.holder().clone();
    let full = personalised.profile().tries;
    let world =
        match scenario.flow.map(|setting| World::with_card(scenario, setting, &personalised)).transpose() {
            Ok(world) => world,
            Err(error) => return Verdict::RequirementMissing(error.to_string()),
        };
    let mut link = Recorded::new(InProcess(card_for(scenario, personalised)), recorder.clone());
    let surroundings =
        Surroundings { requirements, holder: &holder, trust, judge: Judge::BuiltIn, now: SystemTime::now() };
    let mut session = Session::new(&mut link, surroundings).with_tries(full).recording(recorder.clone());
    match world {
        None => session.play(scenario),
        Some(world) => {
            let hand = RecordedHand(recorder.clone());
            session.on(&mut flow::InProcess::new(&world, Box::new(hand))).play(scenario)
        }
    }
}

/// Holds cards of this process to the phone; what they say to each other is taken down.
struct RecordedHand(Recorder);

impl Hand for RecordedHand {
    fn hold(&mut self, card: &FlowCard) -> Result<Box<dyn CardLink>, Trouble> {
        Ok(Box::new(Recorded::new(InProcess(card.clone()), self.0.clone())))
    }
}

/// The application that `scenario` selects, and expects to be there, and that cards of `profile` do not have.
fn missing_application(scenario: &Scenario, profile: &Profile) -> Option<&'static str> {
    scenario.steps.iter().find_map(|placed| match &placed.step.verb {
        Verb::Select(select) => match &select.target {
            SelectTarget::Application { name, .. }
                if select.expects_success() && !profile.applications.contains(name) =>
            {
                Some(*name)
            }
            _ => None,
        },
        _ => None,
    })
}

/// Plays `scenarios` in their order, each on a fresh built-in card; `profile` is its profile's name.
///
/// # Errors
/// When a holder that a scenario names does not exist.
pub fn run_on_simulator(
    scenarios: &[&Scenario],
    cards: &Cards,
    profile: &str,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
) -> Result<Summary, PersonalisationError> {
    let keeps = sink.wants_happenings();
    let mut course = Course::begin(conduct, beginning, sink);
    let mut identities = Identities { profile, known: HashMap::new() };
    let closed = AtomicBool::new(false);
    let is_over = || closed.load(Ordering::Relaxed) || conduct.interrupt.has_come();
    let play = |scenario: &Scenario| -> Result<(Arc<Personalised>, Played), PersonalisationError> {
        let recorder = Recorder::new(keeps);
        let personalised = cards.of(scenario)?;
        let began = Instant::now();
        let verdict = play(scenario, personalised.clone(), conduct.requirements, conduct.trust, &recorder);
        let played = Played { verdict, happenings: recorder.take(), took: began.elapsed() };
        if conduct.fail_fast && conduct.expected.fails(scenario, &played.verdict) {
            closed.store(true, Ordering::Relaxed);
        }
        Ok((personalised, played))
    };
    let stopped = || if conduct.interrupt.has_come() { StoppedBy::Signal } else { StoppedBy::FirstFailure };

    let jobs = conduct.jobs.get().min(scenarios.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // What is ahead of the report waits, so that no long run piles up.
        let (done, coming) = sync_channel(4 * jobs.max(1));
        for _ in 0..jobs {
            let (done, next, play) = (done.clone(), &next, &play);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(scenario) = scenarios.get(index) else { break };
                    let played = if is_over() { None } else { Some(play(scenario)) };
                    if done.send((index, played)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, played) in coming {
            waiting.insert(index, played);
            while let Some(played) = waiting.remove(&due) {
                let scenario = scenarios[due];
                due += 1;
                let Some(played) = played else {
                    course.not_run(scenario, stopped());
                    continue;
                };
                let (personalised, played) = played?;
                course.card(identities.of(scenario, &personalised));
                course.case_began(scenario);
                course.case_ended(scenario, played);
            }
        }
        Ok(course.end())
    })
}

struct Identities<'a> {
    profile: &'a str,
    known: HashMap<String, CardIdentity>,
}

impl Identities<'_> {
    fn of(&mut self, scenario: &Scenario, personalised: &Arc<Personalised>) -> &CardIdentity {
        self.known.entry(scenario.holder.clone()).or_insert_with(|| {
            let atr = match card_for(scenario, personalised.clone()).atr() {
                Reaction::Answer(atr) => atr,
                Reaction::Silence(_) | Reaction::Leave(_) => Vec::new(),
            };
            CardIdentity::of_built_in(personalised, &atr, self.profile)
        })
    }
}

//! A suite against the built-in card: a fresh card for each scenario, in any state it asks for, and
//! as many at once as there are jobs.

use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, CardIdentity, Sink, Summary};
use super::judge::Judge;
use super::kind::Kind;
use super::recorder::{Recorded, Recorder};
use super::session::{Session, Surroundings};
use super::verdict::{StoppedBy, Verdict};
use crate::flow::{self, FlowCard, Hand, Trouble, World};
use crate::link::{CardLink, FaultyInProcess, InProcess};
use crate::requirement::Requirements;
use crate::scenario::{Scenario, SelectTarget, Verb};
use crate::verify::Trust;
use jiff::Timestamp;
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
    /// by holder and profile
    made: Mutex<HashMap<(String, Option<String>), Slot>>,
    holder: Option<Holder>,
    profile: Option<Profile>,
}

/// Cards of different holders are personalised at the same time, that of one holder once.
type Slot = Arc<OnceLock<Arc<Personalised>>>;

impl Cards {
    /// Cards of this `holder` and of this `profile`, whatever scenarios name; without one, each scenario
    /// gets a card of whom it names, and of the profile that it names.
    #[must_use]
    pub fn of_all(holder: Option<Holder>, profile: Option<Profile>) -> Self {
        Self { made: Mutex::default(), holder, profile }
    }

    /// The unchanging part of the card that `scenario` is about.
    ///
    /// # Errors
    /// When its holder does not exist or their certificates cannot be issued.
    pub fn of(&self, scenario: &Scenario) -> Result<Arc<Personalised>, PersonalisationError> {
        let holder = self.holder.as_ref().map_or(&*scenario.holder, Holder::id);
        let slot = {
            let named = if self.profile.is_some() { None } else { scenario.profile.clone() };
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.entry((holder.to_owned(), named)).or_default().clone()
        };
        if let Some(personalised) = slot.get() {
            return Ok(personalised.clone());
        }
        let named = scenario.profile.as_deref().and_then(Profile::built_in);
        let profile = self.profile.clone().or(named).unwrap_or_else(Profile::card);
        let personalised = match &self.holder {
            None => Personalised::built_in_of(&scenario.holder, profile)?,
            Some(holder) => Personalised::new(holder.clone(), profile, Timestamp::now())?,
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
    if let Some(why) = Kind::of(personalised.profile()).is_not_meant_by(scenario) {
        return Verdict::NotApplicable(why);
    }
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
    let mut link = Recorded::new(FaultyInProcess::new(card_for(scenario, personalised)), recorder.clone());
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

/// Plays `scenarios` in their order, each on a fresh built-in card; `profile` is the name of its profile,
/// where the scenario names none or the cards are all of one.
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
    /// by holder and profile
    known: HashMap<(String, String), CardIdentity>,
}

impl Identities<'_> {
    fn of(&mut self, scenario: &Scenario, personalised: &Arc<Personalised>) -> &CardIdentity {
        let own = scenario
            .profile
            .as_ref()
            .filter(|name| Profile::built_in(name).is_some_and(|profile| profile == *personalised.profile()));
        let profile = own.map_or(self.profile, String::as_str).to_owned();
        self.known.entry((scenario.holder.clone(), profile)).or_insert_with_key(|(_, profile)| {
            let atr = match card_for(scenario, personalised.clone()).atr() {
                Reaction::Answer(atr) => atr,
                Reaction::Silence(_) | Reaction::Leave(_) => Vec::new(),
            };
            CardIdentity::of_built_in(personalised, &atr, profile)
        })
    }
}

//! A suite against the built-in card: a fresh card for each scenario, in any state it asks for, and
//! as many at once as there are jobs.

use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, CardIdentity, Sink, Summary};
use super::judge::Judge;
use super::kind::Kind;
use super::person::{self, is_same};
use super::plan::{Plan, STANDARD};
use super::recorder::{Recorded, Recorder};
use super::schedule::in_order;
use super::session::{Session, Surroundings};
use super::verdict::{Finding, Verdict};
use crate::flow::{self, FlowCard, Hand, Trouble, World};
use crate::language::{Bilingual, Language};
use crate::link::{CardLink, FaultyInProcess, InProcess};
use crate::requirement::Requirements;
use crate::scenario::{DEFAULT_HOLDER, Scenario, pin_in_words};
use crate::verify::Trust;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};
use vmyna_sim::card::{PersonalisationError, Personalised, VirtualCard, seeded};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::{Profile, Tries};
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
    play(scenario, personalised, requirements, trust, &Recorder::default()).0
}

fn play(
    scenario: &Scenario,
    personalised: Arc<Personalised>,
    requirements: &Requirements,
    trust: &Trust,
    recorder: &Recorder,
) -> (Verdict, Vec<Finding>) {
    let plan = Plan::of(scenario, personalised.profile().tries);
    if let Some(reason) = not_applicable(scenario, &plan, personalised.profile()) {
        return (Verdict::NotApplicable(reason), Vec::new());
    }
    let missing = about_another(scenario, personalised.holder())
        .or_else(|| too_many_given(scenario, personalised.profile()))
        .or_else(|| person::unmet_by(scenario, &plan, &personalised, Timestamp::now()));
    if let Some(reason) = missing {
        return (Verdict::RequirementMissing(reason), Vec::new());
    }
    let holder: Holder = personalised.holder().clone();
    let full = personalised.profile().tries;
    let world =
        match scenario.flow.map(|setting| World::with_card(scenario, setting, &personalised)).transpose() {
            Ok(world) => world,
            Err(error) => {
                return (Verdict::RequirementMissing(Bilingual::alike(error.to_string())), Vec::new());
            }
        };
    let mut link = Recorded::new(FaultyInProcess::new(card_for(scenario, personalised)), recorder.clone());
    let surroundings =
        Surroundings { requirements, holder: &holder, trust, judge: Judge::BuiltIn, now: SystemTime::now() };
    let mut session = Session::new(&mut link, surroundings).with_tries(full).recording(recorder.clone());
    match world {
        None => (session.play(scenario), session.left_undone()),
        Some(world) => {
            let hand = RecordedHand(recorder.clone());
            let mut stage = flow::InProcess::new(&world, Box::new(hand));
            let mut session = session.on(&mut stage);
            (session.play(scenario), session.left_undone())
        }
    }
}

/// Why `scenario`, of which `plan` is the plan, says nothing of cards of `profile`.
fn not_applicable(scenario: &Scenario, plan: &Plan, profile: &Profile) -> Option<Bilingual> {
    match &scenario.profile {
        Some(_) => Kind::of(profile).is_not_meant_by(scenario),
        None => plan.reliance.unmet_by(profile),
    }
    .or_else(|| other_counts(scenario, profile.tries))
}

/// Why a scenario that counts tries in numbers says nothing of cards whose counters are `full` with these.
pub(super) fn other_counts(scenario: &Scenario, full: Tries) -> Option<Bilingual> {
    let pin = Plan::other_counts(scenario, full)?;
    let (full, standard) = (full.of(pin), STANDARD.of(pin));
    Some(Bilingual::new(
        format!(
            "シナリオは{}を {standard} 回から数え、このカードは {full} 回から数える",
            pin_in_words(pin, Language::Ja)
        ),
        format!("it counts the tries of {pin} from {standard}, and this card counts from {full}"),
    ))
}

/// Why a card of `profile` cannot be in the state that `scenario` begins with.
fn too_many_given(scenario: &Scenario, profile: &Profile) -> Option<Bilingual> {
    let (pin, tries) = scenario.given.iter().find(|(pin, tries)| **tries > profile.tries.of(**pin))?;
    let full = profile.tries.of(*pin);
    Some(Bilingual::new(
        format!("{}の残り {tries} 回から始まるが、最大でも {full} 回", pin_in_words(*pin, Language::Ja)),
        format!("it begins with {tries} tries left of {pin}, and cards of this profile have {full} at most"),
    ))
}

/// Why a scenario about one person's card says nothing of that of `holder`, if it is another's.
pub(super) fn about_another(scenario: &Scenario, holder: &Holder) -> Option<Bilingual> {
    if scenario.holder == DEFAULT_HOLDER {
        return None;
    }
    let named = Holder::built_in(&scenario.holder).filter(|named| !is_same(named, holder))?;
    Some(Bilingual::new(
        format!("{}のカードについてのシナリオで、このカードは{}のもの", named.title.ja, holder.title.ja),
        format!(
            "it is about the card of {} ({}), and this is that of {}",
            scenario.holder, named.title.en, holder.title.en
        ),
    ))
}

/// Holds cards of this process to the phone; what they say to each other is taken down.
struct RecordedHand(Recorder);

impl Hand for RecordedHand {
    fn hold(&mut self, card: &FlowCard) -> Result<Box<dyn CardLink>, Trouble> {
        Ok(Box::new(Recorded::new(InProcess(card.clone()), self.0.clone())))
    }
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
    let detail = sink.wants();
    let mut course = Course::begin(conduct, beginning, sink);
    let mut identities = Identities { profile, known: HashMap::new() };
    let closed = AtomicBool::new(false);
    let is_over = &|| closed.load(Ordering::Relaxed) || conduct.interrupt.has_come();
    let play = |scenario: &Scenario| -> Result<(Arc<Personalised>, Played), PersonalisationError> {
        let recorder = Recorder::new(detail);
        let personalised = cards.of(scenario)?;
        let began = Instant::now();
        let (verdict, left_undone) =
            play(scenario, personalised.clone(), conduct.requirements, conduct.trust, &recorder);
        let played = Played { verdict, left_undone, happenings: recorder.take(), took: began.elapsed() };
        if conduct.fail_fast && conduct.expected.fails(scenario, &played.verdict) {
            closed.store(true, Ordering::Relaxed);
        }
        Ok((personalised, played))
    };
    let worker = |_| {
        let play = &play;
        move |index: usize| (!is_over()).then(|| play(scenarios[index]))
    };
    let told = |due: usize, played: Option<Result<_, PersonalisationError>>| {
        let scenario = scenarios[due];
        let Some(played) = played else {
            course.not_run(scenario, conduct.stopped_by());
            return Ok(());
        };
        let (personalised, played) = played?;
        course.card(identities.of(scenario, &personalised));
        course.case_began(scenario);
        course.case_ended(scenario, played);
        Ok::<_, PersonalisationError>(())
    };
    in_order(conduct.jobs, scenarios.len(), worker, told)?;
    Ok(course.end())
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

//! Plays every built-in scenario, step by step, and keeps what is said.

use super::verdict::{Judged, Step, judge};
use super::{Flag, Line, Vector, VectorFile, Verdict, json};
use crate::link::{CardLink, Heard, InProcess, LinkError, Said, Selection, place_of};
use crate::requirement::Requirements;
use crate::run::{self, Judge, Passed, Session, Surroundings, card_for};
use crate::scenario::Scenario;
use crate::terminal;
use crate::terminal::PinChoice;
use crate::verify::Trust;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;
use thiserror::Error;
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::card::{PersonalisationError, Personalised};
use vmyna_sim::exchange::ShownCommand;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::card_expiry;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::Power;

/// The clock that all vectors are made at.
pub const CLOCK: &str = "2026-04-01T00:00:00Z";

/// Why there are no vectors.
#[derive(Debug, Error)]
pub enum VectorsError {
    /// a holder that a scenario names cannot be given a card
    #[error(transparent)]
    Card(#[from] PersonalisationError),
    /// the built-in card does not do as a built-in scenario says
    #[error("{scenario}: the built-in card does not do as it says; `vmyna run` shows where")]
    NotAsExpected {
        /// which scenario
        scenario: String,
    },
    /// what came out is no JSON
    #[error("the vectors cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Plays `scenarios` and returns the files, the schema among them.
///
/// # Errors
/// [`VectorsError`], for scenarios that the built-in card does not pass.
pub fn generate(
    scenarios: &[Scenario],
    requirements: &Requirements,
) -> Result<Vec<VectorFile>, VectorsError> {
    let mut cards: HashMap<String, Arc<Personalised>> = HashMap::new();
    let mut groups: BTreeMap<String, Vec<Vector>> = BTreeMap::new();
    // The vectors are those of the physical card, and of answers that it gave.
    let of_the_card = |scenario: &&Scenario| {
        scenario.profile.as_deref().is_none_or(|name| name == "card") && !scenario.has_faults()
    };
    for scenario in scenarios.iter().filter(of_the_card) {
        if grows_no_older(&scenario.holder) {
            continue;
        }
        let personalised = match cards.get(&scenario.holder) {
            Some(personalised) => personalised.clone(),
            None => {
                let personalised = Arc::new(personalise(&scenario.holder)?);
                cards.insert(scenario.holder.clone(), personalised.clone());
                personalised
            }
        };
        let vector = converse(scenario, personalised, requirements)?;
        groups.entry(group(&scenario.id)).or_default().push(vector);
    }
    let mut files = vec![VectorFile { name: "schema.json".to_owned(), text: super::SCHEMA.to_owned() }];
    for (group, vectors) in groups {
        files.push(VectorFile { name: format!("{group}.json"), text: json::file(&group, &vectors)? });
    }
    Ok(files)
}

/// The first two parts of an id: `jpki-pin`.
fn group(id: &str) -> String {
    id.split('.').take(2).collect::<Vec<_>>().join("-")
}

/// Whether the holder has an age and no date of birth. What such a card says depends on the day that it
/// is asked, so it has no vectors.
fn grows_no_older(holder: &str) -> bool {
    let born = |now: jiff::Timestamp| Holder::built_in(holder).map(|holder| holder.as_of(now).person.birth);
    born(clock()) != born(jiff::Timestamp::UNIX_EPOCH)
}

fn clock() -> jiff::Timestamp {
    CLOCK.parse().unwrap_or_default()
}

fn personalise(holder: &str) -> Result<Personalised, PersonalisationError> {
    let holder = Holder::built_in(holder).ok_or_else(|| PersonalisationError::Unknown {
        kind: "holder",
        name: holder.to_owned(),
        known: Holder::built_in_names(),
    })?;
    // The date that follows from the clock, written down: 照合番号B has it, and whoever presents that
    // may look at another clock.
    let mut holder = holder.as_of(clock());
    holder.card.expiry = card_expiry(&holder, clock());
    Personalised::new(holder, Profile::card(), clock())
}

fn converse(
    scenario: &Scenario,
    personalised: Arc<Personalised>,
    requirements: &Requirements,
) -> Result<Vector, VectorsError> {
    let holder = personalised.holder().clone();
    let said = std::cell::RefCell::new(Vec::new());
    let mut ear = |passed: Said<'_>| said.borrow_mut().push(Passed::from(passed));
    let mut link = Heard::new(InProcess(card_for(scenario, personalised.clone())), &mut ear);
    let now = SystemTime::from(clock());
    let surroundings =
        Surroundings { requirements, holder: &holder, trust: &Trust::CardItself, judge: Judge::BuiltIn, now };
    let mut session = Session::new(&mut link, surroundings);
    let mut selection = Selection::default();
    let mut conversation = Vec::new();
    for placed in scenario.all_steps() {
        let alone =
            Scenario { setup: vec![], steps: vec![placed.clone()], cleanup: vec![], ..scenario.clone() };
        if !matches!(session.play(&alone), run::Verdict::Passed { observations } if observations.is_empty()) {
            return Err(VectorsError::NotAsExpected { scenario: scenario.id.clone() });
        }
        let covers = if placed.step.covers.is_empty() { &scenario.covers } else { &placed.step.covers };
        let step = Step { verb: &placed.step.verb, covers };
        let passed = said.take();
        let last = passed.iter().rposition(|passed| matches!(passed, Passed::Exchange(..)));
        for (at, passed) in passed.into_iter().enumerate() {
            conversation.push(match passed {
                Passed::Power(power) => {
                    selection.power(power);
                    Line::Power(power_word(power))
                }
                Passed::Exchange(command, answer) => {
                    let Judged { result, flags, accepted } =
                        judge(&step, Some(at) == last, &command, &answer, &selection, &holder, requirements);
                    selection.exchange(&command, &answer);
                    let note = in_words(&command);
                    Line::Exchange { command, answer, note, result, flags, accepted }
                }
            });
        }
    }
    // A setup presents wrong values too, and may block.
    let before = (!scenario.given.is_empty()).then_some(Flag::PinWrong);
    let blocked = scenario.given.values().any(|tries| *tries == 0).then_some(Flag::Blocked);
    let flags: BTreeSet<Flag> = conversation
        .iter()
        .flat_map(|line| match line {
            Line::Exchange { flags, .. } => flags.iter().copied().collect(),
            Line::Power(_) => Vec::new(),
        })
        .chain(before)
        .chain(blocked)
        .collect();
    let results = conversation.iter().filter_map(|line| match line {
        Line::Exchange { result, .. } => Some(*result),
        Line::Power(_) => None,
    });
    Ok(Vector {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        holder: scenario.holder.clone(),
        covers: scenario.covers.clone(),
        given: scenario.given.clone(),
        setup: setup(scenario, &holder, personalised)?,
        result: results.max().unwrap_or(Verdict::Valid),
        flags,
        conversation,
    })
}

const fn power_word(power: Power) -> &'static str {
    match power {
        Power::Off => "off",
        Power::On => "on",
        Power::WarmReset => "warm_reset",
    }
}

/// The command in words, as reports have it.
fn in_words(command: &[u8]) -> String {
    let shown = ShownCommand::new(command).to_string();
    shown.split_once("  ").map_or(String::new(), |(_, words)| words.to_owned())
}

/// Wrong values that spend a fresh card's tries until as many are left as the scenario begins with.
fn setup(
    scenario: &Scenario,
    holder: &Holder,
    personalised: Arc<Personalised>,
) -> Result<Vec<Vec<u8>>, VectorsError> {
    let mut commands = Vec::new();
    for (pin, tries) in &scenario.given {
        let Some((application, file)) = place_of(*pin) else { continue };
        commands.push(terminal::select_application(application.aid));
        commands.push(terminal::select_file(file));
        let wrong = terminal::pin_value(holder, *pin, PinChoice::Wrong);
        let verify = CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(wrong.as_bytes()).to_bytes();
        let spent = personalised.tries_at_issue(*pin).saturating_sub(*tries);
        commands.extend(std::iter::repeat_n(verify, spent.into()));
    }
    // They must bring a card there, for whoever replays them.
    let mut card = InProcess(vmyna_sim::card::VirtualCard::new(personalised));
    let sent: Result<Vec<_>, LinkError> = commands.iter().map(|command| card.transmit(command)).collect();
    let is_there =
        |(pin, tries): (&vmyna_sim::pin::PinName, &u8)| card.0.pins().get(*pin).tries_left == *tries;
    if sent.is_err() || !scenario.given.iter().all(is_there) {
        return Err(VectorsError::NotAsExpected { scenario: scenario.id.clone() });
    }
    Ok(commands)
}

//! What the scenarios catch. Each wrong card is the built-in card, wrong in one thing; a scenario that
//! covers the requirement which that breaks must say so. `docs/wrong-cards.md` is the table of who
//! caught what: `UPDATE_WRONG_CARDS=1 cargo test --test mutants` writes it anew.

#[path = "mutants/applications.rs"]
mod applications;
#[path = "mutants/card_level.rs"]
mod card_level;
#[path = "mutants/card_manager.rs"]
mod card_manager;
#[path = "mutants/certificates.rs"]
mod certificates;
#[path = "mutants/japanese.rs"]
mod japanese;
#[path = "mutants/lifetime.rs"]
mod lifetime;
#[path = "mutants/pins.rs"]
mod pins;
#[path = "mutants/profiles.rs"]
mod profiles;
#[path = "mutants/reading.rs"]
mod reading;
#[path = "mutants/secure.rs"]
mod secure;
#[path = "mutants/secure_card.rs"]
mod secure_card;
#[path = "mutants/signatures.rs"]
mod signatures;
#[path = "mutants/signing.rs"]
mod signing;
#[path = "wrong_things/table.rs"]
mod table;
#[path = "mutants/wrong_card.rs"]
mod wrong_card;

use libtest_mimic::{Arguments, Failed, Trial};
use secure_card::SecureRules;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use vmyna::link::InProcess;
use vmyna::requirement::{Level, Requirements};
use vmyna::run::{self, Cards, Finding, Judge, Session, Surroundings, Verdict};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::card::VirtualCard;
use wrong_card::{WrongCard, Wrongness};

/// A card that is wrong in one thing.
struct Mutant {
    /// one word for it
    name: &'static str,
    /// the requirement that it breaks
    breaks: &'static str,
    /// what is wrong
    says: &'static str,
    /// makes it so
    make: fn() -> Wrongness,
}

impl Mutant {
    const fn new(
        name: &'static str,
        breaks: &'static str,
        says: &'static str,
        make: fn() -> Wrongness,
    ) -> Self {
        Self { name, breaks, says, make }
    }
}

const ALL: &[&[Mutant]] = &[
    pins::ALL,
    lifetime::ALL,
    reading::ALL,
    signing::ALL,
    certificates::ALL,
    card_level::ALL,
    card_manager::ALL,
    applications::ALL,
    secure::ALL,
    signatures::ALL,
    profiles::ALL,
];

struct Suite {
    requirements: Requirements,
    scenarios: Vec<Scenario>,
    cards: Cards,
    /// by wrong card, the scenarios that caught it
    caught: Mutex<BTreeMap<&'static str, Vec<String>>>,
}

fn main() {
    let arguments = Arguments::from_args();
    let requirements = Requirements::built_in();
    let scenarios = scenario::built_in(&requirements);
    let suite =
        Arc::new(Suite { requirements, scenarios, cards: Cards::default(), caught: Mutex::default() });
    let mutants = || ALL.iter().copied().flatten();
    let mut trials: Vec<Trial> = mutants()
        .map(|mutant| {
            let suite = suite.clone();
            Trial::test(format!("is_caught::{}", mutant.name), move || suite.must_catch(mutant))
        })
        .collect();
    trials.push(Trial::test("every_wrong_card_has_a_name_and_a_requirement_of_its_own_right", {
        let suite = suite.clone();
        move || {
            let names: BTreeSet<_> = mutants().map(|mutant| mutant.name).collect();
            assert_eq!(names.len(), mutants().count(), "two wrong cards share a name");
            let stranger = mutants().find(|mutant| suite.requirements.get(mutant.breaks).is_none());
            assert!(stranger.is_none(), "no requirement {:?}", stranger.map(|mutant| mutant.breaks));
            assert!(names.len() >= 60, "{} wrong cards", names.len());
            Ok(())
        }
    }));
    trials.push(Trial::test("english_is_told_from_japanese", || {
        japanese::english_is_told_from_japanese();
        Ok(())
    }));
    trials.push(Trial::test("the_right_card_in_the_same_wrapping_passes", {
        let suite = suite.clone();
        move || suite.must_pass()
    }));
    trials.push(Trial::test("what_only_our_issuer_promises_fails_nobody_elses_card", {
        let suite = suite.clone();
        move || suite.must_not_fail_others()
    }));
    let everything = arguments.filter.is_none() && !arguments.list && arguments.skip.is_empty();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if everything && !conclusion.has_failed() {
        suite.table_is_current();
    }
    conclusion.exit();
}

impl Suite {
    fn play(&self, scenario: &Scenario, wrongness: Wrongness) -> Verdict {
        self.play_before(Judge::OurIssuer, scenario, wrongness)
    }

    fn play_before(&self, judge: Judge, scenario: &Scenario, wrongness: Wrongness) -> Verdict {
        let personalised = self.cards.of(scenario).expect("a built-in holder");
        let holder = personalised.holder().clone();
        let card: VirtualCard = run::card_for(scenario, personalised);
        let surroundings = Surroundings {
            requirements: &self.requirements,
            holder: &holder,
            trust: &Trust::CardItself,
            judge,
            now: SystemTime::now(),
        };
        let mut link = InProcess(WrongCard::new(card, wrongness));
        Session::new(&mut link, surroundings).play(scenario)
    }

    /// A broken must is a failure, a broken should or observe an observation; either names the
    /// requirement.
    fn must_catch(&self, mutant: &'static Mutant) -> Result<(), Failed> {
        let level = self.requirements.get(mutant.breaks).map(|requirement| requirement.level);
        let mut caught = Vec::new();
        let mut otherwise = Vec::new();
        for scenario in self.scenarios.iter().filter(|scenario| covers(scenario, mutant.breaks)) {
            let verdict = self.play(scenario, (mutant.make)());
            if let Some(text) = japanese::untranslated(&verdict) {
                return Err(format!("{}: not in Japanese: {text}", scenario.id).into());
            }
            let names = |finding: &Finding| finding.requirements.iter().any(|id| id == mutant.breaks);
            let seen = match &verdict {
                Verdict::Failed { finding, .. } if names(finding) => true,
                Verdict::Failed { observations, .. } | Verdict::Passed { observations } => {
                    level != Some(Level::Must) && observations.iter().any(names)
                }
                _ => false,
            };
            if seen {
                caught.push(scenario.id.clone());
            } else {
                otherwise.push(format!("{}: {verdict:?}", scenario.id));
            }
        }
        if caught.is_empty() {
            let told = format!("no scenario catches it on {}\n{}", mutant.breaks, otherwise.join("\n"));
            return Err(told.into());
        }
        self.caught.lock().expect("no test panics with it").insert(mutant.name, caught);
        Ok(())
    }

    /// On another issuer's card, what a certificate should say is recorded and fails nobody.
    fn must_not_fail_others(&self) -> Result<(), Failed> {
        let should = |mutant: &&Mutant| {
            self.requirements.get(mutant.breaks).is_some_and(|requirement| requirement.level != Level::Must)
        };
        let mut recorded = BTreeSet::new();
        for mutant in certificates::ALL.iter().filter(should) {
            for scenario in self.scenarios.iter().filter(|scenario| covers(scenario, mutant.breaks)) {
                match self.play_before(Judge::Others, scenario, (mutant.make)()) {
                    Verdict::Failed { finding, .. } => {
                        return Err(format!("{} fails {}: {finding:?}", mutant.name, scenario.id).into());
                    }
                    Verdict::Passed { observations } if !observations.is_empty() => {
                        recorded.insert(mutant.name);
                    }
                    _ => {}
                }
            }
        }
        let silent = certificates::ALL.iter().filter(should).find(|mutant| !recorded.contains(mutant.name));
        silent.map_or(Ok(()), |mutant| Err(format!("{} is not even recorded", mutant.name).into()))
    }

    fn must_pass(&self) -> Result<(), Failed> {
        let scenarios =
            self.scenarios.iter().filter(|scenario| scenario.flow.is_none() && !scenario.has_faults());
        let plain = scenarios.map(|scenario| (scenario, Wrongness::default()));
        // the desk that keeps sessions in place of the card, by the right rules
        let in_session = |scenario: &&Scenario| scenario.id.starts_with("secure-messaging.");
        let kept = self.scenarios.iter().filter(in_session);
        let kept = kept.map(|scenario| (scenario, secure_card::keeping(SecureRules::default())));
        for (scenario, wrongness) in plain.chain(kept) {
            let verdict = self.play(scenario, wrongness);
            if !matches!(&verdict, Verdict::Passed { observations } if observations.is_empty()) {
                return Err(format!("{}: {verdict:?}", scenario.id).into());
            }
        }
        Ok(())
    }

    fn table_is_current(&self) {
        let caught = self.caught.lock().expect("no test panics with it");
        let row = |mutant: &'static Mutant| table::Row {
            name: mutant.name,
            says: mutant.says,
            breaks: mutant.breaks,
            caught_by: &caught[mutant.name],
        };
        let rows: Vec<_> = ALL.iter().copied().flatten().map(row).collect();
        table::must_be_current("card", "mutants", &rows);
    }
}

/// Faults are for the right card alone.
fn covers(scenario: &Scenario, requirement: &str) -> bool {
    !scenario.has_faults() && scenario.covers.iter().any(|covered| covered == requirement)
}

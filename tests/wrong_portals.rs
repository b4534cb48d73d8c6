//! What the flow scenarios catch. Each wrong portal is the right one with one part exchanged, or seen
//! through somebody who is wrong in one thing; a flow that covers the requirement which that breaks
//! must say so.

#[path = "wrong_portals/parts.rs"]
mod parts;
#[path = "wrong_portals/seen.rs"]
mod seen;
#[path = "wrong_things/table.rs"]
mod table;

use libtest_mimic::{Arguments, Failed, Trial};
use seen::{SeenThrough, Wrongness};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use vmyna::flow::{BEGINNING, DirectHand, InProcess, Parts, World, personalised};
use vmyna::portal::{Portal, SetUpError};
use vmyna::requirement::Requirements;
use vmyna::run::{Judge, Session, Surroundings, Verdict};
use vmyna::scenario::{self, FlowSetting, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::card::VirtualCard;

/// A portal that is wrong in one thing.
struct WrongPortal {
    /// one word for it
    name: &'static str,
    /// the requirement that it breaks
    breaks: &'static str,
    /// what is wrong
    says: &'static str,
    /// how it is put together
    make: fn(Parts) -> Result<Portal, SetUpError>,
    /// what is wrong with what comes of it
    wrongness: Wrongness,
}

/// Flows that the table names, so many are looked for.
const SHOWN: usize = 2;

struct Suite {
    requirements: Requirements,
    flows: Vec<Scenario>,
    /// by wrong portal, the flows that caught it
    caught: Mutex<BTreeMap<&'static str, Vec<String>>>,
}

fn main() {
    let arguments = Arguments::from_args();
    let requirements = Requirements::built_in();
    let mut flows = scenario::built_in(&requirements);
    flows.retain(|scenario| scenario.flow.is_some());
    let suite = Arc::new(Suite { requirements, flows, caught: Mutex::default() });
    let mut trials = Vec::new();
    for wrong in parts::ALL.iter().chain(seen::ALL) {
        let suite = suite.clone();
        trials.push(Trial::test(format!("is_caught::{}", wrong.name), move || suite.must_catch(wrong)));
    }
    trials.push(Trial::test("the_right_portal_in_the_same_wrapping_passes", {
        let suite = suite.clone();
        move || suite.must_pass()
    }));
    let everything = arguments.filter.is_none() && !arguments.list && arguments.skip.is_empty();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if everything && !conclusion.has_failed() {
        suite.table_is_current();
    }
    conclusion.exit();
}

impl Suite {
    fn play(
        &self,
        scenario: &Scenario,
        make: fn(Parts) -> Result<Portal, SetUpError>,
        wrongness: Wrongness,
    ) -> Result<Verdict, Failed> {
        let setting: FlowSetting = scenario.flow.ok_or("not a flow")?;
        let world = World::before(scenario, setting, personalised(&scenario.holder)?, BEGINNING, make)?;
        let own = world.wallet().card(None)?;
        let surroundings = Surroundings {
            requirements: &self.requirements,
            holder: own.personalised().holder(),
            trust: &Trust::CardItself,
            judge: Judge::BuiltIn,
            now: SystemTime::now(),
        };
        // Steps of flows do not use it.
        let mut link = vmyna::link::InProcess(VirtualCard::built_in("hanako")?);
        let mut stage = SeenThrough::new(InProcess::new(&world, Box::new(DirectHand)), wrongness);
        Ok(Session::new(&mut link, surroundings).on(&mut stage).play(scenario))
    }

    /// The difference must name the requirement.
    fn must_catch(&self, wrong: &'static WrongPortal) -> Result<(), Failed> {
        let (mut caught, mut otherwise) = (Vec::new(), Vec::new());
        let covers = |scenario: &&Scenario| scenario.covers.iter().any(|covered| covered == wrong.breaks);
        for scenario in self.flows.iter().filter(covers) {
            match self.play(scenario, wrong.make, wrong.wrongness)? {
                Verdict::Failed { finding, .. }
                    if finding.requirements.iter().any(|id| id == wrong.breaks) =>
                {
                    caught.push(scenario.id.clone());
                }
                verdict => otherwise.push(format!("{}: {verdict:?}", scenario.id)),
            }
            if caught.len() == SHOWN {
                break;
            }
        }
        if caught.is_empty() {
            let told = format!("no flow catches it on {}\n{}", wrong.breaks, otherwise.join("\n"));
            return Err(told.into());
        }
        self.caught.lock().expect("no test panics with it").insert(wrong.name, caught);
        Ok(())
    }

    fn table_is_current(&self) {
        let caught = self.caught.lock().expect("no test panics with it");
        let row = |wrong: &'static WrongPortal| table::Row {
            name: wrong.name,
            says: wrong.says,
            breaks: wrong.breaks,
            caught_by: &caught[wrong.name],
        };
        let rows: Vec<_> = parts::ALL.iter().chain(seen::ALL).map(row).collect();
        table::must_be_current("portal", "wrong_portals", &rows);
    }

    fn must_pass(&self) -> Result<(), Failed> {
        for scenario in &self.flows {
            let verdict = self.play(scenario, Parts::portal, Wrongness::None)?;
            if !matches!(&verdict, Verdict::Passed { observations } if observations.is_empty()) {
                return Err(format!("{}: {verdict:?}", scenario.id).into());
            }
        }
        Ok(())
    }
}

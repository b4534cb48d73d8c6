//! What the flow scenarios catch. Each wrong portal is the right one with one part exchanged, or seen
//! through somebody who is wrong in one thing; a flow that covers the requirement which that breaks
//! must say so.

#[path = "wrong_portals/parts.rs"]
mod parts;
#[path = "wrong_portals/seen.rs"]
mod seen;

use libtest_mimic::{Arguments, Failed, Trial};
use seen::{SeenThrough, Wrongness};
use std::sync::Arc;
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
    /// how it is put together
    make: fn(Parts) -> Result<Portal, SetUpError>,
    /// what is wrong with what comes of it
    wrongness: Wrongness,
}

struct Suite {
    requirements: Requirements,
    flows: Vec<Scenario>,
}

fn main() {
    let arguments = Arguments::from_args();
    let requirements = Requirements::built_in();
    let mut flows = scenario::built_in(&requirements);
    flows.retain(|scenario| scenario.flow.is_some());
    let suite = Arc::new(Suite { requirements, flows });
    let mut trials = Vec::new();
    for wrong in parts::ALL.iter().chain(seen::ALL) {
        let suite = suite.clone();
        trials.push(Trial::test(format!("is_caught::{}", wrong.name), move || suite.must_catch(wrong)));
    }
    trials.push(Trial::test("the_right_portal_in_the_same_wrapping_passes", move || suite.must_pass()));
    libtest_mimic::run(&arguments, trials).exit();
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

    fn must_catch(&self, wrong: &WrongPortal) -> Result<(), Failed> {
        let mut otherwise = Vec::new();
        let covers = |scenario: &&Scenario| scenario.covers.iter().any(|covered| covered == wrong.breaks);
        for scenario in self.flows.iter().filter(covers) {
            match self.play(scenario, wrong.make, wrong.wrongness)? {
                Verdict::Failed { .. } => return Ok(()),
                verdict => otherwise.push(format!("{}: {verdict:?}", scenario.id)),
            }
        }
        Err(format!("no flow catches it on {}\n{}", wrong.breaks, otherwise.join("\n")).into())
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

//! Flows elsewhere than in one process: their portal behind a socket, and whoever visits it.

#![allow(dead_code, reason = "each test uses its part")]

#[path = "../support/passed.rs"]
mod passed;
pub mod served;

use libtest_mimic::Failed;
use passed::must_have_passed;
use std::time::SystemTime;
use vmyna::flow::{Stage, World};
use vmyna::requirement::Requirements;
use vmyna::run::{Judge, Session, Surroundings};
use vmyna::scenario::{self, FlowSetting, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::card::VirtualCard;

/// Every built-in flow.
pub fn flows(requirements: &Requirements) -> Vec<(&'static Scenario, FlowSetting)> {
    let flows = scenario::built_in(requirements).into_iter();
    flows
        .filter_map(|scenario| {
            let setting = scenario.flow?;
            Some((&*Box::leak(Box::new(scenario)), setting))
        })
        .collect()
}

/// Plays `scenario` on `stage`, which is set up in `world`. It must do exactly as the file says.
pub fn must_pass(
    scenario: &Scenario,
    world: &World,
    stage: &mut dyn Stage,
    requirements: &Requirements,
) -> Result<(), Failed> {
    let own = world.wallet().card(None)?;
    let surroundings = Surroundings {
        requirements,
        holder: own.personalised().holder(),
        trust: &Trust::CardItself,
        judge: Judge::BuiltIn,
        now: SystemTime::now(),
    };
    // Steps of flows do not use it.
    let mut link = vmyna::link::InProcess(VirtualCard::built_in("hanako")?);
    let verdict = Session::new(&mut link, surroundings).on(stage).play(scenario);
    must_have_passed(scenario, requirements, &verdict)
}

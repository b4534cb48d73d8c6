//! Flows elsewhere than in one process: their portal behind a socket, and whoever visits it.

#![allow(dead_code, reason = "each test uses its part")]

pub mod served;

use libtest_mimic::Failed;
use std::time::{Duration, SystemTime};
use vmyna::flow::{Stage, World};
use vmyna::language::Language;
use vmyna::report::Text;
use vmyna::requirement::Requirements;
use vmyna::run::{Event, Judge, Session, Sink, Surroundings, Verdict};
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

/// Plays `scenario` on `stage`, which is set up in `world`. It must do exactly as the file says; what
/// it does not is told as `vmyna run` tells it.
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
    if matches!(&verdict, Verdict::Passed { observations } if observations.is_empty()) {
        return Ok(());
    }
    let mut told = Vec::new();
    let mut report = Text::new(anstream::StripStream::new(&mut told), Language::En, requirements);
    report.event(&Event::CaseEnded { scenario, verdict: &verdict, left_undone: &[], took: Duration::ZERO });
    Err(Failed::from(String::from_utf8_lossy(&told)))
}

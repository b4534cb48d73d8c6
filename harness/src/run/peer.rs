//! A suite against a card that is not built in. Such a card keeps its state from one scenario to
//! the next and may be somebody's real one: scenarios come in the order of their cost, counters are
//! read first, what a scenario needs and the card does not bring is a requirement missing, and what
//! was changed is changed back.

use super::announcement::describe;
use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, Sink, Summary};
use super::job::Setting;
use super::peer_source::{NothingCouldRun, PeerOptions, PeerSource};
use super::plan::{Plan, STANDARD};
use super::recorder::Recorder;
use super::schedule::in_order;
use super::verdict::StoppedBy;
use crate::link::Said;
use crate::scenario::{DEFAULT_HOLDER, Scenario};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use vmyna_sim::pin::PinName;

/// Plays `scenarios` on the cards of `source`.
///
/// # Errors
/// [`NothingCouldRun`] when no card came at all.
pub fn run_on_peer(
    scenarios: &[&Scenario],
    source: &mut dyn PeerSource,
    options: &PeerOptions,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
) -> Result<Summary, NothingCouldRun> {
    run_on_peer_heard(scenarios, source, options, conduct, beginning, sink, &mut |_| {})
}

/// As [`run_on_peer`]; `heard` is told every command of the scenarios with its answer, and nothing of
/// what goes on between them.
///
/// # Errors
/// As [`run_on_peer`].
pub fn run_on_peer_heard(
    scenarios: &[&Scenario],
    source: &mut dyn PeerSource,
    options: &PeerOptions,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
    heard: &mut dyn FnMut(Said<'_>),
) -> Result<Summary, NothingCouldRun> {
    let planned = planned(scenarios);
    let recorder = Recorder::new(sink.wants());
    let mut course = Course::begin(conduct, beginning, sink);
    course.planned(&describe(&planned, options, *STANDARD));
    let setting = Setting::of(options, conduct, watched(&planned));

    let mut job = setting.job(1, source, recorder);
    match job.insert() {
        Err(NothingCouldRun::Interrupted) => {
            planned.iter().for_each(|(scenario, _)| course.not_run(scenario, StoppedBy::Signal));
            return Ok(course.end());
        }
        inserted => inserted?,
    }
    job.introduce(&mut course);
    for (scenario, _) in &planned {
        if let Some(stopped) = course.is_over(conduct) {
            course.not_run(scenario, stopped);
            continue;
        }
        course.case_began(scenario);
        let played = job.turn(scenario, heard)?;
        course.case_ended(scenario, played);
    }
    Ok(course.end())
}

/// Plays `scenarios` on the cards of all `sources` at once. Each card is started anew for its scenario, by
/// the command of `--fresh`, which finds in `VMYNA_PORT` where its card is expected.
///
/// # Errors
/// As [`run_on_peer`].
pub fn run_on_fresh_peers(
    scenarios: &[&Scenario],
    sources: Vec<Box<dyn PeerSource + Send>>,
    options: &PeerOptions,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
) -> Result<Summary, NothingCouldRun> {
    let planned = planned(scenarios);
    let detail = sink.wants();
    let mut course = Course::begin(conduct, beginning, sink);
    course.planned(&describe(&planned, options, *STANDARD));
    let setting = Setting::of(options, conduct, watched(&planned));
    let Some(jobs) = NonZeroUsize::new(sources.len()) else { return Ok(course.end()) };
    let sources: Vec<_> = sources.into_iter().map(Mutex::new).collect();

    // Whose card it is, is told before the first scenario.
    {
        let mut source = sources[0].lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = setting.job(1, &mut **source, Recorder::default());
        match first.insert() {
            Err(NothingCouldRun::Interrupted) => {
                planned.iter().for_each(|(scenario, _)| course.not_run(scenario, StoppedBy::Signal));
                return Ok(course.end());
            }
            inserted => inserted?,
        }
        first.introduce(&mut course);
        first.remove();
    }
    let closed = AtomicBool::new(false);
    let worker = |number: usize| {
        let (closed, planned, sources, setting) = (&closed, &planned, &sources, &setting);
        move |index: usize| {
            if closed.load(Ordering::Relaxed) || conduct.interrupt.has_come() {
                return None;
            }
            let mut source = sources[number].lock().unwrap_or_else(PoisonError::into_inner);
            let (scenario, _) = planned[index];
            let mut job = setting.job(number + 1, &mut **source, Recorder::new(detail));
            let played = job.turn(scenario, &mut |_| {});
            let fails = |played: &Played| conduct.expected.fails(scenario, &played.verdict);
            if played.as_ref().map_or(true, |played| conduct.fail_fast && fails(played)) {
                closed.store(true, Ordering::Relaxed);
            }
            Some(played)
        }
    };
    in_order(jobs, planned.len(), worker, |due, played| {
        let (scenario, _) = planned[due];
        match played {
            None => course.not_run(scenario, conduct.stopped_by()),
            Some(played) => {
                let played = played?;
                course.case_began(scenario);
                course.case_ended(scenario, played);
            }
        }
        Ok(())
    })?;
    Ok(course.end())
}

/// In the order of what they cost. Lockouts of one PIN come together, and what begins blocked after what
/// blocks; what is about another person's card last, because on this one it says little.
fn planned<'a>(scenarios: &[&'a Scenario]) -> Vec<(&'a Scenario, Plan)> {
    let mut planned: Vec<_> =
        scenarios.iter().map(|scenario| (*scenario, Plan::of(scenario, *STANDARD))).collect();
    planned.sort_by_key(|(scenario, plan)| {
        let spoiled = plan.pins.iter().filter(|(_, usage)| usage.blocked || usage.spent_at_end > 0);
        let begins_blocked = scenario.given.values().any(|tries| *tries == 0);
        let about_another = scenario.holder != DEFAULT_HOLDER;
        (plan.cost(), spoiled.map(|(pin, _)| *pin).max(), begins_blocked, about_another)
    });
    planned
}

/// The PINs whose counters are watched: those of JPKI, and every other that the run touches.
fn watched(planned: &[(&Scenario, Plan)]) -> BTreeSet<PinName> {
    let touched = planned.iter().flat_map(|(_, plan)| plan.pins.keys().copied());
    PinName::JPKI.into_iter().chain(touched).collect()
}

//! One scenario played against one card: each step becomes commands, each answer is held against
//! what the step expects.

mod answer;
mod certificate;
mod certificate_fields;
mod command;
mod content;
mod flow_steps;
mod pin;
mod playing;
mod reading;
mod secure;
mod sign;
mod text;

use super::judge::Judge;
use super::person::is_same;
use super::plan::{STANDARD, no_application};
use super::recorder::{Happening, Recorder, StepOutcome};
use super::verdict::{Difference, Finding, Stage, Verdict, link_lost};
use crate::flow;
use crate::language::Bilingual;
use crate::link::{CardLink, LinkError, Refused};
use crate::requirement::Requirements;
use crate::scenario::{Captures, PlacedStep, PowerStep, Scenario, SelectTarget, Verb};
use crate::terminal;
use crate::terminal::secure_messaging::SecureSession;
use crate::terminal::{CertificateName, PinChoice};
use crate::verify::{Certificate, Trust};
use answer::{Stop, Unmet};
use playing::Kept;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime};
use vmyna_sim::apdu::Status;
use vmyna_sim::document::Position;
use vmyna_sim::exchange::ShownResponse;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;

/// What a scenario is played with, besides the card.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// the rules
    pub requirements: &'a Requirements,
    /// whose PINs
    pub holder: &'a Holder,
    /// anchors for certificate paths
    pub trust: &'a Trust,
    /// whose card it is
    pub judge: Judge,
    /// now
    pub now: SystemTime,
}

/// One scenario being played.
pub struct Session<'a> {
    link: &'a mut dyn CardLink,
    surroundings: Surroundings<'a>,
    certificates: HashMap<CertificateName, Certificate>,
    values: BTreeMap<PinName, PinChoice>,
    /// tries left when the scenario last asked
    asked: BTreeMap<PinName, u8>,
    captures: Captures,
    /// the session of secure messaging that was opened last
    secure: Option<SecureSession>,
    /// the one before it
    former_secure: Option<SecureSession>,
    /// how many have been opened
    sessions_opened: u32,
    /// how many tries the card gives each PIN
    full: Tries,
    /// whether the last answer is kept, because the step that is played captures of it
    keeps: bool,
    /// what time it is, where time is real
    clock: Clock<'a>,
    /// the last answer, or what a step has put together of several
    last: Option<Kept>,
    /// where a flow is played, and who looks on
    flow: Option<(&'a mut dyn flow::Stage, flow::Watch)>,
    recorder: Recorder,
    /// what failed in the cleanup
    left_undone: Vec<Finding>,
}

/// What time it is.
#[derive(Clone, Copy)]
enum Clock<'a> {
    /// time is not real
    None,
    /// time since the session began
    Real(Instant),
    /// time by somebody else's clock
    Given(&'a dyn Fn() -> Duration),
}

impl Clock<'_> {
    fn now(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Real(start) => Some(start.elapsed()),
            Self::Given(now) => Some(now()),
        }
    }
}

/// How the steps of a scenario ended before their end.
enum End {
    Failed(Box<Finding>),
    Lost(Position, Bilingual),
    Missing(Bilingual),
    NotApplicable(Bilingual),
    Refused(Refused),
}

impl<'a> Session<'a> {
    /// Begins with a card that is powered and has nothing selected.
    ///
    /// Answers are timed unless the card is built in: it answers at once, and what took long was
    /// the machine.
    pub fn new(link: &'a mut dyn CardLink, surroundings: Surroundings<'a>) -> Self {
        let clock = match surroundings.judge {
            Judge::BuiltIn => Clock::None,
            _ => Clock::Real(Instant::now()),
        };
        Self {
            clock,
            link,
            surroundings,
            certificates: HashMap::new(),
            values: BTreeMap::new(),
            asked: BTreeMap::new(),
            captures: Captures::default(),
            secure: None,
            former_secure: None,
            sessions_opened: 0,
            full: *STANDARD,
            keeps: false,
            last: None,
            flow: None,
            recorder: Recorder::default(),
            left_undone: Vec::new(),
        }
    }

    /// Steps of flows are played on `stage`.
    #[must_use]
    pub fn on(self, stage: &'a mut dyn flow::Stage) -> Self {
        Self { flow: Some((stage, flow::Watch::default())), ..self }
    }

    /// Tells `recorder` of its steps.
    #[must_use]
    pub fn recording(self, recorder: Recorder) -> Self {
        Self { recorder, ..self }
    }

    /// Plays on a card that gives its PINs so many tries; those of the profile `card` otherwise.
    #[must_use]
    pub const fn with_tries(mut self, full: Tries) -> Self {
        self.full = full;
        self
    }

    /// Times answers by `clock`, the time since some instant.
    #[must_use]
    pub fn timed_by(mut self, clock: &'a dyn Fn() -> Duration) -> Self {
        self.clock = Clock::Given(clock);
        self
    }

    /// Plays `scenario` to its end, or to the first step that fails; its cleanup in any case, as
    /// long as the card is there.
    pub fn play(&mut self, scenario: &Scenario) -> Verdict {
        let mut observations = Vec::new();
        let end = self
            .steps(scenario, Stage::Setup, &mut observations)
            .or_else(|| self.steps(scenario, Stage::Steps, &mut observations))
            .or_else(|| self.flow_ended(scenario).map(|finding| End::Failed(Box::new(finding))));
        let mut verdict = match end {
            None => Verdict::Passed { observations },
            Some(End::Failed(finding)) => Verdict::Failed { finding, observations },
            Some(End::NotApplicable(reason)) => Verdict::NotApplicable(reason),
            Some(End::Missing(reason)) => Verdict::RequirementMissing(reason),
            Some(End::Refused(refused)) => Verdict::RefusedByGuard(refused),
            Some(End::Lost(position, reason)) => {
                return Verdict::LinkLost { position: Some(position), reason };
            }
        };
        self.clean_up(scenario, &mut verdict);
        verdict
    }

    /// PINs whose value is not the holder's own any more.
    pub fn changed_pins(&self) -> impl Iterator<Item = PinName> {
        self.values.iter().filter(|(_, value)| **value != PinChoice::Right).map(|(pin, _)| *pin)
    }

    fn steps(&mut self, scenario: &Scenario, stage: Stage, observations: &mut Vec<Finding>) -> Option<End> {
        let steps = if stage == Stage::Setup { &scenario.setup } else { &scenario.steps };
        for placed in steps {
            self.begins(placed);
            let observed = observations.len();
            let end = self.one(scenario, placed, stage, observations);
            self.recorder.record(|| {
                Happening::StepEnded(match &end {
                    None if observations.len() == observed => StepOutcome::Passed,
                    None => StepOutcome::Observed,
                    Some(End::Failed(_)) => StepOutcome::Failed,
                    Some(_) => StepOutcome::Stopped,
                })
            });
            if end.is_some() {
                return end;
            }
        }
        None
    }

    fn begins(&self, placed: &PlacedStep) {
        self.recorder.record(|| Happening::StepBegan {
            position: placed.position.clone(),
            step: placed.step.verb.to_string(),
            words: placed.step.in_words(),
        });
    }

    fn one(
        &mut self,
        scenario: &Scenario,
        placed: &PlacedStep,
        stage: Stage,
        observations: &mut Vec<Finding>,
    ) -> Option<End> {
        let unmet = match self.played(&placed.step) {
            Ok(()) => return None,
            Err(Stop::Link(LinkError::Refused(refused))) => return Some(End::Refused(refused)),
            Err(Stop::Link(LinkError::Lost(reason))) => {
                return Some(End::Lost(placed.position.clone(), reason));
            }
            Err(Stop::Missing(reason)) => return Some(End::Missing(reason)),
            Err(Stop::Differs(unmet)) => unmet,
        };
        if let Some(application) = self.missing_application(&placed.step.verb, &unmet) {
            return Some(End::NotApplicable(no_application(application)));
        }
        let finding = finding(scenario, placed, stage, *unmet);
        let Surroundings { judge, requirements, .. } = self.surroundings;
        let is_precondition = placed.step.precondition || stage == Stage::Setup;
        let holder = self.surroundings.holder;
        let is_anothers = Holder::built_in(&scenario.holder).is_some_and(|named| !is_same(&named, holder));
        if is_precondition && (judge != Judge::BuiltIn || is_anothers) {
            let Finding { position, words, difference: Difference { came, .. }, .. } = finding;
            return Some(End::Missing(Bilingual::new(
                format!("{}。実際: {} ({position})", words.ja, came.ja),
                format!("{}; came: {} ({position})", words.en, came.en),
            )));
        }
        if judge.fails(finding.difference.kind, &finding.requirements, requirements) {
            return Some(End::Failed(Box::new(finding)));
        }
        observations.push(finding);
        None
    }

    /// Somebody else's card that does not find an application, not even when that is the first thing it
    /// is asked after power-up, does not have it.
    fn missing_application(&mut self, verb: &Verb, unmet: &Unmet) -> Option<&'static str> {
        let Verb::Select(select) = verb else { return None };
        let SelectTarget::Application { name, aid } = select.target else { return None };
        let is_asked = matches!(self.surroundings.judge, Judge::OurIssuer | Judge::Others);
        let answer = unmet.difference.exchange.as_ref().and_then(|exchange| exchange.response.as_ref());
        let not_found = answer.and_then(ShownResponse::status) == Some(Status::FileNotFound);
        // The card manager is no application that a card may lack: it is there at power-up.
        if !is_asked || !not_found || !select.expects_success() || name == "card_manager" {
            return None;
        }
        self.power(PowerStep::Cycle).ok()?;
        let answer = self.transmit(&terminal::select_application(aid)).ok()?;
        let status = answer.response().map(|response| response.status);
        (status == Some(Status::FileNotFound)).then_some(name)
    }

    /// Plays every step of the cleanup, whatever becomes of the others. What fails in it is kept beside
    /// the verdict; only a card that is lost in it takes the place of having passed.
    fn clean_up(&mut self, scenario: &Scenario, verdict: &mut Verdict) {
        for placed in &scenario.cleanup {
            self.begins(placed);
            let played = self.played(&placed.step);
            self.recorder.record(|| {
                Happening::StepEnded(match &played {
                    Ok(()) => StepOutcome::Passed,
                    Err(Stop::Differs(_)) => StepOutcome::Failed,
                    Err(_) => StepOutcome::Stopped,
                })
            });
            let unmet = match played {
                Ok(()) => continue,
                Err(Stop::Differs(unmet)) => *unmet,
                Err(Stop::Missing(reason)) => Unmet::unplayed(reason),
                Err(Stop::Link(LinkError::Refused(refused))) => Unmet::unplayed(refused.in_words()),
                Err(Stop::Link(LinkError::Lost(reason))) => {
                    if matches!(verdict, Verdict::Passed { .. }) {
                        *verdict = Verdict::LinkLost { position: Some(placed.position.clone()), reason };
                    } else {
                        let unmet = Unmet::unplayed(link_lost(&reason));
                        self.left_undone.push(finding(scenario, placed, Stage::Cleanup, unmet));
                    }
                    return;
                }
            };
            self.left_undone.push(finding(scenario, placed, Stage::Cleanup, unmet));
        }
    }

    /// What the cleanup of the scenario that was played did not do as it should.
    pub fn left_undone(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.left_undone)
    }
}

fn finding(scenario: &Scenario, placed: &PlacedStep, stage: Stage, unmet: Unmet) -> Finding {
    let step = &placed.step;
    let position = unmet.mark.map_or_else(|| placed.position.clone(), |mark| scenario.source.position(mark));
    Finding {
        snippet: scenario.source.snippet(&position),
        position,
        stage,
        step: step.verb.to_string(),
        words: step.verb.in_words(),
        // A cleanup proves nothing of what the scenario is about.
        requirements: if step.covers.is_empty() && stage != Stage::Cleanup {
            scenario.covers.clone()
        } else {
            step.covers.clone()
        },
        why: unmet.why.or_else(|| step.why.clone()),
        difference: unmet.difference,
    }
}

#[cfg(test)]
mod tests;

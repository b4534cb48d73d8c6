//! A suite against a card that is not built in. Such a card keeps its state from one scenario to
//! the next and may be somebody's real one: scenarios come in the order of their cost, counters are
//! read first, what a scenario needs and the card does not bring is a requirement missing, and what
//! was changed is changed back.

use super::announcement::describe;
use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, CardIdentity, Sink, Summary};
use super::fresh::FreshProcess;
use super::judge::Judge;
use super::kind;
use super::plan::Plan;
use super::recorder::{Recorded, Recorder};
use super::seat::Seat;
use super::session::{Session, Surroundings};
use super::verdict::{StoppedBy, Verdict};
use crate::flow::{self, PeerHand, World};
use crate::link::{CardLink, Consent, Guard, Heard, KnownPin, LinkError, Refused, Said, Stopped};
use crate::scenario::{DEFAULT_HOLDER, FlowSetting, PinChoice, ReadStyle, Scenario};
use crate::terminal;
use crate::verify::Certificate;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use vmyna_sim::apdu::ResponseApdu;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::{Profile, Tries};
use vmyna_sim::smart_card::Power;

/// How long a wait goes on before it is looked whether a signal has come.
const SLICE: Duration = Duration::from_millis(250);

/// Where cards come from: a reader's end that waits for one, or a card that listens.
pub trait PeerSource {
    /// The next card, within the deadline.
    ///
    /// # Errors
    /// A sentence saying that none came, and where it was waited for.
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, String>;
}

/// How a suite is run against such a card.
#[derive(Debug)]
pub struct PeerOptions {
    /// whose PINs, where the user said so
    pub holder: Option<Holder>,
    /// the user says that the card is a simulator
    pub mine: bool,
    /// what the user allows on a card that may be real
    pub consent: Consent,
    /// how long to wait for a card
    pub wait: Duration,
    /// a command that starts the card anew before each scenario
    pub fresh: Option<String>,
    /// who judges, where not whoever the card's issuer calls for
    pub judge: Option<Judge>,
}

/// Nothing could be played.
#[derive(Debug, Error)]
pub enum NothingCouldRun {
    /// no card within the wait
    #[error("{0}")]
    NoCard(String),
    /// a signal came while there was no card yet
    #[error("stopped by a signal while there was no card")]
    Interrupted,
    /// the command of `--fresh` could not be started
    #[error("--fresh: {command:?} cannot be started: {source}")]
    Fresh {
        /// the command
        command: String,
        /// why
        source: std::io::Error,
    },
    /// a scenario names a holder that is not built in
    #[error("{scenario}: there is no built-in holder {holder:?}; --holder FILE tells whose PINs to use")]
    UnknownHolder {
        /// the scenario
        scenario: String,
        /// the holder it names
        holder: String,
    },
}

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
    let full = Profile::card().tries;
    let mut planned: Vec<(&Scenario, Plan)> =
        scenarios.iter().map(|scenario| (*scenario, Plan::of(scenario, full))).collect();
    planned.sort_by_key(|(scenario, plan)| {
        // Lockouts of one PIN together, and what begins blocked after what blocks; what is about another
        // person's card last, because on this one it says little.
        let spoiled = plan.pins.iter().filter(|(_, usage)| usage.blocked || usage.spent_at_end > 0);
        let begins_blocked = scenario.given.values().any(|tries| *tries == 0);
        let about_another = scenario.holder != DEFAULT_HOLDER;
        (plan.cost(), spoiled.map(|(pin, _)| *pin).max(), begins_blocked, about_another)
    });

    let recorder = Recorder::new(sink.wants_happenings());
    let mut course = Course::begin(conduct, beginning, sink);
    course.planned(&describe(&planned, options, full));

    let mut suite = Suite {
        source,
        options,
        conduct,
        full,
        seat: None,
        process: None,
        pins: PinName::JPKI
            .into_iter()
            .chain(planned.iter().flat_map(|(_, plan)| plan.pins.keys().copied()))
            .collect(),
        stopped: Stopped::default(),
        unusable: BTreeSet::new(),
        gone: None,
        recorder,
    };
    match suite.insert() {
        Err(NothingCouldRun::Interrupted) => {
            planned.iter().for_each(|(scenario, _)| course.not_run(scenario, StoppedBy::Signal));
            return Ok(course.end());
        }
        inserted => inserted?,
    }
    if let Some(seat) = &suite.seat {
        course.card(&seat.identity);
        if let Some(reader) = seat.link.reader() {
            course.reader(reader);
        }
        course.note(&seat.introduction(options));
    }
    for (index, (scenario, plan)) in planned.iter().enumerate() {
        if conduct.interrupt.has_come() || conduct.fail_fast && course.has_failed() {
            let stopped = if course.has_failed() { StoppedBy::FirstFailure } else { StoppedBy::Signal };
            course.not_run(scenario, stopped);
            continue;
        }
        course.case_began(scenario);
        let start = Instant::now();
        if index > 0 && options.fresh.is_some() {
            suite.remove();
        }
        let verdict = match suite.insert() {
            Ok(()) => suite.play(scenario, plan, heard)?,
            Err(NothingCouldRun::NoCard(reason)) => {
                Verdict::RequirementMissing(format!("the card did not come back: {reason}"))
            }
            Err(NothingCouldRun::Interrupted) => Verdict::NotRun(StoppedBy::Signal),
            Err(error) => return Err(error),
        };
        let happenings = suite.recorder.take();
        course.case_ended(scenario, Played { verdict, happenings, took: start.elapsed() });
    }
    Ok(course.end())
}

struct Suite<'a> {
    source: &'a mut dyn PeerSource,
    options: &'a PeerOptions,
    conduct: &'a Conduct<'a>,
    full: Tries,
    seat: Option<Seat>,
    process: Option<FreshProcess>,
    /// whose counters are watched
    pins: BTreeSet<PinName>,
    stopped: Stopped,
    /// PINs that had been changed when the card was lost
    unusable: BTreeSet<PinName>,
    /// why there is no card, once one has not come back: it is not waited for again
    gone: Option<String>,
    recorder: Recorder,
}

impl Suite<'_> {
    /// Takes the card away, and ends the process that is the card where we started it.
    fn remove(&mut self) {
        // The process first: a card whose reader leaves would connect again.
        self.process = None;
        self.seat = None;
    }

    /// Sees to it that a card is connected and known.
    fn insert(&mut self) -> Result<(), NothingCouldRun> {
        if self.seat.is_some() {
            return Ok(());
        }
        if let Some(reason) = &self.gone {
            return Err(NothingCouldRun::NoCard(reason.clone()));
        }
        let inserted = self.wait_for_a_card();
        if let (Err(NothingCouldRun::NoCard(reason)), None) = (&inserted, &self.options.fresh) {
            self.gone = Some(reason.clone());
        }
        inserted
    }

    fn wait_for_a_card(&mut self) -> Result<(), NothingCouldRun> {
        if let Some(command) = &self.options.fresh {
            self.process = None;
            let started = FreshProcess::start(command);
            self.process =
                Some(started.map_err(|source| NothingCouldRun::Fresh { command: command.clone(), source })?);
        }
        let deadline = Instant::now() + self.options.wait;
        loop {
            if self.conduct.interrupt.has_come() {
                return Err(NothingCouldRun::Interrupted);
            }
            // In slices, so that a signal is heard.
            let slice = deadline.min(Instant::now() + SLICE);
            let link = match self.source.connect(slice) {
                Ok(link) => link,
                Err(_) if Instant::now() < deadline => continue,
                Err(reason) => return Err(NothingCouldRun::NoCard(reason)),
            };
            // A card may have connected and gone again while it waited in the queue.
            match self.identify(link) {
                Ok(seat) => {
                    self.seat = Some(seat);
                    return Ok(());
                }
                Err(_) if Instant::now() < deadline => {}
                Err(error) => return Err(NothingCouldRun::NoCard(error.to_string())),
            }
        }
    }

    /// Powers the card, sees whose it is, guards it where it may be real, and reads its counters.
    fn identify(&self, mut link: Box<dyn CardLink>) -> Result<Seat, LinkError> {
        link.power(Power::On)?;
        let atr = link.atr()?;
        link = Box::new(Recorded::new(link, self.recorder.clone()));
        let certificate = read_user_authentication_certificate(&mut *link)?;
        let identity = CardIdentity::of(&atr, certificate.as_ref());
        let algorithm = certificate.as_ref().and_then(kind::algorithm);
        let ours = certificate.is_some_and(|certificate| certificate.is_ours());
        let guarded = !ours && !self.options.mine;
        if guarded {
            let known = self.options.holder.as_ref().map(known_pins).unwrap_or_default();
            link = Box::new(Guard::new(link, self.options.consent, known, self.stopped.clone()));
        }
        let judge = if ours { Judge::OurIssuer } else { Judge::Others };
        let (pins, unusable) = (self.pins.clone(), self.unusable.clone());
        let tries_left = BTreeMap::new();
        let mut seat =
            Seat { link, identity, judge, algorithm, label: None, guarded, pins, tries_left, unusable };
        seat.read_counters()?;
        Ok(seat)
    }

    fn play(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        heard: &mut dyn FnMut(Said<'_>),
    ) -> Result<Verdict, NothingCouldRun> {
        let Some(seat) = &mut self.seat else {
            return Ok(Verdict::RequirementMissing("there is no card".to_owned()));
        };
        if let Some(setting) = scenario.flow {
            return Ok(self.play_flow(scenario, setting));
        }
        if scenario.profile.is_some() {
            match seat.kind().map(|kind| kind.is_not_meant_by(scenario)) {
                Ok(None) => {}
                Ok(Some(why)) => return Ok(Verdict::NotApplicable(why)),
                Err(error) => {
                    self.seat = None;
                    return Ok(Verdict::LinkLost { position: None, reason: error.to_string() });
                }
            }
        }
        let holder = match &self.options.holder {
            Some(holder) => holder.clone(),
            None => Holder::built_in(&scenario.holder).ok_or_else(|| NothingCouldRun::UnknownHolder {
                scenario: scenario.id.clone(),
                holder: scenario.holder.clone(),
            })?,
        };
        if seat.guarded
            && let Some(refused) = refusal(plan, self.options)
        {
            return Ok(Verdict::RefusedByGuard(refused));
        }
        let may_spend = !seat.guarded || self.options.consent.spend_tries;
        match seat.prepare(scenario, plan, &holder, self.full, may_spend) {
            Ok(None) => {}
            Ok(Some(missing)) => return Ok(Verdict::RequirementMissing(missing)),
            Err(LinkError::Refused(refused)) => return Ok(Verdict::RefusedByGuard(refused)),
            Err(LinkError::Lost(reason)) => {
                self.seat = None;
                return Ok(Verdict::LinkLost { position: None, reason });
            }
        }
        let surroundings = Surroundings {
            requirements: self.conduct.requirements,
            holder: &holder,
            trust: self.conduct.trust,
            judge: self.options.judge.unwrap_or(seat.judge),
            now: SystemTime::now(),
        };
        let mut link = Heard::new(&mut *seat.link, heard);
        let mut session = Session::new(&mut link, surroundings).recording(self.recorder.clone());
        let verdict = session.play(scenario);
        let changed: Vec<PinName> = session.changed_pins().collect();
        if matches!(verdict, Verdict::LinkLost { .. }) {
            self.lose(changed);
            return Ok(verdict);
        }
        let kept = match (changed.is_empty(), verdict) {
            (true, Verdict::Passed { observations }) => match seat.account(scenario, plan, self.full) {
                Ok(None) => return Ok(Verdict::Passed { observations }),
                Ok(Some(finding)) => (
                    seat.restore(&[], &holder, self.full),
                    Verdict::Failed { finding: Box::new(finding), observations },
                ),
                Err(error) => (Err(error), Verdict::Passed { observations }),
            },
            (_, verdict) => (seat.restore(&changed, &holder, self.full), verdict),
        };
        if kept.0.is_err() {
            self.lose(changed);
        }
        Ok(kept.1)
    }

    /// Plays a flow with the card on the phone: one whose certificates the portal accepts.
    fn play_flow(&mut self, scenario: &Scenario, setting: FlowSetting) -> Verdict {
        let entered = match flow::on_a_peer(scenario) {
            Ok(entered) => entered,
            Err(reason) => return Verdict::NotApplicable(reason.to_owned()),
        };
        let Some(mut seat) = self.seat.take() else {
            return Verdict::RequirementMissing("there is no card".to_owned());
        };
        if seat.guarded || seat.judge != Judge::OurIssuer {
            self.seat = Some(seat);
            return Verdict::NotApplicable(TEST_CARDS_ONLY.to_owned());
        }
        let plan = Plan::of_entering(entered.right, entered.wrong);
        let holder = self.options.holder.clone().or_else(|| Holder::built_in(DEFAULT_HOLDER));
        let now = Timestamp::now();
        let world = holder.ok_or_else(|| "there is no holder".to_owned()).and_then(|holder| {
            let personalised = Personalised::new(holder, Profile::card(), now);
            let personalised = Arc::new(personalised.map_err(|error| error.to_string())?);
            World::around(scenario, setting, personalised, now).map_err(|error| error.to_string())
        });
        let world = match world {
            Ok(world) => world,
            Err(reason) => {
                self.seat = Some(seat);
                return Verdict::RequirementMissing(reason);
            }
        };
        let Ok(own) = world.wallet().card(None) else {
            return Verdict::RequirementMissing("there is no holder".to_owned());
        };
        let holder = own.personalised().holder();
        match seat.prepare(scenario, &plan, holder, self.full, true) {
            Ok(None) => {}
            Ok(Some(missing)) => {
                self.seat = Some(seat);
                return Verdict::RequirementMissing(missing);
            }
            Err(error) => return Verdict::LinkLost { position: None, reason: error.to_string() },
        }
        let link = Rc::new(RefCell::new(seat.link));
        let verdict = {
            let surroundings = Surroundings {
                requirements: self.conduct.requirements,
                holder,
                trust: self.conduct.trust,
                judge: seat.judge,
                now: SystemTime::now(),
            };
            let mut stage = flow::InProcess::new(&world, Box::new(PeerHand::of(link.clone())));
            // Steps of flows have the card by the stage.
            let mut nowhere = Nowhere;
            let session = Session::new(&mut nowhere, surroundings).recording(self.recorder.clone());
            session.on(&mut stage).play(scenario)
        };
        let Some(link) = Rc::into_inner(link).map(RefCell::into_inner) else {
            return verdict;
        };
        seat.link = link;
        let accounted = seat.account(scenario, &plan, self.full);
        self.seat = Some(seat);
        match (verdict, accounted) {
            (Verdict::Passed { observations }, Ok(Some(finding))) => {
                Verdict::Failed { finding: Box::new(finding), observations }
            }
            (verdict, Err(_)) => {
                self.seat = None;
                verdict
            }
            (verdict, _) => verdict,
        }
    }

    /// The card has gone, with `changed` PINs. Another one is fresh; this one comes back with them.
    fn lose(&mut self, changed: Vec<PinName>) {
        self.seat = None;
        if self.options.fresh.is_none() {
            self.unusable.extend(changed);
        }
    }
}

/// Why a flow is not played with a card that may be real.
const TEST_CARDS_ONLY: &str = "the portal of a flow accepts certificates of JPKI-VMYNA-TEST only";

/// No card at all.
struct Nowhere;

impl CardLink for Nowhere {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        Ok(Vec::new())
    }

    fn power(&mut self, _: Power) -> Result<(), LinkError> {
        Ok(())
    }

    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, LinkError> {
        Err(LinkError::Lost("there is no card here".to_owned()))
    }
}

/// What the guard would refuse of a scenario.
pub(super) fn refusal(plan: &Plan, options: &PeerOptions) -> Option<Refused> {
    let known = |pin: &PinName| options.holder.as_ref().is_some_and(|holder| holder.states(*pin));
    let presented = plan.pins.iter().filter(|(_, usage)| usage.right + usage.wrong > 0 || usage.changed);
    let all_known = presented.map(|(pin, _)| pin).all(known);
    plan.refusal(options.consent, all_known)
}

/// What the guard may present: only what the user wrote down. A value that a holder's file leaves to
/// its default would be a guess at somebody's card.
#[must_use]
pub fn known_pins(holder: &Holder) -> BTreeMap<PinName, KnownPin> {
    let known = |pin| KnownPin {
        right: terminal::pin_value(holder, pin, PinChoice::Right),
        new: terminal::pin_value(holder, pin, PinChoice::New),
    };
    PinName::ALL.into_iter().filter(|pin| holder.states(*pin)).map(|pin| (pin, known(pin))).collect()
}

/// Whether the card's authentication certificate was issued by `JPKI-VMYNA-TEST`. A card that does not
/// let it be read is somebody else's.
///
/// # Errors
/// [`LinkError`] when the card cannot be reached.
pub fn is_ours(link: &mut dyn CardLink) -> Result<bool, LinkError> {
    Ok(read_user_authentication_certificate(link)?.is_some_and(|certificate| certificate.is_ours()))
}

/// EF 000A, which everybody may read; `None` where it does not hold a certificate.
fn read_user_authentication_certificate(link: &mut dyn CardLink) -> Result<Option<Certificate>, LinkError> {
    const EF: u16 = 0x000A;
    let style = ReadStyle::Header4;
    link.transmit(&terminal::select_application(&terminal::JPKI_AID))?;
    link.transmit(&terminal::select_file(EF))?;
    let mut read =
        |read: terminal::Read| link.transmit(&terminal::read_binary(None, read.offset, read.le, false));
    let header = read(style.header())?;
    let Some(length) = terminal::der_length(&header) else { return Ok(None) };
    let mut der = Vec::new();
    for block in style.body(length) {
        let answer = read(block)?;
        der.extend(ResponseApdu::try_from(&answer[..]).map_or(&[][..], |response| response.data));
    }
    Ok(Certificate::parse(&der).ok())
}

//! A suite against a card that is not built in. Such a card keeps its state from one scenario to
//! the next and may be somebody's real one: scenarios come in the order of their cost, counters are
//! read first, what a scenario needs and the card does not bring is a requirement missing, and what
//! was changed is changed back.

use super::announcement::describe;
use super::conduct::{Conduct, Course, Played};
use super::event::{Beginning, CardIdentity, Sink, Summary};
use super::fresh::FreshProcess;
use super::judge::Judge;
use super::plan::{Plan, STANDARD};
use super::recorder::{Recorded, Recorder};
use super::seat::Seat;
use super::session::{Session, Surroundings};
use super::suite::about_another;
use super::verdict::{Finding, StoppedBy, Verdict};
use crate::language::Bilingual;
use crate::link::{CardLink, Consent, Guard, Heard, KnownPin, LinkError, Refused, Said, Stopped};
use crate::scenario::{DEFAULT_HOLDER, PinChoice, ReadStyle, Scenario};
use crate::terminal;
use crate::verify::Certificate;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use vmyna_sim::apdu::ResponseApdu;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;
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
    let full = *STANDARD;
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

    let recorder = Recorder::new(sink.wants());
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
        suite.full = seat.full(full);
    }
    for (index, (scenario, _)) in planned.iter().enumerate() {
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
        let mut left_undone = Vec::new();
        let verdict = match suite.insert() {
            Ok(()) => {
                let plan = Plan::of(scenario, suite.full);
                suite.play(scenario, &plan, heard, &mut left_undone)?
            }
            Err(NothingCouldRun::NoCard(reason)) => Verdict::RequirementMissing(Bilingual::new(
                format!("カードが戻らなかった: {reason}"),
                format!("the card did not come back: {reason}"),
            )),
            Err(NothingCouldRun::Interrupted) => Verdict::NotRun(StoppedBy::Signal),
            Err(error) => return Err(error),
        };
        let happenings = suite.recorder.take();
        course.case_ended(scenario, Played { verdict, left_undone, happenings, took: start.elapsed() });
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
        let ours = certificate.is_some_and(|certificate| certificate.is_ours());
        let guarded = !ours && !self.options.mine;
        if guarded {
            let known = self.options.holder.as_ref().map(known_pins).unwrap_or_default();
            link = Box::new(Guard::new(link, self.options.consent, known, self.stopped.clone()));
        }
        let judge = if ours { Judge::OurIssuer } else { Judge::Others };
        let (pins, unusable) = (self.pins.clone(), self.unusable.clone());
        let mut seat = Seat { link, identity, judge, guarded, pins, tries_left: BTreeMap::new(), unusable };
        seat.read_counters()?;
        Ok(seat)
    }

    fn play(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        heard: &mut dyn FnMut(Said<'_>),
        left_undone: &mut Vec<Finding>,
    ) -> Result<Verdict, NothingCouldRun> {
        let Some(seat) = &mut self.seat else {
            return Ok(Verdict::RequirementMissing(Bilingual::new("カードがない", "there is no card")));
        };
        if scenario.flow.is_some() {
            return Ok(Verdict::NotApplicable(Bilingual::new(ONLY_BUILT_IN.0, ONLY_BUILT_IN.1)));
        }
        let holder = match &self.options.holder {
            Some(holder) => holder.clone(),
            None => Holder::built_in(&scenario.holder).ok_or_else(|| NothingCouldRun::UnknownHolder {
                scenario: scenario.id.clone(),
                holder: scenario.holder.clone(),
            })?,
        };
        if let Some(theirs) = &self.options.holder
            && let Some(reason) = about_another(scenario, theirs)
        {
            return Ok(Verdict::RequirementMissing(reason));
        }
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
        let mut session =
            Session::new(&mut link, surroundings).with_tries(self.full).recording(self.recorder.clone());
        let verdict = session.play(scenario);
        *left_undone = session.left_undone();
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

    /// The card has gone, with `changed` PINs. Another one is fresh; this one comes back with them.
    fn lose(&mut self, changed: Vec<PinName>) {
        self.seat = None;
        if self.options.fresh.is_none() {
            self.unusable.extend(changed);
        }
    }
}

/// Why a flow is not played on a card in a reader.
const ONLY_BUILT_IN: (&str, &str) = (
    "フローは内蔵カードで行う。いつでも離し、取り替え、妨げることができるからである",
    "a flow is played with the built-in cards, which can be lifted, swapped and disturbed at any moment",
);

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

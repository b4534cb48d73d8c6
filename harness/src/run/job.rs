//! One job of a run against cards that are not built in: the cards of one source, one after the other,
//! and the scenarios that are played on them.

mod flow;

use super::conduct::{Conduct, Course, Played};
use super::event::CardIdentity;
use super::fresh::FreshProcess;
use super::judge::Judge;
use super::kind::{self, Kind};
use super::ownership::{known_pins, read_user_authentication_certificate, refusal};
use super::peer_source::{NothingCouldRun, PeerOptions, PeerSource};
use super::person;
use super::plan::{Plan, STANDARD, no_such_pin};
use super::recorder::{Recorded, Recorder};
use super::seat::Seat;
use super::session::{Session, Surroundings};
use super::suite::about_another;
use super::verdict::{Finding, StoppedBy, Verdict};
use crate::language::Bilingual;
use crate::link::{CardLink, Guard, Heard, LinkError, Refused, Said, Stopped};
use crate::scenario::Scenario;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::{Profile, Tries};
use vmyna_sim::smart_card::Power;

/// How long a wait goes on before it is looked whether a signal has come.
const SLICE: Duration = Duration::from_millis(250);

/// What all jobs of a run have in common.
pub(super) struct Setting<'a> {
    options: &'a PeerOptions,
    conduct: &'a Conduct<'a>,
    /// whose counters are watched
    pins: BTreeSet<PinName>,
    stopped: Stopped,
    /// a card as the user's holder would have it, once it has been asked what that can show
    own: OnceLock<Option<Personalised>>,
}

impl<'a> Setting<'a> {
    /// Of a run that touches these `pins`.
    pub(super) fn of(options: &'a PeerOptions, conduct: &'a Conduct<'a>, pins: BTreeSet<PinName>) -> Self {
        Self { options, conduct, pins, stopped: Stopped::default(), own: OnceLock::new() }
    }

    /// Why the certificates of the holder whom the user has named cannot show what `scenario` is about.
    fn certificates_unmet(&self, scenario: &Scenario, plan: &Plan) -> Option<Bilingual> {
        let holder = self.options.holder.as_ref()?;
        let now = Timestamp::now();
        let made = || Personalised::new(holder.clone(), Profile::card(), now).ok();
        person::certificates_unmet_by(scenario, plan, self.own.get_or_init(made).as_ref()?, now)
    }

    /// The job of that number, from 1, with the cards of `source`.
    pub(super) fn job(
        &'a self,
        number: usize,
        source: &'a mut dyn PeerSource,
        recorder: Recorder,
    ) -> Job<'a> {
        Job {
            number,
            source,
            setting: self,
            full: *STANDARD,
            seat: None,
            process: None,
            unusable: BTreeSet::new(),
            gone: None,
            recorder,
        }
    }
}

/// The cards of one source.
pub(super) struct Job<'a> {
    /// from 1
    number: usize,
    source: &'a mut dyn PeerSource,
    setting: &'a Setting<'a>,
    full: Tries,
    seat: Option<Seat>,
    process: Option<FreshProcess>,
    /// PINs that had been changed when the card was lost
    unusable: BTreeSet<PinName>,
    /// why there is no card, once one has not come back: it is not waited for again
    gone: Option<Bilingual>,
    recorder: Recorder,
}

impl Job<'_> {
    /// Tells which card and reader it is that lies there now.
    pub(super) fn introduce(&self, course: &mut Course<'_>) {
        let Some(seat) = &self.seat else { return };
        course.card(&seat.identity);
        if let Some(reader) = seat.link.reader() {
            course.reader(reader);
        }
        course.note(&seat.introduction(self.setting.options));
    }

    /// Plays `scenario` on the card that is there, or on the next one.
    pub(super) fn turn(
        &mut self,
        scenario: &Scenario,
        heard: &mut dyn FnMut(Said<'_>),
    ) -> Result<Played, NothingCouldRun> {
        let start = Instant::now();
        let mut left_undone = Vec::new();
        let verdict = match self.insert() {
            Ok(()) => {
                let plan = Plan::of(scenario, self.full);
                self.play(scenario, &plan, heard, &mut left_undone)?
            }
            Err(NothingCouldRun::NoCard(reason)) => Verdict::RequirementMissing(Bilingual::new(
                format!("カードが戻らなかった: {}", reason.ja),
                format!("the card did not come back: {}", reason.en),
            )),
            Err(NothingCouldRun::Interrupted) => Verdict::NotRun(StoppedBy::Signal),
            Err(error) => return Err(error),
        };
        if self.setting.options.fresh.is_some() {
            self.remove();
        }
        Ok(Played { verdict, left_undone, happenings: self.recorder.take(), took: start.elapsed() })
    }

    /// Takes the card away, and ends the process that is the card where we started it.
    pub(super) fn remove(&mut self) {
        // The process first: a card whose reader leaves would connect again.
        self.process = None;
        self.seat = None;
    }

    /// Sees to it that a card is connected and known.
    pub(super) fn insert(&mut self) -> Result<(), NothingCouldRun> {
        if self.seat.is_some() {
            return Ok(());
        }
        if let Some(reason) = &self.gone {
            return Err(NothingCouldRun::NoCard(reason.clone()));
        }
        let inserted = self.wait_for_a_card();
        if let (Err(NothingCouldRun::NoCard(reason)), None) = (&inserted, &self.setting.options.fresh) {
            self.gone = Some(reason.clone());
        }
        inserted
    }

    fn wait_for_a_card(&mut self) -> Result<(), NothingCouldRun> {
        if let Some(command) = &self.setting.options.fresh {
            self.process = None;
            let started = FreshProcess::start(command, self.number, self.source.port());
            self.process =
                Some(started.map_err(|source| NothingCouldRun::Fresh { command: command.clone(), source })?);
        }
        let deadline = Instant::now() + self.setting.options.wait;
        loop {
            if self.setting.conduct.interrupt.has_come() {
                return Err(NothingCouldRun::Interrupted);
            }
            // In slices, so that a signal is heard.
            let slice = deadline.min(Instant::now() + SLICE);
            let link = match self.source.connect(slice) {
                Ok(link) => link,
                Err(_) if Instant::now() < deadline => {
                    // Not every seat can wait: a service that is not running says so at once.
                    std::thread::sleep(slice.saturating_duration_since(Instant::now()));
                    continue;
                }
                Err(reason) => return Err(NothingCouldRun::NoCard(reason)),
            };
            // A card may have connected and gone again while it waited in the queue.
            match self.identify(link) {
                Ok(seat) => {
                    self.full = seat.full(self.full);
                    self.seat = Some(seat);
                    return Ok(());
                }
                Err(_) if Instant::now() < deadline => {}
                Err(error) => return Err(NothingCouldRun::NoCard(no_answer(&error))),
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
        let guarded = !ours && !self.setting.options.mine;
        if guarded {
            let known = self.setting.options.holder.as_ref().map(known_pins).unwrap_or_default();
            link =
                Box::new(Guard::new(link, self.setting.options.consent, known, self.setting.stopped.clone()));
        }
        let judge = if ours { Judge::OurIssuer } else { Judge::Others };
        let (pins, unusable) = (self.setting.pins.clone(), self.unusable.clone());
        let tries_left = BTreeMap::new();
        let mut seat =
            Seat { link, identity, judge, algorithm, label: None, guarded, pins, tries_left, unusable };
        if seat.may_differ_from_the_card()
            && let Some(profile) = seat.kind()?.profile()
        {
            seat.pins.retain(|pin| no_such_pin(*pin, profile).is_none());
        }
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
            return Ok(Verdict::RequirementMissing(no_card()));
        };
        // Before its first command, so that none is sent in vain.
        if scenario.has_faults() {
            return Ok(Verdict::RefusedByGuard(Refused::FaultOnAnothersCard));
        }
        if scenario.profile.is_some() || seat.may_differ_from_the_card() {
            let why_not = |kind: Kind| match &scenario.profile {
                Some(_) => kind.is_not_meant_by(scenario),
                None => plan.reliance.unmet_by(kind.profile()?),
            };
            match seat.kind().map(Kind::or_the_card).map(why_not) {
                Ok(None) => {}
                Ok(Some(why)) => return Ok(Verdict::NotApplicable(why)),
                Err(error) => {
                    self.seat = None;
                    return Ok(Verdict::LinkLost { position: None, reason: error.in_words() });
                }
            }
        }
        if let Some(reason) = self.setting.certificates_unmet(scenario, plan) {
            return Ok(Verdict::RequirementMissing(reason));
        }
        if let Some(setting) = scenario.flow {
            return Ok(self.play_flow(scenario, setting, left_undone));
        }
        let holder = match &self.setting.options.holder {
            Some(holder) => holder.clone(),
            None => Holder::built_in(&scenario.holder).ok_or_else(|| NothingCouldRun::UnknownHolder {
                scenario: scenario.id.clone(),
                holder: scenario.holder.clone(),
            })?,
        };
        if let Some(theirs) = &self.setting.options.holder
            && let Some(reason) = about_another(scenario, theirs)
        {
            return Ok(Verdict::RequirementMissing(reason));
        }
        if seat.guarded
            && let Some(refused) = refusal(plan, self.setting.options)
        {
            return Ok(Verdict::RefusedByGuard(refused));
        }
        let may_spend = !seat.guarded || self.setting.options.consent.spend_tries;
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
            requirements: self.setting.conduct.requirements,
            holder: &holder,
            trust: self.setting.conduct.trust,
            judge: self.setting.options.judge.unwrap_or(seat.judge),
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
        if self.setting.options.fresh.is_none() {
            self.unusable.extend(changed);
        }
    }
}

/// A card came, and went before it had said who it is.
fn no_answer(error: &LinkError) -> Bilingual {
    let Bilingual { ja, en } = error.in_words();
    Bilingual::new(format!("カードと通信できない: {ja}"), format!("the link to the card was lost: {en}"))
}

fn no_card() -> Bilingual {
    Bilingual::new("カードがない", "there is no card")
}

//! A suite against a card that is not built in. Such a card keeps its state from one scenario to
//! the next and may be somebody's real one: scenarios come in the order of their cost, counters are
//! read first, what a scenario needs and the card does not bring is a requirement missing, and what
//! was changed is changed back.

use super::event::{Event, Sink, Summary};
use super::fresh::FreshProcess;
use super::judge::Judge;
use super::plan::{Cost, PinUse, Plan};
use super::session::{Session, Surroundings};
use super::verdict::{Difference, Expectation, Finding, Verdict};
use crate::link::{CardLink, Consent, Guard, LinkError};
use crate::requirement::Requirements;
use crate::scenario::{PinChoice, ReadStyle, Scenario};
use crate::terminal;
use crate::verify::{Certificate, Trust};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::{Profile, Tries};
use vmyna_sim::smart_card::Power;

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
    /// stop at the first failure
    pub fail_fast: bool,
}

/// Nothing could be played.
#[derive(Debug, Error)]
pub enum NothingCouldRun {
    /// no card within the wait
    #[error("{0}")]
    NoCard(String),
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
    requirements: &Requirements,
    trust: &Trust,
    sink: &mut dyn Sink,
) -> Result<Summary, NothingCouldRun> {
    let began = Instant::now();
    let full = Profile::card().tries;
    let mut planned: Vec<(&Scenario, Plan)> =
        scenarios.iter().map(|scenario| (*scenario, Plan::of(scenario, full))).collect();
    planned.sort_by_key(|(scenario, plan)| {
        // Lockouts of one PIN together, and what begins blocked after what blocks.
        let spoiled = plan.pins.iter().filter(|(_, usage)| usage.blocked || usage.spent_at_end > 0);
        let begins_blocked = scenario.given.values().any(|tries| *tries == 0);
        (plan.cost(), spoiled.map(|(pin, _)| *pin).max(), begins_blocked)
    });

    sink.event(&Event::Began { scenarios: scenarios.len() });
    sink.event(&Event::Planned(&describe(&planned, options)));

    let mut suite = Suite { source, options, requirements, trust, full, seat: None, process: None };
    suite.insert()?;
    if let Some(seat) = &suite.seat {
        sink.event(&Event::Note(&seat.introduction(options)));
    }
    let mut summary = Summary::default();
    for (index, (scenario, plan)) in planned.iter().enumerate() {
        let start = Instant::now();
        if index > 0 && options.fresh.is_some() {
            suite.remove();
        }
        let verdict = match suite.insert() {
            Ok(()) => suite.play(scenario, plan)?,
            Err(NothingCouldRun::NoCard(reason)) => {
                Verdict::RequirementMissing(format!("the card did not come back: {reason}"))
            }
            Err(error) => return Err(error),
        };
        summary.count(&verdict);
        sink.event(&Event::Finished { scenario, verdict: &verdict, took: start.elapsed() });
        if options.fail_fast && summary.failed > 0 {
            break;
        }
    }
    sink.event(&Event::Ended { summary, took: began.elapsed() });
    Ok(summary)
}

struct Suite<'a> {
    source: &'a mut dyn PeerSource,
    options: &'a PeerOptions,
    requirements: &'a Requirements,
    trust: &'a Trust,
    full: Tries,
    seat: Option<Seat>,
    process: Option<FreshProcess>,
}

/// A connected card and what is known of it.
struct Seat {
    link: Box<dyn CardLink>,
    judge: Judge,
    guarded: bool,
    /// `None` where the counter could not be read
    tries_left: BTreeMap<PinName, Option<u8>>,
    /// PINs that could not be changed back
    unusable: BTreeSet<PinName>,
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
        if let Some(command) = &self.options.fresh {
            self.process = None;
            let started = FreshProcess::start(command);
            self.process =
                Some(started.map_err(|source| NothingCouldRun::Fresh { command: command.clone(), source })?);
        }
        let deadline = Instant::now() + self.options.wait;
        loop {
            let link = self.source.connect(deadline).map_err(NothingCouldRun::NoCard)?;
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
        link.atr()?;
        let ours = read_user_authentication_certificate(&mut *link)?
            .is_some_and(|certificate| certificate.is_ours());
        let guarded = !ours && !self.options.mine;
        if guarded {
            let right = self.options.holder.as_ref().map(|holder| {
                PinName::JPKI.map(|pin| (pin, terminal::own_pin(holder, pin))).into_iter().collect()
            });
            link = Box::new(Guard::new(link, self.options.consent, right.unwrap_or_default()));
        }
        let judge = if ours { Judge::OurIssuer } else { Judge::Others };
        let mut seat = Seat { link, judge, guarded, tries_left: BTreeMap::new(), unusable: BTreeSet::new() };
        seat.read_counters()?;
        Ok(seat)
    }

    fn play(&mut self, scenario: &Scenario, plan: &Plan) -> Result<Verdict, NothingCouldRun> {
        let Some(seat) = &mut self.seat else {
            return Ok(Verdict::RequirementMissing("there is no card".to_owned()));
        };
        let holder = match &self.options.holder {
            Some(holder) => holder.clone(),
            None => Holder::built_in(&scenario.holder).ok_or_else(|| NothingCouldRun::UnknownHolder {
                scenario: scenario.id.clone(),
                holder: scenario.holder.clone(),
            })?,
        };
        if seat.guarded
            && let Some(refused) = plan.refusal(self.options.consent, self.options.holder.is_some())
        {
            return Ok(Verdict::RefusedByGuard(refused));
        }
        let may_spend = !seat.guarded || self.options.consent.spend_tries;
        match seat.prepare(scenario, plan, &holder, self.full, may_spend) {
            Ok(None) => {}
            Ok(Some(missing)) => return Ok(Verdict::RequirementMissing(missing)),
            Err(error) => {
                self.seat = None;
                return Ok(link_lost(error));
            }
        }
        let surroundings = Surroundings {
            requirements: self.requirements,
            holder: &holder,
            trust: self.trust,
            judge: seat.judge,
            now: SystemTime::now(),
        };
        let mut session = Session::new(&mut *seat.link, surroundings);
        let verdict = session.play(scenario);
        let changed: Vec<PinName> = session.changed_pins().collect();
        if matches!(verdict, Verdict::LinkLost { .. }) {
            self.seat = None;
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
            self.seat = None;
        }
        Ok(kept.1)
    }
}

impl Seat {
    fn introduction(&self, options: &PeerOptions) -> String {
        let whose = match (self.judge, options.mine) {
            (Judge::OurIssuer, _) => "the card's certificates were issued by JPKI-VMYNA-TEST: a simulator",
            (_, true) => "the card is a simulator, says --mine",
            (_, false) => "the card may be real: it is guarded",
        };
        let counters = self.tries_left.iter().map(|(pin, tries)| match tries {
            Some(tries) => format!("{pin} has {tries} tries left"),
            None => format!("the counter of {pin} could not be read"),
        });
        format!("{whose}; {}", counters.collect::<Vec<_>>().join(", "))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<(Vec<u8>, Status), LinkError> {
        let answer = self.link.transmit(command)?;
        let (data, status) = match ResponseApdu::try_from(&answer[..]) {
            Ok(response) => (response.data.to_vec(), response.status),
            Err(error) => return Err(LinkError::Lost(error.to_string())),
        };
        Ok((data, status))
    }

    fn power_cycle(&mut self) -> Result<(), LinkError> {
        self.link.power(Power::Off)?;
        self.link.power(Power::On)?;
        self.link.atr().map(|_| ())
    }

    /// Selects the EF of `pin`; VERIFY and CHANGE with P2 80 reach it then.
    fn select_pin(&mut self, pin: PinName) -> Result<(), LinkError> {
        self.transmit(&terminal::select_application(&terminal::JPKI_AID))?;
        self.transmit(&terminal::select_file(terminal::pin_file(pin))).map(|_| ())
    }

    fn read_counters(&mut self) -> Result<(), LinkError> {
        for pin in PinName::JPKI {
            self.read_counter(pin)?;
        }
        self.power_cycle()
    }

    fn read_counter(&mut self, pin: PinName) -> Result<Option<u8>, LinkError> {
        self.select_pin(pin)?;
        let (_, status) = self.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, 0x80).to_bytes())?;
        let tries = match status {
            Status::TriesLeft(tries) => Some(tries),
            Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => Some(0),
            _ => None,
        };
        self.tries_left.insert(pin, tries);
        Ok(tries)
    }

    fn present(&mut self, pin: PinName, choice: PinChoice, holder: &Holder) -> Result<Status, LinkError> {
        self.select_pin(pin)?;
        let value = terminal::pin_value(holder, pin, choice);
        let command = CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(value.as_bytes()).to_bytes();
        Ok(self.transmit(&command)?.1)
    }

    /// Brings the counters to where the scenario begins, or says what is missing. The card is
    /// freshly powered afterwards.
    fn prepare(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        holder: &Holder,
        full: Tries,
        may_spend: bool,
    ) -> Result<Option<String>, LinkError> {
        for (pin, usage) in &plan.pins {
            let given = scenario.given.get(pin).copied();
            if let Some(missing) = self.prepare_pin(*pin, usage, given, holder, full.of(*pin), may_spend)? {
                return Ok(Some(missing));
            }
        }
        self.power_cycle()?;
        Ok(None)
    }

    fn prepare_pin(
        &mut self,
        pin: PinName,
        usage: &PinUse,
        given: Option<u8>,
        holder: &Holder,
        full: u8,
        may_spend: bool,
    ) -> Result<Option<String>, LinkError> {
        if self.unusable.contains(&pin) {
            return Ok(Some(format!("{pin} was changed by a scenario and could not be changed back")));
        }
        let wanted = given.unwrap_or(full);
        let Some(mut left) = self.tries_left.get(&pin).copied().flatten() else {
            return Ok(self.guarded.then(|| format!("the counter of {pin} could not be read")));
        };
        let only_right = given.is_none() && usage.wrong == 0 && !usage.asked;
        if only_right && left > u8::from(self.guarded) {
            return Ok(None);
        }
        if left > 0 && left < wanted && left > u8::from(self.guarded) {
            self.present(pin, PinChoice::Right, holder)?;
            left = self.read_counter(pin)?.unwrap_or(left);
        }
        while may_spend && left > wanted {
            self.present(pin, PinChoice::Wrong, holder)?;
            match self.read_counter(pin)? {
                Some(now) if now < left => left = now,
                _ => return Ok(Some(format!("{pin} cannot be brought to {wanted} tries left"))),
            }
        }
        let tries = |count: u8| format!("{count} {}", if count == 1 { "try" } else { "tries" });
        Ok((left != wanted)
            .then(|| format!("{pin} has {} left, and {} would be needed", tries(left), tries(wanted))))
    }

    /// After a scenario that presented PINs and went as planned, the counters must be as planned
    /// too; where one is not, this is the finding.
    fn account(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        full: Tries,
    ) -> Result<Option<Finding>, LinkError> {
        if !plan.presents_pins() {
            return Ok(None);
        }
        let before = self.tries_left.clone();
        self.read_counters()?;
        for pin in PinName::JPKI {
            let (Some(Some(before)), Some(Some(left))) = (before.get(&pin), self.tries_left.get(&pin)) else {
                continue;
            };
            let (planned, rules) = plan.counter_afterwards(pin, *before, full);
            if *left != planned {
                return Ok(Some(Finding {
                    position: scenario.position.clone(),
                    step: format!("the counter of {pin} after the scenario"),
                    requirements: rules.iter().map(|rule| (*rule).to_owned()).collect(),
                    why: None,
                    difference: Difference {
                        expected: format!("{planned} tries left"),
                        came: format!("{left} tries left"),
                        exchange: None,
                        kind: Expectation::Requirement,
                    },
                }));
            }
        }
        Ok(None)
    }

    /// Changes PINs back and refills counters, as far as that goes.
    fn restore(&mut self, changed: &[PinName], holder: &Holder, full: Tries) -> Result<(), LinkError> {
        self.power_cycle()?;
        for pin in changed {
            let value = terminal::pin_value(holder, *pin, PinChoice::Right);
            let change = CommandBuilder::new(0x00, 0x24, 0x01, 0x80).data(value.as_bytes()).to_bytes();
            let restored = self.present(*pin, PinChoice::New, holder).and_then(|_| self.transmit(&change));
            match restored {
                Ok((_, Status::Success)) => {}
                Ok(_) | Err(LinkError::Refused(_)) => {
                    self.unusable.insert(*pin);
                }
                Err(error) => return Err(error),
            }
        }
        for pin in PinName::JPKI {
            let left = self.read_counter(pin)?;
            if left.is_some_and(|left| left > u8::from(self.guarded) && left < full.of(pin))
                && !self.unusable.contains(&pin)
            {
                match self.present(pin, PinChoice::Right, holder) {
                    Ok(_) | Err(LinkError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
                self.read_counter(pin)?;
            }
        }
        self.power_cycle()
    }
}

fn link_lost(error: LinkError) -> Verdict {
    match error {
        LinkError::Lost(reason) => Verdict::LinkLost { position: None, reason },
        LinkError::Refused(refused) => Verdict::RefusedByGuard(refused),
    }
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

/// The plan in words: printed before the first command leaves.
fn describe(planned: &[(&Scenario, Plan)], options: &PeerOptions) -> String {
    let count = |cost: Cost| planned.iter().filter(|(_, plan)| plan.cost() == cost).count();
    let mut text = format!(
        "{} scenarios: {} only read, {} present PINs and refill the counters, {} change a PIN and change it back, \
         {} leave tries spent or a PIN blocked",
        planned.len(),
        count(Cost::Reading),
        count(Cost::Refilling),
        count(Cost::Changing),
        count(Cost::LockingOut),
    );
    for pin in PinName::JPKI {
        let uses = || planned.iter().filter_map(|(_, plan)| plan.pins.get(&pin));
        let (right, wrong): (u32, u32) =
            (uses().map(|usage| usage.right).sum(), uses().map(|usage| usage.wrong).sum());
        let changes = uses().filter(|usage| usage.changed).count();
        text.push_str(&format!(
            "\n  {pin}: the right value is presented {right} times, wrong values {wrong} times, and it is changed in \
             {changes} scenarios"
        ));
    }
    let consent = |given: bool, what: &str, flag: &str| {
        if given { format!("{what}: allowed") } else { format!("{what}: not without {flag}") }
    };
    text.push_str(&match (options.mine, &options.holder) {
        (true, _) => "\n  --mine: the card is a simulator; nothing is held back".to_owned(),
        (false, holder) => format!(
            "\n  unless its certificate names JPKI-VMYNA-TEST, the card may be real. Then: {}; {}; {}",
            consent(options.consent.spend_tries, "wrong PINs", "--spend-tries"),
            consent(options.consent.change_pins, "PIN changes", "--change-pins"),
            match holder {
                Some(_) => "right PINs: as --holder says".to_owned(),
                None => "right PINs: not without --holder".to_owned(),
            },
        ),
    });
    text
}

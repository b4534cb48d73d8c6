//! How a suite is conducted, whatever the card: what stops it, what is expected of it, and the one
//! place from which its events go out, in the order of the suite.

use super::event::{Beginning, CardIdentity, Event, Sink, Summary};
use super::expected::{ExpectedFailures, Ledger};
use super::recorder::Happening;
use super::verdict::{Finding, StoppedBy, Verdict};
use crate::language::Bilingual;
use crate::link::ReaderIdentity;
use crate::requirement::Requirements;
use crate::scenario::Scenario;
use crate::verify::Trust;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Told from outside to end a run in good order: what has begun is finished, the rest is not run.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Ends the run.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a suite is conducted.
#[derive(Clone)]
pub struct Conduct<'a> {
    /// the rules
    pub requirements: &'a Requirements,
    /// anchors for certificate paths
    pub trust: &'a Trust,
    /// failures that are known
    pub expected: ExpectedFailures,
    /// stop at the first failure
    pub fail_fast: bool,
    /// scenarios that may be played at once, each on a card of its own
    pub jobs: NonZeroUsize,
    /// ends it early
    pub interrupt: Interrupt,
}

impl<'a> Conduct<'a> {
    /// To the end, one scenario after the other, with no failure expected.
    #[must_use]
    pub fn new(requirements: &'a Requirements, trust: &'a Trust) -> Self {
        Self {
            requirements,
            trust,
            expected: ExpectedFailures::default(),
            fail_fast: false,
            jobs: NonZeroUsize::MIN,
            interrupt: Interrupt::default(),
        }
    }
}

impl Conduct<'_> {
    /// What ended a run of which the rest is not played.
    pub(super) fn stopped_by(&self) -> StoppedBy {
        if self.interrupt.has_come() { StoppedBy::Signal } else { StoppedBy::FirstFailure }
    }
}

/// One scenario, played.
pub(super) struct Played {
    pub verdict: Verdict,
    pub left_undone: Vec<Finding>,
    pub happenings: Vec<Happening>,
    pub took: Duration,
}

/// A run in progress, as its sink hears of it.
pub(super) struct Course<'a> {
    sink: &'a mut dyn Sink,
    ledger: Ledger<'a>,
    summary: Summary,
    began: Instant,
    card: Option<CardIdentity>,
}

impl<'a> Course<'a> {
    pub(super) fn begin(conduct: &'a Conduct<'_>, beginning: &Beginning, sink: &'a mut dyn Sink) -> Self {
        sink.event(&Event::Began(beginning));
        Self {
            sink,
            ledger: Ledger::new(&conduct.expected),
            summary: Summary::default(),
            began: Instant::now(),
            card: None,
        }
    }

    pub(super) fn planned(&mut self, plan: &Bilingual) {
        self.sink.event(&Event::Planned(plan));
    }

    pub(super) fn note(&mut self, note: &Bilingual) {
        self.sink.event(&Event::Note(note));
    }

    /// Tells which card it is, unless it is the one of the scenario before.
    pub(super) fn card(&mut self, card: &CardIdentity) {
        if self.card.as_ref() != Some(card) {
            self.sink.event(&Event::Card(card));
            self.card = Some(card.clone());
        }
    }

    pub(super) fn reader(&mut self, reader: &ReaderIdentity) {
        self.sink.event(&Event::Reader(reader));
    }

    pub(super) fn case_began(&mut self, scenario: &Scenario) {
        self.sink.event(&Event::CaseBegan(scenario));
    }

    pub(super) fn case_ended(&mut self, scenario: &Scenario, played: Played) {
        let Played { verdict, left_undone, happenings, took } = played;
        for happening in &happenings {
            self.sink.event(&Event::Happened(happening));
        }
        let verdict = self.ledger.enter(scenario, verdict);
        self.summary.count(verdict.outcome());
        let left_undone = &left_undone;
        self.sink.event(&Event::CaseEnded { scenario, verdict: &verdict, left_undone, took });
    }

    /// What has ended the run, if anything has.
    pub(super) fn is_over(&self, conduct: &Conduct<'_>) -> Option<StoppedBy> {
        if conduct.fail_fast && self.summary.failed > 0 {
            Some(StoppedBy::FirstFailure)
        } else {
            conduct.interrupt.has_come().then_some(StoppedBy::Signal)
        }
    }

    pub(super) fn not_run(&mut self, scenario: &Scenario, stopped: StoppedBy) {
        let verdict = Verdict::NotRun(stopped);
        self.summary.count(verdict.outcome());
        let took = Duration::ZERO;
        self.sink.event(&Event::CaseEnded { scenario, verdict: &verdict, left_undone: &[], took });
    }

    pub(super) fn end(mut self) -> Summary {
        for better in self.ledger.better() {
            self.summary.failed += 1;
            self.sink.event(&Event::Better(&better));
        }
        self.sink.event(&Event::Ended { summary: self.summary, took: self.began.elapsed() });
        self.summary
    }
}

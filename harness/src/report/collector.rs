//! The sink behind every report that is written as a whole: it makes the stream of events into a
//! [`Report`].

use super::latency::latencies;
use super::model::{
    Case, Contradiction, ExchangeRecord, FindingInJapanese, FindingRecord, Group, HappeningRecord,
    ReaderRecord, Report, RequirementResult, RequirementVerdict, Tool, Unexpected, VERSION,
};
use crate::requirement::{Requirement, Requirements, Seat};
use crate::run::{Detail, Difference, Event, Finding, Happening, Outcome, Sink, Verdict};
use crate::scenario::Scenario;
use crate::wire;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use vmyna_sim::exchange::{Exchange, ShownResponse};
use vmyna_sim::smart_card::Power;

/// Collects a report.
pub struct Collector<'a> {
    report: Report,
    requirements: &'a Requirements,
    detail: Detail,
    /// of the scenario that began last
    happenings: Vec<HappeningRecord>,
    /// bytes of answers that are kept so far
    kept: usize,
}

/// How many bytes of answers are kept in all: some four times what the whole suite has. A card may answer
/// more to everything.
const MOST_KEPT: usize = 12 << 20;

/// And how much data of each answer after that.
const THEN_OF_EACH: usize = 256;

impl<'a> Collector<'a> {
    /// Keeps as much of what happens within scenarios as the reports show.
    #[must_use]
    pub fn new(requirements: &'a Requirements, detail: Detail) -> Self {
        let report = Report {
            version: VERSION,
            tool: Tool { name: "vmyna".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            started: String::new(),
            took_us: 0,
            seat: String::new(),
            reader: None,
            cards: Vec::new(),
            shard: None,
            stopped: None,
            plan: None,
            notes: Vec::new(),
            summary: Default::default(),
            scenarios: Vec::new(),
            better: Vec::new(),
            requirements: Vec::new(),
            groups: Vec::new(),
            latency: Vec::new(),
        };
        Self { report, requirements, detail, happenings: Vec::new(), kept: 0 }
    }

    /// What was collected.
    #[must_use]
    pub fn into_report(mut self) -> Report {
        self.report.latency = latencies(self.report.exchanges());
        let scenarios = &self.report.scenarios;
        let concerns = |requirement: &&Requirement| {
            requirement.seat == Seat::Card
                || scenarios.iter().any(|case| case.covers.contains(&requirement.id))
        };
        self.report.requirements = self.requirements.iter().filter(concerns).map(unweighed).collect();
        weigh_requirements(&mut self.report.requirements, &self.report.scenarios);
        let ids: BTreeSet<&str> = self.report.requirements.iter().map(RequirementResult::group).collect();
        let groups = ids.into_iter().filter_map(|id| self.requirements.group(id));
        self.report.groups =
            groups.map(|group| Group { id: group.id.clone(), title: group.title.clone() }).collect();
        self.report
    }

    fn case(
        &mut self,
        scenario: &Scenario,
        verdict: &Verdict,
        left_undone: &[Finding],
        took: Duration,
    ) -> Case {
        if let Verdict::NotRun(stopped) = verdict {
            self.report.stopped = Some(*stopped);
        }
        Case {
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            position: scenario.position.to_string(),
            covers: scenario.covers.clone(),
            tags: scenario.tags.clone(),
            verdict: verdict.outcome(),
            reason: verdict.reason(),
            failure: verdict.finding().map(|found| self.finding(found)),
            observations: verdict.observations().iter().map(|found| self.finding(found)).collect(),
            left_undone: left_undone.iter().map(|found| self.finding(found)).collect(),
            took_us: micros(took),
            happenings: std::mem::take(&mut self.happenings),
        }
    }

    fn happening(&mut self, happening: &Happening) {
        let record = match happening {
            Happening::StepBegan { position, step, words } => HappeningRecord::Step {
                step: step.clone(),
                words: words.clone(),
                position: position.to_string(),
                outcome: None,
            },
            Happening::StepEnded(ended) => {
                let begun = self.happenings.iter_mut().rev().find_map(|record| match record {
                    HappeningRecord::Step { outcome, .. } => Some(outcome),
                    _ => None,
                });
                if let Some(outcome) = begun {
                    *outcome = Some(*ended);
                }
                return;
            }
            Happening::Exchange { exchange: shown, took } => {
                HappeningRecord::Exchange(self.exchange(shown, Some(*took)))
            }
            Happening::Power(power) => HappeningRecord::Power(
                match power {
                    Power::On => "on",
                    Power::Off => "off",
                    Power::WarmReset => "warm reset",
                }
                .to_owned(),
            ),
            Happening::Screen { screen, text } => {
                HappeningRecord::Screen { name: screen.name().to_owned(), text: text.clone() }
            }
        };
        self.happenings.push(record);
    }

    fn finding(&mut self, finding: &Finding) -> FindingRecord {
        let Finding { why, difference: Difference { expected, came, .. }, .. } = finding;
        FindingRecord {
            position: finding.position.to_string(),
            snippet: finding.snippet.clone(),
            step: finding.step.clone(),
            words: finding.words.clone(),
            requirements: finding.requirements.clone(),
            why: why.as_ref().map(|why| why.en.clone()),
            expected: expected.en.clone(),
            came: came.en.clone(),
            ja: Some(FindingInJapanese {
                why: why.as_ref().map(|why| why.ja.clone()),
                expected: expected.ja.clone(),
                came: came.ja.clone(),
            }),
            exchange: finding.difference.exchange.as_ref().map(|shown| self.exchange(shown, None)),
        }
    }

    fn exchange(&mut self, exchange: &Exchange, took: Option<Duration>) -> ExchangeRecord {
        let Exchange { command, response } = exchange;
        let room = if self.kept < MOST_KEPT { ShownResponse::KEPT } else { THEN_OF_EACH };
        let response = response.as_ref().map(|response| response.with_at_most(room));
        self.kept += response.as_ref().map_or(0, ShownResponse::length_kept);
        let status = response.as_ref().and_then(ShownResponse::status);
        let meaning = wire::meaning(command.meaning());
        ExchangeRecord {
            command: command.hex(),
            meaning: meaning.en,
            meaning_ja: Some(meaning.ja),
            instruction: command.instruction().unwrap_or("other").to_owned(),
            response: response.as_ref().map(ShownResponse::hex),
            response_left_out: response.as_ref().map_or(0, ShownResponse::left_out),
            status: status.map(|status| {
                let [sw1, sw2] = status.to_bytes();
                format!("{sw1:02X}{sw2:02X}")
            }),
            took_ns: took.map_or(0, |took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
        }
    }
}

impl Sink for Collector<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Began(beginning) => {
                self.report.started = beginning.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                self.report.seat.clone_from(&beginning.seat);
                self.report.shard.clone_from(&beginning.shard);
            }
            Event::Reader(reader) => {
                self.report.reader = Some(ReaderRecord {
                    name: reader.name.clone(),
                    vendor: reader.vendor.clone(),
                    driver_version: reader.version.clone(),
                    serial: reader.serial.clone(),
                    protocol: reader.protocol.to_owned(),
                });
            }
            Event::Planned(plan) => self.report.plan = Some((*plan).clone()),
            Event::Note(note) => self.report.notes.push((*note).clone()),
            Event::Card(card) => {
                if !self.report.cards.contains(card) {
                    self.report.cards.push((*card).clone());
                }
            }
            Event::CaseBegan(_) => {}
            Event::Happened(happening) => {
                if self.detail > Detail::Nothing {
                    self.happening(happening);
                }
            }
            Event::CaseEnded { scenario, verdict, left_undone, took } => {
                let case = self.case(scenario, verdict, left_undone, *took);
                self.report.scenarios.push(case);
            }
            Event::Better(better) => self.report.better.push(Unexpected {
                id: better.id.clone(),
                position: better.position.to_string(),
                reason: better.reason.en.clone(),
                reason_ja: Some(better.reason.ja.clone()),
            }),
            Event::Ended { summary, took } => {
                self.report.summary = *summary;
                self.report.took_us = micros(*took);
            }
        }
    }

    fn wants(&self) -> Detail {
        self.detail
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// Works out what became of each of `requirements` in `cases`.
pub(super) fn weigh_requirements(requirements: &mut [RequirementResult], cases: &[Case]) {
    let mut covering: HashMap<&str, Vec<&Case>> = HashMap::new();
    for case in cases {
        for id in &case.covers {
            covering.entry(id).or_default().push(case);
        }
    }
    for requirement in requirements {
        let cases = covering.get(requirement.id.as_str()).map_or(&[][..], Vec::as_slice);
        requirement.verdict = weigh(&requirement.id, cases);
        requirement.scenarios = cases.iter().map(|case| case.id.clone()).collect();
    }
}

fn weigh(id: &str, cases: &[&Case]) -> RequirementVerdict {
    let names = |finding: &FindingRecord| finding.requirements.iter().any(|it| it == id);
    let failed = |outcome: Outcome| {
        cases.iter().any(|case| case.verdict == outcome && case.failure.as_ref().is_some_and(names))
    };
    let passed = |case: &&Case| {
        matches!(case.verdict, Outcome::Passed | Outcome::Observed | Outcome::UnexpectedlyBetter)
    };
    if failed(Outcome::Failed) {
        RequirementVerdict::Failed
    } else if failed(Outcome::ExpectedFailure) {
        RequirementVerdict::ExpectedFailure
    } else if cases.iter().any(|case| case.observations.iter().any(names)) {
        RequirementVerdict::Observed
    } else if cases.iter().any(passed) {
        RequirementVerdict::Passed
    } else if cases.is_empty() {
        RequirementVerdict::NotCovered
    } else {
        RequirementVerdict::NotJudged
    }
}

fn unweighed(requirement: &Requirement) -> RequirementResult {
    RequirementResult {
        id: requirement.id.clone(),
        text: requirement.text.clone(),
        level: requirement.level,
        provenance: requirement.provenance,
        source: requirement.source.en.clone(),
        source_ja: Some(requirement.source.ja.clone()),
        contradiction: requirement.contradiction.as_ref().map(Contradiction::from),
        verdict: RequirementVerdict::NotCovered,
        scenarios: Vec::new(),
    }
}

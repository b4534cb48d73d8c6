//! The harness against cards that it did not make. `peers/plain_card.py` was written by somebody who
//! read the published facts and none of this code: the right card must pass, and each of its wrong
//! variants, wrong in one rule, must be caught on that rule. A wrong one is played what names its rule,
//! and everything only if that does not catch it; `VMYNA_WHOLE_PEERS=1` plays everything to each.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vmyna::language::Bilingual;
use vmyna::link::{CardLink, Consent};
use vmyna::requirement::Requirements;
use vmyna::run::{Beginning, Conduct, Event, PeerOptions, PeerSource, Sink, Summary, Verdict, run_on_peer};
use vmyna::scenario::{self, Scenario};
use vmyna::verify::Trust;
use vmyna_sim::holder::Holder;
use vmyna_sim::vpcd::{Address, Reader, ReaderOptions};

const WAIT: Duration = Duration::from_secs(60);

/// The PINs that the plain card has unless it is told otherwise.
const HOLDER: &str = "\
person: {name: 他人　太郎, birth: \"1990-01-01\"}
pins: {user_authentication: \"9876\", digital_signature: XYZ789, resident_register: \"9876\"}
";

#[expect(clippy::print_stdout, reason = "this is where a test program says what it did not do")]
fn main() {
    let arguments = Arguments::from_args();
    let python = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("NOT RUN: the independent cards of tests/peers need python3, which is not here");
        std::process::exit(i32::from(std::env::var_os("VMYNA_REQUIRE_PCSC").is_some()));
    }
    let shared = Arc::new(Shared {
        requirements: Requirements::built_in(),
        scenarios: scenario::built_in(&Requirements::built_in()),
        keys: tempfile::tempdir().expect("a temporary folder"),
    });
    // The keys are made once, here; the cards of all tests find them ready.
    let mut first = Card::start(&shared, None, 0);
    first.wait_for_keys();
    let mut trials = vec![];
    let right = shared.clone();
    trials.push(Trial::test("a_right_card_by_somebody_else_passes", move || {
        let outcome = right.run(None, |_| true)?;
        if outcome.summary.failed > 0 || !outcome.failed.is_empty() {
            return Err(format!("it failed {:?}", outcome.failed).into());
        }
        Ok(())
    }));
    let listed = shared.clone();
    trials.push(Trial::test("every_wrong_card_has_a_line_in_the_table", move || {
        let output = Command::new("python3").arg(program()).arg("--list-mutants").output()?;
        let made: BTreeSet<String> = String::from_utf8(output.stdout)?
            .lines()
            .filter_map(|line| line.split('\t').next().map(str::to_owned))
            .collect();
        let known: BTreeSet<String> = table().into_iter().map(|line| line.name).collect();
        let _ = &listed;
        if made == known { Ok(()) } else { Err(format!("{:?}", made.symmetric_difference(&known)).into()) }
    }));
    let whole = std::env::var_os("VMYNA_WHOLE_PEERS").is_some_and(|value| value == "1");
    for line in table() {
        let shared = shared.clone();
        let caught = match line.how.as_str() {
            "failed" => Caught::Failed,
            "observed" => Caught::Observed,
            _ => continue,
        };
        trials.push(Trial::test(format!("a_wrong_card_is_caught::{}", line.name), move || {
            let is_caught = |outcome: &Outcome| match caught {
                Caught::Failed => outcome.failed.contains(&line.requirement),
                Caught::Observed => outcome.observed.contains(&line.requirement),
            };
            let names_it = |scenario: &Scenario| scenario.covers.contains(&line.requirement);
            if !whole && is_caught(&shared.run(Some(&line.name), names_it)?) {
                return Ok(());
            }
            let outcome = shared.run(Some(&line.name), |_| true)?;
            if is_caught(&outcome) {
                return Ok(());
            }
            let Outcome { failed, observed, .. } = outcome;
            Err(format!("{} was expected; failed {failed:?}, observed {observed:?}", line.requirement).into())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(first);
    drop(shared);
    conclusion.exit();
}

#[derive(Clone, Copy)]
enum Caught {
    Failed,
    Observed,
}

/// A line of `mutants.tsv`.
struct Line {
    name: String,
    how: String,
    requirement: String,
}

fn table() -> Vec<Line> {
    let line = |line: &str| {
        let mut columns = line.split('\t').map(str::to_owned);
        Some(Line { name: columns.next()?, how: columns.next()?, requirement: columns.next()? })
    };
    include_str!("peers/mutants.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/plain_card.py")
}

struct Shared {
    requirements: Requirements,
    scenarios: Vec<Scenario>,
    keys: tempfile::TempDir,
}

/// What a run found.
#[derive(Default)]
struct Outcome {
    summary: Summary,
    failed: BTreeSet<String>,
    observed: BTreeSet<String>,
}

impl Sink for Outcome {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::CaseEnded { verdict: Verdict::Failed { finding, observations }, .. } => {
                self.failed.extend(finding.requirements.iter().cloned());
                self.observed.extend(observations.iter().flat_map(|finding| finding.requirements.clone()));
            }
            Event::CaseEnded { verdict: Verdict::Passed { observations }, .. } => {
                self.observed.extend(observations.iter().flat_map(|finding| finding.requirements.clone()));
            }
            Event::CaseEnded { scenario, verdict: Verdict::RequirementMissing(_), .. } => {
                // A precondition that is not met is recorded with what it stands for.
                let preconditions = scenario.steps.iter().filter(|placed| placed.step.precondition);
                self.observed.extend(preconditions.flat_map(|placed| placed.step.covers.clone()));
            }
            Event::CaseEnded { scenario, verdict: Verdict::LinkLost { reason, .. }, .. } => {
                self.failed.insert(format!("{}: {}", scenario.id, reason.en));
            }
            _ => {}
        }
    }
}

impl Shared {
    /// Plays the scenarios that `is_wanted` to the right card, or to this mutant.
    fn run(&self, mutant: Option<&str>, is_wanted: impl Fn(&Scenario) -> bool) -> Result<Outcome, Failed> {
        let reader = Reader::listen(&Address::loopback(0), ReaderOptions::default())?;
        let _card = Card::start(self, mutant, reader.local_addr().port());
        let options = PeerOptions {
            holder: Some(Holder::parse("plain.yaml", HOLDER)?),
            mine: true,
            consent: Consent::default(),
            wait: WAIT,
            fresh: None,
            judge: None,
        };
        let scenarios: Vec<&Scenario> = self.scenarios.iter().filter(|it| is_wanted(it)).collect();
        let mut outcome = Outcome::default();
        let mut source = Waiting(reader);
        outcome.summary = run_on_peer(
            &scenarios,
            &mut source,
            &options,
            &Conduct::new(&self.requirements, &Trust::CardItself),
            &Beginning::now(scenarios.len(), "vpcd"),
            &mut outcome,
        )?;
        Ok(outcome)
    }
}

struct Waiting(Reader);

impl PeerSource for Waiting {
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual> {
        match self.0.accept(deadline) {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) => Err(Bilingual::alike(error.to_string())),
        }
    }
}

/// A running plain card.
struct Card(Child);

impl Card {
    /// Port 0: the card listens somewhere instead of connecting.
    fn start(shared: &Shared, mutant: Option<&str>, port: u16) -> Self {
        let mut command = Command::new("python3");
        command.arg(program()).arg("--keys").arg(shared.keys.path());
        let role = if port == 0 { "--listen" } else { "--connect" };
        command.arg(role).arg(format!("127.0.0.1:{port}"));
        if let Some(mutant) = mutant {
            command.arg("--mutant").arg(mutant);
        }
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("python3 starts"))
    }

    /// Returns when the card listens, hence has its keys.
    fn wait_for_keys(&mut self) {
        use std::io::{BufRead, BufReader};
        let stdout = self.0.stdout.take().expect("its output is piped");
        let line = BufReader::new(stdout).lines().next();
        assert!(line.is_some_and(|line| line.is_ok()), "the plain card did not start");
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

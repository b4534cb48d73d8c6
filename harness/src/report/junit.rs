//! JUnit: one test case for each scenario or row, the identity of card, reader and tool as
//! properties.

use super::model::{Case, FindingRecord, Report};
use crate::run::Outcome;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// Writes `report` to `out`.
///
/// # Errors
/// Whatever `out` has.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut junit = quick_junit::Report::new("vmyna");
    junit.set_time(Duration::from_micros(report.took_us));
    let mut suite = TestSuite::new("vmyna");
    suite.set_time(Duration::from_micros(report.took_us));
    suite.extra.insert("timestamp".into(), report.started.as_str().into());
    suite.add_properties(properties(report));
    suite.add_test_cases(report.scenarios.iter().map(case));
    suite.add_test_cases(report.better.iter().map(|better| {
        let message = format!("an expected failure did not come ({}): {}", better.position, better.reason);
        let mut case = TestCase::new(better.id.as_str(), failure("unexpectedly_better", &message));
        case.set_classname("expected");
        case
    }));
    junit.add_test_suite(suite);
    serialize(&junit, out)
}

/// Writes a report as the usual schema has it, which knows no `skipped` of all suites together.
///
/// # Errors
/// Whatever `out` has.
pub fn serialize(junit: &quick_junit::Report, out: &mut dyn io::Write) -> io::Result<()> {
    let xml = junit.to_string().map_err(io::Error::other)?;
    let root = xml.find("<testsuites").unwrap_or_default();
    let end = xml[root..].find('>').map_or(xml.len(), |end| root + end);
    let (head, rest) = xml.split_at(end);
    let of_all = format!(" skipped=\"{}\"", junit.skipped);
    out.write_all(head.replacen(&of_all, "", 1).as_bytes())?;
    out.write_all(rest.as_bytes())
}

fn properties(report: &Report) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            properties.push(Property::new(name, value));
        }
    };
    add("tool", Some(&report.tool.name));
    add("tool.version", Some(&report.tool.version));
    add("seat", Some(&report.seat));
    if let Some(reader) = &report.reader {
        add("reader", Some(&reader.name));
        add("reader.vendor", reader.vendor.as_deref());
        add("reader.driver_version", reader.driver_version.as_deref());
        add("reader.serial", reader.serial.as_deref());
        add("reader.protocol", Some(&reader.protocol));
    }
    for (index, card) in report.cards.iter().enumerate() {
        let prefix = if report.cards.len() == 1 { "card".to_owned() } else { format!("card.{}", index + 1) };
        let mut add = |name: &str, value: Option<&str>| add(&format!("{prefix}.{name}"), value);
        add("atr", card.atr.as_deref());
        add("profile", card.profile.as_deref());
        add("holder", card.holder.as_deref());
        add("subject", card.subject.as_deref());
        add("issuer", card.issuer.as_deref());
        add("serial", card.serial.as_deref());
        add("not_after", card.not_after.as_deref());
    }
    if let Some(shard) = &report.shard {
        add("shard", Some(&format!("{}/{}", shard.index, shard.of)));
        add("shard.scenarios", Some(&shard.scenarios.to_string()));
        add("shard.suite", Some(&shard.suite));
    }
    if let Some(stopped) = report.stopped {
        add("stopped", Some(&stopped.to_string()));
    }
    properties
}

fn case(case: &Case) -> TestCase {
    let reason = || case.reason.as_deref().unwrap_or_default();
    let status = match case.verdict {
        Outcome::Passed | Outcome::Observed | Outcome::ExpectedFailure => TestCaseStatus::success(),
        Outcome::Failed => {
            let found = case.failure.as_ref();
            let kind = found.and_then(|found| found.requirements.first()).map_or("failed", String::as_str);
            let mut status = failure(kind, &found.map_or_else(String::new, message));
            status.set_description(found.map_or_else(String::new, description));
            status
        }
        Outcome::UnexpectedlyBetter => {
            failure("unexpectedly_better", &format!("it passed, and a failure was expected: {}", reason()))
        }
        Outcome::CouldNotRun => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("could_not_run").set_message(reason());
            status
        }
        Outcome::NotApplicable | Outcome::RequirementMissing | Outcome::Refused | Outcome::NotRun => {
            let mut status = TestCaseStatus::skipped();
            let kind = match case.verdict {
                Outcome::NotApplicable => "not applicable",
                Outcome::RequirementMissing => "requirement missing",
                Outcome::Refused => "refused by the guard",
                _ => "not run",
            };
            status.set_message(format!("{kind}: {}", reason()));
            status
        }
    };
    let mut test = TestCase::new(case.id.as_str(), status);
    let group = case.id.split_once('[').map_or(&*case.id, |(base, _)| base).rsplit_once('.');
    test.set_classname(group.map_or("vmyna", |(group, _)| group));
    test.set_time(Duration::from_micros(case.took_us));
    let notes = notes(case);
    if !notes.is_empty() {
        test.set_system_out(notes);
    }
    test
}

fn failure(kind: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message);
    status
}

/// One line on what differs.
pub(super) fn message(found: &FindingRecord) -> String {
    format!("{}: expected {}; came {}", found.step, found.expected, found.came)
}

/// Everything on what differs.
pub(super) fn description(found: &FindingRecord) -> String {
    let mut text = format!("{}  {}\n", found.position, found.step);
    if !found.snippet.is_empty() {
        text.push_str(&found.snippet);
        text.push('\n');
    }
    // Writing to a string does not fail.
    let _ = writeln!(text, "requirements: {}", found.requirements.join(", "));
    if let Some(why) = &found.why {
        let _ = writeln!(text, "why: {why}");
    }
    let _ = writeln!(text, "expected: {}\ncame: {}", found.expected, found.came);
    if let Some(exchange) = &found.exchange {
        let _ = writeln!(text, "> {}  {}", exchange.command, exchange.meaning);
        let _ = writeln!(text, "< {}", exchange.response.as_deref().unwrap_or("(no answer)"));
    }
    text
}

/// What a passed case should not hide.
fn notes(case: &Case) -> String {
    let mut text = String::new();
    if let (Outcome::ExpectedFailure, Some(found)) = (case.verdict, &case.failure) {
        let reason = case.reason.as_deref().unwrap_or_default();
        let _ = write!(text, "expected failure: {reason}\n{}", description(found));
    }
    for observation in &case.observations {
        let _ = write!(text, "observed: {}", description(observation));
    }
    text
}

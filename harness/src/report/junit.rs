//! JUnit: one test case for each scenario or row, the identity of card, reader and tool as
//! properties.

use super::model::{Case, FindingRecord, Report};
use super::words::{self, Words};
use crate::language::Language;
use crate::run::Outcome;
use crate::wire;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// Writes `report` to `out`, sentences in `language`.
///
/// # Errors
/// Whatever `out` has.
pub fn write(report: &Report, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
    let mut junit = quick_junit::Report::new("vmyna");
    junit.set_time(Duration::from_micros(report.took_us));
    let mut suite = TestSuite::new("vmyna");
    suite.set_time(Duration::from_micros(report.took_us));
    suite.extra.insert("timestamp".into(), report.started.as_str().into());
    suite.add_properties(properties(report));
    suite.add_test_cases(report.scenarios.iter().map(|it| case(it, language)));
    suite.add_test_cases(report.better.iter().map(|better| {
        let came_not = language.say("期待された不合格が起きなかった", "an expected failure did not come");
        let message = format!("{came_not} ({}): {}", better.position, language.of(&better.reason()));
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

fn case(case: &Case, language: Language) -> TestCase {
    let reason = || case.reason.as_ref().map_or("", |reason| language.of(reason));
    let status = match case.verdict {
        Outcome::Passed | Outcome::Observed | Outcome::ExpectedFailure => TestCaseStatus::success(),
        Outcome::Failed => {
            let found = case.failure.as_ref();
            let kind = found.and_then(|found| found.requirements.first()).map_or("failed", String::as_str);
            let mut status = failure(kind, &found.map_or_else(String::new, |found| message(found, language)));
            status.set_description(found.map_or_else(String::new, |found| description(found, language)));
            status
        }
        Outcome::UnexpectedlyBetter => {
            let but =
                language.say("不合格が期待されていたのに合格した", "it passed, and a failure was expected");
            failure("unexpectedly_better", &format!("{but}: {}", reason()))
        }
        Outcome::CouldNotRun => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("could_not_run").set_message(reason());
            status
        }
        Outcome::NotApplicable | Outcome::RequirementMissing | Outcome::Refused | Outcome::NotRun => {
            let mut status = TestCaseStatus::skipped();
            let (ja, en) = words::outcome(&case.verdict);
            let kind = language.say(ja, en);
            status.set_message(format!("{kind}: {}", reason()));
            status
        }
    };
    let mut test = TestCase::new(case.id.as_str(), status);
    let group = case.id.split_once('[').map_or(&*case.id, |(base, _)| base).rsplit_once('.');
    test.set_classname(group.map_or("vmyna", |(group, _)| group));
    test.set_time(Duration::from_micros(case.took_us));
    let notes = notes(case, language);
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
pub(super) fn message(found: &FindingRecord, language: Language) -> String {
    let (expected, came) = (found.expected(), found.came());
    match language {
        Language::Ja => format!("{}。期待: {}、実際: {}", found.words.ja, expected.ja, came.ja),
        Language::En => format!("{}: expected {}; came {}", found.step, expected.en, came.en),
    }
}

/// Everything on what differs.
pub(super) fn description(found: &FindingRecord, language: Language) -> String {
    let mut text = format!("{}  {}\n{}\n", found.position, found.step, language.of(&found.words));
    if !found.snippet.is_empty() {
        text.push_str(&found.snippet);
        text.push('\n');
    }
    let mut line = |(ja, en): Words, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}: {value}", language.say(ja, en));
    };
    if !found.requirements.is_empty() {
        line(("要件", "requirements"), &found.requirements.join(", "));
    }
    if let Some(why) = &found.why() {
        line(("理由", "why"), language.of(why));
    }
    line(("期待", "expected"), language.of(&found.expected()));
    line(("実際", "came"), language.of(&found.came()));
    if let Some(exchange) = &found.exchange {
        let meaning = exchange.meaning();
        let command = words::shortened(&exchange.command, 0, language);
        let _ = writeln!(text, "> {command}  {}", language.of(&meaning));
        let answer = match &exchange.response {
            Some(response) => words::shortened(response, exchange.response_left_out, language),
            None => language.say("(応答なし)", "(no answer)").to_owned(),
        };
        let status = wire::status_word(exchange.status.as_deref().unwrap_or_default());
        let _ = writeln!(text, "< {answer}  {}", language.of(&status));
    }
    text
}

/// What a verdict alone would hide.
fn notes(case: &Case, language: Language) -> String {
    let mut text = String::new();
    if let (Outcome::ExpectedFailure, Some(found)) = (case.verdict, &case.failure) {
        let (ja, en) = words::outcome(&case.verdict);
        let reason = case.reason.as_ref().map_or("", |reason| language.of(reason));
        let _ = write!(text, "{}: {reason}\n{}", language.say(ja, en), description(found, language));
    }
    for (findings, (ja, en)) in
        [(&case.observations, words::OBSERVED), (&case.left_undone, words::LEFT_UNDONE)]
    {
        for found in findings {
            let _ = write!(text, "{}: {}", language.say(ja, en), description(found, language));
        }
    }
    text
}

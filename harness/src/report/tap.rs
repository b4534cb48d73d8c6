//! TAP (Test Anything Protocol). The version is 13, which is all that today's consumers know (Perl's `prove` of
//! Debian 12 refuses 14); the characters that version 14 escapes are escaped already.

use super::junit::{description, message};
use super::model::{Case, Report};
use super::words;
use crate::language::Language;
use crate::run::Outcome;
use serde_json::json;
use std::io;

/// Writes `report` to `out`, sentences in `language`.
///
/// # Errors
/// Whatever `out` has.
pub fn write(report: &Report, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "TAP version 13")?;
    writeln!(out, "1..{}", report.scenarios.len() + report.better.len())?;
    writeln!(out, "# {} {} on {}", report.tool.name, report.tool.version, one_line(&report.seat))?;
    for card in &report.cards {
        let known = [&card.profile, &card.holder, &card.atr, &card.serial].into_iter().flatten();
        writeln!(out, "# card: {}", one_line(&known.cloned().collect::<Vec<_>>().join(", ")))?;
    }
    let mut number = 0;
    for case in report.scenarios.iter().filter(|case| case.verdict != Outcome::NotRun) {
        number += 1;
        self::case(case, number, language, out)?;
    }
    for better in &report.better {
        number += 1;
        writeln!(out, "not ok {number} - {}", escape(&better.id))?;
        let found = json!({"verdict": "unexpectedly_better", "at": better.position, "reason": language.of(&better.reason())});
        block(&found, out)?;
    }
    for case in report.scenarios.iter().filter(|case| case.verdict == Outcome::NotRun) {
        writeln!(out, "# not run: {}", one_line(&case.id))?;
    }
    if let Some(stopped) = report.stopped {
        writeln!(out, "Bail out! {}", language.of(&stopped.in_words()))?;
    }
    Ok(())
}

fn case(case: &Case, number: usize, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
    let reason = case.reason.as_ref().map_or("", |reason| language.of(reason));
    let reason = escape(reason);
    let (ja, en) = words::outcome(&case.verdict);
    let kind = language.say(ja, en);
    let (ok, directive) = match case.verdict {
        Outcome::Passed | Outcome::Observed => ("ok", String::new()),
        Outcome::ExpectedFailure => ("not ok", format!(" # TODO {reason}")),
        Outcome::Failed | Outcome::UnexpectedlyBetter | Outcome::CouldNotRun => ("not ok", String::new()),
        Outcome::NotApplicable | Outcome::RequirementMissing | Outcome::Refused | Outcome::NotRun => {
            ("ok", format!(" # SKIP {kind}: {reason}"))
        }
    };
    writeln!(out, "{ok} {number} - {}: {}{directive}", escape(&case.id), escape(language.of(&case.title)))?;
    let mut found = json!({"verdict": case.verdict, "covers": case.covers});
    match &case.failure {
        Some(failure) => {
            found["message"] = message(failure, language).into();
            found["details"] = description(failure, language).into();
        }
        None if matches!(case.verdict, Outcome::CouldNotRun | Outcome::UnexpectedlyBetter) => {
            found["message"] = reason.into();
        }
        None if case.observations.is_empty() && case.left_undone.is_empty() => return Ok(()),
        None => {}
    }
    for (name, findings) in [("observed", &case.observations), ("cleanup_failed", &case.left_undone)] {
        if !findings.is_empty() {
            found[name] = findings.iter().map(|found| message(found, language)).collect::<Vec<_>>().into();
        }
    }
    block(&found, out)
}

/// A diagnostic block; JSON is YAML.
fn block(found: &serde_json::Value, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "  ---")?;
    if let Some(fields) = found.as_object() {
        for (name, value) in fields {
            writeln!(out, "  {name}: {value}")?;
        }
    }
    writeln!(out, "  ...")
}

fn escape(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

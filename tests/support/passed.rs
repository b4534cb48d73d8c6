//! The built-in card must do exactly as each scenario says; what it does not is told as `vmyna run` tells
//! it.

use libtest_mimic::Failed;
use std::time::Duration;
use vmyna::language::Language;
use vmyna::report::Text;
use vmyna::requirement::Requirements;
use vmyna::run::{Event, Sink, Verdict};
use vmyna::scenario::Scenario;

/// An error unless `scenario` passed, without as much as an observation.
pub fn must_have_passed(
    scenario: &Scenario,
    requirements: &Requirements,
    verdict: &Verdict,
) -> Result<(), Failed> {
    if matches!(verdict, Verdict::Passed { observations } if observations.is_empty()) {
        return Ok(());
    }
    let mut told = Vec::new();
    let mut report = Text::new(anstream::StripStream::new(&mut told), Language::En, requirements);
    report.event(&Event::CaseEnded { scenario, verdict, left_undone: &[], took: Duration::ZERO });
    Err(Failed::from(String::from_utf8_lossy(&told)))
}

//! On a terminal, a line below the report that says how far the run is.

use crate::run::{Detail, Event, Sink};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Shows progress on standard error around another report, which may go to the same terminal.
pub struct Progress<S> {
    report: S,
    bar: ProgressBar,
}

impl<S: Sink> Progress<S> {
    /// Shows progress where somebody is there to see it: on a terminal, and not in CI.
    pub fn around(report: S) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let seen = std::io::stderr().is_terminal() && !is_dumb && !is_set("CI");
        let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {elapsed}  {wide_msg}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self { report, bar }
    }
}

impl<S: Sink> Sink for Progress<S> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Began(beginning) => self.bar.set_length(beginning.scenarios as u64),
            Event::CaseBegan(scenario) => self.bar.set_message(scenario.id.clone()),
            Event::CaseEnded { .. } => self.bar.inc(1),
            Event::Ended { .. } => self.bar.finish_and_clear(),
            _ => {}
        }
        let report = &mut self.report;
        self.bar.suspend(|| report.event(event));
    }

    fn wants(&self) -> Detail {
        self.report.wants()
    }
}

//! The report that people read on a terminal: a line for each scenario, everything about a failure,
//! and the count at the end.

use crate::language::Language;
use crate::requirement::Requirements;
use crate::run::{Event, Finding, Outcome, Sink, StoppedBy, Summary, Verdict};
use owo_colors::OwoColorize;
use std::io::Write;
use vmyna_sim::document::Position;

/// Writes plain text with colours; a stream that is no terminal drops the colours.
pub struct Text<'a, W> {
    out: W,
    language: Language,
    requirements: &'a Requirements,
    stopped: Option<StoppedBy>,
}

impl<'a, W: Write> Text<'a, W> {
    /// Reports to `out` in `language`.
    pub const fn new(out: W, language: Language, requirements: &'a Requirements) -> Self {
        Self { out, language, requirements, stopped: None }
    }

    fn say(&self, ja: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    fn finding(&mut self, finding: &Finding) -> std::io::Result<()> {
        let (expected, came) = (self.say("期待", "expected"), self.say("実際", "came"));
        writeln!(self.out, "       {}  {}", finding.position, finding.step)?;
        for line in finding.snippet.lines() {
            writeln!(self.out, "      {line}")?;
        }
        for id in &finding.requirements {
            if let Some(requirement) = self.requirements.get(id) {
                writeln!(self.out, "       {} {}", id.bold(), self.language.of(&requirement.text))?;
            }
        }
        if let Some(why) = &finding.why {
            writeln!(self.out, "       {}: {why}", self.say("理由", "why"))?;
        }
        writeln!(self.out, "       {expected}: {}", finding.difference.expected)?;
        writeln!(self.out, "       {came}: {}", finding.difference.came)?;
        if let Some(exchange) = &finding.difference.exchange {
            for line in exchange.to_string().lines() {
                writeln!(self.out, "         {}", line.dimmed())?;
            }
        }
        Ok(())
    }

    fn write(&mut self, event: &Event<'_>) -> std::io::Result<()> {
        match event {
            Event::Began(_) | Event::Card(_) | Event::CaseBegan(_) | Event::Happened(_) => Ok(()),
            Event::Reader(reader) => writeln!(self.out, "{reader}"),
            Event::Planned(text) | Event::Note(text) => writeln!(self.out, "{text}"),
            Event::CaseEnded { verdict: Verdict::NotRun(stopped), .. } => {
                self.stopped = Some(*stopped);
                Ok(())
            }
            Event::CaseEnded { scenario, verdict, .. } => {
                let title = self.language.of(&scenario.title);
                writeln!(self.out, "{} {}  {}", mark(verdict.outcome()), scenario.id, title.dimmed())?;
                self.details(verdict)
            }
            Event::Better(better) => {
                writeln!(self.out, "{} {}", mark(Outcome::UnexpectedlyBetter), better.id)?;
                self.better(&better.reason, &better.position)
            }
            Event::Ended { summary, .. } => self.summary(*summary),
        }
    }

    fn details(&mut self, verdict: &Verdict) -> std::io::Result<()> {
        self.observations(verdict.observations())?;
        match verdict {
            Verdict::Passed { .. } => Ok(()),
            Verdict::Failed { finding, .. } => self.finding(finding),
            Verdict::ExpectedFailure { expected, finding, .. } => {
                let word = self.say("不合格は予期されていた", "this failure is expected");
                writeln!(self.out, "       {word}: {} ({})", expected.reason, expected.position)?;
                writeln!(
                    self.out,
                    "       {}  {}: {}",
                    finding.position, finding.step, finding.difference.came
                )
            }
            Verdict::UnexpectedlyBetter { expected, .. } => self.better(&expected.reason, &expected.position),
            Verdict::LinkLost { position, .. } => {
                if let Some(position) = position {
                    writeln!(self.out, "       {position}")?;
                }
                self.reason(verdict)
            }
            Verdict::NotApplicable(_)
            | Verdict::RequirementMissing(_)
            | Verdict::RefusedByGuard(_)
            | Verdict::NotRun(_) => self.reason(verdict),
        }
    }

    fn reason(&mut self, verdict: &Verdict) -> std::io::Result<()> {
        writeln!(self.out, "       {}", verdict.reason().unwrap_or_default())
    }

    fn better(&mut self, reason: &str, position: &Position) -> std::io::Result<()> {
        let word = self.say(
            "予期された不合格が起きなかった。この行を期待不合格のファイルから除くこと",
            "the expected failure did not come; take this entry out of the file",
        );
        writeln!(self.out, "       {word}: {position}")?;
        writeln!(self.out, "       {reason}")
    }

    fn observations(&mut self, observations: &[Finding]) -> std::io::Result<()> {
        for finding in observations {
            let word = self.say("観察", "observed");
            writeln!(
                self.out,
                "     * {word}: {} {}: {} ({})",
                finding.requirements.join(", "),
                finding.step,
                finding.difference.came,
                finding.position
            )?;
        }
        Ok(())
    }

    fn summary(&mut self, summary: Summary) -> std::io::Result<()> {
        let Summary { passed, failed, skipped, not_run } = summary;
        writeln!(self.out)?;
        if let Some(stopped) = self.stopped {
            let why = match stopped {
                StoppedBy::FirstFailure => {
                    self.say("最初の不合格で停止した", "the run was stopped at the first failure")
                }
                StoppedBy::Signal => self.say("シグナルで停止した", "the run was stopped by a signal"),
            };
            writeln!(self.out, "{not_run} {}: {why}", self.say("件は未実行", "not run"))?;
        }
        writeln!(self.out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        self.out.flush()
    }
}

fn mark(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => " ok  ".green().to_string(),
        Outcome::Observed => " ok* ".green().to_string(),
        Outcome::ExpectedFailure => "xfail".green().to_string(),
        Outcome::Failed => "FAIL ".red().bold().to_string(),
        Outcome::UnexpectedlyBetter => "BETTER".red().bold().to_string(),
        Outcome::CouldNotRun => "LOST ".red().bold().to_string(),
        Outcome::NotApplicable => " n/a ".yellow().to_string(),
        Outcome::RequirementMissing | Outcome::Refused => "skip ".yellow().to_string(),
        Outcome::NotRun => "  -  ".dimmed().to_string(),
    }
}

impl<W: Write> Sink for Text<'_, W> {
    fn event(&mut self, event: &Event<'_>) {
        // A report that nobody reads any more (`| head`) is no reason to stop the run.
        let _ = self.write(event);
    }
}

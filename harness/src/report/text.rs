//! The report that people read on a terminal: a line for each scenario, everything about a failure,
//! and the count at the end.

use crate::language::Language;
use crate::requirement::Requirements;
use crate::run::{Event, Finding, Sink, Summary, Verdict};
use owo_colors::OwoColorize;
use std::io::Write;

/// Writes plain text with colours; a stream that is no terminal drops the colours.
pub struct Text<'a, W> {
    out: W,
    language: Language,
    requirements: &'a Requirements,
}

impl<'a, W: Write> Text<'a, W> {
    /// Reports to `out` in `language`.
    pub const fn new(out: W, language: Language, requirements: &'a Requirements) -> Self {
        Self { out, language, requirements }
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
                writeln!(self.out, "       {} {}", id.bold(), requirement.text.in_language(self.language))?;
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
            Event::Began { .. } => Ok(()),
            Event::Planned(text) | Event::Note(text) => writeln!(self.out, "{text}"),
            Event::Finished { scenario, verdict, .. } => {
                let title = scenario.title.in_language(self.language);
                let mark = match verdict {
                    Verdict::Passed { observations } if observations.is_empty() => {
                        " ok  ".green().to_string()
                    }
                    Verdict::Passed { .. } => " ok* ".green().to_string(),
                    Verdict::Failed { .. } => "FAIL ".red().bold().to_string(),
                    Verdict::LinkLost { .. } => "LOST ".red().bold().to_string(),
                    Verdict::RequirementMissing(_) | Verdict::RefusedByGuard(_) => {
                        "skip ".yellow().to_string()
                    }
                };
                writeln!(self.out, "{mark} {}  {}", scenario.id, title.dimmed())?;
                self.details(verdict)
            }
            Event::Ended { summary, .. } => self.summary(*summary),
        }
    }

    fn details(&mut self, verdict: &Verdict) -> std::io::Result<()> {
        match verdict {
            Verdict::Passed { observations } => self.observations(observations),
            Verdict::Failed { finding, observations } => {
                self.observations(observations)?;
                self.finding(finding)
            }
            Verdict::LinkLost { position, reason } => {
                if let Some(position) = position {
                    writeln!(self.out, "       {position}")?;
                }
                writeln!(self.out, "       {reason}")
            }
            Verdict::RequirementMissing(reason) => writeln!(self.out, "       {reason}"),
            Verdict::RefusedByGuard(refused) => writeln!(self.out, "       {refused}"),
        }
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
        let Summary { passed, failed, skipped } = summary;
        writeln!(self.out)?;
        writeln!(self.out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        self.out.flush()
    }
}

impl<W: Write> Sink for Text<'_, W> {
    fn event(&mut self, event: &Event<'_>) {
        // A report that nobody reads any more (`| head`) is no reason to stop the run.
        let _ = self.write(event);
    }
}

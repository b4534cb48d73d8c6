//! The report that people read on a terminal: a line for each scenario, everything about a failure,
//! and the count at the end.

use super::words::{self, Words};
use crate::language::{Bilingual, Language};
use crate::requirement::Requirements;
use crate::run::{
    Detail, Event, Finding, Happening, Outcome, Sink, StepOutcome, StoppedBy, Summary, Verdict,
};
use crate::wire;
use owo_colors::OwoColorize;
use std::io::Write;
use vmyna_sim::document::Position;

/// Writes plain text with colours; a stream that is no terminal drops the colours.
pub struct Text<'a, W> {
    out: W,
    language: Language,
    requirements: &'a Requirements,
    stopped: Option<StoppedBy>,
    /// whether everything that happens is shown, or only the screens before a failure
    verbose: bool,
    /// of the scenario that began last
    happenings: Vec<Happening>,
}

impl<'a, W: Write> Text<'a, W> {
    /// Reports to `out` in `language`.
    pub const fn new(out: W, language: Language, requirements: &'a Requirements) -> Self {
        Self { out, language, requirements, stopped: None, verbose: false, happenings: Vec::new() }
    }

    /// Shows every step, command and screen.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    fn say(&self, ja: &'static str, en: &'static str) -> &'static str {
        self.language.say(ja, en)
    }

    fn finding(&mut self, finding: &Finding) -> std::io::Result<()> {
        let (expected, came) = (self.say("期待", "expected"), self.say("実際", "came"));
        let words = self.language.of(&finding.words);
        writeln!(self.out, "       {}  {words}", finding.position)?;
        for line in finding.snippet.lines() {
            writeln!(self.out, "      {line}")?;
        }
        for id in &finding.requirements {
            if let Some(requirement) = self.requirements.get(id) {
                writeln!(self.out, "       {} {}", id.bold(), self.language.of(&requirement.text))?;
            }
        }
        if let Some(why) = &finding.why {
            writeln!(self.out, "       {}: {}", self.say("理由", "why"), self.language.of(why))?;
        }
        writeln!(self.out, "       {expected}: {}", self.language.of(&finding.difference.expected))?;
        writeln!(self.out, "       {came}: {}", self.language.of(&finding.difference.came))?;
        let Some(exchange) = &finding.difference.exchange else { return Ok(()) };
        wire::exchange(exchange, self.language)
            .lines()
            .try_for_each(|line| writeln!(self.out, "         {}", line.dimmed()))
    }

    fn write(&mut self, event: &Event<'_>) -> std::io::Result<()> {
        match event {
            Event::Began(_) | Event::Card(_) | Event::CaseBegan(_) => Ok(()),
            Event::Happened(happening) => {
                if self.verbose || matches!(happening, Happening::Screen { .. }) {
                    self.happenings.push((*happening).clone());
                }
                Ok(())
            }
            Event::Reader(reader) => writeln!(self.out, "{reader}"),
            Event::Planned(text) | Event::Note(text) => {
                writeln!(self.out, "{}", self.language.of(text))
            }
            Event::CaseEnded { verdict: Verdict::NotRun(stopped), .. } => {
                self.stopped = Some(*stopped);
                Ok(())
            }
            Event::CaseEnded { scenario, verdict, left_undone, .. } => {
                let title = self.language.of(&scenario.title);
                writeln!(self.out, "{} {}  {}", mark(verdict.outcome()), scenario.id, title.dimmed())?;
                self.differences(words::OBSERVED, verdict.observations())?;
                self.details(verdict)?;
                self.differences(words::LEFT_UNDONE, left_undone)?;
                self.happenings(verdict)
            }
            Event::Better(better) => {
                writeln!(self.out, "{} {}", mark(Outcome::UnexpectedlyBetter), better.id)?;
                self.better(&better.reason, &better.position)
            }
            Event::Ended { summary, .. } => self.summary(*summary),
        }
    }

    fn details(&mut self, verdict: &Verdict) -> std::io::Result<()> {
        match verdict {
            Verdict::Passed { .. } => Ok(()),
            Verdict::Failed { finding, .. } => self.finding(finding),
            Verdict::ExpectedFailure { expected, finding, .. } => {
                let word = self.say("不合格は予期されていた", "this failure is expected");
                let reason = self.language.of(&expected.reason);
                writeln!(self.out, "       {word}: {reason} ({})", expected.position)?;
                let words = self.language.of(&finding.words);
                writeln!(
                    self.out,
                    "       {}  {words}: {}",
                    finding.position,
                    self.language.of(&finding.difference.came)
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
        let reason = verdict.reason();
        let reason = reason.as_ref().map_or("", |reason| self.language.of(reason));
        writeln!(self.out, "       {reason}")
    }

    fn better(&mut self, reason: &Bilingual, position: &Position) -> std::io::Result<()> {
        let word = self.say(
            "予期された不合格が起きなかった。この行を期待不合格のファイルから除くこと",
            "the expected failure did not come; take this entry out of the file",
        );
        writeln!(self.out, "       {word}: {position}")?;
        writeln!(self.out, "       {}", self.language.of(reason))
    }

    /// A line for each; `what` they are.
    fn differences(&mut self, (ja, en): Words, findings: &[Finding]) -> std::io::Result<()> {
        for finding in findings {
            let came = self.language.of(&finding.difference.came);
            let requirements: String = finding.requirements.iter().map(|id| format!(" {id}")).collect();
            writeln!(
                self.out,
                "     * {}:{requirements} {}: {came} ({})",
                self.language.say(ja, en),
                self.language.of(&finding.words),
                finding.position
            )?;
        }
        Ok(())
    }

    fn summary(&mut self, summary: Summary) -> std::io::Result<()> {
        let Summary { passed, failed, skipped, not_run } = summary;
        writeln!(self.out)?;
        if let Some(stopped) = self.stopped {
            let why = stopped.in_words();
            let why = self.language.of(&why);
            writeln!(self.out, "{not_run} {}: {why}", self.say("件は未実行", "not run"))?;
        }
        writeln!(self.out, "{passed} passed, {failed} failed, {skipped} skipped")?;
        self.out.flush()
    }
}

/// What happened within a scenario.
impl<W: Write> Text<'_, W> {
    fn happenings(&mut self, verdict: &Verdict) -> std::io::Result<()> {
        let happenings = std::mem::take(&mut self.happenings);
        if self.verbose {
            return happenings.iter().try_for_each(|happening| self.happening(happening));
        }
        let screens = happenings.iter().filter_map(|happening| match happening {
            Happening::Screen { screen, text } => Some((screen, text)),
            _ => None,
        });
        let screens: Vec<_> = screens.collect();
        match screens.last() {
            Some((_, text)) if verdict.finding().is_some() => {
                let names = screens.iter().map(|(screen, _)| self.say(screen.title(), screen.name()));
                let way = names.collect::<Vec<_>>().join(" > ");
                writeln!(self.out, "       {}: {way}", self.say("画面", "screens"))?;
                self.screen(text)
            }
            _ => Ok(()),
        }
    }

    fn happening(&mut self, happening: &Happening) -> std::io::Result<()> {
        match happening {
            Happening::StepBegan { words, .. } => {
                writeln!(self.out, "       {}", self.language.of(words))
            }
            Happening::StepEnded(StepOutcome::Passed) => Ok(()),
            Happening::StepEnded(outcome) => {
                let (ja, en) = words::step_outcome(outcome);
                writeln!(self.out, "       {}", self.say(ja, en).yellow())
            }
            Happening::Exchange { exchange, took } => {
                let command = &exchange.command;
                let meaning = wire::meaning(command.meaning());
                let meaning = self.language.of(&meaning);
                writeln!(self.out, "         > {}  {}", command.hex(), meaning.dimmed())?;
                let (answer, status) = match &exchange.response {
                    None => (self.say("(応答なし)", "(no answer)").to_owned(), String::new()),
                    Some(answer) => {
                        let meaning = answer.status().map(wire::status);
                        let meaning = meaning.as_ref().map_or("", |meaning| self.language.of(meaning));
                        (words::answer(&answer.hex(), answer.left_out(), self.language), meaning.to_owned())
                    }
                };
                let took = words::time(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
                writeln!(self.out, "         < {answer}  {} {}", status.dimmed(), took.dimmed())
            }
            Happening::Power(power) => {
                let (ja, en) = words::power(*power);
                writeln!(self.out, "         {}", self.say(ja, en).dimmed())
            }
            Happening::Screen { screen, text } => {
                let name = self.say(screen.title(), screen.name());
                writeln!(self.out, "       {}: {name}", self.say("画面", "screen"))?;
                self.screen(text)
            }
        }
    }

    fn screen(&mut self, text: &str) -> std::io::Result<()> {
        text.lines().try_for_each(|line| writeln!(self.out, "       │ {line}"))
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

    fn wants(&self) -> Detail {
        if self.verbose { Detail::Everything } else { Detail::Screens }
    }
}

//! `vmyna report`: what can be done with reports afterwards.

use super::Failure;
use crate::exit::Exit;
use crate::language::Language;
use crate::report::{
    Destination, Format, MergeError, Output, OutputError, Report, merge_json, merge_junit, write_junit,
};
use crate::run::Summary;
use clap::{Args, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use vmyna_sim::document;

/// The whole suite with every exchange has some ten mebibytes.
const MOST_OF_A_REPORT: u64 = 64 << 20;

/// Put the reports of shards together; print the schema of JSON reports
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Merge(Merge),
    /// Print the JSON schema of JSON reports
    Schema,
}

/// Put the reports of all shards of a suite together.
///
/// All files are JSON reports, or all are JUnit reports. Shards that are missing or there twice,
/// that hold the same scenario, or that are of different suites are refused. The exit code is that
/// of the whole run: 1 when something failed.
#[derive(Debug, Args)]
#[command(after_help = MERGE_EXAMPLES)]
struct Merge {
    /// The reports of the shards
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Where the whole goes: junit=PATH; from JSON reports also json=PATH, html=PATH, tap=PATH. The
    /// path - is standard output [default: standard output, in the form of the files]
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Destination>,

    /// Language that an HTML report shows first [default: from the locale]
    #[arg(long)]
    lang: Option<Language>,
}

const MERGE_EXAMPLES: &str = "\
Examples:
  vmyna run --shard 1/2 --report json=1.json        on one machine
  vmyna run --shard 2/2 --report json=2.json        on another
  vmyna report merge 1.json 2.json --report html=report.html --report junit=report.xml";

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        Self::Usage(error.to_string())
    }
}

pub(super) fn report(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Merge(arguments) => merge(&arguments),
        Command::Schema => {
            let _ = io::stdout().write_all(Report::schema().as_bytes());
            Ok(Exit::Success)
        }
    }
}

fn merge(arguments: &Merge) -> Result<Exit, Failure> {
    let mut shards = Vec::new();
    for path in &arguments.files {
        let file = path.display().to_string();
        let bytes = document::read_bytes(path, MOST_OF_A_REPORT)?;
        shards.push((file, bytes));
    }
    let is_json = |bytes: &[u8]| bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let json = shards.iter().filter(|(_, bytes)| is_json(bytes)).count();
    if json > 0 && json < shards.len() {
        let problem = "JSON and JUnit reports do not merge: give files of one form";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let outputs = |default| {
        let on_stdout = [Destination { format: default, path: None }];
        let asked = &arguments.report[..];
        Output::open_all(if asked.is_empty() { &on_stdout } else { asked })
    };
    if json > 0 {
        let whole = merge_json(&shards)?;
        let language = arguments.lang.unwrap_or_else(Language::of_environment);
        for output in outputs(Format::Json)? {
            output.write(&whole, language)?;
        }
        say(arguments, whole.summary);
        return Ok(exit(whole.summary.failed));
    }
    let whole = merge_junit(&shards)?;
    for output in outputs(Format::Junit)? {
        if output.format() != Format::Junit {
            let problem =
                "from JUnit reports only --report junit=PATH can be made; merge JSON reports instead";
            return Err(Failure::Usage(problem.to_owned()));
        }
        output.write_with(|out| write_junit(&whole, out))?;
    }
    let (failed, skipped) = (whole.failures + whole.errors, whole.skipped);
    let passed = whole.tests.saturating_sub(failed + skipped);
    say(arguments, Summary { passed, failed, skipped, not_run: 0 });
    Ok(exit(failed))
}

fn exit(failed: usize) -> Exit {
    if failed > 0 { Exit::Failed } else { Exit::Success }
}

/// The closing line, where standard output is not the report.
fn say(arguments: &Merge, summary: Summary) {
    let is_stdout = arguments.report.is_empty() || arguments.report.iter().any(|it| it.path.is_none());
    let Summary { passed, failed, skipped, .. } = summary;
    let line = format!("{passed} passed, {failed} failed, {skipped} skipped");
    // Who does not listen has the files.
    let _ = if is_stdout { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
}

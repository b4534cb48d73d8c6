//! The command line: arguments in, exit code out.

mod card;
mod diff;
mod doctor;
mod explain;
mod holders;
mod pins;
mod pki;
mod portal;
mod record;
mod report;
mod run;
mod schema;
mod seat;
mod serve;
mod vectors;
mod wait;

use crate::exit::Exit;
use crate::link::LinkError;
use crate::requirement::Requirements;
use crate::scenario::{self, Scenario};
use clap::{CommandFactory, Parser, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;
use vmyna_sim::document::DocumentError;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::{Latency, Profile};
use vmyna_sim::vpcd::BindError;

/// A virtual My Number card (個人番号カード), and a harness that replays documented flows against
/// any card.
#[derive(Debug, Parser)]
#[command(name = "vmyna", version, arg_required_else_help = true, after_help = FIRST_STEPS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const FIRST_STEPS: &str = "\
Examples:
  vmyna run                 replay every scenario against the built-in card
  vmyna run --list          what there is to replay
  vmyna explain PIN-05      what a requirement says, and which scenarios prove it
  vmyna serve               put a card into pcscd's virtual reader, for any PC/SC program
  vmyna run --card vpcd     replay against a virtual card that connects here
  vmyna portal              apply with a virtual card in a browser
  vmyna pki write           what a service needs to trust the card's certificates
`vmyna COMMAND --help` says more.

Exit codes:
  0  something ran and nothing failed
  1  something failed
  2  wrong usage, a broken file, nothing selected
  3  no card or reader within the wait, or nothing could run";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Serve(serve::Arguments),
    Card(card::Arguments),
    Wait(wait::Arguments),
    Diff(diff::Arguments),
    Record(record::Arguments),
    Vectors(vectors::Arguments),
    Doctor(doctor::Arguments),
    /// Write the TEST hierarchy for relying parties, answer OCSP, revoke
    Pki(pki::Arguments),
    Portal(portal::Arguments),
    Report(report::Arguments),
    /// List the built-in holders, or show one
    Holders(holders::Arguments),
    /// Print the completions of a shell
    Completions {
        /// which shell
        shell: clap_complete::Shell,
    },
}

/// Why a command could not do what it was asked; each kind has its exit code.
#[derive(Debug, Error)]
enum Failure {
    /// wrong usage or a broken file
    #[error("{0}")]
    Usage(String),
    /// no card within the wait, or nothing could run
    #[error("{0}")]
    NoCard(String),
}

/// A port that cannot be listened on, with what to do about it.
fn bind_failure(error: &BindError, another: &str) -> Failure {
    Failure::Usage(match error {
        BindError::InUse(_) => {
            format!(
                "{error}, perhaps by pcscd's own virtual reader; stop that, or take another port: {another}"
            )
        }
        BindError::NotHere(_) | BindError::Other { .. } => {
            format!("{error}; take another address: {another}")
        }
    })
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        Self::NoCard(error.to_string())
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success };
        }
    };
    let result = match arguments.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Serve(arguments) => serve::serve(arguments),
        Command::Card(arguments) => card::card(arguments),
        Command::Wait(arguments) => wait::wait(arguments),
        Command::Diff(arguments) => diff::diff(&arguments),
        Command::Record(arguments) => record::record(&arguments),
        Command::Vectors(arguments) => vectors::vectors(&arguments),
        Command::Doctor(_) => Ok(doctor::doctor()),
        Command::Pki(arguments) => pki::pki(arguments),
        Command::Portal(arguments) => portal::portal(arguments),
        Command::Report(arguments) => report::report(arguments),
        Command::Holders(arguments) => holders::holders(arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "vmyna", &mut script);
            let _ = std::io::stdout().write_all(&script);
            Ok(Exit::Success)
        }
    };
    result.unwrap_or_else(|failure| {
        let _ = writeln!(anstream::stderr(), "error: {failure}");
        match failure {
            Failure::Usage(_) => Exit::Usage,
            Failure::NoCard(_) => Exit::NoCard,
        }
    })
}

/// The scenarios at or below `paths`; those built in where there are none.
fn scenarios(paths: &[PathBuf], requirements: &Requirements) -> Result<Vec<Scenario>, Failure> {
    if paths.is_empty() {
        return Ok(scenario::built_in(requirements));
    }
    scenario::load_paths(paths, requirements).map_err(|error| Failure::Usage(error.to_string()))
}

/// A holder by the name of a built-in one, or by the path of a file.
fn holder(name_or_file: &str) -> Result<Holder, Failure> {
    if let Some(holder) = Holder::built_in(name_or_file) {
        return Ok(holder);
    }
    let path = Path::new(name_or_file);
    if path.extension().is_none() && !path.exists() {
        let known = Holder::built_in_names().join(", ");
        return Err(Failure::Usage(format!(
            "there is no built-in holder {name_or_file:?} and no such file; built in are: {known}"
        )));
    }
    Ok(Holder::load(path)?)
}

/// A profile by the name of a built-in one, or by the path of a file.
fn profile(name_or_file: &str) -> Result<Profile, Failure> {
    if let Some(profile) = Profile::built_in(name_or_file) {
        return Ok(profile);
    }
    let path = Path::new(name_or_file);
    if path.extension().is_none() && !path.exists() {
        let known: Vec<_> = Profile::built_in_names().collect();
        return Err(Failure::Usage(format!(
            "there is no built-in profile {name_or_file:?} and no such file; built in are: {}",
            known.join(", ")
        )));
    }
    Ok(Profile::load(path)?)
}

/// A timing by the name of a built-in one, or by the path of a file.
fn timing(name_or_file: &str) -> Result<Latency, Failure> {
    if let Some(timing) = Latency::built_in(name_or_file) {
        return Ok(timing);
    }
    let path = Path::new(name_or_file);
    if path.extension().is_none() && !path.exists() {
        let known: Vec<_> = Latency::built_in_names().collect();
        return Err(Failure::Usage(format!(
            "there is no built-in timing {name_or_file:?} and no such file; built in are: {}",
            known.join(", ")
        )));
    }
    Ok(Latency::load(path)?)
}

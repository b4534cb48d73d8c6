//! `vmyna schema`: the JSON schema of scenario files.

use super::Failure;
use crate::exit::Exit;
use crate::scenario;
use clap::Args;
use std::io::Write;

/// Print the JSON schema of scenario files, for editors
///
/// Save it, and name it in the first line of a scenario: an editor with a YAML language server then
/// completes keys, explains them, and marks mistakes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

const EXAMPLES: &str = "\
Examples:
  vmyna schema > scenario.schema.json
  # yaml-language-server: $schema=scenario.schema.json        (first line of a scenario beside it)";

pub(super) fn schema(_: &Arguments) -> Result<Exit, Failure> {
    // Who stops reading has seen enough of it.
    let _ = writeln!(anstream::stdout().lock(), "{:#}", scenario::schema());
    Ok(Exit::Success)
}

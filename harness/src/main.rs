//! The `vmyna` command.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    vmyna::cli::main().into()
}

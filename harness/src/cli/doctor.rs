//! `vmyna doctor`: what a virtual reader needs, what of it is here, and what helps.

use crate::doctor::{Finding, Machine, State, examine};
use crate::exit::Exit;
use clap::Args;
use owo_colors::OwoColorize;
use std::io::Write;

/// Look at what a virtual reader needs here: pcscd, the driver vpcd, its ports, the readers, OpenSC.
///
/// Nothing is changed. What is broken comes with the commands that mend it, those of Debian and Ubuntu.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 a virtual reader works here, 3 something that it needs is broken")]
pub(super) struct Arguments {}

pub(super) fn doctor() -> Exit {
    let findings = examine(&Machine::here(), readers());
    let mut out = anstream::stdout().lock();
    for Finding { state, what, help } in &findings {
        let mark = match state {
            State::Good => " ok  ".green().to_string(),
            State::Note => "note ".yellow().to_string(),
            State::Broken => "FIX  ".red().bold().to_string(),
        };
        let _ = writeln!(out, "{mark} {what}");
        for line in help {
            let _ = writeln!(out, "         {line}");
        }
    }
    if cfg!(not(feature = "pcsc")) {
        let _ = writeln!(
            out,
            "{} this vmyna was built without PC/SC: `--card pcsc` needs the feature `pcsc`; `vmyna serve` does not\n         \
             apt-get install libpcsclite-dev pkg-config && cargo install vmyna --features pcsc",
            "note ".yellow()
        );
    }
    let broken = findings.iter().filter(|finding| finding.state == State::Broken).count();
    let _ = match broken {
        0 => writeln!(out, "\nnothing is broken; `vmyna serve` puts a card into the virtual reader"),
        1 => writeln!(out, "\n1 thing to fix; the first may mend others"),
        _ => writeln!(out, "\n{broken} things to fix; the first may mend the others"),
    };
    if broken == 0 { Exit::Success } else { Exit::NoCard }
}

#[cfg(feature = "pcsc")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is nothing")]
fn readers() -> Option<Result<Vec<String>, String>> {
    Some(crate::link::pcsc::reader_names().map_err(|problem| problem.en))
}

#[cfg(not(feature = "pcsc"))]
const fn readers() -> Option<Result<Vec<String>, String>> {
    None
}

//! `vmyna wait`: until a reader sees the card. Nothing is looked at from time to time: the running
//! `vmyna serve` tells it, and until there is one, the folder of its socket does; or PC/SC tells it, as
//! it tells every program.

use super::Failure;
use super::card::{Which, connect, order_of};
use crate::control::{self, Order, Reply};
use crate::exit::Exit;
use clap::Args;
use std::time::{Duration, Instant};

/// Wait until the reader sees the card
///
/// The exit code is 3 when it does not in time.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,

    /// Ask PC/SC instead, where `vmyna serve` may run on another machine or be no part of it: NAME is
    /// the reader's or a part of it; without, any reader (feature `pcsc`)
    #[arg(long, value_name = "NAME", num_args = 0..=1, require_equals = true, conflicts_with_all = ["control", "slot"])]
    reader: Option<Option<String>>,

    /// How long, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    wait: Duration,
}

const EXAMPLES: &str = "\
Examples:
  vmyna serve & vmyna wait && pkcs15-tool --dump
  vmyna card insert && vmyna wait --wait 2
  vmyna wait --reader='PCD 00 01'            until PC/SC shows a card there";

pub(super) fn wait(arguments: Arguments) -> Result<Exit, Failure> {
    let deadline = Instant::now() + arguments.wait;
    if let Some(reader) = arguments.reader {
        return shown_by_pcsc(reader, arguments.wait);
    }
    let mut client = loop {
        let missing = match connect(&arguments.which) {
            Ok(client) => break client,
            Err(Failure::NoCard(missing)) => missing,
            Err(wrong) => return Err(wrong),
        };
        let appeared = control::wait_for_a_socket(arguments.which.control.as_deref(), deadline);
        if !appeared.map_err(|error| Failure::Usage(error.to_string()))? {
            return Err(Failure::NoCard(missing));
        }
    };
    let at_most = deadline.saturating_duration_since(Instant::now());
    match order_of(&mut client, arguments.which.slot, Order::Wait { at_most })? {
        Reply::Done(_) => Ok(Exit::Success),
        Reply::Refused(problem) => Err(Failure::Usage(problem)),
        _ => Err(Failure::NoCard(format!(
            "the reader did not see the card within {} s; `vmyna card status` tells what there is",
            arguments.wait.as_secs_f64()
        ))),
    }
}

#[cfg(feature = "pcsc")]
fn shown_by_pcsc(reader: Option<String>, wait: Duration) -> Result<Exit, Failure> {
    use crate::link::pcsc::{PcscReader, ReaderChoice, Sharing};
    let choice = reader.map_or(ReaderChoice::Any, ReaderChoice::Named);
    let shown = PcscReader::new(choice, Sharing::Shared, wait).wait(Instant::now() + wait);
    shown.map_err(|reason| Failure::NoCard(reason.en))?;
    Ok(Exit::Success)
}

#[cfg(not(feature = "pcsc"))]
fn shown_by_pcsc(_: Option<String>, _: Duration) -> Result<Exit, Failure> {
    Err(Failure::NoCard(super::seat::WITHOUT_PCSC.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number of seconds from 0 to 86400".to_owned()),
    }
}

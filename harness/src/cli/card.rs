//! `vmyna card`: what is done to a card in a reader from outside, while `vmyna serve` keeps it there.

use super::Failure;
use crate::control::{self, Client, Order, Reply, Status};
use crate::exit::Exit;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use vmyna_sim::fault::SYNTAX;
use vmyna_sim::pin::PinName;

/// Remove, insert, swap or unblock the card of a running `vmyna serve`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,

    #[command(subcommand)]
    act: Option<Act>,
}

/// One of the cards that are being served.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The socket of `vmyna serve --control` [default: that of the only one that runs]
    #[arg(long, value_name = "PATH", global = true)]
    pub(super) control: Option<PathBuf>,

    /// Which of its cards
    #[arg(long, value_name = "N", default_value_t = 0, global = true)]
    pub(super) slot: u16,
}

const EXAMPLES: &str = "\
Examples:
  vmyna card                             what is running
  vmyna card remove                      lift the card off the reader, whatever it is doing
  vmyna card insert                      put it back
  vmyna card swap taro                   another person's card
  vmyna card counters                    how many tries each PIN has
  vmyna card unblock digital_signature   as the municipal counter does; no command can
  vmyna card fault mute=2s@sign          the next signature does not come
  vmyna card --slot 1 log --follow       what the second card is told and answers, PINs masked";

#[derive(Debug, Subcommand)]
enum Act {
    /// What is running: holder, reader, whether the reader has seen the card
    Status,
    /// Put the card into the reader
    Insert,
    /// Take the card out of the reader, whatever it is doing
    Remove,
    /// Take the card out and put another in; the reader sees it within a second
    Swap {
        /// Whose: a built-in holder or a holder file
        #[arg(value_name = "NAME|FILE")]
        holder: String,

        /// Of which kind [default: the same]
        #[arg(long, value_name = "NAME|FILE")]
        profile: Option<String>,

        /// Where its state is kept [default: in memory]
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
    /// How many tries each PIN has left
    Counters {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Fill the counter of a PIN again, as the municipal counter (市区町村の窓口) does
    Unblock {
        /// Which: user_authentication, digital_signature, text_input, resident_register, …
        #[arg(value_name = "PIN", value_parser = pin)]
        pin: PinName,
    },
    /// Arm a fault, or tell those that are armed
    #[command(after_help = SYNTAX)]
    Fault {
        /// Such as mute=2s@sign; its moment counts from now
        #[arg(value_name = "SPEC")]
        spec: Option<String>,

        /// Take back what is armed
        #[arg(long, conflicts_with = "spec")]
        clear: bool,
    },
    /// The last exchanges, PINs masked
    Log {
        /// Go on until interrupted
        #[arg(long, short)]
        follow: bool,
    },
}

pub(super) fn card(arguments: Arguments) -> Result<Exit, Failure> {
    let mut client = connect(&arguments.which)?;
    let mut json = false;
    let order = match arguments.act.unwrap_or(Act::Status) {
        Act::Status => Order::Status,
        Act::Insert => Order::Insert,
        Act::Remove => Order::Remove,
        Act::Swap { holder, profile, state } => Order::Swap {
            holder: absolute(holder)?,
            profile: profile.map(absolute).transpose()?,
            state: state
                .map(std::path::absolute)
                .transpose()
                .map_err(|error| Failure::Usage(error.to_string()))?,
        },
        Act::Counters { json: as_json } => {
            json = as_json;
            Order::Counters
        }
        Act::Unblock { pin } => Order::Unblock(pin),
        Act::Fault { spec: Some(spec), .. } => Order::Fault(spec),
        Act::Fault { clear: true, .. } => Order::ClearFaults,
        Act::Fault { .. } => Order::Faults,
        Act::Log { follow } => Order::Log { follow },
    };
    let follows = matches!(order, Order::Log { follow: true });
    let mut reply = Some(order_of(&mut client, arguments.which.slot, order)?);
    while let Some(told) = reply {
        if !show(told, json)? {
            break;
        }
        reply = if follows {
            client.next_reply().map_err(|error| Failure::NoCard(error.to_string()))?
        } else {
            None
        };
    }
    Ok(Exit::Success)
}

/// Finds the process that is meant.
pub(super) fn connect(which: &Which) -> Result<Client, Failure> {
    let no_card = |error: control::ControlError| Failure::NoCard(error.to_string());
    if let Some(path) = &which.control {
        return Client::connect(path).map_err(no_card);
    }
    let running = control::running().map_err(|error| Failure::Usage(error.to_string()))?;
    match &running[..] {
        [] => Err(Failure::NoCard("no `vmyna serve` of yours is running".to_owned())),
        [path] => Client::connect(path).map_err(no_card),
        several => {
            let mut told = "several are running; say which with --control PATH:".to_owned();
            for path in several {
                told.push_str(&format!("\n  {}", path.display()));
                let status = Client::connect(path).and_then(|mut client| client.order(0, Order::Status));
                if let Ok(Reply::Status(slots)) = status {
                    let slots: Vec<_> =
                        slots.iter().map(|slot| format!("{} at {}", slot.holder, slot.reader)).collect();
                    told.push_str(&format!("  {}", slots.join(", ")));
                }
            }
            Err(Failure::Usage(told))
        }
    }
}

pub(super) fn order_of(client: &mut Client, slot: u16, order: Order) -> Result<Reply, Failure> {
    client.order(slot, order).map_err(|error| Failure::NoCard(error.to_string()))
}

/// Prints a reply; `false` when nobody reads it any more.
fn show(reply: Reply, json: bool) -> Result<bool, Failure> {
    let mut text = String::new();
    match reply {
        Reply::Done(said) => text = said + "\n",
        Reply::Refused(problem) => return Err(Failure::Usage(problem)),
        Reply::TimedOut => return Err(Failure::NoCard("the reader does not see the card".to_owned())),
        Reply::Lines(lines) => lines.iter().for_each(|line| text.push_str(&format!("{line}\n"))),
        Reply::Status(slots) => slots.iter().for_each(|slot| text.push_str(&status(slot))),
        Reply::Counters(counters) if json => {
            text = serde_json::to_string_pretty(&counters).unwrap_or_default() + "\n";
        }
        Reply::Counters(counters) => {
            for counter in counters {
                let blocked = if counter.tries_left == 0 { "  blocked" } else { "" };
                text.push_str(&format!(
                    "{:<20} {:>2} of {}{blocked}\n",
                    counter.pin.to_string(),
                    counter.tries_left,
                    counter.full
                ));
            }
        }
    }
    let mut stdout = anstream::stdout();
    Ok(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok())
}

fn status(slot: &Status) -> String {
    let state = match (slot.inserted, slot.seen) {
        (false, _) => "not in the reader",
        (true, false) => "in the reader, which has not seen it",
        (true, true) => "in the reader",
    };
    format!("slot {}  {}  {}  {state}\n", slot.slot, slot.holder, slot.reader)
}

fn pin(name: &str) -> Result<PinName, String> {
    PinName::ALL.into_iter().find(|pin| pin.to_string() == name).ok_or_else(|| {
        let known = PinName::ALL.map(|pin| pin.to_string()).join(", ");
        format!("there is no such PIN; there are: {known}")
    })
}

/// A file as the running process finds it, whatever folder that was started in. A built-in name stays.
fn absolute(name_or_file: String) -> Result<String, Failure> {
    let path = std::path::Path::new(&name_or_file);
    if path.extension().is_none() && !path.exists() {
        return Ok(name_or_file);
    }
    let path = std::path::absolute(path).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(path.display().to_string())
}

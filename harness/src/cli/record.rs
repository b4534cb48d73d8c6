//! `vmyna record`: a conversation between a client and a card, as a scenario.

use super::Failure;
use super::seat::CardSeat;
use crate::exit::Exit;
use crate::link::{CardLink, Consent, Guard, InProcess, LinkError, Stopped, place_of};
use crate::record::{Recording, lift, relay, to_yaml};
use crate::run::{is_ours, known_pins};
use crate::terminal;
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{self, Address, Mode, Shutdown};

/// Write down what a client says to a card, as a scenario.
///
/// A virtual card is put into a reader, as `vmyna serve` does; what a client says to it goes to the
/// card seat and back. Ctrl-C (SIGINT or SIGTERM) ends it and writes FILE, and so does the card's leaving. PINs are written as the
/// holder's: `right`, `wrong`, `new`; no value of a PIN is ever in FILE. What the card answers is in
/// it: with --mask only the lengths of what files hold.
///
/// A card that may be real is guarded as `vmyna run` guards it: a client's PIN passes only if it is
/// the one that --holder tells. What is refused makes the card leave the reader.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The scenario to write; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Who sits in the card seat: `sim[:PROFILE][@HOLDER]`, `vpcd[:PORT]`, `vicc:HOST:PORT`,
    /// `pcsc[:READER]`; see `vmyna run --help`
    #[arg(long, value_name = "SEAT", default_value = "sim")]
    card: CardSeat,

    /// The reader that the client uses: where it listens
    #[arg(long, value_name = "HOST:PORT", default_value_t = Address::default(), conflicts_with = "listen")]
    connect: Address,

    /// Listen for the client's reader instead (vpcd's reversed mode)
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,

    /// Whose PINs: a built-in holder or a holder file [default: of `sim`, its holder]
    #[arg(long, value_name = "NAME|FILE")]
    holder: Option<String>,

    /// Of what files hold, write the length only: certificates, names, numbers, pictures
    #[arg(long)]
    mask: bool,

    /// The card is a simulator: nothing needs to be held back
    #[arg(long)]
    mine: bool,

    /// Wrong PINs may go to a card that may be real, up to blocking it
    #[arg(long)]
    spend_tries: bool,

    /// Keep other programs away from a card in a reader of PC/SC
    #[arg(long)]
    exclusive: bool,

    /// How long to wait for a card
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,
}

const EXAMPLES: &str = "\
Examples:
  vmyna record login.yaml              then use OpenSC, a browser, any client; Ctrl-C; and
  vmyna run login.yaml                 replays it
  vmyna record real.yaml --card pcsc --holder me.yaml --mask
                                       a client's way with the card on the desk, nothing personal kept";

pub(super) fn record(arguments: &Arguments) -> Result<Exit, Failure> {
    let Arguments { file, .. } = arguments;
    if file.exists() {
        return Err(Failure::Usage(format!("{}: is there already, and is not overwritten", file.display())));
    }
    let stem = id_of(file)?;
    let sim_holder = match &arguments.card {
        CardSeat::Sim(sim) => Some(sim.holder.as_deref().unwrap_or("hanako")),
        _ => None,
    };
    let holder_name = arguments.holder.as_deref().or(sim_holder);
    let holder = holder_name.map(super::holder).transpose()?;
    let mode = match &arguments.listen {
        Some(address) => {
            let bound = vpcd::bind(address);
            Mode::Listen(bound.map_err(|error| super::bind_failure(&error, "--listen HOST:PORT"))?)
        }
        None => Mode::Connect(arguments.connect.clone()),
    };
    let mut link = open(arguments, holder.as_ref())?;
    let shutdown = Shutdown::new();
    let on_signal = shutdown.clone();
    ctrlc::set_handler(move || on_signal.now())
        .map_err(|error| Failure::Usage(format!("signals cannot be handled: {error}")))?;

    let (mut client_end, card_end) = relay();
    let served = shutdown.clone();
    let heard = std::thread::scope(|scope| {
        scope.spawn(move || {
            vpcd::serve(&mut client_end, mode, &served, &mut |event| super::serve::tell(&event));
        });
        card_end.hand_on(&mut *link, |error| {
            tell(error);
            // A card that has gone will say nothing more that could be written down.
            if matches!(error, LinkError::Lost(_)) {
                shutdown.now();
            }
        })
    });

    let day = jiff::Zoned::now().date().to_string();
    let lifted = lift(&heard, holder.as_ref(), arguments.mask);
    let built_in = holder_name.filter(|name| Holder::built_in(name).is_some());
    let replay = match (built_in, holder_name) {
        (None, Some(path)) => format!("vmyna run {} --holder {path}", file.display()),
        _ => format!("vmyna run {}", file.display()),
    };
    let seat = seat_in_words(&arguments.card);
    let recording = Recording {
        id: &stem,
        seat: &seat,
        holder: built_in,
        day: &day,
        replay: &replay,
        masked: arguments.mask,
    };
    let Some(yaml) = to_yaml(&recording, &lifted.given, &lifted.steps) else {
        return Err(Failure::NoCard(
            "no client has said anything to the card; nothing was written".to_owned(),
        ));
    };
    write_new(file, &yaml)?;
    let steps = lifted.steps.len();
    let _ = writeln!(anstream::stderr(), "{}: {steps} steps; `{replay}` replays them", file.display());
    Ok(Exit::Success)
}

fn tell(error: &LinkError) {
    let _ = match error {
        LinkError::Refused(refused) => {
            writeln!(anstream::stderr(), "not sent, and the card leaves the reader: {refused}")
        }
        LinkError::Lost(_) => writeln!(anstream::stderr(), "{error}"),
    };
}

/// The card of the seat, guarded where it may be real.
fn open(arguments: &Arguments, holder: Option<&Holder>) -> Result<Box<dyn CardLink>, Failure> {
    if let CardSeat::Sim(sim) = &arguments.card {
        let profile = sim.profile.as_deref().map_or_else(|| Ok(Profile::card()), super::profile)?;
        let holder = super::holder(sim.holder.as_deref().unwrap_or("hanako"))?;
        let personalised = Personalised::new(holder, profile, jiff::Timestamp::now());
        let personalised = personalised.map_err(|error| Failure::Usage(error.to_string()))?;
        return Ok(Box::new(InProcess(VirtualCard::new(Arc::new(personalised)))));
    }
    let wait = Duration::from_secs(arguments.wait);
    let mut source = arguments.card.open(wait, arguments.exclusive)?;
    let mut link = source.connect(Instant::now() + wait).map_err(|reason| Failure::NoCard(reason.en))?;
    link.power(Power::On)?;
    link.atr()?;
    if arguments.mine || is_ours(&mut *link)? {
        link.power(Power::Off)?;
        return Ok(link);
    }
    let _ = writeln!(anstream::stderr(), "the card may be real: it is guarded");
    let consent = Consent { spend_tries: arguments.spend_tries, change_pins: false };
    let known = holder.map(known_pins).unwrap_or_default();
    let pins: Vec<PinName> = known.keys().copied().collect();
    let mut link = Guard::new(link, consent, known, Stopped::default());
    // The guard lets no PIN through whose counter it does not know.
    for (application, file) in pins.into_iter().filter_map(place_of) {
        link.transmit(&terminal::select_application(application.aid))?;
        link.transmit(&terminal::select_file(file))?;
        link.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, 0x80).to_bytes())?;
    }
    link.power(Power::Off)?;
    Ok(Box::new(link))
}

/// The scenario's id, out of the file's name.
fn id_of(file: &Path) -> Result<String, Failure> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let allowed = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' { c } else { '-' };
    let id: String = stem.chars().map(allowed).collect();
    if file.extension().is_none_or(|extension| extension != "yaml") || id.is_empty() {
        return Err(Failure::Usage(format!("{}: a scenario's file ends in .yaml", file.display())));
    }
    Ok(format!("recorded.{id}"))
}

fn seat_in_words(seat: &CardSeat) -> String {
    match seat {
        CardSeat::Sim(_) => "sim".to_owned(),
        CardSeat::Vpcd(_) => "vpcd".to_owned(),
        CardSeat::Vicc(_) => "vicc".to_owned(),
        CardSeat::Pcsc(_) => "pcsc".to_owned(),
    }
}

fn write_new(file: &Path, yaml: &str) -> Result<(), Failure> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(yaml.as_bytes()));
    written.map_err(|error| Failure::Usage(format!("{}: cannot be written: {error}", file.display())))
}

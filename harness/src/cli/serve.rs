//! `vmyna serve`: virtual cards in readers.

mod telling;

use super::Failure;
use crate::control::{Place, Server, Slot, SlotCard};
use crate::exit::Exit;
use crate::stream;
use clap::Args;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use telling::Speaker;
use vmyna_sim::card::{Personalised, VirtualCard, unpredictable};
use vmyna_sim::fault::{Fault, Faults, SYNTAX};
use vmyna_sim::issue::{Addresses, OcspUrl};
use vmyna_sim::profile::Profile;
use vmyna_sim::store::{FileStore, MemoryStore, Store};
use vmyna_sim::trace::Trace;
use vmyna_sim::vpcd::{self, Address, Event, Mode};

/// Put a virtual card into a reader and keep it there.
///
/// The card connects to pcscd's virtual reader (vpcd), and again whenever pcscd comes back. What it
/// waits for is said on standard error; a line `ready` on standard output says that the reader has
/// powered the card. SIGINT and SIGTERM end it. Meanwhile `vmyna card` takes the card out, puts it
/// in, swaps it, unblocks its PINs and arms faults.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\nFaults (--fault):\n{SYNTAX}"))]
pub(super) struct Arguments {
    /// Whose card: a built-in holder or a holder file; given several times, a card for each, in one
    /// slot after the other [default: hanako]
    #[arg(long = "holder", value_name = "NAME|FILE")]
    holders: Vec<String>,

    /// In how many slots; the holders take turns [default: as many as there are holders]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    slots: Option<u16>,

    /// What kind of card: a built-in profile or a profile file
    #[arg(long, value_name = "NAME|FILE", default_value = "card")]
    profile: String,

    /// How long the card takes: instant, realistic (as over a contactless reader), or a file
    /// [default: as the profile says, which is instant]
    #[arg(long, value_name = "NAME|FILE")]
    timing: Option<String>,

    /// Keep counters and changed PINs in this file, which is made when it is not there; without it
    /// every start is a fresh card. With several slots, once for each
    #[arg(long = "state", value_name = "FILE")]
    states: Vec<PathBuf>,

    /// The OCSP responder that its certificate names; `vmyna pki serve` is one
    #[arg(long, value_name = "URL", default_value_t = OcspUrl::default())]
    ocsp_url: OcspUrl,

    /// Issue the card as of this instant, such as 2026-04-01T00:00:00Z [default: now]
    #[arg(long, value_name = "INSTANT")]
    clock: Option<jiff::Timestamp>,

    /// Where the reader listens, now or later; slot n is n ports further
    #[arg(long, value_name = "HOST:PORT", default_value_t = Address::default(), conflicts_with = "listen")]
    connect: Address,

    /// Listen for the reader instead (vpcd's reversed mode); a PORT alone means this machine only,
    /// and port 0 one that is free, which is told on standard error
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,

    /// Add every command and answer, PINs masked, to FILE [without FILE: standard error]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<PathBuf>>,

    /// Something that goes wrong, such as mute=2s@sign (repeatable); `--help` tells all
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,

    /// What the faults that are left to chance follow from [default: by chance, and told]
    #[arg(long, value_name = "N")]
    fault_seed: Option<u64>,

    /// The socket for `vmyna card` [default: one of its own in $XDG_RUNTIME_DIR/vmyna]
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna serve                              hanako's card into pcscd's first virtual reader
  vmyna serve --connect 127.0.0.1:35964    into the second one
  vmyna serve --slots 2                    a card into each of the two
  vmyna serve --state hanako.json          counters and PINs outlive the process
  vmyna serve --listen 35963               wait for `vmyna run --card vicc:127.0.0.1:35963`
  vmyna serve --timing realistic           signing takes more than half a second, as it does
  vmyna serve --fault remove=during@sign   pull the card out of the reader when it signs";

pub(super) fn serve(arguments: Arguments) -> Result<Exit, Failure> {
    let usage = |error: String| Failure::Usage(error);
    let holders =
        if arguments.holders.is_empty() { vec!["hanako".to_owned()] } else { arguments.holders.clone() };
    let count = arguments.slots.map_or(holders.len(), usize::from);
    if count < holders.len() {
        return Err(usage(format!("--slots {count} is less than the {} holders", holders.len())));
    }
    let profile = super::profile(&arguments.profile)?;
    let latency = match &arguments.timing {
        None => profile.latency,
        Some(name) => super::timing(name)?,
    };
    let holders = holders.iter().map(|holder| super::holder(holder)).collect::<Result<Vec<_>, _>>()?;
    if profile.preview {
        Speaker(None)
            .tell(format_args!("{}: a preview; little is public of this kind of card", arguments.profile));
    }
    // The ports first: they are the cheapest thing that can go wrong, and take nothing with them.
    let modes = (0..count).map(|slot| mode(&arguments, slot)).collect::<Result<Vec<_>, _>>()?;
    if !arguments.states.is_empty() && arguments.states.len() != count {
        return Err(usage(format!(
            "{count} cards need as many state files, and --state was given {} times",
            arguments.states.len()
        )));
    }
    for state in &arguments.states {
        if let Some(Some(trace)) = &arguments.trace
            && is_same_file(state, trace)
        {
            return Err(usage(format!("{}: the state and the trace need a file each", trace.display())));
        }
    }
    // Before there are threads.
    let place = match (Place::take(arguments.control.as_deref()), &arguments.control) {
        (Ok(place), _) => Some(place),
        (Err(error), Some(_)) => return Err(usage(error.to_string())),
        (Err(error), None) => {
            Speaker(None).tell(format_args!("without `vmyna card`: {error}"));
            None
        }
    };
    let now = arguments.clock.unwrap_or_else(jiff::Timestamp::now);
    let addresses = Addresses { ocsp: arguments.ocsp_url };
    let mut personalised = Vec::new();
    for holder in holders {
        let made = Personalised::with_addresses(holder, profile.clone(), now, &addresses);
        personalised.push(Arc::new(made.map_err(|error| usage(error.to_string()))?));
    }
    let seed = arguments.fault_seed.unwrap_or_else(by_chance);
    if arguments.faults.iter().any(|fault| fault.is_random()) {
        Speaker(None).tell(format_args!("faults by chance; --fault-seed {seed} replays them"));
    }
    let mut served = Vec::new();
    for (slot, mode) in modes.into_iter().enumerate() {
        let personalised = personalised[slot % personalised.len()].clone();
        let card = card(personalised, arguments.states.get(slot).map(PathBuf::as_path)).map_err(usage)?;
        let speaker = Speaker((count > 1).then_some(slot as u16));
        let reader = match &mode {
            Mode::Connect(to) => to.to_string(),
            Mode::Listen(listener) => {
                listener.local_addr().map_or_else(|error| error.to_string(), |on| on.to_string())
            }
        };
        let slot = Slot::new(slot as u16, reader, card, Faults::new(seed.wrapping_add(slot as u64)));
        let card = slot.card(latency, move |strike| speaker.tell(format_args!("fault: {strike}")));
        for fault in &arguments.faults {
            slot.arm(*fault).map_err(|error| usage(error.to_string()))?;
        }
        served.push((slot, traced(card, arguments.trace.as_ref(), speaker)?, mode, speaker));
    }
    let slots: Vec<Slot> = served.iter().map(|(slot, ..)| slot.clone()).collect();
    let ending = slots.clone();
    ctrlc::set_handler(move || ending.iter().for_each(Slot::end))
        .map_err(|error| usage(format!("signals cannot be handled: {error}")))?;
    let _server = match place {
        None => None,
        Some(place) => {
            let server = Server::start(place, slots.clone(), other_card(addresses, arguments.clock));
            Some(server.map_err(|error| usage(format!("the control socket: {error}")))?)
        }
    };
    hold(served, &slots)
}

type Served = (Slot, SlotCard, Mode, Speaker);

/// Serves every card until the end, each in a thread of its own.
fn hold(served: Vec<Served>, slots: &[Slot]) -> Result<Exit, Failure> {
    let failed = |error: &vpcd::BindError| super::bind_failure(error, "--listen HOST:PORT");
    let serve = |(slot, mut card, mode, speaker): Served| {
        let served = slot.serve(&mut *card, mode, &mut |event| speaker.hear(&event));
        // One that cannot go on ends all: nobody would look after it.
        if served.is_err() {
            slots.iter().for_each(Slot::end);
        }
        served
    };
    let mut served = served.into_iter();
    let first = served.next();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for card in served {
            let thread = thread::Builder::new().name(format!("slot-{}", card.0.number()));
            match thread.spawn_scoped(scope, move || serve(card)) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    slots.iter().for_each(Slot::end);
                    return Err(Failure::Usage(format!(
                        "the system has no thread for another card: {error}"
                    )));
                }
            }
        }
        let mut ended: Vec<_> = first.into_iter().map(serve).collect();
        ended.extend(threads.into_iter().filter_map(|thread| thread.join().ok()));
        match ended.into_iter().find_map(Result::err) {
            Some(error) => Err(failed(&error)),
            None => Ok(Exit::Success),
        }
    })
}

fn mode(arguments: &Arguments, slot: usize) -> Result<Mode, Failure> {
    let of_slot = |address: &Address| {
        // Port 0 is any, for each.
        let further = if address.port() == 0 { Some(0) } else { u16::try_from(slot).ok() };
        further
            .and_then(|further| address.slot(further))
            .ok_or_else(|| Failure::Usage(format!("slot {slot} of {address} would be beyond the last port")))
    };
    match &arguments.listen {
        Some(address) => {
            let bound = vpcd::bind(&of_slot(address)?);
            Ok(Mode::Listen(bound.map_err(|error| super::bind_failure(&error, "--listen HOST:PORT"))?))
        }
        None => of_slot(&arguments.connect).map(Mode::Connect),
    }
}

fn card(personalised: Arc<Personalised>, state: Option<&Path>) -> Result<VirtualCard, String> {
    let fresh = personalised.fresh_state();
    let (store, state): (Box<dyn Store>, _) = match state {
        None => (Box::new(MemoryStore), fresh),
        Some(path) => {
            let (store, state) =
                FileStore::open(path, personalised.holder().id(), personalised.profile().tries, fresh)
                    .map_err(|error| error.to_string())?;
            (Box::new(store), state)
        }
    };
    Ok(VirtualCard::with(personalised, store, state, Box::new(unpredictable())))
}

/// Makes the card that `vmyna card swap` asks for.
fn other_card(
    addresses: Addresses,
    clock: Option<jiff::Timestamp>,
) -> impl Fn(&VirtualCard, &str, Option<&str>, Option<&Path>) -> Result<VirtualCard, String> + Send + Sync {
    move |now, holder, profile, state| {
        let told = |failure: Failure| failure.to_string();
        let holder = super::holder(holder).map_err(told)?;
        let profile: Profile = match profile {
            Some(profile) => super::profile(profile).map_err(told)?,
            None => now.personalised().profile().clone(),
        };
        let made = Personalised::with_addresses(
            holder,
            profile,
            clock.unwrap_or_else(jiff::Timestamp::now),
            &addresses,
        );
        card(Arc::new(made.map_err(|error| error.to_string())?), state)
    }
}

fn traced(card: SlotCard, trace: Option<&Option<PathBuf>>, speaker: Speaker) -> Result<SlotCard, Failure> {
    Ok(match trace {
        None => card,
        Some(None) => Box::new(Trace::new(card, speaker.writer(std::io::stderr()))),
        Some(Some(path)) => {
            let file = match path.metadata() {
                Ok(there) if !there.is_file() && !there.is_dir() => stream::open(path),
                // What stands there already stays: it may be anything.
                _ => OpenOptions::new().append(true).create(true).open(path),
            };
            let file = file.map_err(|error| {
                Failure::Usage(format!("--trace={}: cannot be written: {error}", path.display()))
            })?;
            Box::new(Trace::new(card, speaker.writer(file)))
        }
    })
}

/// A seed that nobody chose; short enough to be typed.
fn by_chance() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    (now.unsigned_abs() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44
}

/// Whether both paths name one file, which may not be there yet.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let name = |path: &Path| {
        path.canonicalize().or_else(|_| {
            let folder =
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok::<_, std::io::Error>(folder.canonicalize()?.join(path.file_name().unwrap_or_default()))
        })
    };
    matches!((name(one), name(other)), (Ok(one), Ok(other)) if one == other)
}

/// Says what is happening to one card.
pub(super) fn tell(event: &Event) {
    Speaker(None).hear(event);
}

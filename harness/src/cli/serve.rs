//! `vmyna serve`: a virtual card in a reader.

use super::Failure;
use crate::exit::Exit;
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vmyna_sim::card::{Personalised, VirtualCard, unpredictable};
use vmyna_sim::issue::{Addresses, OcspUrl};
use vmyna_sim::latency::Slow;
use vmyna_sim::smart_card::{Power, SmartCard};
use vmyna_sim::store::{FileStore, MemoryStore, Store};
use vmyna_sim::trace::{Trace, Traced};
use vmyna_sim::vpcd::{self, Address, Event, Mode, Shutdown};

/// Put a virtual card into a reader and keep it there.
///
/// The card connects to pcscd's virtual reader (vpcd), and again whenever pcscd comes back. What it
/// waits for is said on standard error; a line `ready` on standard output says that the reader has
/// powered the card. SIGINT and SIGTERM end it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Whose card: a built-in holder or a holder file
    #[arg(long, value_name = "NAME|FILE", default_value = "hanako")]
    holder: String,

    /// What kind of card: a built-in profile or a profile file
    #[arg(long, value_name = "NAME|FILE", default_value = "card")]
    profile: String,

    /// Keep counters and changed PINs in this file, which is made when it is not there; without it
    /// every start is a fresh card
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// The OCSP responder that its certificate names; `vmyna pki serve` is one
    #[arg(long, value_name = "URL", default_value_t = OcspUrl::default())]
    ocsp_url: OcspUrl,

    /// Where the reader listens, now or later
    #[arg(long, value_name = "HOST:PORT", default_value_t = Address::default(), conflicts_with = "listen")]
    connect: Address,

    /// Listen for the reader instead (vpcd's reversed mode); a PORT alone means this machine only,
    /// and port 0 one that is free, which is told on standard error
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Address>,

    /// Add every command and answer, PINs masked, to FILE [without FILE: standard error]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<PathBuf>>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna serve                              hanako's card into pcscd's first virtual reader
  vmyna serve --connect 127.0.0.1:35964    into the second one
  vmyna serve --state hanako.json          counters and PINs outlive the process
  vmyna serve --listen 35963               wait for `vmyna run --card vicc:127.0.0.1:35963`";

pub(super) fn serve(arguments: Arguments) -> Result<Exit, Failure> {
    let usage = |error: String| Failure::Usage(error);
    let holder = super::holder(&arguments.holder)?;
    let profile = super::profile(&arguments.profile)?;
    if profile.preview {
        let _ = writeln!(
            anstream::stderr(),
            "{}: a preview; little is public of this kind of card",
            arguments.profile
        );
    }
    let latency = profile.latency;
    // The port first: it is the cheapest thing that can go wrong, and takes nothing with it.
    let mode = match &arguments.listen {
        Some(address) => {
            let bound = vpcd::bind(address);
            Mode::Listen(bound.map_err(|error| super::bind_failure(&error, "--listen HOST:PORT"))?)
        }
        None => Mode::Connect(arguments.connect.clone()),
    };
    if let (Some(state), Some(Some(trace))) = (&arguments.state, &arguments.trace)
        && is_same_file(state, trace)
    {
        return Err(usage(format!("{}: the state and the trace need a file each", trace.display())));
    }
    let addresses = Addresses { ocsp: arguments.ocsp_url };
    let personalised = Personalised::with_addresses(holder, profile, jiff::Timestamp::now(), &addresses);
    let personalised = Arc::new(personalised.map_err(|error| usage(error.to_string()))?);
    let fresh = personalised.fresh_state();
    let (store, state): (Box<dyn Store>, _) = match &arguments.state {
        None => (Box::new(MemoryStore), fresh),
        Some(path) => {
            let (store, state) = FileStore::open(path, personalised.holder().id(), fresh)
                .map_err(|error| usage(error.to_string()))?;
            (Box::new(store), state)
        }
    };
    let shutdown = Shutdown::new();
    let ending = shutdown.clone();
    let card = VirtualCard::with(personalised, store, state, Box::new(unpredictable()));
    let card = Slow::new(card, latency, move |time| {
        let _ = ending.wait(time);
    });
    let mut card: Box<dyn SmartCard> = match arguments.trace {
        None => Box::new(card),
        Some(None) => Box::new(Trace::new(card, writer(std::io::stderr()))),
        Some(Some(path)) => {
            // What stands there already stays: it may be anything.
            let file = OpenOptions::new().append(true).create(true).open(&path);
            let file = file
                .map_err(|error| usage(format!("--trace={}: cannot be written: {error}", path.display())))?;
            Box::new(Trace::new(card, writer(file)))
        }
    };

    let on_signal = shutdown.clone();
    ctrlc::set_handler(move || on_signal.now())
        .map_err(|error| usage(format!("signals cannot be handled: {error}")))?;
    vpcd::serve(&mut *card, mode, &shutdown, &mut |event| tell(&event));
    Ok(Exit::Success)
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

/// Writes a trace; when that fails the card goes on without.
fn writer(mut out: impl Write + Send) -> impl FnMut(Traced) + Send {
    move |traced| {
        let _ = match traced {
            Traced::Power(Power::Off) => writeln!(out, "- power off"),
            Traced::Power(Power::On) => writeln!(out, "- power on"),
            Traced::Power(Power::WarmReset) => writeln!(out, "- warm reset"),
            Traced::Exchange(exchange) => writeln!(out, "{exchange:#}"),
        };
    }
}

/// Says on standard error what is happening, and `ready` on standard output.
pub(super) fn tell(event: &Event) {
    let mut stderr = anstream::stderr();
    let _ = match event {
        Event::Ready => {
            let mut stdout = std::io::stdout();
            writeln!(stdout, "ready").and_then(|()| stdout.flush())
        }
        Event::Connecting { to } => writeln!(stderr, "looking for a reader at {to}"),
        Event::Listening { on } => writeln!(stderr, "listening for a reader on {on}"),
        Event::Waiting { reason } => writeln!(
            stderr,
            "waiting: {reason} (pcscd with the driver vsmartcard-vpcd listens once it runs; `pcscd --foreground` shows why not)"
        ),
        Event::Connected { peer } => writeln!(stderr, "connected to {peer}"),
        Event::Silent(_) => writeln!(stderr, "connected but silent: another card is in this slot"),
        Event::UndefinedControl(byte) => {
            writeln!(stderr, "the reader sent the undefined control byte {byte:02X}; ignored")
        }
        Event::EmptyFrame => writeln!(stderr, "the reader sent an empty frame; ignored"),
        Event::Disconnected(ended) => writeln!(stderr, "disconnected: {ended}"),
        other => writeln!(stderr, "{other:?}"),
    };
}

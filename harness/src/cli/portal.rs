//! `vmyna portal`: the relying party with its pages, and the terminal beside the card.

mod elsewhere;
mod tls;

use super::Failure;
use super::seat::{CardSeat, SimSeat};
use crate::exit::Exit;
use crate::link::InProcess;
use crate::portal::desk::{self, Cards, Circumstances, Table, Terminal};
use crate::portal::http::{OperatorToken, Site, router};
use crate::portal::phone::{Reader, TerminalClock};
use crate::portal::status::{BuiltInRegister, Crls, OcspResponder, StatusSource};
use crate::portal::{
    Checker, Lives, Portal, Store, StoreError, built_in_anchors, built_in_signature_anchors,
    system_randomness,
};
use crate::verify::Trust;
use axum_server::Handle;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::document;
use vmyna_sim::issue::OcspUrl;
use vmyna_sim::vpcd::{self, Address};

/// Visitors that are still there when the portal ends get this long to finish.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serve the relying party: 健康保険証利用の申込 and 状況照会, with a phone and a card on the page.
///
/// A simulation with TEST certificates, plainly marked as one; nothing is really applied for. The
/// pages follow the Cabinet Office's guide. PIN entry and card are on a second port, the terminal,
/// which only this machine reaches: no PIN is ever sent to the portal. Terminals of your own use the
/// HTTP API (/api/v1/openapi.yaml). Where everything is, is said on standard error; a line
/// `ready URL` on standard output says that it listens. SIGINT and SIGTERM end it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Where the portal listens; a PORT alone means this machine only, port 0 one that is free
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8480")]
    bind: Address,

    /// Where the terminal listens, on this machine only [default: the port after the portal's]
    #[arg(long, value_name = "PORT", conflicts_with = "no_terminal")]
    terminal_port: Option<u16>,

    /// No phone and card beside the pages: terminals use the API
    #[arg(long)]
    no_terminal: bool,

    /// How browsers reach the portal, where that is not the address it listens on
    #[arg(long, value_name = "URL")]
    origin: Option<String>,

    /// Whose card the phone reads: `sim[:PROFILE][@HOLDER]` (built in; the page swaps holders),
    /// `vpcd[:PORT]`, `vicc:HOST:PORT` or `pcsc[:READER]`
    #[arg(long, value_name = "SEAT", default_value = "sim", conflicts_with = "no_terminal")]
    card: CardSeat,

    /// Milliseconds between two commands to the card, so that people can follow
    #[arg(long, value_name = "MS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pace: u64,

    /// Keep applications in this file, which is made when it is not there; without it they are gone
    /// when the portal ends
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Authorities and revocation lists of `vmyna pki write` [default: the built-in holders' states]
    #[arg(long, value_name = "DIR")]
    pki: Option<PathBuf>,

    /// Ask this responder for the status of certificates; `vmyna pki serve` is one
    #[arg(long, value_name = "URL")]
    ocsp_url: Option<OcspUrl>,

    /// Serve over TLS, with a certificate made for this run
    #[arg(long)]
    tls: bool,

    /// Write that certificate (PEM) to this file, for clients to trust
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_certificate: Option<PathBuf>,

    /// Requests that one address may make in a second
    #[arg(long, value_name = "N", default_value = "500")]
    rate: NonZeroU32,
}

impl Arguments {
    /// The terminal beside the card asks for PINs, so it is served to this machine alone.
    fn must_not_place_the_terminal(&self, address: SocketAddr) -> Result<(), Failure> {
        let option = if self.terminal_port.is_some() {
            "--terminal-port"
        } else if self.card == CardSeat::Sim(SimSeat::default()) {
            return Ok(());
        } else {
            "--card"
        };
        Err(Failure::Usage(format!(
            "{option} is about the terminal beside the card, which is for this machine alone: it is left out when \
             the portal listens on {address}. Bind to 127.0.0.1, or leave out {option}"
        )))
    }
}

const EXAMPLES: &str = "\
Examples:
  vmyna portal                               open http://127.0.0.1:8480/ in a browser
  vmyna portal --state applications.redb     applications outlive the process
  vmyna portal --card sim@last-try           begin with the card that has one try left
  vmyna portal --pki vmyna-pki               what `vmyna pki revoke` does is seen at once
  vmyna portal --no-terminal --bind 0       for your own terminal, on a free port";

pub(super) fn portal(arguments: Arguments) -> Result<Exit, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let listener = bind(&arguments.bind, "--bind ADDR:PORT")?;
    let address = listener.local_addr().map_err(|error| usage(&error))?;
    let scheme = if arguments.tls { "https" } else { "http" };
    let origin = origin(arguments.origin.as_deref(), scheme, address)?;
    let now = Timestamp::now();
    let mut randomness = system_randomness();
    let operator = OperatorToken::draw(&mut randomness);

    let is_local = address.ip().is_loopback();
    if !is_local {
        arguments.must_not_place_the_terminal(address)?;
    }
    let desk = if arguments.no_terminal || !is_local {
        None
    } else {
        let port = arguments.terminal_port.unwrap_or_else(|| match arguments.bind.port() {
            0 => 0,
            port => port.saturating_add(1),
        });
        // the same host in both, so that the browser takes them for one site
        let listener = bind(&Address::from(SocketAddr::new(address.ip(), port)), "--terminal-port PORT")?;
        let address = listener.local_addr().map_err(|error| usage(&error))?;
        Some((listener, format!("{scheme}://{address}")))
    };
    let store = match &arguments.state {
        None => Store::in_memory(),
        Some(path) => Store::open(path),
    };
    let store = store.map_err(|error| match error {
        StoreError::Open { .. } => Failure::Usage(format!(
            "{error}; name a file in a folder that there is and that can be written to: --state FILE"
        )),
        other => usage(&other),
    })?;
    let checker = checker(&arguments, now)?;
    let portal = Portal::new(store, checker, Box::new(Timestamp::now), randomness, Lives::default());

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| usage(&error))?;
    let tls = arguments.tls.then(|| tls::configuration(address.ip(), arguments.tls_certificate.as_deref()));
    let tls = tls.transpose()?;
    let mut told = format!("portal    {origin}/\n");
    let mut tables = Vec::new();
    let mut served = Vec::new();
    let terminal = desk.as_ref().map(|(_, origin)| origin.clone());
    if desk.is_none() {
        let why = if is_local { "" } else { ": it is for this machine alone, and the portal is not" };
        told += &format!("terminal  none{why}; those of your own use {origin}/api/v1/openapi.yaml\n");
    }
    if !is_local && origin.starts_with("http://") {
        told += "TLS       none: sessions cross the network readable; --tls encrypts them\n";
    }
    if let Some((listener, terminal_origin)) = desk {
        told += &format!("terminal  {terminal_origin}/\n");
        let table = Arc::new(table(&arguments)?);
        tables.push(table.clone());
        let is_built_in = matches!(arguments.card, CardSeat::Sim(_));
        let terminal = Terminal {
            table,
            origin: terminal_origin,
            portal: origin.clone(),
            can_swap: is_built_in,
            clock: steady_clock(),
            circumstances: Arc::new(Mutex::new(Circumstances {
                reader: Reader::Ready,
                careful: !is_built_in,
            })),
        };
        served.push((listener, desk::router(terminal)));
    }
    told += &format!("operator  {origin}/operator?token={}\n", operator.as_str());
    match &arguments.state {
        Some(path) => told += &format!("state     {}\n", path.display()),
        None => told += "state     in memory; --state FILE keeps it\n",
    }
    let portal = Arc::new(portal);
    let site = Site { portal, origin: origin.clone(), terminal, operator, rate: arguments.rate };
    served.push((listener, router(site)));
    let _ = anstream::stderr().write_all(told.as_bytes());

    let result = runtime.block_on(serve(served, tls, &tables, &origin));
    runtime.shutdown_timeout(FAREWELL);
    result.map(|()| Exit::Success).map_err(|error| usage(&error))
}

/// The time of day at the start, and what has passed since: nobody can set it back.
fn steady_clock() -> TerminalClock {
    let (began, start) = (Timestamp::now(), Instant::now());
    Arc::new(move || {
        let passed = SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX);
        began.saturating_add(passed).unwrap_or(Timestamp::MAX)
    })
}

fn bind(address: &Address, another: &str) -> Result<TcpListener, Failure> {
    let listener = vpcd::bind(address).map_err(|error| match error {
        vpcd::BindError::InUse(_) => Failure::Usage(format!(
            "{error}, perhaps by another `vmyna portal`; take another port: {another}"
        )),
        other => super::bind_failure(&other, another),
    })?;
    listener.set_nonblocking(true).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(listener)
}

/// How browsers name the portal.
fn origin(given: Option<&str>, scheme: &str, address: SocketAddr) -> Result<String, Failure> {
    match given {
        Some(url) => {
            let url = url.trim_end_matches('/');
            let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            match rest {
                Some(authority)
                    if !authority.is_empty() && !authority.contains(['/', '?', '#', ' ', ';']) =>
                {
                    Ok(url.to_owned())
                }
                _ => Err(Failure::Usage(format!("--origin {url}: an origin is http(s)://HOST[:PORT]"))),
            }
        }
        None if address.ip().is_unspecified() => Err(Failure::Usage(format!(
            "{address} is every address of this machine; say how browsers reach it: --origin {scheme}://HOST:{}",
            address.port()
        ))),
        None => Ok(format!("{scheme}://{address}")),
    }
}

/// Whom to trust, and whom to ask.
fn checker(arguments: &Arguments, now: Timestamp) -> Result<Checker, Failure> {
    let mut status: Box<dyn StatusSource> = Box::new(BuiltInRegister::default());
    let (mut anchors, mut for_signatures) = (built_in_anchors(now)?, built_in_signature_anchors(now)?);
    if let Some(folder) = &arguments.pki {
        let path = folder.join("trust.pem");
        let failed = |error: &dyn std::fmt::Display| {
            let folder = folder.display();
            Failure::Usage(format!("{}: {error}; `vmyna pki write {folder}` makes one", path.display()))
        };
        let bytes = document::read_bytes(&path, document::MAX_BYTES);
        let bytes = bytes.map_err(|error| failed(&error.reason()))?;
        if let Trust::Anchors(read) = Trust::from_bytes(&bytes).map_err(|error| failed(&error))? {
            // of both kinds: what a certificate may be used for is looked at besides
            (anchors, for_signatures) = (read.clone(), read);
        }
        status = Box::new(Crls::in_folder(folder.join("crl")));
    }
    if let Some(url) = &arguments.ocsp_url {
        status = Box::new(OcspResponder::at(url.as_str()));
    }
    Ok(Checker::new(anchors, status).with_signatures_of(for_signatures))
}

/// The desk with the card that sits in the seat.
fn table(arguments: &Arguments) -> Result<Table, Failure> {
    let pace = Duration::from_millis(arguments.pace);
    let CardSeat::Sim(seat) = &arguments.card else {
        let cards = elsewhere::cards(arguments.card.clone())?;
        return Ok(Table::new("card", cards, pace));
    };
    let holder = super::holder(seat.holder.as_deref().unwrap_or("hanako"))?;
    let profile = super::profile(seat.profile.as_deref().unwrap_or("card"))?;
    let first = holder.id().to_owned();
    let cards = Cards::made_by(move |name| {
        let personalised = if name == holder.id() {
            Personalised::new(holder.clone(), profile.clone(), Timestamp::now())?
        } else {
            Personalised::built_in_of(name, profile.clone())?
        };
        Ok(Box::new(InProcess(VirtualCard::new(Arc::new(personalised)))))
    });
    Ok(Table::new(&first, cards, pace))
}

/// Serves everything until a signal comes.
async fn serve(
    served: Vec<(TcpListener, axum::Router)>,
    tls: Option<axum_server::tls_rustls::RustlsConfig>,
    tables: &[Arc<Table>],
    origin: &str,
) -> std::io::Result<()> {
    let handle = Handle::new();
    let mut servers = tokio::task::JoinSet::new();
    for (listener, router) in served {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let handle = handle.clone();
        match &tls {
            None => {
                let server = axum_server::from_tcp(listener)?.handle(handle);
                servers.spawn(server.serve(service));
            }
            Some(tls) => {
                let server = axum_server::from_tcp_rustls(listener, tls.clone())?.handle(handle);
                servers.spawn(server.serve(service));
            }
        }
    }
    {
        let mut stdout = std::io::stdout();
        // Whoever does not listen to this will find out by connecting.
        let _ = writeln!(stdout, "ready {origin}").and_then(|()| stdout.flush());
    }
    signalled().await?;
    for table in tables {
        table.end();
    }
    handle.graceful_shutdown(Some(FAREWELL));
    while let Some(ended) = servers.join_next().await {
        ended.map_err(std::io::Error::other)??;
    }
    Ok(())
}

#[cfg(unix)]
async fn signalled() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signalled() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

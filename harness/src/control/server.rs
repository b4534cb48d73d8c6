//! Hears orders on the control socket, each connection in a thread of its own.

use super::order::{Order, Reply, Request};
use super::place::Place;
use super::slot::Slot;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use vmyna_sim::card::VirtualCard;

/// Longest order that is read, in bytes.
const LONGEST_ORDER: u64 = 64 * 1024;

/// How many clients are heard at the same time.
const CLIENTS: usize = 32;

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a follower is looked after that hears nothing: whether it is still there.
const FOLLOWED: Duration = Duration::from_secs(1);

/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Makes the card that another is swapped for; a sentence when it cannot.
type Maker =
    dyn Fn(&VirtualCard, &str, Option<&str>, Option<&Path>) -> Result<VirtualCard, String> + Send + Sync;

/// A control socket with somebody behind it, until it is dropped.
pub struct Server {
    path: PathBuf,
    ending: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    slots: Vec<Slot>,
    maker: Box<Maker>,
    clients: AtomicUsize,
    ending: Arc<AtomicBool>,
}

impl Server {
    /// Hears orders about `slots` at `place`. `maker` makes a card from holder, profile and state, given
    /// the one that it replaces.
    ///
    /// # Errors
    /// The system is short of threads.
    pub fn start(
        place: Place,
        slots: Vec<Slot>,
        maker: impl Fn(&VirtualCard, &str, Option<&str>, Option<&Path>) -> Result<VirtualCard, String>
        + Send
        + Sync
        + 'static,
    ) -> io::Result<Self> {
        let path = place.path().to_owned();
        let ending = Arc::<AtomicBool>::default();
        let clients = AtomicUsize::new(0);
        let shared = Arc::new(Shared { slots, maker: Box::new(maker), clients, ending: ending.clone() });
        let accepting = thread::Builder::new().name("control".to_owned()).spawn(move || {
            for stream in place.listener().incoming() {
                if shared.ending.load(Ordering::Acquire) {
                    break;
                }
                if let Ok(stream) = stream {
                    admit(&shared, stream);
                }
            }
        })?;
        Ok(Self { path, ending, accepting: Some(accepting) })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Release);
        // Wakes the thread, which then removes the socket.
        if UnixStream::connect(&self.path).is_ok() {
            let _ = self.accepting.take().map(JoinHandle::join);
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: UnixStream) {
    if shared.clients.fetch_add(1, Ordering::AcqRel) >= CLIENTS {
        shared.clients.fetch_sub(1, Ordering::AcqRel);
        let _ = stream.set_write_timeout(Some(FOLLOWED));
        let _ = reply(&stream, &Reply::Refused(format!("{CLIENTS} clients are being heard already")));
        return;
    }
    let hearing = shared.clone();
    let heard = thread::Builder::new().name("control-client".to_owned()).spawn(move || {
        let _ = hear(&hearing, stream);
        hearing.clients.fetch_sub(1, Ordering::AcqRel);
    });
    if heard.is_err() {
        shared.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Hears one order after another until the client goes.
fn hear(shared: &Shared, stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut incoming = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        (&mut incoming).take(LONGEST_ORDER).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let outgoing = incoming.get_ref();
        if line.last() != Some(&b'\n') {
            return reply(outgoing, &Reply::Refused("an order is one line of JSON".to_owned()));
        }
        match serde_json::from_slice::<Request>(&line) {
            Err(error) => reply(outgoing, &Reply::Refused(format!("this is no order: {error}")))?,
            Ok(request) => obey(shared, request, outgoing)?,
        }
    }
}

fn obey(shared: &Shared, request: Request, outgoing: &UnixStream) -> io::Result<()> {
    if request.order == Order::Status {
        return reply(outgoing, &Reply::Status(shared.slots.iter().map(Slot::status).collect()));
    }
    let Some(slot) = shared.slots.iter().find(|slot| slot.number() == request.slot) else {
        let last = shared.slots.len().saturating_sub(1);
        let refusal = format!("there is no slot {}; the last one is {last}", request.slot);
        return reply(outgoing, &Reply::Refused(refusal));
    };
    match request.order {
        Order::Log { follow } => tell_log(slot, follow, outgoing),
        order => reply(outgoing, &act(shared, slot, order)),
    }
}

fn act(shared: &Shared, slot: &Slot, order: Order) -> Reply {
    let done = |said: &str| Reply::Done(said.to_owned());
    match order {
        Order::Insert if slot.insert() => done("inserted"),
        Order::Insert => done("the card was in the reader already"),
        Order::Remove if slot.remove() => done("removed"),
        Order::Remove => done("the card was out of the reader already"),
        Order::Swap { holder, profile, state } => {
            let made =
                slot.with_card(|card| (shared.maker)(card, &holder, profile.as_deref(), state.as_deref()));
            match made {
                Ok(other) => {
                    let name = other.personalised().holder().id().to_owned();
                    slot.swap(other);
                    Reply::Done(format!("the card of {name} is in its place"))
                }
                Err(problem) => Reply::Refused(problem),
            }
        }
        Order::Counters => Reply::Counters(slot.counters()),
        Order::Unblock(pin) => match slot.unblock(pin) {
            Ok(()) => Reply::Done(format!("{pin} has all its tries again")),
            Err(error) => Reply::Refused(format!("the state could not be kept, and is as it was: {error}")),
        },
        Order::Fault(text) => match text.parse() {
            Err(error) => Reply::Refused(format!("{error}")),
            Ok(fault) => match slot.arm(fault) {
                Ok(()) => Reply::Done(format!("armed {fault}{}", seed(slot, fault.is_random()))),
                Err(error) => Reply::Refused(error.to_string()),
            },
        },
        Order::Faults => Reply::Lines(slot.faults().armed().iter().map(ToString::to_string).collect()),
        Order::ClearFaults => {
            slot.faults().clear();
            done("no fault is armed")
        }
        Order::Wait { at_most } => match slot.wait_until_seen(at_most.min(LONGEST_WAIT)) {
            true => done("the reader sees the card"),
            false => Reply::TimedOut,
        },
        Order::Status | Order::Log { .. } => {
            Reply::Refused("this order is for more than one reply".to_owned())
        }
    }
}

fn seed(slot: &Slot, is_random: bool) -> String {
    if is_random { format!(" (seed {})", slot.faults().seed()) } else { String::new() }
}

fn tell_log(slot: &Slot, follow: bool, outgoing: &UnixStream) -> io::Result<()> {
    let (lines, mut next) = slot.log().since(0);
    reply(outgoing, &Reply::Lines(lines))?;
    while follow && !slot.has_ended() {
        let Some((lines, after)) = slot.log().wait_since(next, FOLLOWED) else { break };
        next = after;
        // Without lines as well: that shows whether the follower is still there.
        reply(outgoing, &Reply::Lines(lines))?;
    }
    if follow { outgoing.shutdown(std::net::Shutdown::Both) } else { Ok(()) }
}

fn reply(mut outgoing: &UnixStream, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    outgoing.write_all(&line)
}

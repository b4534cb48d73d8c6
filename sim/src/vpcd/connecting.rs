//! The card connects: to a reader that may not be there yet, may go away and may come back, for as
//! long as it takes. After a loss the card stays away until the reader has looked into its slot at
//! least once, because a card that comes back sooner is never seen to have gone.

use super::{
    Address, CardEnd, Shutdown,
    card_end::Unnoticed,
    event::{Ended, Event, Unreachable},
};
use crate::smart_card::SmartCard;
use std::{
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long one attempt to connect may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a card stays away at least after its connection was lost. pcscd looks every 400 ms
/// (`PCSCLITE_STATUS_POLL_RATE`).
pub const STAY_AWAY: Duration = Duration::from_millis(500);

/// Pauses between attempts: the first short, each twice as long as the one before, up to a longest.
#[derive(Debug)]
pub(super) struct BackOff(Duration);

impl BackOff {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(super) fn new() -> Self {
        Self(Self::SHORTEST)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(Self::LONGEST);
        pause
    }
}

/// Connects and serves, again and again, until shutdown.
pub(super) fn serve(
    end: &CardEnd,
    card: &mut dyn SmartCard,
    to: &Address,
    shutdown: &Shutdown,
    on_event: &mut dyn FnMut(Event),
) {
    // Once, for the sake of readers that never give power.
    let mut unnoticed = Unnoticed::Leaves;
    while let Some((stream, peer)) = find_reader(to, shutdown, on_event) {
        on_event(Event::Connected { peer });
        let ended = end.serve_connection_as(unnoticed, card, stream, shutdown, on_event);
        unnoticed = if ended == Ended::Unnoticed { Unnoticed::Stays } else { Unnoticed::Leaves };
        on_event(Event::Disconnected(ended));
        if shutdown.wait(STAY_AWAY) {
            break;
        }
    }
}

/// Tries until there is a reader; `None` at shutdown.
fn find_reader(
    to: &Address,
    shutdown: &Shutdown,
    on_event: &mut dyn FnMut(Event),
) -> Option<(TcpStream, SocketAddr)> {
    let (mut back_off, mut told) = (BackOff::new(), None);
    on_event(Event::Connecting { to: to.clone() });
    loop {
        match attempt(to, shutdown)? {
            Ok(connected) => return Some(connected),
            Err(reason) => {
                if told.as_ref() != Some(&reason) {
                    told = Some(reason.clone());
                    on_event(Event::Waiting { reason });
                }
            }
        }
        if shutdown.wait(back_off.next()) {
            return None;
        }
    }
}

type Attempt = Result<(TcpStream, SocketAddr), Unreachable>;

/// One attempt, in a thread of its own, because neither looking up a name nor connecting can be
/// interrupted; `None` at shutdown.
fn attempt(to: &Address, shutdown: &Shutdown) -> Option<Attempt> {
    let (outcome, outcomes) = mpsc::channel();
    let interrupted = outcome.clone();
    let _waker = shutdown.wakes(move || drop(interrupted.send(None)))?;
    let to = to.clone();
    let thread = thread::Builder::new().name("vpcd-connect".to_owned());
    match thread.spawn(move || drop(outcome.send(Some(reach(&to, CONNECT_TIMEOUT))))) {
        Ok(_) => outcomes.recv().ok().flatten(),
        Err(error) => Some(Err(error.into())),
    }
}

/// Connects to the first of the addresses behind a name that lets it. The timeout is for each.
pub(super) fn reach(to: &Address, timeout: Duration) -> Attempt {
    let addresses = to.resolve().map_err(|error| Unreachable::UnknownHost(error.to_string()))?;
    let mut failure = Unreachable::UnknownHost("it stands for no address".to_owned());
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) if met_itself(&stream) => failure = Unreachable::NothingListens,
            Ok(stream) => return Ok((stream, address)),
            Err(error) => failure = error.into(),
        }
    }
    Err(failure)
}

/// Whether the socket is connected to itself. 35963 lies within Linux's range of ports for outgoing
/// connections, so an attempt to reach a reader that is not there may be given the reader's own port
/// and succeed. Reset instead of closed in order, or else the port would stay taken for a minute and
/// the reader could not come.
fn met_itself(stream: &TcpStream) -> bool {
    let itself = matches!((stream.local_addr(), stream.peer_addr()), (Ok(here), Ok(there)) if here == there);
    if itself {
        let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
    }
    itself
}

#[cfg(test)]
mod tests {
    use super::super::recording_card::{PATIENCE, Served};
    use super::super::{Mode, frame};
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::{
        net::{Ipv4Addr, TcpListener},
        time::Instant,
    };

    /// A port that is ours and refuses connections until we listen; any number for one port.
    fn reserved(port: u16) -> Socket {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
        socket
    }

    fn port(socket: &Socket) -> u16 {
        socket.local_addr().unwrap().as_socket().unwrap().port()
    }

    fn listening(socket: Socket) -> TcpListener {
        socket.listen(1).unwrap();
        socket.into()
    }

    #[test]
    fn the_pauses_between_attempts_double_from_50_ms_to_a_second() {
        let mut back_off = BackOff::new();
        let pauses: Vec<_> = (0..7).map(|_| back_off.next().as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn a_reader_that_comes_later_goes_away_and_comes_back_is_found_each_time() {
        let first = reserved(0);
        let to = Address::loopback(port(&first));
        let second = reserved(to.port());
        let served = Served::new(Mode::Connect(to.clone()));
        for socket in [first, second] {
            served.expect(&Event::Connecting { to: to.clone() });
            served.expect(&Event::Waiting { reason: Unreachable::NothingListens });
            let listener = listening(socket);
            let (mut reader, _) = listener.accept().unwrap();
            served.expect(&Event::Connected { peer: listener.local_addr().unwrap() });
            frame::write(&mut reader, &[frame::POWER_ON]).unwrap();
            frame::write(&mut reader, &[frame::GET_ATR]).unwrap();
            served.expect(&Event::Ready);
            drop(listener);
            // the ATR lies unread, so this is a reset
            drop(reader);
            served.expect(&Event::Disconnected(Ended::Lost(std::io::ErrorKind::ConnectionReset)));
        }
        served.ends_at_shutdown();
    }

    #[test]
    fn after_a_loss_the_card_stays_away_for_500_ms_at_least() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let served = Served::new(Mode::Connect(listener.local_addr().unwrap().into()));
        let (reader, _) = listener.accept().unwrap();
        let closed_after = Instant::now();
        drop(reader);
        let _again = listener.accept().unwrap();
        assert!(closed_after.elapsed() >= STAY_AWAY);
        assert!(STAY_AWAY.as_millis() >= 500);
        served.ends_at_shutdown();
    }

    #[test]
    fn a_card_that_took_anothers_place_unnoticed_leaves_once_and_comes_back() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let served = Served::new(Mode::Connect(listener.local_addr().unwrap().into()));
        let looked_at_twice = || {
            let (mut reader, _) = listener.accept().unwrap();
            for _ in 0..2 {
                frame::write(&mut reader, &[frame::GET_ATR]).unwrap();
                let mut atr = Vec::new();
                frame::read(&mut reader, &mut atr, || {}).unwrap();
            }
            reader
        };
        drop(looked_at_twice());
        served.expect_some(|event| matches!(event, Event::Connected { .. }));
        served.expect(&Event::Disconnected(Ended::Unnoticed));
        let _reader = looked_at_twice();
        served.expect_some(|event| matches!(event, Event::Connected { .. }));
        served.expect(&Event::Ready);
        served.ends_at_shutdown();
    }

    #[test]
    fn shutdown_ends_the_wait_for_a_reader_and_the_stay_away() {
        let nobody = reserved(0);
        let served = Served::new(Mode::Connect(Address::loopback(port(&nobody))));
        served.expect_some(|event| matches!(event, Event::Waiting { .. }));
        served.ends_at_shutdown();

        let listener = listening(nobody);
        let served = Served::new(Mode::Connect(listener.local_addr().unwrap().into()));
        drop(listener.accept().unwrap());
        served.expect_some(|event| matches!(event, Event::Disconnected(_)));
        served.ends_at_shutdown();
    }

    #[test]
    fn shutdown_ends_an_attempt_that_gets_no_reply() {
        // a queue for one, filled: further attempts are dropped unheard
        let listener = reserved(0);
        listener.listen(0).unwrap();
        let to = Address::loopback(port(&listener));
        let mut queued = Vec::new();
        while let Ok(connected) = reach(&to, Duration::from_millis(100)) {
            queued.push(connected);
        }
        let served = Served::new(Mode::Connect(to.clone()));
        served.expect(&Event::Connecting { to });
        served.ends_at_shutdown();
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_reported() {
        let failure = reach(&"vmyna.invalid:1".parse().unwrap(), PATIENCE).unwrap_err();
        assert!(matches!(failure, Unreachable::UnknownHost(_)), "{failure:?}");
    }

    #[test]
    fn a_socket_connected_to_itself_is_no_reader() {
        let socket = reserved(0);
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        assert!(met_itself(&socket.into()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!met_itself(&TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
    }
}

//! The card listens, and the reader connects: vpcd's reversed mode. Binding is apart from serving,
//! so that a port in use is reported before anything else is done.

use super::{
    Address, CardEnd, Shutdown,
    event::{Event, Unreachable},
};
use crate::smart_card::SmartCard;
use std::{io, net::TcpListener, sync::Arc, time::Duration};
use thiserror::Error;

/// When the system is short of something (descriptors, mostly), time to get over it.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(100);

/// Why nothing can listen at an address.
#[derive(Debug, Error)]
pub enum BindError {
    /// another program listens there
    #[error("{0} is in use by another program")]
    InUse(Address),
    /// the address is not one of this machine
    #[error("{0} is not an address of this machine")]
    NotHere(Address),
    /// whatever else the system says
    #[error("cannot listen on {address}: {error}")]
    Other {
        /// where
        address: Address,
        /// why not
        error: io::Error,
    },
}

/// Takes a port, on the one address given: from the moment this returns, connections to it wait
/// to be served. Port 0 takes any that is free.
///
/// # Errors
/// The port is in use, the address is not here, or the system refuses.
pub fn bind(address: &Address) -> Result<TcpListener, BindError> {
    let bound = address.resolve().and_then(|addresses| TcpListener::bind(addresses.as_slice()));
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(address.clone()),
        io::ErrorKind::AddrNotAvailable => BindError::NotHere(address.clone()),
        _ => BindError::Other { address: address.clone(), error },
    })
}

/// Accepts and serves, one reader after the other, until shutdown.
pub(super) fn serve(
    end: &CardEnd,
    card: &mut dyn SmartCard,
    listener: TcpListener,
    shutdown: &Shutdown,
    on_event: &mut dyn FnMut(Event),
) {
    let listener = Arc::new(listener);
    loop {
        if let Ok(on) = listener.local_addr() {
            on_event(Event::Listening { on });
        }
        match shutdown.accept(&listener) {
            None => return,
            Some(Ok((stream, peer))) => {
                on_event(Event::Connected { peer });
                let ended = end.serve_connection(card, stream, shutdown, on_event);
                on_event(Event::Disconnected(ended));
            }
            Some(Err(error)) => {
                on_event(Event::Waiting { reason: Unreachable::Other(error.to_string()) });
                if shutdown.wait(AFTER_FAILED_ACCEPT) {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording_card::{ATR, Served};
    use super::super::{Connection, Ended, Mode, ReaderOptions};
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    fn listening() -> (Served, Address) {
        let listener = bind(&Address::loopback(0)).unwrap();
        let address = listener.local_addr().unwrap().into();
        (Served::new(Mode::Listen(listener)), address)
    }

    #[test]
    fn the_default_address_is_reachable_from_this_machine_only() {
        let host: std::net::IpAddr = Address::default().host().parse().unwrap();
        assert!(host.is_loopback());
        assert!(bind(&Address::loopback(0)).unwrap().local_addr().unwrap().ip().is_loopback());
    }

    #[test]
    fn a_port_in_use_is_reported_before_anything_is_served() {
        let taken = bind(&Address::loopback(0)).unwrap();
        let address = Address::from(taken.local_addr().unwrap());
        let refusal = bind(&address).unwrap_err();
        assert!(matches!(&refusal, BindError::InUse(found) if *found == address), "{refusal}");
    }

    #[test]
    fn an_address_of_another_machine_is_reported() {
        // RFC 5737: an address that no machine has
        let refusal = bind(&"192.0.2.1:0".parse().unwrap()).unwrap_err();
        assert!(matches!(refusal, BindError::NotHere(_)), "{refusal}");
    }

    #[test]
    fn a_second_reader_waits_until_the_first_has_gone() {
        let (served, address) = listening();
        let deadline = std::time::Instant::now() + super::super::recording_card::PATIENCE;
        let mut first = Connection::connect(&address, deadline, ReaderOptions::default()).unwrap();
        assert_eq!(first.atr().unwrap(), ATR);
        let mut second = TcpStream::connect((address.host(), address.port())).unwrap();
        second.write_all(&[0, 1, 4]).unwrap();
        assert_eq!(first.transmit(&[1, 2]).unwrap(), [1, 2, 0x90, 0x00]);
        second.set_nonblocking(true).unwrap();
        assert_eq!(second.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        second.set_nonblocking(false).unwrap();
        drop(first);
        let mut answer = [0; 2 + ATR.len()];
        second.read_exact(&mut answer).unwrap();
        assert_eq!(answer[2..], ATR);
        served.expect(&Event::Disconnected(Ended::ReaderClosed));
        served.ends_at_shutdown();
    }

    #[test]
    fn shutdown_ends_the_wait_for_a_connection_and_a_connection() {
        let (served, _) = listening();
        served.expect_some(|event| matches!(event, Event::Listening { .. }));
        served.ends_at_shutdown();

        let (served, address) = listening();
        let mut reader = TcpStream::connect((address.host(), address.port())).unwrap();
        served.expect_some(|event| matches!(event, Event::Connected { .. }));
        served.ends_at_shutdown();
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }
}

//! `HOST:PORT` as the user writes it. Names are looked up anew for each attempt to connect, because
//! a card that waits for its reader may outlive an address.

use super::DEFAULT_PORT;
use std::{
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    str::FromStr,
};
use thiserror::Error;

/// Where a reader or a card listens. The default is the first slot of a reader on this machine,
/// `127.0.0.1:35963`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// Not an address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "expected HOST:PORT (such as 127.0.0.1:{DEFAULT_PORT}, localhost:{DEFAULT_PORT} or [::1]:{DEFAULT_PORT}) or PORT, found \"{0}\""
)]
pub struct MalformedAddress(String);

impl Address {
    /// A port on this machine, reachable from this machine only. Port 0 lets the system choose when
    /// bound.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self { host: "127.0.0.1".to_owned(), port }
    }

    /// The host, without the brackets around an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of slot `n` of the reader whose slot 0 is here: port + n. `None` when there is no
    /// such port.
    #[must_use]
    pub fn slot(&self, n: u16) -> Option<Self> {
        Some(Self { host: self.host.clone(), port: self.port.checked_add(n)? })
    }

    /// What the name stands for now; IPv4 first, because vpcd listens on nothing else.
    pub(super) fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut found: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        Ok(found)
    }
}

impl Default for Address {
    fn default() -> Self {
        Self::loopback(DEFAULT_PORT)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

impl FromStr for Address {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<Self, MalformedAddress> {
        let malformed = || MalformedAddress(text.to_owned());
        let Some((host, port)) = text.rsplit_once(':') else {
            return text.parse().map(Self::loopback).map_err(|_| malformed());
        };
        let port = port.parse().map_err(|_| malformed())?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bracketed.unwrap_or(host);
        if host.is_empty() || (host.contains(':') && bracketed.is_none()) {
            return Err(malformed());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_written() {
        for text in ["127.0.0.1:35963", "reader.example:1", "[::1]:65535"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("4711".parse(), Ok(Address::loopback(4711)));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_was_expected() {
        for text in ["", ":", ":1", "host:", "host:65536", "::1:1", "host", "[]:1"] {
            let refusal = text.parse::<Address>().unwrap_err().to_string();
            assert!(refusal.contains("HOST:PORT") && refusal.ends_with(&format!("\"{text}\"")), "{refusal}");
        }
    }

    #[test]
    fn slot_n_is_n_ports_further() {
        assert_eq!(Address::default().to_string(), "127.0.0.1:35963");
        assert_eq!(Address::default().slot(1), Some(Address::loopback(35964)));
        assert_eq!(Address::loopback(u16::MAX).slot(1), None);
    }
}

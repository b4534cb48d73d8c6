//! Who sits in the card seat, as the user writes it, and how the card is reached.

use super::Failure;
use crate::language::Bilingual;
use crate::link::{CardLink, no_card};
use crate::run::PeerSource;
use std::fmt;
use std::io::Write;
use std::str::FromStr;
use std::time::{Duration, Instant};
use vmyna_sim::vpcd::{Address, Connection, DEFAULT_PORT, Reader, ReaderError, ReaderOptions};

/// Who sits in the card seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CardSeat {
    /// the built-in card
    Sim(SimSeat),
    /// a virtual card that connects to us
    Vpcd(u16),
    /// a virtual card that listens
    Vicc(Address),
    /// the card in a reader of PC/SC: its name or a part of it, or the only one with a card
    Pcsc(Option<String>),
}

/// Which built-in card: `sim[:PROFILE][@HOLDER]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SimSeat {
    pub profile: Option<String>,
    pub holder: Option<String>,
}

impl fmt::Display for CardSeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim(SimSeat { profile, holder }) => {
                f.write_str("sim")?;
                profile.iter().try_for_each(|profile| write!(f, ":{profile}"))?;
                holder.iter().try_for_each(|holder| write!(f, "@{holder}"))
            }
            Self::Vpcd(port) => write!(f, "vpcd:{port}"),
            Self::Vicc(address) => write!(f, "vicc:{address}"),
            Self::Pcsc(None) => f.write_str("pcsc"),
            Self::Pcsc(Some(reader)) => write!(f, "pcsc:{reader}"),
        }
    }
}

impl FromStr for CardSeat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |port: &str| port.parse().map_err(|_| format!("`{port}` is no port (0 to 65535)"));
        let named = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        if let Some(sim) =
            text.strip_prefix("sim").filter(|rest| rest.is_empty() || rest.starts_with([':', '@']))
        {
            let (profile, holder) = sim.split_once('@').unwrap_or((sim, ""));
            let profile = named(profile.trim_start_matches(':'));
            return Ok(Self::Sim(SimSeat { profile, holder: named(holder) }));
        }
        match text.split_once(':') {
            None if text == "vpcd" => Ok(Self::Vpcd(DEFAULT_PORT)),
            None if text == "pcsc" => Ok(Self::Pcsc(None)),
            Some(("vpcd", number)) => port(number).map(Self::Vpcd),
            Some(("vicc", address)) => address.parse().map(Self::Vicc).map_err(|error| format!("{error}")),
            Some(("pcsc", reader)) => Ok(Self::Pcsc(named(reader))),
            _ => Err("a card seat is sim[:PROFILE][@HOLDER], vpcd[:PORT], vicc:HOST:PORT or pcsc[:READER]"
                .to_owned()),
        }
    }
}

/// Where the feature is missing: how to get it.
#[cfg(not(feature = "pcsc"))]
pub(super) const WITHOUT_PCSC: &str = "\
this vmyna was built without PC/SC. Build it with the feature `pcsc`:
  apt-get install libpcsclite-dev pkg-config pcscd     (Fedora: dnf install pcsc-lite-devel pcsc-lite)
  cargo install vmyna --features pcsc                  (in a checkout: cargo run --features pcsc -- …)";

impl CardSeat {
    /// Makes ready to wait for the card: listens, where it is the card that connects. The built-in
    /// card needs no waiting for.
    ///
    /// # Errors
    /// When the port is taken, or this program cannot reach such a seat.
    pub(super) fn open(&self, wait: Duration, exclusive: bool) -> Result<Box<dyn PeerSource>, Failure> {
        if exclusive && !matches!(self, Self::Pcsc(_)) {
            return Err(Failure::Usage("--exclusive is about readers of PC/SC: --card pcsc".to_owned()));
        }
        match self {
            Self::Sim(_) => Err(Failure::Usage("the built-in card is in this process".to_owned())),
            Self::Vpcd(port) => Ok(Box::new(listen(*port, wait)?)),
            Self::Vicc(address) => Ok(Box::new(ListeningCard { address: address.clone(), wait })),
            #[cfg(feature = "pcsc")]
            Self::Pcsc(reader) => {
                use crate::link::pcsc::{PcscReader, ReaderChoice, Sharing};
                let choice = reader.clone().map_or(ReaderChoice::Any, ReaderChoice::Named);
                let sharing = if exclusive { Sharing::Exclusive } else { Sharing::Shared };
                Ok(Box::new(RealReader(PcscReader::new(choice, sharing, wait))))
            }
            #[cfg(not(feature = "pcsc"))]
            Self::Pcsc(_) => Err(Failure::NoCard(WITHOUT_PCSC.to_owned())),
        }
    }
}

/// What `--fresh` is told where its card is expected.
const PORT_VARIABLE: &str = "VMYNA_PORT";

impl CardSeat {
    /// Makes ready `jobs` seats, whose cards are started by the command `fresh`: at the port that this
    /// seat has, and those that follow.
    ///
    /// # Errors
    /// When there cannot be so many, or `fresh` would start all cards at one port.
    pub(super) fn open_several(
        &self,
        jobs: u16,
        wait: Duration,
        fresh: &str,
    ) -> Result<Vec<Box<dyn PeerSource + Send>>, Failure> {
        if let Self::Sim(_) | Self::Pcsc(_) = self {
            return Err(Failure::Usage(
                "--jobs with --fresh starts several cards at once: that takes --card vpcd or vicc".to_owned(),
            ));
        }
        if !fresh.contains(PORT_VARIABLE) {
            let example = format!("my-card --connect 127.0.0.1:${PORT_VARIABLE}");
            return Err(Failure::Usage(format!(
                "--jobs {jobs} starts {jobs} cards at once, and each is expected at a port of its own, which the \
                 --fresh command finds in {PORT_VARIABLE}: --fresh '{example}'"
            )));
        }
        let too_many = || Failure::Usage(format!("{self}: there are no {jobs} ports from there on"));
        (0..jobs)
            .map(|job| match self {
                // The system chooses each.
                Self::Vpcd(0) => Ok(Box::new(listen(0, wait)?) as Box<dyn PeerSource + Send>),
                Self::Vpcd(port) => {
                    Ok(Box::new(listen(port.checked_add(job).ok_or_else(too_many)?, wait)?) as _)
                }
                Self::Vicc(address) => {
                    let address = address.slot(job).ok_or_else(too_many)?;
                    Ok(Box::new(ListeningCard { address, wait }) as _)
                }
                Self::Sim(_) | Self::Pcsc(_) => Err(too_many()),
            })
            .collect()
    }
}

fn listen(port: u16, wait: Duration) -> Result<WaitingReader, Failure> {
    let reader = Reader::listen(&Address::loopback(port), ReaderOptions::default());
    let reader = reader.map_err(|error| match error {
        ReaderError::Bind(error) => super::bind_failure(&error, "--card vpcd:PORT"),
        other => Failure::Usage(other.to_string()),
    })?;
    let _ = writeln!(anstream::stderr(), "waiting for a virtual card on {}", reader.local_addr());
    Ok(WaitingReader { reader, wait })
}

struct WaitingReader {
    reader: Reader,
    wait: Duration,
}

impl PeerSource for WaitingReader {
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual> {
        match self.reader.accept(deadline) {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) => Err(no_card(error, self.wait.as_secs())),
        }
    }

    fn port(&self) -> Option<u16> {
        Some(self.reader.local_addr().port())
    }
}

struct ListeningCard {
    address: Address,
    wait: Duration,
}

impl PeerSource for ListeningCard {
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual> {
        match Connection::connect(&self.address, deadline, ReaderOptions::default()) {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) => Err(no_card(error, self.wait.as_secs())),
        }
    }

    fn port(&self) -> Option<u16> {
        Some(self.address.port())
    }
}

#[cfg(feature = "pcsc")]
struct RealReader(crate::link::pcsc::PcscReader);

#[cfg(feature = "pcsc")]
impl PeerSource for RealReader {
    fn connect(&mut self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual> {
        self.0.connect(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_reads_as_help_writes_it() {
        let sim = |profile: Option<&str>, holder: Option<&str>| {
            Ok(CardSeat::Sim(SimSeat {
                profile: profile.map(str::to_owned),
                holder: holder.map(str::to_owned),
            }))
        };
        for (text, seat) in [
            ("sim", sim(None, None)),
            ("sim:android", sim(Some("android"), None)),
            ("sim@taro", sim(None, Some("taro"))),
            ("sim:android@holders/taro.yaml", sim(Some("android"), Some("holders/taro.yaml"))),
            ("vpcd", Ok(CardSeat::Vpcd(35963))),
            ("vpcd:1", Ok(CardSeat::Vpcd(1))),
            ("vicc:[::1]:2", Ok(CardSeat::Vicc("[::1]:2".parse().unwrap()))),
            ("pcsc", Ok(CardSeat::Pcsc(None))),
            ("pcsc:ACS ACR39U: 00", Ok(CardSeat::Pcsc(Some("ACS ACR39U: 00".to_owned())))),
        ] {
            assert_eq!(text.parse::<CardSeat>(), seat, "{text}");
        }
        for text in ["", "simulator", "vpcd:x", "vicc", "vicc:host", "usb"] {
            assert!(text.parse::<CardSeat>().is_err(), "{text}");
        }
    }
}

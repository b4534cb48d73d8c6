//! Cards for a reader to talk to over a socket: ours and another's way of holding that conversation,
//! around the same trivial card, and the real one.

use std::net::{Shutdown::Both, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};
use vmyna_sim::vpcd::{CardEnd, Event, Shutdown};

/// SELECT of JPKI: a command that every card can be asked, and that changes none.
pub const SELECT_JPKI: [u8; 15] =
    [0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];

/// A card that answers with the command and `9000`.
struct Echo;

impl Echo {
    fn answer(command: &[u8]) -> Vec<u8> {
        [command, &[0x90, 0x00]].concat()
    }
}

impl SmartCard for Echo {
    fn atr(&mut self) -> Reaction {
        Reaction::Answer(vpicc::DEFAULT_ATR.to_vec())
    }

    fn power(&mut self, _: Power) {}

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        Reaction::Answer(Self::answer(command))
    }
}

impl vpicc::VSmartCard for Echo {
    fn execute(&mut self, command: &[u8]) -> Vec<u8> {
        Self::answer(command)
    }
}

/// Who lies in the reader.
#[derive(Debug, Clone, Copy)]
pub enum Peer {
    /// the virtual My Number card
    Card,
    /// our end of the conversation, around a card that only echoes
    Echo,
    /// the same without acknowledging at once
    EchoUnacknowledged,
    /// the `vpicc` crate, around the card that only echoes
    Vpicc,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Card, Self::Echo, Self::EchoUnacknowledged, Self::Vpicc];

    /// What its figure is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Echo => "echo",
            Self::EchoUnacknowledged => "echo without QUICKACK",
            Self::Vpicc => "echo by vpicc",
        }
    }

    /// Whether each round trip takes the 44 ms of a delayed acknowledgement.
    pub const fn is_slow(self) -> bool {
        matches!(self, Self::EchoUnacknowledged | Self::Vpicc)
    }
}

/// A card in a reader, until dropped.
pub struct Inserted {
    stream: TcpStream,
    serving: Option<JoinHandle<()>>,
    heard: Receiver<()>,
}

impl Inserted {
    /// Connects to a reader that listens at `reader`.
    pub fn new(peer: Peer, reader: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&reader, Duration::from_secs(1))?;
        let served = stream.try_clone()?;
        let (hears, heard) = channel();
        let serving = thread::spawn(move || {
            let hold = |end: CardEnd, card: &mut dyn SmartCard| {
                let on_event = &mut |event| {
                    if event == Event::Ready {
                        let _ = hears.send(());
                    }
                };
                end.serve_connection(
                    card,
                    served.try_clone().expect("a descriptor"),
                    &Shutdown::new(),
                    on_event,
                );
            };
            match peer {
                Peer::Card => {
                    hold(CardEnd::default(), &mut VirtualCard::built_in("hanako").expect("built in"))
                }
                Peer::Echo => hold(CardEnd::default(), &mut Echo),
                Peer::EchoUnacknowledged => hold(CardEnd::default().quick_ack(false), &mut Echo),
                Peer::Vpicc => {
                    let mut connection = vpicc::Connection::from(served);
                    // It has no other way to say that its reader has taken notice of it.
                    while connection.poll(&mut Echo).is_ok() {
                        let _ = hears.send(());
                    }
                }
            }
        });
        Ok(Self { stream, serving: Some(serving), heard })
    }

    /// Whether the reader has asked the card for anything within that time.
    pub fn is_noticed(&self, within: Duration) -> bool {
        self.heard.recv_timeout(within).is_ok()
    }
}

impl Drop for Inserted {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Both);
        let _ = self.serving.take().map(JoinHandle::join);
    }
}

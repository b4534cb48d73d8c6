//! The reader's side of a conversation with a served card.

use super::soon;
use vmyna::terminal::{JPKI_AID, select_application, select_file};
use vmyna_sim::apdu::CommandBuilder;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Address, Connection, Reader, ReaderOptions};

pub const AUTHENTICATION_PIN: u16 = 0x0018;
pub const SIGNATURE_PIN: u16 = 0x001B;

/// A reader that listens at `port` of this machine; 0 is any.
pub fn listen(port: u16) -> Reader {
    Reader::listen(&Address::loopback(port), ReaderOptions::default()).expect("the port is free")
}

/// Connects to a card that listens at `port`.
pub fn connect(port: u16) -> Connection {
    Connection::connect(&Address::loopback(port), soon(), ReaderOptions::default()).expect("the card listens")
}

/// A terminal with a card before it, powered, with the JPKI application selected.
pub struct Terminal(pub Connection);

impl Terminal {
    pub fn accept(reader: &Reader) -> Self {
        Self::power_on(reader.accept(soon()).expect("a card connects"))
    }

    /// With nothing selected yet.
    pub fn powered(connection: Connection) -> Self {
        let mut terminal = Self(connection);
        terminal.0.power(Power::On).expect("the card is there");
        terminal.0.atr().expect("an ATR");
        terminal
    }

    pub fn power_on(connection: Connection) -> Self {
        let mut terminal = Self::powered(connection);
        assert_eq!(terminal.status(&select_application(&JPKI_AID)), 0x9000);
        terminal
    }

    /// The status word of the answer to `command`.
    pub fn status(&mut self, command: &[u8]) -> u16 {
        let answer = self.0.transmit(command).expect("an answer");
        let status = answer.last_chunk::<2>().expect("a status");
        u16::from_be_bytes(*status)
    }

    /// The answer to an empty VERIFY: `63Cx`.
    pub fn tries_left(&mut self, pin: u16) -> u16 {
        self.on_pin(pin, CommandBuilder::new(0x00, 0x20, 0x00, 0x80))
    }

    /// The status of an empty VERIFY of what is selected.
    pub fn tries_left_or_status(&mut self, pin: u16) -> u16 {
        let _ = self.status(&select_file(pin));
        self.status(&[0x00, 0x20, 0x00, 0x80])
    }

    pub fn verify(&mut self, pin: u16, value: &str) -> u16 {
        self.on_pin(pin, CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(value.as_bytes()))
    }

    pub fn change(&mut self, pin: u16, value: &str) -> u16 {
        self.on_pin(pin, CommandBuilder::new(0x00, 0x24, 0x01, 0x80).data(value.as_bytes()))
    }

    fn on_pin(&mut self, pin: u16, command: CommandBuilder) -> u16 {
        assert_eq!(self.status(&select_file(pin)), 0x9000);
        self.status(&command.to_bytes())
    }
}

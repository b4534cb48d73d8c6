//! One command and its answer as seen on the wire, decoded, PINs masked. This is the only way into
//! any log, trace or report: no other code prints APDUs.

mod meaning;

pub use meaning::{Act, KeyToSignWith, Meaning, Reference, Wanted};

use crate::apdu::{ResponseApdu, Status};
use crate::hex::Spaced;
use std::fmt::{self, Write as _};

/// A command APDU in a form that may be shown: VERIFY, CHANGE REFERENCE DATA and their kin lose
/// their data. Displays as hex, then what it means; `{:#}` does not shorten long data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCommand {
    bytes: Vec<Option<u8>>,
    meaning: Meaning,
}

/// A response APDU in a form that may be shown. Displays as hex, then what the status means;
/// `{:#}` does not shorten long data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownResponse {
    /// the answer; where bytes are left out, its beginning and its status
    bytes: Vec<u8>,
    left_out: usize,
}

/// One exchange in a form that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// what was sent
    pub command: ShownCommand,
    /// what came back; `None` when nothing did
    pub response: Option<ShownResponse>,
}

impl Exchange {
    /// Masks and decodes `command` and `response`.
    #[must_use]
    pub fn new(command: &[u8], response: Option<&[u8]>) -> Self {
        Self { command: ShownCommand::new(command), response: response.map(ShownResponse::new) }
    }

    /// The same where many are kept: of a long answer, [`ShownResponse::KEPT`] bytes and its status.
    #[must_use]
    pub fn kept(command: &[u8], response: Option<&[u8]>) -> Self {
        Self { command: ShownCommand::new(command), response: response.map(ShownResponse::kept) }
    }
}

impl ShownCommand {
    /// Masks and decodes `raw`, which may be malformed.
    #[must_use]
    pub fn new(raw: &[u8]) -> Self {
        let secret = if carries_pin(raw) { raw.len().min(5)..raw.len() } else { 0..0 };
        let bytes =
            raw.iter().enumerate().map(|(at, byte)| (!secret.contains(&at)).then_some(*byte)).collect();
        Self { bytes, meaning: Meaning::of(raw) }
    }

    /// All bytes in hex with spaces between; those of a PIN are `**`.
    #[must_use]
    pub fn hex(&self) -> String {
        masked(&self.bytes)
    }

    /// The bytes as [`hex`](Self::hex) tells them, of many only the first.
    #[must_use]
    pub fn shortened(&self) -> Shortened {
        let shown = self.bytes.len().min(SHORTENED);
        Shortened {
            hex: masked(&self.bytes[..shown]),
            of: (shown < self.bytes.len()).then_some(self.bytes.len()),
        }
    }

    /// What the command means.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// The name of the instruction (ISO/IEC 7816-4); `None` where there is none for its byte.
    #[must_use]
    pub fn instruction(&self) -> Option<&'static str> {
        instruction((*self.bytes.get(1)?)?)
    }
}

impl ShownResponse {
    /// Decodes `raw`, which may be malformed.
    #[must_use]
    pub fn new(raw: &[u8]) -> Self {
        Self { bytes: raw.to_vec(), left_out: 0 }
    }

    /// The most data that are kept of an answer, in bytes: the files of cards are shorter.
    pub const KEPT: usize = 8_192;

    /// Decodes `raw`, and of more data than [`Self::KEPT`] leaves the rest out: whoever keeps answers
    /// does not know what card they come from.
    #[must_use]
    pub fn kept(raw: &[u8]) -> Self {
        Self::cut(raw, Self::KEPT, 0)
    }

    /// The same with no more than so many bytes of data.
    #[must_use]
    pub fn with_at_most(&self, data: usize) -> Self {
        Self::cut(&self.bytes, data, self.left_out)
    }

    fn cut(bytes: &[u8], data: usize, left_out: usize) -> Self {
        match bytes.len().saturating_sub(data + STATUS) {
            0 => Self { bytes: bytes.to_vec(), left_out },
            more => Self {
                bytes: [&bytes[..data], &bytes[bytes.len() - STATUS..]].concat(),
                left_out: left_out + more,
            },
        }
    }

    /// How many bytes there are of it.
    #[must_use]
    pub const fn length_kept(&self) -> usize {
        self.bytes.len()
    }

    /// All bytes that there are in hex with spaces between.
    #[must_use]
    pub fn hex(&self) -> String {
        Spaced(&self.bytes).to_string()
    }

    /// How many bytes before the status are left out.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// The data before the status, of many bytes only the first.
    #[must_use]
    pub fn data(&self) -> Shortened {
        self.first(SHORTENED)
    }

    fn first(&self, most: usize) -> Shortened {
        let data = ResponseApdu::try_from(&self.bytes[..]).map_or(&[][..], |response| response.data);
        let (shown, length) = (data.len().min(most), data.len() + self.left_out);
        Shortened { hex: Spaced(&data[..shown]).to_string(), of: (shown < length).then_some(length) }
    }

    /// The status; `None` when the answer is too short to have one.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        ResponseApdu::try_from(&self.bytes[..]).ok().map(|response| response.status)
    }
}

/// Bytes in hex, of many only the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened {
    /// with spaces between
    pub hex: String,
    /// how many bytes there are, where these are not all of them
    pub of: Option<usize>,
}

impl fmt::Display for Shortened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex)?;
        self.of.map_or(Ok(()), |count| write!(f, " … ({count} bytes)"))
    }
}

fn masked(bytes: &[Option<u8>]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        // Writing to a string does not fail.
        let _ = match byte {
            Some(byte) => write!(hex, "{space}{byte:02X}"),
            None => write!(hex, "{space}**"),
        };
    }
    hex
}

/// Whether the data field may hold a PIN, whatever the class: VERIFY, CHANGE REFERENCE DATA, RESET
/// RETRY COUNTER, CHANGE KEY.
fn carries_pin(raw: &[u8]) -> bool {
    matches!(raw.get(1), Some(0x20 | 0x21 | 0x24 | 0x25 | 0x2C | 0x2D | 0x32))
}

/// Bytes shown of long data.
const SHORTENED: usize = 32;

/// SW1 and SW2.
const STATUS: usize = 2;

impl fmt::Display for ShownCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "{}  {}", self.hex(), self.meaning)
        } else {
            write!(f, "{}  {}", self.shortened(), self.meaning)
        }
    }
}

impl fmt::Display for ShownResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResponseApdu { data, status } = match ResponseApdu::try_from(&self.bytes[..]) {
            Ok(response) => response,
            Err(error) => return write!(f, "{}  ({error})", self.hex()),
        };
        let shown = self.first(if f.alternate() { data.len() } else { SHORTENED });
        if !shown.hex.is_empty() {
            write!(f, "{shown} ")?;
        }
        write!(f, "{}", Spaced(&status.to_bytes()))?;
        match status.to_string().split_once(' ') {
            Some((_, meaning)) => write!(f, "  {meaning}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "> {:#}", self.command)?;
        } else {
            write!(f, "> {}", self.command)?;
        }
        match &self.response {
            Some(response) if f.alternate() => write!(f, "\n< {response:#}"),
            Some(response) => write!(f, "\n< {response}"),
            None => write!(f, "\n< (no answer)"),
        }
    }
}

const fn instruction(ins: u8) -> Option<&'static str> {
    Some(match ins {
        0x20 => "VERIFY",
        0x24 => "CHANGE REFERENCE DATA",
        0x2A => "COMPUTE DIGITAL SIGNATURE",
        0x32 => "CHANGE KEY",
        0x84 => "GET CHALLENGE",
        0x88 => "INTERNAL AUTHENTICATE",
        0xA2 => "TERMINAL AUTHENTICATION",
        0xA4 => "SELECT",
        0xAE => "SET SESSION KEY",
        0xB0 => "READ BINARY",
        0xB2 => "READ RECORD",
        0xC0 => "GET RESPONSE",
        0xCA => "GET DATA",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn a_pin_is_never_shown() {
        for raw in [
            &hex!("002000800431323334")[..],
            &hex!("00240180 06 393837363534"),
            &hex!("002000800431323334350000"),
            &hex!("8020008004313233"),
            &hex!("80320080 04 31323334"),
        ] {
            let shown = format!("{:#}", Exchange::new(raw, Some(&hex!("9000"))));
            assert!(!shown.contains("31 32") && !shown.contains("39 38"), "{shown}");
            assert!(shown.contains("** **"), "{shown}");
        }
    }

    #[test]
    fn an_exchange_reads_as_bytes_and_words() {
        let exchange = Exchange::new(&hex!("00A4020C020018"), Some(&hex!("9000")));
        assert_eq!(exchange.to_string(), "> 00 A4 02 0C 02 00 18  SELECT EF 0018\n< 90 00  (success)");
        let exchange = Exchange::new(&hex!("00200080"), Some(&hex!("63C2")));
        assert_eq!(
            exchange.to_string(),
            "> 00 20 00 80  VERIFY current EF: tries left?\n< 63 C2  (2 tries left)"
        );
        let exchange = Exchange::new(&hex!("00B0000100"), None);
        assert_eq!(
            exchange.to_string(),
            "> 00 B0 00 01 00  READ BINARY offset 1, up to 256 bytes\n< (no answer)"
        );
    }

    #[test]
    fn long_data_is_shortened_unless_all_is_asked_for() {
        let exchange = Exchange::new(&hex!("00B0000000"), Some(&[0xAB; 258]));
        assert!(exchange.to_string().contains("… (256 bytes)"));
        assert!(format!("{exchange:#}").matches("AB").count() == 258);
    }

    #[test]
    fn of_more_than_any_file_the_beginning_and_the_status_are_kept() {
        let answer = |data: usize| [&vec![0xAB; data][..], &hex!("9000")].concat();
        let kept = ShownResponse::kept(&answer(ShownResponse::KEPT));
        assert_eq!(kept, ShownResponse::new(&answer(ShownResponse::KEPT)));
        let kept = ShownResponse::kept(&answer(65_533));
        assert_eq!((kept.left_out(), kept.status()), (65_533 - ShownResponse::KEPT, Some(Status::Success)));
        assert_eq!(kept.hex().len(), 3 * (ShownResponse::KEPT + STATUS) - 1);
        let less = kept.with_at_most(256);
        assert_eq!((less.length_kept(), less.left_out()), (258, 65_533 - 256));
        assert!(kept.to_string().ends_with("… (65533 bytes) 90 00  (success)"), "{kept}");
        assert!(format!("{kept:#}").ends_with("AB … (65533 bytes) 90 00  (success)"));
    }
}

//! One command and its answer as seen on the wire, decoded, PINs masked. This is the only way into
//! any log, trace or report: no other code prints APDUs.

use crate::apdu::{CommandApdu, ResponseApdu, Status};
use crate::application;
use crate::command::SECURED;
use crate::hex::Spaced;
use crate::key::SignatureScheme;
use std::fmt::{self, Write as _};

/// A command APDU in a form that may be shown: VERIFY, CHANGE REFERENCE DATA and their kin lose
/// their data. Displays as hex, then what it means; `{:#}` does not shorten long data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCommand {
    bytes: Vec<Option<u8>>,
    meaning: String,
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
        Self { bytes, meaning: meaning(raw) }
    }

    /// All bytes in hex with spaces between; those of a PIN are `**`.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut hex = String::with_capacity(self.bytes.len() * 3);
        for (index, byte) in self.bytes.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            // Writing to a string does not fail.
            let _ = match byte {
                Some(byte) => write!(hex, "{space}{byte:02X}"),
                None => write!(hex, "{space}**"),
            };
        }
        hex
    }

    /// What the command means, in words.
    #[must_use]
    pub fn meaning(&self) -> &str {
        &self.meaning
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

    /// The status; `None` when the answer is too short to have one.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        ResponseApdu::try_from(&self.bytes[..]).ok().map(|response| response.status)
    }
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
        let shown = if f.alternate() { self.bytes.len() } else { self.bytes.len().min(SHORTENED) };
        for (index, byte) in self.bytes[..shown].iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            match byte {
                Some(byte) => write!(f, "{space}{byte:02X}")?,
                None => write!(f, "{space}**")?,
            }
        }
        if shown < self.bytes.len() {
            write!(f, " … ({} bytes)", self.bytes.len())?;
        }
        write!(f, "  {}", self.meaning)
    }
}

impl fmt::Display for ShownResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ResponseApdu::try_from(&self.bytes[..]) {
            Ok(ResponseApdu { data, status }) => {
                let (shown, length) =
                    (if f.alternate() { data.len() } else { SHORTENED }, data.len() + self.left_out);
                if length > shown {
                    write!(f, "{} … ({length} bytes) ", Spaced(&data[..shown]))?;
                } else if !data.is_empty() {
                    write!(f, "{} ", Spaced(data))?;
                }
                write!(f, "{}", Spaced(&status.to_bytes()))?;
                match status.to_string().split_once(' ') {
                    Some((_, meaning)) => write!(f, "  {meaning}"),
                    None => Ok(()),
                }
            }
            Err(error) => write!(f, "{}  ({error})", Spaced(&self.bytes)),
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

fn meaning(raw: &[u8]) -> String {
    let Ok(apdu) = CommandApdu::parse(raw) else {
        return "malformed command".to_owned();
    };
    let reference = match apdu.p2() {
        0x80 => "current EF".to_owned(),
        p2 @ 0x81..=0x9E => format!("SFI {:02X}", p2 & 0x1F),
        p2 => format!("reference {p2:02X}"),
    };
    if apdu.cla() == SECURED {
        return secured_meaning(&apdu, &reference);
    }
    match (apdu.ins(), apdu.p1()) {
        (0xA4, 0x04) => match application::name(apdu.data()) {
            Some(name) => format!("SELECT application {name}"),
            None => "SELECT application".to_owned(),
        },
        (0xA4, 0x02) => match apdu.data() {
            [high, low] => format!("SELECT EF {high:02X}{low:02X}"),
            _ => "SELECT EF".to_owned(),
        },
        (0xA4, _) => "SELECT".to_owned(),
        (0xB0, p1) if p1 & 0x80 != 0 => {
            format!("READ BINARY SFI {:02X}, offset {}{}", p1 & 0x1F, apdu.p2(), up_to(&apdu))
        }
        (0xB0, p1) => {
            format!("READ BINARY offset {}{}", u16::from_be_bytes([p1, apdu.p2()]), up_to(&apdu))
        }
        (0xB2, _) => "READ RECORD".to_owned(),
        (0x20, _) if apdu.data().is_empty() => format!("VERIFY {reference}: tries left?"),
        (0x20, _) => format!("VERIFY {reference}"),
        (0x24, _) => format!("CHANGE REFERENCE DATA {reference}"),
        (0x32, _) => format!("CHANGE KEY {reference}"),
        (0x2A, p1) => {
            let scheme = SignatureScheme::from_p1(p1)
                .map_or_else(|| format!("scheme {p1:02X}"), |scheme| scheme.describe().to_owned());
            let key = if apdu.p2() == 0 { "the application's key".to_owned() } else { reference };
            format!("COMPUTE DIGITAL SIGNATURE {key}, {scheme}, {} bytes", apdu.data().len())
        }
        (0x84, _) => "GET CHALLENGE".to_owned(),
        (0x88, _) => format!("INTERNAL AUTHENTICATE {reference}"),
        (0xCA, p1) => match application::object_name(u16::from_be_bytes([p1, apdu.p2()])) {
            Some(name) => format!("GET DATA {p1:02X}{:02X}: {name}", apdu.p2()),
            None => format!("GET DATA {p1:02X}{:02X}", apdu.p2()),
        },
        (0xAE, _) => "SET SESSION KEY".to_owned(),
        (0xA2, _) => "terminal authentication (80 A2)".to_owned(),
        (0xFC, _) => "last command indicator (80 FC)".to_owned(),
        (ins, _) => format!("INS {ins:02X}"),
    }
}

/// What a secured command says of itself without the key: its data lie in an encrypted object.
fn secured_meaning(apdu: &CommandApdu<'_>, reference: &str) -> String {
    match (apdu.ins(), apdu.p1(), apdu.data()) {
        (0xB0, p1, [0x96, 0x03, 0x00, high, low]) => {
            let wanted = match u16::from_be_bytes([*high, *low]) {
                0 => "all".to_owned(),
                length => format!("up to {length}"),
            };
            let from = match p1 & 0x80 {
                0 => format!("offset {}", u16::from_be_bytes([p1, apdu.p2()])),
                _ => format!("SFI {:02X}, offset {}", p1 & 0x1F, apdu.p2()),
            };
            format!("secured READ BINARY {from}, {wanted} bytes")
        }
        (0xB0, ..) => "secured READ BINARY".to_owned(),
        (0x20, ..) => format!("secured VERIFY {reference}"),
        (0xA4, 0x02, _) => "secured SELECT EF".to_owned(),
        (0xA4, ..) => "secured SELECT".to_owned(),
        (ins, ..) => format!("secured INS {ins:02X}"),
    }
}

fn up_to(apdu: &CommandApdu<'_>) -> String {
    apdu.le().map_or_else(String::new, |le| format!(", up to {le} bytes"))
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
    fn commands_beyond_iso_are_told_in_words() {
        for (raw, meaning) in [
            (&hex!("80AE000000010055")[..], "malformed command"),
            (&hex!("80AE0000 01 55"), "SET SESSION KEY"),
            (
                &hex!("802A0580 01 55 00"),
                "COMPUTE DIGITAL SIGNATURE current EF, SHA-256 of the data, PSS, 1 bytes",
            ),
            (
                &hex!("802A0000 01 55 00"),
                "COMPUTE DIGITAL SIGNATURE the application's key, data as they stand, 1 bytes",
            ),
            (&hex!("802A0680 01 55 00"), "COMPUTE DIGITAL SIGNATURE current EF, scheme 06, 1 bytes"),
            (&hex!("00CA00F200"), "GET DATA 00F2: date of expiry"),
            (&hex!("00CA9F7F00"), "GET DATA 9F7F"),
            (&hex!("08B08103 05 9603000000 00"), "secured READ BINARY SFI 01, offset 3, all bytes"),
            (&hex!("08B00100 05 9603000010 00"), "secured READ BINARY offset 256, up to 16 bytes"),
            (&hex!("08A4020C 03 860101"), "secured SELECT EF"),
            (&hex!("80A200C1 01 55"), "terminal authentication (80 A2)"),
        ] {
            let shown = ShownCommand::new(raw).to_string();
            assert!(shown.ends_with(&format!("  {meaning}")), "{shown}");
        }
        let secured = ShownCommand::new(&hex!("08200094 05 8603 01AABB")).to_string();
        assert!(secured.contains("** **") && secured.ends_with("secured VERIFY SFI 14"), "{secured}");
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

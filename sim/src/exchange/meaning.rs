//! What a command asks for, as far as it tells without a key: parts, which whoever shows them puts into
//! words. Displays in English.

use crate::apdu::CommandApdu;
use crate::application;
use crate::command::SECURED;
use crate::key::SignatureScheme;
use std::fmt;

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// whether it comes in a session of secure messaging: then its data lie in an encrypted object
    pub secured: bool,
    /// what it asks for
    pub act: Act,
}

/// What a command asks for, secured or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// no command at all
    Malformed,
    /// an application by its name, which people know it by where it is one of [`application::ALL`]
    SelectApplication(Option<&'static str>),
    /// an EF; its identifier, where it can be seen
    SelectFile(Option<u16>),
    /// something else
    Select,
    /// bytes of an EF
    ReadBinary {
        /// the short identifier of the EF; the current one without
        sfi: Option<u8>,
        /// first byte
        offset: u16,
        /// how many
        wanted: Wanted,
    },
    /// bytes of an EF, which ones cannot be seen
    ReadSomeBinary,
    /// a record
    ReadRecord,
    /// the counter of a PIN
    AskTriesLeft(Reference),
    /// a PIN
    Verify(Reference),
    /// a new value of a PIN
    ChangeReferenceData(Reference),
    /// likewise, by `80 32`
    ChangeKey(Reference),
    /// a signature
    Sign {
        /// of which key
        key: KeyToSignWith,
        /// how; P1 where that names no scheme
        scheme: Result<SignatureScheme, u8>,
        /// bytes of the data field
        length: usize,
    },
    /// random bytes
    GetChallenge,
    /// the signature of a challenge
    InternalAuthenticate(Reference),
    /// the data object of that tag
    GetData(u16),
    /// the key of a session
    SetSessionKey,
    /// `80 A2`
    AuthenticateTerminal,
    /// `80 FC`
    LastCommand,
    /// an instruction without a name
    Other(u8),
}

/// What P2 refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// the current EF
    Current,
    /// the EF of that short identifier
    Short(u8),
    /// neither: P2
    Other(u8),
}

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyToSignWith {
    /// the application's own
    OfApplication,
    /// the one in an EF
    In(Reference),
}

/// How many bytes are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// not told
    Untold,
    /// as many as there are
    All,
    /// at most so many
    UpTo(u32),
}

impl Reference {
    const fn of(p2: u8) -> Self {
        match p2 {
            0x80 => Self::Current,
            0x81..=0x9E => Self::Short(p2 & 0x1F),
            _ => Self::Other(p2),
        }
    }
}

impl Meaning {
    /// Of `raw`, which may be malformed.
    #[must_use]
    pub fn of(raw: &[u8]) -> Self {
        match CommandApdu::parse(raw) {
            Err(_) => Self { secured: false, act: Act::Malformed },
            Ok(apdu) if apdu.cla() == SECURED => Self { secured: true, act: secured(&apdu) },
            Ok(apdu) => Self { secured: false, act: plain(&apdu) },
        }
    }
}

fn plain(apdu: &CommandApdu<'_>) -> Act {
    let reference = Reference::of(apdu.p2());
    match (apdu.ins(), apdu.p1()) {
        (0xA4, 0x04) => Act::SelectApplication(application::name(apdu.data())),
        (0xA4, 0x02) => Act::SelectFile(<[u8; 2]>::try_from(apdu.data()).ok().map(u16::from_be_bytes)),
        (0xA4, _) => Act::Select,
        (0xB0, _) => read_binary(apdu, apdu.le().map_or(Wanted::Untold, Wanted::UpTo)),
        (0xB2, _) => Act::ReadRecord,
        (0x20, _) if apdu.data().is_empty() => Act::AskTriesLeft(reference),
        (0x20, _) => Act::Verify(reference),
        (0x24, _) => Act::ChangeReferenceData(reference),
        (0x32, _) => Act::ChangeKey(reference),
        (0x2A, p1) => Act::Sign {
            key: match apdu.p2() {
                0 => KeyToSignWith::OfApplication,
                _ => KeyToSignWith::In(reference),
            },
            scheme: SignatureScheme::from_p1(p1).ok_or(p1),
            length: apdu.data().len(),
        },
        (0x84, _) => Act::GetChallenge,
        (0x88, _) => Act::InternalAuthenticate(reference),
        (0xCA, p1) => Act::GetData(u16::from_be_bytes([p1, apdu.p2()])),
        (0xAE, _) => Act::SetSessionKey,
        (0xA2, _) => Act::AuthenticateTerminal,
        (0xFC, _) => Act::LastCommand,
        (ins, _) => Act::Other(ins),
    }
}

/// What a secured command says of itself without the key.
fn secured(apdu: &CommandApdu<'_>) -> Act {
    match (apdu.ins(), apdu.p1(), apdu.data()) {
        (0xB0, _, [0x96, 0x03, 0x00, high, low]) => {
            let wanted = match u16::from_be_bytes([*high, *low]) {
                0 => Wanted::All,
                length => Wanted::UpTo(length.into()),
            };
            read_binary(apdu, wanted)
        }
        (0xB0, ..) => Act::ReadSomeBinary,
        (0x20, ..) => Act::Verify(Reference::of(apdu.p2())),
        (0xA4, 0x02, _) => Act::SelectFile(None),
        (0xA4, ..) => Act::Select,
        (ins, ..) => Act::Other(ins),
    }
}

fn read_binary(apdu: &CommandApdu<'_>, wanted: Wanted) -> Act {
    match apdu.p1() {
        p1 if p1 & 0x80 != 0 => Act::ReadBinary { sfi: Some(p1 & 0x1F), offset: apdu.p2().into(), wanted },
        p1 => Act::ReadBinary { sfi: None, offset: u16::from_be_bytes([p1, apdu.p2()]), wanted },
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.secured {
            f.write_str("secured ")?;
        }
        self.act.fmt(f)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("malformed command"),
            Self::SelectApplication(Some(name)) => write!(f, "SELECT application {name}"),
            Self::SelectApplication(None) => f.write_str("SELECT application"),
            Self::SelectFile(Some(id)) => write!(f, "SELECT EF {id:04X}"),
            Self::SelectFile(None) => f.write_str("SELECT EF"),
            Self::Select => f.write_str("SELECT"),
            Self::ReadBinary { sfi, offset, wanted } => {
                f.write_str("READ BINARY ")?;
                sfi.map_or(Ok(()), |sfi| write!(f, "SFI {sfi:02X}, "))?;
                write!(f, "offset {offset}")?;
                match wanted {
                    Wanted::Untold => Ok(()),
                    Wanted::All => f.write_str(", all bytes"),
                    Wanted::UpTo(count) => write!(f, ", up to {count} bytes"),
                }
            }
            Self::ReadSomeBinary => f.write_str("READ BINARY"),
            Self::ReadRecord => f.write_str("READ RECORD"),
            Self::AskTriesLeft(pin) => write!(f, "VERIFY {pin}: tries left?"),
            Self::Verify(pin) => write!(f, "VERIFY {pin}"),
            Self::ChangeReferenceData(pin) => write!(f, "CHANGE REFERENCE DATA {pin}"),
            Self::ChangeKey(pin) => write!(f, "CHANGE KEY {pin}"),
            Self::Sign { key, scheme, length } => {
                f.write_str("COMPUTE DIGITAL SIGNATURE ")?;
                match key {
                    KeyToSignWith::OfApplication => f.write_str("the application's key")?,
                    KeyToSignWith::In(reference) => reference.fmt(f)?,
                }
                match scheme {
                    Ok(scheme) => write!(f, ", {}, {length} bytes", scheme.describe()),
                    Err(p1) => write!(f, ", scheme {p1:02X}, {length} bytes"),
                }
            }
            Self::GetChallenge => f.write_str("GET CHALLENGE"),
            Self::InternalAuthenticate(key) => write!(f, "INTERNAL AUTHENTICATE {key}"),
            Self::GetData(tag) => match application::object_name(*tag) {
                Some(name) => write!(f, "GET DATA {tag:04X}: {name}"),
                None => write!(f, "GET DATA {tag:04X}"),
            },
            Self::SetSessionKey => f.write_str("SET SESSION KEY"),
            Self::AuthenticateTerminal => f.write_str("terminal authentication (80 A2)"),
            Self::LastCommand => f.write_str("last command indicator (80 FC)"),
            Self::Other(ins) => write!(f, "INS {ins:02X}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("current EF"),
            Self::Short(sfi) => write!(f, "SFI {sfi:02X}"),
            Self::Other(p2) => write!(f, "reference {p2:02X}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ShownCommand;
    use hex_literal::hex;

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
}

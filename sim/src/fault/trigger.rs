//! When a fault strikes: counted, at the first command of a kind, or by chance.

use std::fmt;
use std::str::FromStr;

/// What a card is asked. Without `Debug`, for a command may present a PIN.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    Atr,
    Command(&'a [u8]),
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// at the nth command since it was armed, counted from 1: once
    Nth(u32),
    /// at the nth command of this kind since it was armed, counted from 1: once
    Command(Instruction, u32),
    /// at the nth request for the ATR since it was armed, counted from 1: once
    Atr(u32),
    /// at each command with this probability, in hundredths of a percent
    Chance(u16),
}

/// A kind of command, told by its instruction byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    /// `A4`
    Select,
    /// `B0` or `B2`
    Read,
    /// `20` with data
    Verify,
    /// `20` without data
    TriesLeft,
    /// `24` or `32`
    ChangePin,
    /// `2A`
    Sign,
    /// `88`
    Authenticate,
    /// `84`
    Challenge,
    /// `CA`
    GetData,
    /// this instruction byte
    Byte(u8),
}

/// A sure thing, in hundredths of a percent.
const ALWAYS: u16 = 10_000;

const NAMES: [(&str, Instruction); 9] = [
    ("select", Instruction::Select),
    ("read", Instruction::Read),
    ("verify", Instruction::Verify),
    ("tries-left", Instruction::TriesLeft),
    ("change-pin", Instruction::ChangePin),
    ("sign", Instruction::Sign),
    ("authenticate", Instruction::Authenticate),
    ("challenge", Instruction::Challenge),
    ("get-data", Instruction::GetData),
];

/// A header, perhaps with Le or with Lc = 00: as much as VERIFY has when it only asks.
const WITHOUT_DATA: usize = 5;

impl Instruction {
    /// Whether `command`, which may be malformed, is of this kind.
    #[must_use]
    pub fn is(self, command: &[u8]) -> bool {
        let Some(&ins) = command.get(1) else { return false };
        match self {
            Self::Select => ins == 0xA4,
            Self::Read => matches!(ins, 0xB0 | 0xB2),
            Self::Verify => ins == 0x20 && command.len() > WITHOUT_DATA,
            Self::TriesLeft => ins == 0x20 && command.len() <= WITHOUT_DATA,
            Self::ChangePin => matches!(ins, 0x24 | 0x32),
            Self::Sign => ins == 0x2A,
            Self::Authenticate => ins == 0x88,
            Self::Challenge => ins == 0x84,
            Self::GetData => ins == 0xCA,
            Self::Byte(byte) => ins == byte,
        }
    }
}

impl Trigger {
    /// At every command.
    pub const ALWAYS: Self = Self::Chance(ALWAYS);

    /// The last of the counted requests, after which the fault is over; `None` for one that stays.
    pub(super) const fn last(self) -> Option<u32> {
        match self {
            Self::Nth(n) | Self::Command(_, n) | Self::Atr(n) => Some(n),
            Self::Chance(_) => None,
        }
    }

    /// Whether `request` is one of those that are counted, or that chance decides about.
    pub(super) fn concerns(self, request: Request<'_>) -> bool {
        match (self, request) {
            (Self::Nth(_) | Self::Chance(_), Request::Command(_)) | (Self::Atr(_), Request::Atr) => true,
            (Self::Command(instruction, _), Request::Command(command)) => instruction.is(command),
            _ => false,
        }
    }

    /// Whether chance, drawn evenly from all numbers, lets it strike.
    pub(super) const fn is_lucky(chance: u16, drawn: u64) -> bool {
        drawn % (ALWAYS as u64) < chance as u64
    }
}

impl FromStr for Trigger {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "always" {
            return Ok(Self::ALWAYS);
        }
        if let Some(percent) = text.strip_suffix('%') {
            return match percent.parse::<f64>() {
                Ok(percent) if (0.01..=100.0).contains(&percent) => {
                    Ok(Self::Chance((percent * 100.0).round() as u16))
                }
                _ => Err(format!("a probability is 0.01% to 100%, not {text:?}")),
            };
        }
        let number = |digits: &str| match digits.parse() {
            Ok(n @ 1..) => Ok(n),
            _ => Err(format!("commands are counted from 1, not {digits:?}")),
        };
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return number(text).map(Self::Nth);
        }
        let (name, nth) = match text.split_once('#') {
            Some((name, digits)) => (name, number(digits)?),
            None => (text, 1),
        };
        if name == "atr" {
            return Ok(Self::Atr(nth));
        }
        if let Some(byte) = name.strip_prefix("ins=") {
            let byte = (byte.len() == 2).then(|| u8::from_str_radix(byte, 16).ok()).flatten();
            let byte = byte.ok_or_else(|| format!("an instruction byte is two hex digits, not {name:?}"))?;
            return Ok(Self::Command(Instruction::Byte(byte), nth));
        }
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, instruction)) => Ok(Self::Command(*instruction, nth)),
            None => {
                let known = NAMES.map(|(known, _)| known).join(", ");
                Err(format!(
                    "there is no moment {text:?}; expected a number, {known}, ins=XX, atr, a probability such as 5%, \
                     or always"
                ))
            }
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nth = match *self {
            Self::Nth(n) => return write!(f, "{n}"),
            Self::ALWAYS => return f.write_str("always"),
            Self::Chance(chance) => return write!(f, "{}%", f64::from(chance) / 100.0),
            Self::Atr(n) => {
                f.write_str("atr")?;
                n
            }
            Self::Command(Instruction::Byte(byte), n) => {
                write!(f, "ins={byte:02X}")?;
                n
            }
            Self::Command(instruction, n) => {
                let name = NAMES.iter().find(|(_, known)| *known == instruction);
                f.write_str(name.map_or("", |(name, _)| name))?;
                n
            }
        };
        if nth == 1 { Ok(()) } else { write!(f, "#{nth}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_for_the_tries_is_told_from_presenting_a_pin() {
        for (command, presenting) in [
            (&b"\x00\x20\x00\x80"[..], false),
            (b"\x00\x20\x00\x80\x00", false),
            (b"\x00\x20\x00\x80\x01\x31", true),
        ] {
            assert_eq!(Instruction::Verify.is(command), presenting);
            assert_eq!(Instruction::TriesLeft.is(command), !presenting);
        }
        assert!(!Instruction::Verify.is(&[]));
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_there_is() {
        for (text, expected) in [
            ("0", "counted from 1"),
            ("sign#0", "counted from 1"),
            ("99999999999", "counted from 1"),
            ("0%", "0.01% to 100%"),
            ("101%", "0.01% to 100%"),
            ("NaN%", "0.01% to 100%"),
            ("ins=2", "two hex digits"),
            ("sgin", "select, read, verify, tries-left, change-pin, sign, authenticate"),
            ("", "there is no moment"),
        ] {
            let refusal = text.parse::<Trigger>().unwrap_err();
            assert!(refusal.contains(expected), "{text}: {refusal}");
        }
    }
}

//! The status word SW1-SW2. Names follow ISO/IEC 7816-4 and, where the two differ, JICSAP 1.1, by
//! which this card is specified: `6984` is "referenced IEF blocked" (参照 IEF 閉塞) there.

use std::fmt;

macro_rules! statuses {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// A status word. Unknown codes survive a round trip as [`Status::Other`].
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Status {
            /// `63Cx`: verification failed, or an empty VERIFY asked; `x` tries are left.
            TriesLeft(u8),
            $(#[doc = concat!("`", stringify!($code), "`: ", $meaning)] $name,)*
            /// Any code without a name of its own.
            Other(u16),
        }

        impl From<u16> for Status {
            fn from(code: u16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    0x63C0..=0x63CF => Self::TriesLeft((code & 0x000F) as u8),
                    other => Self::Other(other),
                }
            }
        }

        impl From<Status> for u16 {
            fn from(status: Status) -> Self {
                match status {
                    $(Status::$name => $code,)*
                    Status::TriesLeft(tries) => 0x63C0 | u16::from(tries & 0x0F),
                    Status::Other(code) => code,
                }
            }
        }

        impl Status {
            /// Those with a name of their own and no payload, each with that name in snake case.
            #[must_use]
            pub fn named() -> Vec<(String, Self)> {
                vec![$((snake_case(stringify!($name)), Self::$name),)*]
            }

            /// What the code means, in a few words; `None` for a code without a name.
            #[must_use]
            pub const fn meaning(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($meaning),)*
                    Self::TriesLeft(_) => Some("tries left"),
                    Self::Other(_) => None,
                }
            }
        }
    };
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (index, letter) in name.char_indices() {
        // `P1P2` stays one word.
        if letter.is_ascii_uppercase() && index > 0 && !name[..index].ends_with(|c: char| c.is_ascii_digit())
        {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

statuses! {
    Success = 0x9000, "success";
    DataMayBeCorrupted = 0x6281, "part of the data may be corrupted";
    DfLocked = 0x6283, "the DF is locked";
    VerificationFailed = 0x6300, "verification failed";
    ExecutionError = 0x6400, "execution error, nothing changed";
    MemoryFailure = 0x6581, "writing to memory failed";
    NoKeyDelivery = 0x66F1, "nothing is set up to deliver a session key";
    WrongLength = 0x6700, "wrong Lc or Le";
    LogicalChannelNotSupported = 0x6881, "logical channel not supported";
    SecureMessagingNotSupported = 0x6882, "secure messaging not supported";
    CommandChainingNotSupported = 0x6884, "command chaining not supported";
    IncompatibleFileStructure = 0x6981, "the command does not fit the file's structure";
    SecurityStatusNotSatisfied = 0x6982, "security status not satisfied";
    AuthenticationMethodBlocked = 0x6983, "authentication method blocked";
    ReferencedIefBlocked = 0x6984, "the referenced IEF is blocked";
    ConditionsOfUseNotSatisfied = 0x6985, "conditions of use not satisfied";
    NoCurrentEf = 0x6986, "no current EF";
    SecureMessagingObjectsMissing = 0x6987, "secure messaging data objects missing";
    SecureMessagingObjectsIncorrect = 0x6988, "secure messaging data objects incorrect";
    NoSecureMessagingSession = 0x69FC, "no secure messaging session";
    IncorrectData = 0x6A80, "incorrect data field";
    FunctionNotSupported = 0x6A81, "function not supported";
    FileNotFound = 0x6A82, "file or application not found";
    RecordNotFound = 0x6A83, "record not found";
    NotEnoughMemory = 0x6A84, "not enough memory in the file";
    LcInconsistentWithTlv = 0x6A85, "Lc inconsistent with the TLV structure";
    IncorrectP1P2 = 0x6A86, "incorrect P1-P2";
    LcInconsistentWithP1P2 = 0x6A87, "Lc inconsistent with P1-P2";
    ReferencedDataNotFound = 0x6A88, "referenced data not found";
    OffsetOutsideEf = 0x6B00, "offset outside the EF";
    InstructionNotSupported = 0x6D00, "instruction not supported";
    ClassNotSupported = 0x6E00, "class not supported";
    NoPreciseDiagnosis = 0x6F00, "no precise diagnosis";
}

impl Status {
    /// The two bytes as they end a response.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 2] {
        u16::from(self).to_be_bytes()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", u16::from(*self))?;
        match (self, self.meaning()) {
            (Self::TriesLeft(1), _) => write!(f, " (1 try left)"),
            (Self::TriesLeft(tries), _) => write!(f, " ({tries} tries left)"),
            (_, Some(meaning)) => write!(f, " ({meaning})"),
            (_, None) => Ok(()),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_a_round_trip() {
        for code in 0..=u16::MAX {
            assert_eq!(u16::from(Status::from(code)), code);
        }
    }

    #[test]
    fn names_are_words_in_snake_case() {
        let named = Status::named();
        for (name, status) in [
            ("success", Status::Success),
            ("file_not_found", Status::FileNotFound),
            ("incorrect_p1p2", Status::IncorrectP1P2),
            ("lc_inconsistent_with_p1p2", Status::LcInconsistentWithP1P2),
        ] {
            assert!(named.contains(&(name.to_owned(), status)), "{name}");
        }
    }

    #[test]
    fn a_status_reads_as_code_and_meaning() {
        assert_eq!(Status::from(0x63C2).to_string(), "63C2 (2 tries left)");
        assert_eq!(Status::from(0x6984).to_string(), "6984 (the referenced IEF is blocked)");
        assert_eq!(Status::from(0x66F2).to_string(), "66F2");
    }
}

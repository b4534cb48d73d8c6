//! What a reader says of itself, for reports that somebody else must be able to repeat.

use std::fmt;
use vmyna_sim::hex::Spaced;

/// A reader and the card in it, as its driver describes them. Attributes that a driver does not tell
/// are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReaderIdentity {
    /// the name by which PC/SC knows it
    pub name: String,
    /// who made it
    pub vendor: Option<String>,
    /// version of the driver or of the device's firmware, as the driver means it: `major.minor.build`
    pub version: Option<String>,
    /// serial number
    pub serial: Option<String>,
    /// the answer to reset of the card
    pub atr: Vec<u8>,
    /// the protocol spoken with the card: `T=0`, `T=1` or `raw`
    pub protocol: &'static str,
}

impl fmt::Display for ReaderIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reader {:?}", self.name)?;
        for (what, value) in
            [("vendor", &self.vendor), ("driver version", &self.version), ("serial number", &self.serial)]
        {
            if let Some(value) = value {
                write!(f, ", {what} {value}")?;
            }
        }
        write!(f, "; ATR {}, {}", Spaced(&self.atr), self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_not_shown() {
        let mut reader = ReaderIdentity {
            name: "Virtual PCD 00 00".to_owned(),
            atr: vec![0x3B, 0xE0],
            protocol: "T=1",
            ..ReaderIdentity::default()
        };
        assert_eq!(reader.to_string(), "reader \"Virtual PCD 00 00\"; ATR 3B E0, T=1");
        reader.vendor = Some("Virtual Smart Card Architecture".to_owned());
        reader.version = Some("0.8.0".to_owned());
        assert_eq!(
            reader.to_string(),
            "reader \"Virtual PCD 00 00\", vendor Virtual Smart Card Architecture, driver version 0.8.0; ATR 3B E0, T=1"
        );
    }
}

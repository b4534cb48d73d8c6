//! Bytes in hex, in which captured values have a place.

use super::capture::{CaptureName, Captures};
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use vmyna_sim::exchange::ShownCommand;
use vmyna_sim::hex;

/// Bytes in hex, in which `<NAME>` stands for a captured value.
/// `Debug` masks what may be a PIN.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Captured(CaptureName),
}

impl Template {
    /// Reads `00 88 00 80 08 <nonce> 00`.
    ///
    /// # Errors
    /// What is neither a byte nor a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            let (name, after) = after.split_once('>').ok_or("a `<` without its `>`")?;
            push_bytes(&mut pieces, before)?;
            pieces.push(Piece::Captured(CaptureName::parse(name.trim())?));
            rest = after;
        }
        push_bytes(&mut pieces, rest)?;
        Ok(Self(pieces))
    }

    /// The bytes, with captured values in their places.
    #[must_use]
    pub fn fill(&self, captures: &Captures) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(written) => bytes.extend_from_slice(written),
                Piece::Captured(name) => bytes.extend_from_slice(captures.get(name)),
            }
        }
        bytes
    }

    /// The bytes that are written out before the first captured value.
    #[must_use]
    pub fn beginning(&self) -> &[u8] {
        match self.0.first() {
            Some(Piece::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }

    /// All bytes, where none are captured.
    #[must_use]
    pub fn as_written(&self) -> Option<&[u8]> {
        match &self.0[..] {
            [] => Some(&[]),
            [Piece::Bytes(bytes)] => Some(bytes),
            _ => None,
        }
    }

    /// The names of the captured values in it.
    pub fn names(&self) -> impl Iterator<Item = &CaptureName> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Captured(name) => Some(name),
            Piece::Bytes(_) => None,
        })
    }
}

fn push_bytes(pieces: &mut Vec<Piece>, text: &str) -> Result<(), String> {
    let bytes = hex::decode(text).map_err(|error| error.to_string())?;
    if !bytes.is_empty() {
        pieces.push(Piece::Bytes(bytes));
    }
    Ok(())
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().map(ToString::to_string).collect();
        let written: Vec<u8> = self.0.iter().flat_map(Piece::written).copied().collect();
        write!(f, "Template({} {names:?})", ShownCommand::new(&written).hex())
    }
}

impl Piece {
    fn written(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Captured(_) => &[],
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            match piece {
                Piece::Bytes(bytes) => write!(f, "{}", hex::Spaced(bytes))?,
                Piece::Captured(name) => write!(f, "<{name}>")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

//! Files: identifiers, short identifiers, and the entries of an application's table. Internal EFs
//! (IEF) hold PINs and keys; working EFs hold data.

use crate::access::Access;
use crate::apdu::Status;
use crate::holder::Holder;
use crate::image::CardImages;
use crate::issue::Issued;
use crate::pin::PinName;
use crate::pki::PkiError;
use crate::profile::Profile;

/// A two-byte file identifier, for example `000A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId(pub u16);

/// The identifier of the master file, which this card does not show.
pub const MASTER_FILE: FileId = FileId(0x3F00);

impl FileId {
    /// The short EF identifier: the low five bits, for every EF of this card (0001 to 001E).
    #[must_use]
    pub const fn sfi(self) -> Option<ShortFileId> {
        match self.0 {
            0x0001..=0x001E => ShortFileId::new((self.0 & 0x1F) as u8),
            _ => None,
        }
    }
}

/// A short EF identifier, 1 to 30.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShortFileId(u8);

impl ShortFileId {
    /// `None` for 0 and 31, which mean no file.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        match value {
            1..=30 => Some(Self(value)),
            _ => None,
        }
    }

    /// The number, 1 to 30.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// One EF of an application: its identifier and what it is.
#[derive(Debug, Clone, Copy)]
pub struct ElementaryFile {
    /// file identifier
    pub id: FileId,
    /// what the EF holds
    pub kind: FileKind,
}

/// Writes the bytes of an EF when the card is personalised; it fails where a signature in them does.
pub type Content = fn(&Personalisation<'_>) -> Result<Vec<u8>, PkiError>;

/// Writes the records of an EF, the first one first, when the card is personalised.
pub type Records = fn(&Personalisation<'_>) -> Vec<Vec<u8>>;

/// What an EF holds.
#[derive(Debug, Clone, Copy)]
pub enum FileKind {
    /// bytes, read with READ BINARY
    Transparent {
        /// what reading needs
        read: Access,
        /// the bytes
        content: Content,
    },
    /// records, read with READ RECORD
    Records {
        /// what reading needs
        read: Access,
        /// the records
        records: Records,
    },
    /// bytes known to exist whose meaning and access nobody outside knows
    UndocumentedTransparent,
    /// a PIN
    Pin(PinName),
    /// a PIN without a value, blocked since it was issued
    BlockedPin,
    /// a private key
    PrivateKey {
        /// which
        key: PrivateKey,
        /// what using it needs
        usage: Access,
    },
    /// an internal EF known to exist whose meaning nobody outside knows
    UndocumentedInternal,
}

/// The private keys of the card, named by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateKey {
    /// 利用者証明用, JPKI 0017
    UserAuthentication,
    /// 署名用, JPKI 001A
    DigitalSignature,
    /// 券面事項入力補助 0013
    Text,
    /// 券面事項確認 001A
    Visual,
    /// 共通カード 0019
    Common,
}

impl PrivateKey {
    /// Whether it belongs to one of the holder's two certificates.
    #[must_use]
    pub const fn is_of_jpki(self) -> bool {
        matches!(self, Self::UserAuthentication | Self::DigitalSignature)
    }

    /// Whether it answers INTERNAL AUTHENTICATE, and not COMPUTE DIGITAL SIGNATURE.
    #[must_use]
    pub const fn authenticates(self) -> bool {
        matches!(self, Self::Common)
    }
}

/// A data object that GET DATA reads.
#[derive(Debug, Clone, Copy)]
pub struct DataObject {
    /// its tag, P1-P2 of the command
    pub tag: u16,
    /// writes what the answer carries when the card is personalised
    pub content: fn(&Personalisation<'_>) -> Vec<u8>,
}

/// What a card is personalised from.
#[derive(Debug, Clone, Copy)]
pub struct Personalisation<'a> {
    /// whose card it is
    pub holder: &'a Holder,
    /// certificates and keys
    pub issued: &'a Issued,
    /// the pictures
    pub images: &'a CardImages,
    /// what differs between cards
    pub profile: &'a Profile,
}

/// An application (a DF): its name and its files.
#[derive(Debug)]
pub struct Application {
    /// the short name that scenarios and reports use
    pub name: &'static str,
    /// the application identifier (AID)
    pub aid: &'static [u8],
    /// the files, in no order that matters
    pub files: &'static [ElementaryFile],
    /// the key that COMPUTE DIGITAL SIGNATURE with P2 = 00 means
    pub default_key: Option<PrivateKey>,
    /// what GET DATA finds while the application is selected
    pub objects: &'static [DataObject],
    /// the answer to SET SESSION KEY
    pub session_key: SessionKeyDelivery,
}

/// Whether an application takes the key of a secure session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKeyDelivery {
    /// it does, once this PIN is verified
    After(PinName),
    /// it does not, with this status
    Refused(Status),
    /// nobody outside knows
    Undocumented,
}

/// Fewest bytes of an AID that select an application.
pub const SHORTEST_AID_PREFIX: usize = 5;

impl Application {
    /// Whether `name` is the AID or a long enough beginning of it.
    #[must_use]
    pub fn is_named(&self, name: &[u8]) -> bool {
        name.len() >= SHORTEST_AID_PREFIX && self.aid.starts_with(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_identifiers_are_the_low_five_bits() {
        assert_eq!(FileId(0x000A).sfi().map(ShortFileId::value), Some(0x0A));
        assert_eq!(FileId(0x001B).sfi().map(ShortFileId::value), Some(0x1B));
        assert_eq!(FileId(0x3F00).sfi(), None);
        assert_eq!(ShortFileId::new(0), None);
        assert_eq!(ShortFileId::new(31), None);
    }

    #[test]
    fn a_name_of_five_bytes_or_more_selects() {
        let application = Application {
            name: "test",
            aid: &[1, 2, 3, 4, 5, 6, 7],
            files: &[],
            default_key: None,
            objects: &[],
            session_key: SessionKeyDelivery::Undocumented,
        };
        assert!(application.is_named(&[1, 2, 3, 4, 5]));
        assert!(application.is_named(&[1, 2, 3, 4, 5, 6, 7]));
        assert!(!application.is_named(&[1, 2, 3, 4]));
        assert!(!application.is_named(&[1, 2, 3, 4, 5, 6, 7, 8]));
        assert!(!application.is_named(&[1, 2, 3, 4, 9]));
    }
}

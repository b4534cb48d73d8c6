//! What a card holds that no command changes: its holder, its profile, the contents of its files
//! and its keys. Many cards can share one.

use crate::application;
use crate::document::DocumentError;
use crate::file::{DataObject, ElementaryFile, FileKind, Personalisation, PrivateKey};
use crate::holder::Holder;
use crate::image;
use crate::issue::{Addresses, IssueError, Issued, issue_as, issued_pin, six_digits};
use crate::key::Signer;
use crate::pin::{PinName, PinValue};
use crate::pki::PkiError;
use crate::profile::{Profile, VerificationCodes};
use jiff::Timestamp;
use std::fmt;
use thiserror::Error;

/// The unchanging part of a card.
#[derive(Debug)]
pub struct Personalised {
    holder: Holder,
    profile: Profile,
    issued: Issued,
    /// for each application, for each of its files
    files: Vec<Vec<Stored>>,
    /// for each application, for each of its data objects
    objects: Vec<Vec<Box<[u8]>>>,
    /// for each PIN
    pins: [PinValue; PinName::ALL.len()],
}

/// What a file was personalised with.
enum Stored {
    Nothing,
    Bytes(Box<[u8]>),
    Records(Vec<Box<[u8]>>),
}

/// How much, and not what: the individual number is 照合番号A as well.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Records(records) => write!(f, "{} records", records.len()),
        }
    }
}

/// Why a card could not be made.
#[derive(Debug, Error)]
pub enum PersonalisationError {
    /// no built-in holder or profile of that name
    #[error("there is no built-in {kind} {name:?}; there are: {}", known.join(", "))]
    Unknown {
        /// "holder" or "profile"
        kind: &'static str,
        /// what was asked for
        name: String,
        /// what there is
        known: Vec<&'static str>,
    },
    /// a holder or profile is broken
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// its certificates could not be issued
    #[error(transparent)]
    Issue(#[from] IssueError),
}

impl Personalised {
    /// Makes the unchanging part of `holder`'s card, with certificates as of `now`.
    ///
    /// # Errors
    /// When the certificates cannot be issued.
    pub fn new(holder: Holder, profile: Profile, now: Timestamp) -> Result<Self, PersonalisationError> {
        Self::with_addresses(holder, profile, now, &Addresses::default())
    }

    /// As [`new`](Self::new), with these addresses in the certificates.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_addresses(
        holder: Holder,
        profile: Profile,
        now: Timestamp,
        addresses: &Addresses,
    ) -> Result<Self, PersonalisationError> {
        let holder = holder.as_of(now);
        let issued = issue_as(&holder, profile.certificates, now, addresses)?;
        let images = image::of(&holder);
        let source = Personalisation { holder: &holder, issued: &issued, images: &images, profile: &profile };
        let stored = |file: &ElementaryFile| match file.kind {
            FileKind::Transparent { content, .. } => {
                content(&source).map(|bytes| Stored::Bytes(bytes.into_boxed_slice()))
            }
            FileKind::Records { records, .. } => {
                Ok(Stored::Records(records(&source).into_iter().map(Vec::into_boxed_slice).collect()))
            }
            _ => Ok(Stored::Nothing),
        };
        let files = application::ALL
            .iter()
            .map(|application| application.files.iter().map(stored).collect())
            .collect::<Result<_, PkiError>>()
            .map_err(IssueError::Pki)?;
        let object = |object: &DataObject| (object.content)(&source).into_boxed_slice();
        let objects = application::ALL
            .iter()
            .map(|application| application.objects.iter().map(object).collect())
            .collect();
        let pins = PinName::ALL.map(|pin| match (profile.verification_codes, pin) {
            (VerificationCodes::SixDigits, PinName::TextCodeA | PinName::TextCodeB) => {
                six_digits(&holder, issued.body.expiry)
            }
            _ => issued_pin(&holder, issued.body.expiry, pin),
        });
        Ok(Self { holder, profile, issued, files, objects, pins })
    }

    /// A built-in holder's card of the built-in profile `card`, with certificates as of now.
    ///
    /// # Errors
    /// When there is no holder of that name.
    pub fn built_in(holder: &str) -> Result<Self, PersonalisationError> {
        Self::built_in_of(holder, Profile::card())
    }

    /// A built-in holder's card of this `profile`, with certificates as of now.
    ///
    /// # Errors
    /// When there is no holder of that name.
    pub fn built_in_of(holder: &str, profile: Profile) -> Result<Self, PersonalisationError> {
        let known = Holder::built_in_names();
        let holder = Holder::built_in(holder).ok_or_else(|| PersonalisationError::Unknown {
            kind: "holder",
            name: holder.to_owned(),
            known,
        })?;
        Self::new(holder, profile, Timestamp::now())
    }

    /// The person.
    #[must_use]
    pub const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The kind of card.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The certificates.
    #[must_use]
    pub const fn issued(&self) -> &Issued {
        &self.issued
    }

    /// The bytes of a transparent EF; none for any other.
    pub(super) fn content(&self, application: usize, file: usize) -> &[u8] {
        match &self.files[application][file] {
            Stored::Bytes(bytes) => bytes,
            Stored::Nothing | Stored::Records(_) => &[],
        }
    }

    /// The record of a record EF, counted from 1.
    pub(super) fn record(&self, application: usize, file: usize, number: u8) -> Option<&[u8]> {
        match &self.files[application][file] {
            Stored::Records(records) => {
                records.get(usize::from(number).checked_sub(1)?).map(|record| &**record)
            }
            Stored::Nothing | Stored::Bytes(_) => None,
        }
    }

    /// The data object `tag`.
    pub(super) fn object(&self, application: usize, tag: u16) -> Option<&[u8]> {
        let index = application::ALL[application].objects.iter().position(|object| object.tag == tag)?;
        Some(&self.objects[application][index])
    }

    /// `None` when the card does not have the key.
    pub(super) fn key(&self, key: PrivateKey) -> Option<&dyn Signer> {
        match key {
            PrivateKey::UserAuthentication => Some(&*self.issued.user_authentication.key),
            PrivateKey::DigitalSignature => self.issued.digital_signature.as_ref().map(|pair| &*pair.key),
            PrivateKey::Text => Some(&*self.issued.body.text_key),
            PrivateKey::Visual => Some(&*self.issued.body.visual_key),
            PrivateKey::Common => Some(&*self.issued.body.common_key),
        }
    }

    /// The tries of `pin` on a card that has just been handed over: as the holder says, at most as
    /// many as a full counter has. The password of a signature certificate that does not exist was
    /// never set: no try is left.
    #[must_use]
    pub fn tries_at_issue(&self, pin: PinName) -> u8 {
        let full = self.profile.tries.of(pin);
        let default = match pin {
            PinName::DigitalSignature if self.issued.digital_signature.is_none() => 0,
            _ => full,
        };
        self.holder.state.tries_left.of(pin).unwrap_or(default).min(full)
    }

    pub(super) const fn issued_pin(&self, pin: PinName) -> &PinValue {
        &self.pins[pin as usize]
    }
}

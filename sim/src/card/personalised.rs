//! What a card holds that no command changes: its holder, its profile, the contents of its files
//! and its keys. Many cards can share one.

use crate::application;
use crate::document::DocumentError;
use crate::file::{ElementaryFile, FileKind, Personalisation, PrivateKey};
use crate::holder::{Holder, PinValue};
use crate::issue::{Addresses, IssueError, Issued, issue_with};
use crate::key::Signer;
use crate::pin::PinName;
use crate::profile::Profile;
use jiff::Timestamp;
use thiserror::Error;

/// The unchanging part of a card.
#[derive(Debug)]
pub struct Personalised {
    holder: Holder,
    profile: Profile,
    issued: Issued,
    /// for each application, for each of its files, the bytes of a transparent EF
    contents: Vec<Vec<Box<[u8]>>>,
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
        let issued = issue_with(&holder, now, addresses)?;
        let source = Personalisation { issued: &issued, profile: &profile };
        let content = |file: &ElementaryFile| match file.kind {
            FileKind::Transparent { content, .. } => content(&source).into_boxed_slice(),
            _ => Box::default(),
        };
        let contents = application::ALL
            .iter()
            .map(|application| application.files.iter().map(content).collect())
            .collect();
        Ok(Self { holder, profile, issued, contents })
    }

    /// A built-in holder's card of the built-in profile `card`, with certificates as of now.
    ///
    /// # Errors
    /// When there is no holder of that name.
    pub fn built_in(holder: &str) -> Result<Self, PersonalisationError> {
        let known = Holder::built_in_names();
        let holder = Holder::built_in(holder).ok_or_else(|| PersonalisationError::Unknown {
            kind: "holder",
            name: holder.to_owned(),
            known,
        })?;
        Self::new(holder, Profile::card(), Timestamp::now())
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

    pub(super) fn content(&self, application: usize, file: usize) -> &[u8] {
        &self.contents[application][file]
    }

    pub(super) fn key(&self, key: PrivateKey) -> &dyn Signer {
        match key {
            PrivateKey::UserAuthentication => &*self.issued.user_authentication.key,
            PrivateKey::DigitalSignature => &*self.issued.digital_signature.key,
        }
    }

    pub(super) const fn issued_pin(&self, pin: PinName) -> &PinValue {
        match pin {
            PinName::UserAuthentication => &self.holder.pins.user_authentication,
            PinName::DigitalSignature => &self.holder.pins.digital_signature,
        }
    }
}

//! The two certification authorities, their names, and their self-signed certificates.

use super::{DistinguishedName, Generation, ORGANIZATION, PkiError, Request, extension, serial_number};
use crate::key::{Algorithm, Signer, authority_key, elliptic_authority_key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use x509_cert::ext::pkix::KeyUsages;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

/// Which of the two authorities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// 利用者証明用
    UserAuthentication,
    /// 署名用
    DigitalSignature,
}

impl Authority {
    /// Both.
    pub const ALL: [Self; 2] = [Self::UserAuthentication, Self::DigitalSignature];

    /// What it is for, as names of keys and files have it: `user-authentication` or
    /// `digital-signature`.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::UserAuthentication => "user-authentication",
            Self::DigitalSignature => "digital-signature",
        }
    }

    /// C, O and first OU: what its own name and the names of its CRL distribution points begin with.
    pub(crate) fn beginning_of_name(self) -> DistinguishedName {
        let unit = match self {
            Self::UserAuthentication => "JPKI for user authentication",
            Self::DigitalSignature => "JPKI for digital signature",
        };
        DistinguishedName::japan().organization(ORGANIZATION).unit(unit)
    }

    /// The subject of its certificates and the issuer of those that it signs.
    pub(crate) fn name(self) -> der::Result<Name> {
        self.beginning_of_name().unit("Japan Agency for Local Authority Information Systems").name()
    }

    /// Its Japanese name: subjectAltName in its own certificates, issuerAltName in others.
    pub(crate) fn japanese_name(self) -> der::Result<Name> {
        let unit = match self {
            Self::UserAuthentication => "公的個人認証サービス利用者証明用（試験用）",
            Self::DigitalSignature => "公的個人認証サービス署名用（試験用）",
        };
        DistinguishedName::japan()
            .organization("公的個人認証サービス（試験用）")
            .unit(unit)
            .unit("地方公共団体情報システム機構（試験用）")
            .name()
    }
}

/// One generation of one authority, with its key.
pub struct CertificationAuthority {
    authority: Authority,
    generation: Generation,
    key: Arc<dyn Signer>,
    serial_number: SerialNumber,
    certificate: Vec<u8>,
}

impl CertificationAuthority {
    /// The `generation` of `authority`. Its certificate is signed once in a process, for it is the
    /// same every time.
    ///
    /// # Errors
    /// [`PkiError`] when the pool has no usable key for it.
    pub fn of(authority: Authority, generation: Generation) -> Result<Arc<Self>, PkiError> {
        Self::with(authority, generation, Algorithm::Rsa2048)
    }

    /// As [`of`](Self::of), with a key of `algorithm`. What is known of the real authorities is known of
    /// RSA; one with another key has the same names, and twice as long to live, for the certificates
    /// below it are to be valid for ten years.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn with(
        authority: Authority,
        generation: Generation,
        algorithm: Algorithm,
    ) -> Result<Arc<Self>, PkiError> {
        type Known = BTreeMap<(Authority, i16, Algorithm), Arc<CertificationAuthority>>;
        static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry((authority, generation.number(), algorithm)) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                Ok(entry.insert(Arc::new(Self::new(authority, generation, algorithm)?)).clone())
            }
        }
    }

    fn new(authority: Authority, generation: Generation, algorithm: Algorithm) -> Result<Self, PkiError> {
        let purpose = authority.purpose();
        let (key, validity): (Arc<dyn Signer>, _) = match algorithm {
            Algorithm::Rsa2048 => (authority_key(purpose, generation.slot())?, generation.validity()),
            curve => (elliptic_authority_key(curve, purpose)?, generation.doubled_validity()),
        };
        let number = generation.number().to_string();
        let serial_number = serial_number(&["authority", authority.purpose(), &number])?;
        let certificate = Request {
            serial_number: serial_number.clone(),
            validity,
            subject: authority.name()?,
            public_key: key.public_key(),
            extensions: vec![
                extension::key_usage(KeyUsages::KeyCertSign | KeyUsages::CRLSign)?,
                extension::subject_directory_name(authority.japanese_name()?)?,
                extension::authority()?,
                extension::crl_distribution_point(authority.name()?)?,
                extension::subject_key_identifier(key.public_key())?,
            ],
        }
        .sign(authority.name()?, &*key)?;
        Ok(Self { authority, generation, key, serial_number, certificate })
    }

    /// Which authority.
    #[must_use]
    pub fn authority(&self) -> Authority {
        self.authority
    }

    /// Which generation of it.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Its self-signed certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The key that signs certificates and revocation lists.
    #[must_use]
    pub fn key(&self) -> &Arc<dyn Signer> {
        &self.key
    }

    /// The certificate that was asked for, DER.
    pub(crate) fn certify(&self, request: Request<'_>) -> Result<Vec<u8>, PkiError> {
        request.sign(self.authority.name()?, &*self.key)
    }

    /// The authorityKeyIdentifier of what it certifies: its key, its name, its serial number.
    pub(crate) fn key_identifier_extension(&self) -> der::Result<x509_cert::ext::Extension> {
        let key_identifier = extension::key_identifier(self.key.public_key())?;
        // the issuer of a self-signed certificate is its subject
        extension::authority_key_identifier(
            &key_identifier,
            self.authority.name()?,
            self.serial_number.clone(),
        )
    }
}

impl fmt::Debug for CertificationAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificationAuthority")
            .field("authority", &self.authority)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

//! Card-verifiable certificates: how the 券面 applications and the card manager say whose key signed
//! what is in the card. A certificate names its issuer by a key identifier and does not carry its
//! key; a municipality's key signs the data, and a certification authority certifies that key.

use super::PkiError;
use crate::key::{KeyError, RsaKey, Signer, card_verifiable_key};
use crate::tlv::ber;
use hex_literal::hex;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

/// The identifier of a key: seven digits, `08 05`, three digits, four more bytes. Production keys of
/// authorities begin with 5, those of lent test cards with 6, and ours with 699, which nobody else
/// is known to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    fn new(digits: [u8; 7], version: [u8; 3], rest: [u8; 4]) -> Self {
        let mut id = [0; 16];
        id[..7].copy_from_slice(&digits);
        id[7..9].copy_from_slice(&hex!("0805"));
        id[9..12].copy_from_slice(&version);
        id[12..].copy_from_slice(&rest);
        Self(id)
    }

    /// The authority's key with these last two digits.
    #[must_use]
    pub fn authority(last: [u8; 2]) -> Self {
        let [tens, ones] = last;
        Self::new([b'6', b'9', b'9', b'0', b'0', tens, ones], *b"001", [0; 4])
    }

    fn of_municipality(code: &str, last: [u8; 2], version: [u8; 3], rest: [u8; 4]) -> Self {
        let mut digits = [b'0'; 7];
        for (digit, written) in digits.iter_mut().zip(code.bytes()) {
            *digit = written;
        }
        digits[5..].copy_from_slice(&last);
        Self::new(digits, version, rest)
    }
}

/// What a municipality's key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// signs the data of 券面事項確認
    Visual,
    /// signs the data of 券面事項入力補助
    Text,
    /// stands between the authority and the last key of the card manager's chain
    Chain,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Visual => "visual",
            Self::Text => "text",
            Self::Chain => "chain",
        }
    }

    /// The key identifier of the authority, as measured but for its beginning.
    #[must_use]
    pub fn authority(self) -> KeyId {
        match self {
            Self::Visual => KeyId::authority(*b"23"),
            Self::Text => KeyId::authority(*b"33"),
            Self::Chain => KeyId::new(*b"6990020", *b"001", hex!("000000A8")),
        }
    }

    /// The key identifier of the municipality `code`, as measured.
    #[must_use]
    pub fn municipality(self, code: &str) -> KeyId {
        match self {
            Self::Visual => KeyId::of_municipality(code, *b"21", *b"000", [0; 4]),
            Self::Text => KeyId::of_municipality(code, *b"31", *b"000", [0; 4]),
            Self::Chain => KeyId::of_municipality(code, *b"30", *b"002", hex!("00000098")),
        }
    }
}

/// A certificate in its two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardVerifiableCertificate {
    body: Vec<u8>,
    signature: Vec<u8>,
}

impl CardVerifiableCertificate {
    fn issue(
        issuer: (KeyId, &RsaKey),
        subject: (KeyId, &RsaKey),
    ) -> Result<CardVerifiableCertificate, PkiError> {
        let body = [&issuer.0.0[..], &subject.0.0, &public_key_objects(subject.1)?].concat();
        let signature = issuer.1.sign_message(&body)?;
        Ok(Self { body, signature })
    }

    fn parts(&self) -> Vec<u8> {
        [ber(0x5F4E, &self.body), ber(0x5F37, &self.signature)].concat()
    }

    /// As EF 0004 holds it: `7F21 { 5F4E body, 5F37 signature }`, 568 bytes.
    #[must_use]
    pub fn template(&self) -> Vec<u8> {
        ber(0x7F21, &self.parts())
    }

    /// As GET DATA answers it: without the template, behind a list of what the body holds (issuer,
    /// subject, public key), 575 bytes.
    #[must_use]
    pub fn data_object(&self) -> Vec<u8> {
        [ber(0x4D, &hex!("4210 5F2010 5F49820109")), self.parts()].concat()
    }
}

/// A public key as the files of the card hold it: `90` exponent, `91` modulus, 265 bytes.
///
/// # Errors
/// [`PkiError::Key`] when the key's own library cannot read it.
pub fn public_key_objects(key: &RsaKey) -> Result<Vec<u8>, PkiError> {
    let public = RsaPublicKey::from_public_key_der(key.public_key()).map_err(|_| KeyError::NotRsa)?;
    Ok([ber(0x90, &public.e_bytes()), ber(0x91, &public.n_bytes())].concat())
}

/// The public key, as the files of the card hold one, of the authority whose key has this identifier:
/// a trust anchor for those who verify card-verifiable certificates. `None` of other hierarchies.
#[must_use]
pub fn authority_public_key(id: &[u8]) -> Option<Vec<u8>> {
    let mut purposes = [Purpose::Visual, Purpose::Text, Purpose::Chain].into_iter();
    let purpose = purposes.find(|purpose| purpose.authority().0 == *id)?;
    let key = card_verifiable_key("cv", purpose.name()).ok()?;
    public_key_objects(&key).ok()
}

/// A municipality's key for one purpose, certified. All municipalities of this hierarchy share the
/// key and differ in its identifier and so in the certificate.
#[derive(Debug)]
pub struct MunicipalKey {
    key: Arc<RsaKey>,
    certificate: CardVerifiableCertificate,
}

impl MunicipalKey {
    /// The key of the municipality `code` for `purpose`. Its certificate is signed once in a process.
    ///
    /// # Errors
    /// [`PkiError`] when the pool has no usable key for it.
    pub fn of(purpose: Purpose, code: &str) -> Result<Arc<Self>, PkiError> {
        static KNOWN: Mutex<BTreeMap<(Purpose, String), Arc<MunicipalKey>>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry((purpose, code.to_owned())) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => Ok(entry.insert(Arc::new(Self::new(purpose, code)?)).clone()),
        }
    }

    fn new(purpose: Purpose, code: &str) -> Result<Self, PkiError> {
        let authority = card_verifiable_key("cv", purpose.name())?;
        let key = card_verifiable_key("municipality", purpose.name())?;
        let certificate = CardVerifiableCertificate::issue(
            (purpose.authority(), &authority),
            (purpose.municipality(code), &key),
        )?;
        Ok(Self { key, certificate })
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &RsaKey {
        &self.key
    }

    /// What its authority says of it.
    #[must_use]
    pub fn certificate(&self) -> &CardVerifiableCertificate {
        &self.certificate
    }

    /// The certificate below it in the card manager's chain.
    ///
    /// # Errors
    /// [`PkiError`] when the pool has no usable key for it.
    pub fn last_of_chain(&self, code: &str) -> Result<CardVerifiableCertificate, PkiError> {
        let last = card_verifiable_key("cv", "last")?;
        let last_id = KeyId::new(*b"0000050", *b"001", hex!("00000040"));
        CardVerifiableCertificate::issue((Purpose::Chain.municipality(code), &self.key), (last_id, &last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::Pkcs1v15Sign;
    use sha2::{Digest, Sha256};

    #[test]
    fn a_certificate_has_the_measured_sizes_and_identifiers() {
        let certificate = MunicipalKey::of(Purpose::Text, "13221").unwrap().certificate().clone();
        let file = certificate.template();
        assert_eq!(file.len(), 568);
        assert_eq!(file[..10], hex!("7F21 82 0233 5F4E 82 0129"));
        assert_eq!(file[10..42], *b"6990033\x08\x05001\0\0\0\x001322131\x08\x05000\0\0\0\0");
        assert_eq!(file[42..51], hex!("90 03 010001 91 82 0100"));
        assert_eq!(file[307..312], hex!("5F37 82 0100"));
        let object = certificate.data_object();
        assert_eq!(object.len(), 575);
        assert_eq!(object[..17], hex!("4D0A 4210 5F2010 5F49820109 5F4E820129"));
    }

    #[test]
    fn the_authority_has_signed_the_body() {
        for purpose in [Purpose::Visual, Purpose::Text, Purpose::Chain] {
            let authority = card_verifiable_key("cv", purpose.name()).unwrap();
            let public = RsaPublicKey::from_public_key_der(authority.public_key()).unwrap();
            let municipal = MunicipalKey::of(purpose, "01100").unwrap();
            let CardVerifiableCertificate { body, signature } = municipal.certificate();
            assert_eq!(body.len(), 297);
            let digest = Sha256::digest(body);
            public.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, signature).unwrap();
        }
    }
}

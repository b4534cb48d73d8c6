//! What bytes must hold: those of a data field, or of a data object in it.

use super::capture::CaptureName;
use super::certificate_match::CertificateMatch;
use super::expect::DataExpectation;
use super::length::LengthRange;
use super::octets::Octets;
use super::signature_match::SignatureMatch;
use super::source::{Mark, Placed};
use super::text_match::TextMatch;
use super::tlv::{BerPath, SimpleTag};
use crate::language::{Bilingual, Language};
use crate::remark::Remark;
use crate::terminal::CertificateName;
use schemars::JsonSchema;
use serde::de;
use serde::{Deserialize, Deserializer};

/// What bytes must hold. What is not said may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// which of the bytes; all unless told otherwise
    pub object: Option<DataObject>,
    /// the bytes themselves
    pub data: Option<DataExpectation>,
    /// what they must not be
    pub differs_from: Option<Octets>,
    /// the bytes as UTF-8 text
    pub text: Option<TextMatch>,
    /// how many
    pub length: Option<LengthRange>,
    /// they are a certificate
    pub certificate: Option<CertificateMatch>,
    /// they are a signature
    pub signature: Option<SignatureMatch>,
    /// why that is expected
    pub why: Option<Bilingual>,
    /// where it is written
    pub mark: Option<Mark>,
}

/// A data object, by its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataObject {
    /// of BER-TLV
    Ber(BerPath),
    /// of simple TLV
    Simple(SimpleTag),
}

impl DataObject {
    /// Its value in `data`; `None` where there is none.
    #[must_use]
    pub fn find<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Ber(path) => path.find(data),
            Self::Simple(tag) => tag.find(data),
        }
    }

    /// From the two keys by which scenarios name one.
    pub(super) fn of(tlv: Option<BerPath>, simple_tlv: Option<SimpleTag>) -> Result<Option<Self>, String> {
        match (tlv, simple_tlv) {
            (None, None) => Ok(None),
            (Some(path), None) => Ok(Some(Self::Ber(path))),
            (None, Some(tag)) => Ok(Some(Self::Simple(tag))),
            (Some(_), Some(_)) => Err("a data object is one of tlv and simple_tlv".to_owned()),
        }
    }
}

impl DataObject {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        match self {
            Self::Ber(path) => format!("{} {path}", language.say("データオブジェクト", "the data object")),
            Self::Simple(tag) => {
                let object = language.say("単純 TLV のデータオブジェクト", "the simple data object");
                format!("{object} {tag}")
            }
        }
    }
}

/// A data object and what it must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentMap {
    /// the data object, by the tags that lead to it: `FF40/DF41`
    tlv: Option<BerPath>,
    /// the data object of simple TLV, by its tag: `01`
    simple_tlv: Option<SimpleTag>,
    /// its bytes
    data: Option<DataExpectation>,
    /// its bytes, as UTF-8 text
    text: Option<TextMatch>,
    /// they are other bytes than these
    differs_from: Option<Octets>,
    /// how many bytes
    length: Option<LengthRange>,
    /// it is a certificate that says this of itself
    certificate: Option<CertificateMatch>,
    /// it is a signature
    signature: Option<SignatureMatch>,
    /// why that is expected, shown when it does not come
    why: Option<Remark>,
}

impl ContentMap {
    pub(super) fn content(self) -> Result<Content, String> {
        not_both(self.data.as_ref(), self.text.as_ref())?;
        Ok(Content {
            object: DataObject::of(self.tlv, self.simple_tlv)?,
            data: self.data,
            text: self.text,
            differs_from: self.differs_from,
            length: self.length,
            certificate: self.certificate,
            signature: self.signature,
            why: self.why.map(|Remark(why)| why),
            mark: None,
        })
    }
}

/// `data` and `text` say the same thing.
pub(super) fn not_both(data: Option<&DataExpectation>, text: Option<&TextMatch>) -> Result<(), String> {
    match (data, text) {
        (Some(_), Some(_)) => Err("data and text say the same thing twice".to_owned()),
        _ => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Placed { value, mark } = Placed::<ContentMap>::deserialize(deserializer)?;
        let content = value.content().map_err(de::Error::custom)?;
        Ok(Self { mark: Some(mark), ..content })
    }
}

impl Content {
    /// Whether anything is said at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.object.is_none()
            && self.data.is_none()
            && self.differs_from.is_none()
            && self.text.is_none()
            && self.length.is_none()
            && self.certificate.is_none()
            && self.signature.is_none()
    }

    /// Whether it is about the whole data field, and about its bytes only.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.object.is_none() && self.text.is_none() && self.certificate.is_none() && self.signature.is_none()
    }

    /// The captured values that it is about.
    pub fn captured(&self) -> Vec<&CaptureName> {
        let mut names: Vec<&CaptureName> = self.data.iter().flat_map(DataExpectation::captured).collect();
        names.extend(self.text.iter().flat_map(TextMatch::captured));
        names.extend(self.differs_from.iter().flat_map(Octets::captured));
        names.extend(self.certificate.iter().flat_map(CertificateMatch::captured));
        if let Some(SignatureMatch { over, by, .. }) = &self.signature {
            names.extend(over.captured());
            names.extend(by.captured());
        }
        names
    }

    /// The certificate that must have been read before.
    #[must_use]
    pub fn certificate_needed(&self) -> Option<CertificateName> {
        self.signature.as_ref()?.by.certificate_needed()
    }
}

impl Content {
    /// In words.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        let mut parts = Vec::new();
        parts.extend(self.data.as_ref().map(|data| match data {
            DataExpectation::Octets(octets) if ja => format!("{}と同じデータ", octets.in_words(language)),
            data => format!("{} {}", language.say("データ", "data"), data.in_words(language)),
        }));
        parts.extend(self.differs_from.as_ref().map(|octets| match language {
            Language::Ja => format!("{}と異なるデータ", octets.in_words(language)),
            Language::En => format!("data other than {}", octets.in_words(language)),
        }));
        parts.extend(
            self.text
                .as_ref()
                .map(|text| format!("{} {}", language.say("テキスト", "text"), text.in_words(language))),
        );
        parts.extend(self.length.map(|length| length.in_words(language)));
        parts.extend(self.certificate.as_ref().map(|certificate| match language {
            Language::Ja => format!("証明書 ({})", certificate.in_words(language)),
            Language::En => format!("a certificate with {}", certificate.in_words(language)),
        }));
        parts.extend(self.signature.as_ref().map(|signature| {
            let (over, by) = (signature.over.in_words(language), signature.by.in_words(language));
            match language {
                Language::Ja => format!("{by}で検証できる、{over}への署名"),
                Language::En => format!("a signature of {over} that verifies with {by}"),
            }
        }));
        let parts = parts.join(language.say("、", ", "));
        match &self.object {
            Some(object) if parts.is_empty() => object.in_words(language),
            Some(object) => format!("{}: {parts}", object.in_words(language)),
            None => parts,
        }
    }
}

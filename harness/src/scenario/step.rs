//! The steps of a scenario: one verb each, with its arguments, and beside it which requirements the
//! step proves and why.

use super::expect::{BytesPattern, Expect, SignExpect};
use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use std::fmt;
use vmyna_sim::hex::Bytes;
use vmyna_sim::pin::PinName;

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// what happens
    pub verb: Verb,
    /// the requirements that this step proves; empty means all of the scenario's
    pub covers: Vec<String>,
    /// shown when the step fails
    pub why: Option<String>,
    /// somebody else's card that does not do as the step expects lacks what the scenario needs
    pub precondition: bool,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $variant:ident($arguments:ty) = $name:literal;)*) => {
        /// What a step does.
        #[derive(Debug, Clone)]
        pub enum Verb {
            $($(#[$doc])* $variant($arguments),)*
        }

        const VERBS: &[&str] = &[$($name,)*];
        const STEP_KEYS: &[&str] = &[$($name,)* "covers", "why", "precondition"];

        impl Verb {
            /// The verb as scenarios write it.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }
        }

        fn verb<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Option<Verb>, A::Error> {
            Ok(Some(match name {
                $($name => Verb::$variant(map.next_value()?),)*
                _ => return Ok(None),
            }))
        }
    };
}

verbs! {
    /// switches the power
    Power(PowerStep) = "power";
    /// compares the answer to reset
    Atr(AtrStep) = "atr";
    /// SELECT
    Select(SelectStep) = "select";
    /// empty VERIFY
    TriesLeft(TriesLeftStep) = "tries_left";
    /// VERIFY
    Verify(VerifyStep) = "verify";
    /// CHANGE REFERENCE DATA
    ChangePin(ChangePinStep) = "change_pin";
    /// READ BINARY
    ReadBinary(ReadBinaryStep) = "read_binary";
    /// reads and checks a certificate
    Certificate(CertificateStep) = "certificate";
    /// COMPUTE DIGITAL SIGNATURE, verified
    Sign(SignStep) = "sign";
    /// GET CHALLENGE
    Challenge(ChallengeStep) = "challenge";
    /// any command, in bytes
    Transmit(TransmitStep) = "transmit";
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a step: one of {}", VERBS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let (mut found, mut covers, mut why, mut precondition) = (None, Vec::new(), None, false);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "covers" => covers = map.next_value()?,
                        "why" => why = Some(map.next_value()?),
                        "precondition" => precondition = map.next_value()?,
                        name => match verb(name, &mut map)? {
                            None => return Err(de::Error::unknown_field(name, STEP_KEYS)),
                            Some(_) if found.is_some() => {
                                return Err(de::Error::custom(format!(
                                    "`{name}` is a second verb; a step has one"
                                )));
                            }
                            some => found = some,
                        },
                    }
                }
                let verb = found.ok_or_else(|| {
                    de::Error::custom(format!("a step needs a verb: one of {}", VERBS.join(", ")))
                })?;
                Ok(Step { verb, covers, why, precondition })
            }
        }
        deserializer.deserialize_map(StepVisitor)
    }
}

/// `power: cycle`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerStep {
    /// off, then on
    Cycle,
    /// off
    Off,
    /// on
    On,
    /// the reset line, power stays
    WarmReset,
}

/// `atr: {expect: "3B …"}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtrStep {
    /// the whole answer to reset
    pub expect: BytesPattern,
}

/// `select: jpki`, `select: {file: "0018"}`
#[derive(Debug, Clone)]
pub struct SelectStep {
    /// what is selected
    pub target: SelectTarget,
    /// what must come back
    pub expect: Expect,
}

/// What SELECT names.
#[derive(Debug, Clone)]
pub enum SelectTarget {
    /// an application by its whole name (AID)
    Application {
        /// the name people know it by
        name: &'static str,
        /// its AID
        aid: &'static [u8],
    },
    /// an application by any AID
    Aid(Bytes),
    /// an EF by its identifier
    File(u16),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectMap {
    application: Option<String>,
    aid: Option<Bytes>,
    file: Option<Bytes>,
    #[serde(default)]
    expect: Expect,
}

fn application(name: &str) -> Result<SelectTarget, String> {
    let all = vmyna_sim::application::ALL;
    let found = all.iter().find(|application| application.name == name).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|application| application.name).collect();
        format!("`{name}` is no application; known are {}", known.join(", "))
    })?;
    Ok(SelectTarget::Application { name: found.name, aid: found.aid })
}

impl<'de> Deserialize<'de> for SelectStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrMap;
        impl<'de> Visitor<'de> for NameOrMap {
            type Value = SelectStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of an application, or a map with application, aid or file")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<SelectStep, E> {
                Ok(SelectStep { target: application(name).map_err(E::custom)?, expect: Expect::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SelectStep, A::Error> {
                let map = SelectMap::deserialize(MapAccessDeserializer::new(map))?;
                let target = match (map.application, map.aid, map.file) {
                    (Some(name), None, None) => application(&name).map_err(de::Error::custom)?,
                    (None, Some(aid), None) if aid.len() <= 16 => SelectTarget::Aid(aid),
                    (None, Some(_), None) => return Err(de::Error::custom("an AID has at most 16 bytes")),
                    (None, None, Some(file)) => match *file {
                        [high, low] => SelectTarget::File(u16::from_be_bytes([high, low])),
                        _ => {
                            return Err(de::Error::custom(
                                "a file identifier is two bytes, such as \"000A\"",
                            ));
                        }
                    },
                    _ => return Err(de::Error::custom("select names one of application, aid and file")),
                };
                Ok(SelectStep { target, expect: map.expect })
            }
        }
        deserializer.deserialize_any(NameOrMap)
    }
}

/// How a PIN, key or file is addressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// SELECT by file identifier, then the command on the current EF
    #[default]
    Select,
    /// the short EF identifier in the command
    Sfi,
    /// the command on the current EF, whatever that is
    Current,
}

/// `tries_left: {of: user_authentication, expect: 3}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriesLeftStep {
    /// which PIN
    pub of: PinName,
    /// how it is addressed
    #[serde(default)]
    pub by: By,
    /// how many
    pub expect: TriesExpectation,
}

/// How many tries must be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriesExpectation {
    /// so many
    Count(u8),
    /// whatever number
    Any,
    /// as many as the last time the scenario asked
    Same,
}

impl<'de> Deserialize<'de> for TriesExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrWord;
        impl Visitor<'_> for NumberOrWord {
            type Value = TriesExpectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of tries from 0 to 15, `any` or `same`")
            }

            fn visit_u64<E: de::Error>(self, tries: u64) -> Result<TriesExpectation, E> {
                match u8::try_from(tries) {
                    Ok(tries @ 0..=15) => Ok(TriesExpectation::Count(tries)),
                    _ => Err(E::custom(format!("63Cx can say 0 to 15 tries, not {tries}"))),
                }
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<TriesExpectation, E> {
                match word {
                    "any" => Ok(TriesExpectation::Any),
                    "same" => Ok(TriesExpectation::Same),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(NumberOrWord)
    }
}

/// A value of a PIN, by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinChoice {
    /// the holder's own
    Right,
    /// of the same form, and another
    Wrong,
    /// a third value of the same form
    New,
    /// the holder's own with its letters in lower case, which is another value
    LowerCase,
}

/// `verify: {pin: user_authentication, value: right}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyStep {
    /// which PIN
    pub pin: PinName,
    /// what is presented
    pub value: PinChoice,
    /// how the PIN is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// `change_pin: {pin: user_authentication, to: new}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePinStep {
    /// which PIN
    pub pin: PinName,
    /// what it becomes: `right` (back to the holder's own) or `new`
    pub to: PinChoice,
    /// how the PIN is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// `read_binary: {offset: 0, le: 4}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBinaryStep {
    /// first byte, 0 to 32,767; 0 to 255 by short identifier
    #[serde(default)]
    pub offset: u16,
    /// Ne: 1 to 256, or to 65,536 with extended length fields
    pub le: u32,
    /// short EF identifier, 0 to 31
    pub sfi: Option<u8>,
    /// extended length fields
    #[serde(default)]
    pub extended: bool,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

/// The certificates of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateName {
    /// 利用者証明用電子証明書, EF 000A
    UserAuthentication,
    /// its issuer's, EF 000B
    UserAuthenticationCa,
    /// 署名用電子証明書, EF 0001
    DigitalSignature,
    /// its issuer's, EF 0002
    DigitalSignatureCa,
}

/// How clients read a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadStyle {
    /// 4-byte header, then blocks from 0, the last one exact
    #[default]
    Header4,
    /// 4-byte header, then blocks from 4
    Header4Continue,
    /// 7-byte header, then blocks from 0
    Header7,
    /// 7-byte header, then blocks from 7
    Header7Continue,
    /// whole blocks until the EF ends
    Blocks,
    /// 8-byte header, then 255-byte blocks from 0
    Header8Ff,
    /// 4-byte header, then the rest with extended Le
    Extended,
    /// 4-byte header, then all from 0 with extended Le
    ExtendedFromStart,
    /// by short identifier: 4-byte header, then the rest with extended Le
    Sfi,
}

/// What a certificate is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateCheck {
    /// signed by its issuer
    Path,
    /// usages fit
    Usage,
    /// valid now
    Validity,
    /// RSA 2048, e = 65537
    Key,
    /// names, extensions and their order
    Shape,
}

/// `certificate: {of: user_authentication, check: [path]}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateStep {
    /// which
    pub of: CertificateName,
    /// how it is read
    #[serde(default)]
    pub style: ReadStyle,
    /// what it is checked for
    #[serde(default)]
    pub check: Vec<CertificateCheck>,
    /// what the first READ BINARY must answer
    #[serde(default)]
    pub expect: Expect,
}

/// The private keys of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyName {
    /// JPKI 0017
    UserAuthentication,
    /// JPKI 001A
    DigitalSignature,
}

impl KeyName {
    /// The certificate with the public key.
    #[must_use]
    pub const fn certificate(self) -> CertificateName {
        match self {
            Self::UserAuthentication => CertificateName::UserAuthentication,
            Self::DigitalSignature => CertificateName::DigitalSignature,
        }
    }
}

/// `sign: {key: user_authentication, data: {digest_info: sha256, of: "text"}}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignStep {
    /// which key
    pub key: KeyName,
    /// what is signed
    pub data: SignInput,
    /// how the key is addressed
    #[serde(default)]
    pub by: By,
    /// what must come back
    #[serde(default)]
    pub expect: SignExpect,
}

/// What is handed to COMPUTE DIGITAL SIGNATURE.
#[derive(Debug, Clone)]
pub enum SignInput {
    /// a DigestInfo over the digest of a text
    DigestInfo {
        /// of which kind
        digest: Digest,
        /// of which text
        of: String,
    },
    /// these bytes
    Bytes(Bytes),
}

/// Digests with a DigestInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInputMap {
    digest_info: Option<Digest>,
    of: Option<String>,
    hex: Option<Bytes>,
}

impl<'de> Deserialize<'de> for SignInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match SignInputMap::deserialize(deserializer)? {
            SignInputMap { digest_info: Some(digest), of: Some(of), hex: None } => {
                Ok(Self::DigestInfo { digest, of })
            }
            SignInputMap { digest_info: None, of: None, hex: Some(bytes) } => Ok(Self::Bytes(bytes)),
            _ => Err(de::Error::custom("data is {digest_info: sha256, of: \"text\"} or {hex: \"…\"}")),
        }
    }
}

/// `challenge: {length: 8}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengeStep {
    /// how many bytes, 1 to 256
    #[serde(deserialize_with = "challenge_length")]
    pub length: u16,
    /// asks a second time, and must get other bytes
    #[serde(default)]
    pub twice: bool,
    /// what must come back; that many bytes unless it says otherwise
    pub expect: Option<Expect>,
}

fn challenge_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        length @ 1..=256 => Ok(length),
        length => Err(de::Error::custom(format!("a challenge has 1 to 256 bytes, not {length}"))),
    }
}

/// `transmit: {apdu: "00 A4 00 00", expect: {sw: "6A86"}}`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmitStep {
    /// the command
    pub apdu: Bytes,
    /// what must come back
    #[serde(default)]
    pub expect: Expect,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Power(power) => write!(f, " {}", lower(power)),
            Self::Atr(_) | Self::Transmit(_) => Ok(()),
            Self::Select(step) => match &step.target {
                SelectTarget::Application { name, .. } => write!(f, " {name}"),
                SelectTarget::Aid(aid) => write!(f, " aid {aid}"),
                SelectTarget::File(id) => write!(f, " file {id:04X}"),
            },
            Self::TriesLeft(step) => write!(f, " of {}", step.of),
            Self::Verify(step) => write!(f, " {} ({})", step.pin, lower(&step.value)),
            Self::ChangePin(step) => write!(f, " {} to {}", step.pin, lower(&step.to)),
            Self::ReadBinary(step) => write!(f, " {} from {}", step.le, step.offset),
            Self::Certificate(step) => write!(f, " {}", step.of),
            Self::Sign(step) => write!(f, " with {}", step.key.certificate()),
            Self::Challenge(step) => write!(f, " of {} bytes", step.length),
        }
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserAuthentication => "user_authentication",
            Self::UserAuthenticationCa => "user_authentication_ca",
            Self::DigitalSignature => "digital_signature",
            Self::DigitalSignatureCa => "digital_signature_ca",
        })
    }
}

fn lower(word: &impl fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}

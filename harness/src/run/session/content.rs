//! Holding bytes against what they must hold: data objects, certificates, signatures.

use super::certificate_fields::certificate_differs;
use super::text::text_fits;
use crate::language::{Bilingual, Language, in_both, quoted};
use crate::scenario::{Captures, CertificateField, Content, Part, SignatureMatch, Verifier};
use crate::verify::{Certificate, PublicKey};
use std::borrow::Cow;
use vmyna_sim::hex::Spaced;
use vmyna_sim::pki::authority_public_key;

/// Most bytes of a value that are shown.
const SHOWN: usize = 64;

/// How `data` differs from `content`: what was expected, and what came.
pub(super) fn unmet_content(content: &Content, data: &[u8], captures: &Captures) -> Option<Misfit> {
    let differs = |came: Bilingual| Some(Misfit::Differs(told(content), came));
    let value = match &content.object {
        None => data,
        Some(object) => match object.find(data) {
            Some(value) => value,
            None => {
                let (ja, en) = (shown(data, Language::Ja), shown(data, Language::En));
                return differs(Bilingual::new(
                    format!("{ja}にそのオブジェクトはない"),
                    format!("no such object in {en}"),
                ));
            }
        },
    };
    let plain = content.data.as_ref().is_none_or(|wanted| wanted.is_met(value, captures))
        && content.differs_from.as_ref().is_none_or(|octets| octets.bytes(captures) != value)
        && content.length.is_none_or(|length| length.contains(value.len()));
    if !plain {
        return differs(in_both(|language| {
            format!("{} ({} {})", shown(value, language), value.len(), language.say("バイト", "bytes"))
        }));
    }
    if let Some(wanted) = &content.text {
        match std::str::from_utf8(value) {
            Ok(text) if text_fits(wanted, text, captures) => {}
            Ok(text) => return differs(in_both(|language| quoted(text, language))),
            Err(_) => {
                return differs(in_both(|language| {
                    shown(value, language) + language.say("、UTF-8 ではない", ", no UTF-8")
                }));
            }
        }
    }
    if let Some(wanted) = &content.certificate
        && let Some((expected, came)) = certificate_differs(wanted, value, captures)
    {
        return Some(Misfit::Differs(expected, came));
    }
    let SignatureMatch { over, by, scheme } = content.signature.as_ref()?;
    let key = match key_of(by, captures) {
        Key::Known(key) => key,
        Key::Malformed(problem) => return differs(problem),
        Key::Unknown(why) => return Some(Misfit::Unknown(why)),
    };
    let verified = key.verify((*scheme).into(), &over.bytes(captures), value);
    verified.err().and_then(|problem| differs(problem.in_words()))
}

/// How bytes are not what they must be.
pub(super) enum Misfit {
    /// what was expected, and what came
    Differs(Bilingual, Bilingual),
    /// it cannot be told: why
    Unknown(Bilingual),
}

/// A public key that a scenario names.
pub(super) enum Key {
    Known(PublicKey),
    /// what was captured is no key: why
    Malformed(Bilingual),
    /// nobody here has it: why
    Unknown(Bilingual),
}

pub(super) fn key_of(verifier: &Verifier, captures: &Captures) -> Key {
    let certified = |der: &[u8]| match Certificate::parse(der).and_then(|certificate| certificate.key()) {
        Ok(key) => Key::Known(key),
        Err(problem) => Key::Malformed(problem.in_words()),
    };
    match verifier {
        Verifier::Read(name) => certified(captures.certificate(*name).unwrap_or_default()),
        Verifier::Captured(name) => certified(captures.get(name)),
        Verifier::PublicKey(name) => PublicKey::of_card(captures.get(name)).map_or_else(
            || {
                let came = captures.get(name);
                let (ja, en) = (shown(came, Language::Ja), shown(came, Language::En));
                Key::Malformed(Bilingual::new(
                    format!("{name} は公開鍵 (90 指数、91 法) ではない: {ja}"),
                    format!("{name} is no public key (90 exponent, 91 modulus): {en}"),
                ))
            },
            Key::Known,
        ),
        Verifier::Authority(name) => {
            let id = captures.get(name);
            let objects = authority_public_key(id);
            objects.as_deref().and_then(PublicKey::of_card).map_or_else(
                || {
                    Key::Unknown(Bilingual::new(
                        format!("認証局 {} の鍵はここでは知られていない", Spaced(id)),
                        format!("the key of the authority {} is not known here", Spaced(id)),
                    ))
                },
                Key::Known,
            )
        }
    }
}

fn told(content: &Content) -> Bilingual {
    in_both(|language| content.in_words(language))
}

fn shown(data: &[u8], language: Language) -> String {
    match data.len() {
        0 => language.say("空のデータ", "nothing").to_owned(),
        1..=SHOWN => Spaced(data).to_string(),
        _ => format!("{} …", Spaced(&data[..SHOWN])),
    }
}

/// The part of `data` that is captured; `None` where there is no such part.
pub(super) fn part<'a>(part: &Part, data: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match part {
        Part::Data => Some(Cow::Borrowed(data)),
        Part::Bytes { of, from, length } => {
            let value = of.as_ref().map_or(Some(data), |object| object.find(data))?;
            value.get(*from..from.checked_add(*length)?).map(Cow::Borrowed)
        }
        Part::Object(object) => object.find(data).map(Cow::Borrowed),
        Part::Whole(path) => path.find_whole(data).map(Cow::Borrowed),
        Part::Certificate(field) => {
            let certificate = Certificate::parse(data).ok()?;
            let (not_before, not_after) = certificate.validity();
            Some(Cow::Owned(match field {
                CertificateField::Serial => certificate.serial().to_vec(),
                CertificateField::Subject => certificate.subject().into_bytes(),
                CertificateField::Issuer => certificate.issuer().into_bytes(),
                CertificateField::NotBefore => not_before.into_bytes(),
                CertificateField::NotAfter => not_after.into_bytes(),
                CertificateField::Modulus => certificate.public_key().ok()?.modulus(),
                CertificateField::SubjectKeyIdentifier => certificate.subject_key_identifier().ok()??,
            }))
        }
    }
}

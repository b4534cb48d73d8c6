//! Holding bytes against what they must hold: data objects, certificates, signatures.

use super::certificate_fields::certificate_differs;
use super::text::text_fits;
use crate::scenario::{Captures, CertificateField, Content, Part, SignatureMatch, Verifier};
use crate::terminal;
use crate::verify::Certificate;
use std::borrow::Cow;
use vmyna_sim::hex::Spaced;

/// Most bytes of a value that are shown.
const SHOWN: usize = 64;

/// How `data` differs from `content`: what was expected, and what came.
pub(super) fn unmet_content(content: &Content, data: &[u8], captures: &Captures) -> Option<(String, String)> {
    let value = match &content.object {
        None => data,
        Some(object) => match object.find(data) {
            Some(value) => value,
            None => return Some((content.to_string(), format!("no such object in {}", shown(data)))),
        },
    };
    let plain = content.data.as_ref().is_none_or(|wanted| wanted.is_met(value, captures))
        && content.length.is_none_or(|length| length.contains(value.len()));
    if !plain {
        return Some((content.to_string(), format!("{} ({} bytes)", shown(value), value.len())));
    }
    if let Some(wanted) = &content.text {
        match std::str::from_utf8(value) {
            Ok(text) if text_fits(wanted, text, captures) => {}
            Ok(text) => return Some((content.to_string(), format!("{text:?}"))),
            Err(_) => return Some((content.to_string(), format!("{}, no UTF-8", shown(value)))),
        }
    }
    if let Some(wanted) = &content.certificate
        && let Some(difference) = certificate_differs(wanted, value, captures)
    {
        return Some(difference);
    }
    let signature = content.signature.as_ref()?;
    verify(signature, value, captures).err().map(|problem| (content.to_string(), problem))
}

fn shown(data: &[u8]) -> String {
    match data.len() {
        0 => "nothing".to_owned(),
        1..=SHOWN => Spaced(data).to_string(),
        _ => format!("{} …", Spaced(&data[..SHOWN])),
    }
}

fn verify(wanted: &SignatureMatch, signature: &[u8], captures: &Captures) -> Result<(), String> {
    let der = match &wanted.by {
        Verifier::Read(name) => captures.certificate(*name).unwrap_or_default(),
        Verifier::Captured(name) => captures.get(name),
    };
    let key = Certificate::parse(der).and_then(|certificate| certificate.public_key());
    let data = terminal::signature_input(&wanted.over, captures);
    key.map_err(|problem| problem.to_string())?
        .verify(&data, signature)
        .map_err(|problem| problem.to_string())
}

/// The part of `data` that is captured; `None` where there is no such part.
pub(super) fn part<'a>(part: &Part, data: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match part {
        Part::Data => Some(Cow::Borrowed(data)),
        Part::Bytes { from, length } => data.get(*from..from.checked_add(*length)?).map(Cow::Borrowed),
        Part::Object(object) => object.find(data).map(Cow::Borrowed),
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
